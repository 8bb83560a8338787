"""Seeded draws: the same on every machine, independent by name."""

from beaconfire.sim.chance import Chance


def test_reference_numbers_of_splitmix64() -> None:
    chance = Chance(0, "x")
    chance._state = 1_234_567
    assert [chance.bits() for _ in range(3)] == [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
    ]


def test_streams_of_two_names_differ_and_of_one_agree() -> None:
    def draws(seed: int, name: str) -> list[int]:
        chance = Chance(seed, name)
        return [chance.bits() for _ in range(4)]

    assert draws(1, "a") == draws(1, "a")
    assert draws(1, "a") != draws(1, "b")
    assert draws(1, "a") != draws(2, "a")


def test_shares_are_as_asked() -> None:
    chance = Chance(7, "share")
    hits = sum(chance.happens(0.25) for _ in range(20_000))
    assert 4_700 < hits < 5_300
    assert {chance.between(3, 5) for _ in range(100)} == {3, 4, 5}
    assert not chance.happens(0.0)
