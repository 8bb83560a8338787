"""The worked example: four nations on one hub, the fourth of them cleared for less."""

import hashlib

import msgspec
import pytest

from beaconfire.adapters.bundles import example_templates, shipped_templates
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.codec import decode, decode_sealed
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Group, Level, Mode, Nation
from beaconfire.nodes.commands import Deliver
from beaconfire.nodes.guard import GuardConfig, GuardNode
from beaconfire.nodes.hub import HubConfig, HubNode
from beaconfire.release.arrangements import Agreement, make_bundle, verify_bundle
from beaconfire.release.content import decode_content
from beaconfire.release.keys import Keyring
from beaconfire.release.label import LabellingRules
from release_world import (
    FROM_US,
    JPN,
    KOR,
    T0_US,
    UNTIL_US,
    USA,
    MemoryRows,
    key_of,
    now,
    own,
    report,
    to_hub,
)

XDA = Nation("XDA")
PARTIES = (JPN, KOR, USA, XDA)
KEYS = [key_of(party) for party in (*PARTIES, HUB)]
RING = Keyring(KeyClass.SIMULATION, [key.public for key in KEYS])


def agreements() -> tuple[Agreement, ...]:
    templates = (*shipped_templates().values(), *example_templates().values())
    signed = [make_bundle(one, KEYS, valid_from_us=FROM_US, valid_until_us=UNTIL_US) for one in templates]
    return tuple(verify_bundle(one, "test", now_us=T0_US, trusted=RING) for one in signed)


def passed(originator: Nation, level: Level) -> dict[str, Delivery]:
    """Return what the hub passes of one nation's report, by recipient."""
    held = agreements()
    secret = hashlib.sha256(b"fourth").digest()
    rules = LabellingRules("notional", level, frozenset(PARTIES) - {originator})
    guard = GuardNode(
        GuardConfig(originator, Mode.SIMULATED, "", key_of(originator), RING, held, rules, secret),
        MemoryRows(),
    )
    hub = HubNode(HubConfig(PARTIES, Mode.SIMULATED, key_of(HUB), RING, held, secret), MemoryRows())
    sent = [
        one.body
        for one in guard.receive(own(report(1, originator), originator), now())
        if isinstance(one, Deliver)
    ]
    deliveries = [one for one in map(decode, sent) if isinstance(one, Delivery)]
    commands = [c for one in deliveries for c in hub.receive(to_hub(one, originator, one.lane), now())]
    found = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    return {one.recipient: one for one in found if isinstance(one, Delivery)}


def groups(delivery: Delivery) -> set[Group]:
    sealed = decode_sealed(delivery.sealed)
    return {one.group for one in sealed.disclosures} | {one.group for one in sealed.degradations}


@pytest.mark.parametrize("originator", [USA, JPN, KOR])
def test_the_fourth_is_warned_coarsely_and_learns_neither_state_nor_sensors(originator: Nation) -> None:
    given = passed(originator, Level.RESTRICTED)
    assert given.keys() == set(PARTIES) - {originator}
    hidden = {Group.TRAJECTORY, Group.COVARIANCE, Group.SENSOR, Group.RAW_MEASUREMENT}
    assert groups(given[XDA]) == set(Group) - hidden
    coarse = {one.group: one for one in decode_sealed(given[XDA].sealed).degradations}
    assert coarse[Group.LAUNCH_POINT].transform.startswith("grid 50000 m")
    launch = decode_content(Group.LAUNCH_POINT, coarse[Group.LAUNCH_POINT].content)
    assert msgspec.to_builtins(launch)["time_us"] % 10_000_000 == 0


def test_what_is_confidential_passes_among_the_three_and_not_to_the_fourth() -> None:
    assert passed(KOR, Level.CONFIDENTIAL).keys() == {JPN, USA}


def test_the_fourth_gives_to_all_three() -> None:
    assert passed(XDA, Level.RESTRICTED).keys() == {USA, JPN, KOR}
