"""GOSPA and SIAP beside Stone Soup's, on the same invented pictures."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from stonesoup.measures import Euclidean
from stonesoup.metricgenerator.manager import MultiManager
from stonesoup.metricgenerator.ospametric import GOSPAMetric
from stonesoup.metricgenerator.tracktotruthmetrics import SIAPMetrics
from stonesoup.types.association import AssociationSet, TimeRangeAssociation
from stonesoup.types.groundtruth import GroundTruthPath, GroundTruthState
from stonesoup.types.state import State
from stonesoup.types.time import TimeRange
from stonesoup.types.track import Track

from beaconfire.analysis.gospa import gospa
from beaconfire.analysis.siap import Frame, nearest_pairs, siap

EPOCH = datetime(2022, 10, 4)  # noqa: DTZ001 - Stone Soup's times bear no zone
GATE_M = 800.0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_gospa(seed: int, power: float) -> None:
    draw = np.random.default_rng(seed)
    truths = draw.uniform(0.0, 1e4, (draw.integers(0, 6), 3))
    estimates = np.concatenate(
        (truths[:3] + draw.normal(0.0, 700.0, truths[:3].shape), draw.uniform(0, 1e4, (2, 3)))
    )
    ours = gospa(truths, estimates, 1_500.0, power)
    metric = GOSPAMetric(p=power, c=1_500.0)
    theirs, _ = metric.compute_gospa_metric(
        [State(one, timestamp=EPOCH) for one in estimates], [State(one, timestamp=EPOCH) for one in truths]
    )
    for name in ("distance", "localisation", "missed", "false"):
        assert getattr(ours, name) == pytest.approx(theirs.value[name], rel=1e-9, abs=1e-9), name


def test_gospa_of_nothing_is_nothing() -> None:
    assert gospa(np.empty((0, 3)), np.empty((0, 3)), 10.0).distance == 0.0


def _frames(seed: int) -> list[Frame]:
    """Return two minutes of three objects: one tracked twice over, one with a gap, one ghost besides."""
    draw = np.random.default_rng(seed)
    seen = draw.random((3, 12)) < 0.85  # by object and ten seconds: Stone Soup can't state a single instant
    frames = []
    for second in range(0, 120, 2):
        truths = {
            f"object-{k}": np.array((1e4 * k + 100.0 * second, 50.0 * second, 1e5, 100.0, 50.0, 0.0))
            for k in range(3)
            if second < 100 or k
        }
        tracks = {}
        for name, state in truths.items():
            if seen[int(name[-1]), second // 10] and not (name == "object-1" and 40 <= second < 60):
                noise = draw.normal(0.0, 1.0, 6) * ((150.0,) * 3 + (5.0,) * 3)
                tracks[f"{name}-{'a' if second < 60 else 'b'}"] = state + noise
        if (
            30 <= second < 64 and "object-2" in truths
        ):  # ends with no other: Stone Soup settles ties by chance
            tracks["second"] = truths["object-2"] + draw.normal(0.0, 100.0, 6)
        tracks["ghost"] = np.array((-5e5, 0.0, 1e5, 0.0, 0.0, 0.0))
        frames.append(Frame(float(second), truths, tracks, nearest_pairs(truths, tracks, GATE_M)))
    return frames


def _at(frame: Frame) -> datetime:
    return EPOCH + timedelta(seconds=frame.time_s)


def _stone_soup(frames: list[Frame]) -> dict[str, float]:
    truths: dict[str, GroundTruthPath] = {}
    tracks: dict[str, Track] = {}
    for frame in frames:
        for name, state in frame.truths.items():
            truths.setdefault(name, GroundTruthPath()).append(GroundTruthState(state, timestamp=_at(frame)))
        for name, state in frame.tracks.items():
            tracks.setdefault(name, Track()).append(State(state, timestamp=_at(frame)))
    spans: dict[tuple[str, str], list[list[int]]] = {}
    for number, frame in enumerate(frames):
        for pair in frame.pairs:
            held = spans.setdefault(pair, [])
            if held and held[-1][1] == number - 1:
                held[-1][1] = number
            else:
                held.append([number, number])
    associations = AssociationSet(
        {
            TimeRangeAssociation(
                {tracks[track], truths[truth]}, TimeRange(_at(frames[first]), _at(frames[last]))
            )
            for (track, truth), held in spans.items()
            for first, last in held
        }
    )
    position = Euclidean(mapping=[0, 1, 2])
    velocity = Euclidean(mapping=[3, 4, 5])
    generator = SIAPMetrics(position_measure=position, velocity_measure=velocity)
    manager = MultiManager([generator])
    manager.add_data({"groundtruth_paths": set(truths.values()), "tracks": set(tracks.values())})
    manager.association_set = associations
    return {one.title: one.value for one in generator.compute_metric(manager)}


@pytest.mark.parametrize("seed", range(4))
def test_siap(seed: int) -> None:
    frames = _frames(seed)
    ours, theirs = siap(frames), _stone_soup(frames)
    assert ours.completeness == pytest.approx(theirs["SIAP Completeness"])
    assert ours.ambiguity == pytest.approx(theirs["SIAP Ambiguity"])
    assert ours.spuriousness == pytest.approx(theirs["SIAP Spuriousness"])
    assert ours.position_m == pytest.approx(theirs["SIAP Position Accuracy"])
    assert ours.velocity_m_s == pytest.approx(theirs["SIAP Velocity Accuracy"])
    assert ours.changes_per_s == pytest.approx(theirs["SIAP Rate of Track Number Change"])
    assert 0.0 < ours.completeness < 1.0 < ours.ambiguity
    assert ours.changes_per_s > 0.0


def test_siap_of_a_perfect_picture() -> None:
    truths = {"a": np.zeros(6)}
    frames = [Frame(float(k), truths, {"t": np.zeros(6)}, (("t", "a"),)) for k in range(5)]
    assert siap(frames) == (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    assert siap([]).completeness == 0.0
