"""What a new version changes: which partner gains or loses what, each with a request that shows it."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

import msgspec
import z3

from beaconfire.errors import UsageError
from beaconfire.messages.words import Group
from beaconfire.release.obligations import Obligations
from beaconfire.release.proof.model import OTHERS, Model, Symbols, Terms, model_of, symbols_for
from beaconfire.release.proof.search import Case, Search
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
    sides = _Side.of(before), _Side.of(after)
    nations = [name for name in symbols.parties if name not in OTHERS]
    pairs = [(giver, taker) for taker in nations for giver in nations if giver != taker]
    return tuple(one for pair in pairs for one in _between(sides, search, symbols, pair))


class _Side(msgspec.Struct, frozen=True):
    """One of the two arrangements: when something passes, and how coarse in each way."""

    passes: Term
    coarseness: tuple[Term, ...]

    @staticmethod
    def of(model: Model) -> "_Side":
        """Return the terms of a model, made once."""
        return _Side(_passes(model), tuple(way.coarsest(model) for way in _WAYS))


def _passes(model: Model) -> Term:
    """Return when something of the group passes both judges; a covariance never without its state."""
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
    has_state = model.of(model.released, Group.TRAJECTORY)
    is_covariance = model.symbols.is_group([Group.COVARIANCE])
    return all_of([model.released, listed, z3.Implies(is_covariance, has_state)])


def _between(
    sides: tuple[_Side, _Side], search: Search, symbols: Symbols, pair: tuple[str, str]
) -> Iterator[Difference]:
    before, after = sides
    unlike = [one != other for one, other in zip(before.coarseness, after.coarseness, strict=True)]
    differs = any_of([before.passes != after.passes, *unlike])
    within = symbols.between(*pair)
    if not search.exists(within, z3.Or(before.passes, after.passes), differs):
        return
    for group in Group:
        where = z3.And(within, symbols.is_group([group]))
        if not search.exists(where, z3.Or(before.passes, after.passes), differs):
            continue
        for change, less, more in ((Change.GAINS, before, after), (Change.LOSES, after, before)):
            for words, example in _ways(search, where, more, less):
                yield Difference(pair[1], pair[0], group, change, words, example)


def _ways(search: Search, where: Term, more: _Side, less: _Side) -> Iterator[tuple[str, Case]]:
    """Yield in which ways one side gives more than the other, each with a request that shows it."""
    case = search.find(where, more.passes, z3.Not(less.passes))
    if case is not None:
        in_part = search.exists(where, more.passes, less.passes)
        yield ("the group, in some cases" if in_part else "the group"), case
    for way, fine, coarse in zip(_WAYS, more.coarseness, less.coarseness, strict=True):
        case = search.find(where, more.passes, less.passes, fine < coarse)
        if case is not None:
            yield way.told(search.number(fine), search.number(coarse)), case


class _Way(msgspec.Struct, frozen=True):
    """A way in which a group can pass finer under one arrangement than under another.

    Attributes:
        words: what the partner gains or loses.
        size: how coarse an obligation makes it.
        unit: of the size; empty where it is yes or no.
        follows_launch: state and covariance are held back where the launch point is, as the decision does.
        of_whole_report: what is demanded for one group counts for all.
    """

    words: str
    size: Callable[[Obligations], float]
    unit: str = ""
    follows_launch: bool = False
    of_whole_report: bool = False

    def told(self, fine: float, coarse: float) -> str:
        """Return what is gained or lost, with the sizes."""
        if not self.unit:
            return self.words
        return (
            f"{self.words} ({f'{fine:g} {self.unit}' if fine else 'none'} rather than {coarse:g} {self.unit})"
        )

    def coarsest(self, model: Model) -> Term:
        """Return how coarse the permits satisfied make a group."""
        most: Term = z3.RealVal(0)
        for one in model.permits:
            demanded = self.size(one.rule.obligations) if one.rule.obligations is not None else 0.0
            if demanded > 0.0:
                held = model.delays(demanded) if self.of_whole_report else one.satisfied
                most = z3.If(z3.And(held, most < demanded), z3.RealVal(demanded), most)
        if not self.follows_launch:
            return most
        moving = model.symbols.is_group([Group.TRAJECTORY, Group.COVARIANCE])
        return z3.If(z3.And(moving, model.launch_is_hidden), z3.RealVal(1), most)


_WAYS: Final = (
    _Way("a finer grid", lambda one: one.grid_m / 1_000.0, "km"),
    _Way("finer times", lambda one: one.round_time_s, "s"),
    _Way("the boost too", lambda one: float(one.coast_only), follows_launch=True),
    _Way("the names of sensors", lambda one: float(one.opaque_sensor)),
    _Way("ROUTINE reports sooner", lambda one: one.delay_s, "s", of_whole_report=True),
)
