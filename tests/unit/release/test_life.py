"""From a first draft to an arrangement that ends: what the papers and words say, at every step."""

from collections.abc import Iterable

import msgspec
import pytest

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import SignedBundle
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import HUB, Nation
from beaconfire.release.arrangements import add_signature
from beaconfire.release.life import Paper, Stage, Standing, draft, paper_of, standings
from release_world import FROM_US, JPN, KOR, T0_US, UNTIL_US, USA, key_of, keys_of, suspension

TRILATERAL = shipped_templates()["trilateral"]


def proposed(by: Nation = USA, signers: Iterable[str] = (), counters: Paper | None = None) -> Paper:
    public = [key.public for key in keys_of().values()]
    made = draft(TRILATERAL, public, proposed_by=by, validity_us=(FROM_US, UNTIL_US), counters=counters)
    return signed_by(paper_of(made, "draft"), by, *signers)


def signed_by(paper: Paper, *parties: str) -> Paper:
    signed = paper.signed
    for party in parties:
        signed = add_signature(signed, key_of(party))
    return paper_of(signed, paper.where)


def one(paper: Paper, *words: Suspension, others: Iterable[Paper] = (), now_us: int = T0_US) -> Standing:
    held = standings([paper, *others], words, now_us)
    return next(standing for standing in held if standing.digest == paper.digest)


def test_a_draft_says_who_has_signed_and_what_is_open() -> None:
    standing = one(proposed())
    assert standing.stage is Stage.PROPOSED
    assert standing.proposed_by == USA
    assert standing.signed == (USA,)
    assert set(standing.open) == {JPN, KOR}


def test_a_counter_proposal_has_the_next_version_and_no_old_signature() -> None:
    first = proposed(signers=[KOR])
    second = proposed(by=JPN, counters=first)
    assert second.bundle.version == first.bundle.version + 1
    assert second.bundle.counters == first.digest
    assert one(second, others=[first]).signed == (JPN,)
    assert one(first, others=[second]).stage is Stage.COUNTERED
    assert "version 2 of JPN" in one(first, others=[second]).because


def test_signed_by_all_it_is_in_force_within_its_validity() -> None:
    paper = proposed(signers=[JPN, KOR])
    assert one(paper).stage is Stage.IN_FORCE
    assert one(paper, now_us=FROM_US - 1).stage is Stage.SIGNED
    assert one(paper, now_us=UNTIL_US).stage is Stage.EXPIRED


def test_any_party_suspends_alone_and_only_it_resumes() -> None:
    paper = proposed(signers=[JPN, KOR])
    stopped = one(paper, suspension(KOR, 1))
    assert stopped.stage is Stage.SUSPENDED
    assert stopped.because == "by KOR"
    assert one(paper, suspension(KOR, 1), suspension(JPN, 2, suspended=False)).stage is Stage.SUSPENDED
    assert one(paper, suspension(KOR, 1), suspension(KOR, 2, suspended=False)).stage is Stage.IN_FORCE
    assert one(paper, suspension(KOR, 3), suspension(KOR, 2, suspended=False)).stage is Stage.SUSPENDED


def test_a_word_of_nobody_counts_for_nothing() -> None:
    paper = proposed(signers=[JPN, KOR])
    forged = msgspec.structs.replace(suspension(KOR, 1), party=JPN)
    assert one(paper, forged).stage is Stage.IN_FORCE
    assert one(paper, suspension("AUS")).stage is Stage.IN_FORCE


def test_a_withdrawal_ends_it_for_good_but_not_a_version_signed_later() -> None:
    first = proposed(signers=[JPN, KOR])
    leaving = suspension(JPN, 5, final=True, version=1)
    assert one(first, leaving, suspension(JPN, 6, suspended=False)).stage is Stage.WITHDRAWN
    second = signed_by(proposed(by=KOR, counters=first), USA, JPN)
    assert one(second, leaving, others=[first]).stage is Stage.IN_FORCE
    assert one(first, others=[second]).stage is Stage.ENDED
    assert one(proposed(), suspension(USA, 1, final=True, version=1)).stage is Stage.WITHDRAWN


def test_a_draft_never_ends_what_is_in_force() -> None:
    first = proposed(signers=[JPN, KOR])
    assert one(first, others=[proposed(by=KOR, counters=first)]).stage is Stage.IN_FORCE


def test_an_altered_text_is_void_and_two_texts_of_a_version_are_told() -> None:
    paper = proposed(signers=[JPN, KOR])
    altered = SignedBundle(
        bundle=paper.signed.bundle.replace("10000.0", "10.0"), signatures=paper.signed.signatures
    )
    assert one(paper_of(altered, "altered")).stage is Stage.VOID
    other = proposed(by=JPN)
    assert "another text of version 1" in one(other, others=[proposed(by=KOR)]).because
    twin = signed_by(other, USA, KOR)
    assert one(twin, others=[paper]).stage is Stage.VOID


@pytest.mark.parametrize("missing", ["JPN", HUB])
def test_a_draft_needs_a_key_of_everybody(missing: str) -> None:
    public = [key.public for party, key in keys_of().items() if party != missing]
    with pytest.raises(UsageError, match=f"no public key of {missing}"):
        draft(TRILATERAL, public, proposed_by=USA, validity_us=(FROM_US, UNTIL_US))


def test_a_stranger_proposes_nothing_and_a_lease_is_bounded() -> None:
    public = [key.public for key in keys_of().values()]
    with pytest.raises(UsageError, match="AUS is no party"):
        draft(TRILATERAL, public, proposed_by="AUS", validity_us=(FROM_US, UNTIL_US))
    endless = msgspec.structs.replace(TRILATERAL, lease_s=86_400)
    with pytest.raises(UsageError, match="a lease of 86400 s"):
        draft(endless, public, proposed_by=USA, validity_us=(FROM_US, UNTIL_US))
    other = msgspec.structs.replace(TRILATERAL, arrangement="other")
    with pytest.raises(UsageError, match="other does not answer trilateral"):
        draft(other, public, proposed_by=USA, validity_us=(FROM_US, UNTIL_US), counters=proposed())
