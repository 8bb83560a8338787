"""`beaconfire simulate`: what it prints, in one process and in several."""

import json

import pytest

from beaconfire.cli.main import main


def _printed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["simulate", "--json", *words]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_processes_side_by_side_find_what_one_finds(capsys: pytest.CaptureFixture[str]) -> None:
    alone = _printed(capsys, "--seeds", "6", "--first-seed", "40")
    assert alone["seeds"] == 6
    assert _printed(capsys, "--seeds", "6", "--first-seed", "40", "--jobs", "2") == alone


@pytest.mark.parametrize(("words", "what"), [(("--jobs", "0"), "--jobs"), (("--seeds", "0"), "--seeds")])
def test_numbers_out_of_range_are_refused(
    words: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *words]) == 2
    assert what in capsys.readouterr().err
