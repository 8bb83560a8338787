"""What must hold of every arrangement, each as a search for a request that breaks it."""

from collections.abc import Callable
from typing import Final

import msgspec
import z3

from beaconfire.messages.arrangement import Flow, KeyClass
from beaconfire.messages.words import Group, Lane, Level, Mode
from beaconfire.release.obligations import Obligations
from beaconfire.release.proof.model import ORCON, Model
from beaconfire.release.proof.search import Case, Search
from beaconfire.release.proof.values import TRUE, Term, all_of, any_of
from beaconfire.release.rules import Rule

LEVEL_OF_A_WARNING: Final = Level.RESTRICTED
"""A warning up to this level must reach an entitled partner, unless the flow itself stops below it."""
AGE_OF_A_WARNING_S: Final = 600
"""As long as a FLASH report lives."""
MOVING: Final = (Group.TRAJECTORY, Group.COVARIANCE)


class Finding(msgspec.Struct, frozen=True):
    """Whether one invariant holds.

    Attributes:
        invariant: its name.
        holds: True if it was proved.
        words: what holds, or a counterexample in plain words.
        rules: the policies that the counterexample rests on.
        case: the counterexample.
    """

    invariant: str
    holds: bool
    words: str
    rules: tuple[str, ...] = ()
    case: Case | None = None


Invariant = Callable[[Model, Search], Finding]


def _proved(invariant: str, words: str) -> Finding:
    return Finding(invariant, holds=True, words=words)


def _broken(invariant: str, words: str, case: Case, rules: tuple[str, ...] = ()) -> Finding:
    by = f" (by {', '.join(rules)})" if rules else ""
    return Finding(invariant, holds=False, words=words + by, rules=rules, case=case)


def _would_go(case: Case) -> str:
    return f"{case.words()}, would go to {case.recipient}"


def errors(model: Model, search: Search) -> Finding:
    """No rule fails while it is evaluated: Cedar skips one that does, and here it withholds everything."""
    case = search.find(model.fails)
    if case is None:
        return _proved("errors", "no rule can fail while it is evaluated")
    failing = tuple(one.rule.name for one in model.outcomes if search.is_so(one.fails))
    words = f"{failing[0]} fails on {case.words()}, for {case.recipient}: the whole report would be withheld"
    return Finding("errors", holds=False, words=words, rules=failing, case=case)


def releasable_to(model: Model, search: Search) -> Finding:
    """Nothing goes to a nation that the label does not name."""
    case = search.find(model.granted, z3.Not(model.symbols.is_named()))
    if case is None:
        return _proved("releasable_to", "nothing goes to a nation that the label does not name")
    words = f"{_would_go(case)}, which its label does not name"
    return _broken("releasable_to", words, case, search.satisfied(model.permits))


def originator_control(model: Model, search: Search) -> Finding:
    """Under ORCON nothing goes on unless the originator agreed to that recipient: by label and by flow."""
    agreed = any_of(model.symbols.between(one.originator, one.recipient) for one in model.terms.flows)
    consent = z3.And(agreed, model.symbols.is_named())
    case = search.find(model.granted, model.symbols.restricted[ORCON], z3.Not(consent))
    if case is None:
        return _proved("orcon", "under ORCON nothing goes where the originator did not agree to")
    words = f"{_would_go(case)}, to which {case.originator} has not agreed"
    return _broken("orcon", words, case, search.satisfied(model.permits))


def restrictions(model: Model, search: Search) -> Finding:
    """A restriction that this software cannot honour withholds."""
    others = any_of(held for name, held in model.symbols.restricted.items() if name != ORCON)
    case = search.find(model.granted, others)
    if case is None:
        return _proved("restrictions", "a restriction other than ORCON withholds")
    words = f"{_would_go(case)}, though nothing here can honour that restriction"
    return _broken("restrictions", words, case, search.satisfied(model.permits))


def modes(model: Model, search: Search) -> Finding:
    """Simulated and exercise reports never pass under what real ones pass under, nor the other way."""
    made_up = model.symbols.is_mode([Mode.SIMULATED, Mode.EXERCISE])
    real = model.symbols.is_mode([Mode.REAL])
    if model.terms.key_class is KeyClass.LIVE:
        wrong = made_up
    elif model.terms.key_class is not None or search.exists(model.granted, made_up):
        wrong = real
    else:
        wrong = made_up
    case = search.find(model.granted, wrong)
    if case is None:
        return _proved("modes", "simulated and exercise reports never pass for real ones")
    kind = f"keys of class {model.terms.key_class}" if model.terms.key_class else "simulated or exercise keys"
    words = f"{_would_go(case)}, under {kind}: {case.mode} and the rest must not mix"
    return _broken("modes", words, case, search.satisfied(model.permits))


def raw_measurement(model: Model, search: Search) -> Finding:
    """Raw measurements leave only where a flow says so."""
    said = [one for one in model.terms.flows if Group.RAW_MEASUREMENT in one.groups]
    agreed = any_of(model.symbols.between(one.originator, one.recipient) for one in said)
    case = search.find(model.granted, model.symbols.is_group([Group.RAW_MEASUREMENT]), z3.Not(agreed))
    if case is None:
        words = "raw measurements leave only where a flow says so" if said else "raw measurements never leave"
        return _proved("raw_measurement", words)
    words = f"{_would_go(case)}: raw measurements, which no flow between them lists"
    return _broken("raw_measurement", words, case, search.satisfied(model.permits))


def parties(model: Model, search: Search) -> Finding:
    """Only between two parties: no pair is joined that signed nothing together, no report comes back."""
    two = any_of(
        model.symbols.between(one, other)
        for one in model.terms.parties
        for other in model.terms.parties
        if one != other
    )
    case = search.find(model.granted, z3.Not(two))
    if case is None:
        return _proved("parties", "nothing passes but from one party to another, through the hub")
    strange = [name for name in (case.originator, case.recipient) if name not in model.terms.parties]
    why = f"{strange[0]} is no party to this" if strange else "that is its own report"
    return _broken("parties", f"{_would_go(case)}: {why}", case, search.satisfied(model.permits))


def within_flows(model: Model, search: Search) -> Finding:
    """The rules never pass more than the plain list: if they do, the second check stops whole reports."""
    symbols = model.symbols
    listed = any_of(
        all_of(
            [
                symbols.between(flow.originator, flow.recipient),
                symbols.is_group(flow.groups),
                symbols.level <= int(flow.level_max),
            ]
        )
        for flow in model.terms.flows
    )
    case = search.find(model.released, z3.Not(listed))
    if case is not None:
        words = f"{_would_go(case)}, more than the flow between them lists"
        return _broken("flows", words, case, search.satisfied(model.permits))
    for flow in model.terms.flows:
        for demand, groups, fulfils in _demands(flow):
            case = search.find(
                model.released,
                symbols.between(flow.originator, flow.recipient),
                symbols.is_group(groups),
                z3.Not(model.permitted_by(_rules_that(model, fulfils))),
            )
            if case is not None:
                words = f"{_would_go(case)} {demand}"
                return _broken("flows", words, case, search.satisfied(model.permits))
        sooner = _sooner_than(model, search, flow)
        if sooner is not None:
            return sooner
    return _proved("flows", "the rules pass no more than the flows list")


def _sooner_than(model: Model, search: Search, flow: Flow) -> Finding | None:
    """Return a ROUTINE report that would pass sooner than a flow demands.

    The delay must rest on the provenance, without which nothing passes: a delay on another group ends where
    a label keeps that group.
    """
    if not flow.routine_delay_s:
        return None
    provenance = model.symbols.is_group([Group.PROVENANCE])
    late = _rules_that(model, lambda one: one.delay_s >= flow.routine_delay_s)
    case = search.find(
        model.released,
        model.symbols.between(flow.originator, flow.recipient),
        model.symbols.is_lane(Lane.ROUTINE),
        provenance,
        z3.Not(model.permitted_by(late)),
    )
    if case is None:
        return None
    words = f"{_would_go(case)} sooner than the {flow.routine_delay_s:g} s that the flow demands"
    return _broken("flows", words, case, search.satisfied(model.permits))


def _demands(flow: Flow) -> list[tuple[str, tuple[Group, ...], Callable[[Obligations], bool]]]:
    grid_m = flow.launch_point_grid_m
    coarse = f"finer than the {grid_m / 1_000:g} km grid that the flow demands"
    demands: list[tuple[str, tuple[Group, ...], Callable[[Obligations], bool]]] = []
    if grid_m > 0.0:
        demands.append((coarse, (Group.LAUNCH_POINT,), lambda one: one.grid_m >= grid_m))
    if flow.coast_only:
        demands.append(("during the boost, which the flow rules out", MOVING, lambda one: one.coast_only))
    if flow.opaque_sensors:
        named = "with the names of its sensors, which the flow hides"
        demands.append((named, (Group.SENSOR,), lambda one: one.opaque_sensor))
    return demands


def _rules_that(model: Model, fulfils: Callable[[Obligations], bool]) -> list[Rule]:
    rules = (one.rule for one in model.permits)
    return [rule for rule in rules if rule.obligations is not None and fulfils(rule.obligations)]


def inference(model: Model, search: Search) -> Finding:
    """Where the launch point is coarse or missing, the boost, which would give it back, is left out."""
    truncated = model.permitted_by(_rules_that(model, lambda one: one.coast_only))
    case = search.find(
        model.released, model.symbols.is_group(MOVING), z3.Not(truncated), model.launch_is_hidden
    )
    if case is None:
        return _proved("inference", "a launch point that is withheld or coarse can't be had from the boost")
    words = f"{_would_go(case)} during the boost, which gives back the launch point withheld or coarsened"
    return _broken("inference", words, case, search.satisfied(model.permits))


def flash(model: Model, search: Search) -> Finding:
    """No permit that delays is satisfied by a FLASH."""
    for one in model.permits:
        if one.rule.obligations is None or not one.rule.obligations.delay_s:
            continue
        case = search.find(one.satisfied, model.symbols.is_lane(Lane.FLASH))
        if case is not None:
            seconds = one.rule.obligations.delay_s
            words = f"a FLASH would be delayed by {seconds:g} s: {case.words()}, for {case.recipient}"
            return _broken("flash", words, case, (one.rule.name,))
    return _proved("flash", "nothing delays a FLASH")


def obligations(model: Model, search: Search) -> Finding:
    """Every obligation is one this software can meet, and the hub is allowed to meet it."""
    for one in model.permits:
        if one.rule.obligations is None:
            case = search.find(one.satisfied)
            if case is not None:
                marks = ", ".join(f'{name}("{value}")' for name, value in one.rule.annotations.items())
                words = f"an obligation that nothing here can meet ({marks}) would withhold {case.words()}"
                return _broken("obligations", words, case, (one.rule.name,))
    coarsening = _rules_that(model, lambda o: o.grid_m > 0.0 or o.round_time_s > 0.0 or o.opaque_sensor)
    fixed = [group for group in Group if group not in model.terms.degradable]
    case = search.find(model.released, model.permitted_by(coarsening), model.symbols.is_group(fixed))
    if case is None:
        return _proved("obligations", "every obligation is known, and the hub may meet it")
    words = (
        f"{case.words()}, would have to be coarsened for {case.recipient}, "
        f"but {case.group} is not among what the hub may replace (degradable)"
    )
    return _broken("obligations", words, case, search.satisfied(model.permits))


def warning(model: Model, search: Search) -> Finding:
    """Every partner that a flow names still gets the warning: where from, or where to, and when."""
    if not model.terms.flows:
        return Finding("warning", holds=False, words="vacuous: no flow at all, so nobody would be warned")
    for flow in model.terms.flows:
        pair = f"{flow.originator} to {flow.recipient}"
        needed = [g for g in (Group.LAUNCH_POINT, Group.IMPACT, Group.TIMING) if g in flow.groups]
        if Group.PROVENANCE not in flow.groups or not {Group.LAUNCH_POINT, Group.IMPACT} & set(needed):
            words = f"vacuous: the flow from {pair} lists no provenance or neither launch point nor impact"
            return Finding("warning", holds=False, words=words)
        case = search.find(
            _is_an_ordinary_warning(model, flow, (*needed, Group.PROVENANCE)), z3.Not(model.released)
        )
        if case is not None:
            forbids = (one for one in model.outcomes if not one.rule.permits)
            rules = search.satisfied(forbids)
            why = "a rule forbids it" if rules else "no rule permits it, or what permits it takes it out"
            words = f"{flow.recipient} would not be warned: {case.words()}, is withheld; {why}"
            return _broken("warning", words, case, rules)
    return _proved("warning", "every partner that a flow names still gets the warning")


def _is_an_ordinary_warning(model: Model, flow: Flow, groups: tuple[Group, ...]) -> Term:
    """Return when a request is one that an entitled partner must get an answer to."""
    symbols = model.symbols
    unrestricted = all_of(z3.Not(held) for name, held in symbols.restricted.items() if name != ORCON)
    own = {KeyClass.LIVE: Mode.REAL, KeyClass.EXERCISE: Mode.EXERCISE, None: None}
    mode = own.get(model.terms.key_class, Mode.SIMULATED)
    return all_of(
        [
            symbols.between(flow.originator, flow.recipient),
            symbols.is_group(groups),
            symbols.is_named(),
            symbols.level <= int(min(LEVEL_OF_A_WARNING, flow.level_max)),
            symbols.age_s <= AGE_OF_A_WARNING_S,
            unrestricted,
            TRUE if mode is None else symbols.is_mode([mode]),
            TRUE if mode is not None else _some_mode(model),
        ]
    )


def _some_mode(model: Model) -> Term:
    """Return the modes a template can be for: whichever of REAL and the rest it lets pass at all."""
    probe = Search(model.symbols)
    passing = [
        mode
        for mode in (Mode.SIMULATED, Mode.EXERCISE, Mode.REAL)
        if probe.exists(model.granted, model.symbols.is_mode([mode]))
    ]
    return model.symbols.is_mode(passing or [Mode.SIMULATED])


def idle(model: Model, search: Search) -> Finding:
    """Every rule applies to something: one that never does was meant to do something else."""
    for one in model.outcomes:
        if not search.exists(one.satisfied):
            kind = "permit" if one.rule.permits else "forbid"
            words = f"the {kind} {one.rule.name} applies to no report at all"
            return Finding("idle", holds=False, words=words, rules=(one.rule.name,))
    return _proved("idle", "every rule applies to something")


SOLVED: Final[tuple[Invariant, ...]] = (
    errors,
    releasable_to,
    originator_control,
    restrictions,
    modes,
    raw_measurement,
    parties,
    within_flows,
    inference,
    flash,
    obligations,
    warning,
    idle,
)
"""Every invariant that is proved by the solver, in the order in which they are told."""
