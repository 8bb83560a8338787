"""No rollback: a node never holds an older version than one it has held, nor another text of the same."""

import msgspec
import pytest

from beaconfire.messages.codec import encode
from beaconfire.release.arrangements import Agreement
from beaconfire.release.versions import MARKS, Mark, TakenBack, hold
from release_world import agreements

TRILATERAL = agreements()[-1]


def version(number: int, digest: str = "") -> Agreement:
    bundle = msgspec.structs.replace(TRILATERAL.bundle, version=number)
    return Agreement(bundle=bundle, digest=digest or f"text {number}")


def marked(number: int) -> list[tuple[str, bytes]]:
    return [(f"{MARKS}trilateral", encode(Mark(number, f"text {number}")))]


def test_what_is_new_is_held_and_marked() -> None:
    first = hold([version(1)], [])
    assert first.agreements == (version(1),)
    assert first.rows == tuple(marked(1))
    assert hold([version(2)], first.rows).rows == tuple(marked(2))


def test_the_same_again_is_held_and_marked_no_further() -> None:
    held = hold([version(3)], marked(3))
    assert held.agreements == (version(3),)
    assert held.rows == ()


def test_an_older_version_is_not_held() -> None:
    held = hold([version(2), agreements()[0]], marked(3))
    assert held.agreements == (agreements()[0],)
    fault = "older than version 3, which was held here before"
    assert held.refused == (TakenBack("trilateral", 2, "older", fault),)


def test_another_text_of_the_same_version_is_not_held() -> None:
    held = hold([version(3, "other")], marked(3))
    assert held.agreements == ()
    assert held.refused[0].reason == "text"
    assert "another text of version 3" in held.refused[0].fault


@pytest.mark.parametrize("body", [b"", b"\xc1", encode("none")])
def test_a_mark_that_can_not_be_read_holds_nothing(body: bytes) -> None:
    held = hold([version(9)], [(f"{MARKS}trilateral", body)])
    assert held.agreements == ()
    assert held.refused[0].reason == "mark"
    assert "its mark can't be read" in held.refused[0].fault
