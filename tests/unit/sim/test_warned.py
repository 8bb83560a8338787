"""The oracle of warnings: what a nation's warnings may not lack beside its picture, nor have too much."""

from typing import Final

import msgspec
import pytest

from beaconfire.alerting.life import Standing
from beaconfire.fusion.live import Saved
from beaconfire.messages.event import Event, Place, PlaceTime, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.words import Mode, Nation, PlaceKind, Severity, Sharing, Status
from beaconfire.nodes.picture_rows import event_key
from beaconfire.sim.network import Address
from beaconfire.sim.warned import HEARD_US, LATE_US, Warned
from picture_world import bare_event

JPN, KOR = Nation("JPN"), Nation("KOR")
PLACES: Final = (Place("Aomori", JPN, 0.71, 2.45, 3e4), Place("Seoul", KOR, 0.65, 2.21, 4e4))
NOW_US: Final = 10 * LATE_US
PICTURE, NODE = Address(JPN, "picture"), Address(JPN, "warning")


def event(status: Status, place: str = "Aomori", earliest_us: int = NOW_US) -> Event:
    return bare_event(status=status, places=(PlaceTime(place, PlaceKind.IMPACT, earliest_us, 0.9),))


def warning(action: str = "issue", *, alone: bool = False) -> Warning:
    return Warning("w1", "e1", JPN, action, 1, Mode.SIMULATED, 0, alone, (), (), "text")


def flaws(one: Event, said: Warning | None, sharing: Sharing | None = None) -> list[str]:
    one = msgspec.structs.replace(one, sharing=sharing)
    picture = {event_key(sharing, "e1"): msgspec.msgpack.encode(Saved(one, ()))}
    standing = {} if said is None else {"warning/e1": msgspec.msgpack.encode(Standing(said, one.status, one))}
    return Warned(PLACES).flaws(JPN, picture, {"alone": b"", **standing}, NOW_US)


@pytest.mark.parametrize("status", [Status.ENDED, Status.WITHDRAWN])
def test_what_is_over_is_not_warned_of(status: Status) -> None:
    assert flaws(event(status), warning()) == [f"JPN warns of e1, which is {status}"]
    assert flaws(event(status), warning("cancel")) == []
    assert flaws(event(status), None) == []


def test_what_is_sure_and_comes_to_an_own_place_is_warned_of() -> None:
    for said in (None, warning("cancel")):
        assert flaws(event(Status.CONFIRMED), said) == ["JPN does not warn of e1, which comes to Aomori"]
    assert flaws(event(Status.CONFIRMED), warning()) == []


@pytest.mark.parametrize(
    "one",
    [
        event(Status.TENTATIVE),
        event(Status.LOST),
        event(Status.CONFIRMED, "Seoul"),
        event(Status.CONFIRMED, earliest_us=NOW_US - LATE_US - 1),
    ],
    ids=["unsure", "lost", "elsewhere", "long ago"],
)
def test_nothing_else_must_be(one: Event) -> None:
    assert flaws(one, None) == []
    assert flaws(event(Status.CONFIRMED), None, Sharing.ALONE) == []


def test_of_being_alone_a_warning_says_what_the_picture_has_said_for_a_while() -> None:
    warned = Warned(PLACES)
    warned.called(NODE, 0)
    assert warned.is_true(warning(), 0), "nothing was said yet"
    warned.said(PICTURE, Health("picture/JPN", 0, (), {"alone": 1}), 0)
    warned.said(PICTURE, Health("picture/JPN", 0, (), {"alone": 1}), HEARD_US)
    assert warned.is_true(warning(), HEARD_US - 1), "it may not have heard of it"
    assert not warned.is_true(warning(), HEARD_US)
    assert warned.is_true(warning(alone=True), HEARD_US)
    up = Notice(code="link-up", severity=Severity.INFORMATION, text="", at_us=0, source="picture/JPN")
    warned.said(PICTURE, up, HEARD_US)
    assert warned.is_true(warning(), HEARD_US + 1)
    assert not warned.is_true(warning(alone=True), 2 * HEARD_US)


def test_a_node_that_was_just_started_may_not_have_heard() -> None:
    warned = Warned(PLACES)
    warned.called(NODE, 0)
    warned.said(PICTURE, Health("picture/JPN", 0, (), {"alone": 1}), 0)
    warned.died(NODE)
    warned.called(NODE, HEARD_US)
    assert warned.is_true(warning(), HEARD_US)
    assert not warned.is_true(warning(), 2 * HEARD_US)
    warned.died(PICTURE)
    assert warned.is_true(warning(), 2 * HEARD_US), "a picture that is down says nothing"
