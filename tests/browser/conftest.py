"""A Chromium of this machine under Playwright; loud where there is none."""

import os
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a running Chromium; under CI its absence is a failure, elsewhere a loud skip.

    Not for the whole session: Playwright's loop stays in this thread and would be in the way of other tests.
    """
    chromium = os.environ.get("BEACONFIRE_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        message = "BROWSER TESTS NOT RUN: no chromium here (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def built_page() -> Path:
    """Return the folder of the built page, which any install makes."""
    page = Path(str(files("beaconfire.adapters.web") / "page"))
    if not (page / "index.html").is_file():
        pytest.fail("the page is not built: pip install -e . builds it")
    return page
