"""What a new version changes: which partner gains or loses what, each with a request that shows it."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

import msgspec
import z3

from beaconfire.errors import UsageError
from beaconfire.messages.words import Group
from beaconfire.release.obligations import Obligations
from beaconfire.release.proof.model import OTHERS, Case, Model, Search, Terms, model_of, symbols_for
from beaconfire.release.proof.translate import OutsideFragment
from beaconfire.release.proof.values import Term, all_of, any_of
from beaconfire.release.rules import read_rules


class Change(StrEnum):
    """Which way it goes for the partner."""

    GAINS = "gains"
    LOSES = "loses"


class Difference(msgspec.Struct, frozen=True):
    """One thing that changes for one partner.

    Attributes:
        recipient: the partner.
        originator: of whose reports.
        group: of which group.
        change: which way.
        words: what it is.
        example: a request that fares differently.
    """

    recipient: str
    originator: str
    group: Group
    change: Change
    words: str
    example: Case


def difference(old: Terms, new: Terms) -> tuple[Difference, ...]:
    """Return every change from one arrangement to another, by partner, originator and group.

    Raises:
        UsageError: policies that do not parse, or that the solver can't follow.
    """
    rules = [read_rules(one.policies, one.arrangement) for one in (old, new)]
    symbols = symbols_for([old, new], [rule for held in rules for rule in held])
    try:
        before, after = (
            model_of(terms, held, symbols) for terms, held in zip((old, new), rules, strict=True)
        )
    except OutsideFragment as outside:
        wanted = "the fragment that can be proved"
        raise UsageError(f"{outside.rule} uses {outside.construct}", expected=wanted) from outside
    search = Search(symbols)
    nations = [name for name in symbols.parties if name not in OTHERS]
    pairs = [(giver, taker) for taker in nations for giver in nations if giver != taker]
    found: list[Difference] = []
    for giver, taker in pairs:
        within = symbols.between(giver, taker)
        if search.find(within, z3.Or(_passes(before), _passes(after))) is not None:
            found += _between(before, after, search, (giver, taker))
    return tuple(found)


def _passes(model: Model) -> Term:
    """Return when something of the group passes both judges."""
    listed = any_of(
        all_of(
            [
                model.symbols.between(flow.originator, flow.recipient),
                model.symbols.is_group(flow.groups),
                model.symbols.level <= int(flow.level_max),
            ]
        )
        for flow in model.terms.flows
    )
    return z3.And(model.released, listed)


def _between(before: Model, after: Model, search: Search, pair: tuple[str, str]) -> Iterator[Difference]:
    giver, taker = pair
    for group in Group:
        where = z3.And(before.symbols.between(giver, taker), before.symbols.is_group([group]))
        for change, less, more in ((Change.GAINS, before, after), (Change.LOSES, after, before)):
            case = search.find(where, _passes(more), z3.Not(_passes(less)))
            if case is not None:
                words = _reach(search, where, more, less)
                yield Difference(taker, giver, group, change, words, case)
            for finer in _FINER:
                case = search.find(where, _passes(more), _passes(less), finer.holds(more, less))
                if case is not None:
                    words = finer.told(search, more, less)
                    yield Difference(taker, giver, group, change, words, case)


def _reach(search: Search, where: Term, more: Model, less: Model) -> str:
    """Say whether the group passes only under one of the two, or under both but not in all the same cases."""
    both = search.find(where, _passes(more), _passes(less))
    return "the group" if both is None else "the group, in some cases"


class _Finer(msgspec.Struct, frozen=True):
    """A way in which a group can pass finer under one arrangement than under another.

    Attributes:
        words: what the partner gains or loses.
        size: how coarse an obligation makes it.
        unit: of the size; empty where it is yes or no.
    """

    words: str
    size: Callable[[Obligations], float]
    unit: str = ""

    def holds(self, more: Model, less: Model) -> Term:
        """Return when a request passes finer under the one."""
        return self._coarsest(more) < self._coarsest(less)

    def told(self, search: Search, more: Model, less: Model) -> str:
        """Return what is gained or lost in the case found last, with the sizes."""
        if not self.unit:
            return self.words
        fine, coarse = (search.number(self._coarsest(one)) for one in (more, less))
        fine_words = f"{fine:g} {self.unit}" if fine else "none"
        return f"{self.words} ({fine_words} rather than {coarse:g} {self.unit})"

    def _coarsest(self, model: Model) -> Term:
        most: Term = z3.RealVal(0)
        for one in model.permits:
            demanded = self.size(one.rule.obligations) if one.rule.obligations is not None else 0.0
            if demanded > 0.0:
                most = z3.If(z3.And(one.satisfied, most < demanded), z3.RealVal(demanded), most)
        return most


_FINER: Final = (
    _Finer("a finer grid", lambda one: one.grid_m / 1_000.0, "km"),
    _Finer("finer times", lambda one: one.round_time_s, "s"),
    _Finer("the boost too", lambda one: float(one.coast_only)),
    _Finer("the names of sensors", lambda one: float(one.opaque_sensor)),
)
