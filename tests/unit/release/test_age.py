from beaconfire.release.age import AGE_BUCKETS_S, age_bucket_s


def test_ages_fall_into_the_bucket_that_ends_above_them() -> None:
    assert [age_bucket_s(int(1e6 * age_s)) for age_s in (-3.0, 0.0, 1.0, 1.1, 59.0, 61.0)] == [
        1, 1, 1, 5, 60, 300,
    ]  # fmt: skip
    assert age_bucket_s(10**15) == AGE_BUCKETS_S[-1] + 1
