"""Progress in a log: a line once in a while, with what is needed to go on."""

import json

import pytest

from beaconfire.cli.progress import LinesOfProgress


def test_a_line_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    tell = LinesOfProgress(every_s=0.0)
    tell(lambda: {"seeds": 3, "next_seed": 103})
    assert json.loads(capsys.readouterr().err) == {"seeds": 3, "next_seed": 103, "seconds": 0}


def test_nothing_is_written_before_a_line_is_due(capsys: pytest.CaptureFixture[str]) -> None:
    tell = LinesOfProgress(every_s=3_600.0)
    tell(lambda: pytest.fail("asked for before it was due"))
    assert not capsys.readouterr().err
