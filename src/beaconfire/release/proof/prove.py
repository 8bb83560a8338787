"""Prove an arrangement: every invariant, each with what was proved or a counterexample in plain words."""

from collections.abc import Iterable

from beaconfire.errors import UsageError
from beaconfire.messages.words import HUB
from beaconfire.release.proof.invariants import SOLVED, Finding
from beaconfire.release.proof.model import Terms, model_of
from beaconfire.release.proof.search import Search
from beaconfire.release.proof.translate import OutsideFragment
from beaconfire.release.rules import Rule, read_rules


def prove(terms: Terms, *, after: Terms | None = None) -> tuple[Finding, ...]:
    """Return a finding for every invariant.

    Args:
        terms: what is to be proved.
        after: the version in force that it would follow; None if there is none.
    """
    findings = [_signers(terms), _keys(terms)]
    if after is not None:
        findings.append(_newer(terms, after))
    try:
        rules = read_rules(terms.policies, terms.arrangement)
    except UsageError as error:
        return (*findings, Finding("policies", holds=False, words=str(error)))
    return (*findings, *_solved(terms, rules))


def _solved(terms: Terms, rules: tuple[Rule, ...]) -> Iterable[Finding]:
    try:
        model = model_of(terms, rules)
    except OutsideFragment as outside:
        words = f"{outside.rule} uses {outside.construct}, which the proof can't follow: nothing was proved"
        return [Finding("fragment", holds=False, words=words, rules=(outside.rule,))]
    search = Search(model.symbols)
    findings = []
    for invariant in SOLVED:
        try:
            findings.append(invariant(model, search))
        except TimeoutError as error:
            name = invariant.__name__
            findings.append(Finding(name, holds=False, words=f"not decided within its time: {error}"))
    return findings


def _signers(terms: Terms) -> Finding:
    idle = [party for party in terms.parties if party not in terms.required_signers]
    if idle:
        words = f"{', '.join(idle)} is bound by it and need not sign"
        return Finding("signatures", holds=False, words=words)
    strangers = [party for party in terms.required_signers if party not in terms.parties]
    if strangers or len(terms.parties) < 2 or HUB in terms.parties:
        words = f"{', '.join(terms.parties)} with signatures of {', '.join(terms.required_signers)}"
        return Finding("signatures", holds=False, words=f"not an arrangement between nations: {words}")
    return Finding("signatures", holds=True, words="every party must sign")


def _keys(terms: Terms) -> Finding:
    """The hub's key is the hub's alone: a party that held it could pass for the hub."""
    held: dict[bytes, str] = {}
    for key in terms.keys:
        if key.public in held:
            words = f"{held[key.public]} and {key.party} have the same key: one could pass for the other"
            return Finding("keys", holds=False, words=words)
        held[key.public] = key.party
    return Finding("keys", holds=True, words="no two parties share a key; none is the hub's")


def _newer(terms: Terms, after: Terms) -> Finding:
    if terms.arrangement != after.arrangement:
        words = f"{terms.arrangement} does not follow {after.arrangement}"
        return Finding("rollback", holds=False, words=words)
    if terms.version <= after.version:
        words = f"version {terms.version} would roll back version {after.version}"
        return Finding("rollback", holds=False, words=words)
    return Finding("rollback", holds=True, words=f"version {terms.version} follows version {after.version}")
