"""Noninterference: runs that differ only in what a nation may not have give that nation the same bytes.

The real guards and the real hub run on the simulated clock, network and disk. What is compared is all that
goes to the observer over its links, in order and with its time, and every byte of its two audit logs and
their checkpoints. In every `PICTURED`th story its own real picture runs too, and every event and notice
that comes of it is compared, never veiled. Besides, every run is held against a plain reading of the
arrangements (`sim.pacts`): the observer has exactly what it may have, and the two judges never disagree.

Where something withheld within a report that passes differs, the salted digest of it differs, and with it
signatures and hashes over the header. These bytes alone are veiled before the comparison; that a digest
tells nothing of what it hides rests on its secret salt, which is tested elsewhere.
"""

import hmac
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import msgspec

from beaconfire.audit.record import decode_record
from beaconfire.messages.arrangement import KeyClass, PublicKey
from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import HUB, Lane, Mode, Nation, TimeUs
from beaconfire.nodes.commands import Channel, Node, Rows
from beaconfire.nodes.guard import GuardConfig, GuardNode
from beaconfire.nodes.hub import HubConfig, HubNode
from beaconfire.nodes.picture import PictureConfig, PictureNode
from beaconfire.release.arrangements import Agreement, make_bundle, verify_bundle
from beaconfire.release.attest import sign_suspension
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.sim.chance import Chance
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.engine import Engine
from beaconfire.sim.network import Address
from beaconfire.sim.onlooker import Onlooker, Ways
from beaconfire.sim.pacts import NOTHING, Pact, template_of
from beaconfire.sim.sight import Breach, Given, Seen, first_difference
from beaconfire.sim.story import (
    NATIONS,
    SLOT_US,
    SLOTS,
    START_US,
    Said,
    Story,
    Word,
    draw_pacts,
    draw_rules,
    draw_story,
)
from beaconfire.sim.takers import Mute, Taker
from beaconfire.sim.twins import draw_twin

TWINS: Final = 6
"""Twins of each story: that many pairs, so a story is run once for all of them."""
STORIES_OF_PACTS: Final = 4
"""Stories among the same arrangements, so that what the deciders remember of one meets the others."""
STORIES_OF_RULES: Final = 2
PICTURED: Final = 5
"""In each so manyth story the observer's picture is the real one, which computes; else a stand-in takes."""
QUIET_US: Final = 300_000
"""After the last slot, so that resends and gathered receipts fall into the story."""
PROMPT_US: Final = 60_000
"""Longest way of a report from its nation through the hub."""
AFTER_US: Final = 61_000_000
"""After every other story the clock jumps: checkpoints are due then."""
VALID_US: Final = 10**12
HUB_ADDRESS: Final = Address(HUB, "hub")


class World:
    """Keys of three nations and a hub; agreements and deciders of the pacts at hand."""

    def __init__(self) -> None:
        """Make the keys: of class SIMULATION, from a fixed text, good for nothing else."""
        self._keys = {party: _key(party) for party in (*NATIONS, HUB)}
        self._keyring = Keyring(KeyClass.SIMULATION, [key.public for key in self._keys.values()])
        self._agreements: dict[Pact, Agreement] = {}
        self._deciders: dict[tuple[Pact, ...], CedarDecider] = {}

    def public_keys(self) -> tuple[PublicKey, ...]:
        """Return the public halves of all keys."""
        return tuple(key.public for key in self._keys.values())

    def forget(self) -> None:
        """Forget the agreements: others come."""
        self._agreements.clear()
        self._deciders.clear()

    def _agreement(self, pact: Pact) -> Agreement:
        known = self._agreements.get(pact)
        if known is None:
            signed = make_bundle(
                template_of(pact),
                list(self._keys.values()),
                valid_from_us=START_US - VALID_US,
                valid_until_us=START_US + VALID_US,
            )
            known = verify_bundle(signed, pact.name, now_us=START_US, trusted=self._keyring)
            self._agreements[pact] = known
        return known

    def run(self, story: Story, seed: int) -> Seen:
        """Return everything that reaches the observer of a story."""
        watcher = Onlooker(story.observer)
        engine = Engine(START_US - SLOT_US, Ways(seed), [watcher])
        self._host(engine, story, pictured=_is_pictured(seed))
        for said in story.said:
            guard = Address(said.report.originator, "guard")
            engine.inject(said.at_us, guard, (Channel.OWN_REPORT, said.report))
            if said.report.originator == story.observer and _is_pictured(seed):
                picture = Address(story.observer, "picture")
                engine.inject(said.at_us, picture, (Channel.OWN_REPORT, said.report))
        for word in story.words:
            said_word = self._suspension(word)
            at_us = START_US + word.slot * SLOT_US
            engine.inject(at_us, Address(word.party, "guard"), (Channel.TO_HUB, said_word))
        engine.run_until(START_US + SLOTS * SLOT_US + QUIET_US)
        if seed % 2:
            engine.scheduler.skip_to(START_US + AFTER_US)
            engine.run_until(START_US + AFTER_US + SLOT_US)
        disk = engine.hosted[HUB_ADDRESS].disk
        for hosted in engine.hosted.values():
            _check_judges(hosted.disk)
        logs = {name: disk.log(name) for name in disk.logs() if name.endswith(f"/{story.observer}")}
        return Seen(watcher.letters, logs, watcher.given, watcher.shown)

    def _host(self, engine: Engine, story: Story, *, pictured: bool) -> None:
        agreements = tuple(self._agreement(pact) for pact in story.pacts)
        decider = self._deciders.get(story.pacts)
        if decider is None:
            decider = self._deciders[story.pacts] = CedarDecider(agreements)
        engine.host(HUB_ADDRESS, partial(self._hub, agreements, decider))
        for nation in NATIONS:
            engine.host(Address(nation, "guard"), partial(self._guard, nation, story, (agreements, decider)))
            taker = partial(self._taker, nation, nation in story.mute)
            if pictured and nation == story.observer and nation not in story.mute:
                taker = partial(self._picture, nation, agreements)
            engine.host(Address(nation, "picture"), taker)

    def _hub(self, agreements: tuple[Agreement, ...], decider: CedarDecider, rows: Rows) -> Node:
        config = HubConfig(
            parties=NATIONS,
            mode=Mode.SIMULATED,
            key=self._keys[HUB],
            keyring=self._keyring,
            agreements=agreements,
            secret=_secret(HUB),
        )
        return HubNode(config, rows, decider)

    def _guard(
        self, nation: Nation, story: Story, held: tuple[tuple[Agreement, ...], CedarDecider], rows: Rows
    ) -> Node:
        agreements, decider = held
        config = GuardConfig(
            nation=nation,
            mode=Mode.SIMULATED,
            exercise="",
            key=self._keys[nation],
            keyring=self._keyring,
            agreements=tuple(one for one in agreements if nation in one.bundle.parties),
            rules=story.rules[nation],
            secret=_secret(nation),
        )
        return GuardNode(config, rows, decider)

    def _taker(self, nation: Nation, mute: bool, rows: Rows) -> Node:  # noqa: FBT001 - bound by partial
        return Mute() if mute else Taker(nation, self._keys[nation], rows)

    def _picture(self, nation: Nation, agreements: tuple[Agreement, ...], rows: Rows) -> Node:
        config = PictureConfig(
            nation=nation,
            mode=Mode.SIMULATED,
            exercise="",
            key=self._keys[nation],
            keyring=self._keyring,
            agreements=tuple(one for one in agreements if nation in one.bundle.parties),
            places=(),
            secret=_secret(f"picture {nation}"),
            shadows=False,
        )
        return PictureNode(config, rows)

    def _suspension(self, word: Word) -> Suspension:
        """Return a party's word, numbered by its time, so that its words on others can't be counted."""
        unsigned = Suspension(
            party=word.party,
            arrangement=word.arrangement,
            version=1,
            suspended=word.suspended,
            number=word.slot + 1,
            said_at_us=START_US,
            key_id="",
            signature=b"",
        )
        return sign_suspension(unsigned, self._keys[word.party])


def _is_pictured(number: int) -> bool:
    return number % PICTURED == 0


def _key(party: str) -> SigningKey:
    return SigningKey(party, KeyClass.SIMULATION, _secret(f"key of {party}"))


def _secret(purpose: str) -> bytes:
    return hmac.digest(b"beaconfire noninterference", purpose.encode(), "sha256")


def _check_judges(disk: SimDisk) -> None:
    """Hold the two judges to each other: what the first lets pass, the second does too."""
    for name in disk.logs():
        if not name.startswith(("gave/", "guard/")):
            continue
        for body in disk.log(name):
            record = decode_record(body)
            if record.reason is Reason.SECOND_CHECK:
                raise Breach(
                    f"the judges disagree on {record.report_id} for {record.recipient}: {record.detail}"
                )


def check_against_the_list(story: Story, seen: Seen) -> None:
    """Hold what the observer has against a plain reading of the arrangements.

    Raises:
        Breach: it has more, or less, or something whole that was to be coarse.
    """
    expected = {
        said.report.report_id: said
        for said in story.said
        if said.report.originator != story.observer and story.view(said) != NOTHING
    }
    given: dict[str, Given] = {}
    for one in seen.given:
        given.setdefault(one.report_id, one)
    missable = {report_id for report_id, said in expected.items() if _may_be_missing(story, said)}
    if not expected.keys() - missable <= given.keys() <= expected.keys():
        raise Breach(f"{story.observer} has {sorted(given)} where {sorted(expected)} may pass")
    for report_id, one in given.items():
        _check_one(story, expected[report_id], one)
    _check_order(expected, given.values())


def _check_order(said: dict[str, Said], given: Iterable[Given]) -> None:
    """Hold the order in which reports first left: beside something newer of a track a ROUTINE is void."""
    newest_us: dict[str, TimeUs] = {}
    for one in given:
        this = said[one.report_id]
        track, at_us = this.report.track, this.at_us
        if one.lane is Lane.ROUTINE and at_us < newest_us.get(track, at_us):
            raise Breach(f"{one.report_id}, a ROUTINE report, left after something newer of {track}")
        newest_us[track] = max(at_us, newest_us.get(track, at_us))


def _check_one(story: Story, said: Said, one: Given) -> None:
    """Hold one delivery, when it first left, against what may pass of it then."""
    view = story.view(said)
    if one.groups != view.groups or not view.coarse <= one.coarse:
        raise Breach(
            f"{story.observer} has {sorted(one.groups)} of {one.report_id}, of these coarse "
            f"{sorted(one.coarse)}, where {sorted(view.groups)} may pass, of these coarse "
            f"{sorted(view.coarse)}"
        )
    kept_us = one.at_us - said.at_us
    if one.lane is Lane.FLASH and kept_us > PROMPT_US:
        raise Breach(f"a FLASH for {story.observer}, {one.report_id}, left after {kept_us} us")
    if one.lane is Lane.ROUTINE and kept_us < 1_000 * view.delay_ms:
        raise Breach(f"{one.report_id} left for {story.observer} after {kept_us} us: {view.delay_ms} ms")


def _may_be_missing(story: Story, old: Said) -> bool:
    """Return whether a report may never come: overtaken by a newer one, or it had to wait."""
    of_track = [one for one in story.said if one.report.track == old.report.track]
    earlier = any(one.at_us < old.at_us and story.view(one) != NOTHING for one in of_track)
    if earlier and story.view(old).delay_ms:
        return True
    return any(new.second and not old.second and new.slot == old.slot for new in of_track)


class Tally(msgspec.Struct):
    """What a campaign did.

    Attributes:
        pairs: compared; a twin that differs in nothing is none.
        stories: run, each with several twins.
        veiled: of these, compared with salted digests veiled.
        pictured: of the pairs, with the observer's real picture.
        shown: events and notices of such pictures, over all first runs.
        letters: to the observers, over all first runs.
        given: reports the observers were given, over all first runs.
        withheld: reports of others that they were given nothing of.
    """

    pairs: int = 0
    stories: int = 0
    veiled: int = 0
    pictured: int = 0
    shown: int = 0
    letters: int = 0
    given: int = 0
    withheld: int = 0


class Pairs:
    """Runs pairs, story by story."""

    def __init__(self, twins: int = TWINS) -> None:
        """Make the keys.

        Args:
            twins: of each story.
        """
        self._world = World()
        self._twins = twins
        self._drawn: tuple[int, Sequence[Pact]] = (-1, ())
        self.tally = Tally()

    def run(self, number: int) -> None:
        """Run the story of a number and its twins.

        Raises:
            Breach: naming the story and what was seen.
        """
        story = self._story(number)
        first = self._seen(story, number, ())
        self.tally.stories += 1
        self.tally.letters += len(first.letters)
        self.tally.shown += len(first.shown)
        self.tally.given += len(first.given)
        self.tally.withheld += sum(_is_withheld(story, one) for one in story.said)
        for turn in range(self._twins):
            twin = draw_twin(story, number * TWINS + turn)
            if not twin.changes:
                continue
            self.tally.pairs += 1
            self.tally.veiled += twin.veiled
            self.tally.pictured += _is_pictured(number)
            second = self._seen(twin.story, number, twin.changes)
            parted = first_difference(first, second, veiled=twin.veiled)
            if parted:
                said = ", ".join(twin.changes)
                raise Breach(f"story {number}, {story.observer} looks on, changed: {said}: {parted}")

    def run_until(self, pairs: int, *, first: int = 0) -> None:
        """Run stories from a number on until so many pairs were compared; raises `Breach` as `run` does."""
        number = first
        while self.tally.pairs < pairs:
            self.run(number)
            number += 1

    def _story(self, number: int) -> Story:
        drawing = number // STORIES_OF_PACTS
        if self._drawn[0] != drawing:
            self._world.forget()
            self._drawn = (drawing, draw_pacts(Chance(drawing, "pacts")))
        rules = draw_rules(Chance(number // STORIES_OF_RULES, "rules"))
        return draw_story(number, tuple(self._drawn[1]), rules)

    def _seen(self, story: Story, number: int, changes: Iterable[str]) -> Seen:
        try:
            seen = self._world.run(story, number)
            check_against_the_list(story, seen)
        except Breach as breach:
            raise Breach(f"story {number}, {', '.join(changes) or 'as drawn'}: {breach}") from breach
        return seen


def _is_withheld(story: Story, said: Said) -> bool:
    return said.report.originator != story.observer and story.view(said) == NOTHING
