"""Write a gallery of the display: the running demo in mid-flight, and made-up states it seldom is in.

.venv/bin/python tools/gallery.py [--out DIR] [--flight ID] [--made-up-only]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from display_picture import CHROMIUM, FLAGS, wait_for
from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

SPEED = 5.0
WIDE = (1440, 860)
PHONE = (360, 740)
WALL = (2560, 1440)
GLOBE_WAIT_S = 12.0
PAGE_WITHIN_S = 20.0


def main() -> int:
    """Write the pictures; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("gallery"))
    parser.add_argument("--flight", default="2022-10-04")
    parser.add_argument("--made-up-only", action="store_true", help="leave the demo out")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        flags = [*FLAGS, "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        camera = Camera(browser, arguments.out)
        made_up(camera)
        if not arguments.made_up_only:
            demo(camera, arguments.flight)
        browser.close()
    return 0


class Camera:
    """Takes pictures of pages."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        """Write into `folder`."""
        self._browser = browser
        self._folder = folder

    def take(
        self, name: str, url: str, size: tuple[int, int] = WIDE, *, wait_s: float = 1.5, keys: str = ""
    ) -> None:
        """Open a page, press keys, and take one picture."""
        page = self.open(url, size)
        page.wait_for_timeout(1e3 * wait_s)
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(900)
        self.keep(name, page, whole=size is PHONE)

    def open(self, url: str, size: tuple[int, int] = WIDE) -> Page:
        """Return a new page at an address."""
        page = self._browser.new_page(viewport={"width": size[0], "height": size[1]})
        until_s = time.monotonic() + PAGE_WITHIN_S
        while True:
            try:
                page.goto(url)
            except Error:
                if time.monotonic() > until_s:
                    raise
                page.wait_for_timeout(100)
            else:
                return page

    def keep(self, name: str, page: Page, *, whole: bool = False) -> None:
        """Write the picture of a page and close it."""
        page.screenshot(path=str(self._folder / f"{name}.png"), full_page=whole)
        print(f"{self._folder / name}.png", flush=True)
        page.close()


def made_up(camera: Camera) -> None:
    """Take what the demo seldom shows: an exercise, a link down, a withdrawn event, a thousand tracks."""
    from beaconfire.messages.words import Mode, Status
    from beaconfire.nodes.display import DisplayFacts
    from browser.flight import JPN, PLACES, SENSORS, Flight, event, health
    from browser.pages import LAUNCH_US, fly
    from browser.served import EventClock, Served

    clock = EventClock(LAUNCH_US + 200_000_000, 1.0)
    with Served(JPN, DisplayFacts(PLACES, SENSORS, mode=Mode.EXERCISE), clock) as served:
        served.feed(msgspec.structs.replace(event(Flight(LAUNCH_US), 199.0, 1), mode=Mode.EXERCISE))
        camera.take("exercise", served.server.url)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), EventClock(LAUNCH_US + 200_000_000, 1.0)) as served:
        fly(served)
        served.feed(health("guard/JPN", LAUNCH_US, up=False), health("picture/JPN", LAUNCH_US, up=False))
        camera.take("link-down", served.server.url, wait_s=4.0)
        page = camera.open(served.server.url)
        page.wait_for_timeout(1_000)
        served.feed(msgspec.structs.replace(event(Flight(LAUNCH_US), 201.0, 99), status=Status.WITHDRAWN))
        page.wait_for_timeout(1_500)
        camera.keep("withdrawn", page)
    with Served(JPN, DisplayFacts(PLACES, SENSORS), EventClock(LAUNCH_US + 200_000_000, 1.0)) as served:
        seen = event(Flight(LAUNCH_US), 199.0, 1)
        served.feed(*(msgspec.structs.replace(seen, event_id=f"E-{number:04}") for number in range(1_000)))
        camera.take("thousand-tracks", served.server.url, wait_s=6.0)


def demo(camera: Camera, flight: str) -> None:
    """Run the demo and take Japan's page in every view at 10, 60 and 200 s, and the hub's."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        command = [
            sys.executable,
            "-m",
            "beaconfire.cli.main",
            "demo",
            "--headless",
            "--stay",
            "--flight",
            flight,
        ]
        running = subprocess.Popen([*command, "--speed", str(SPEED), "--recording", str(recording)])
        try:
            photograph(camera, recording)
        finally:
            running.terminate()
            running.wait(30)


def photograph(camera: Camera, recording: Path) -> None:
    """Take the pictures of a running demo."""
    clock = json.loads(wait_for(recording / "clock.json").read_text())
    ports = json.loads((recording / "installation.json").read_text())["web_ports"]
    lead_s = max(10.0, 1.5 * SPEED)
    launch_s = clock["wall_start_us"] / 1e6 + lead_s / clock["speed"]
    url = f"http://127.0.0.1:{ports['JPN']}/"
    for second in (10, 60, 200):
        page = camera.open(url)
        page.wait_for_timeout(max(0.0, 1e3 * (launch_s + second / SPEED - time.time())))
        camera.keep(f"event-{second:03}s", page)
    camera.take("globe", f"{url}?dim=3&coverage=1", wait_s=GLOBE_WAIT_S)
    for language in ("en", "ja", "ko"):
        theme = {"en": "light", "ja": "dark", "ko": "light"}[language]
        camera.take(f"language-{language}", f"{url}?lang={language}&theme={theme}&coverage=1")
    camera.take("replay", url, keys="[[[[")
    camera.take("phone", url, PHONE)
    camera.take("wall", url, WALL, wait_s=4.0)
    camera.take("sandbox", f"{url}sandbox")
    camera.take("help", f"{url}?help=1")
    camera.take("korea", f"http://127.0.0.1:{ports['KOR']}/")
    camera.take("hub", f"http://127.0.0.1:{ports['HUB-1']}/", wait_s=3.0)
    camera.take("docs", f"{url}docs")


if __name__ == "__main__":
    sys.exit(main())
