from beaconfire.messages.words import Group, Lane, Phase
from beaconfire.release.content import content_of
from beaconfire.release.trail import TRACKS_MAX, Stage, Trail, stage_of
from release_world import JPN, KOR, USA, report

FIRST = Stage(phase=None, status=None, has_launch=False, has_impact=False)
LAUNCHED = Stage(phase=None, status=None, has_launch=True, has_impact=False)
TRACK = (KOR, "KOR-7F3A")


def test_first_report_and_every_change_of_the_stage_are_flash() -> None:
    trail = Trail()
    stages = [FIRST, FIRST, LAUNCHED, LAUNCHED]
    lanes = [trail.lane_of(JPN, TRACK, stage, at_us) for at_us, stage in enumerate(stages, start=1)]
    assert lanes == [Lane.FLASH, Lane.ROUTINE, Lane.FLASH, Lane.ROUTINE]


def test_older_report_passes_only_if_it_changes_the_stage() -> None:
    trail = Trail()
    trail.lane_of(JPN, TRACK, FIRST, 5)
    assert trail.lane_of(JPN, TRACK, FIRST, 4) is None
    assert trail.lane_of(JPN, TRACK, LAUNCHED, 3) is Lane.FLASH
    assert trail.lane_of(JPN, TRACK, LAUNCHED, 5) is Lane.ROUTINE


def test_what_one_recipient_had_is_nothing_to_another() -> None:
    trail = Trail()
    for number in range(TRACKS_MAX + 1):
        trail.lane_of(USA, (KOR, f"{number}"), FIRST, 1)
    trail.lane_of(JPN, TRACK, FIRST, 1)
    assert trail.lane_of(USA, TRACK, FIRST, 1) is Lane.FLASH
    assert trail.lane_of(USA, (KOR, "0"), FIRST, 1) is Lane.FLASH, "the oldest is forgotten"
    assert trail.lane_of(JPN, TRACK, FIRST, 2) is Lane.ROUTINE


def test_stage_holds_what_is_given_and_nothing_else() -> None:
    whole = report(phase=Phase.COAST)
    stage = stage_of({group: content_of(whole, group) for group in Group})
    assert (stage.phase, stage.has_launch, stage.has_impact) == (Phase.COAST, True, True)
    assert stage_of({Group.TIMING: whole.timing}) == FIRST
