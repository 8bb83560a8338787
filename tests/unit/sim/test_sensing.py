"""Simulated sensors: what they can see, how well, in which order, and that nothing leaks identity."""

import math
import os
import subprocess
import sys
from dataclasses import replace as replaced

import msgspec
import numpy as np
import pytest

from beaconfire.flight.ascent import FlightFigures, Trajectory, build_trajectory
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.frames.geodesy import Geodetic, ecef_from_geodetic, geodetic_from_ecef_kernel
from beaconfire.messages.detection import Plot, SightLine
from beaconfire.messages.sensor import InfraredSensor, Radar
from beaconfire.messages.words import Nation
from beaconfire.sim.sensing import (
    Sensing,
    generator,
    infrared_position_ecef_m,
    look_times_us,
    offsets_of,
    radar_view,
    simulate_detections,
)

START_US = 1_664_835_720_000_000
SITE = Geodetic(math.radians(40.6), math.radians(126.4), 0.0)
CLEAN = Sensing(detection_probability=1.0, false_plots_per_scan=0.0, biased=False)
RADAR = Radar("r", Nation("JPN"), math.radians(39.1), math.radians(141.3), 400.0, 30.0, 5e-4, 5e-4, 1.0,
              minimum_elevation_rad=0.02, maximum_range_m=2e6)  # fmt: skip
WATCHER = InfraredSensor("usa-ir", Nation("USA"), 5e-5)


@pytest.fixture(scope="module")
def flight() -> Trajectory:
    return build_trajectory(FlightFigures(SITE, math.radians(80.0), 970e3, 4_500e3), START_US)


@pytest.fixture(scope="module")
def other() -> Trajectory:
    return build_trajectory(FlightFigures(SITE, math.radians(83.0), 900e3, 4_000e3), START_US + 7_000_000)


def plots(detections: list[Plot | SightLine]) -> list[Plot]:
    return [detection for detection in detections if isinstance(detection, Plot)]


def test_errors_of_plots_have_the_stated_sigmas(flight: Trajectory) -> None:
    seen = plots(simulate_detections([flight], [RADAR], 1, CLEAN))
    states = np.array([flight.state_at(plot.measured_at_us) for plot in seen])
    view = radar_view(RADAR, states)
    ranges = np.array([plot.range_m for plot in seen]) - view.range_m
    azimuths = np.array([plot.azimuth_rad for plot in seen]) - view.azimuth_rad
    elevations = np.array([plot.elevation_rad for plot in seen]) - view.elevation_rad
    rates = np.array([plot.range_rate_m_s or math.nan for plot in seen]) - view.range_rate_m_s
    assert len(seen) > 500
    for errors, sigma in [(ranges, 30.0), (azimuths, 5e-4), (elevations, 5e-4), (rates, 1.0)]:
        assert abs(errors.mean()) < 5.0 * sigma / math.sqrt(len(seen))
        assert errors.std() == pytest.approx(sigma, rel=0.15)


def test_nothing_is_seen_below_the_least_elevation_or_beyond_the_range(flight: Trajectory) -> None:
    for plot in plots(simulate_detections([flight], [RADAR], 1, CLEAN)):
        x, y, z = flight.state_at(plot.measured_at_us)[:3]
        view = radar_view(RADAR, np.array([[x, y, z, 0.0, 0.0, 0.0, 0.0]]))
        assert view.elevation_rad[0] >= RADAR.minimum_elevation_rad
        assert view.range_m[0] <= RADAR.maximum_range_m


def test_the_earth_hides_what_is_behind_it() -> None:
    down = msgspec.structs.replace(RADAR, minimum_elevation_rad=-1.5, maximum_range_m=1e8)
    for height_m, distance_deg, seen in [(50e3, 12.0, False), (120e3, 12.0, True), (1_000.0, 0.5, True)]:
        place = Geodetic(down.latitude_rad, down.longitude_rad + math.radians(distance_deg), height_m)
        state = np.concatenate([ecef_from_geodetic(place), np.ones(4)])
        assert radar_view(down, state[None, :]).visible[0] == seen


def test_infrared_sees_the_boost_above_the_clouds_and_nothing_else(flight: Trajectory) -> None:
    seen = simulate_detections([flight], [WATCHER], 1, CLEAN)
    assert len(seen) > 100
    for line in seen:
        assert isinstance(line, SightLine)
        height_m = geodetic_from_ecef_kernel(*flight.state_at(line.measured_at_us)[:3])[2]
        assert height_m >= CLEAN.cloud_height_m
        assert line.measured_at_us <= flight.burnout_at_us


def test_sight_lines_point_at_the_body_within_their_sigma(flight: Trajectory) -> None:
    angles = []
    for line in simulate_detections([flight], [WATCHER], 1, CLEAN):
        assert isinstance(line, SightLine)
        sight = flight.state_at(line.measured_at_us)[:3] - np.array(line.position_ecef_m)
        across = np.cross(sight / np.linalg.norm(sight), line.line_of_sight_ecef)
        assert math.hypot(*line.line_of_sight_ecef) == pytest.approx(1.0, abs=1e-12)
        angles.append(float(np.linalg.norm(across)))
    root_mean_square = math.sqrt(float(np.mean(np.square(angles))))
    assert root_mean_square == pytest.approx(math.sqrt(2.0) * 5e-5, rel=0.2)


def test_infrared_places_are_geostationary() -> None:
    for name in ("usa-ir", "jpn-ir", "x"):
        assert np.linalg.norm(infrared_position_ecef_m(name)) == pytest.approx(42_164_170.0)
        assert infrared_position_ecef_m(name)[2] == 0.0


def test_detections_stand_in_order_of_time(flight: Trajectory, other: Trajectory) -> None:
    detections = simulate_detections([flight, other], shipped_sensors(), 3)
    times = [detection.measured_at_us for detection in detections]
    assert times == sorted(times)


def test_the_order_of_the_flights_changes_nothing(flight: Trajectory, other: Trajectory) -> None:
    sensors = shipped_sensors()
    assert simulate_detections([flight, other], sensors, 3) == simulate_detections(
        [other, flight], sensors, 3
    )


def test_leaving_out_a_nation_changes_nothing_in_what_the_others_see(flight: Trajectory) -> None:
    sensors = shipped_sensors()
    others = [sensor for sensor in sensors if sensor.nation != "KOR"]
    kept = {sensor.sensor for sensor in others}
    whole = [plot for plot in simulate_detections([flight], sensors, 3) if plot.sensor in kept]
    assert whole == simulate_detections([flight], others, 3)


def test_bias_is_one_for_a_run_and_has_its_sigma() -> None:
    radar = msgspec.structs.replace(RADAR, bias_sigma_range_m=100.0)
    assert offsets_of(radar, 5) == offsets_of(radar, 5)
    assert offsets_of(radar, 5, biased=False).range_m == 0.0
    drawn = np.array([offsets_of(radar, seed).range_m for seed in range(400)])
    assert drawn.std() == pytest.approx(100.0, rel=0.15)
    assert abs(drawn.mean()) < 25.0


def test_the_clock_offset_is_in_the_time_of_measurement(flight: Trajectory) -> None:
    radar = msgspec.structs.replace(RADAR, bias_sigma_clock_s=2.0)
    shift_us = round(offsets_of(radar, 1).clock_s * 1e6)
    straight = plots(simulate_detections([flight], [RADAR], 1, CLEAN))
    shifted = plots(simulate_detections([flight], [radar], 1, replaced(CLEAN, biased=True)))
    assert abs(shift_us) > 1_000
    assert [p.measured_at_us + shift_us for p in straight] == [p.measured_at_us for p in shifted]


def test_probability_of_detection_and_false_plots_have_their_rates(flight: Trajectory) -> None:
    whole = len(simulate_detections([flight], [RADAR], 1, CLEAN))
    half = len(simulate_detections([flight], [RADAR], 1, replaced(CLEAN, detection_probability=0.5)))
    assert half / whole == pytest.approx(0.5, abs=0.08)
    noisy = len(simulate_detections([flight], [RADAR], 1, replaced(CLEAN, false_plots_per_scan=1.0)))
    assert (noisy - whole) / flight.impact_s == pytest.approx(1.0, abs=0.15)


def test_looks_keep_to_the_scan_period() -> None:
    looks = look_times_us(RADAR, 0.25, START_US, START_US + 5_000_000)
    assert list(looks) == [START_US + 250_000 + k * 1_000_000 for k in range(5)]


def test_equal_flights_are_two_objects_with_errors_of_their_own(flight: Trajectory) -> None:
    pair = plots(simulate_detections([flight, flight], [RADAR], 1, CLEAN))
    assert len({plot.range_m for plot in pair}) == len(pair)


def test_generators_differ_by_path_and_not_by_process() -> None:
    assert generator(1, "a", "bc").random() != generator(1, "ab", "c").random()
    code = "from beaconfire.sim.sensing import generator; print(generator(1, 'a').random())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": salt},
            check=True,
            capture_output=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(seen) == 1
    assert float(seen.pop()) == generator(1, "a").random()
