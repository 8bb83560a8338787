"""The simulator routes as the real installation is wired."""

import itertools

import pytest

from beaconfire.adapters.wiring import FLOWS, Role, Server
from beaconfire.messages.transfer import Delivery, Probe
from beaconfire.messages.words import Lane
from beaconfire.nodes.commands import Channel
from beaconfire.sim.routes import HOME, LINK, kind_of, roles_for

NODES = frozenset({Role.NATIONAL, Role.GUARD, Role.HUB, Role.PICTURE, Role.WARNING, Role.DISPLAY})
KINDS = ("delivery", "receipt", "probe", "suspension", "checkpoint", "cosignature", "report", "event")


@pytest.mark.parametrize("channel", list(Channel))
def test_home_routes_are_those_of_the_wiring(channel: Channel) -> None:
    wired = {
        role.value
        for flow in FLOWS
        if flow.server is Server.HOME and flow.channel is channel
        for role in flow.subscribers & NODES
    }
    assert set(HOME.get(channel, ())) == wired


@pytest.mark.parametrize(("channel", "kind"), list(itertools.product(Channel, KINDS)))
def test_link_routes_are_those_of_the_wiring(channel: Channel, kind: str) -> None:
    wired = {
        role.value
        for flow in FLOWS
        if flow.server is Server.HUB and (flow.channel, flow.kind) == (channel, kind)
        for role in flow.subscribers & NODES
    }
    assert set(LINK.get((channel, kind), ())) == wired


def test_a_delivery_goes_to_the_picture_and_nowhere_at_home() -> None:
    delivery = Delivery("HUB", "JPN", Lane.FLASH, 1, 1, 1, "a", b"")
    assert kind_of(delivery) == "delivery"
    assert roles_for(Channel.TO_NATION, delivery, between_parties=True) == ("picture",)
    assert roles_for(Channel.TO_NATION, delivery, between_parties=False) == ()
    probe = Probe("HUB", "JPN", Lane.FLASH, 1, 1, echo=False)
    assert roles_for(Channel.TO_NATION, probe, between_parties=True) == ("guard", "picture")
