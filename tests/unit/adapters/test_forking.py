import os

import msgspec
import pytest

from beaconfire.adapters import forking
from beaconfire.adapters.forking import forked


class Said(msgspec.Struct, frozen=True):
    name: str
    process: int


def say(name: str) -> Said:
    return Said(name, os.getpid())


def test_work_is_done_in_one_other_process_and_comes_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    found = forked(Said, say, ["b", "a", "c"])()
    assert [one.name for one in found] == ["b", "a", "c"]
    assert len({one.process for one in found}) == 1
    assert found[0].process != os.getpid()


def test_on_one_core_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert {one.process for one in forked(Said, say, ["a", "b"])()} == {os.getpid()}


def test_a_fork_that_dies_is_made_up_for_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    here = os.getpid()

    def dies_elsewhere(name: str) -> Said:
        if os.getpid() != here:
            os._exit(3)
        return say(name)

    assert [one.process for one in forked(Said, dies_elsewhere, ["a"])()] == [here]


def test_what_comes_back_is_decoded_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    def lies(name: str) -> Said:
        return Said(name, "no number")  # type: ignore[arg-type]

    with pytest.raises(msgspec.ValidationError):
        forked(Said, lies, ["a"])()


def test_nothing_asked_is_nothing_done() -> None:
    assert forking.forked(Said, say, [])() == []
