"""What every study here shares: its options, its picture, its sentence, its verdict."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from beaconfire.analysis.chart import Series, chart

HERE = Path(__file__).parent


class Finding(NamedTuple):
    """What a study found.

    Attributes:
        lines: of the table, printed as they stand.
        series: of the picture.
        axes: title, x, y of the picture.
        logs: whether x and y go in powers of ten.
        sentence: that justifies the default.
        holds: whether the figures bear the sentence out.
    """

    lines: Sequence[str]
    series: Sequence[Series]
    axes: tuple[str, str, str]
    logs: tuple[bool, bool]
    sentence: str
    holds: bool


def tell(name: str, find: Callable[[bool], Finding]) -> None:
    """Run a study from the command line and exit 1 if its sentence does not hold."""
    parser = argparse.ArgumentParser(description=f"study {name}")
    parser.add_argument("--short", action="store_true", help="a few runs, as in CI")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the picture")
    arguments = parser.parse_args()
    found = find(arguments.short)
    title, x, y = found.axes
    text = chart(found.series, title=title, x=x, y=y, log_x=found.logs[0], log_y=found.logs[1])
    (arguments.out / f"{name}.svg").write_text(text, encoding="utf-8")
    print("\n".join(found.lines))
    print(found.sentence if found.holds else f"DOES NOT HOLD: {found.sentence}")
    sys.exit(0 if found.holds else 1)
