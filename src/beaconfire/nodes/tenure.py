"""What a guard and the hub hold under which word: agreements without rollback, parties' words, leases.

Not a node, but what the releasing nodes share. Three rules:

1. An agreement older than one that this node has ever held is not held, and a notice says so.
2. A party's word that is well signed and new counts at once, and is kept before it is passed on.
3. A lease that ends, one that begins again, and an agreement that has expired, is said in a notice.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from beaconfire.messages.codec import encode
from beaconfire.messages.health import ArrangementHealth, Notice
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import Lane, Severity
from beaconfire.nodes.commands import Channel, Command, Keep, Now, Rows, Send, Table
from beaconfire.release.arrangements import Agreement, Arrangements
from beaconfire.release.attest import WORDS, is_suspension_good, key_of_word
from beaconfire.release.keys import Keyring
from beaconfire.release.versions import hold

REFUSED_WORD: Final = "arrangement-word-refused"
"""Code of the notice that a well signed word has no effect here: no such agreement, or a newer word."""


class Tenure:
    """Agreements, words and leases of one node.

    Attributes:
        arrangements: held here, with the words heard.
        words: the newest of each party, arrangement and kind, by the key of its row.
    """

    def __init__(
        self, agreements: Iterable[Agreement], keyring: Keyring, rows: Rows, *, source: str, party: str
    ) -> None:
        """Restore from the journal.

        Args:
            agreements: verified.
            keyring: keys trusted here.
            rows: of the journal.
            source: the node's name in notices.
            party: own nation, or HUB: where notices go.
        """
        kept = rows.rows(Table.STATE)
        held = hold(agreements, kept)
        self.arrangements = Arrangements(held.agreements)
        self.words: dict[str, Suspension] = {}
        self._keyring = keyring
        self._source = source
        self._party = party
        self._lapsed: frozenset[tuple[str, str]] = frozenset()
        self._expired: frozenset[str] = frozenset()
        self._marks: list[Command] = [Keep(Table.STATE, key, body) for key, body in held.rows]
        self._refused = held.refused
        for key, body in kept:
            if key.startswith(WORDS):
                self._restore(msgspec.msgpack.decode(body, type=Suspension))

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
        commands, self._marks = self._marks, []
        for refused in self._refused:
            commands.append(self.notice("arrangement-rollback", f"not held: {refused}", now, fault=True))
        self._refused = ()
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
