"""Areas on the map, pixel by pixel: where a contour is given it is drawn, and not the ellipse it replaces.

Where a place of the earth stands on the canvas is found without the page's own projection: an azimuthal
equal-area projection (Snyder, Map Projections: A Working Manual, USGS 1395, 1987, section 24) is fitted to
the marks of places that are known.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from scipy.optimize import least_squares

from beaconfire.messages.event import Contour, Place
from beaconfire.nodes.display import DisplayFacts
from browser.canvas import pixels_of
from browser.flight import JPN, Flight, event, with_nested_areas
from browser.pages import LAUNCH_US, Watched, open_page
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

MAP = "[data-testid=map] canvas"
FLIGHT = Flight(LAUNCH_US)
SEEN = event(FLIGHT, 165.0, 1)
AREA = SEEN.impact[0].area
CORNERS = ((43.1, 141.3), (35.7, 139.7), (26.2, 127.7), (41.0, 165.0), (30.0, 172.0))
"""Latitude and longitude of places whose marks tell the projection, degrees."""
PLACES = tuple(
    Place(f"P{number}", JPN, math.radians(latitude), math.radians(longitude), 1.0)
    for number, (latitude, longitude) in enumerate(CORNERS)
)
Placed = Callable[[float, float], tuple[float, float]]


@pytest.fixture
def watch(built_page: Path) -> Iterator[Served]:
    clock = EventClock(LAUNCH_US + 166_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, ()), clock) as running:
        yield running


def equal_area(latitude: float, longitude: float, centre: tuple[float, float]) -> tuple[float, float]:
    """Return where a place stands from the centre, right and down, in radii; all in degrees."""
    lat, lat_0 = math.radians(latitude), math.radians(centre[0])
    east = math.radians(longitude - centre[1])
    towards = math.sin(lat_0) * math.sin(lat) + math.cos(lat_0) * math.cos(lat) * math.cos(east)
    scale = math.sqrt(2.0 / (1.0 + towards))
    up = math.cos(lat_0) * math.sin(lat) - math.sin(lat_0) * math.cos(lat) * math.cos(east)
    return scale * math.cos(lat) * math.sin(east), -scale * up


def clusters(pixels: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the middles of groups of pixels that lie within some pixels of each other."""
    groups: list[list[tuple[float, float]]] = []
    for pixel in pixels:
        near = next((one for one in groups if math.dist(one[0], pixel) < 12.0), None)
        if near is None:
            groups.append([pixel])
        else:
            near.append(pixel)
    middles = (np.mean(np.array(one), axis=0) for one in groups)
    return [(float(across) + 0.5, float(along) + 0.5) for across, along in middles]


def projection(page: Page) -> Placed:
    """Fit the map's projection to the marks of the places; fails unless it fits to two pixels."""
    marks = clusters(pixels_of(page, MAP, "place"))
    assert len(marks) == len(PLACES), marks
    box = page.locator(MAP).bounding_box()
    assert box is not None
    middle = (box["width"] / 2, box["height"] / 2)

    def placed(latitude: float, longitude: float, known: np.ndarray) -> tuple[float, float]:
        across, along = equal_area(latitude, longitude, (float(known[0]), float(known[1])))
        scale = float(known[2])
        return middle[0] + scale * across, middle[1] + scale * along

    def misfit(known: np.ndarray) -> list[float]:
        wanted = [placed(latitude, longitude, known) for latitude, longitude in CORNERS]
        return [min(math.dist(one, mark) for mark in marks) for one in wanted]

    starts = [(36.0, 155.0, scale) for scale in (400.0, 700.0, 1_100.0, 1_600.0)]
    tried = [least_squares(misfit, start) for start in starts]
    best = min(tried, key=lambda one: one.cost)
    assert max(misfit(best.x)) < 2.0
    return lambda latitude, longitude: placed(latitude, longitude, best.x)


def bent(scale: float) -> list[tuple[float, float]]:
    """Return a boomerang about the impact, corners in order, degrees: no ellipse is near it."""
    middle = (math.degrees(AREA.latitude_rad), math.degrees(AREA.longitude_rad))
    shape = ((0.0, 0.0), (3.0, -3.0), (4.2, -2.0), (1.5, 1.2), (4.2, 4.2), (3.0, 5.0))
    return [(middle[0] + scale * north - 1.0, middle[1] + scale * east) for north, east in shape]


def along(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points all along a closed outline."""
    closed = [*corners, corners[0]]
    shares = np.linspace(0.0, 1.0, 24, endpoint=False)
    return [
        (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
        for a, b in pairwise(closed)
        for share in shares
    ]


def share_drawn(points: list[tuple[float, float]], place: Placed, drawn: np.ndarray) -> float:
    """Return which share of points has a drawn pixel within three pixels."""
    hits = [np.min(np.hypot(*(drawn + 0.5 - place(*point)).T)) < 3.0 for point in points]
    return float(np.mean(hits))


def open_map(watched: Watched, served: Served, *contours: Contour) -> tuple[Placed, np.ndarray]:
    """Show the event, chosen, and return the projection and the pixels in the colour of impacts."""
    served.feed(with_nested_areas(SEEN, *contours))
    page = open_page(watched, served, "?labels=0&borders=0&theme=dark")
    expect(page.get_by_test_id("card")).to_have_count(1)
    page.get_by_test_id("card").click()
    page.wait_for_timeout(1_500)
    return projection(page), np.array(pixels_of(page, MAP, "impact"))


def ellipse(scale: float) -> list[tuple[float, float]]:
    """Return points on the ellipse about the impact, on a plane that touches the earth there, degrees."""
    points = []
    for turn in np.linspace(0.0, 2.0 * math.pi, 90, endpoint=False):
        major = scale * AREA.semi_major_m * math.cos(turn)
        minor = scale * AREA.semi_minor_m * math.sin(turn)
        bearing = AREA.bearing_rad + math.atan2(minor, major)
        far = math.hypot(major, minor) / 6_371_008.8
        lat_0, lon_0 = AREA.latitude_rad, AREA.longitude_rad
        sine = math.sin(lat_0) * math.cos(far) + math.cos(lat_0) * math.sin(far) * math.cos(bearing)
        east = math.atan2(
            math.sin(bearing) * math.sin(far) * math.cos(lat_0), math.cos(far) - math.sin(lat_0) * sine
        )
        points.append((math.degrees(math.asin(sine)), math.degrees(lon_0 + east)))
    return points


def test_ellipses_stand_where_they_belong(watched: Watched, watch: Served) -> None:
    place, drawn = open_map(watched, watch)
    assert share_drawn(ellipse(1.0), place, drawn) > 0.97
    assert share_drawn(ellipse(0.48), place, drawn) > 0.9
    assert 0.4 < share_drawn(ellipse(1.24), place, drawn) < 1.0
    # the measure can fail: there is nothing half as large again
    assert share_drawn(ellipse(1.8), place, drawn) < 0.1
    assert watched.is_clean()


def test_a_contour_is_drawn_in_place_of_the_ellipse(watched: Watched, watch: Served) -> None:
    outlines = [
        Contour(probability, tuple((math.radians(lat), math.radians(lon)) for lat, lon in bent(scale)))
        for probability, scale in ((0.5, 0.5), (0.95, 1.0), (0.99, 1.3))
    ]
    place, drawn = open_map(watched, watch, *outlines)
    assert share_drawn(along(bent(1.0)), place, drawn) > 0.97
    assert share_drawn(along(bent(0.5)), place, drawn) > 0.9
    assert share_drawn(along(bent(1.3)), place, drawn) > 0.4
    lines = np.array([place(*point) for scale in (0.5, 1.0, 1.3) for point in along(bent(scale))])
    for scale in (0.48, 1.0, 1.24):
        apart = [one for one in ellipse(scale) if np.min(np.hypot(*(lines - place(*one)).T)) > 8.0]
        assert len(apart) > 10
        assert share_drawn(apart, place, drawn) < 0.1, "the ellipse is drawn beside its contour"
    assert watched.is_clean()
