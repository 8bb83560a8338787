"""What the page says of faults, arrangements and warnings, in the reader's language, and its symbols."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from beaconfire.alerting.life import WarningLife
from beaconfire.alerting.texts import LANGUAGES
from beaconfire.cli.campaign_faults import notional_report
from beaconfire.link.peer_clock import PeerClock
from beaconfire.messages.health import ArrangementHealth, Health, Notice
from beaconfire.messages.words import Severity
from beaconfire.nodes.clocks import clock_said
from beaconfire.nodes.commands import Now
from beaconfire.nodes.display import ArrangementLine, DisplayFacts
from beaconfire.nodes.picture_words import clock_barred
from beaconfire.nodes.voice import Voice
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


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "KOR and HUB-1: 1,840 ms apart"),
        ("ja", "KOR と HUB-1 の差 1,840 ミリ秒"),
        ("ko", "KOR - HUB-1 차이 1,840 밀리초"),
    ],
)
def test_whose_clock_is_off_and_by_how_much_is_said_in_the_readers_language(
    watched: Watched, served: Served, language: str, words: str
) -> None:
    clock, line = PeerClock(), "KOR: 1,840 ms apart"
    clock.take(0, 1_840_000, 0)
    said = clock_said(clock, KOR, "HUB-1", named=KOR)
    assert said is not None
    served.feed(Voice("hub/HUB-1", "HUB-1").notice(said, Now(LAUNCH_US + 1, 0)))
    page = open_page(watched, served, f"?lang={language}")
    notice = page.get_by_test_id("notice")
    expect(notice.get_by_test_id("notice-detail")).to_have_text(words)
    expect(notice.get_by_test_id("notice-detail")).to_be_visible()
    own = notice.get_by_text(line, exact=True)
    expect(own).to_be_hidden()
    notice.locator("summary").click()
    expect(own).to_be_visible()
    assert watched.is_clean()


def test_a_partner_whose_reports_are_left_out_is_named_in_japanese(watched: Watched, served: Served) -> None:
    report = notional_report(KOR, 1, LAUNCH_US)
    served.feed(Voice("picture/JPN", JPN).notice(clock_barred(report, 3), Now(LAUNCH_US + 1, 0)))
    page = open_page(watched, served, "?lang=ja")
    words = f"KOR、航跡 {report.track}:自国の時計との差が 1,000 ミリ秒を超えています(報告 3 件)"
    expect(page.get_by_test_id("notice-detail")).to_have_text(words)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "KOR would resume trilateral (word 1664835700000)"),
        ("ja", "KOR による trilateral の再開(通告 1664835700000)"),
        ("ko", "KOR의 trilateral 재개(통고 1664835700000호)"),
    ],
)
def test_a_number_that_names_something_is_said_as_it_is(
    watched: Watched, served: Served, language: str, words: str
) -> None:
    about: dict[str, str | int] = {
        "arrangement": "trilateral",
        "party": KOR,
        "number": 1_664_835_700_000,
        "word": "resumed",
    }
    code = "arrangement-word-refused"
    served.feed(Notice(code, Severity.CAUTION, "no effect", LAUNCH_US + 1, "guard/JPN", about))
    page = open_page(watched, served, f"?lang={language}")
    expect(page.get_by_test_id("notice-detail")).to_have_text(words)


def test_values_that_the_words_do_not_know_leave_the_nodes_own_line(watched: Watched, served: Served) -> None:
    said: dict[str, str | int] = {"somebody": "KOR"}
    served.feed(Notice("gap", Severity.CAUTION, "as the node said it", LAUNCH_US + 1, "guard/JPN", said))
    page = open_page(watched, served)
    expect(page.get_by_test_id("notice").get_by_text("as the node said it")).to_be_visible()
    assert page.get_by_test_id("notice-detail").count() == 0


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
