"""The page in a real browser, served by the real server over a display fed with synthetic messages."""

import re
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import expect

from beaconfire.messages.event import Event, Place, Warning
from beaconfire.messages.health import Notice
from beaconfire.messages.words import Mode, Severity, Status
from beaconfire.nodes.display import DisplayFacts
from browser.flight import JPN, PLACES, SENSORS, Flight, event, health
from browser.pages import LAUNCH_US, Watched, countdown_s, fly, open_page
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

FLIGHT = Flight(LAUNCH_US)
HOSTILE = "<img src=x onerror=alert(1)>\u202e'\"&{{x}}"


@pytest.mark.parametrize("query", ["", "?theme=light", "?theme=dark&event=none", "?help=1&borders=0"])
def test_the_banner_stands_on_every_view(watched: Watched, served: Served, query: str) -> None:
    page = open_page(watched, served, query)
    for where in ("top", "bottom"):
        banner = page.get_by_test_id(f"banner-{where}")
        expect(banner).to_contain_text("UNCLASSIFIED // REL TO JPN // SIMULATED")
        expect(banner).to_contain_text("notional, unaffiliated with any government")
        assert banner.inner_text().count("SIMULATED") >= 3
        expect(banner).to_be_in_viewport()
    expect(page).to_have_title(re.compile("^SIMULATED"))
    assert watched.is_clean()


def test_the_countdown_is_right_and_ticks(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    shown = page.get_by_test_id("countdown")
    first_us = event(FLIGHT, 199.0, 1).places[0].earliest_us
    before = countdown_s(page)
    assert abs((first_us - served.clock().utc_us) / 1e6 - before) < 2.0
    expect(shown).not_to_have_text(shown.inner_text(), timeout=3_000)
    assert countdown_s(page) < before
    expect(page.get_by_test_id("card")).to_contain_text("Passes over, at the earliest: Aomori area")
    expect(page.get_by_test_id("card")).to_contain_text("±")
    assert watched.is_clean()


def test_the_countdown_follows_a_fast_event_clock(watched: Watched, built_page: Path) -> None:
    clock = EventClock(LAUNCH_US + 200_000_000, 5.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), clock) as served:
        fly(served)
        page = open_page(watched, served)
        expect(page.get_by_text(re.compile("event time .5"))).to_be_visible()
        first_us = event(FLIGHT, 199.0, 1).places[0].earliest_us
        right: list[int] = []
        while not right or right[0] - right[-1] < 15:
            most_s = (first_us - clock().utc_us) / 1e6
            shown_s = countdown_s(page)
            least_s = (first_us - clock().utc_us) / 1e6
            if least_s - 2.0 < shown_s < most_s + 2.0:
                right.append(shown_s)
            assert least_s > 5.0, f"the page was right at {right} only"


def test_who_saw_it_what_is_known_and_what_the_link_adds(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    who = page.get_by_test_id("who")
    for wanted in ("KOR", "USA", "JPN", "jpn-1", "not named"):
        expect(who).to_contain_text(wanted)
    estimate = page.get_by_test_id("estimate")
    for wanted in ("Comes down", "Launched", "semi-axes", "40.60° N 126.40° E", "coast, apogee 970 km"):
        expect(estimate).to_contain_text(wanted)
    gain = page.get_by_test_id("gain")
    for wanted in ("alone", "bilateral", "trilateral", "35 s", "60 s", "199 s", "+25.0 s"):
        expect(gain).to_contain_text(wanted)
    expect(page.get_by_role("heading", name="What the new link adds notional")).to_be_visible()
    expect(page.get_by_test_id("revisions")).to_contain_text("Tentative")
    assert watched.is_clean()


def test_a_new_event_comes_by_itself_and_a_withdrawn_one_goes(watched: Watched, served: Served) -> None:
    page = open_page(watched, served)
    expect(page.get_by_text("Nothing seen. Watching.")).to_be_visible()
    fly(served)
    expect(page.get_by_test_id("card")).to_have_count(1)
    gone = msgspec.structs.replace(event(FLIGHT, 201.0, 99), status=Status.WITHDRAWN)
    served.feed(gone)
    expect(page.get_by_test_id("card")).to_have_count(0)
    expect(page.get_by_test_id("who")).to_have_count(0)
    expect(page.get_by_test_id("notice")).to_contain_text("was withdrawn")
    assert watched.is_clean()


def test_a_lost_track_still_counts_down_and_an_ended_one_does_not(watched: Watched, served: Served) -> None:
    lost = msgspec.structs.replace(event(FLIGHT, 199.0, 1), status=Status.LOST)
    served.feed(lost)
    page = open_page(watched, served)
    assert countdown_s(page) > 0
    expect(page.get_by_test_id("card")).to_contain_text("Track lost")
    expect(page.get_by_test_id("card")).to_contain_text("last estimate")
    served.feed(msgspec.structs.replace(lost, revision=2, status=Status.ENDED))
    expect(page.get_by_test_id("card")).to_contain_text("Ended")
    expect(page.get_by_test_id("countdown")).to_have_count(0)


def test_health_shows_a_link_that_is_down_and_grows_old(watched: Watched, served: Served) -> None:
    served.feed(health("guard/JPN", LAUNCH_US, up=False))
    page = open_page(watched, served)
    row = page.get_by_test_id("health")
    expect(row).to_contain_text("HUB FLASH down")
    expect(row.locator(".node.amber")).to_have_count(1, timeout=6_000)


def test_warning_alone_is_said(watched: Watched, served: Served) -> None:
    fly(served)
    seen = event(FLIGHT, 199.0, 1)
    text = "Overflight expected, Aomori area"
    served.feed(Warning("w", seen.event_id, JPN, "issue", 1, Mode.SIMULATED, LAUNCH_US, True, (), (), text))
    page = open_page(watched, served)
    expect(page.locator("header .alone")).to_have_text("Warning alone: no link to any partner")
    expect(page.get_by_test_id("warning-text").get_by_text("Warning alone")).to_be_visible()
    expect(page.get_by_test_id("warning-text")).to_contain_text(text)


def test_a_lost_server_is_said_and_found_again(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    expect(page.get_by_test_id("card")).to_have_count(1)
    port = served.server.port
    served.close()
    expect(page.get_by_test_id("feed")).to_contain_text("No connection to the display server")
    clock = EventClock(LAUNCH_US + 300_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), clock, port) as again:
        again.feed(_renamed(event(FLIGHT, 199.0, 1), "E-AFTER"))
        expect(page.get_by_test_id("feed")).to_contain_text("Live", timeout=15_000)
        expect(page.get_by_test_id("card")).to_have_count(1)
        expect(page.get_by_test_id("card")).to_contain_text("E-AFTER")


def _renamed(seen: Event, event_id: str) -> Event:
    return msgspec.structs.replace(seen, event_id=event_id)


def test_a_gap_in_the_frames_fetches_all_anew(watched: Watched, served: Served) -> None:
    said: list[str] = []
    watched.page.on("websocket", lambda stream: stream.on("framesent", lambda text: said.append(str(text))))
    page = open_page(watched, served)
    served.call(lambda: setattr(served.server._broadcast, "_sequence", 1_000))
    fly(served)
    expect(page.get_by_test_id("card")).to_have_count(1)
    expect(page.get_by_test_id("card")).to_contain_text("rev 6")
    assert "resync" in said


def test_hostile_names_are_text(watched: Watched, built_page: Path) -> None:
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    places = (Place(HOSTILE, JPN, PLACES[0].latitude_rad, PLACES[0].longitude_rad, 1e4),)
    seen = event(FLIGHT, 199.0, 1)
    one = msgspec.structs.replace(seen.contributions[0], sensors=(HOSTILE,), track=HOSTILE)
    hostile = msgspec.structs.replace(
        seen,
        event_id=HOSTILE,
        contributions=(one,),
        places=(msgspec.structs.replace(seen.places[0], place=HOSTILE),),
    )
    with Served(JPN, DisplayFacts(places, SENSORS), clock) as served:
        served.feed(hostile, Notice("x", Severity.FAULT, HOSTILE, LAUNCH_US, HOSTILE))
        page = open_page(watched, served)
        expect(page.get_by_test_id("card")).to_contain_text(HOSTILE)
        expect(page.get_by_test_id("who")).to_contain_text(HOSTILE)
        expect(page.get_by_test_id("notice")).to_contain_text(HOSTILE)
        assert page.locator("img").count() == 0
        page.get_by_test_id("card").click()
        page.reload()
        expect(page.get_by_test_id("card")).to_have_attribute("aria-pressed", "true")
    assert watched.is_clean()


def test_keys_move_and_the_address_holds_the_view(watched: Watched, served: Served) -> None:
    fly(served)
    served.feed(_renamed(event(FLIGHT, 199.0, 1), "E-SECOND"))
    page = open_page(watched, served)
    expect(page.get_by_test_id("card")).to_have_count(2)
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(r"\?event="))
    chosen = page.locator("[data-testid=card][aria-pressed=true]")
    text = chosen.inner_text()
    page.keyboard.press("k")
    expect(chosen).not_to_have_text(text)
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page).to_have_url(re.compile("help=1"))
    page.reload()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("l")
    expect(page).not_to_have_url(re.compile("event="))
    assert watched.is_clean()


def test_disputed_borders_are_drawn_only_when_asked_for(watched: Watched, served: Served) -> None:
    page = open_page(watched, served)
    canvas = page.locator("[data-testid=map] canvas")
    canvas.focus()
    for _ in range(10):
        page.keyboard.press("-")
    page.wait_for_timeout(1_000)
    without = canvas.evaluate("one => one.toDataURL()")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("disputed=1"))
    page.wait_for_timeout(1_000)
    assert canvas.evaluate("one => one.toDataURL()") != without
    page.keyboard.press("b")
    page.wait_for_timeout(1_000)
    none = canvas.evaluate("one => one.toDataURL()")
    page.keyboard.press("d")
    page.wait_for_timeout(1_000)
    assert canvas.evaluate("one => one.toDataURL()") == none, "without borders none is drawn"
    assert watched.is_clean()


def test_an_event_that_was_never_given_is_not_there(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served, "?event=E-OF-SOMEBODY-ELSE")
    expect(page.get_by_text("Not in this nation's picture")).to_be_visible()


def test_with_a_thousand_tracks_the_countdown_still_ticks(watched: Watched, served: Served) -> None:
    seen = event(FLIGHT, 199.0, 1)
    served.feed(*(_renamed(seen, f"E-{number:04}") for number in range(1_000)))
    page = open_page(watched, served)
    expect(page.get_by_test_id("more")).to_contain_text("960 more", timeout=30_000)
    shown = page.get_by_test_id("countdown").first
    before = shown.inner_text()
    expect(shown).not_to_have_text(before, timeout=10_000)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_control_has_a_name_and_the_canvas_words(watched: Watched, served: Served, theme: str) -> None:
    fly(served)
    page = open_page(watched, served, f"?theme={theme}")
    for button in page.get_by_role("button").all():
        assert (button.get_attribute("aria-label") or button.inner_text()).strip()
    expect(page.locator("canvas")).to_have_attribute("aria-label", re.compile("1 open events"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
