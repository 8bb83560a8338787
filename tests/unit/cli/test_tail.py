"""Following a display from a terminal: real sockets, and names that are text."""

import json
from pathlib import Path

import pytest

from beaconfire.alerting.life import WarningLife
from beaconfire.alerting.texts import LANGUAGES
from beaconfire.cli import main as cli
from beaconfire.cli.tail import Follower, address_of, styled
from beaconfire.errors import UsageError
from beaconfire.nodes.display import DisplayFacts
from browser.flight import JPN, PLACES, SENSORS, Flight, event, health
from browser.served import EventClock, Served

LAUNCH_US = 1_664_835_700_000_000


@pytest.mark.real
def test_it_follows_a_display(capsys: pytest.CaptureFixture[str]) -> None:
    with Served(JPN, DisplayFacts(PLACES, SENSORS), EventClock(LAUNCH_US + 200_000_000, 1.0)) as served:
        served.feed(event(Flight(LAUNCH_US), 199.0, 1), health("guard/JPN", LAUNCH_US))
        assert cli.main(["tail", served.server.url, "--frames", "2", "--json"]) == 0
        (line,) = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
        assert (line["what"], line["mode"], line["first_place"]["place"]) == (
            "event",
            "SIMULATED",
            "Aomori area",
        )
        assert cli.main(["tail", served.server.url, "--frames", "1"]) == 0
        told = capsys.readouterr().out
        assert "SIMULATED E-5C1D09AF rev 1, ▲ confirmed, seen by KOR+USA+JPN" in told


@pytest.mark.real
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_warning_is_read_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], language: str
) -> None:
    seen = event(Flight(LAUNCH_US), 199.0, 1)
    warning = WarningLife(JPN, [place.name for place in PLACES]).take(seen, "w", seen.as_of_us)
    assert warning is not None
    with Served(JPN, DisplayFacts(PLACES, SENSORS), EventClock(LAUNCH_US + 200_000_000, 1.0)) as served:
        served.feed(seen, warning)
        assert cli.main(["tail", served.server.url, "--frames", "1", "--language", language]) == 0
    assert warning.texts[language] in capsys.readouterr().out


def test_nobody_there_is_one_clear_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["tail", "http://127.0.0.1:9/"]) == 2
    assert "no display at ws://127.0.0.1:9/ws" in capsys.readouterr().err
    assert cli.main(["tail", str(tmp_path)]) == 2
    with pytest.raises(UsageError, match="no installation"):
        address_of(str(tmp_path), "JPN")


def test_each_thing_is_said_once() -> None:
    follower = Follower()
    notice = {"at_us": 1, "code": "x", "severity": "fault", "text": "[bold]no", "source": "hub"}
    frame = {"clock": {"utc_us": 5}, "events": [], "notices": [notice], "mode": "EXERCISE"}
    (line,) = follower.take(frame)
    assert follower.take(frame) == []
    assert styled(line).plain == "00:00:00 EXERCISE fault: [bold]no (hub)"
    (gone,) = follower.take({"clock": {"utc_us": 5}, "events": [], "gone": ["e1"]})
    assert styled(gone).plain == "00:00:00 EXERCISE e1 ✕ withdrawn"


def test_revisions_that_count_from_one_again_are_news() -> None:
    follower = Follower()
    warning = {"action": "issue", "alone": False, "issued_at_us": 2, "text": "w", "texts": {}}
    event = {
        "as_of_us": 1,
        "mode": "EXERCISE",
        "event_id": "e1",
        "status": "CONFIRMED",
        "contributors": ["JPN"],
        "places": [],
        "impact": [],
    }

    def lines(revision: int, warned: int) -> list[tuple[str, int]]:
        shown = event | {"revision": revision, "warning": warning | {"revision": warned}}
        frame = {"clock": {"utc_us": 5}, "events": [shown], "mode": "EXERCISE"}
        return [(line["what"], line["revision"]) for line in follower.take(frame)]

    assert lines(300, 7) == [("event", 300), ("warning", 7)]
    assert lines(300, 7) == []
    assert lines(1, 7) == [("event", 1)]
    assert lines(1, 1) == [("warning", 1)]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "HUB-1: gone"), ("ja", "受信のないハブ:HUB-1"), ("ko", "무응답 허브: HUB-1")],
)
def test_a_notice_is_read_in_the_language_asked_for(language: str, said: str) -> None:
    notice = {
        "at_us": 1,
        "code": "hub-instance-down",
        "severity": "caution",
        "text": "HUB-1: gone",
        "source": "picture/JPN",
        "arguments": {"hub": "HUB-1"},
    }
    frame = {"clock": {"utc_us": 5}, "events": [], "notices": [notice], "mode": "EXERCISE"}
    (line,) = Follower(language).take(frame)
    assert said in styled(line).plain
    assert line["arguments"] == {"hub": "HUB-1"}
