import msgspec
import pytest

from beaconfire.alerting.life import CLEAR_COUNT, REFRESH_PERIOD_US, UPDATE_PERIOD_US, WarningLife
from beaconfire.messages.estimate import Ellipse, ImpactEstimate
from beaconfire.messages.event import Event, PlaceTime, Warning
from beaconfire.messages.words import Mode, PlaceKind, Sharing, Status
from picture_world import JPN, KOR, T0_US

OVER_AOMORI = PlaceTime("Aomori", PlaceKind.OVERFLIGHT, T0_US + 300_000_000, 0.9)
ON_SEOUL = PlaceTime("Seoul", PlaceKind.IMPACT, T0_US + 300_000_000, 0.4)


def event(
    revision: int = 1,
    *,
    status: Status = Status.CONFIRMED,
    places: tuple[PlaceTime, ...] = (OVER_AOMORI,),
    major_m: float = 50_000.0,
) -> Event:
    area = Ellipse(0.7, 2.6, major_m, 5_000.0, 0.3, 0.95)
    return Event(
        nation=JPN,
        event_id="e1",
        revision=revision,
        as_of_us=T0_US,
        observed_at_us=T0_US,
        mode=Mode.SIMULATED,
        status=status,
        sharing=None,
        contributors=(JPN, KOR),
        references=("JPN-1", "KOR-1"),
        contributions=(),
        manoeuvring=False,
        thrust_possible=False,
        raid_id=None,
        apogee_m=None,
        launch=None,
        state=None,
        covariance=(),
        impact=(ImpactEstimate(1.0, T0_US + 600_000_000, 5.0, area),),
        places=places,
    )


@pytest.fixture
def life() -> WarningLife:
    return WarningLife(JPN, ["Aomori", "Sapporo"])


def issued(life: WarningLife) -> Warning:
    warning = life.take(event(), "w1", T0_US)
    assert warning is not None
    return warning


def test_a_confirmed_event_that_concerns_an_own_place_is_warned_of_at_once(life: WarningLife) -> None:
    warning = issued(life)
    assert (warning.action, warning.revision, warning.warning_id) == ("issue", 1, "w1")
    assert warning.places == (OVER_AOMORI,)
    assert "Aomori" in warning.text
    assert not warning.alone


@pytest.mark.parametrize(
    "other",
    [
        event(status=Status.TENTATIVE),
        event(places=()),
        event(places=(ON_SEOUL,)),
        event(status=Status.ENDED),
        event(status=Status.WITHDRAWN),
        msgspec.structs.replace(event(), sharing=Sharing.ALONE),
        msgspec.structs.replace(event(), nation=KOR),
    ],
    ids=["tentative", "nowhere", "foreign place", "ended", "withdrawn", "shadow", "foreign picture"],
)
def test_nothing_else_is_warned_of(life: WarningLife, other: Event) -> None:
    assert life.take(other, "w1", T0_US) is None
    assert life.open_count == 0


def test_updates_are_bounded_in_rate_and_the_newest_waits(life: WarningLife) -> None:
    issued(life)
    sooner = msgspec.structs.replace(OVER_AOMORI, earliest_us=T0_US + 250_000_000)
    latest = msgspec.structs.replace(OVER_AOMORI, earliest_us=T0_US + 240_000_000)
    assert life.take(event(2, places=(sooner,)), "-", T0_US + 100_000) is None
    assert life.take(event(3, places=(latest,)), "-", T0_US + 200_000) is None
    assert life.due(T0_US + UPDATE_PERIOD_US - 1) == []
    (update,) = life.due(T0_US + UPDATE_PERIOD_US)
    assert (update.action, update.revision, update.warning_id) == ("update", 2, "w1")
    assert update.places == (latest,)
    assert life.due(T0_US + 2 * REFRESH_PERIOD_US) == []


def test_a_change_too_small_to_act_by_waits_longer(life: WarningLife) -> None:
    issued(life)
    near = msgspec.structs.replace(OVER_AOMORI, earliest_us=OVER_AOMORI.earliest_us + 500_000)
    assert life.take(event(2, places=(near,)), "-", T0_US + UPDATE_PERIOD_US) is None
    (update,) = life.due(T0_US + REFRESH_PERIOD_US)
    assert update.places == (near,)


def test_loss_of_the_track_and_of_the_link_are_said(life: WarningLife) -> None:
    issued(life)
    lost = life.take(event(2, status=Status.LOST), "-", T0_US + UPDATE_PERIOD_US)
    assert lost is not None
    assert "out of sight" in lost.text
    life.alone = True
    (alone,) = life.due(T0_US + 2 * UPDATE_PERIOD_US)
    assert alone.alone
    assert "own sensors only" in alone.text


@pytest.mark.parametrize(
    ("status", "words"), [(Status.WITHDRAWN, "no object"), (Status.ENDED, "down by now")]
)
def test_withdrawn_and_ended_events_cancel_at_once(life: WarningLife, status: Status, words: str) -> None:
    issued(life)
    cancel = life.take(event(2, status=status), "-", T0_US + 1_000)
    assert cancel is not None
    assert (cancel.action, cancel.revision, cancel.warning_id) == ("cancel", 2, "w1")
    assert words in cancel.text
    assert life.open_count == 0
    assert life.take(event(3, status=status), "-", T0_US + 2_000) is None


def test_a_place_must_be_clear_for_some_revisions_before_the_warning_goes(life: WarningLife) -> None:
    issued(life)
    found = [life.take(event(2 + i, places=()), "-", T0_US + i) for i in range(CLEAR_COUNT)]
    assert found[:-1] == [None] * (CLEAR_COUNT - 1)
    assert found[-1] is not None
    assert found[-1].action == "cancel"
    again = life.take(event(9), "w2", T0_US + 100)
    assert again is not None
    assert (again.action, again.warning_id, again.revision) == ("issue", "w1", 3)


def test_what_was_kept_goes_on(life: WarningLife) -> None:
    issued(life)
    kept = life.standing("e1")
    assert kept is not None
    other = WarningLife(JPN, ["Aomori"])
    other.restore([kept])
    assert other.take(event(2), "w9", T0_US + 1) is None
    cancel = other.take(event(3, status=Status.WITHDRAWN), "w9", T0_US + 2)
    assert cancel is not None
    assert cancel.warning_id == "w1"
