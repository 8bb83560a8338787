"""Make docs/images/display.png: run the demo, open Japan's page in Chromium, take a picture in mid-flight.

.venv/bin/python tools/display_picture.py [--flight ID] [--after SECONDS] [--out FILE]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

SPEED = 10
READY_WITHIN_S = 120.0
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def main() -> int:
    """Take the picture; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flight", default="2022-10-04")
    parser.add_argument("--after", type=float, default=450.0, help="seconds of flight after the launch")
    parser.add_argument("--nation", default="JPN")
    parser.add_argument("--out", type=Path, default=Path("docs/images/display.png"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        command = [sys.executable, "-m", "beaconfire.cli.main", "demo", "--headless", "--speed", str(SPEED)]
        demo = subprocess.Popen([*command, "--flight", arguments.flight, "--recording", str(recording)])
        try:
            take(recording, arguments)
        finally:
            demo.terminate()
            demo.wait(30)
    return 0


def take(recording: Path, arguments: argparse.Namespace) -> None:
    """Wait for the moment and take the picture."""
    started = wait_for(recording / "clock.json")
    clock = json.loads(started.read_text())
    page_port = json.loads((recording / "installation.json").read_text())["web_ports"][arguments.nation]
    lead_s = max(10.0, 1.5 * SPEED)
    at_s = clock["wall_start_us"] / 1e6 + (arguments.after + lead_s) / clock["speed"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 860})
        page.goto(f"http://127.0.0.1:{page_port}/")
        page.wait_for_timeout(max(1_000.0, (at_s - time.time()) * 1e3))
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(arguments.out))
        browser.close()


def wait_for(path: Path) -> Path:
    """Return the path once it is there."""
    end = time.monotonic() + READY_WITHIN_S
    while not path.exists():
        if time.monotonic() > end:
            sys.exit(f"{path} did not come within {READY_WITHIN_S:.0f} s")
        time.sleep(0.1)
    return path


if __name__ == "__main__":
    sys.exit(main())
