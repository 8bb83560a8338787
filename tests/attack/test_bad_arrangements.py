"""Every bad arrangement fails, by the invariant it breaks, with a counterexample that a person can read."""

import msgspec
import pytest

from attack.bad_arrangements import BAD, TO_AND_FRO, Bad, added, flows, permit, terms
from beaconfire.adapters.bundles import example_templates, shipped_templates
from beaconfire.release.proof.prove import prove
from beaconfire.release.proof.search import Search


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 25
    assert len({one.name for one in BAD}) == len(BAD)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_it_fails_with_a_counterexample_in_words(bad: Bad) -> None:
    broken = {one.invariant: one.words for one in prove(bad.terms) if not one.holds}
    assert bad.invariant in broken, broken
    told = broken[bad.invariant]
    assert all(words in told for words in bad.words), told


def test_a_roll_back_fails() -> None:
    newer = terms(version=2)
    for older in (terms(), newer):
        (finding,) = [one for one in prove(older, after=newer) if one.invariant == "rollback"]
        assert not finding.holds
        assert "would roll back version 2" in finding.words
    assert all(one.holds for one in prove(newer, after=terms()))


def test_another_arrangement_does_not_follow() -> None:
    findings = prove(terms(arrangement="quadrilateral", version=9), after=terms())
    assert any("quadrilateral does not follow trilateral" in one.words for one in findings)


TEMPLATES = shipped_templates() | example_templates()


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_shipped_ones_are_proved(name: str) -> None:
    findings = prove(terms(TEMPLATES[name]))
    assert not [one for one in findings if not one.holds]
    assert {"releasable_to", "orcon", "modes", "raw_measurement", "parties", "warning"} <= {
        one.invariant for one in findings
    }


def test_a_delay_of_routine_reports_is_proved_and_said() -> None:
    late = permit(
        f'{TO_AND_FRO} && context.lane == "ROUTINE" && context.group == "provenance"', '@delay("30")'
    )
    delayed = flows(lambda one: msgspec.structs.replace(one, routine_delay_s=30.0))
    findings = prove(msgspec.structs.replace(delayed, policies=added(late).policies))
    assert not [one for one in findings if not one.holds]


def test_what_is_not_decided_in_time_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*properties: object) -> None:
        raise TimeoutError("timeout")

    monkeypatch.setattr(Search, "find", search)
    assert any("not decided within its time" in one.words for one in prove(terms()) if not one.holds)
