import msgspec

from beaconfire.messages.codec import decode, decode_sealed, encode
from beaconfire.messages.transfer import Delivery
from beaconfire.nodes.commands import Deliver
from beaconfire.release.arrangements import Arrangements
from beaconfire.release.departure import may_still_reach_hub, may_still_reach_partner
from release_world import JPN, KOR, T0_US, USA, agreements, guard, now, own, report


def sealed_by_korea() -> bytes:
    (sent,) = [one for one in guard().receive(own(report()), now()) if isinstance(one, Deliver)]
    delivery = decode(sent.body)
    assert isinstance(delivery, Delivery)
    return delivery.sealed


def test_towards_the_hub_one_arrangement_is_enough_and_none_is_not() -> None:
    held, sealed = Arrangements(agreements()), sealed_by_korea()
    assert may_still_reach_hub(KOR, sealed, arrangements=held, now_us=T0_US)
    held.suspend(JPN, "trilateral", number=1, suspended=True)
    assert may_still_reach_hub(KOR, sealed, arrangements=held, now_us=T0_US)
    held.suspend(USA, "bilateral-usa-kor", number=1, suspended=True)
    assert not may_still_reach_hub(KOR, sealed, arrangements=held, now_us=T0_US)


def test_towards_a_partner_every_arrangement_named_must_be_in_force() -> None:
    held = Arrangements(agreements())
    both = ("bilateral-usa-kor", "trilateral")
    sealed = encode(msgspec.structs.replace(decode_sealed(sealed_by_korea()), basis=both))
    assert may_still_reach_partner(KOR, sealed, recipient=USA, arrangements=held, now_us=T0_US)
    held.suspend(JPN, "trilateral", number=1, suspended=True)
    assert not may_still_reach_partner(KOR, sealed, recipient=USA, arrangements=held, now_us=T0_US)


def test_what_rests_on_nothing_or_cannot_be_read_stays() -> None:
    held = Arrangements(agreements())
    bare = encode(msgspec.structs.replace(decode_sealed(sealed_by_korea()), basis=()))
    for sealed in (bare, b"\xc1"):
        assert not may_still_reach_hub(KOR, sealed, arrangements=held, now_us=T0_US)
        assert not may_still_reach_partner(KOR, sealed, recipient=USA, arrangements=held, now_us=T0_US)
