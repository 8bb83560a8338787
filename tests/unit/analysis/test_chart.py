"""A chart is well-formed, holds what it is given, and is the same text each time."""

import math
from xml.etree import ElementTree as ET

import pytest

from beaconfire.analysis.chart import Series, axis_over, chart

LINES = (
    Series("one & two", ((1.0, 3.0), (10.0, math.nan), (100.0, 5e4))),
    Series("three", ((1.0, 7.0), (50.0, 70.0))),
)


def test_it_is_xml_with_each_line_and_label() -> None:
    text = chart(LINES, title="a < b", x="tracks", y="updates/s", log_x=True, log_y=True)
    root = ET.fromstring(text)  # own text
    words = {"".join(one.itertext()) for one in root.iter() if one.tag.endswith("text")}
    assert {"one & two", "three", "tracks", "updates/s", "a < b"} <= words
    assert "nan" not in text


def test_the_same_data_give_the_same_text() -> None:
    assert chart(LINES, title="t", x="x", y="y") == chart(LINES, title="t", x="x", y="y")


@pytest.mark.parametrize("log", [False, True])
def test_an_axis_holds_its_values(*, log: bool) -> None:
    values = (0.3, 4.0, 812.0)
    axis = axis_over("x", values, log=log)
    assert all(0.0 <= axis.share(value) <= 1.0 for value in values)
    assert all(-1e-9 <= axis.share(tick) <= 1.0 + 1e-9 for tick in axis.ticks())
    assert len(axis.ticks()) >= 3


def test_an_axis_of_nothing_or_one_value() -> None:
    assert axis_over("x", ()).high > axis_over("x", ()).low
    assert axis_over("x", (5.0,)).share(5.0) < 1.0
