"""False plots alone: counted as they are, and a tracker that believes them is noticed."""

import json

import msgspec
import pytest
from scipy.stats import chi2

from beaconfire.cli.main import main
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.sensor import Radar
from beaconfire.sim import clutter_trial
from beaconfire.sim.clutter_trial import clutter_hour, most_likely_below


@pytest.mark.parametrize("events", [0, 1, 7, 60])
def test_the_bound_is_garwoods(events: int) -> None:
    right = float(chi2.ppf(0.95, 2 * (events + 1))) / 2.0
    assert most_likely_below(events, 4.0) == pytest.approx(right / 4.0, rel=1e-6)


def test_radars_so_coarse_that_anything_fits_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clutter_trial, "HOUR_US", 120_000_000)
    monkeypatch.setattr(clutter_trial, "PIECE_US", 60_000_000)
    own = [one for one in shipped_sensors() if one.nation == "KOR"]
    assert clutter_hour(own, 3, 5.0).said == 0
    coarse = [
        msgspec.structs.replace(
            one, sigma_range_m=20_000.0, sigma_azimuth_rad=0.1, sigma_elevation_rad=0.1, maximum_range_m=2e5
        )
        for one in own
        if isinstance(one, Radar)
    ]
    believed = clutter_hour(coarse, 3, 5.0)
    assert believed.said > 0
    assert believed.plots > 700


def test_the_command_counts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clutter_trial, "HOUR_US", 120_000_000)
    monkeypatch.setattr(clutter_trial, "PIECE_US", 60_000_000)
    assert main(["study", "clutter", "--nation", "KOR", "--per-scan", "1", "--json"]) == 0
    (rate,) = json.loads(capsys.readouterr().out)["rates"]
    assert rate["plots"] > 150
    assert rate["confirmed"] == 0
    assert main(["study", "clutter", "--nation", "XXX"]) == 2
    assert main(["study", "clutter", "--per-scan", "-1"]) == 2
