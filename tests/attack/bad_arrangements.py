"""Bad arrangements: the shipped trilateral one, each with one mistake that a person could make."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.messages.arrangement import ArrangementTemplate, Flow, KeyClass, PublicKey
from beaconfire.messages.words import Group, Level, Nation
from beaconfire.release.explanation import bundle_from
from beaconfire.release.proof.model import Terms, terms_of
from release_world import JPN, KOR, USA, keys_of

TRILATERAL = shipped_templates()["trilateral"]
PAIRS = """((principal == Party::"JPN" && context.originator == "KOR") ||
   (principal == Party::"KOR" && context.originator == "JPN"))"""


class Bad(NamedTuple):
    """One bad arrangement: what is wrong, the invariant it breaks, and words that must be told."""

    name: str
    terms: Terms
    invariant: str
    words: tuple[str, ...]


def terms(template: ArrangementTemplate = TRILATERAL, **changes: object) -> Terms:
    return msgspec.structs.replace(terms_of(bundle_from(template)), **changes)


def replaced(old: str, new: str, count: int = -1) -> Terms:
    """Return the terms with a piece of the policies replaced."""
    assert old in TRILATERAL.policies, old
    return terms(policies=TRILATERAL.policies.replace(old, new, count))


def added(rule: str) -> Terms:
    return terms(policies=f"{TRILATERAL.policies}\n{rule}")


def without(name: str) -> Terms:
    """Return the terms without one rule."""
    rules = TRILATERAL.policies.split("\n\n")
    kept = [one for one in rules if f'@id("{name}")' not in one]
    assert len(kept) == len(rules) - 1, name
    return terms(policies="\n\n".join(kept))


def flows(change: Callable[[Flow], Flow]) -> Terms:
    return terms(flows=tuple(change(one) for one in TRILATERAL.flows))


def keys(key_class: KeyClass = KeyClass.SIMULATION) -> tuple[PublicKey, ...]:
    return tuple(key.public for key in keys_of(key_class).values())


def hub_key_held_by_japan() -> tuple[PublicKey, ...]:
    public = {key.party: key for key in keys()}
    return tuple(msgspec.structs.replace(public["JPN"], party=p) if p == "HUB" else public[p] for p in public)


def forbid(when: str, name: str = "added") -> str:
    return f'@id("{name}") forbid (principal, action, resource) when {{ {when} }};'


def permit(when: str, marks: str = "") -> str:
    return (
        f'@id("added") {marks} permit (principal, action == Action::"release", resource) when {{ {when} }};'
    )


NAMED = "context.releasable_to.contains(principal)"
TO_AND_FRO = f"{PAIRS} && {NAMED} && context.level <= 2"

BAD: tuple[Bad, ...] = (
    Bad(
        "careless permit",
        added('@id("added") permit (principal, action, resource);'),
        "releasable_to",
        ("would go to", "which its label does not name", "by added"),
    ),
    Bad(
        "the label is not asked",
        replaced("context.releasable_to.contains(principal) &&\n", "", 1),
        "releasable_to",
        ("releasable to nobody", "which its label does not name", "trilateral/warning"),
    ),
    Bad(
        "the label need only name somebody",
        replaced(NAMED, "!context.releasable_to.isEmpty()", 1),
        "releasable_to",
        ("which its label does not name",),
    ),
    Bad(
        "the label is asked for the wrong nation",
        replaced(NAMED, 'context.releasable_to.contains(Party::"JPN")', 1),
        "releasable_to",
        ("would go to KOR, which its label does not name",),
    ),
    Bad(
        "wildcard partner",
        replaced(PAIRS, 'context.originator == "KOR"', 1),
        "parties",
        ("of a report of KOR", "would go to"),
    ),
    Bad(
        "a partner that signed nothing",
        added(permit(f'principal == Party::"AUS" && context.originator == "KOR" && {NAMED}')),
        "parties",
        ("would go to AUS", "AUS is no party to this"),
    ),
    Bad(
        "a report that comes back",
        added(permit(f'principal == Party::"KOR" && context.originator == "KOR" && {NAMED}')),
        "parties",
        ("would go to KOR", "its own report"),
    ),
    Bad(
        "an originator that did not agree",
        added(permit(f'principal == Party::"JPN" && context.originator == "USA" && {NAMED}')),
        "orcon",
        ("restricted ORCON", "would go to JPN, to which USA has not agreed"),
    ),
    Bad(
        "missing forbid of unknown restrictions",
        without("trilateral/known-restrictions-only"),
        "restrictions",
        ("restricted RESTRICTION-A", "nothing here can honour"),
    ),
    Bad(
        "forbid that asks for the wrong thing",
        replaced('["ORCON"].containsAll(context.restrictions)', 'context.restrictions.contains("ORCON")'),
        "restrictions",
        ("restricted ORCON and RESTRICTION", "nothing here can honour"),
    ),
    Bad(
        "unless written for when",
        replaced('unless { ["ORCON"]', 'when { ["ORCON"]'),
        "warning",
        ("would not be warned", "a rule forbids it", "known-restrictions-only"),
    ),
    Bad(
        "missing forbid of modes",
        without("trilateral/made-up-only"),
        "modes",
        ("REAL", "must not mix"),
    ),
    Bad(
        "exercise into live",
        terms(key_class=KeyClass.LIVE, keys=keys(KeyClass.LIVE)),
        "modes",
        ("SIMULATED", "keys of class LIVE"),
    ),
    Bad(
        "live into an exercise",
        terms(
            key_class=KeyClass.EXERCISE,
            keys=keys(KeyClass.EXERCISE),
            policies=TRILATERAL.policies.replace('"EXERCISE", "TEST"', '"EXERCISE", "REAL"'),
        ),
        "modes",
        ("REAL", "keys of class EXERCISE"),
    ),
    Bad(
        "raw measurements",
        terms(
            policies=TRILATERAL.policies.replace('context.group == "raw_measurement"', "context.level > 2")
            + permit(f'{TO_AND_FRO} && context.group == "raw_measurement"')
        ),
        "raw_measurement",
        ("the raw measurement of a report of", "raw measurements, which no flow between them lists"),
    ),
    Bad(
        "an erroring forbid",
        added(forbid('context.nationality == "JPN"', "typing")),
        "errors",
        ("typing fails on", "the whole report would be withheld"),
    ),
    Bad(
        "a forbid of the wrong type",
        added(forbid('context.level == 3 || context.group < "m"', "types")),
        "errors",
        ("types fails on",),
    ),
    Bad(
        "a forbid that overflows for old reports",
        added(forbid("context.age_s * 9000000000000 > 9223372036854775806", "overflow")),
        "errors",
        ("overflow fails on", "s old"),
    ),
    Bad(
        "a forbid of an attribute of the partner",
        added(forbid('principal.cleared == false && context.group == "sensor"', "cleared")),
        "errors",
        ("cleared fails on",),
    ),
    Bad(
        "delay on FLASH",
        added(permit(f'{TO_AND_FRO} && context.group == "timing"', '@delay("30")')),
        "flash",
        ("a FLASH would be delayed by 30 s",),
    ),
    Bad(
        "delay on every lane but one that does not exist",
        added(permit(f'{TO_AND_FRO} && context.lane != "FLAHS"', '@delay("30")')),
        "flash",
        ("a FLASH would be delayed by 30 s", "on FLASH"),
    ),
    Bad(
        "delay longer than a report is worth anything",
        added(permit(f'{TO_AND_FRO} && context.lane == "ROUTINE"', '@delay("301")')),
        "obligations",
        ('delay("301")', "nothing here can meet"),
    ),
    Bad(
        "delay shorter than the flow demands",
        msgspec.structs.replace(
            flows(lambda one: msgspec.structs.replace(one, routine_delay_s=30.0)),
            policies=added(permit(f'{TO_AND_FRO} && context.lane == "ROUTINE"', '@delay("20")')).policies,
        ),
        "flows",
        ("sooner than the 30 s that the flow demands", "on ROUTINE"),
    ),
    Bad(
        "delay that ends where a label keeps one group",
        msgspec.structs.replace(
            flows(lambda one: msgspec.structs.replace(one, routine_delay_s=30.0)),
            policies=added(
                permit(
                    f'{TO_AND_FRO} && context.lane == "ROUTINE" && context.group == "timing"', '@delay("30")'
                )
            ).policies,
        ),
        "flows",
        ("the provenance of a report", "sooner than the 30 s"),
    ),
    Bad(
        "warnings on ROUTINE only",
        replaced("context.level <= 2 &&\n", 'context.level <= 2 && context.lane == "ROUTINE" &&\n'),
        "warning",
        ("would not be warned", "on FLASH"),
    ),
    Bad(
        "an obligation nobody can meet",
        added(permit(f'{TO_AND_FRO} && context.group == "timing"', '@blur("7")')),
        "obligations",
        ("an obligation that nothing here can meet", 'blur("7")'),
    ),
    Bad(
        "a grid without a number",
        replaced('@grid("10")', '@grid("coarse")'),
        "obligations",
        ('grid("coarse")', "nothing here can meet"),
    ),
    Bad(
        "the hub may not coarsen",
        terms(degradable=(Group.SENSOR,)),
        "obligations",
        ("the launch point of a report", "launch_point is not among what the hub may replace"),
    ),
    Bad(
        "a finer grid than agreed",
        replaced('@grid("10")', '@grid("5")'),
        "flows",
        ("the launch point", "finer than the 10 km grid"),
    ),
    Bad(
        "the boost is not left out",
        replaced('@truncate_before("burnout")\n', ""),
        "flows",
        ("the trajectory", "during the boost, which the flow rules out"),
    ),
    Bad(
        "the boost gives the launch point back",
        terms(
            flows=tuple(msgspec.structs.replace(one, coast_only=False) for one in TRILATERAL.flows),
            policies=TRILATERAL.policies.replace('@truncate_before("burnout")\n', ""),
        ),
        "inference",
        ("during the boost, which gives back the launch point",),
    ),
    Bad(
        "sensors by name",
        replaced('@opaque_sensor("yes")\n', ""),
        "flows",
        ("the sensor of a report", "with the names of its sensors"),
    ),
    Bad(
        "more than the flow lists",
        flows(lambda one: msgspec.structs.replace(one, groups=one.groups[:-2] + one.groups[-1:])),
        "flows",
        ("the sensor of a report", "more than the flow between them lists"),
    ),
    Bad(
        "a higher level than the flow",
        flows(lambda one: msgspec.structs.replace(one, level_max=Level.RESTRICTED)),
        "flows",
        ("CONFIDENTIAL", "more than the flow between them lists"),
    ),
    Bad(
        "vacuous: a forbid of everything",
        added(forbid("true", "stop")),
        "warning",
        ("would not be warned", "a rule forbids it (by stop)"),
    ),
    Bad(
        "vacuous: no rule permits",
        terms(policies=forbid('context.group == "sensor"')),
        "warning",
        ("would not be warned", "no rule permits it"),
    ),
    Bad(
        "vacuous: no flow",
        terms(flows=()),
        "warning",
        ("vacuous: no flow at all",),
    ),
    Bad(
        "vacuous: nothing says where",
        flows(lambda one: msgspec.structs.replace(one, groups=(Group.TIMING, Group.PROVENANCE))),
        "warning",
        ("vacuous", "neither launch point nor impact"),
    ),
    Bad(
        "the warning dropped by an obligation",
        replaced('@id("trilateral/warning")', '@id("trilateral/warning") @drop'),
        "warning",
        ("would not be warned", "takes it out"),
    ),
    Bad(
        "the warning too late",
        replaced("context.level <= 2 &&\n", "context.level <= 2 && context.age_s > 60 &&\n", 1),
        "warning",
        ("would not be warned", "1 s old"),
    ),
    Bad(
        "one direction only",
        replaced('||\n   (principal == Party::"KOR" && context.originator == "JPN")', ""),
        "warning",
        ("KOR would not be warned",),
    ),
    Bad(
        "a rule that applies to nothing",
        added(forbid('context.mode == "REEL" && context.group == "sensor"', "mistyped")),
        "idle",
        ("the forbid mistyped applies to no report at all",),
    ),
    Bad(
        "two of three need sign",
        terms(required_signers=(USA, JPN)),
        "signatures",
        ("KOR is bound by it and need not sign",),
    ),
    Bad(
        "somebody else signs",
        terms(required_signers=(USA, JPN, KOR, Nation("AUS"))),
        "signatures",
        ("not an arrangement between nations",),
    ),
    Bad(
        "a nation holds the hub's key",
        terms(key_class=KeyClass.SIMULATION, keys=hub_key_held_by_japan()),
        "keys",
        ("JPN", "HUB", "have the same key"),
    ),
    Bad(
        "outside the fragment: a pattern",
        added(forbid('context.originator like "K*"', "pattern")),
        "fragment",
        ("pattern uses like, which the proof can't follow",),
    ),
    Bad(
        "outside the fragment: an extension",
        added(forbid('ip("10.0.0.1").isLoopback()', "address")),
        "fragment",
        ("address uses", "which the proof can't follow"),
    ),
    Bad("not Cedar", terms(policies="permit everything"), "policies", ("policies that do not parse",)),
    Bad(
        "a template of policies",
        terms(policies="permit (principal == ?principal, action, resource);"),
        "policies",
        ("policy templates",),
    ),
    Bad(
        "two rules of one name",
        added(forbid("context.level > 2", "trilateral/sensor")),
        "policies",
        ("two policies with the id trilateral/sensor",),
    ),
)
