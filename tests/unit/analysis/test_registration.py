"""Offsets that were put on simulated radars are found, as well as the estimate says; others are not."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from beaconfire.analysis.registration import KINDS, coast_rows, register
from beaconfire.cli.main import main
from beaconfire.flight.propagation import propagate_kernel
from beaconfire.formats.detections import format_detection
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, enu_from_ecef_rotation
from beaconfire.frames.types import Vector
from beaconfire.messages.detection import Detection, Plot
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Nation
from beaconfire.sim.sensing import radar_view

KOR = Nation("KOR")
BIAS = np.array((50.0, 1e-3, 1e-3, 0.02))
START_US = 1_700_000_000_000_000
SEEDS = range(8)


def _radar(name: str, latitude_deg: float, longitude_deg: float) -> Radar:
    return Radar(
        sensor=name,
        nation=KOR,
        latitude_rad=math.radians(latitude_deg),
        longitude_rad=math.radians(longitude_deg),
        height_m=100.0,
        sigma_range_m=30.0,
        sigma_azimuth_rad=5e-4,
        sigma_elevation_rad=5e-4,
        bias_sigma_range_m=float(BIAS[0]),
        bias_sigma_azimuth_rad=float(BIAS[1]),
        bias_sigma_elevation_rad=float(BIAS[2]),
        bias_sigma_clock_s=float(BIAS[3]),
        maximum_range_m=3e6,
    )


RADARS = [_radar("reg-a", 36.0, 128.0), _radar("reg-b", 38.0, 140.0)]


def _flight(number: int, draw: np.random.Generator) -> Vector:
    place = Geodetic(
        math.radians(38.0 + draw.uniform(0.0, 3.0)), math.radians(129.0 + draw.uniform(0.0, 4.0)), 1.2e5
    )
    axes = np.asarray(enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad))
    velocity = axes.T @ np.array((2_500.0 + 300.0 * number, 200.0 * number, 1_800.0))
    return np.array((*ecef_from_geodetic(place), *velocity, -8.0))


def _detections(seed: int, truth: Vector, flights: int = 4) -> list[Detection]:
    """Return plots of flights twenty minutes apart, with constant offsets, shape (2, 4), on each radar."""
    draw, out = np.random.default_rng(seed), list[Detection]()
    for number in range(flights):
        start = _flight(number, draw)
        for second in range(0, 240, 2):
            for radar, offset in zip(RADARS, truth, strict=True):
                there = propagate_kernel(start, second - float(offset[3]) + 1e-9, 1.0)
                view = radar_view(radar, there[None])
                if not view.visible[0]:
                    continue
                exact = np.array((view.range_m[0], view.azimuth_rad[0], view.elevation_rad[0]))
                seen = exact + offset[:3] + draw.standard_normal(3) * (30.0, 5e-4, 5e-4)
                at_us = START_US + 1_000_000 * (1_200 * number + second)
                distance, azimuth, elevation = (float(x) for x in seen)
                out.append(Plot(radar.sensor, at_us, distance, azimuth % math.tau, elevation, None))
    return sorted(out, key=lambda one: (one.measured_at_us, one.sensor))


def _truth(seed: int) -> Vector:
    return np.asarray(np.random.default_rng(100 + seed).standard_normal((2, 4)) * BIAS)


def test_offsets_are_found_as_well_as_is_said() -> None:
    errors = []
    for seed in SEEDS:
        truth = _truth(seed)
        found = register(coast_rows(_detections(seed, truth), RADARS, KOR), RADARS)
        assert found is not None
        assert found.misfit == pytest.approx(1.0, abs=0.15)
        for one in found.offsets:
            right = float(truth[[radar.sensor for radar in RADARS].index(one.sensor), KINDS.index(one.kind)])
            errors.append((one.value - right) / one.sigma)
            assert one.sigma < one.stated_sigma
            assert one.shown or one.kind in ("range_m", "clock_s")
    # 64 errors, some of them of the same eight flights: within four sigmas of their number
    assert 0.5 < float(np.mean(np.square(errors))) < 2.0
    assert max(map(abs, errors)) < 4.5


def test_an_absurd_offset_is_told() -> None:
    truth = np.array(((0.0, 0.0, 0.0, 0.0), (0.0, 6.0 * BIAS[1], 0.0, 0.0)))
    found = register(coast_rows(_detections(1, truth), RADARS, KOR), RADARS)
    assert found is not None
    told = {(one.sensor, one.kind) for one in found.offsets if one.surprising}
    assert ("reg-b", "azimuth_rad") in told


def test_without_a_common_object_nothing_is_said() -> None:
    alone = [one for one in _detections(2, _truth(2), 1) if one.sensor == "reg-a"]
    assert register(coast_rows(alone, RADARS, KOR), RADARS) is None


def test_the_command_prints_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed, sensors = tmp_path / "feed.jsonl", tmp_path / "sensors.toml"
    feed.write_bytes(b"".join(format_detection(one) + b"\n" for one in _detections(3, _truth(3), 2)))
    sensors.write_text("".join(_toml(one) for one in RADARS), encoding="ascii")
    assert main(["study", "registration", str(feed), "--sensors", str(sensors), "--json"]) in (0, 1)
    said = json.loads(capsys.readouterr().out)
    assert said["arcs"] == 2
    assert {one["sensor"] for one in said["offsets"]} == {"reg-a", "reg-b"}
    main(["study", "registration", str(feed), "--sensors", str(sensors)])
    assert "azimuth mdeg" in capsys.readouterr().out
    assert main(["study", "registration", str(feed), "--sensors", str(sensors), "--nation", "JPN"]) == 2
    assert "fewer than two radars" in capsys.readouterr().err


def _toml(one: Radar) -> str:
    return (
        f'[[sensor]]\nid = "{one.sensor}"\nnation = "KOR"\nkind = "radar"\n'
        f"latitude_deg = {math.degrees(one.latitude_rad)}\n"
        f"longitude_deg = {math.degrees(one.longitude_rad)}\n"
        "height_m = 100.0\nsigma_range_m = 30.0\nsigma_azimuth_deg = 0.0286\nsigma_elevation_deg = 0.0286\n"
        "bias_sigma_range_m = 50.0\nbias_sigma_azimuth_deg = 0.0573\nbias_sigma_elevation_deg = 0.0573\n"
        "bias_sigma_clock_s = 0.02\nminimum_elevation_deg = 0.0\nmaximum_range_m = 3_000_000.0\n"
        "scan_period_s = 2.0\n\n"
    )
