"""Ages as policies see them: in a few buckets, so that a remembered ruling serves many reports."""

from typing import Final

from beaconfire.units import MICROSECONDS_PER_SECOND

AGE_BUCKETS_S: Final = (1, 5, 15, 60, 300, 600, 3_600, 86_400, 2_592_000)
"""Upper ends of the ages that policies can tell apart."""


def age_bucket_s(age_us: int) -> int:
    """Return the upper end, in seconds, of the bucket an age is in; the last one has no end."""
    age_s = age_us / MICROSECONDS_PER_SECOND
    return next((end for end in AGE_BUCKETS_S if age_s <= end), AGE_BUCKETS_S[-1] + 1)
