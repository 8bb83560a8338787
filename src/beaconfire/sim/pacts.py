"""Random arrangements, each as a plain list of what passes and as the Cedar text that is to say the same.

The list is the oracle of the noninterference campaign: `visible_groups` reads it without `release`, and the
hub is held against it. The text and the flows are what guards and hub are given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from beaconfire.messages.arrangement import ArrangementTemplate, Flow
from beaconfire.messages.report import Report
from beaconfire.messages.words import Group, Nation, Phase
from beaconfire.release.label import LabellingRules
from beaconfire.sim.chance import Chance

LEVEL_MAX: Final = 2
KNOWN_RESTRICTIONS: Final = frozenset({"ORCON"})
FRESH_S: Final = 60
LAUNCH_GRID_KM: Final = 10
IMPACT_GRID_KM: Final = 20
DELAYS_MS: Final = (130, 260)
"""Neither ends in the slot it began in."""
_MOVING: Final = (Group.TRAJECTORY, Group.COVARIANCE)
_PLACED: Final = (Group.LAUNCH_POINT, Group.IMPACT)
_TIMED: Final = (Group.LAUNCH_POINT, Group.IMPACT, Group.TIMING)

Fault = Literal["", "error", "obligation"]


class Demand(msgspec.Struct, frozen=True):
    """What is done to a group before it passes.

    Attributes:
        grid_km: places snap to a grid; 0 leaves them.
        round_s: times are rounded; 0 leaves them.
        coast: only once the boost is over.
        opaque: sensors by opaque names.
        delay_ms: ROUTINE reports that it may be in wait so long at the hub; never a FLASH.
    """

    grid_km: int = 0
    round_s: int = 0
    coast: bool = False
    opaque: bool = False
    delay_ms: int = 0


class Grant(msgspec.Struct, frozen=True):
    """One group that one party lets another have."""

    originator: Nation
    recipient: Nation
    group: Group
    demand: Demand
    fresh: bool = False


class Pact(msgspec.Struct, frozen=True):
    """One arrangement.

    Attributes:
        name: its id.
        parties: bound by it.
        grants: what passes.
        forbidden: groups that it forbids, whatever another arrangement grants.
        fault: a policy that always errs, or obliges to something unknown: everything is withheld.
    """

    name: str
    parties: tuple[Nation, ...]
    grants: tuple[Grant, ...]
    forbidden: tuple[Group, ...] = ()
    fault: Fault = ""

    def binds(self, originator: Nation, recipient: Nation) -> bool:
        """Return whether both are parties."""
        return originator in self.parties and recipient in self.parties


def draw_pact(name: str, parties: Sequence[Nation], chance: Chance) -> Pact:
    """Return a random arrangement between parties."""
    pairs = [(o, r) for o in parties for r in parties if o != r]
    grants = tuple(grant for o, r in pairs for grant in _draw_grants(o, r, chance))
    forbidden = tuple(g for g in Group if g is not Group.PROVENANCE and chance.happens(0.06))
    fault: Fault = "error" if chance.happens(0.03) else "obligation" if chance.happens(0.03) else ""
    return Pact(name, tuple(parties), grants, (Group.RAW_MEASUREMENT, *forbidden), fault)


def _draw_grants(originator: Nation, recipient: Nation, chance: Chance) -> list[Grant]:
    if chance.happens(0.15):
        return []
    coarse = Demand(LAUNCH_GRID_KM * chance.happens(0.5), 10 * chance.happens(0.3))
    coast = chance.happens(0.5)
    demands = {
        Group.LAUNCH_POINT: coarse,
        Group.TRAJECTORY: Demand(coast=coast),
        Group.COVARIANCE: Demand(coast=coast),
        Group.IMPACT: Demand(grid_km=IMPACT_GRID_KM if chance.happens(0.2) else 0),
        Group.TIMING: Demand(round_s=coarse.round_s),
        Group.SENSOR: Demand(opaque=chance.happens(0.6)),
    }
    if chance.happens(0.25):
        late = (Group.PROVENANCE, Group.TIMING, Group.TRAJECTORY)[chance.between(0, 2)]
        delay_ms = DELAYS_MS[chance.between(0, len(DELAYS_MS) - 1)]
        demands[late] = msgspec.structs.replace(demands.get(late, Demand()), delay_ms=delay_ms)
    fresh = chance.happens(0.2)
    groups = [group for group in Group if group is Group.PROVENANCE or chance.happens(0.8)]
    return [Grant(originator, recipient, one, demands.get(one, Demand()), fresh) for one in groups]


def template_of(pact: Pact) -> ArrangementTemplate:
    """Return the arrangement as it would ship: Cedar text and flows."""
    return ArrangementTemplate(
        arrangement=pact.name,
        version=1,
        parties=pact.parties,
        required_signers=pact.parties,
        flows=_flows(pact),
        degradable=(Group.LAUNCH_POINT, Group.IMPACT, Group.TIMING, Group.SENSOR),
        policies="\n".join(_policies(pact)),
    )


def _flows(pact: Pact) -> tuple[Flow, ...]:
    """Return the most that passes; the second check holds the bytes against it."""
    pairs = sorted({(grant.originator, grant.recipient) for grant in pact.grants})
    made = []
    for originator, recipient in pairs:
        between = (originator, recipient)
        held = {g.group: g.demand for g in pact.grants if (g.originator, g.recipient) == between}
        launch = held.get(Group.LAUNCH_POINT)
        made.append(
            Flow(
                originator=originator,
                recipient=recipient,
                groups=tuple(held),
                launch_point_grid_m=1_000.0 * launch.grid_km if launch else 0.0,
                coast_only=held.get(Group.TRAJECTORY, Demand()).coast,
                opaque_sensors=held.get(Group.SENSOR, Demand()).opaque,
                routine_delay_s=held.get(Group.PROVENANCE, Demand()).delay_ms / 1_000.0,
            )
        )
    return tuple(made)


def _policies(pact: Pact) -> list[str]:
    texts = [_permit(number, grant) for number, grant in enumerate(pact.grants)]
    texts += [_delay(number, grant) for number, grant in enumerate(pact.grants) if grant.demand.delay_ms]
    listed = ", ".join(f'"{group.value}"' for group in pact.forbidden)
    texts.append(
        f'@id("{pact.name}/forbidden") forbid (principal, action, resource)\n'
        f"when {{ [{listed}].contains(context.group) }};"
    )
    texts.append(
        f'@id("{pact.name}/restrictions") forbid (principal, action, resource)\n'
        'unless { ["ORCON"].containsAll(context.restrictions) };'
    )
    if pact.fault == "error":
        texts.append("forbid (principal, action, resource) when { context.nowhere };")
    if pact.fault == "obligation":
        texts.append('@blur("3") permit (principal, action, resource);')
    return texts


def _permit(number: int, grant: Grant) -> str:
    demand = grant.demand
    marks = [
        *([f'@grid("{demand.grid_km}")'] if demand.grid_km else []),
        *([f'@round_time("{demand.round_s}")'] if demand.round_s else []),
        *(['@truncate_before("burnout")'] if demand.coast else []),
        *(['@opaque_sensor("yes")'] if demand.opaque else []),
    ]
    return _rule(f'@id("{number}") {" ".join(marks)}\n', grant)


def _delay(number: int, grant: Grant) -> str:
    """Return the rule that delays what another permits, on ROUTINE only."""
    marks = f'@id("{number}/late") @delay("{grant.demand.delay_ms / 1_000}")\n'
    return _rule(marks, grant, ' && context.lane == "ROUTINE"')


def _rule(marks: str, grant: Grant, further: str = "") -> str:
    fresh = f" && context.age_s <= {FRESH_S}" if grant.fresh else ""
    return (
        f"{marks}"
        f'permit (principal == Party::"{grant.recipient}", action == Action::"release", resource)\n'
        f'when {{ context.originator == "{grant.originator}" && context.releasable_to.contains(principal)'
        f' && context.level <= {LEVEL_MAX} && context.group == "{grant.group.value}"{fresh}{further} }};'
    )


class View(msgspec.Struct, frozen=True):
    """What one party may see of one report.

    Attributes:
        groups: present in the report and passing, in whatever form.
        coarse: of these, those that pass coarsened.
        rounded_s: step that the times of detection and burnout are rounded to; 0 if they are not.
        launch_rounded_s: step that the launch time is rounded to; 0 if it is not.
        delay_ms: how long it waits if it is ROUTINE.
    """

    groups: frozenset[Group]
    coarse: frozenset[Group]
    rounded_s: int = 0
    launch_rounded_s: int = 0
    delay_ms: int = 0


NOTHING: Final = View(frozenset(), frozenset())


def view_of(
    report: Report,
    recipient: Nation,
    pacts: Iterable[Pact],
    rules: Mapping[Nation, LabellingRules],
    *,
    age_s: float = 0.0,
) -> View:
    """Return what a party may see of a report while these arrangements are in force."""
    originator = report.originator
    held = [pact for pact in pacts if pact.binds(originator, recipient)]
    rule = rules[originator]
    labelled = recipient in rule.releasable_to and rule.level <= LEVEL_MAX
    if originator == recipient or not held or not labelled or rule.restrictions - KNOWN_RESTRICTIONS:
        return NOTHING
    if any(pact.fault for pact in held):
        return NOTHING
    demands = {group: _demands(group, (originator, recipient), held, age_s) for group in Group}
    passing = {group: held_to for group, held_to in demands.items() if held_to is not None}
    kept = {one.group for one in rule.overrides if not _may_pass(recipient, rule, one.group)}
    launch = passing.get(Group.LAUNCH_POINT)
    hidden = Group.LAUNCH_POINT in kept or launch is None or any(one.grid_km for one in launch)
    groups = frozenset(
        group
        for group, held_to in passing.items()
        if group not in kept and _is_there(report, group, hidden or any(one.coast for one in held_to))
    )
    if Group.TRAJECTORY not in groups:
        groups -= {Group.COVARIANCE}
    if Group.PROVENANCE not in groups or len(groups) < 2:
        return NOTHING
    coarse = frozenset(g for g in groups if any(d.grid_km or d.opaque for d in passing[g]))
    rounded_s, launch_s = (
        max((one.round_s for one in passing[group]), default=0) if group in groups else 0
        for group in (Group.TIMING, Group.LAUNCH_POINT)
    )
    delay_ms = max(one.delay_ms for group, held_to in passing.items() if group not in kept for one in held_to)
    return View(groups, coarse, rounded_s, launch_s, delay_ms)


def _demands(
    group: Group, between: tuple[Nation, Nation], held: Sequence[Pact], age_s: float
) -> list[Demand] | None:
    """Return what every grant demands; None if nobody grants it, or anybody forbids it."""
    if any(group in pact.forbidden for pact in held):
        return None
    found = [
        grant.demand
        for pact in held
        for grant in pact.grants
        if (grant.originator, grant.recipient) == between
        and grant.group is group
        and not (grant.fresh and age_s > FRESH_S)
    ]
    return found or None


def _may_pass(recipient: Nation, rule: LabellingRules, group: Group) -> bool:
    tighter = [one for one in rule.overrides if one.group is group]
    return all(
        recipient in one.releasable_to
        and one.level <= LEVEL_MAX
        and not one.restrictions - KNOWN_RESTRICTIONS
        for one in tighter
    )


def _is_there(report: Report, group: Group, coast: bool) -> bool:  # noqa: FBT001 - read at one place, above
    if getattr(report, group.value) is None:
        return False
    if group not in _MOVING or not coast:
        return True
    return is_boost_over(report)


def is_boost_over(report: Report) -> bool:
    """Return whether a report's state is after the boost, by its own phase and by the burnout it states."""
    state, timing = report.trajectory, report.timing
    if state is None or state.phase is Phase.BOOST:
        return False
    return timing is None or timing.burnout_at_us is None or state.epoch_us >= timing.burnout_at_us
