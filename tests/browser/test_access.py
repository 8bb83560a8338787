"""For everybody: no axe violation on any route, language and theme; all of it by keyboard alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from beaconfire.messages.health import Notice
from beaconfire.messages.words import Severity
from beaconfire.nodes.display import DisplayFacts
from browser.flight import JPN, PLACES, SENSORS, health
from browser.pages import LAUNCH_US, Watched, fly, open_page
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
ROUTES = ("/", "/?help=1", "/?at=1664835870000000", "/sandbox")
"""Of the display; `/docs` and `/sign-in` are English only, the globe is the display with another canvas."""
VIEWS = [*((route, language) for route in ROUTES for language in ("en", "ja", "ko")), ("/?dim=3", "en")]


@pytest.fixture(scope="module")
def served(built_page: Path) -> Iterator[Served]:
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), clock) as running:
        fly(running)
        running.feed(health("guard/JPN", LAUNCH_US, up=False))
        running.feed(Notice("x", Severity.FAULT, "the outbox is full", LAUNCH_US, "guard/JPN"))
        yield running


@pytest.fixture(scope="module")
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    yield Watched(context.new_page())
    context.close()


def violations(page: Page) -> list[dict[str, Any]]:
    """Return what axe finds: each rule, and the elements that break it."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        {"rule": one["id"], "at": [node["html"][:160] for node in one["nodes"]][:4]}
        for one in found["violations"]
    ]


@pytest.mark.parametrize(("route", "language"), VIEWS)
def test_axe_finds_nothing(watched: Watched, served: Served, route: str, language: str) -> None:
    page = watched.page
    theme = "dark" if language == "ja" else "light"
    page.goto(f"{served.server.url}{route[1:]}{'&' if '?' in route else '?'}lang={language}&theme={theme}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_test_id("feed")).to_be_visible()
    page.wait_for_timeout(300)
    assert violations(page) == []


@pytest.mark.parametrize("route", ["docs", "sign-in"])
def test_axe_finds_nothing_on_the_plain_pages(watched: Watched, served: Served, route: str) -> None:
    watched.page.goto(f"{served.server.url}{route}")
    assert violations(watched.page) == []


def test_axe_finds_what_is_planted(watched: Watched, served: Served) -> None:
    page = open_page(watched, served)
    page.evaluate("() => document.body.append(document.createElement('button'))")
    assert "button-name" in {one["rule"] for one in violations(page)}


FOCUSED = """() => {
  const at = document.activeElement;
  return at.dataset.testid || at.id || at.getAttribute("aria-label") || at.innerText || at.tagName;
}"""


def focused(page: Page) -> str:
    return str(page.evaluate(FOCUSED))


def test_everything_is_reached_and_done_by_keyboard_alone(watched: Watched, served: Served) -> None:
    page = open_page(watched, served, "?lang=en&theme=light")
    page.locator("body").focus()
    seen: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if "moment" in seen:
            break
    for wanted in (
        "person",
        "language",
        "Help",
        "Events",
        "card",
        "acknowledge",
        "toggle-coverage",
        "export-png",
    ):
        assert any(wanted in name for name in seen), (wanted, seen)
    assert any(name.startswith("Map:") for name in seen), seen
    assert "moment" in seen
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("time-mode")).to_have_text("REPLAY")
    page.keyboard.press("l")
    expect(page.get_by_test_id("time-mode")).to_have_text("")
    page.locator("#person").focus()
    page.keyboard.type("Sato")
    page.keyboard.press("Shift+Tab")
    page.get_by_test_id("card").focus()
    for key, pressed in (("c", "true"), ("c", "false")):
        page.keyboard.press(key)
        expect(page.get_by_test_id("toggle-coverage")).to_have_attribute("aria-pressed", pressed)
    page.keyboard.press("a")
    expect(page.get_by_test_id("acknowledged")).to_contain_text("Sato")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Follow")).to_be_visible()
