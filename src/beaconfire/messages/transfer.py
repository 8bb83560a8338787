"""What travels on a link besides the sealed report: delivery frame, receipt, probe, gap, suspension."""

import msgspec

from beaconfire.messages.refusal import Reason
from beaconfire.messages.words import ClockQuality, Lane, TimeUs


class Delivery(
    msgspec.Struct,
    frozen=True,
    tag="delivery",
    tag_field="type",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """One sealed report on its way from one party to another.

    Attributes:
        sender: end of the link, a nation or an instance of the hub; must equal the account it came from.
        recipient: the other end.
        lane: FLASH or ROUTINE.
        sequence: per sender, recipient and lane, from 1, in order of first publication.
        oldest_open: smallest sequence the sender still holds; all below are settled.
        hops: relays passed so far.
        report_id: of the sealed report, for receipts and doubles.
        sealed: MessagePack of `Sealed`, as signed and journalled.
        clock: how far the originator's clock is from the recipient's, as far as the sender knows; None where
            it does not say. Since link schema 2.
    """

    sender: str
    recipient: str
    lane: Lane
    sequence: int
    oldest_open: int
    hops: int
    report_id: str
    sealed: bytes
    clock: ClockQuality | None = None


class Receipt(msgspec.Struct, frozen=True, tag="receipt", tag_field="type", forbid_unknown_fields=True):
    """The receiver's signed word that it committed what it names.

    Attributes:
        sender: end of the link that received; its party signs.
        recipient: end whose outbox rows may go.
        lane: FLASH or ROUTINE.
        sequences: of the deliveries committed (at most 1,000).
        refused: sequences it committed a refusal of (at most 1,000), so the sender stops resending.
        key_id: fingerprint of the signing key.
        signature: Ed25519 over all fields above.
    """

    sender: str
    recipient: str
    lane: Lane
    sequences: tuple[int, ...]
    refused: tuple[int, ...]
    key_id: str
    signature: bytes


class Probe(msgspec.Struct, frozen=True, tag="probe", tag_field="type", forbid_unknown_fields=True):
    """A question whether the other end lives, and its echo.

    Attributes:
        sender: party.
        recipient: party.
        lane: connection it went over.
        number: counts per sender process; restarts at 1.
        sent_monotonic_us: clock of the asker.
        echo: False for the question, True for the answer.
        answered_at_us: UTC of the answerer, None in the question.
    """

    sender: str
    recipient: str
    lane: Lane
    number: int
    sent_monotonic_us: int
    echo: bool
    answered_at_us: TimeUs | None = None


class Restarted(msgspec.Struct, frozen=True, tag="restarted", tag_field="type", forbid_unknown_fields=True):
    """A receiver's word that it was started again: what it receipted may be gone from its disk with it.

    Its senders send again what they still remember; what it has is a double and costs little. A hub that does
    so sends a picture its word back as it came, as an echo of a probe does; a guard answers with `Standing`.

    Attributes:
        sender: end of the link that was started.
        recipient: end that sends to it.
    """

    sender: str
    recipient: str


class Speaking(msgspec.Struct, frozen=True, tag="speaking", tag_field="type", forbid_unknown_fields=True):
    """A receiver's word which link schema it reads; until it comes, its senders speak the one before.

    Since link schema 2: to a node of schema 1 it is an unknown message, counted and dropped.

    Attributes:
        sender: end of the link that reads.
        recipient: end that sends to it.
        schema: newest that it reads.
    """

    sender: str
    recipient: str
    schema: int


class Refusal(msgspec.Struct, frozen=True, tag="refusal", tag_field="type", forbid_unknown_fields=True):
    """A receiver's word why it refused a delivery: a code and where its record stands, never content.

    It tells the sender's engineers where to look and changes nothing: what is resent follows the receipt, and
    the record stands in a log that the sender cosigns. Since link schema 2: to a node of schema 1 it is an
    unknown message, counted and dropped.

    Attributes:
        sender: end of the link that refused.
        recipient: end whose delivery it was.
        report_id: as the delivery stated it, at most 64 characters; empty where nothing could be read.
        reason: stable code.
        log: audit log with the record, such as `gave/KOR`; empty where the refuser keeps none.
        index: of the record in that log.
    """

    sender: str
    recipient: str
    report_id: str
    reason: Reason
    log: str
    index: int


class Standing(msgspec.Struct, frozen=True, tag="standing", tag_field="type", forbid_unknown_fields=True):
    """All that a party has said of suspensions and that still stands, for a hub that lost its journal.

    Attributes:
        party: whose.
        words: each signed; an arrangement without one is not suspended by this party.
    """

    party: str
    words: "tuple[Suspension, ...]"


class Suspension(msgspec.Struct, frozen=True, tag="suspension", tag_field="type", forbid_unknown_fields=True):
    """A party's signed word that an arrangement is suspended or resumed for it.

    Attributes:
        party: who says so.
        arrangement: id.
        version: of the arrangement withdrawn from; 0 of a suspension, which is of any version.
        suspended: True to suspend, False to resume.
        number: strictly rising per party and arrangement; an older one is void. A time in microseconds is
            given, not a count, so that it tells nothing of words on other arrangements.
        said_at_us: when.
        key_id: fingerprint of the signing key.
        signature: Ed25519 over all other fields.
        final: True to withdraw: the party ends this version and all before it, and nothing resumes them.
    """

    party: str
    arrangement: str
    version: int
    suspended: bool
    number: int
    said_at_us: TimeUs
    key_id: str
    signature: bytes
    final: bool = False
