"""Who is entitled to what: a plain reading of the arrangements and of each nation's labelling rules.

This is the oracle that the invariants hold the guards and the hub against. It shares no code with
`release`: it reads the lists of flows and the rules that each nation was configured with, and never looks
at a label that travelled, so that a guard that labels wrongly is found too.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from beaconfire.messages.words import Group, Nation, TimeUs
from beaconfire.release.arrangements import Agreement
from beaconfire.release.label import LabellingRules

Right = Literal["no", "coarse", "whole"]


class Terms(msgspec.Struct, frozen=True):
    """What was agreed and configured.

    Attributes:
        agreements: in force within their validity while no party has them suspended.
        rules: how each nation is to label what leaves it.
    """

    agreements: tuple[Agreement, ...]
    rules: Mapping[Nation, LabellingRules]


class Entitlement:
    """Answers what a party may have, as suspensions come and go."""

    def __init__(self, terms: Terms) -> None:
        """Start with nothing suspended."""
        self._terms = terms
        self._suspended: dict[tuple[str, str], tuple[int, bool]] = {}

    def suspend(self, party: str, arrangement: str, *, number: int, suspended: bool) -> None:
        """Take a party's word; an older one than the last is void."""
        known = self._suspended.get((party, arrangement), (-1, False))
        if number > known[0]:
            self._suspended[party, arrangement] = (number, suspended)

    def _is_suspended(self, arrangement: str) -> bool:
        return any(word for (_, name), (_, word) in self._suspended.items() if name == arrangement)

    def _by_rules(self, originator: Nation, recipient: Nation, group: Group) -> bool:
        rules = self._terms.rules.get(originator)
        if rules is None or recipient not in rules.releasable_to:
            return False
        tighter = [one for one in rules.overrides if one.group is group]
        return all(recipient in one.releasable_to for one in tighter)

    def right(self, originator: Nation, recipient: Nation, group: Group, at_us: TimeUs) -> Right:
        """Return whether a recipient may have a group at a time: not, only coarsened, or whole."""
        if originator == recipient or not self._by_rules(originator, recipient, group):
            return "no"
        flows = [
            flow
            for agreement in self._terms.agreements
            if agreement.bundle.valid_from_us <= at_us < agreement.bundle.valid_until_us
            and not self._is_suspended(agreement.bundle.arrangement)
            for flow in agreement.bundle.flows
            if (flow.originator, flow.recipient) == (originator, recipient) and group in flow.groups
        ]
        if not flows:
            return "no"
        coarse = group is Group.LAUNCH_POINT and all(flow.launch_point_grid_m > 0.0 for flow in flows)
        opaque = group is Group.SENSOR and all(flow.opaque_sensors for flow in flows)
        return "coarse" if coarse or opaque else "whole"

    def may_have_any(self, originator: Nation, recipient: Nation, at_us: TimeUs) -> bool:
        """Return whether a recipient may have anything at all of an originator."""
        return any(self.right(originator, recipient, group, at_us) != "no" for group in Group)
