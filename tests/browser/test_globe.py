"""The globe on software WebGL: it draws, asks no other host, and meets the strict content policy."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from beaconfire.nodes.display import DisplayFacts
from browser.conftest import ARGUMENTS
from browser.flight import JPN, PLACES, SENSORS
from browser.pages import LAUNCH_US, Watched, fly, open_page
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.fixture(scope="module")
def drawing() -> Iterator[Browser]:
    """Return a Chromium that draws WebGL on the processor."""
    chromium = os.environ.get("BEACONFIRE_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        message = "BROWSER TESTS NOT RUN: no chromium here (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=[*ARGUMENTS, "--enable-unsafe-swiftshader"]
        )
        yield running
        running.close()


def test_the_globe_draws_and_keeps_to_the_policy(drawing: Browser, built_page: Path, tmp_path: Path) -> None:
    context = drawing.new_context(viewport={"width": 1000, "height": 700}, accept_downloads=True)
    watched = Watched(context.new_page())
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), clock) as served:
        fly(served)
        page = open_page(watched, served, "?coverage=1")
        page.keyboard.press("3")
        globe = page.get_by_test_id("globe")
        expect(globe).to_have_attribute("data-ready", "true", timeout=60_000)
        shown = page.get_by_test_id("countdown")
        before = shown.inner_text()
        expect(shown).not_to_have_text(before, timeout=10_000)
        with page.expect_download(timeout=30_000) as saved:
            page.get_by_test_id("export-png").click()
        picture = tmp_path / "globe.png"
        saved.value.save_as(picture)
        # one colour packs to next to nothing: there is a picture in it
        assert picture.stat().st_size > 60_000
        page.keyboard.press("2")
        expect(page.get_by_test_id("map")).to_be_visible()
    assert watched.is_clean()
    context.close()
