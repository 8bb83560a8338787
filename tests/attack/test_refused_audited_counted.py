"""The attack table of the hub: each row is refused, stands in the log of whose account sent it, is counted.

A copy of what was committed is the exception by design: it is what a resend looks like. It is passed on to
nobody, receipted again and counted as a double; the log has the one record of the first.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import pytest

from attack.test_sealed import given_twice, unlabelled, with_header
from beaconfire.audit.record import AuditRecord, Outcome, decode_record
from beaconfire.errors import PeerError
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, decode, decode_header, decode_sealed, encode
from beaconfire.messages.envelope import Sealed
from beaconfire.messages.refusal import Reason
from beaconfire.messages.transfer import Delivery, Refusal
from beaconfire.messages.words import HUB, Lane, Level
from beaconfire.nodes.commands import Channel, Command, Deliver, Inbound, Send, Unreadable
from beaconfire.nodes.hub import HubNode
from release_world import JPN, KOR, USA, MemoryRows, guard, hub_config, key_of, now, own, report, to_hub


class Sent(NamedTuple):
    """What the attacker publishes: bytes on an account, some time after the report was sealed."""

    body: bytes
    account: str = KOR
    after_us: int = 0


def genuine() -> Delivery:
    commands = guard().receive(own(report()), now())
    (body,) = [one.body for one in commands if isinstance(one, Deliver)]
    found = decode(body)
    assert isinstance(found, Delivery)
    return found


def with_sealed(change: Callable[[Sealed], Sealed]) -> Sent:
    one = genuine()
    return Sent(encode(msgspec.structs.replace(one, sealed=encode(change(decode_sealed(one.sealed))))))


def with_frame(**changes: object) -> Sent:
    return Sent(encode(msgspec.structs.replace(genuine(), **changes)))


def relabelled(sealed: Sealed) -> Sealed:
    """Return it with its level lowered, under the signature it had."""
    label = msgspec.structs.replace(decode_header(sealed.header).label, level=Level.UNCLASSIFIED)
    return with_header(sealed, label=label)


def header_with_another_originator_too(sealed: Sealed) -> Sealed:
    return msgspec.structs.replace(sealed, header=given_twice(sealed.header, "originator", JPN))


def junk(size: int) -> bytes:
    return encode(msgspec.structs.replace(genuine(), sealed=bytes(size)))


ROWS: dict[str, tuple[Callable[[], Sent], Reason]] = {
    "forged by a partner": (
        lambda: with_sealed(lambda s: with_header(s, key_of(USA))),
        Reason.BAD_SIGNATURE,
    ),
    "replayed once it has expired": (lambda: Sent(encode(genuine()), KOR, 601_000_000), Reason.EXPIRED),
    "replayed over another account": (lambda: Sent(encode(genuine()), USA), Reason.WRONG_SENDER),
    "label stripped": (
        lambda: with_sealed(lambda s: with_header(s, key_of(KOR), label=None)),
        Reason.SCHEMA,
    ),
    "label emptied": (lambda: with_sealed(unlabelled), Reason.UNLABELLED),
    "relabelled": (lambda: with_sealed(relabelled), Reason.BAD_SIGNATURE),
    "downgraded schema": (
        lambda: with_sealed(lambda s: with_header(s, key_of(KOR), schema=0)),
        Reason.SCHEMA,
    ),
    "a schema to come": (
        lambda: with_sealed(lambda s: with_header(s, key_of(KOR), schema=2)),
        Reason.SCHEMA,
    ),
    "wrong partner": (lambda: with_frame(recipient=JPN), Reason.WRONG_SENDER),
    "wrong key class": (
        lambda: with_sealed(lambda s: with_header(s, key_of(KOR, KeyClass.LIVE))),
        Reason.UNKNOWN_KEY,
    ),
    "oversize content": (lambda: Sent(junk(MAXIMUM_MESSAGE_BYTES - 300)), Reason.SCHEMA),
    "oversize frame": (lambda: Sent(junk(MAXIMUM_MESSAGE_BYTES)), Reason.SCHEMA),
    "truncated content": (lambda: with_frame(sealed=genuine().sealed[:-9]), Reason.SCHEMA),
    "truncated frame": (lambda: Sent(encode(genuine())[:-9]), Reason.SCHEMA),
    "a key twice in the envelope": (
        lambda: with_frame(sealed=given_twice(genuine().sealed, "basis", ("JPN/trilateral",))),
        Reason.SCHEMA,
    ),
    "a key twice in the header": (
        lambda: with_sealed(header_with_another_originator_too),
        Reason.SCHEMA,
    ),
    "a key twice in the frame, which nobody signed": (
        lambda: Sent(given_twice(encode(genuine()), "hops", 0)),
        Reason.SCHEMA,
    ),
    "hop limit exceeded by the frame": (lambda: with_frame(hops=1), Reason.TOO_MANY_HOPS),
    "hop limit exceeded by the header": (
        lambda: with_sealed(lambda s: with_header(s, key_of(KOR), hops_max=0)),
        Reason.TOO_MANY_HOPS,
    ),
    "another's report re-exported": (
        lambda: Sent(encode(msgspec.structs.replace(genuine(), sender=JPN)), JPN),
        Reason.WRONG_SENDER,
    ),
}


class Struck:
    """A hub after an attack."""

    def __init__(self) -> None:
        self.rows = MemoryRows()
        self.node = HubNode(hub_config(), self.rows)

    def by(self, sent: Sent) -> list[Command]:
        """Take the bytes as the loop gives them: decoded, or as what can't be."""
        lane = Lane.FLASH
        try:
            inbound = to_hub(decode(sent.body), sent.account, lane)
        except PeerError as error:
            unreadable = Unreadable(sent.body, error.detail)
            inbound = Inbound(Channel.TO_HUB, sent.account, lane, unreadable, len(sent.body))
        commands = self.node.receive(inbound, now(sent.after_us))
        self.rows.commit(commands)
        return commands

    def records(self, account: str) -> list[AuditRecord]:
        return [decode_record(body) for body in self.rows.log(f"gave/{account}")]


def passed_on(commands: list[Command]) -> list[Command]:
    return [one for one in commands if isinstance(one, Deliver)]


def refusals_in(commands: list[Command]) -> list[Refusal]:
    """Return words of refusals, all of them to those who sent what was refused."""
    return [one.message for one in commands if isinstance(one, Send) and isinstance(one.message, Refusal)]


@pytest.mark.parametrize("name", ROWS)
def test_it_is_refused_audited_and_counted(name: str) -> None:
    make, reason = ROWS[name]
    sent, hub = make(), Struck()
    commands = hub.by(sent)
    assert not passed_on(commands), "refused"
    records = hub.records(sent.account)
    on_arrival = [(f"gave/{sent.account}", one.index, reason) for one in records if one.recipient == HUB]
    assert [(one.log, one.index, one.reason) for one in refusals_in(commands)] == on_arrival, "told"
    assert {(one.outcome, one.reason) for one in records} == {(Outcome.REFUSED, reason)}, "audited"
    assert not [key for key in hub.rows.logs if key != f"gave/{sent.account}"], "in no other log"
    counters = hub.node.counters
    assert counters["rejected"] + counters["refused"] == len(records) > 0, "counted"
    assert counters["released"] == 0


def test_the_genuine_one_passes_the_same_way() -> None:
    hub = Struck()
    assert len(passed_on(hub.by(Sent(encode(genuine()))))) == 2
    assert hub.node.counters["rejected"] == 0


def test_a_copy_is_passed_on_to_nobody_and_counted_as_a_double() -> None:
    hub = Struck()
    hub.by(Sent(encode(genuine())))
    before = hub.records(KOR)
    assert not passed_on(hub.by(Sent(encode(genuine()), KOR, 1_000)))
    assert hub.node.counters["doubled"] == 1
    assert hub.records(KOR) == before


def test_what_one_gave_never_comes_back_to_it() -> None:
    """Own report re-exported: each nation's fate of each report is on record, its own never among them."""
    hub = Struck()
    commands = hub.by(Sent(encode(genuine())))
    frames = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    assert {one.recipient for one in frames if isinstance(one, Delivery)} == {JPN, USA}


def test_a_flood_of_what_cannot_be_read_is_counted_whole_and_recorded_once_a_second() -> None:
    hub = Struck()
    for number in range(50):
        hub.by(Sent(b"\x93junk", KOR, 40_000 * number))
    assert hub.node.counters["rejected"] == 50
    assert len(hub.records(KOR)) == 2
    assert {one.recipient for one in hub.records(KOR)} == {HUB}
