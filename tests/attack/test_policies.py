"""Policies that err, oblige to the unknown, or forbid: each ends in nothing being released."""

import msgspec
import pytest

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.errors import UsageError
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.words import HUB, Group, Lane, Mode
from beaconfire.release.arrangements import Arrangements
from beaconfire.release.cedar import CedarDecider, check_policies
from beaconfire.release.decide import (
    Later,
    Outgoing,
    Released,
    release_to_hub,
    release_to_partner,
)
from beaconfire.release.label import label_report
from beaconfire.release.opening import Opened, open_sealed
from beaconfire.release.ruling import Question, Releaser, Ruling, rule_for
from beaconfire.release.terms import SealTerms
from release_world import (
    JPN,
    KOR,
    T0_US,
    USA,
    agreement_with,
    agreements,
    key_of,
    keyring,
    report,
    rules,
)

TEMPLATE = shipped_templates()["trilateral"]
PERMIT_ALL = """@id("all") permit (principal, action, resource)
unless { ["raw_measurement", "launch_point", "sensor"].contains(context.group) };"""


def to_japan(policies: str) -> Released[Outgoing] | Withheld | Later:
    """Return what the hub decides for Japan under these policies, over a report sealed under the shipped."""
    honest = Arrangements(agreements())
    label = label_report(rules(KOR), KOR, (JPN, USA))
    terms = SealTerms(label, T0_US, T0_US + 600_000_000, ())
    guard = Releaser(CedarDecider(agreements()), honest, key_of(KOR), b"s" * 32, Mode.SIMULATED)
    sealed = release_to_hub(report(), terms, guard)
    assert isinstance(sealed, Released)
    opened = open_sealed(
        sealed.value.sealed,
        recipient=HUB,
        keyring=keyring(),
        now_us=T0_US,
        mode=Mode.SIMULATED,
        arrangements=honest,
        hops=0,
    )
    assert isinstance(opened, Opened)
    changed = agreement_with(policies, TEMPLATE)
    hub = Releaser(CedarDecider([changed]), Arrangements([changed]), key_of(HUB), b"h" * 32, Mode.SIMULATED)
    return release_to_partner(opened, JPN, hub, T0_US)


def test_permit_alone_releases() -> None:
    answer = to_japan(PERMIT_ALL)
    assert isinstance(answer, Released)
    assert Group.TRAJECTORY in answer.value.groups


def test_a_covariance_is_held_to_what_its_state_is_held_to() -> None:
    """Found by the noninterference campaign: one arrangement cut the state, another let the covariance by."""
    changed = agreement_with(
        """@id("state") @truncate_before("burnout") permit (principal, action, resource)
        when { context.group == "trajectory" };
        @id("rest") permit (principal, action, resource)
        when { ["covariance", "timing", "provenance", "launch_point"].contains(context.group) };""",
        TEMPLATE,
    )
    hub = Releaser(CedarDecider([changed]), Arrangements([changed]), key_of(HUB), b"h" * 32, Mode.SIMULATED)
    ruling = rule_for(
        hub, label_report(rules(KOR), KOR, (JPN, USA)), JPN, (changed,), age_us=0, lane=Lane.FLASH
    )
    assert isinstance(ruling, Ruling)
    assert ruling.groups[Group.COVARIANCE].coast_only


BAD_POLICIES = [
    ("erroring forbid", "forbid (principal, action, resource) when { context.nosuch };", "policy-error"),
    (
        "forbid with a type error",
        "forbid (principal, action, resource) when { context.level };",
        "policy-error",
    ),
    (
        "overflow while evaluating",
        "forbid (principal, action, resource) when { context.level + 9223372036854775807 * 2 > 0 };",
        "policy-error",
    ),
    (
        "erroring permit",
        "permit (principal, action, resource) when { context.nosuch == 1 };",
        "policy-error",
    ),
    (
        "unknown obligation",
        '@blur("7") permit (principal, action, resource) when { context.group == "timing" };',
        "unknown-obligation",
    ),
    (
        "known obligation, malformed",
        '@grid("many") permit (principal, action, resource) when { context.group == "timing" };',
        "unknown-obligation",
    ),
    (
        "a delay of a FLASH",
        '@delay("5") permit (principal, action, resource) when { context.group == "timing" };',
        "unknown-obligation",
    ),
    ("forbid all", "forbid (principal, action, resource);", "forbidden"),
    (
        "forbid Japan by its label",
        (
            'forbid (principal == Party::"JPN", action, resource) '
            "when { context.releasable_to.contains(principal) };"
        ),
        "forbidden",
    ),
]


@pytest.mark.parametrize(("added", "reason"), [b[1:] for b in BAD_POLICIES], ids=[b[0] for b in BAD_POLICIES])
def test_policy_that_errs_or_forbids_withholds_all(added: str, reason: str) -> None:
    answer = to_japan(f"{PERMIT_ALL}\n{added}")
    assert isinstance(answer, Withheld)
    assert answer.reason == Reason(reason)


def test_forbid_of_one_group_takes_out_that_group_only() -> None:
    forbid = 'forbid (principal, action, resource) when { context.group == "impact" };'
    answer = to_japan(f"{PERMIT_ALL}\n{forbid}")
    assert isinstance(answer, Released)
    assert Group.IMPACT not in answer.value.groups
    assert Group.TIMING in answer.value.groups


def test_policies_looser_than_the_flows_are_stopped_by_the_second_check() -> None:
    answer = to_japan("permit (principal, action, resource);")
    assert isinstance(answer, Withheld)
    assert answer.reason is Reason.SECOND_CHECK


def test_obligation_without_meaning_for_a_group_takes_the_group_out() -> None:
    strange = '@opaque_sensor("yes") permit (principal, action, resource) when { context.group == "impact" };'
    answer = to_japan(f"{PERMIT_ALL}\n{strange}")
    assert isinstance(answer, Released)
    assert Group.IMPACT not in answer.value.groups


def test_policies_never_loaded_withhold() -> None:
    decider = CedarDecider([])
    held = agreements()[-1:]
    label = label_report(rules(KOR), KOR, (JPN,))
    question = Question(label, JPN, Mode.SIMULATED, 1, (held[0].digest,))
    answer = decider.decide(question, held)
    assert isinstance(answer, Withheld)
    assert answer.reason is Reason.NO_ARRANGEMENT


def test_a_ruling_is_remembered_by_all_it_depends_on() -> None:
    held = agreements()[-1:]
    decider = CedarDecider(held)
    label = label_report(rules(KOR), KOR, (JPN,))
    question = Question(label, JPN, Mode.SIMULATED, 1, (held[0].digest,))
    assert isinstance(decider.decide(question, held), Ruling)
    tighter = msgspec.structs.replace(label, restrictions=frozenset({"ORCON", "EYES"}))
    assert isinstance(decider.decide(msgspec.structs.replace(question, label=tighter), held), Withheld)
    other = msgspec.structs.replace(question, recipient=USA)
    assert isinstance(decider.decide(other, held), Withheld)


@pytest.mark.parametrize("text", ["permit (principal", "permit (principal == ?principal, action, resource);"])
def test_policies_that_do_not_parse_or_are_templates_are_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        check_policies(text, "test")
