from beaconfire.adapters import warming
from beaconfire.messages.words import Phase, Status


def test_the_made_up_arc_goes_through_every_stage_of_a_track() -> None:
    reports = [report for report, _ in warming._reports()]
    transforms = {report.provenance.transform for report in reports if report.provenance}
    assert transforms >= {"coast-batch", "boost-filter"}
    statuses = {report.classification.status for report in reports if report.classification}
    assert statuses >= {Status.TENTATIVE, Status.CONFIRMED, Status.LOST}
    phases = {report.trajectory.phase for report in reports if report.trajectory}
    assert phases >= {Phase.BOOST, Phase.COAST}


def test_the_picture_makes_a_launch_point_and_an_impact_area_of_it() -> None:
    events = list(warming._events(list(warming._reports())[::5]))
    assert any(event.launch is not None for event in events)
    assert any(event.impact for event in events)
