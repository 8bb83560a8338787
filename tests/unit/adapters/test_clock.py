import time
from pathlib import Path

import pytest

from beaconfire.adapters.clock import Clock, ClockSettings, read_clock, write_clock
from beaconfire.errors import UsageError


def test_an_event_clock_runs_at_its_speed_from_its_start() -> None:
    clock = Clock(ClockSettings(1_000_000, 5_000_000, 20.0))
    assert clock.speed == 20.0
    assert clock.utc_at(5_000_000) == 1_000_000
    assert clock.utc_at(5_500_000) == 11_000_000
    assert clock.utc_at(4_900_000) == -1_000_000


def test_the_wall_clock_is_given_as_it_is() -> None:
    assert Clock().utc_at(1_234) == 1_234
    assert Clock().speed == 1.0


def test_utc_never_runs_back_and_monotonic_is_not_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    walls = iter([10_000_000_000, 7_000_000_000, 11_000_000_000])
    monotonics = iter([1_000_000, 2_000_000, 3_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(walls))
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(monotonics))
    clock = Clock(ClockSettings(0, 0, 2.0))
    given = [clock.now() for _ in range(3)]
    assert [now.utc_us for now in given] == [20_000_000, 20_000_000, 22_000_000]
    assert [now.monotonic_us for now in given] == [1_000, 2_000, 3_000]


def test_it_says_by_how_much_the_wall_clock_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    walls = iter([10_000_000_000, 9_000_000_000, 9_500_000_000, 10_000_000_001])
    monkeypatch.setattr(time, "time_ns", lambda: next(walls))
    clock = Clock(ClockSettings(0, 0, 20.0))
    behind = []
    for _ in range(4):
        clock.now()
        behind.append(clock.set_back_us)
    assert behind == [0, 1_000_000, 500_000, 0], "of the wall clock, whatever the speed"


def test_a_clock_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_clock(tmp_path / "clock.json", ClockSettings(7, 8, 1.5))
    assert read_clock(tmp_path / "clock.json").utc_at(10) == 10


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not a clock"),
        ("{}", "event_start_us"),
        ('{"event_start_us":1,"wall_start_us":1,"speed":0}', "speed 0"),
        ('{"event_start_us":1,"wall_start_us":1,"speed":-2}', "speed -2"),
        ('{"event_start_us":1,"wall_start_us":1,"speed":1e9}', "speed 1e+09"),
        ('{"event_start_us":1,"wall_start_us":1,"speed":1,"more":2}', "more"),
    ],
)
def test_what_is_no_clock_is_named(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "clock.json").write_text(text)
    with pytest.raises(UsageError, match=r"clock\.json") as caught:
        read_clock(tmp_path / "clock.json")
    assert part in str(caught.value)


def test_a_missing_clock_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read it"):
        read_clock(tmp_path / "clock.json")
