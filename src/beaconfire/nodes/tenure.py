"""What a guard and the hub hold under which word: agreements without rollback, parties' words, leases.

Not a node, but what the releasing nodes share. Four rules:

1. An agreement older than one that this node has ever held is not held, and a notice says so.
2. A party's word that is well signed and new counts at once, and is kept before it is passed on.
3. A lease that ends, one that begins again, and an agreement that has expired, is said in a notice.
4. A keyring or agreements that come while it runs count at once, if none of them takes anything back: a
   key that was revoked here stays so, restarts included. What is not taken leaves what was held in force.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from beaconfire.messages.codec import encode
from beaconfire.messages.health import Arguments, ArrangementHealth
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import Severity
from beaconfire.nodes.commands import Command, Keep, Now, Rows, Table
from beaconfire.nodes.voice import Said, Voice
from beaconfire.release.arrangements import Agreement, Arrangements, is_trusted
from beaconfire.release.attest import WORDS, is_suspension_good, key_of_word
from beaconfire.release.keys import Keyring
from beaconfire.release.versions import MARKS, TakenBack, hold

REFUSED_WORD: Final = "arrangement-word-refused"
"""Code of the notice that a well signed word has no effect here: no such agreement, or a newer word."""
REVOKED: Final = "revoked/"
"""Beginning of the keys of the rows that name keys revoked here once."""


class Trust(msgspec.Struct, frozen=True):
    """Keys and agreements as files state them now.

    Attributes:
        keyring: keys trusted.
        agreements: verified with it.
        left_out: what is wrong with others, which aren't among them.
    """

    keyring: Keyring
    agreements: tuple[Agreement, ...]
    left_out: tuple[str, ...] = ()


class Tenure:
    """Agreements, words and leases of one node.

    Attributes:
        arrangements: held here, with the words heard.
        words: the newest of each party, arrangement and kind, by the key of its row.
    """

    def __init__(self, trust: Trust, rows: Rows, voice: Voice) -> None:
        """Restore from the journal.

        Args:
            trust: keys and agreements at the start.
            rows: of the journal.
            voice: of the node.
        """
        kept = rows.rows(Table.STATE)
        self._keyring = trust.keyring
        self._voice = voice
        self._lapsed: frozenset[tuple[str, str]] = frozenset()
        self._expired: frozenset[str] = frozenset()
        self._versions = {key: body for key, body in kept if key.startswith(MARKS)}
        self._unsaid = [_refused(f"not held: {why}", why) for why in trust.left_out]
        self._rows: list[Command] = []
        self._mark_revoked({key.removeprefix(REVOKED) for key, _ in kept if key.startswith(REVOKED)})
        self.arrangements = Arrangements(self._held(trust.agreements))
        self.words: dict[str, Suspension] = {}
        for key, body in kept:
            if key.startswith(WORDS):
                self._restore(msgspec.msgpack.decode(body, type=Suspension))

    def _mark_revoked(self, before: set[str]) -> None:
        """Keep revoked what was so here before, and write down what is so now."""
        for key_id in sorted(before - self._keyring.revoked):
            text = f"{key_id} was revoked here before, and stays so"
            about: Arguments = {"key": key_id, "outcome": "kept"}
            self._unsaid.append(Said("keyring-rollback", Severity.FAULT, text, about))
            self._keyring.revoke(key_id)
        new = sorted(self._keyring.revoked - before)
        self._rows += [Keep(Table.STATE, REVOKED + key_id, b"") for key_id in new]

    def _held(self, agreements: Iterable[Agreement]) -> tuple[Agreement, ...]:
        """Return which agreements may be held by the marks, and whose keys are trusted; note the others."""
        trusted = [one for one in agreements if is_trusted(one.bundle, self._keyring)]
        for one in agreements:
            if one not in trusted:
                why = f"{one.bundle.arrangement} names a key that is not trusted here"
                self._unsaid.append(_refused(f"not held: {why}", why))
        held = hold(trusted, self._versions.items())
        self._versions |= dict(held.rows)
        self._rows += [Keep(Table.STATE, key, body) for key, body in held.rows]
        self._unsaid += [_taken_back(one) for one in held.refused]
        return held.agreements

    def renew(self, trust: Trust) -> bool:
        """Hold what keyring and agreements say now, from here on; return whether anything was taken.

        A keyring that trusts again what was revoked here is refused with all that came with it. An agreement
        that is refused for its version leaves the one before it in force, while its keys are trusted.
        """
        back = self._keyring.revoked - trust.keyring.revoked
        if back or trust.keyring.key_class is not self._keyring.key_class:
            named = ", ".join(sorted(back)) or f"class {trust.keyring.key_class}"
            text = f"nothing new is taken: {named}, revoked here before"
            about: Arguments = {"key": named, "outcome": "refused"}
            self._unsaid.append(Said("keyring-rollback", Severity.FAULT, text, about))
            return False
        before, revoked = self.arrangements.agreements, set(self._keyring.revoked)
        self._keyring.take(trust.keyring)
        self._mark_revoked(revoked)
        new = self._held(trust.agreements)
        names = {one.bundle.arrangement for one in new}
        asked = {one.bundle.arrangement for one in trust.agreements}
        kept = [
            one
            for one in before
            if one.bundle.arrangement in asked - names and is_trusted(one.bundle, self._keyring)
        ]
        self.arrangements.replace((*new, *kept))
        self._unsaid += [_refused(why, why) for why in trust.left_out]
        self._say_renewed(before)
        return True

    def _say_renewed(self, before: tuple[Agreement, ...]) -> None:
        held = {one.bundle.arrangement: one for one in self.arrangements.agreements}
        gone = sorted({one.bundle.arrangement for one in before} - set(held))
        self._unsaid += [_gone(name) for name in gone]
        self._unsaid.append(_renewed(self._keyring, {name: held[name].bundle.version for name in held}))

    def _restore(self, said: Suspension) -> None:
        self.words[key_of_word(said)] = said
        self.arrangements.take(said)

    def at(self, now: Now, watched: Iterable[str]) -> list[Command]:
        """Take the time, before anything else; return what is to be kept and said of versions and leases.

        Args:
            now: the time.
            watched: parties whose silence ends a lease.
        """
        self.arrangements.watch(watched, now.monotonic_us)
        commands, self._rows = self._rows, []
        unsaid, self._unsaid = self._unsaid, []
        said = [*unsaid, *self._leases(), *self._expired_by(now)]
        return [*commands, *(self._voice.tell(one, now) for one in said)]

    def _leases(self) -> list[Said]:
        lapsed, before = frozenset(self.arrangements.lapsed()), self._lapsed
        self._lapsed = lapsed
        ended = [_lease_ended(name, party) for name, party in sorted(lapsed - before)]
        return ended + [_lease_renewed(name, party) for name, party in sorted(before - lapsed)]

    def _expired_by(self, now: Now) -> list[Said]:
        expired = frozenset(
            one.bundle.arrangement
            for one in self.arrangements.agreements
            if now.utc_us >= one.bundle.valid_until_us
        )
        new, self._expired = sorted(expired - self._expired), expired
        return [_expired(name) for name in new]

    def is_good(self, said: Suspension) -> bool:
        """Return whether the party that a word names signed it."""
        return is_suspension_good(said, self._keyring)

    def take(self, said: Suspension, now: Now) -> tuple[bool, list[Command]]:
        """Take a party's word, its signature verified.

        Returns:
            whether it was new; the row to be kept and the notice that answers whoever said it.
        """
        if self.arrangements.take(said):
            key = key_of_word(said)
            self.words[key] = said
            return True, [Keep(Table.STATE, key, encode(said)), self._voice.tell(_word(said), now)]
        taken = self.arrangements.has_taken(said)
        return False, [self._voice.tell(_word(said) if taken else _word_refused(said), now)]

    def standing(self) -> tuple[ArrangementHealth, ...]:
        """Return how each arrangement held stands: who has it suspended, whose silence has ended a lease."""
        lapsed = self.arrangements.lapsed()
        return tuple(
            ArrangementHealth(
                arrangement=one.bundle.arrangement,
                version=one.bundle.version,
                suspended_by=self.arrangements.suspended_by(one.bundle.arrangement),
                silent=tuple(sorted(party for name, party in lapsed if name == one.bundle.arrangement)),
            )
            for one in self.arrangements.agreements
        )


def _refused(text: str, why: str) -> Said:
    return Said("arrangement-refused", Severity.FAULT, text, {"reason": why})


def _taken_back(one: TakenBack) -> Said:
    text = f"not held: {one.arrangement} version {one.version}: {one.fault}"
    about: Arguments = {"arrangement": one.arrangement, "version": one.version, "reason": one.reason}
    return Said("arrangement-rollback", Severity.FAULT, text, about)


def _gone(name: str) -> Said:
    text = f"{name}: it is not among the arrangements any more: nothing more is released under it"
    return Said("arrangement-gone", Severity.FAULT, text, {"arrangement": name})


def _expired(name: str) -> Said:
    text = f"{name}: its validity is over: nothing more is released under it"
    return Said("arrangement-expired", Severity.FAULT, text, {"arrangement": name})


def _renewed(keyring: Keyring, versions: Mapping[str, int]) -> Said:
    named = ", ".join(f"{name} version {versions[name]}" for name in sorted(versions)) or "none"
    text = f"{len(keyring)} keys trusted, {len(keyring.revoked)} revoked; arrangements: {named}"
    about: Arguments = {
        "count": len(keyring),
        "revoked": len(keyring.revoked),
        "arrangement": ", ".join(f"{name} ({versions[name]})" for name in sorted(versions)) or "—",
    }
    return Said("trust-renewed", Severity.CAUTION, text, about)


def _lease_ended(name: str, party: str) -> Said:
    text = f"{name}: nothing more is released under it while {party} is silent"
    return Said("lease-ended", Severity.FAULT, text, {"arrangement": name, "party": party})


def _lease_renewed(name: str, party: str) -> Said:
    text = f"{name}: {party} is heard again"
    return Said("lease-renewed", Severity.CAUTION, text, {"arrangement": name, "party": party})


def _verb(said: Suspension) -> Literal["withdrawn", "suspended", "resumed"]:
    return "withdrawn" if said.final else ("suspended" if said.suspended else "resumed")


def _word_in_english(said: Suspension) -> str:
    return f"{said.arrangement} {_verb(said)} by {said.party} (word {said.number})"


def _word(said: Suspension) -> Said:
    about: Arguments = {"arrangement": said.arrangement, "party": said.party, "number": said.number}
    return Said(f"arrangement-{_verb(said)}", Severity.CAUTION, _word_in_english(said), about)


def _word_refused(said: Suspension) -> Said:
    """Return that a well signed word has no effect here: no such agreement, or a newer word."""
    about: Arguments = {
        "arrangement": said.arrangement,
        "party": said.party,
        "number": said.number,
        "word": _verb(said),
    }
    text = f"no effect: {_word_in_english(said)}"
    return Said(REFUSED_WORD, Severity.CAUTION, text, about)
