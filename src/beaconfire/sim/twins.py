"""Twins of a story: what may be changed without the observer being entitled to notice."""

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from beaconfire.messages.estimate import Ellipse, LaunchEstimate
from beaconfire.messages.report import Report, SensorUse, Timing
from beaconfire.messages.words import Group, Nation
from beaconfire.sim.chance import Chance
from beaconfire.sim.pacts import IMPACT_GRID_KM, LAUNCH_GRID_KM, NOTHING, View, draw_pact, is_boost_over
from beaconfire.sim.story import (
    GROUPS_DRAWN,
    NATIONS,
    SLOTS,
    Said,
    Story,
    Word,
    draw_report,
    drawn,
    is_hidden,
)
from beaconfire.units import EARTH_MEAN_RADIUS_M

CHANGES_MAX: Final = 4


class Twin(msgspec.Struct, frozen=True):
    """A story that its observer must not be able to tell from another.

    Attributes:
        story: the changed one.
        changes: what was changed, in words.
        veiled: something withheld within a report that passes was changed, so that the salted digests
            of it differ, and signatures and hashes over them: only those may.
    """

    story: Story
    changes: tuple[str, ...]
    veiled: bool


def draw_twin(story: Story, seed: int) -> Twin:
    """Return a twin of a story; a change that finds nothing to work on changes nothing."""
    chance = Chance(seed, "twin")
    changed, done, veiled = story, [], False
    for _ in range(1 + chance.between(0, CHANGES_MAX - 1)):
        name, change = _CHANGES[chance.between(0, len(_CHANGES) - 1)]
        after = change(changed, chance)
        if after is not changed:
            done.append(name)
            veiled = veiled or name in _VEILED
            changed = after
    return Twin(changed, tuple(done), veiled)


def _pick(story: Story, chance: Chance, wanted: Callable[[Said], bool]) -> int | None:
    places = [place for place, one in enumerate(story.said) if wanted(one)]
    return places[chance.between(0, len(places) - 1)] if places else None


def _with_said(story: Story, said: list[Said]) -> Story:
    return msgspec.structs.replace(story, said=tuple(sorted(said, key=lambda one: one.at_us)))


def _free_slots(taken: Sequence[Said | Word]) -> list[int]:
    """Return the slots in which none of these is; a word and a report of one slot could pass each other."""
    return [slot for slot in range(SLOTS) if all(slot != one.slot for one in taken)]


def _more(story: Story, chance: Chance) -> Story:
    """Say one thing more that the observer may not have."""
    free = _free_slots([*story.words])
    if not free:
        return story
    slot = free[chance.between(0, len(free) - 1)]
    others = [nation for nation in NATIONS if nation != story.observer]
    new = Said(slot, draw_report(slot, others[chance.between(0, 1)], chance))
    return _with_said(story, [*story.said, new]) if is_hidden(story, new) else story


def _less(story: Story, chance: Chance) -> Story:
    """Leave one thing out that the observer may not have."""
    place = _pick(story, chance, lambda one: is_hidden(story, one))
    if place is None:
        return story
    return _with_said(story, [one for index, one in enumerate(story.said) if index != place])


def _other(story: Story, chance: Chance) -> Story:
    """Say something else instead of one thing that the observer may not have."""
    place = _pick(story, chance, lambda one: is_hidden(story, one))
    if place is None:
        return story
    old = story.said[place]
    report = draw_report(old.slot, old.report.originator, chance, age_us=old.age_us)
    new = msgspec.structs.replace(old, report=report)
    rest = [one for index, one in enumerate(story.said) if index != place]
    return _with_said(story, [*rest, new]) if is_hidden(story, new) else story


def _withheld(story: Story, chance: Chance) -> Story:
    """Change, add or take out a group that the observer may not have of a report that it gets.

    A report whose phase contradicts its own burnout is stated in boost by its guard, whoever sees which of
    the two; so a change that makes or mends a contradiction is none of these.
    """
    place = _pick(story, chance, lambda one: _passes(story, one))
    if place is None:
        return story
    old = story.said[place]
    before = story.view(old)
    group = GROUPS_DRAWN[chance.between(0, len(GROUPS_DRAWN) - 1)]
    value = drawn(group, old.report, chance) if chance.happens(0.7) else None
    new = msgspec.structs.replace(old, report=msgspec.structs.replace(old.report, **{group.value: value}))
    if is_boost_over(new.report) != is_boost_over(old.report):
        return story
    if group in before.groups or story.view(new) != before:
        return story
    return _replaced(story, place, new)


def _within_the_cell(story: Story, chance: Chance) -> Story:
    """Change what the observer gets coarsened only, so little that the coarse value stays."""
    place = _pick(story, chance, lambda one: bool(_movable(story.view(one))))
    if place is None:
        return story
    old = story.said[place]
    view = story.view(old)
    groups = _movable(view)
    group = groups[chance.between(0, len(groups) - 1)]
    report = _MOVED[group](old.report, view, chance)
    if report == old.report or is_boost_over(report) != is_boost_over(old.report):
        return story
    return _replaced(story, place, msgspec.structs.replace(old, report=report))


def _movable(view: View) -> list[Group]:
    rounded = {Group.TIMING: view.rounded_s, Group.LAUNCH_POINT: view.launch_rounded_s}
    coarse = view.coarse | {group for group, step_s in rounded.items() if step_s}
    return [group for group in sorted(coarse) if group in _MOVED]


def _passes(story: Story, said: Said) -> bool:
    return said.report.originator != story.observer and story.view(said) != NOTHING


def _replaced(story: Story, place: int, new: Said) -> Story:
    return _with_said(story, [new if index == place else one for index, one in enumerate(story.said)])


def _moved_launch(report: Report, view: View, chance: Chance) -> Report:
    """Move a launch point within its cell, its time within what rounds to the same."""
    launch = report.launch_point
    if not isinstance(launch, LaunchEstimate):
        return report
    area, time_us, sigma_s = launch.area, launch.time_us, launch.sigma_time_s
    if Group.LAUNCH_POINT in view.coarse:
        area = _moved_area(area, LAUNCH_GRID_KM, chance)
    if view.launch_rounded_s:
        time_us = _moved_time(time_us, view.launch_rounded_s, chance)
        sigma_s = _less_within_a_tenth(sigma_s, view.launch_rounded_s, chance)
    return msgspec.structs.replace(report, launch_point=LaunchEstimate(time_us, sigma_s, area))


def _moved_impact(report: Report, view: View, chance: Chance) -> Report:
    """Move areas of impact within their cells."""
    del view
    if not report.impact:
        return report
    impact = tuple(
        msgspec.structs.replace(one, area=_moved_area(one.area, IMPACT_GRID_KM, chance))
        for one in report.impact
    )
    return msgspec.structs.replace(report, impact=impact)


def _moved_area(area: Ellipse, grid_km: int, chance: Chance) -> Ellipse:
    """Return an area elsewhere in its cell and somewhat smaller, or as it was where that is another cell."""
    size_rad = 1_000.0 * grid_km / EARTH_MEAN_RADIUS_M
    major_m, minor_m = (
        _less_within_a_tenth(axis_m, 1_000.0 * grid_km, chance)
        for axis_m in (area.semi_major_m, area.semi_minor_m)
    )
    moved = msgspec.structs.replace(
        area,
        latitude_rad=area.latitude_rad + (chance.fraction() - 0.5) * size_rad,
        longitude_rad=area.longitude_rad + (chance.fraction() - 0.5) * size_rad,
        semi_major_m=max(major_m, minor_m),
        semi_minor_m=min(major_m, minor_m),
    )
    return moved if _cell(moved, size_rad) == _cell(area, size_rad) else area


def _cell(area: Ellipse, size_rad: float) -> tuple[int, int]:
    """Return row and column of the cell of a place, by the rule in docs/audit.md and no code of `release`."""
    row = math.floor(area.latitude_rad / size_rad)
    columns = math.floor(2.0 * math.pi * math.cos((row + 0.5) * size_rad) / size_rad)
    return row, math.floor(area.longitude_rad / (2.0 * math.pi) * columns)


def _less_within_a_tenth(value: float, step: float, chance: Chance) -> float:
    """Return a value that is rounded up to the same tenth of a step, none of them on it."""
    tenth = step / 10.0
    return tenth * (math.ceil(value / tenth) - 0.98 * chance.fraction() - 0.01)


def _moved_time(time_us: int, step_s: int, chance: Chance) -> int:
    """Return a time that is rounded to the same, halves up."""
    step_us = 1_000_000 * step_s
    floor_us = (time_us + step_us // 2) // step_us * step_us - step_us // 2
    return floor_us + chance.between(0, step_us - 1)


def _more_detections(report: Report, view: View, chance: Chance) -> Report:
    """Count more detections, but not so many more that the power of two below changes."""
    use = report.sensor
    if not isinstance(use, SensorUse):
        return report
    del view, chance
    most = (1 << use.detections.bit_length()) - 1
    return msgspec.structs.replace(report, sensor=msgspec.structs.replace(use, detections=most))


def _moved_timing(report: Report, view: View, chance: Chance) -> Report:
    """Have one of the times elsewhere within what is rounded to the same."""
    timing = report.timing
    if not isinstance(timing, Timing):
        return report
    stated = [name for name in timing.__struct_fields__ if getattr(timing, name) is not None]
    name = stated[chance.between(0, len(stated) - 1)]
    moved_us = _moved_time(getattr(timing, name), view.rounded_s, chance)
    return msgspec.structs.replace(report, timing=msgspec.structs.replace(timing, **{name: moved_us}))


_MOVED: Final[dict[Group, Callable[[Report, View, Chance], Report]]] = {
    Group.TIMING: _moved_timing,
    Group.LAUNCH_POINT: _moved_launch,
    Group.IMPACT: _moved_impact,
    Group.SENSOR: _more_detections,
}


def _suspension(story: Story, chance: Chance) -> Story:
    """Suspend or resume an arrangement that the observer is no party to."""
    foreign = [pact for pact in story.pacts if story.observer not in pact.parties]
    if not foreign:
        return story
    pact = foreign[chance.between(0, len(foreign) - 1)]
    party = pact.parties[chance.between(0, len(pact.parties) - 1)]
    free = _free_slots([*story.said, *story.words])
    if not free:
        return story
    word = Word(free[chance.between(0, len(free) - 1)], party, pact.name, suspended=chance.happens(0.7))
    words: list[Word] = sorted((*story.words, word), key=_slot)
    return msgspec.structs.replace(story, words=tuple(words))


def _slot(word: Word) -> int:
    return word.slot


def _policies(story: Story, chance: Chance) -> Story:
    """Agree otherwise between nations of which the observer is none."""
    places = [place for place, pact in enumerate(story.pacts) if story.observer not in pact.parties]
    if not places:
        return story
    place = places[chance.between(0, len(places) - 1)]
    old = story.pacts[place]
    new = draw_pact(old.name, old.parties, Chance(chance.between(0, 3), f"pact {old.name}"))
    pacts = (*story.pacts[:place], new, *story.pacts[place + 1 :])
    return msgspec.structs.replace(story, pacts=pacts)


def _silence(story: Story, chance: Chance) -> Story:
    """Have the picture of another nation receipt nothing, or receipt again."""
    others: list[Nation] = [nation for nation in NATIONS if nation != story.observer]
    one = others[chance.between(0, 1)]
    return msgspec.structs.replace(story, mute=story.mute ^ {one})


_CHANGES: Final[tuple[tuple[str, Callable[[Story, Chance], Story]], ...]] = (
    ("said more", _more),
    ("said more", _more),
    ("said less", _less),
    ("said otherwise", _other),
    ("changed a withheld group", _withheld),
    ("changed a withheld group", _withheld),
    ("moved within the cell", _within_the_cell),
    ("suspended elsewhere", _suspension),
    ("agreed otherwise elsewhere", _policies),
    ("silenced a picture", _silence),
)
_VEILED: Final = frozenset(
    {"changed a withheld group", "moved within the cell", "suspended elsewhere", "agreed otherwise elsewhere"}
)
