"""A page that is watched, and how the tests open one."""

import re
import urllib.parse

from playwright.sync_api import ConsoleMessage, Dialog, Page, expect

from beaconfire.messages.words import Sharing
from browser.flight import Flight, event
from browser.served import Served

LAUNCH_US = 1_664_835_700_000_000


class Watched:
    """A page and all that it asked for and complained about."""

    def __init__(self, page: Page) -> None:
        """Listen to the page."""
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda stream: self.asked.append(stream.url))
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append("dialog")
        dialog.dismiss()

    def _heard(self, message: ConsoleMessage) -> None:
        # Chromium says so itself when it blocks sound (the page shows it), and when WebGL runs without a GPU
        known = "AudioContext" in message.text or "GPU stall" in message.text
        if message.type in ("error", "warning") and not known:
            self.complaints.append(message.text)

    def is_clean(self) -> bool:
        """Return True; fails if the page asked another host, or complained."""
        hosts = {
            urllib.parse.urlsplit(url).hostname
            for url in self.asked
            if not url.startswith(("blob:", "data:"))
        }
        assert hosts == {"127.0.0.1"}, self.asked
        assert self.complaints == []
        return True


def fly(served: Served) -> None:
    """Feed the flight up to 199 s, with what Japan would have held with less."""
    flight = Flight(LAUNCH_US)
    for revision, second in enumerate((35.0, 60.0, 80.0, 160.0, 180.0, 199.0), 1):
        served.feed(event(flight, second, revision))
        if second >= 60.0:
            served.feed(event(flight, second, revision, Sharing.BILATERAL))
    served.feed(event(flight, 199.0, 1, Sharing.ALONE))


def open_page(watched: Watched, served: Served, query: str = "") -> Page:
    """Open the display and wait until it is live."""
    watched.page.goto(served.server.url + query)
    expect(watched.page.get_by_test_id("feed")).to_have_class(re.compile("fresh"))
    return watched.page


def countdown_s(page: Page) -> int:
    """Return the seconds that the first card counts down from."""
    text = page.get_by_test_id("countdown").first.inner_text()
    found = re.fullmatch(r"(\d+):(\d\d)", text.strip())
    assert found, text
    return 60 * int(found[1]) + int(found[2])
