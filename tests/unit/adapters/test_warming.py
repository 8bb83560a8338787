import json
import subprocess
import sys
from pathlib import Path

from beaconfire.adapters import warming
from beaconfire.messages.words import Nation, Phase, Status

OWN, PARTNER = Nation("XXA"), Nation("XXB")


def test_the_made_up_arc_goes_through_every_stage_of_a_track() -> None:
    reports = [report for report, _ in warming._reports(OWN)]
    transforms = {report.provenance.transform for report in reports if report.provenance}
    assert transforms >= {"coast-batch", "boost-filter"}
    statuses = {report.classification.status for report in reports if report.classification}
    assert statuses >= {Status.TENTATIVE, Status.CONFIRMED, Status.LOST}
    phases = {report.trajectory.phase for report in reports if report.trajectory}
    assert phases >= {Phase.BOOST, Phase.COAST}


def test_the_picture_fuses_two_nations_and_makes_a_launch_point_and_an_impact_area() -> None:
    reports = [*list(warming._reports(OWN))[::5], *list(warming._reports(PARTNER))[::5]]
    events = list(warming._events(reports))
    assert any(event.launch is not None for event in events)
    assert any(event.impact for event in events)
    assert any(len(event.contributors) == 2 for event in events)


def _late(flight: str, role: str) -> dict[str, list[str]]:
    """Return what is compiled in mid-flight by a process that warmed up as a role does."""
    script = Path(__file__).parents[2] / "late_compilation.py"
    done = subprocess.run(
        [sys.executable, str(script), flight, role], capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_nothing_is_left_to_be_compiled_in_the_middle_of_a_flight() -> None:
    assert _late("2022-10-04", "picture") == {}


def test_a_picture_that_warmed_up_like_a_tracker_is_found() -> None:
    late = _late("2017-05-29", "national")
    assert any(name.startswith("beaconfire.fusion") for name in late)
