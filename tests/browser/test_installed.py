"""The page as a person gets it: from an installed wheel, in a browser."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from playwright.sync_api import expect

from browser.pages import Watched

pytestmark = [pytest.mark.browser, pytest.mark.real]

SERVE = """
import asyncio, time
import beaconfire
from beaconfire.adapters.web.server import WebOptions, WebServer
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import DisplayFacts, DisplayNode

def clock():
    return Now(time.time_ns() // 1_000, time.monotonic_ns() // 1_000)

server = WebServer(DisplayNode("JPN", DisplayFacts()), clock, WebOptions())
print(server.url, beaconfire.__file__, flush=True)
asyncio.run(server.serve())
"""


@pytest.fixture(scope="module")
def wheel(root: Path, built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return this checkout's wheel."""
    if not (root / "src/beaconfire/adapters/web/page/index.html").is_file():
        pytest.fail("the page of this checkout is not built: pip install -e . builds it")
    folder = tmp_path_factory.mktemp("wheel")
    (made,) = WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])
    return Path(made)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own; what it depends on stays where it is."""
    target = tmp_path_factory.mktemp("installed")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    subprocess.run([*pip, str(wheel)], check=True, timeout=100)
    return target


@pytest.fixture(scope="module")
def address(installed: Path) -> Iterator[str]:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", SERVE]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=installed)
    assert server.stdout is not None
    url, _, module = server.stdout.readline().strip().partition(" ")
    try:
        assert Path(module).is_relative_to(installed), module
        yield url
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_a_wheel_holds_the_page_and_stays_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 12_000_000
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    assert "beaconfire/adapters/web/page/index.html" in names
    assert any(re.search(r"page/assets/cesium/Workers/.*\.js$", name) for name in names)
    assert not [name for name in names if "SkyBox" in name or "IAU2006" in name]


def test_the_installed_wheel_shows_the_page(watched: Watched, address: str) -> None:
    page = watched.page
    for language, words in (("en", "Nothing seen"), ("ja", "監視中"), ("ko", "감시 중")):
        page.goto(f"{address}?lang={language}")
        expect(page.get_by_test_id("feed")).to_have_class(re.compile("fresh"))
        expect(page.locator("main")).to_contain_text(words)
        expect(page.get_by_test_id("banner-top")).to_contain_text("SIMULATED")
    expect(page.get_by_test_id("map")).to_be_visible()
    assert watched.is_clean()


def test_the_installed_wheel_holds_the_words_of_warnings_and_the_licences(installed: Path) -> None:
    for language in ("en", "ja", "ko"):
        assert (installed / "beaconfire" / "alerting" / f"{language}.ftl").is_file()
    licences = (installed / "beaconfire/adapters/web/page/licenses.md").read_text()
    for name in ("milsymbol", "@cesium/engine", "svelte", "d3-geo"):
        assert f"## {name} " in licences
