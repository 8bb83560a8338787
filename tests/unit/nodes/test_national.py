"""The national node as a dialogue: what goes in, which commands come out."""

import math
from dataclasses import dataclass, field

import msgspec
import pytest

from beaconfire.messages.detection import Detection, DetectionBatch, Plot, SightLine
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.report import Report
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Lane, Mode, Nation, Severity, Status
from beaconfire.nodes.commands import Channel, Command, Inbound, Now, Send, Table, WakeAt
from beaconfire.nodes.national import BATCH_MAX, BLIND_US, Identity, NationalNode
from tracking_truth import EPOCH_US, INFRARED, KOR, flight, radar, scans

JPN = Nation("JPN")
RADAR = radar()
NOW = Now(EPOCH_US, 5_000_000)


@dataclass
class _Empty:
    read: list[str] = field(default_factory=list)

    def rows(self, table: Table) -> list[tuple[str, bytes]]:
        self.read.append(table)
        return []

    def log(self, name: str) -> list[bytes]:
        self.read.append(name)
        return []


def _node() -> NationalNode:
    sensors: list[Sensor] = [RADAR, INFRARED, msgspec.structs.replace(radar("jpn-1"), nation=JPN)]
    return NationalNode(Identity(KOR, Mode.SIMULATED, "test"), sensors, b"k" * 32, _Empty())


def _batch(*detections: Detection, sender: str = "KOR", channel: Channel = Channel.DETECTION) -> Inbound:
    return Inbound(channel, sender, Lane.FLASH, DetectionBatch(detections), 100)


def _sent(commands: list[Command], kind: type) -> list[Send]:
    return [one for one in commands if isinstance(one, Send) and isinstance(one.message, kind)]


def _notices(commands: list[Command]) -> list[Notice]:
    return [one.message for one in _sent(commands, Notice) if isinstance(one.message, Notice)]


def _codes(commands: list[Command]) -> list[str]:
    return [one.code for one in _notices(commands)]


def _plot(**changes: float | str) -> Plot:
    values: dict[str, float | str] = {
        "sensor": "kor-1",
        "measured_at_us": EPOCH_US,
        "range_m": 5e5,
        "azimuth_rad": 1.0,
        "elevation_rad": 0.3,
    }
    return Plot(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("detection", "reason"),
    [
        (_plot(range_m=math.nan), "not-finite"),
        (_plot(azimuth_rad=math.inf), "not-finite"),
        (_plot(range_rate_m_s=math.nan), "not-finite"),
        (_plot(sensor="nobody"), "unknown-sensor"),
        (_plot(sensor="jpn-1"), "other-nation"),
        (_plot(sensor="kor-ir"), "wrong-kind"),
        (_plot(measured_at_us=EPOCH_US + 5_000_001), "future"),
        (_plot(measured_at_us=EPOCH_US - 600_000_001), "too-old"),
        (_plot(range_m=-1.0), "out-of-range"),
        (_plot(range_m=9e6), "out-of-range"),
        (_plot(elevation_rad=-0.5), "out-of-range"),
        (SightLine("kor-ir", EPOCH_US, (4.2e7, 0.0, 0.0), (-2.0, 0.0, 0.0)), "out-of-range"),
    ],
)
def test_what_cannot_be_used_is_counted_with_its_reason(detection: Detection, reason: str) -> None:
    node = _node()
    commands = node.receive(_batch(detection, _plot()), NOW)
    assert node.counters[f"rejected-{reason}"] == 1
    assert node.counters["accepted"] == 1
    notices = _sent(commands, Notice)
    assert len(notices) == 1
    notice = notices[0].message
    assert isinstance(notice, Notice)
    assert notice.code == f"detection-{reason}"
    assert notice.severity is Severity.CAUTION


def test_a_node_whose_clock_is_not_its_sensors_says_that_it_is_blind() -> None:
    node, day_us = _node(), 86_400_000_000
    ahead = Now(EPOCH_US + day_us, NOW.monotonic_us)
    assert _codes(node.receive(_batch(_plot(), _plot()), ahead)) == ["detection-too-old", "detection-clock"]
    assert _codes(node.receive(_batch(_plot()), ahead)) == [], "it was said"
    node.receive(_batch(_plot()), NOW)
    late = Now(EPOCH_US + day_us, NOW.monotonic_us + BLIND_US - 1)
    assert _codes(node.receive(_batch(_plot()), late)) == [], "a few late ones are none"
    blind = Now(EPOCH_US + day_us, NOW.monotonic_us + BLIND_US)
    (told,) = [one for one in _notices(node.receive(_batch(_plot()), blind)) if one.code == "detection-clock"]
    assert told.severity is Severity.FAULT
    assert told.arguments == {"origin": "kor-1", "off_s": 86_400}


def test_notices_of_one_reason_are_few() -> None:
    node, count = _node(), 0
    for turn in range(50):
        now = Now(EPOCH_US, 5_000_000 + turn * 100_000)
        count += len(_sent(node.receive(_batch(_plot(sensor="nobody")), now), Notice))
    assert count == 1
    assert node.counters["rejected-unknown-sensor"] == 50


def test_only_own_detections_enter() -> None:
    node = _node()
    node.receive(_batch(_plot(), sender="HUB"), NOW)
    node.receive(_batch(_plot(), channel=Channel.TO_NATION), NOW)
    node.receive(_batch(*[_plot()] * (BATCH_MAX + 1)), NOW)
    assert node.counters["accepted"] == 0
    assert node.counters["rejected-other-nation"] == 1
    assert node.counters["rejected-wrong-kind"] == 1
    assert node.counters["rejected-oversize-batch"] == 1


def test_receive_asks_for_a_tick_at_once_and_says_nothing_yet() -> None:
    assert _node().receive(_batch(_plot()), NOW) == [WakeAt(NOW.monotonic_us)]


def test_health_once_a_second() -> None:
    node, health = _node(), 0
    for turn in range(30):
        commands = node.tick(Now(EPOCH_US, turn * 100_000))
        health += len(_sent(commands, Health))
        assert any(isinstance(one, WakeAt) for one in commands)
    assert health == 3


def _fly(node: NationalNode, first_s: int = 0) -> list[Send]:
    said: list[Send] = []
    for at_us, seen in scans(flight(), [RADAR, INFRARED], until_s=130.0)[first_s:]:
        now = Now(at_us, at_us - EPOCH_US)
        if seen:
            node.receive(_batch(*seen), now)
        said += _sent(node.tick(now), Report)
    return said


def test_lanes_follow_what_is_new() -> None:
    said = _fly(_node())
    flash = [one for one in said if one.lane is Lane.FLASH]
    assert said[0].lane is Lane.FLASH
    assert all(one.channel is Channel.OWN_REPORT and one.recipient == "KOR" for one in said)
    assert len(flash) <= 5
    kinds = [one.message.classification for one in said if isinstance(one.message, Report)]
    burnt = next(i for i, kind in enumerate(kinds) if kind is not None and not kind.thrust_possible)
    assert said[burnt].lane is Lane.FLASH
    assert said[burnt + 1].lane is Lane.ROUTINE


@pytest.mark.parametrize(("status", "again"), [(Status.WITHDRAWN, 13), (Status.ENDED, 13), (Status.LOST, 0)])
def test_the_last_word_on_a_track_is_told_again_for_who_was_not_up(status: Status, again: int) -> None:
    node = _node()
    last = next(one.message for one in _fly(node, 90) if isinstance(one.message, Report))
    assert last.classification is not None
    last = msgspec.structs.replace(
        last, classification=msgspec.structs.replace(last.classification, status=status)
    )
    said = [[last]]

    class Ended:
        overflowed = 0

        def add(self, detections: object, now_us: int) -> None:
            """Nothing is seen any more."""

        def step(self, now_us: int) -> list[Report]:
            del now_us
            return said.pop() if said else []

    node._tracker = Ended()  # type: ignore[assignment]
    start = 200_000_000
    told = [
        one.message
        for second in range(900)
        for one in _sent(node.tick(Now(EPOCH_US + start, start + second * 1_000_000)), Report)
    ]
    assert told == [last] * (1 + again)


def test_while_a_clock_stands_still_each_statement_of_a_track_is_later_than_the_one_before() -> None:
    node, said = _node(), []
    for at_us, seen in scans(flight(), [RADAR, INFRARED], until_s=130.0):
        now = Now(min(at_us, EPOCH_US + 100_000_000), at_us - EPOCH_US)
        if seen:
            node.receive(_batch(*seen), now)
        said += [one.message for one in _sent(node.tick(now), Report)]
    times_us = [one.stated_at_us for one in said if isinstance(one, Report)]
    assert len([one for one in times_us if one > EPOCH_US + 100_000_000]) > 1
    assert len(set(times_us)) == len(times_us)


def test_a_restarted_node_uses_other_names_and_ids() -> None:
    before, after = _fly(_node()), _fly(_node(), 90)
    ids = [one.message.report_id for one in before + after if isinstance(one.message, Report)]
    assert len(set(ids)) == len(ids)


def test_the_same_dialogue_gives_the_same_commands() -> None:
    assert _fly(_node()) == _fly(_node())
