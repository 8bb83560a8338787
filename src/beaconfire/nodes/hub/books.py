"""The hub's books: two audit logs for each nation and none that two nations share.

`gave/KOR` holds the fate of what Korea gave, towards each other nation; `given/JPN` what Japan was given.
So the size of no log tells a nation of traffic that it may not know of.
"""

from typing import Final

import msgspec

from beaconfire.audit.checkpoint import Checkpoint, SignedCheckpoint, open_offer
from beaconfire.audit.record import AuditLog, Passed, Subject
from beaconfire.audit.seam import seam_in
from beaconfire.messages.codec import encode
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.transfer import Delivery, Refusal
from beaconfire.messages.vouching import CheckpointOffer, Cosignature
from beaconfire.messages.words import HUB, Lane, Nation, TimeUs
from beaconfire.nodes.commands import Append, Channel, Command, Rows, Send, Table
from beaconfire.nodes.refusals import REPORT_ID_MAX
from beaconfire.release.attest import sign_checkpoint, with_cosignature
from beaconfire.release.decide import Outgoing
from beaconfire.release.keys import Keyring, SigningKey

CHECKPOINTS: Final = "checkpoint/"
"""Prefix of the log that holds the checkpoints of a log."""
UNREADABLE_PERIOD_US: Final = 1_000_000
"""What can't be read is recorded that often for a nation; all of it is counted."""


class Books:
    """The two logs of one nation, and how far each is vouched for.

    Attributes:
        nation: whose.
        gave: the fate of what it gave.
        given: what it was given.
    """

    def __init__(self, instance: str, nation: Nation, rows: Rows) -> None:
        """Go on where the journal ends."""
        self._instance = instance
        self.nation = nation
        self.gave, gave_asked = _restored(f"gave/{nation}", rows)
        self.given, given_asked = _restored(f"given/{nation}", rows)
        self._checkpointed: dict[str, int] = {}
        asked = {self.gave.name: gave_asked, self.given.name: given_asked}
        self._offered = {name: signed for name, signed in asked.items() if signed is not None}
        self._next_unreadable_us = 0

    def refuse(self, delivery: Delivery, why: Withheld, at_us: TimeUs) -> list[Command]:
        """Record that a delivery of this nation was refused on arrival, and tell the nation where."""
        return self._refused(self._subject(delivery, HUB), why, at_us)

    def _refused(self, subject: Subject, why: Withheld, at_us: TimeUs) -> list[Command]:
        index = self.gave.size
        recorded = _append(self.gave, subject, why, at_us)
        report_id = subject.report_id[:REPORT_ID_MAX]
        word = Refusal(self._instance, self.nation, report_id, why.reason, self.gave.name, index)
        return [recorded, Send(Channel.TO_NATION, self.nation, subject.lane, word)]

    def refuse_unreadable(self, body: bytes, lane: Lane, detail: str, at_us: TimeUs) -> list[Command]:
        """Record that something of this nation was no message: once a second, as there may be any amount."""
        if at_us < self._next_unreadable_us:
            return []
        self._next_unreadable_us = at_us + UNREADABLE_PERIOD_US
        subject = Subject(self.nation, HUB, "", lane, body)
        return self._refused(subject, Withheld(Reason.SCHEMA, "decode", detail), at_us)

    def withhold(self, delivery: Delivery, recipient: Nation, why: Withheld, at_us: TimeUs) -> Command:
        """Record that a report of this nation was not released to another."""
        return _append(self.gave, self._subject(delivery, recipient), why, at_us)

    def release(self, delivery: Delivery, out: Outgoing, recipient: "Books", at_us: TimeUs) -> list[Command]:
        """Record a release with the giver and with the recipient."""
        subject = self._subject(delivery, recipient.nation)
        subject = msgspec.structs.replace(subject, lane=out.lane, body=out.sealed)
        passed = Passed(groups=out.groups, degraded=out.degraded, basis=out.basis, rules=out.rules)
        return [_append(log, subject, passed, at_us) for log in (self.gave, recipient.given)]

    def _subject(self, delivery: Delivery, recipient: str) -> Subject:
        return Subject(
            originator=self.nation,
            recipient=recipient,
            report_id=delivery.report_id,
            lane=delivery.lane,
            body=delivery.sealed,
        )

    def checkpoints(self, key: SigningKey, at_us: TimeUs) -> list[Command]:
        """Sign the state of each log that has grown; offer it to the nation, or again what is still open.

        One offer of a log is open at a time, so that what is kept for its proof is bounded.
        """
        commands: list[Command] = []
        for log in (self.gave, self.given):
            grown = log.size != self._checkpointed.get(log.name, 0)
            if grown:
                said = Checkpoint(log=log.name, size=log.size, root=log.root(), at_us=at_us)
                signed = sign_checkpoint(said, key)
                commands.append(Append(f"{CHECKPOINTS}{log.name}", encode(signed)))
                self._checkpointed[log.name] = log.size
                if log.name not in self._offered:
                    self._offered[log.name] = signed
                    log.growth.offer()
            if log.name in self._offered:
                commands.append(self._offer(log, key))
        return commands

    def _offer(self, log: AuditLog, key: SigningKey) -> Command:
        signed = self._offered[log.name]
        ((_, key_id, signature),) = signed.signatures
        if key_id != key.key_id:
            # A revoked key's offer is good for nobody, and would stay open for ever.
            signed = sign_checkpoint(msgspec.msgpack.decode(signed.body, type=Checkpoint), key)
            self._offered[log.name] = signed
            ((_, key_id, signature),) = signed.signatures
        offer = CheckpointOffer(
            log=log.name,
            body=signed.body,
            key_id=key_id,
            signature=signature,
            earlier_size=log.growth.vouched,
            proof=log.growth.proof(),
        )
        return Send(Channel.TO_NATION, self.nation, Lane.ROUTINE, offer)

    def cosign(self, word: Cosignature, keyring: Keyring) -> list[Command] | None:
        """Take the nation's signature on the open offer of a log; None if it fits none, or is false."""
        log = next((one for one in (self.gave, self.given) if one.name == word.log), None)
        signed = self._offered.get(word.log)
        if log is None or signed is None or word.party != self.nation:
            return None
        cosigned = with_cosignature(signed, word, keyring)
        if cosigned is None:
            return None
        del self._offered[word.log]
        log.growth.vouch()
        return [Append(f"{CHECKPOINTS}{log.name}", encode(cosigned))]


def _restored(name: str, rows: Rows) -> tuple[AuditLog, SignedCheckpoint | None]:
    """Return a log as the journal has it, as far as its nation vouched for it, and what it is still asked."""
    written = [
        msgspec.msgpack.decode(body, type=SignedCheckpoint) for body in rows.log(f"{CHECKPOINTS}{name}")
    ]
    seam = seam_in(name, rows.rows(Table.STATE))
    vouched = next((_size(one) for one in reversed(written) if one.is_cosigned), 0)
    place = open_offer(one.is_cosigned for one in written)
    asked = None if place is None else written[place]
    if asked is not None and seam is not None and not seam.has_boundary(_size(asked)):
        asked = None
    sizes = (vouched, _size(asked) if asked else 0)
    return AuditLog(name, rows.log(name), sizes, seam), asked


def _size(signed: SignedCheckpoint) -> int:
    return msgspec.msgpack.decode(signed.body, type=Checkpoint).size


def _append(log: AuditLog, subject: Subject, decided: Passed | Withheld, at_us: TimeUs) -> Command:
    return Append(log.name, log.add(subject, decided, at_us))
