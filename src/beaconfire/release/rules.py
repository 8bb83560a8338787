"""The rules of an arrangement as data: Cedar text to effect, conditions and obligations, rule by rule."""

import json
from typing import Any, Final

import cedarpy
import msgspec

from beaconfire.errors import UsageError
from beaconfire.release.obligations import Obligations, obligations_from

MAXIMUM_RULES: Final = 512


class Rule(msgspec.Struct, frozen=True):
    """One Cedar policy.

    Attributes:
        name: its `@id`, or where it stands if it has none.
        permits: True for a permit, False for a forbid.
        annotations: as written.
        obligations: what a permit demands; None if one is unknown or malformed.
        policy: Cedar's JSON form of it.
    """

    name: str
    permits: bool
    annotations: dict[str, str | None]
    obligations: Obligations | None
    policy: dict[str, Any]


def read_rules(text: str, where: str) -> tuple[Rule, ...]:
    """Return the rules in a Cedar text, in order.

    Raises:
        UsageError: not Cedar, templates in it, two rules of one name, or too many of them.

    Source: Cedar policy language, "JSON policy format", as `cedarpy.policies_to_json_str` writes it.
    """
    try:
        parsed: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise UsageError(f"policies that do not parse: {error}", where) from error
    if parsed["templates"] or parsed["templateLinks"]:
        raise UsageError("policy templates", where, "plain policies only")
    static: dict[str, dict[str, Any]] = parsed["staticPolicies"]
    if len(static) > MAXIMUM_RULES:
        raise UsageError(f"{len(static)} policies", where, f"at most {MAXIMUM_RULES}")
    ordered = sorted(static.items(), key=lambda item: int(item[0].removeprefix("policy")))
    rules = tuple(_rule(name, policy, where) for name, policy in ordered)
    names = [rule.name for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two policies with the id {twice}", where, "an id of its own for each")
    return rules


def _rule(name: str, policy: dict[str, Any], where: str) -> Rule:
    annotations: dict[str, str | None] = policy.get("annotations", {})
    return Rule(
        name=str(annotations.get("id") or f"{where}/{name}"),
        permits=policy["effect"] == "permit",
        annotations=annotations,
        obligations=obligations_from(annotations),
        policy=policy,
    )
