import subprocess
import sys

import msgspec
import pytest

from beaconfire.messages.codec import encode
from beaconfire.messages.event import Event, Place, PlaceTime, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.words import Lane, Mode, PlaceKind, Severity, Sharing, Status
from beaconfire.nodes.commands import Channel, Command, Inbound, Send
from beaconfire.nodes.warning import WarningConfig, WarningNode
from picture_world import JPN, KOR, bare_event
from release_world import T0_US, MemoryRows, now

PLACES = (Place("Aomori", JPN, 0.71, 2.45, 3e4), Place("Seoul", KOR, 0.65, 2.21, 4e4))
CONFIG = WarningConfig(nation=JPN, mode=Mode.SIMULATED, places=PLACES, secret=b"w" * 32)


def event(event_id: str = "e1", revision: int = 1, place: str = "Aomori", **changed: object) -> Event:
    over = PlaceTime(place, PlaceKind.OVERFLIGHT, T0_US + 300_000_000, 0.9)
    whole = bare_event(
        event_id=event_id, revision=revision, as_of_us=T0_US, observed_at_us=T0_US, places=(over,)
    )
    return msgspec.structs.replace(whole, **changed)


def inbound(message: Event | Notice | Health, channel: Channel = Channel.EVENT, sender: str = JPN) -> Inbound:
    return Inbound(channel, sender, Lane.FLASH, message, len(encode(message)))


def notice(code: str, source: str = "picture/JPN") -> Notice:
    return Notice(code=code, severity=Severity.FAULT, text="", at_us=T0_US, source=source)


def warnings(commands: list[Command]) -> list[Warning]:
    return [one.message for one in commands if isinstance(one, Send) and isinstance(one.message, Warning)]


@pytest.fixture
def rows() -> MemoryRows:
    return MemoryRows()


@pytest.fixture
def node(rows: MemoryRows) -> WarningNode:
    return WarningNode(CONFIG, rows)


def test_an_event_over_an_own_place_becomes_a_warning(node: WarningNode) -> None:
    (warning,) = warnings(node.receive(inbound(event()), now()))
    assert warning.action == "issue"
    assert warning.event_id == "e1"
    assert warning.warning_id != "e1"
    assert node.counters["issued"] == 1


@pytest.mark.parametrize(
    "message",
    [
        inbound(event(place="Seoul")),
        inbound(event(sharing=Sharing.BILATERAL)),
        inbound(event(status=Status.TENTATIVE)),
        inbound(event(mode=Mode.REAL)),
        inbound(event(), sender=KOR),
        inbound(event(), channel=Channel.WARNING),
    ],
    ids=["foreign place", "shadow", "tentative", "other mode", "foreign sender", "wrong channel"],
)
def test_nothing_else_does(node: WarningNode, message: Inbound) -> None:
    assert warnings(node.receive(message, now())) == []


def test_it_says_when_the_nation_warns_alone(node: WarningNode) -> None:
    node.receive(inbound(notice("link-down"), Channel.NOTICE), now())
    (warning,) = warnings(node.receive(inbound(event()), now()))
    assert warning.alone
    assert "own sensors only" in warning.text
    node.receive(inbound(notice("link-up"), Channel.NOTICE), now(100_000))
    (update,) = warnings(node.tick(now(5_000_000)))
    assert not update.alone


def test_only_the_own_picture_says_whether_it_is_alone(node: WarningNode) -> None:
    node.receive(inbound(notice("link-down", "picture/KOR"), Channel.NOTICE), now())
    (warning,) = warnings(node.receive(inbound(event()), now()))
    assert not warning.alone


def health(*, alone: int, source: str = "picture/JPN") -> Inbound:
    return inbound(Health(source, T0_US, (), {"alone": alone}), Channel.HEALTH)


def test_a_node_that_was_started_while_the_nation_is_alone_says_so(rows: MemoryRows) -> None:
    node = WarningNode(CONFIG, rows)
    rows.commit(node.receive(health(alone=1), now()))
    again = WarningNode(CONFIG, rows)
    (warning,) = warnings(again.receive(inbound(event()), now(100_000)))
    assert warning.alone, "as it was when it went down"
    rows.commit(again.receive(health(alone=0), now(1_000_000)))
    again.receive(health(alone=1, source="picture/KOR"), now(1_100_000))
    (update,) = warnings(again.tick(now(3_000_000)))
    assert not update.alone
    assert not WarningNode(CONFIG, rows)._life.alone


def test_an_event_that_is_told_again_says_nothing_new(node: WarningNode) -> None:
    node.receive(inbound(event()), now())
    for turn in range(1, 9):
        assert warnings(node.receive(inbound(event()), now(turn * 3_000_000))) == []
    elsewhere = event(revision=2, place="Seoul")
    for turn in range(10, 20):
        assert warnings(node.receive(inbound(elsewhere), now(turn * 3_000_000))) == [], (
            "one revision, not ten"
        )
    assert node.counters["events"] == 2


def test_what_is_in_force_is_told_again_and_at_once_after_a_start(rows: MemoryRows) -> None:
    node = WarningNode(CONFIG, rows)
    commands = node.receive(inbound(event()), now())
    rows.commit(commands)
    said = [(second, one) for second in range(31) for one in warnings(node.tick(now(second * 1_000_000)))]
    assert said == [(second, warnings(commands)[0]) for second in (5, 10, 15, 20, 25, 30)]
    assert warnings(WarningNode(CONFIG, rows).tick(now(31_000_000))) == warnings(commands)
    ended = node.receive(inbound(event(revision=2, status=Status.ENDED)), now(32_000_000))
    rows.commit(ended)
    assert warnings(node.tick(now(37_000_000))) == warnings(ended), "so is that it is over"
    assert warnings(WarningNode(CONFIG, rows).tick(now(38_000_000))) == warnings(ended)
    assert warnings(node.tick(now(3_700_000_000))) == []


def test_a_restarted_node_neither_repeats_nor_forgets(rows: MemoryRows, node: WarningNode) -> None:
    commands = node.receive(inbound(event()), now())
    rows.commit(commands)
    again = WarningNode(CONFIG, rows)
    assert warnings(again.receive(inbound(event(revision=2)), now(100_000))) == []
    (cancel,) = warnings(again.receive(inbound(event(revision=3, status=Status.WITHDRAWN)), now(200_000)))
    assert cancel.action == "cancel"
    assert cancel.warning_id == warnings(commands)[0].warning_id


def test_a_place_that_is_reached_beyond_every_calendar_is_warned_of_all_the_same(node: WarningNode) -> None:
    """Found by fuzzing: the node died of it, and again of the next revision."""
    never = PlaceTime("Aomori", PlaceKind.OVERFLIGHT, 2**63 - 1, 0.9)
    (warning,) = warnings(node.receive(inbound(event(places=(never,))), now()))
    assert warning.action == "issue"


def test_health_comes_once_a_second(node: WarningNode) -> None:
    found = [
        one.message
        for after_us in range(0, 3_000_000, 250_000)
        for one in node.tick(now(after_us))
        if isinstance(one, Send) and isinstance(one.message, Health)
    ]
    assert len(found) == 3
    assert found[0].source == "warning/JPN"


def test_the_process_stays_light() -> None:
    """The warning must run where no estimator can: neither numba nor scipy is imported."""
    script = (
        "import sys, beaconfire.nodes.warning;"
        "sys.exit(any(name in sys.modules for name in ('numba', 'scipy', 'beaconfire.flight.impact')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
