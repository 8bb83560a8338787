"""What a screen shows, as frozen values: events with ages and milestones, health, notices, and facts."""

import msgspec

from beaconfire.messages.event import Acknowledgement, Event, Place, Warning
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Mode, Nation, Sharing, TimeUs


class Milestones(msgspec.Struct, frozen=True):
    """When one picture could first hold three things of an event, None if it never could.

    Attributes:
        first_detection_us: `as_of_us` of the first revision.
        confirmed_us: of the first confirmed one.
        area_100km_us: of the first whose 95 % impact area has a semi-major axis under 100 km.
    """

    first_detection_us: TimeUs | None = None
    confirmed_us: TimeUs | None = None
    area_100km_us: TimeUs | None = None


class ShownEvent(msgspec.Struct, frozen=True):
    """One event as the screen shows it.

    Attributes:
        event: newest revision of the picture the nation acts on.
        age_s: wall seconds since that revision came.
        revisions: how many are held.
        milestones: of the picture under each sharing, from the shadow events; None where there is none.
        warning: the newest warning about it, or None.
        acknowledged: the newest acknowledgement of it, or None.
        own_report_ids: own reports that it has rested on: the first, then the newest; bounded.
        fused_at_us: `as_of_us` of the first revision that rests on two nations, None if none does.
    """

    event: Event
    age_s: float
    revisions: int
    milestones: dict[Sharing, Milestones]
    warning: Warning | None
    acknowledged: Acknowledgement | None = None
    own_report_ids: tuple[str, ...] = ()
    fused_at_us: TimeUs | None = None


class ShownHealth(msgspec.Struct, frozen=True):
    """What one node last said of itself.

    Attributes:
        health: its word.
        age_s: wall seconds since it came.
        behind_us: the event clock here when it came minus what the node's showed when it said so: the way
            and the offset of its clock.
    """

    health: Health
    age_s: float
    behind_us: int = 0


class ArrangementLine(msgspec.Struct, frozen=True):
    """One arrangement held, as the screen lists it.

    Attributes:
        arrangement: id.
        version: counts from 1.
        parties: nations.
        digest: of the signed bundle.
        valid_from_us: not before this.
        valid_until_us: not after this.
        suspended: True while a party has it suspended or has withdrawn from it.
        suspended_by: those parties, as the nodes that release under it last said.
        silent: parties, or HUB, whose silence has ended their lease.
    """

    arrangement: str
    version: int
    parties: tuple[Nation, ...]
    digest: str
    valid_from_us: TimeUs
    valid_until_us: TimeUs
    suspended: bool = False
    suspended_by: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


class DisplaySnapshot(msgspec.Struct, frozen=True):
    """All that one nation's screen shows at one moment.

    Attributes:
        nation: whose screen.
        mode: what all of it is about.
        sequence: of the newest change in it.
        utc_us: the moment, event clock.
        places: own named areas.
        events: newest first seen last; withdrawn ones are not there.
        health: by source.
        notices: oldest first.
        rejected: messages refused so far, by code.
        arrangements: as they stand.
    """

    nation: Nation
    mode: Mode
    sequence: int
    utc_us: TimeUs
    places: tuple[Place, ...]
    events: tuple[ShownEvent, ...]
    health: tuple[ShownHealth, ...]
    notices: tuple[Notice, ...]
    rejected: dict[str, int]
    arrangements: tuple[ArrangementLine, ...] = ()


class Changes(msgspec.Struct, frozen=True):
    """What changed after a sequence number.

    Attributes:
        sequence: of the newest change.
        event_ids: each once, in order of the first change.
        others: health or notices changed too.
    """

    sequence: int
    event_ids: tuple[str, ...]
    others: bool


class DisplayFacts(msgspec.Struct, frozen=True):
    """What a display knows from its configuration, all of its own nation.

    Attributes:
        places: own named areas.
        sensors: own sensors.
        arrangements: held when the display started.
        mode: the only mode it shows.
        in_force: which sharing the main picture rests on (the shadow pictures name their own).
    """

    places: tuple[Place, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    arrangements: tuple[ArrangementLine, ...] = ()
    mode: Mode = Mode.SIMULATED
    in_force: Sharing = Sharing.TRILATERAL
