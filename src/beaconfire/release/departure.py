"""Whether what was released and sealed may still be sent: looked at again at every resend.

A row waits in an outbox until its receipt comes. Meanwhile a party may have suspended what it rests on.
"""

from beaconfire.errors import PeerError
from beaconfire.messages.codec import decode_sealed
from beaconfire.messages.words import Nation
from beaconfire.release.arrangements import Arrangements


def may_still_reach_partner(
    originator: str, sealed: bytes, *, recipient: Nation, arrangements: Arrangements, now_us: int
) -> bool:
    """Return whether every arrangement that a report was released under is in force between the two.

    Its recipient refuses it if one is not.
    """
    named = frozenset(_basis(sealed))
    held = {one.bundle.arrangement for one in arrangements.between(originator, recipient, now_us)}
    return bool(named) and named <= held


def may_still_reach_hub(originator: str, sealed: bytes, *, arrangements: Arrangements, now_us: int) -> bool:
    """Return whether some partner named in a report for the hub may still have something of it."""
    for entry in _basis(sealed):
        partner, _, name = entry.partition("/")
        held = arrangements.between(originator, partner, now_us)
        if any(one.bundle.arrangement == name for one in held):
            return True
    return False


def _basis(sealed: bytes) -> tuple[str, ...]:
    """Return what sealed bytes rest on; what can't be read rests on nothing."""
    try:
        return decode_sealed(sealed).basis
    except PeerError:
        return ()
