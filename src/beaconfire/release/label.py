"""Label algebra: what is derived from several labelled things is labelled at least as tight as each.

Labels under one policy form a bounded semilattice: `join` is idempotent, commutative and
associative, and never loosens: level = maximum, releasable_to = intersection, restrictions = union.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Final

import msgspec

from beaconfire.messages.label import GroupLabel, Label
from beaconfire.messages.words import Group, Level, Nation

MAXIMUM_PARTIES: Final = 64
MAXIMUM_MARKS: Final = 32

RAW_ONLY_AT_HOME: Final = (
    GroupLabel(
        group=Group.RAW_MEASUREMENT,
        level=Level.SECRET,
        releasable_to=frozenset(),
        restrictions=frozenset({"ORCON"}),
    ),
)


class Rights(msgspec.Struct, frozen=True):
    """The part of a label that decides: of a message or of one group.

    Attributes:
        level: ordered sensitivity.
        releasable_to: parties that may receive it.
        restrictions: all must be honoured.
    """

    level: Level
    releasable_to: frozenset[Nation]
    restrictions: frozenset[str]

    def join(self, other: "Rights") -> "Rights":
        """Return the loosest rights that are at least as tight as both."""
        return Rights(
            level=max(self.level, other.level),
            releasable_to=self.releasable_to & other.releasable_to,
            restrictions=self.restrictions | other.restrictions,
        )

    def is_within(self, other: "Rights") -> bool:
        """Return whether these are at least as tight as the other."""
        return self.join(other) == self


def rights_of(label: Label, group: Group) -> Rights:
    """Return the rights on one group: those of the label, tightened by every override of the group."""
    base = Rights(level=label.level, releasable_to=label.releasable_to, restrictions=label.restrictions)
    return reduce(Rights.join, (_rights(one) for one in label.overrides if one.group is group), base)


def _rights(one: GroupLabel) -> Rights:
    return Rights(level=one.level, releasable_to=one.releasable_to, restrictions=one.restrictions)


def join_labels(first: Label, second: Label) -> Label:
    """Return the label of something derived from both.

    Overrides are joined group by group and kept where they still tighten. Policy, tags and
    originator stay only where both agree: a label without originator is unlabelled and withholds.
    """
    base = rights_of_message(first).join(rights_of_message(second))
    overrides = []
    for group in Group:
        rights = rights_of(first, group).join(rights_of(second, group))
        if rights != base:
            overrides.append(
                GroupLabel(
                    group=group,
                    level=rights.level,
                    releasable_to=rights.releasable_to,
                    restrictions=rights.restrictions,
                )
            )
    return Label(
        policy=first.policy if first.policy == second.policy else "",
        level=base.level,
        releasable_to=base.releasable_to,
        restrictions=base.restrictions,
        tags=first.tags & second.tags,
        originator=first.originator if first.originator == second.originator else Nation(""),
        overrides=tuple(overrides),
    )


def rights_of_message(label: Label) -> Rights:
    """Return the rights on the message as a whole, overrides aside."""
    return Rights(level=label.level, releasable_to=label.releasable_to, restrictions=label.restrictions)


def tighten(label: Label, overrides: Iterable[GroupLabel]) -> Label:
    """Return the label with overrides added, each joined with the label so that it can only tighten."""
    base = rights_of_message(label)
    added = []
    for one in overrides:
        rights = _rights(one).join(base)
        added.append(
            GroupLabel(
                group=one.group,
                level=rights.level,
                releasable_to=rights.releasable_to,
                restrictions=rights.restrictions,
            )
        )
    return msgspec.structs.replace(label, overrides=(*label.overrides, *added))


def flaw_in_label(label: Label | None, originator: str) -> str:
    """Return why a label counts as none at all, or an empty string. There is no default label."""
    if label is None:
        return "no label"
    if not label.policy:
        return "a label without a policy"
    if label.originator != originator or not originator:
        return "a label of somebody else"
    if not label.releasable_to:
        return "a label that is releasable to nobody"
    if len(label.releasable_to) > MAXIMUM_PARTIES or len(label.overrides) > len(Group):
        return "an oversize label"
    if len(label.restrictions) > MAXIMUM_MARKS or len(label.tags) > MAXIMUM_MARKS:
        return "an oversize label"
    base = rights_of_message(label)
    if not all(_rights(one).is_within(base) for one in label.overrides):
        return "an override that loosens"
    return ""


class LabellingRules(msgspec.Struct, frozen=True):
    """How one nation labels what leaves it.

    Attributes:
        policy: id of the labelling policy.
        level: of a report.
        releasable_to: the most it lets anybody have; what is in force narrows it further.
        restrictions: put on every report.
        overrides: tighter labels of groups.
    """

    policy: str
    level: Level
    releasable_to: frozenset[Nation]
    restrictions: frozenset[str] = frozenset({"ORCON"})
    overrides: tuple[GroupLabel, ...] = RAW_ONLY_AT_HOME


def label_report(rules: LabellingRules, originator: Nation, partners: Iterable[Nation]) -> Label:
    """Return the label of a nation's own report: its rules, narrowed to the partners in force."""
    base = Label(
        policy=rules.policy,
        level=rules.level,
        releasable_to=rules.releasable_to & frozenset(partners) - {originator},
        restrictions=rules.restrictions,
        tags=frozenset(),
        originator=originator,
    )
    return tighten(base, rules.overrides)
