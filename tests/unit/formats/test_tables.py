"""Bounds of the TOML reader itself."""

import pytest

from beaconfire.errors import UsageError
from beaconfire.formats.tables import MAXIMUM_TABLES, parse_tables, shown


def test_too_many_tables_are_refused() -> None:
    with pytest.raises(UsageError, match="at most"):
        parse_tables("[[x]]\n" * (MAXIMUM_TABLES + 1), "x", "a.toml")


def test_something_beside_the_tables_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a\.toml: y: unknown"):
        parse_tables("y = 1\n[[x]]\nz = 1\n", "x", "a.toml")


def test_deep_nesting_is_a_clear_error() -> None:
    with pytest.raises(UsageError, match="not TOML"):
        parse_tables("a = " + "[" * 100_000, "x", "a.toml")


def test_a_long_value_is_shown_short() -> None:
    assert len(shown("x" * 1_000)) == 40
