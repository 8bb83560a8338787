"""The summary as a table for a terminal: alone, bilateral and trilateral side by side."""

from typing import Final

from rich.table import Table

from beaconfire.analysis.summary import Moments, NationSummary, Summary
from beaconfire.messages.words import Sharing

ROWS: Final = (
    ("first detection", "first_detection_s", "first_detection"),
    ("confirmed", "confirmed_s", "confirmed"),
    ("impact area under 100 km", "area_100km_s", "area_100km"),
    ("warning left", "warning_left_s", None),
)
NEVER: Final = "never"
NOT_RUN: Final = "not run"


def _cell(value_s: float | None, *, signed: bool = False) -> str:
    if value_s is None:
        return NEVER if not signed else "-"
    return f"{value_s:+.1f} s" if signed else f"{value_s:.1f} s"


def _moment(moments: Moments, field: str) -> str:
    value: float | None = getattr(moments, field)
    return _cell(value) if field != "warning_left_s" or value is not None else "-"


def _gained(nation: NationSummary, field: str | None) -> str:
    if field is not None:
        return _cell(getattr(nation.gained_s, field), signed=True)
    less, more = nation.bilateral.warning_left_s, nation.trilateral.warning_left_s
    return "-" if less is None or more is None else _cell(more - less, signed=True)


def summary_table(summary: Summary) -> Table:
    """Return the table: a row for each nation and measure, with what the new link adds at the end."""
    after = "the true launch" if summary.launch_time_basis == "truth" else summary.launch_time_basis
    table = Table(
        title=f"Seconds after {after} (SIMULATED, notional sensors, no human decision in it)",
        caption=_caption(summary),
    )
    for name in ("nation", "its picture", "alone", "bilateral", "trilateral", "the new link adds"):
        table.add_column(name, justify="left" if name in {"nation", "its picture"} else "right")
    for name, nation in summary.nations.items():
        for number, (label, field, gain) in enumerate(ROWS):
            table.add_row(
                name if number == 0 else "",
                label,
                *(
                    NOT_RUN if sharing in summary.not_run else _moment(getattr(nation, sharing.value), field)
                    for sharing in Sharing
                ),
                _gained(nation, gain),
                end_section=number == len(ROWS) - 1,
            )
    return table


def _caption(summary: Summary) -> str:
    latency = summary.latency_ms
    took = "" if latency.p50 is None else f" · detection to partner's picture p50 {latency.p50:.0f} ms"
    slowest = "" if latency.p99 is None else f", p99 {latency.p99:.0f} ms"
    return (
        f"in force: {summary.sharing} · released {summary.released}, refused {summary.refused}, "
        f"lost {summary.lost}, doubled {summary.doubled}{took}{slowest}"
    )
