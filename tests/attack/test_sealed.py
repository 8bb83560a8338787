"""What an attacker sends, and how it ends: one table, each line one forgery that opening must refuse."""

from collections.abc import Callable

import msgspec
import pytest

from beaconfire.audit.record import Outcome, decode_record
from beaconfire.errors import PeerError
from beaconfire.messages.arrangement import KeyClass, PublicKey
from beaconfire.messages.codec import MAXIMUM_MESSAGE_BYTES, decode, decode_header, decode_sealed, encode
from beaconfire.messages.envelope import Disclosure, Header, Sealed
from beaconfire.messages.label import GroupLabel
from beaconfire.messages.refusal import Reason, Withheld
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Group, Lane, Level, Mode, Sharing
from beaconfire.nodes.commands import Deliver
from beaconfire.nodes.hub import HubNode
from beaconfire.release.arrangements import Arrangements
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.content import decode_content, encode_content
from beaconfire.release.decide import Outgoing, Released, release_to_hub, release_to_partner
from beaconfire.release.keys import HEADER_TYPE, Keyring, SigningKey
from beaconfire.release.label import label_report
from beaconfire.release.opening import Opened, open_sealed
from beaconfire.release.ruling import Releaser
from beaconfire.release.seal import degrade
from beaconfire.release.terms import SealTerms
from release_world import (
    JPN,
    KOR,
    T0_US,
    USA,
    MemoryRows,
    agreements,
    hub_config,
    key_of,
    keyring,
    now,
    report,
    rules,
    to_hub,
)

ARRANGEMENTS = Arrangements(agreements())
DECIDER = CedarDecider(agreements())


def releaser(party: str) -> Releaser:
    return Releaser(DECIDER, ARRANGEMENTS, key_of(party), b"s" * 32, Mode.SIMULATED)


def terms() -> SealTerms:
    label = label_report(rules(KOR), KOR, (JPN, USA))
    return SealTerms(label, T0_US, T0_US + 600_000_000, ())


def at_hub() -> Sealed:
    released = release_to_hub(report(), terms(), releaser(KOR))
    assert isinstance(released, Released), released
    return decode_sealed(released.value.sealed)


def opening(
    sealed: Sealed | bytes,
    recipient: str = JPN,
    ring: Keyring | None = None,
    arrangements: Arrangements = ARRANGEMENTS,
    now_us: int = T0_US,
) -> Opened | Withheld:
    return open_sealed(
        sealed if isinstance(sealed, bytes) else encode(sealed),
        recipient=recipient,
        keyring=ring or keyring(),
        now_us=now_us,
        mode=Mode.SIMULATED,
        arrangements=arrangements,
        hops=0 if recipient == HUB else 1,
    )


def at_japan() -> Sealed:
    opened = opening(at_hub(), HUB)
    assert isinstance(opened, Opened), opened
    released = release_to_partner(opened, JPN, releaser(HUB), T0_US)
    assert isinstance(released, Released), released
    return decode_sealed(released.value.sealed)


def reason(answer: Opened | Withheld) -> Reason:
    assert isinstance(answer, Withheld), "an attack was accepted"
    return answer.reason


def with_header(sealed: Sealed, key: SigningKey | None = None, **changes: object) -> Sealed:
    """Return the report under a changed header, signed anew if a key is given."""
    header = msgspec.structs.replace(decode_header(sealed.header), **changes)
    if key:
        header = msgspec.structs.replace(header, key_id=key.key_id)
    body = encode(header)
    signature = key.sign(HEADER_TYPE, body) if key else sealed.signature
    return msgspec.structs.replace(sealed, header=body, signature=signature)


def header_of(sealed: Sealed) -> Header:
    return decode_header(sealed.header)


def swapped_content(sealed: Sealed) -> Sealed:
    forged = [
        msgspec.structs.replace(one, content=encode_content(report(99).trajectory))
        if one.group is Group.TRAJECTORY
        else one
        for one in sealed.disclosures
    ]
    return msgspec.structs.replace(sealed, disclosures=tuple(forged))


def degraded_by(sealed: Sealed, key: SigningKey, group: Group = Group.LAUNCH_POINT) -> Sealed:
    value = getattr(report(5), group.value)
    one = degrade(header_of(sealed), group, value, "grid 10000 m", key)
    kept = tuple(d for d in sealed.disclosures if d.group is not group)
    others = tuple(d for d in sealed.degradations if d.group is not group)
    return msgspec.structs.replace(sealed, disclosures=kept, degradations=(*others, one))


def loosened(sealed: Sealed) -> Sealed:
    label = header_of(sealed).label
    loose = GroupLabel(
        group=Group.RAW_MEASUREMENT,
        level=Level.UNCLASSIFIED,
        releasable_to=label.releasable_to,
        restrictions=frozenset(),
    )
    forged = msgspec.structs.replace(label, overrides=(loose,))
    return with_header(sealed, key_of(KOR), label=forged)


def unlabelled(sealed: Sealed) -> Sealed:
    label = msgspec.structs.replace(header_of(sealed).label, policy="")
    return with_header(sealed, key_of(KOR), label=label)


def given_twice(data: bytes, key: str, value: object) -> bytes:
    """Return a MessagePack map with one more pair at its end, whose key stands in it already."""
    short = data[0] & 0xF0 == 0x80
    size, rest = (data[0] & 0x0F, data[1:]) if short else (int.from_bytes(data[1:3], "big"), data[3:])
    head = bytes([0x80 | size + 1]) if size < 15 else b"\xde" + (size + 1).to_bytes(2, "big")
    return head + rest + encode(key) + encode(value)


def header_with_a_key_twice(sealed: Sealed) -> Sealed:
    """Return the report under a header that names its originator twice, well signed by it."""
    body = given_twice(sealed.header, "originator", KOR)
    return msgspec.structs.replace(sealed, header=body, signature=key_of(KOR).sign(HEADER_TYPE, body))


ATTACKS: list[tuple[str, Callable[[Sealed], Sealed | bytes], Reason]] = [
    ("forged by a partner", lambda s: with_header(s, key_of(USA)), Reason.BAD_SIGNATURE),
    ("forged by the hub", lambda s: with_header(s, key_of(HUB)), Reason.BAD_SIGNATURE),
    (
        "forged with a live key of the same nation",
        lambda s: with_header(s, key_of(KOR, KeyClass.LIVE)),
        Reason.UNKNOWN_KEY,
    ),
    ("header altered", lambda s: with_header(s, expires_at_us=T0_US + 10**12), Reason.BAD_SIGNATURE),
    ("label stripped", lambda s: with_header(s, key_of(KOR), label=None), Reason.SCHEMA),
    ("label emptied", unlabelled, Reason.UNLABELLED),
    ("label loosened by an override", loosened, Reason.UNLABELLED),
    ("live data", lambda s: with_header(s, key_of(KOR), mode=Mode.REAL), Reason.MODE_MISMATCH),
    (
        "exercise data",
        lambda s: with_header(s, key_of(KOR), mode=Mode.EXERCISE, exercise="drill"),
        Reason.MODE_MISMATCH,
    ),
    ("expired", lambda s: with_header(s, key_of(KOR), expires_at_us=T0_US), Reason.EXPIRED),
    (
        "from the future",
        lambda s: with_header(s, key_of(KOR), sent_at_us=T0_US + 10_000_000),
        Reason.NOT_YET_VALID,
    ),
    ("a digest too few", lambda s: with_header(s, key_of(KOR), digests=()), Reason.BAD_DIGEST),
    ("hops exhausted", lambda s: with_header(s, key_of(KOR), hops_max=0), Reason.TOO_MANY_HOPS),
    ("another schema", lambda s: with_header(s, key_of(KOR), schema=9), Reason.SCHEMA),
    ("content swapped", swapped_content, Reason.BAD_DIGEST),
    ("degraded by a partner", lambda s: degraded_by(s, key_of(USA)), Reason.BAD_SIGNATURE),
    ("degraded by its originator", lambda s: degraded_by(s, key_of(KOR)), Reason.BAD_SIGNATURE),
    (
        "a group degraded that nobody agreed to",
        lambda s: degraded_by(s, key_of(HUB), Group.TRAJECTORY),
        Reason.NO_ARRANGEMENT,
    ),
    (
        "a group given twice",
        lambda s: msgspec.structs.replace(s, disclosures=s.disclosures * 2),
        Reason.SCHEMA,
    ),
    ("no basis", lambda s: msgspec.structs.replace(s, basis=()), Reason.NO_ARRANGEMENT),
    ("unknown basis", lambda s: msgspec.structs.replace(s, basis=("made-up",)), Reason.NO_ARRANGEMENT),
    (
        "basis that does not bind both",
        lambda s: msgspec.structs.replace(s, basis=("bilateral-usa-jpn",)),
        Reason.NO_ARRANGEMENT,
    ),
    (
        "provenance taken out",
        lambda s: msgspec.structs.replace(
            s, disclosures=tuple(d for d in s.disclosures if d.group is not Group.PROVENANCE)
        ),
        Reason.NOT_OWN_SENSORS,
    ),
    ("oversize", lambda s: encode(s) + b"\0" * MAXIMUM_MESSAGE_BYTES, Reason.SCHEMA),
    ("cut off", lambda s: encode(s)[:-7], Reason.SCHEMA),
    ("nested without end", lambda _: b"\x91" * 60_000, Reason.SCHEMA),
    ("empty", lambda _: b"", Reason.SCHEMA),
    ("basis given twice", lambda s: given_twice(encode(s), "basis", ("trilateral",)), Reason.SCHEMA),
    ("a key of the header given twice", header_with_a_key_twice, Reason.SCHEMA),
]


@pytest.mark.parametrize(("attack", "wanted"), [a[1:] for a in ATTACKS], ids=[a[0] for a in ATTACKS])
def test_attack_is_refused(attack: Callable[[Sealed], Sealed | bytes], wanted: Reason) -> None:
    assert reason(opening(attack(at_japan()))) is wanted


@pytest.mark.parametrize("attack", [a[1] for a in ATTACKS], ids=[a[0] for a in ATTACKS])
def test_each_attack_on_the_way_to_the_hub_is_refused_audited_and_counted(
    attack: Callable[[Sealed], Sealed | bytes],
) -> None:
    """Refused whole on arrival, or towards Japan, for which it was altered; Korea's log says so."""
    attacked = attack(at_hub())
    body = attacked if isinstance(attacked, bytes) else encode(attacked)
    report_id = report().report_id
    delivery = Delivery(KOR, HUB, Lane.FLASH, 1, 1, 0, report_id, body)
    rows = MemoryRows()
    node = HubNode(hub_config(), rows)
    commands = node.receive(to_hub(delivery, KOR, Lane.FLASH), now())
    rows.commit(commands)
    passed = [decode(one.body) for one in commands if isinstance(one, Deliver)]
    assert not [one for one in passed if isinstance(one, Delivery) and one.recipient == JPN]
    refused = [one for one in map(decode_record, rows.log("gave/KOR")) if one.outcome is Outcome.REFUSED]
    assert len(refused) == node.counters["rejected"] + node.counters["refused"] > 0


def test_a_key_of_a_group_given_twice_is_no_content() -> None:
    content = encode_content(report().timing)
    with pytest.raises(PeerError):
        decode_content(Group.TIMING, given_twice(content, "observed_at_us", 1))


def test_the_untouched_report_is_accepted() -> None:
    assert isinstance(opening(at_japan()), Opened)


def test_wrong_recipients() -> None:
    assert reason(opening(at_japan(), KOR)) is Reason.OWN_DATA
    assert reason(opening(at_japan(), "FRA")) is Reason.WRONG_RECIPIENT
    assert reason(opening(at_japan(), HUB)) is Reason.SCHEMA


def test_a_group_that_is_not_a_number_is_refused_even_when_signed() -> None:
    launch = report().launch_point
    assert launch is not None
    bad = msgspec.structs.replace(launch, sigma_time_s=float("nan"))
    released = release_to_hub(msgspec.structs.replace(report(), launch_point=bad), terms(), releaser(KOR))
    assert isinstance(released, Released)
    assert reason(opening(released.value.sealed, HUB)) is Reason.SCHEMA


def test_after_the_trilateral_ends_its_reports_open_no_more() -> None:
    bilateral = Arrangements(agreements(Sharing.BILATERAL))
    assert reason(opening(at_japan(), arrangements=bilateral)) is Reason.NO_ARRANGEMENT
    suspended = Arrangements(agreements())
    assert suspended.suspend(USA, "trilateral", number=1, suspended=True)
    assert reason(opening(at_japan(), arrangements=suspended)) is Reason.NO_ARRANGEMENT


def test_disclosures_of_another_report_do_not_fit() -> None:
    other = release_to_hub(report(2), terms(), releaser(KOR))
    assert isinstance(other, Released)
    foreign = decode_sealed(other.value.sealed).disclosures
    mixed = msgspec.structs.replace(at_hub(), disclosures=foreign)
    assert reason(opening(mixed, HUB)) is Reason.BAD_DIGEST


def test_a_salt_of_another_length_is_refused() -> None:
    sealed = at_hub()
    first = sealed.disclosures[0]
    moved = Disclosure(group=first.group, salt=first.salt + first.content[:1], content=first.content[1:])
    forged = msgspec.structs.replace(sealed, disclosures=(moved, *sealed.disclosures[1:]))
    assert isinstance(opening(forged, HUB), Withheld)


def test_keyring_never_mixes_classes() -> None:
    keys: list[PublicKey] = [key_of(KOR).public, key_of(USA, KeyClass.LIVE).public]
    with pytest.raises(Exception, match="class LIVE"):
        Keyring(KeyClass.SIMULATION, keys)


def test_live_keys_do_not_open_simulated_reports() -> None:
    live = Keyring(KeyClass.LIVE, [key_of(KOR, KeyClass.LIVE).public])
    relabelled = with_header(at_japan(), key_of(KOR, KeyClass.LIVE))
    assert reason(opening(relabelled, ring=live)) is Reason.MODE_MISMATCH


def test_released_can_be_made_by_the_decision_only() -> None:
    good = release_to_hub(report(), terms(), releaser(KOR))
    assert isinstance(good, Released)
    with pytest.raises(TypeError, match="only release"):
        Released(good.value, JPN, object())
    with pytest.raises(AttributeError):
        good.recipient = JPN
    assert isinstance(good.value, Outgoing)
