"""The TDM reader held against an independent one: every value it reads, we read, at the same time."""

import io
import math
from pathlib import Path

import pytest

from beaconfire.formats.tdm import read_tdm, time_us_from_text
from beaconfire.messages.detection import Plot
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation

ndm_io = pytest.importorskip("ccsds_ndm.ndm_io")
MESSAGE = (Path(__file__).parents[1] / "golden" / "two_plots.tdm").read_text(encoding="ascii")
RADAR = Radar("kor-1", Nation("KOR"), 0.6, 2.2, 300.0, 30.0, 5e-4, 5e-4, 1.0)


def test_same_values_as_ccsds_ndm() -> None:
    observations = ndm_io.NdmIo().from_string(MESSAGE).body.segment[0].data.observation
    found: dict[tuple[int, str], float] = {}
    for observation in observations:
        for name in ("range", "angle_1", "angle_2", "doppler_instantaneous"):
            value = getattr(observation, name)
            if value is not None:
                found[time_us_from_text(observation.epoch), name] = float(getattr(value, "value", value))
    plots = [entry.value for entry in read_tdm(io.BytesIO(MESSAGE.encode()), {"kor-1": RADAR})]
    ours: dict[tuple[int, str], float] = {}
    for plot in plots:
        assert isinstance(plot, Plot)
        ours[plot.measured_at_us, "range"] = plot.range_m / 1e3
        ours[plot.measured_at_us, "angle_1"] = math.degrees(plot.azimuth_rad)
        ours[plot.measured_at_us, "angle_2"] = math.degrees(plot.elevation_rad)
        if plot.range_rate_m_s is not None:
            ours[plot.measured_at_us, "doppler_instantaneous"] = plot.range_rate_m_s / 1e3
    assert ours == pytest.approx(found)
