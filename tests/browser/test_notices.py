"""What the page says of faults, arrangements and warnings, in the reader's language, and its symbols."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from beaconfire.alerting.life import WarningLife
from beaconfire.alerting.texts import LANGUAGES
from beaconfire.messages.health import ArrangementHealth, Health, Notice
from beaconfire.messages.words import Severity
from beaconfire.nodes.display import ArrangementLine, DisplayFacts
from browser.flight import JPN, KOR, PLACES, SENSORS, Flight, event
from browser.pages import LAUNCH_US, Watched, fly, open_page
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

FLIGHT = Flight(LAUNCH_US)


@pytest.mark.parametrize(
    ("code", "severity", "words"),
    [
        ("arrangement-suspended", Severity.CAUTION, "取決めが停止されました"),
        ("lease-ended", Severity.FAULT, "開示が止まりました"),
        ("gap", Severity.CAUTION, "欠落があります"),
        ("clock-off", Severity.CAUTION, "時計がずれています"),
    ],
)
def test_a_notice_is_said_in_the_readers_language_and_rings_once(
    watched: Watched, served: Served, code: str, severity: Severity, words: str
) -> None:
    page = open_page(watched, served, "?lang=ja")
    page.mouse.click(400, 400)
    page.keyboard.press("m")
    page.keyboard.press("m")
    served.feed(Notice(code, severity, "as the node said it", LAUNCH_US + 1, "guard/JPN"))
    notice = page.get_by_test_id("notice")
    expect(notice).to_contain_text(words)
    line = notice.get_by_text("as the node said it")
    expect(line).to_be_hidden()
    notice.locator("summary").click()
    expect(line).to_be_visible()
    alarm = page.get_by_test_id("alarm")
    expect(alarm).to_have_attribute("data-sounded", "1")
    expect(alarm).to_have_attribute("data-tone", "")
    assert page.locator(".warning").count() == 0


def test_news_of_no_weight_makes_no_sound(watched: Watched, served: Served) -> None:
    page = open_page(watched, served)
    page.mouse.click(400, 400)
    page.keyboard.press("m")
    page.keyboard.press("m")
    served.feed(Notice("link-up", Severity.INFORMATION, "heard", LAUNCH_US + 1, "picture/JPN"))
    expect(page.get_by_test_id("notice")).to_contain_text("A hub is heard again")
    expect(page.get_by_test_id("notice").get_by_text("heard", exact=True)).to_be_visible()
    expect(page.get_by_test_id("alarm")).to_have_attribute("data-sounded", "0")


def test_how_an_arrangement_stands_is_shown_as_it_is(watched: Watched, built_page: Path) -> None:
    line = ArrangementLine("trilateral", 1, (JPN, KOR), "d", 0, 9)
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS, (line,)), clock) as served:
        page = open_page(watched, served)
        standing = page.get_by_test_id("standing")
        expect(standing).to_contain_text("in force")
        for stands, words in (
            (ArrangementHealth("trilateral", 1, ("KOR",)), "suspended by KOR"),
            (ArrangementHealth("trilateral", 1, (), ("HUB",)), "nothing of HUB passes"),
            (ArrangementHealth("trilateral", 1), "in force"),
        ):
            served.feed(Health("guard/JPN", served.clock().utc_us, (), {}, (stands,)))
            expect(standing).to_contain_text(words)
        assert watched.is_clean()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_warning_is_read_in_the_readers_language(watched: Watched, served: Served, language: str) -> None:
    fly(served)
    seen = event(FLIGHT, 199.0, 7)
    warning = WarningLife(JPN, [place.name for place in PLACES]).take(seen, "w", served.clock().utc_us)
    assert warning is not None
    served.feed(warning)
    page = open_page(watched, served, f"?lang={language}")
    words = page.get_by_test_id("warning-words")
    expect(words).to_have_text(warning.texts[language])
    expect(words).to_have_attribute("lang", language)


def test_before_it_is_known_where_it_comes_down_nobody_is_told_not_here(
    watched: Watched, served: Served
) -> None:
    served.feed(event(FLIGHT, 60.0, 1), event(FLIGHT, 80.0, 2))
    page = open_page(watched, served)
    expect(page.get_by_test_id("card")).to_contain_text("where it comes down can't be stated yet")
    expect(page.get_by_test_id("alarm")).to_contain_text("places not known yet")
    expect(page.get_by_test_id("card")).not_to_contain_text("no own place")


def test_symbols_are_fetched_when_asked_for_and_drawn(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    shown = page.get_by_test_id("map")
    expect(shown).to_have_attribute("data-symbols", "false")
    assert not [url for url in watched.asked if "/symbols-" in url]
    canvas = "one => one.querySelector('canvas').toDataURL()"
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("symbols=1"))
    expect(shown).to_have_attribute("data-symbols", "true")
    expect(page.get_by_text("MIL-STD-2525D")).to_be_visible()
    assert page.evaluate(f"() => ({canvas})(document.querySelector('[data-testid=map]'))")
    assert watched.is_clean()
