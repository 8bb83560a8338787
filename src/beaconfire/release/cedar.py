"""Decisions by Cedar policies. Only the guard and hub processes import this module.

Cedar skips a policy that errors while it is evaluated, so a failing `forbid` would leave a permit
standing: any evaluation error here withholds the whole report.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

import cedarpy
import msgspec

from beaconfire.errors import UsageError
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.words import Group
from beaconfire.release.arrangements import Agreement
from beaconfire.release.content import GROUPS
from beaconfire.release.label import rights_of
from beaconfire.release.obligations import Obligations, obligations_from
from beaconfire.release.ruling import Question, Ruling

MAXIMUM_REMEMBERED: Final = 4_096
"""Rulings remembered; when full, all are forgotten at once."""


class _Compiled(msgspec.Struct, frozen=True):
    """One arrangement's policies, parsed once: the set, and obligations and rule by Cedar's policy id."""

    policies: cedarpy.PolicySet
    obligations: dict[str, Obligations | None]
    rules: dict[str, str]


def check_policies(text: str, where: str) -> None:
    """Accept Cedar text that a `CedarDecider` can use.

    Raises:
        UsageError: not Cedar, or templates in it.
    """
    _compile(text, where)


def _compile(text: str, where: str) -> _Compiled:
    try:
        policies = cedarpy.PolicySet.from_str(text)
        parsed: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise UsageError(f"policies that do not parse: {error}", where) from error
    if parsed["templates"] or parsed["templateLinks"]:
        raise UsageError("policy templates", where, "plain policies only")
    static = {name: one.get("annotations", {}) for name, one in parsed["staticPolicies"].items()}
    return _Compiled(
        policies=policies,
        obligations={name: obligations_from(marks) for name, marks in static.items()},
        rules={name: str(marks.get("id") or f"{where}/{name}") for name, marks in static.items()},
    )


class CedarDecider:
    """Decides by the policies of the agreements it was given; see `release.decide.Decider`."""

    def __init__(self, agreements: Iterable[Agreement]) -> None:
        """Parse all policies once.

        Raises:
            UsageError: policies that do not parse.
        """
        self._compiled = {a.digest: _compile(a.bundle.policies, a.bundle.arrangement) for a in agreements}
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._remembered: dict[Question, Ruling | Withheld] = {}

    def replace(self, agreements: Iterable[Agreement]) -> None:
        """Decide by the policies of these agreements from now on.

        Raises:
            UsageError: policies that do not parse; nothing is changed.
        """
        held = self._compiled
        self._compiled = {
            a.digest: held.get(a.digest) or _compile(a.bundle.policies, a.bundle.arrangement)
            for a in agreements
        }
        self._remembered.clear()

    @property
    def remembered(self) -> int:
        """Number of rulings remembered, at most `MAXIMUM_REMEMBERED`."""
        return len(self._remembered)

    def decide(self, question: Question, agreements: tuple[Agreement, ...]) -> Ruling | Withheld:
        """Return which groups may pass and under what obligations, or why nothing may."""
        known = self._remembered.get(question)
        if known is None:
            known = self._rule(question, agreements)
            if len(self._remembered) >= MAXIMUM_REMEMBERED:
                self._remembered.clear()
            self._remembered[question] = known
        return known

    def _rule(self, question: Question, agreements: tuple[Agreement, ...]) -> Ruling | Withheld:
        groups: dict[Group, Obligations] = {}
        rules: dict[Group, tuple[str, ...]] = {}
        basis: set[str] = set()
        for group in GROUPS:
            verdict = self._rule_group(question, group, agreements)
            if isinstance(verdict, Withheld):
                return verdict
            if verdict.granted_by:
                groups[group] = verdict.obligations
                basis.update(verdict.granted_by)
            rules[group] = verdict.rules
        if not groups:
            named = ",".join(sorted({rule for held in rules.values() for rule in held}))
            return Withheld(reason=Reason.FORBIDDEN, rule=named[:200], detail="no group may pass")
        return Ruling(groups=groups, rules=rules, basis=tuple(sorted(basis)))

    def _rule_group(
        self, question: Question, group: Group, agreements: tuple[Agreement, ...]
    ) -> "_GroupVerdict | Withheld":
        joined = _GroupVerdict(obligations=Obligations(), granted_by=(), rules=())
        request = _request(question, group)
        for agreement in agreements:
            one = self._evaluate(request, agreement)
            if isinstance(one, Withheld):
                return one
            if one is None:
                continue
            if not one.granted_by:
                return one
            joined = _GroupVerdict(
                obligations=joined.obligations.join(one.obligations),
                granted_by=joined.granted_by + one.granted_by,
                rules=joined.rules + one.rules,
            )
        return joined

    def _evaluate(self, request: dict[str, Any], agreement: Agreement) -> "_GroupVerdict | Withheld | None":
        """Return a grant, an explicit forbid (granted by nothing), silence (None), or a refusal."""
        compiled = self._compiled.get(agreement.digest)
        name = agreement.bundle.arrangement
        if compiled is None:
            return Withheld(reason=Reason.NO_ARRANGEMENT, rule=name, detail="policies not loaded")
        try:
            answer = cedarpy.is_authorized(request, compiled.policies, self._entities)
        except Exception as error:  # noqa: BLE001 - whatever the engine throws, nothing passes
            return Withheld(reason=Reason.POLICY_ERROR, rule=name, detail=str(error)[:200])
        if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
            return Withheld(
                reason=Reason.POLICY_ERROR, rule=name, detail="; ".join(answer.diagnostics.errors)[:200]
            )
        reasons = list(answer.diagnostics.reasons)
        rules = tuple(compiled.rules.get(reason, reason) for reason in reasons)
        if not answer.allowed:
            return _GroupVerdict(Obligations(), (), rules) if reasons else None
        joined = Obligations()
        for reason in reasons:
            one = compiled.obligations.get(reason)
            if one is None:
                return Withheld(reason=Reason.UNKNOWN_OBLIGATION, rule=",".join(rules))
            joined = joined.join(one)
        if not reasons:
            return Withheld(reason=Reason.POLICY_ERROR, rule=name, detail="allowed without a reason")
        return _GroupVerdict(joined, (name,), rules)


class _GroupVerdict(msgspec.Struct, frozen=True):
    """Obligations, the arrangements that grant (none: forbidden or not granted), and the rules."""

    obligations: Obligations
    granted_by: tuple[str, ...]
    rules: tuple[str, ...]


def _request(question: Question, group: Group) -> dict[str, Any]:
    rights = rights_of(question.label, group)
    parties = [{"__entity": {"type": "Party", "id": one}} for one in sorted(rights.releasable_to)]
    return {
        "principal": _entity("Party", question.recipient),
        "action": 'Action::"release"',
        "resource": 'Report::"report"',
        "context": {
            "originator": question.label.originator,
            "group": group.value,
            "mode": question.mode.value,
            "level": int(rights.level),
            "releasable_to": parties,
            "restrictions": sorted(rights.restrictions),
            "age_s": question.age_s,
            "lane": question.lane.value,
        },
    }


def _entity(kind: str, name: str) -> str:
    return f"{kind}::{json.dumps(name)}"
