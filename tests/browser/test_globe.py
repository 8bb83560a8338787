"""The globe on software WebGL: it draws what the map draws, rests while nothing moves it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.canvas import pixels_of
from browser.flight import Flight, event, with_nested_areas
from browser.pages import LAUNCH_US, Watched, fly, open_page
from browser.served import Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

FLIGHT = Flight(LAUNCH_US)
MARKS = "[data-testid=globe-marks]"
COUNTING = """
window.drawn = 0;
for (const kind of [WebGLRenderingContext, WebGL2RenderingContext])
  for (const name of ["drawElements", "drawArrays", "drawElementsInstanced", "drawArraysInstanced"]) {
    const draw = kind.prototype[name];
    if (draw) kind.prototype[name] = function (...all) { window.drawn += 1; return draw.apply(this, all); };
  }
"""
"""Counts what the page asks WebGL to draw."""


def open_globe(watched: Watched, served: Served, query: str = "") -> Page:
    """Open the globe and wait for the earth's picture."""
    watched.page.set_viewport_size({"width": 1200, "height": 760})
    page = open_page(watched, served, f"?dim=3&theme=dark&labels=0{query}")
    expect(page.get_by_test_id("globe")).to_have_attribute("data-ready", "true", timeout=60_000)
    return page


def test_the_globe_draws_and_keeps_to_the_policy(watched: Watched, served: Served, tmp_path: Path) -> None:
    fly(served)
    page = open_page(watched, served, "?coverage=1")
    page.keyboard.press("3")
    expect(page.get_by_test_id("globe")).to_have_attribute("data-ready", "true", timeout=60_000)
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


def test_the_earth_rests_while_only_events_move_and_is_drawn_when_it_is_turned(
    watched: Watched, served: Served
) -> None:
    watched.page.add_init_script(COUNTING)
    fly(served)
    page = open_globe(watched, served)
    page.wait_for_timeout(1_500)
    drawn = page.evaluate("() => window.drawn")
    assert drawn > 0
    marks = page.locator(MARKS)
    before = marks.evaluate("one => one.toDataURL()")
    for revision in (20, 21, 22):
        served.feed(event(FLIGHT, 205.0, revision))
        page.wait_for_timeout(400)
    assert marks.evaluate("one => one.toDataURL()") != before
    assert page.evaluate("() => window.drawn") == drawn
    page.get_by_test_id("globe").locator("canvas").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Follow")).to_be_visible()
    page.wait_for_timeout(800)
    assert page.evaluate("() => window.drawn") > drawn
    assert watched.is_clean()


def test_the_globe_has_the_areas_and_symbols_of_the_map_and_a_click_chooses(
    watched: Watched, served: Served
) -> None:
    served.feed(event(FLIGHT, 199.0, 1))
    page = open_globe(watched, served)
    plain = len(pixels_of(page, MARKS, "impact"))
    arc = len(pixels_of(page, MARKS, "launch"))
    assert plain > 0
    assert arc > 0
    served.feed(with_nested_areas(event(FLIGHT, 199.0, 2)))
    page.wait_for_timeout(1_200)
    assert len(pixels_of(page, MARKS, "impact")) > 1.2 * plain
    page.keyboard.press("e")
    page.wait_for_timeout(1_200)
    assert pixels_of(page, MARKS, "impact") == []
    # without its area the launch keeps its arc
    assert 0 < len(pixels_of(page, MARKS, "launch")) < arc
    marks = page.locator(MARKS)
    before = marks.evaluate("one => one.toDataURL()")
    page.keyboard.press("s")
    expect(page.get_by_test_id("globe")).to_have_attribute("data-symbols", "true")
    assert marks.evaluate("one => one.toDataURL()") != before
    page.keyboard.press("s")
    page.wait_for_timeout(1_200)
    across, along = mark_of(page)
    box = marks.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + across, box["y"] + along)
    expect(page.get_by_test_id("card")).to_have_attribute("aria-pressed", "true")
    assert watched.is_clean()


def mark_of(page: Page) -> tuple[float, float]:
    """Return the pixel of the object's own mark: the fullest square of the colour of tracks."""
    found = set(pixels_of(page, MARKS, "track"))
    square = [(x, y) for x in range(-4, 5) for y in range(-4, 5)]
    return max(found, key=lambda at: sum((at[0] + x, at[1] + y) in found for x, y in square))


def test_what_sensors_cover_is_drawn_as_a_volume(watched: Watched, served: Served) -> None:
    watched.page.add_init_script(COUNTING)
    page = open_globe(watched, served)
    page.wait_for_timeout(1_000)
    drawn = page.evaluate("() => window.drawn")
    rims = len(pixels_of(page, MARKS, "sensor"))
    page.keyboard.press("c")
    page.wait_for_timeout(1_500)
    assert len(pixels_of(page, MARKS, "sensor")) > rims
    assert page.evaluate("() => window.drawn") > drawn
