"""An error is one line that says what and where, and keeps both as data."""

import pytest

from beaconfire.errors import BeaconfireError, EnvironmentFault, PeerError, UsageError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UsageError("no such file"), "no such file"),
        (UsageError("no such file", "a.toml"), "a.toml: no such file"),
        (UsageError("not a number", "a.toml:3", "metres"), "a.toml:3: not a number (expected metres)"),
        (PeerError("oversize"), "oversize"),
        (PeerError("schema", "no field code"), "schema: no field code"),
        (EnvironmentFault("port 9000 is taken"), "port 9000 is taken"),
        (EnvironmentFault("port 9000 is taken", "name another"), "port 9000 is taken; name another"),
    ],
)
def test_an_error_reads_as_one_line(error: BeaconfireError, line: str) -> None:
    assert str(error) == line
    assert isinstance(error, BeaconfireError)


def test_an_error_keeps_its_parts() -> None:
    usage = UsageError("not a number", "a.toml:3", "metres")
    assert (usage.what, usage.where, usage.expected) == ("not a number", "a.toml:3", "metres")
    peer = PeerError("schema", "no field code")
    assert (peer.code, peer.detail) == ("schema", "no field code")
    fault = EnvironmentFault("disk full", "make room")
    assert (fault.what, fault.remedy) == ("disk full", "make room")


def test_the_kinds_are_never_mixed() -> None:
    kinds = (UsageError, PeerError, EnvironmentFault)
    assert all(not issubclass(one, other) for one in kinds for other in kinds if one is not other)
