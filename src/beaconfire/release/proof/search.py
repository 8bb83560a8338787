"""Search for a request with a property, and tell it in words: the plainest there is."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import z3

from beaconfire.messages.words import Group, Lane, Level, Mode
from beaconfire.release.proof.model import OTHERS, Symbols, well_formed
from beaconfire.release.proof.translate import Outcome
from beaconfire.release.proof.values import Term, any_of

SOLVER_TIMEOUT_MS: Final = 20_000


class Case(msgspec.Struct, frozen=True):
    """One concrete request: a group of a report, and who would receive it; the lane if rules look at it."""

    recipient: str
    originator: str
    group: str
    mode: str
    level: Level
    releasable_to: tuple[str, ...]
    restrictions: tuple[str, ...]
    age_s: int
    lane: str = ""

    def words(self) -> str:
        """Return it in plain words."""
        named = " and ".join(self.releasable_to) or "nobody"
        way = f", on {self.lane}" if self.lane else ""
        marked = f", restricted {' and '.join(self.restrictions)}" if self.restrictions else ""
        return (
            f"the {self.group.replace('_', ' ')} of a report of {self.originator}, {self.mode}, "
            f"{self.level.name}, releasable to {named}{marked}, {self.age_s} s old{way}"
        )


class Search:
    """Looks for requests with a property; one solver for all questions on one symbolic request."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._solver = z3.Solver()
        self._solver.set("timeout", SOLVER_TIMEOUT_MS)
        self._solver.add(well_formed(symbols))
        self._found: Any = None

    def find(self, *properties: Term) -> Case | None:
        """Return a request with every property, as plain a one as there is, or None if there is none.

        Raises:
            TimeoutError: the solver could not tell within its time: nothing is proved.
        """
        self._found = None
        self._solver.push()
        try:
            self._solver.add(*properties)
            if not self._holds():
                return None
            for plainer in _plainer(self._symbols):
                self._prefer(plainer)
            return _case(self._symbols, self._found)
        finally:
            self._solver.pop()

    def exists(self, *properties: Term) -> bool:
        """Return whether there is a request with every property; raises `TimeoutError`."""
        self._found = None
        self._solver.push()
        try:
            self._solver.add(*properties)
            return self._holds()
        finally:
            self._solver.pop()

    def _holds(self) -> bool:
        verdict = self._solver.check()
        if verdict == z3.unknown:
            raise TimeoutError(self._solver.reason_unknown())
        if verdict == z3.sat:
            self._found = self._solver.model()
        return bool(verdict == z3.sat)

    def _prefer(self, plainer: Term) -> None:
        """Keep a wish if it can be had beside all that was kept."""
        if self.is_so(plainer):
            self._solver.add(plainer)
            return
        self._solver.push()
        self._solver.add(plainer)
        fits = self._holds()
        self._solver.pop()
        if fits:
            self._solver.add(plainer)

    def satisfied(self, outcomes: Iterable[Outcome]) -> tuple[str, ...]:
        """Return the names of the rules that are satisfied by the request found last."""
        return tuple(one.rule.name for one in outcomes if self.is_so(one.satisfied))

    def number(self, term: Term) -> float:
        """Return what a number is in the request found last; raises `ValueError` if none was found."""
        if self._found is None:
            raise ValueError("no request was found")
        value = self._found.eval(term, model_completion=True).as_fraction()
        return float(value)

    def is_so(self, term: Term) -> bool:
        """Return whether a term is true of the request found last."""
        return self._found is not None and z3.is_true(self._found.eval(term, model_completion=True))


def _plainer(symbols: Symbols) -> list[Term]:
    """Return what makes a counterexample easy to read, the most wanted first."""
    bare = [z3.Not(held) for held in reversed(symbols.restricted.values())]
    alone = [z3.Not(held) for held in symbols.releasable.values()]
    strangers = [term for name in OTHERS for term in (symbols.receives(name), symbols.gives(name))]
    return [
        z3.Not(any_of(strangers)),
        symbols.is_mode([Mode.SIMULATED]),
        *bare,
        *alone,
        symbols.level == int(Level.UNCLASSIFIED),
        symbols.age_s == 1,
        symbols.is_lane(Lane.FLASH),
        *(symbols.is_group([group]) for group in Group),
    ]


def _case(symbols: Symbols, found: Any) -> Case:
    def number(term: Term) -> int:
        return int(found.eval(term, model_completion=True).as_long())

    def members(held: dict[str, Term]) -> tuple[str, ...]:
        return tuple(
            name for name, term in held.items() if z3.is_true(found.eval(term, model_completion=True))
        )

    codes = symbols.codes
    return Case(
        recipient=codes.name_of(number(symbols.principal)),
        originator=codes.text_of(number(symbols.originator)),
        group=codes.text_of(number(symbols.group)),
        mode=codes.text_of(number(symbols.mode)),
        level=Level(number(symbols.level)),
        releasable_to=members(symbols.releasable),
        restrictions=members(symbols.restricted),
        age_s=number(symbols.age_s),
        lane=codes.text_of(number(symbols.lane)) if symbols.speaks_of_lanes else "",
    )
