"""A wall screen is read from afar: what map and page show is larger there, and still what is clicked on."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from browser.canvas import pixels_of
from browser.pages import Watched, fly, open_page
from browser.served import Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

MAP = "[data-testid=map] canvas"
DESK, WALL = (1440, 860), (2560, 1440)


def shown_at(page: Page, size: tuple[int, int]) -> list[tuple[float, float]]:
    """Return the pixels of own places on the map once it is drawn at a size of the page."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_timeout(1_500)
    return pixels_of(page, MAP, "place")


def test_marks_grow_on_a_wall_and_a_click_on_one_still_chooses(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served, "?labels=0&areas=0&borders=0&theme=light")
    card = page.get_by_test_id("card")
    expect(card).to_have_count(1)
    desk = shown_at(page, DESK)
    wall = shown_at(page, WALL)
    assert len(wall) > 1.5 * len(desk) > 0
    before = page.url
    middle = np.median(np.array(pixels_of(page, MAP, "track")), axis=0)
    box = page.locator(MAP).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + float(middle[0]), box["y"] + float(middle[1]))
    assert page.url == before, "the middle of a path is nothing to choose"
    across, along = mark_of(page)
    page.mouse.click(box["x"] + across, box["y"] + along)
    expect(card).to_have_attribute("aria-pressed", "true")
    expect(page).not_to_have_url(before)
    assert watched.is_clean()


def mark_of(page: Page) -> tuple[float, float]:
    """Return the pixel of the object's own mark: the fullest square of the colour of tracks."""
    found = set(pixels_of(page, MAP, "track"))
    square = [(x, y) for x in range(-4, 5) for y in range(-4, 5)]
    return max(found, key=lambda at: sum((at[0] + x, at[1] + y) in found for x, y in square))
