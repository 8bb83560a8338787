"""The trail: what each recipient last had of each track, from which the lane of the next report follows.

The lane of a report towards a recipient depends on what that recipient is given of it and on nothing else.
A lane chosen once for everybody would tell one nation that something changed in what it may not see.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import msgspec

from beaconfire.messages.estimate import Kinematics, LaunchEstimate
from beaconfire.messages.report import Classification, Timing
from beaconfire.messages.words import Group, Lane, Phase, Status
from beaconfire.release.content import Content
from beaconfire.release.sanitise import Earlier

TRACKS_MAX: Final = 4_096
"""Tracks remembered for each recipient; the one longest unheard of is forgotten, and next goes FLASH."""


class Stage(msgspec.Struct, frozen=True):
    """What of a track, once changed in the eyes of a recipient, makes a report FLASH."""

    phase: Phase | None
    status: Status | None
    has_launch: bool
    has_impact: bool


def stage_of(contents: dict[Group, Content]) -> Stage:
    """Return the stage of a track as somebody sees it who is given these groups."""
    state, kind = contents.get(Group.TRAJECTORY), contents.get(Group.CLASSIFICATION)
    return Stage(
        phase=state.phase if isinstance(state, Kinematics) else None,
        status=kind.status if isinstance(kind, Classification) else None,
        has_launch=contents.get(Group.LAUNCH_POINT) is not None,
        has_impact=bool(contents.get(Group.IMPACT)),
    )


class _Last(msgspec.Struct, frozen=True):
    """Of one track: the stage it was last seen in, and when the newest report of it was sealed."""

    stage: Stage
    sent_at_us: int


_COARSENED: Final = frozenset({Group.LAUNCH_POINT, Group.IMPACT, Group.TIMING})
_Given = OrderedDict[tuple[str, str], dict[Group, tuple[tuple[float, float], Content]]]
_NONE: Final[_Given] = OrderedDict()


class Trail:
    """What each recipient last had of each track; bounded for each recipient by itself."""

    def __init__(self) -> None:
        """Start without memory: a first report is FLASH."""
        self._tracks: dict[str, OrderedDict[tuple[str, str], _Last]] = {}
        self._given: dict[str, _Given] = {}

    def lane_of(self, recipient: str, track: tuple[str, str], stage: Stage, sent_at_us: int) -> Lane | None:
        """Return the lane of a report; None if it is ROUTINE and a newer one passed before.

        Args:
            recipient: party it goes to.
            track: originator and name of the track.
            stage: as that recipient sees it.
            sent_at_us: when the originator sealed it, UTC.
        """
        known = self._known(recipient, track)
        if known is None or stage != known.stage:
            return Lane.FLASH
        return None if sent_at_us < known.sent_at_us else Lane.ROUTINE

    def _known(self, recipient: str, track: tuple[str, str]) -> _Last | None:
        tracks = self._tracks.get(recipient)
        return None if tracks is None else tracks.get(track)

    def is_overtaken(self, recipient: str, track: tuple[str, str], sent_at_us: int) -> bool:
        """Return whether a recipient was given something newer of a track than what was sealed then."""
        known = self._known(recipient, track)
        return known is not None and sent_at_us < known.sent_at_us

    def passed(self, recipient: str, track: tuple[str, str], stage: Stage, sent_at_us: int) -> None:
        """Remember what a recipient is given; the arguments are those of `lane_of`."""
        tracks = self._tracks.setdefault(recipient, OrderedDict())
        known = tracks.pop(track, None)
        newest_us = sent_at_us if known is None else max(sent_at_us, known.sent_at_us)
        tracks[track] = _Last(stage, newest_us)
        if len(tracks) > TRACKS_MAX:
            tracks.popitem(last=False)

    def earlier(
        self, recipient: str, track: tuple[str, str], coarseness: Mapping[Group, tuple[float, float]]
    ) -> Earlier:
        """Return what a recipient was last given of a track's groups, each as coarse as it would be now.

        Args:
            recipient: party.
            track: originator and name of the track.
            coarseness: by group, its grid in metres and its step in seconds.
        """
        held = self._given.get(recipient, _NONE).get(track, {})
        now = {group: one for group, (coarse, one) in held.items() if coarseness.get(group) == coarse}
        launch, impact, timing = (now.get(g) for g in (Group.LAUNCH_POINT, Group.IMPACT, Group.TIMING))
        return Earlier(
            launch_point=launch if isinstance(launch, LaunchEstimate) else None,
            impact=impact if isinstance(impact, tuple) else (),
            timing=timing if isinstance(timing, Timing) else None,
        )

    def keep(
        self,
        recipient: str,
        track: tuple[str, str],
        contents: Mapping[Group, Content],
        coarseness: Mapping[Group, tuple[float, float]],
    ) -> None:
        """Remember what a recipient is given coarsened; the arguments are those of `earlier`.

        What is given whole is forgotten. What a report does not state stays remembered: taken anew after each
        of these, places would scatter about the truth.
        """
        given = self._given.setdefault(recipient, OrderedDict())
        held = dict(given.pop(track, {}))
        for group in _COARSENED & contents.keys():
            held.pop(group, None)
            if any(coarseness.get(group, (0.0, 0.0))):
                held[group] = (coarseness[group], contents[group])
        if held:
            given[track] = held
        if len(given) > TRACKS_MAX:
            given.popitem(last=False)
