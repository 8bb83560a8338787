"""A Chromium of this machine under Playwright; loud where there is none."""

import os
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from beaconfire.nodes.display import DisplayFacts
from browser.flight import JPN, PLACES, SENSORS
from browser.pages import LAUNCH_US, Watched
from browser.served import EventClock, Served

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """Return where Chromium is; under CI its absence is a failure, elsewhere a loud skip."""
    chromium = os.environ.get("BEACONFIRE_CHROMIUM") or shutil.which("chromium")
    if chromium is not None:
        return chromium
    message = "BROWSER TESTS NOT RUN: no chromium here (apt-get install chromium)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a running Chromium that draws WebGL on the processor where a page asks for it.

    Not for the whole session: Playwright's loop stays in this thread and would be in the way of other tests.
    """
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def served(built_page: Path) -> Iterator[Served]:
    """Serve Japan's display, simulated, 200 s after a launch."""
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), clock) as running:
        yield running


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """Return a page of a desk's size, with all that it asks for and complains about."""
    context = browser.new_context(viewport={"width": 1600, "height": 900}, accept_downloads=True)
    yield Watched(context.new_page())
    context.close()


@pytest.fixture(scope="session")
def built_page() -> Path:
    """Return the folder of the built page, which any install makes."""
    page = Path(str(files("beaconfire.adapters.web") / "page"))
    if not (page / "index.html").is_file():
        pytest.fail("the page is not built: pip install -e . builds it")
    return page
