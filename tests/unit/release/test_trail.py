from beaconfire.messages.words import Group, Lane, Phase
from beaconfire.release.content import content_of
from beaconfire.release.sanitise import FIRST as FIRST_GIVEN
from beaconfire.release.trail import TRACKS_MAX, Stage, Trail, stage_of
from release_world import JPN, KOR, USA, report

FIRST = Stage(phase=None, status=None, has_launch=False, has_impact=False)
LAUNCHED = Stage(phase=None, status=None, has_launch=True, has_impact=False)
TRACK = (KOR, "KOR-7F3A")


def lane(trail: Trail, recipient: str, track: tuple[str, str], stage: Stage, at_us: int) -> Lane | None:
    """Return the lane of a report that passes, which the trail remembers."""
    found = trail.lane_of(recipient, track, stage, at_us)
    if found is not None:
        trail.passed(recipient, track, stage, at_us)
    return found


def test_first_report_and_every_change_of_the_stage_are_flash() -> None:
    trail = Trail()
    stages = [FIRST, FIRST, LAUNCHED, LAUNCHED]
    lanes = [lane(trail, JPN, TRACK, stage, at_us) for at_us, stage in enumerate(stages, start=1)]
    assert lanes == [Lane.FLASH, Lane.ROUTINE, Lane.FLASH, Lane.ROUTINE]


def test_older_report_passes_only_if_it_changes_the_stage() -> None:
    trail = Trail()
    lane(trail, JPN, TRACK, FIRST, 5)
    assert lane(trail, JPN, TRACK, FIRST, 4) is None
    assert lane(trail, JPN, TRACK, LAUNCHED, 3) is Lane.FLASH
    assert lane(trail, JPN, TRACK, LAUNCHED, 5) is Lane.ROUTINE


def test_what_one_recipient_had_is_nothing_to_another() -> None:
    trail = Trail()
    for number in range(TRACKS_MAX + 1):
        lane(trail, USA, (KOR, f"{number}"), FIRST, 1)
    lane(trail, JPN, TRACK, FIRST, 1)
    assert lane(trail, USA, TRACK, FIRST, 1) is Lane.FLASH
    assert lane(trail, USA, (KOR, "0"), FIRST, 1) is Lane.FLASH, "the oldest is forgotten"
    assert lane(trail, JPN, TRACK, FIRST, 2) is Lane.ROUTINE


def test_asking_for_the_lane_remembers_nothing() -> None:
    trail = Trail()
    assert [trail.lane_of(JPN, TRACK, FIRST, at_us) for at_us in (1, 2)] == [Lane.FLASH, Lane.FLASH]


def test_what_waits_is_overtaken_by_anything_newer_that_passed() -> None:
    trail = Trail()
    assert not trail.is_overtaken(JPN, TRACK, 1)
    trail.passed(JPN, TRACK, LAUNCHED, 2)
    assert trail.is_overtaken(JPN, TRACK, 1)
    assert not trail.is_overtaken(JPN, TRACK, 2)
    assert not trail.is_overtaken(USA, TRACK, 1)


def test_the_centre_of_a_launch_point_outlasts_reports_without_one() -> None:
    """Taken anew after each, centres would scatter about an edge, and their mean tell the place."""
    trail, given = Trail(), {Group.LAUNCH_POINT: report().launch_point}
    coarse, whole = {Group.LAUNCH_POINT: (10_000.0, 0.0)}, {Group.LAUNCH_POINT: (0.0, 0.0)}
    trail.keep(JPN, TRACK, given, coarse)
    assert trail.earlier(JPN, TRACK, coarse).launch_point == report().launch_point
    trail.keep(JPN, TRACK, {Group.TIMING: report().timing}, coarse)
    assert trail.earlier(JPN, TRACK, coarse).launch_point == report().launch_point
    assert trail.earlier(USA, TRACK, coarse) == FIRST_GIVEN
    assert trail.earlier(JPN, TRACK, {Group.LAUNCH_POINT: (5_000.0, 0.0)}) == FIRST_GIVEN
    trail.keep(JPN, TRACK, given, whole)
    assert trail.earlier(JPN, TRACK, coarse) == FIRST_GIVEN, "it was given whole"


def test_stage_holds_what_is_given_and_nothing_else() -> None:
    whole = report(phase=Phase.COAST)
    stage = stage_of({group: content_of(whole, group) for group in Group})
    assert (stage.phase, stage.has_launch, stage.has_impact) == (Phase.COAST, True, True)
    assert stage_of({Group.TIMING: whole.timing}) == FIRST
