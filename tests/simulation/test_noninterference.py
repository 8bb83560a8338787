"""Nothing that a nation may not have moves a byte of what it gets: pairs of runs of real guards and hub."""

import os
from collections import deque

import msgspec
import pytest

from beaconfire.messages.refusal import Withheld
from beaconfire.messages.words import Nation
from beaconfire.nodes.hub import passage as hub_passage
from beaconfire.release.choice import Waited
from beaconfire.release.decide import Later, Outgoing, Released, release_to_partner
from beaconfire.release.opening import Opened
from beaconfire.release.ruling import Releaser
from beaconfire.sim.chance import Chance
from beaconfire.sim.noninterference import Pairs
from beaconfire.sim.pacts import draw_pact, template_of
from beaconfire.sim.sight import Breach
from beaconfire.sim.story import NATIONS, draw_pacts, draw_rules, draw_story
from beaconfire.sim.twins import draw_twin

PAIRS = int(os.environ.get("BEACONFIRE_PAIRS", "5000"))
PIECES = 5


@pytest.mark.parametrize("piece", range(PIECES))
def test_no_observer_can_tell_a_twin(piece: int) -> None:
    pairs = Pairs()
    pairs.run_until(PAIRS // PIECES, first=1_000_000 * piece)
    tally = pairs.tally
    assert tally.pairs >= PAIRS // PIECES
    assert min(tally.given, tally.withheld, tally.veiled, tally.pairs - tally.veiled) > tally.stories / 5


def test_the_same_number_gives_the_same_story_and_twin() -> None:
    def drawn() -> tuple[object, object]:
        story = draw_story(7, draw_pacts(Chance(3, "pacts")), draw_rules(Chance(3, "rules")))
        return story, draw_twin(story, 11)

    assert drawn() == drawn()


def test_a_drawn_pact_says_in_cedar_and_in_flows_what_it_lists() -> None:
    pact = draw_pact("trilateral", NATIONS, Chance(5, "pact"))
    template = template_of(pact)
    assert template.policies.count("permit (principal ==") == len(pact.grants)
    pairs = {(grant.originator, grant.recipient) for grant in pact.grants}
    assert {(flow.originator, flow.recipient) for flow in template.flows} == pairs


def test_what_waits_passes_under_no_other_arrangements_than_it_came_under() -> None:
    """Found by the campaign: an arrangement was suspended meanwhile, and its obligations with it."""
    Pairs().run(5_026_510)


def test_ids_that_count_what_others_get_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known bad: numbers what a nation gets by all that was decided, for whomever."""
    counted: list[str] = []

    def counting(
        opened: Opened, recipient: str, releaser: Releaser, now_us: int, waited: Waited | None = None
    ) -> Released[Outgoing] | Withheld | Later:
        counted.append(recipient)
        answer = release_to_partner(opened, Nation(recipient), releaser, now_us, waited)
        if isinstance(answer, Released):
            assert isinstance(answer.value, Outgoing)
            numbered = msgspec.structs.replace(answer.value, report_id=f"{len(counted)}")
            object.__setattr__(answer, "value", numbered)
        return answer

    monkeypatch.setattr(hub_passage, "release_to_partner", counting)
    pairs = Pairs()
    with pytest.raises(Breach):
        deque(map(pairs.run, range(50)), maxlen=0)
