"""The catalogue by id."""

import pytest

from beaconfire.errors import UsageError
from beaconfire.sim.catalogue import catalogue, find_launch


def test_each_id_finds_its_launch() -> None:
    assert all(find_launch(name).launch_id == name for name in catalogue())


def test_an_unknown_id_is_one_line_that_says_what_there_is() -> None:
    with pytest.raises(UsageError, match="2022-09-29a, 2022-09-29b"):
        find_launch("2022-09-29")
    with pytest.raises(UsageError, match=r"no flight '1999-01-01'.*2022-10-04"):
        find_launch("1999-01-01")
