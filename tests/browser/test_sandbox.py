"""The sandbox in a browser: a catalogue flight past sensors that somebody placed, under three sharings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from beaconfire.adapters.web.api import Sandbox
from beaconfire.cli.sandbox import describe, run_trial
from beaconfire.nodes.display import DisplayFacts
from browser.flight import JPN, PLACES, SENSORS
from browser.pages import LAUNCH_US, Watched
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

SHORT_FLIGHT = "2019-08-24a"
"""380 km far, 97 km high: the shortest trial that all three sharings tell apart."""


@pytest.fixture(scope="module")
def trials(built_page: Path) -> Iterator[Served]:
    clock = EventClock(LAUNCH_US, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), clock, sandbox=Sandbox(describe, run_trial)) as running:
        yield running


def open_sandbox(watched: Watched, trials: Served) -> Page:
    page = watched.page
    page.goto(f"{trials.server.url}sandbox")
    expect(page.get_by_test_id("flight").locator("option")).not_to_have_count(0)
    return page


def seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+) s", text)
    return float(found[1]) if found else float("inf")


def test_run_compares_alone_bilateral_and_trilateral(watched: Watched, trials: Served) -> None:
    page = open_sandbox(watched, trials)
    page.get_by_test_id("flight").select_option(SHORT_FLIGHT)
    page.get_by_test_id("run").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Running")).to_be_visible()
    expect(page.get_by_test_id("run")).to_be_disabled()
    result = page.get_by_test_id("sandbox-result")
    expect(result).to_be_visible(timeout=90_000)
    assert result.locator("thead").inner_text().split() == [
        "Nation",
        "alone",
        "bilateral",
        "trilateral",
        "gain",
    ]
    rows = [one.split("\t") for one in result.locator("tbody").inner_text().splitlines()]
    assert [row[0] for row in rows[::4]] == ["JPN", "KOR", "USA"]
    for row in rows:
        if row[1] in ("First detection", "Confirmed", "Area < 100 km"):
            alone, bilateral, trilateral = (seconds(text) for text in row[2:5])
            assert trilateral <= bilateral <= alone
    first = rows[0]
    assert seconds(first[4]) < seconds(first[2]), "the notional sensors of partners see it earlier"
    expect(page.get_by_text("Machine times from notional sensors")).to_be_visible()
    assert watched.is_clean()


def test_what_is_refused_is_said_in_its_own_words(watched: Watched, trials: Served) -> None:
    page = open_sandbox(watched, trials)
    page.get_by_label("Latitude °").first.fill("95")
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("sandbox-wrong")).to_contain_text("latitude_deg")
    expect(page.get_by_test_id("run")).to_be_enabled()


def test_it_offers_no_search_over_sites_or_directions(watched: Watched, trials: Served) -> None:
    page = open_sandbox(watched, trials)
    labels = " ".join(page.locator("main.sandbox label").all_inner_texts()).lower()
    assert "latitude" in labels
    for word in ("launch", "azimuth", "bearing", "direction"):
        assert word not in labels
