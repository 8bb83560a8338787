"""What a watch floor asks of the page: alarm, acknowledgement, replay, markings, withheld things, exports."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import expect

from beaconfire.messages.event import Warning
from beaconfire.messages.health import Notice
from beaconfire.messages.words import Mode, Severity, Status
from beaconfire.nodes.display import DisplayFacts
from browser.flight import JPN, KOR, PLACES, SENSORS, Flight, event, health
from browser.pages import LAUNCH_US, Watched, countdown_s, fly, open_page
from browser.served import EventClock, Served

pytestmark = [pytest.mark.browser, pytest.mark.real]

FLIGHT = Flight(LAUNCH_US)


def test_a_browser_that_blocks_sound_is_seen_to(watched: Watched, served: Served) -> None:
    fly(served)
    page = watched.page
    page.goto(served.server.url)
    # whatever Playwright evaluates counts as a person's touch: nothing may be asked of the page before
    page.wait_for_timeout(3_000)
    assert page.get_by_test_id("alarm").get_attribute("data-blocked") == "true"
    expect(page.get_by_test_id("alarm")).to_contain_text("Sound is blocked")
    page.get_by_test_id("card").click()
    expect(page.get_by_test_id("alarm")).to_have_attribute("data-sounded", re.compile(r"^[1-9]"))


def test_the_alarm_comes_at_once_repeats_and_ends_with_a_name(watched: Watched, served: Served) -> None:
    page = open_page(watched, served)
    alarm = page.get_by_test_id("alarm")
    expect(alarm).to_have_attribute("data-tone", "")
    fly(served)
    expect(alarm).to_have_attribute("data-tone", "near", timeout=1_000)
    page.get_by_test_id("card").click()
    expect(alarm).to_have_attribute("data-blocked", "false")
    expect(alarm).to_have_attribute("data-sounded", re.compile(r"^[2-9]"), timeout=8_000)
    page.keyboard.press("a")
    expect(page.get_by_role("alert").filter(has_text="Type your name first")).to_be_visible()
    page.locator("#person").fill("Sato <b>")
    page.keyboard.press("Tab")
    page.get_by_test_id("card").focus()
    page.keyboard.press("a")
    expect(page.get_by_test_id("acknowledged")).to_contain_text("Sato <b>")
    expect(alarm).to_have_attribute("data-tone", "")
    assert [one.person for one in served.acknowledgements] == ["Sato <b>"]
    again = msgspec.structs.replace(event(FLIGHT, 210.0, 90), event_id="E-AGAIN", places=())
    served.feed(again)
    expect(alarm).to_have_attribute("data-tone", "far", timeout=1_000)
    assert watched.is_clean()


def test_a_warning_issued_again_sounds_again(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    page.locator("#person").fill("Sato")
    page.get_by_test_id("acknowledge").click()
    alarm = page.get_by_test_id("alarm")
    expect(alarm).to_have_attribute("data-tone", "")
    at_us = served.clock().utc_us + 1_000_000
    served.feed(Warning("w", "E-5C1D09AF", JPN, "issue", 3, Mode.SIMULATED, at_us, False, (), (), "x"))
    expect(alarm).to_have_attribute("data-tone", "near")


def test_a_notice_of_a_fault_looks_and_sounds_different_from_a_warning(
    watched: Watched, served: Served
) -> None:
    page = open_page(watched, served)
    page.mouse.click(400, 400)
    page.keyboard.press("m")
    page.keyboard.press("m")
    served.feed(Notice("outbox-full", Severity.FAULT, "no room", LAUNCH_US + 1, "guard/JPN"))
    expect(page.get_by_test_id("notice")).to_have_class(re.compile("fault"))
    alarm = page.get_by_test_id("alarm")
    expect(alarm).to_have_attribute("data-sounded", "1")
    expect(alarm).to_have_attribute("data-tone", "")
    page.wait_for_timeout(2_500)
    expect(alarm).to_have_attribute("data-sounded", "1")
    assert page.get_by_test_id("notice").evaluate("one => getComputedStyle(one).borderStyle") == "dashed"


def test_replay_shows_what_the_server_held_and_live_comes_back(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(r"at=\d+"))
    for where in ("top", "bottom"):
        expect(page.get_by_test_id(f"banner-{where}")).to_contain_text("SIMULATED // REPLAY")
    expect(page).to_have_title(re.compile("^REPLAY // SIMULATED"))
    revisions: list[dict[str, Any]] = page.request.get(
        f"{served.server.url}api/events/E-5C1D09AF/revisions"
    ).json()
    for _ in range(3):
        found = re.search(r"at=(\d+)", page.url)
        assert found is not None
        by_then = [one for one in revisions if one["as_of_us"] <= int(found[1])]
        card = page.get_by_test_id("card")
        expect(card).to_contain_text(f"rev {by_then[-1]['revision']}")
        expect(card).to_contain_text(" + ".join(by_then[-1]["contributors"]))
        page.keyboard.press("[")
        expect(page).not_to_have_url(re.compile(f"at={found[1]}"))
    page.reload()
    expect(page.get_by_test_id("time-mode")).to_have_text("REPLAY")
    expect(page.get_by_test_id("alarm")).to_have_attribute("data-tone", "")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_test_id("banner-top")).not_to_contain_text("REPLAY")
    expect(page.get_by_test_id("card")).to_contain_text("rev 6")
    assert watched.is_clean()


def test_a_withdrawn_event_disappears_from_replay_and_interface_too(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    page.keyboard.press("[")
    expect(page.get_by_test_id("card")).to_have_count(1)
    served.feed(msgspec.structs.replace(event(FLIGHT, 201.0, 99), status=Status.WITHDRAWN))
    expect(page.get_by_test_id("card")).to_have_count(0)
    expect(page.get_by_test_id("who")).to_have_count(0)
    for path in ("events/E-5C1D09AF", "events/E-5C1D09AF/revisions", "export.czml?event=E-5C1D09AF"):
        assert page.request.get(f"{served.server.url}api/{path}").status == 404
    assert page.request.get(f"{served.server.url}api/events").json() == []


def test_what_a_nation_was_not_given_is_nowhere(watched: Watched, built_page: Path) -> None:
    secret = msgspec.structs.replace(event(FLIGHT, 199.0, 1), event_id="E-JAPANS-OWN")
    frames: list[str] = []
    watched.page.on(
        "websocket", lambda stream: stream.on("framereceived", lambda text: frames.append(str(text)))
    )
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(KOR, DisplayFacts(PLACES, SENSORS), clock) as served:
        served.feed(
            secret, Warning("w", secret.event_id, JPN, "issue", 1, Mode.SIMULATED, 1, True, (), (), "x")
        )
        page = open_page(watched, served)
        page.get_by_test_id("toggle-coverage").click()
        page.goto(f"{served.server.url}?event={secret.event_id}")
        expect(page.get_by_text("Not in this nation's picture")).to_be_visible()
        page.wait_for_timeout(1_200)
        answers = [
            page.request.get(f"{served.server.url}{path}").text()
            for path in (
                "api/events",
                "api/sensors",
                "api/health",
                "api/arrangements",
                "api/export.czml",
                "metrics",
            )
        ]
        shown = page.content().replace(secret.event_id, "", 1)
    assert frames
    for text in (*frames, *answers):
        for withheld in ("JAPANS-OWN", "jpn-1", "Aomori", "39.2", "140.7"):
            assert withheld not in text
    assert "jpn-1" not in shown
    assert "Aomori" not in shown
    assert "kor-1" in frames[0]


def test_the_banner_of_an_exercise_stands_on_every_route_and_in_print(
    watched: Watched, built_page: Path
) -> None:
    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS, mode=Mode.EXERCISE), clock) as served:
        page = watched.page
        for route, language in (
            ("", "ja"),
            ("sandbox", "ko"),
            ("?at=1664835800000000", "en"),
            ("?theme=dark", "ko"),
        ):
            page.goto(f"{served.server.url}{route}{'&' if '?' in route else '?'}lang={language}")
            expect(page.locator("html")).to_have_attribute("lang", language)
            for where in ("top", "bottom"):
                banner = page.get_by_test_id(f"banner-{where}")
                expect(banner).to_contain_text("UNCLASSIFIED // REL TO JPN // EXERCISE")
                expect(banner).to_have_class(re.compile("exercise"))
                assert banner.inner_text().count("EXERCISE") >= 3
            expect(page).to_have_title(re.compile("EXERCISE — JPN"))
        page.emulate_media(media="print")
        for where in ("top", "bottom"):
            expect(page.get_by_test_id(f"banner-{where}")).to_be_visible()
        expect(page.locator(".tools")).to_be_hidden()
        page.emulate_media(media="screen")


@pytest.mark.parametrize(("language", "words"), [("ja", "最も早い上空通過"), ("ko", "가장 이른 상공 통과")])
def test_the_page_speaks_the_language_asked_for(
    watched: Watched, served: Served, language: str, words: str
) -> None:
    fly(served)
    page = open_page(watched, served)
    page.get_by_test_id("language").select_option(language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_test_id("card")).to_contain_text(words)
    expect(page).to_have_url(re.compile(f"lang={language}"))
    assert watched.is_clean()


def test_the_countdown_holds_on_a_machine_whose_clock_is_wrong_and_after_a_sleep(
    watched: Watched, served: Served
) -> None:
    fly(served)
    skew = "const now = Date.now; Date.now = () => now() + 3600e3;"
    watched.page.add_init_script(skew)
    page = open_page(watched, served)
    first_us = event(FLIGHT, 199.0, 1).places[0].earliest_us
    assert abs((first_us - served.clock().utc_us) / 1e6 - countdown_s(page)) < 2.0
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.wait_for_timeout(3_000)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(page.get_by_test_id("feed")).to_contain_text("Live")
    assert abs((first_us - served.clock().utc_us) / 1e6 - countdown_s(page)) < 2.0


def test_a_feed_that_stops_is_seen_to_be_stale(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    served.call(served.server._broadcast._clients.clear)
    feed = page.get_by_test_id("feed")
    expect(feed).to_contain_text("Silent for", timeout=8_000)
    expect(page.get_by_test_id("age")).to_have_class(re.compile("amber|red"), timeout=8_000)


def test_without_webgl_the_map_holds_everything(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served)
    # what a machine without WebGL answers
    watched.page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) "
        "{ return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };"
    )
    page.goto(f"{served.server.url}?dim=3")
    expect(page.get_by_test_id("globe-missing")).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("map")).to_be_visible()
    assert countdown_s(page) > 0


def test_what_is_shown_can_be_saved(watched: Watched, served: Served, tmp_path: Path) -> None:
    fly(served)
    page = open_page(watched, served)
    with page.expect_download() as saved:
        page.get_by_test_id("export-png").click()
    picture = tmp_path / "picture.png"
    saved.value.save_as(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
    assert saved.value.suggested_filename.startswith("beaconfire-SIMULATED-2022")
    with page.expect_download() as saved:
        page.get_by_test_id("export-czml").click()
    document = json.loads(saved.value.path().read_text())
    assert document[0]["name"].startswith("SIMULATED // REL TO JPN")
    assert {one["id"] for one in document} >= {"E-5C1D09AF/track", "E-5C1D09AF/impact"}


def test_every_view_is_an_address(watched: Watched, served: Served) -> None:
    fly(served)
    page = open_page(watched, served, "?theme=light&lang=ko&coverage=1&areas=0&labels=0&borders=0")
    for what in ("coverage", "areas", "labels", "borders"):
        pressed = "true" if what == "coverage" else "false"
        expect(page.get_by_test_id(f"toggle-{what}")).to_have_attribute("aria-pressed", pressed)
    page.keyboard.press("c")
    page.keyboard.press("e")
    expect(page).not_to_have_url(re.compile("coverage=|areas="))
    assert "labels=0" in page.url


def test_on_a_phone_nothing_is_cut_off(watched: Watched, served: Served) -> None:
    fly(served)
    watched.page.set_viewport_size({"width": 360, "height": 740})
    page = open_page(watched, served)
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 360
    expect(page.get_by_test_id("countdown")).to_be_visible()


def total_packed(folder: Path, names: list[str]) -> int:
    sizes = {
        path: (path.with_name(path.name + ".gz") if path.with_name(path.name + ".gz").exists() else path)
        for path in folder.rglob("*")
    }
    return sum(size.stat().st_size for path, size in sizes.items() if path.name in names)


def test_the_map_page_transfers_little_and_nothing_of_the_globe(
    watched: Watched, served: Served, built_page: Path
) -> None:
    page = open_page(watched, served, "?lang=ja")
    expect(page.get_by_test_id("map")).to_be_visible()
    page.wait_for_timeout(500)
    names = [url.rpartition("/")[2].partition("?")[0] for url in watched.asked]
    assert not [name for name in names if name.startswith("Globe")]
    assert any(name.startswith("countries") for name in names)
    assert 100_000 < total_packed(built_page, [*names, "index.html"]) < 400_000


WIDTHS = (360, 480, 640, 860, 999, 1001, 1280, 1440, 1920, 2560)
LONG = "A very long name that somebody gave to a node/JPN"


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_nothing_scrolls_sideways_at_any_width(watched: Watched, served: Served, language: str) -> None:
    fly(served)
    for source in ("guard/JPN", "picture/JPN", "national/JPN", "warning/JPN", LONG.replace(" ", "")):
        served.feed(health(source, LAUNCH_US, up=False))
    page = open_page(watched, served, f"?lang={language}")
    row = page.get_by_test_id("health")
    expect(row.locator(".node")).to_have_count(5)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, width
        for part in (".health", ".bar", ".timebar", ".cards", ".detail", ".banner"):
            over = page.locator(part).first.evaluate("one => one.scrollWidth - one.clientWidth")
            assert over <= 0, (part, width)
