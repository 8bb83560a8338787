"""Ages as policies see them, in a few buckets so that a ruling serves many reports; how long one is worth."""

from typing import Final

from beaconfire.messages.words import Lane, TimeUs
from beaconfire.units import MICROSECONDS_PER_SECOND

AGE_BUCKETS_S: Final = (1, 5, 15, 60, 300, 600, 3_600, 86_400, 2_592_000)
"""Upper ends of the ages that policies can tell apart."""
ROUTINE_SHARE: Final = 10


def age_bucket_s(age_us: int) -> int:
    """Return the upper end, in seconds, of the bucket an age is in; the last one has no end."""
    age_s = age_us / MICROSECONDS_PER_SECOND
    return next((end for end in AGE_BUCKETS_S if age_s <= end), AGE_BUCKETS_S[-1] + 1)


def worth_until_us(lane: Lane, sent_at_us: TimeUs, expires_at_us: TimeUs) -> TimeUs:
    """Return until when a report is worth sending, UTC: on ROUTINE for a tenth of its life."""
    if lane is Lane.FLASH:
        return expires_at_us
    return sent_at_us + (expires_at_us - sent_at_us) // ROUTINE_SHARE
