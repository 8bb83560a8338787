"""A whole flight through the tracker is stated in every phase; what comes late keeps its own time."""

from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.detection import Plot
from beaconfire.messages.sensor import Radar
from beaconfire.messages.words import Phase
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.phase_trial import arrivals, fly_phases

SENSORS = [one for one in shipped_sensors() if isinstance(one, Radar) and one.nation == "KOR"]
FIGURES = flight_of_launch(find_launch("2022-09-29b")).figures


def test_every_phase_of_a_low_flight_is_stated() -> None:
    moments, tracks = fly_phases(FIGURES, SENSORS, 2, late=("kor-2", 2.0))
    assert tracks == 1
    assert set(moments) == {Phase.BOOST, Phase.COAST, Phase.REENTRY}
    assert not moments[Phase.BOOST].coasting
    assert moments[Phase.REENTRY].holds is not None
    for moment in moments.values():
        assert float((moment.error[:3] ** 2).sum()) ** 0.5 < 2_000.0


def test_what_is_late_comes_later_and_keeps_its_time() -> None:
    plots = [
        Plot(name, 1_000_000 * second + 100, 1e6, 0.1, 0.2, None)
        for second in range(4)
        for name in ("a", "b")
    ]
    came = dict(arrivals(plots, "b", 2.0))
    assert [one.sensor for one in came[1_000_000]] == ["a"]
    late = [one for one in came[3_000_000] if one.sensor == "b"]
    assert [one.measured_at_us for one in late] == [100]
    assert sum(len(one) for one in came.values()) == len(plots)
