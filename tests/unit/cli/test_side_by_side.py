"""Pieces of work side by side: all done, in their order."""

import pytest

from beaconfire.cli import side_by_side
from beaconfire.cli.side_by_side import check_jobs, each_made
from beaconfire.errors import UsageError


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_pieces(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "WAITING_MAX", 4)
    assert list(each_made("numbers", abs, range(-9, 0), jobs, at_once=2)) == list(range(9, 0, -1))


@pytest.mark.parametrize("jobs", [0, 65])
def test_a_number_of_processes_nobody_could_run_is_refused(jobs: int) -> None:
    with pytest.raises(UsageError, match=f"{jobs}"):
        check_jobs(jobs)
