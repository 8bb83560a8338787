"""The display of a hub's instance: links, arrangements, decisions with their rules, and no event."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from beaconfire.adapters.web.shapes import Json
from beaconfire.messages.health import ArrangementHealth, Health, LinkHealth, Notice
from beaconfire.messages.words import Lane, Mode, Nation, Severity
from beaconfire.nodes.display import ArrangementLine, DisplayFacts
from browser.flight import JPN, KOR, PLACES, SENSORS
from browser.pages import LAUNCH_US, Watched, open_page
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

HUB_1 = Nation("HUB-1")
DECISION = {
    "log": "given/JPN",
    "index": 1,
    "at_us": LAUNCH_US,
    "outcome": "REFUSED",
    "originator": "KOR",
    "recipient": "JPN",
    "report_id": "r1",
    "reason": "no-policy-permits",
    "rule": "<b>default</b>",
    "groups": ["launch_point"],
    "degraded": [],
    "basis": ["trilateral"],
}


class Decided:
    """An audit of one decision."""

    def refresh(self) -> bool:
        return False

    def about(self, report_id: str) -> list[Json]:
        return [DECISION] if report_id == DECISION["report_id"] else []

    def recent(self) -> list[Json]:
        return [DECISION | {"log": "hub"}]

    def chain(self) -> Json:
        return {"records": 1, "logs": ["hub"], "flaw": ""}


@pytest.fixture
def hub(built_page: Path) -> Iterator[Served]:
    line = ArrangementLine("trilateral", 1, (JPN, KOR), "d", 0, 9)
    facts = DisplayFacts(PLACES, SENSORS, (line,), Mode.SIMULATED)
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(HUB_1, facts, clock, audit=Decided()) as running:
        links = (
            LinkHealth("JPN", Lane.FLASH, True, 3.0, 0.2, 0),
            LinkHealth("KOR", Lane.FLASH, False, None, 9.0, 4),
        )
        stands = (ArrangementHealth("trilateral", 1, ("KOR",)),)
        running.feed(Health("hub/HUB-1", clock().utc_us, links, {}, stands))
        running.feed(Notice("lease-ended", Severity.FAULT, "KOR is silent", LAUNCH_US, "hub/HUB-1"))
        yield running


def test_an_instance_of_the_hub_shows_links_arrangements_and_decisions(watched: Watched, hub: Served) -> None:
    page = open_page(watched, hub)
    expect(page.locator("h1")).to_contain_text("releases and links of the hub")
    expect(page.get_by_test_id("hub-links").locator("tr.red")).to_contain_text("KOR")
    expect(page.get_by_test_id("links-down")).to_have_text("✕ Link down: KOR")
    expect(page.get_by_test_id("arrangements")).to_contain_text("suspended by KOR")
    decision = page.get_by_test_id("decisions").locator("tbody tr")
    expect(decision).to_contain_text("Withheld")
    expect(decision).to_contain_text("<b>default</b>")
    expect(page.get_by_test_id("notice")).to_contain_text("releases under an arrangement have stopped")
    for absent in ("map", "card", "countdown", "acknowledge"):
        expect(page.get_by_test_id(absent)).to_have_count(0)
    assert watched.is_clean()


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_axe_finds_nothing_on_the_hubs_display(watched: Watched, hub: Served, language: str) -> None:
    page = open_page(watched, hub, f"?lang={language}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
