import json
import subprocess
import sys
from pathlib import Path

import pytest

from beaconfire.adapters import warming_picture, warming_tracker
from beaconfire.adapters.warming_arc import OWN, PARTNER
from beaconfire.messages.words import Phase, Status


def test_the_made_up_arc_goes_through_every_stage_of_a_track() -> None:
    reports = [report for report, _ in warming_tracker._reports(OWN)]
    transforms = {report.provenance.transform for report in reports if report.provenance}
    assert transforms >= {"coast-batch", "boost-filter"}
    statuses = {report.classification.status for report in reports if report.classification}
    assert statuses >= {Status.TENTATIVE, Status.CONFIRMED, Status.LOST}
    phases = {report.trajectory.phase for report in reports if report.trajectory}
    assert phases >= {Phase.BOOST, Phase.COAST}


def test_the_picture_fuses_two_nations_and_makes_a_launch_point_and_an_impact_area() -> None:
    reports = [*warming_picture.reports_of(OWN), *warming_picture.reports_of(PARTNER)]
    events = list(warming_picture.events_of(sorted(reports, key=lambda one: one.stated_at_us)))
    assert any(event.launch is not None for event in events)
    assert any(event.impact for event in events)
    assert any(len(event.contributors) == 2 for event in events)


def test_a_picture_loads_no_tracker_to_start() -> None:
    """It is back sooner so; what a tracker needs of SciPy alone takes longer than the rest of its imports."""
    code = "import sys; from beaconfire.adapters.warming_picture import warm_up_picture; warm_up_picture();"
    code += "import beaconfire.nodes.picture; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "beaconfire.fusion.picture" in loaded
    assert not [one for one in loaded if one.startswith(("beaconfire.tracking", "scipy.optimize"))]


def _late(flight: str, warmed: str, ran: str) -> dict[str, list[str]]:
    """Return what is compiled in mid-flight by a process that warmed up as a role does, in a role's part."""
    script = Path(__file__).parents[2] / "late_compilation.py"
    done = subprocess.run(
        [sys.executable, str(script), flight, warmed, ran], capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("role", ["national", "picture"])
def test_nothing_is_left_to_be_compiled_in_the_middle_of_a_flight(role: str) -> None:
    assert _late("2022-10-04", role, role) == {}


@pytest.mark.parametrize(
    ("warming", "module", "seldom"),
    [
        ("warming_tracker.warm_up_tracker", "tracking.stitch", ("_reach_kernel", "_back_kernel")),
        ("warming_picture.warm_up_picture", "flight.outline", ("_rays_kernel", "_offsets_kernel")),
    ],
)
def test_what_one_flight_alone_does_not_call_is_not_left_either(
    warming: str, module: str, seldom: tuple[str, ...]
) -> None:
    """A track beside others that were lost under thrust, and an area too bent for an ellipse."""
    place, name = warming.split(".")
    code = (
        f"from beaconfire.adapters.{place} import {name}; from beaconfire.{module} import {', '.join(seldom)}"
    )
    counts = ", ".join(f"len({one}.signatures)" for one in seldom)
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; before = [{counts}]; {name}(); print(before, [{counts}])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[0, 0] [1, 1]"


def test_a_picture_that_warmed_up_like_a_tracker_is_found() -> None:
    late = _late("2017-05-29", "national", "picture")
    assert any(name.startswith("beaconfire.fusion") for name in late)
