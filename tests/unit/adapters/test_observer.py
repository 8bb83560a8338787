from pathlib import Path

import pytest

from beaconfire.adapters.clock import Clock
from beaconfire.adapters.installation import make_installation
from beaconfire.adapters.loop import WAITING
from beaconfire.adapters.observer import Observer
from beaconfire.adapters.wiring import Heard
from beaconfire.messages.codec import encode
from beaconfire.messages.health import Health
from beaconfire.messages.words import Lane, Nation, Sharing
from beaconfire.nodes.commands import Channel
from beaconfire.nodes.display import DisplayFacts

KOR = Nation("KOR")
ON_HEALTH = Heard("health.ROUTINE", Channel.HEALTH, KOR, Lane.ROUTINE)


@pytest.fixture
def observer(tmp_path: Path) -> Observer:
    made = make_installation(tmp_path / "here", nations=[KOR], sharing=Sharing.ALONE)
    return Observer(made, Clock(), {KOR: DisplayFacts()})


def say(observer: Observer, source: str, waiting: int) -> None:
    observer._hear(ON_HEALTH, encode(Health(source, 0, (), {WAITING: waiting})))


def test_who_has_messages_waiting_or_has_not_spoken_since_is_behind(observer: Observer) -> None:
    assert observer.behind(0) == []
    say(observer, "national/KOR", 3)
    say(observer, "picture/KOR", 0)
    assert observer.behind(0) == ["national/KOR"]
    assert observer.behind(Clock().now().monotonic_us + 1) == ["national/KOR", "picture/KOR"]
    say(observer, "national/KOR", 0)
    assert observer.behind(0) == []


def test_what_can_not_be_decoded_is_counted(observer: Observer) -> None:
    observer._hear(ON_HEALTH, b"no message")
    assert observer.undecodable == 1
