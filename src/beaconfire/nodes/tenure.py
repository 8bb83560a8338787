"""What a guard and the hub hold under which word: agreements without rollback, parties' words, leases.

Not a node, but what the releasing nodes share. Four rules:

1. An agreement older than one that this node has ever held is not held, and a notice says so.
2. A party's word that is well signed and new counts at once, and is kept before it is passed on.
3. A lease that ends, one that begins again, and an agreement that has expired, is said in a notice.
4. A keyring or agreements that come while it runs count at once, if none of them takes anything back: a
   key that was revoked here stays so, restarts included. What is not taken leaves what was held in force.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from beaconfire.messages.codec import encode
from beaconfire.messages.health import ArrangementHealth, Notice
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import Lane, Severity
from beaconfire.nodes.commands import Channel, Command, Keep, Now, Rows, Send, Table
from beaconfire.release.arrangements import Agreement, Arrangements, is_trusted
from beaconfire.release.attest import WORDS, is_suspension_good, key_of_word
from beaconfire.release.keys import Keyring
from beaconfire.release.versions import MARKS, hold

REFUSED_WORD: Final = "arrangement-word-refused"
"""Code of the notice that a well signed word has no effect here: no such agreement, or a newer word."""


RENEWED: Final = "trust-renewed"
"""Code of the notice that says what is trusted and held once files have changed."""
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

    def __init__(self, trust: Trust, rows: Rows, *, source: str, party: str) -> None:
        """Restore from the journal.

        Args:
            trust: keys and agreements at the start.
            rows: of the journal.
            source: the node's name in notices.
            party: own nation, or HUB: where notices go.
        """
        kept = rows.rows(Table.STATE)
        self._keyring = trust.keyring
        self._source = source
        self._party = party
        self._lapsed: frozenset[tuple[str, str]] = frozenset()
        self._expired: frozenset[str] = frozenset()
        self._versions = {key: body for key, body in kept if key.startswith(MARKS)}
        self._unsaid = [("arrangement-refused", f"not held: {why}") for why in trust.left_out]
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
            self._unsaid.append(("keyring-rollback", f"{key_id} was revoked here before, and stays so"))
            self._keyring.revoke(key_id)
        new = sorted(self._keyring.revoked - before)
        self._rows += [Keep(Table.STATE, REVOKED + key_id, b"") for key_id in new]

    def _held(self, agreements: Iterable[Agreement]) -> tuple[Agreement, ...]:
        """Return which agreements may be held by the marks, and whose keys are trusted; note the others."""
        trusted = [one for one in agreements if is_trusted(one.bundle, self._keyring)]
        for one in agreements:
            if one not in trusted:
                why = f"{one.bundle.arrangement} names a key that is not trusted here"
                self._unsaid.append(("arrangement-refused", f"not held: {why}"))
        held = hold(trusted, self._versions.items())
        self._versions |= dict(held.rows)
        self._rows += [Keep(Table.STATE, key, body) for key, body in held.rows]
        self._unsaid += [("arrangement-rollback", f"not held: {refused}") for refused in held.refused]
        return held.agreements

    def renew(self, trust: Trust) -> bool:
        """Hold what keyring and agreements say now, from here on; return whether anything was taken.

        A keyring that trusts again what was revoked here is refused with all that came with it. An agreement
        that is refused for its version leaves the one before it in force, while its keys are trusted.
        """
        back = self._keyring.revoked - trust.keyring.revoked
        if back or trust.keyring.key_class is not self._keyring.key_class:
            named = ", ".join(sorted(back)) or f"class {trust.keyring.key_class}"
            self._unsaid.append(("keyring-rollback", f"nothing new is taken: {named}, revoked here before"))
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
        self._unsaid += [("arrangement-refused", why) for why in trust.left_out]
        self._say_renewed(before)
        return True

    def _say_renewed(self, before: tuple[Agreement, ...]) -> None:
        held = {one.bundle.arrangement: one for one in self.arrangements.agreements}
        gone = sorted({one.bundle.arrangement for one in before} - set(held))
        text = "it is not among the arrangements any more: nothing more is released under it"
        self._unsaid += [("arrangement-gone", f"{name}: {text}") for name in gone]
        named = ", ".join(f"{name} version {held[name].bundle.version}" for name in sorted(held)) or "none"
        keys = f"{len(self._keyring)} keys trusted, {len(self._keyring.revoked)} revoked"
        self._unsaid.append((RENEWED, f"{keys}; arrangements: {named}"))

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
        commands += [self.notice(code, text, now, fault=code != RENEWED) for code, text in unsaid]
        lapsed = frozenset(self.arrangements.lapsed())
        for name, party in sorted(lapsed - self._lapsed):
            text = f"{name}: nothing more is released under it while {party} is silent"
            commands.append(self.notice("lease-ended", text, now, fault=True))
        for name, party in sorted(self._lapsed - lapsed):
            commands.append(self.notice("lease-renewed", f"{name}: {party} is heard again", now))
        self._lapsed = lapsed
        return commands + self._say_expired(now)

    def _say_expired(self, now: Now) -> list[Command]:
        expired = frozenset(
            one.bundle.arrangement
            for one in self.arrangements.agreements
            if now.utc_us >= one.bundle.valid_until_us
        )
        new, self._expired = sorted(expired - self._expired), expired
        text = "its validity is over: nothing more is released under it"
        return [self.notice("arrangement-expired", f"{name}: {text}", now, fault=True) for name in new]

    def is_good(self, said: Suspension) -> bool:
        """Return whether the party that a word names signed it."""
        return is_suspension_good(said, self._keyring)

    def take(self, said: Suspension, now: Now) -> tuple[bool, list[Command]]:
        """Take a party's word, its signature verified.

        Returns:
            whether it was new; the row to be kept and the notice that answers whoever said it.
        """
        verb = "withdrawn" if said.final else ("suspended" if said.suspended else "resumed")
        text = f"{said.arrangement} {verb} by {said.party} (word {said.number})"
        if self.arrangements.take(said):
            key = key_of_word(said)
            self.words[key] = said
            return True, [Keep(Table.STATE, key, encode(said)), self.notice(f"arrangement-{verb}", text, now)]
        if self.arrangements.has_taken(said):
            return False, [self.notice(f"arrangement-{verb}", text, now)]
        return False, [self.notice(REFUSED_WORD, f"no effect: {text}", now)]

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

    def notice(self, code: str, text: str, now: Now, *, fault: bool = False) -> Command:
        """Return a notice of this node."""
        severity = Severity.FAULT if fault else Severity.CAUTION
        said = Notice(code=code, severity=severity, text=text, at_us=now.utc_us, source=self._source)
        return Send(Channel.NOTICE, self._party, Lane.FLASH, said)
