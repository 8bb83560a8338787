"""The table of the summary: zero, negative and never are all printed."""

import io

import msgspec
from rich.console import Console

from beaconfire.analysis.summary import Latency, Moments, NationSummary, Summary, gains
from beaconfire.analysis.table import summary_table
from beaconfire.messages.words import Nation, Sharing


def test_table_prints_never_zero_and_negative() -> None:
    bilateral, trilateral = Moments(90.0, 95.0, 120.0, 300.0), Moments(90.0, 97.5, 100.0, 320.0)
    nation = NationSummary(Moments(), bilateral, trilateral, gains(bilateral, trilateral))
    summary = Summary(
        "trilateral", "notional", "truth", {Nation("JPN"): nation}, Latency(200.0, 210.0), 5, 6, 0, 0
    )
    text = io.StringIO()
    Console(file=text, width=160).print(summary_table(summary))
    shown = text.getvalue()
    assert "not run" not in shown
    text = io.StringIO()
    Console(file=text, width=160).print(
        summary_table(msgspec.structs.replace(summary, not_run=(Sharing.TRILATERAL,)))
    )
    assert text.getvalue().count("not run") == 4
    for expected in ("JPN", "never", "+0.0 s", "-2.5 s", "+20.0 s", "p50 200 ms", "released 5", "SIMULATED"):
        assert expected in shown
