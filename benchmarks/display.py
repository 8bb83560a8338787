"""The display under load: tracks at 1 Hz and open pages, beside a bare WebSocket server saying as much.

    .venv/bin/python benchmarks/display.py [--tracks N] [--pages N] [--seconds S] [--browser] [--json]
    .venv/bin/python benchmarks/display.py --minutes M [--tracks N] [--pages N] [--json]

Prints processor time of the server for each frame delivered, of the display and of a bare server that sends
frames of the same size at the same rate to as many clients; their ratio; how much the server's memory grew;
and, with `--browser`, the time of one picture of the page, 2D and 3D, with a countdown that must tick, and
how soon after the server's answer the first picture stands. In 3D that is the time of what lies over the
earth, which alone a live feed draws; between two pictures while the earth turns stands beside it. With
`--minutes` instead: the memory of server and page over that time, under the same load.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
import websockets

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
FRAME_MAX: Final = 200_000_000
SETTLE_S: Final = 3.0
CHROMIUM: Final = "/usr/bin/chromium"
FIRST_PICTURES: Final = 5
MEMORY_SAMPLES: Final = 60
TURNS: Final = 40
GROWN_SHARE_MAX: Final = 0.1
"""What memory may grow by between the second and the last quarter of a run."""
RATIO_PROMISED: Final = 10.0
"""The display also shapes and encodes each frame, once for all pages; the bare server has its bytes ready."""

Json = dict[str, Any]


class Clients:
    """Pages without a browser: they read, count and remember the sizes of frames, one list for all."""

    def __init__(self) -> None:
        self.frames = 0
        self.sizes: list[int] = []

    async def read(self, address: str, *, first: bool, until: asyncio.Event) -> None:
        """Read frames until the event is set."""
        async with websockets.connect(address, max_size=FRAME_MAX, compression=None) as stream:
            while not until.is_set():
                try:
                    async with asyncio.timeout(0.5):
                        text = await stream.recv()
                except TimeoutError:
                    continue
                self.frames += 1
                if first:
                    self.sizes.append(len(text))


def run_server(code: str, *words: str) -> "subprocess.Popen[str]":
    """Start this script as a server; its first line is its address."""
    command = [sys.executable, __file__, "--serve", code, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(server: "subprocess.Popen[str]") -> Json:
    """Return what a server says of its processor time and memory."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("usage\n")
    server.stdin.flush()
    answer: Json = json.loads(server.stdout.readline())
    return answer


async def load(server: "subprocess.Popen[str]", pages: int, seconds: float) -> tuple[Json, list[int]]:
    """Open pages, let them settle, measure; return figures and the sizes of the frames one of them got."""
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    clients, until = Clients(), asyncio.Event()
    reading = [asyncio.create_task(clients.read(address, first=n == 0, until=until)) for n in range(pages)]
    await asyncio.sleep(SETTLE_S)
    before, frames, at_s = ask(server), clients.frames, time.monotonic()
    clients.sizes.clear()
    await asyncio.sleep(seconds)
    after, passed_s = ask(server), time.monotonic() - at_s
    delivered = clients.frames - frames
    sizes = list(clients.sizes)
    until.set()
    await asyncio.gather(*reading, return_exceptions=True)
    processor_s = after["processor_s"] - before["processor_s"]
    return {
        "frames_delivered_per_s": delivered / passed_s,
        "bytes_per_frame": sum(sizes) / max(1, len(sizes)),
        "processor_share": processor_s / passed_s,
        "processor_us_per_delivery": 1e6 * processor_s / max(1, delivered),
        "memory_grown_mb": (after["memory_kb"] - before["memory_kb"]) / 1e3,
    }, sizes


def answer_usage() -> None:
    """Answer each line on standard input with processor time and peak memory, from a thread."""

    def answer() -> None:
        for _ in sys.stdin:
            memory_kb = (
                int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1_024
            )
            said = {"processor_s": time.process_time(), "memory_kb": memory_kb}
            print(
                json.dumps(said | {"peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), flush=True
            )
        os._exit(0)

    threading.Thread(target=answer, daemon=True).start()


async def serve_display(tracks: int) -> None:
    """Serve a display whose tracks each gain a revision a second, spread over the second."""
    from beaconfire.adapters.web.server import WebOptions, WebServer  # noqa: PLC0415 - in the child only
    from beaconfire.messages.words import Lane  # noqa: PLC0415
    from beaconfire.nodes.commands import Channel, Inbound  # noqa: PLC0415
    from beaconfire.nodes.display import DisplayFacts, DisplayNode  # noqa: PLC0415
    from browser.flight import JPN, PLACES, SENSORS, Flight, event  # noqa: PLC0415
    from browser.served import EventClock  # noqa: PLC0415

    launch_us = 1_664_835_700_000_000
    clock = EventClock(launch_us + 200_000_000, 1.0)
    node = DisplayNode(JPN, DisplayFacts(PLACES, SENSORS))
    seen = event(Flight(launch_us), 199.0, 1)
    server = WebServer(node, clock, WebOptions())
    serving = asyncio.create_task(server.serve())
    print(server.url.replace("http", "ws") + "ws", flush=True)
    begun_s, number = time.monotonic(), 0
    while not serving.done():
        due = int((time.monotonic() - begun_s) * tracks)
        for one in range(number, min(due, number + tracks)):
            at_us = clock().utc_us
            revised = msgspec.structs.replace(
                seen, event_id=f"E-{one % tracks:04}", revision=1 + one // tracks, as_of_us=at_us
            )
            node.receive(Inbound(Channel.EVENT, JPN, Lane.ROUTINE, revised, 100), clock())
        number = max(number, due)
        await asyncio.sleep(0.02)


async def serve_bare(size: int, period_s: float) -> None:
    """Serve frames of one size at one period to whoever connects: the floor."""
    streams: set[websockets.ServerConnection] = set()

    async def attend(stream: websockets.ServerConnection) -> None:
        streams.add(stream)
        try:
            await stream.wait_closed()
        finally:
            streams.discard(stream)

    frame = "x" * size
    async with websockets.serve(attend, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"ws://127.0.0.1:{port}/", flush=True)
        while True:
            await asyncio.sleep(period_s)
            websockets.broadcast(streams, frame)


@asynccontextmanager
async def running(start: Callable[[], "subprocess.Popen[str]"]) -> AsyncIterator["subprocess.Popen[str]"]:
    """Yield a started server; end it after."""
    server = start()
    try:
        yield server
    finally:
        server.kill()
        server.wait()


def page_address(server: "subprocess.Popen[str]") -> str:
    """Return the address of a display's page, from its server's first line."""
    assert server.stdout is not None
    return server.stdout.readline().strip().replace("ws://", "http://").removesuffix("ws")


def first_picture() -> Json:
    """Return milliseconds from the server's answer to the first paint, and to map and card of one event."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - with --browser only

    server, found = run_server("display", "1"), []
    url = page_address(server)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(FIRST_PICTURES):
            page = browser.new_context(viewport={"width": 1440, "height": 860}).new_page()
            page.goto(url)
            page.get_by_test_id("card").first.wait_for(timeout=60_000)
            shown = page.get_by_test_id("map")
            page.locator("[data-first-ms]").wait_for(timeout=60_000)
            answered_ms, painted_ms = page.evaluate(
                "() => [performance.getEntriesByType('navigation')[0].responseStart,"
                " performance.getEntriesByName('first-contentful-paint')[0].startTime]"
            )
            drawn_ms = float(shown.get_attribute("data-first-ms") or "nan")
            found.append((painted_ms - answered_ms, drawn_ms - answered_ms))
            page.context.close()
        browser.close()
    server.kill()
    server.wait()
    return {"first_paint_ms": median(one for one, _ in found), "map_ms": median(one for _, one in found)}


async def memory(tracks: int, pages: int, minutes: float) -> Json:
    """Return megabytes of server and page over some minutes: after the first quarter, and at the end."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - with --minutes only

    samples: list[tuple[float, float, float]] = []
    async with (
        running(lambda: run_server("display", str(tracks))) as server,
        async_playwright() as playwright,
    ):
        url = page_address(server)
        clients, until = Clients(), asyncio.Event()
        address = url.replace("http", "ws") + "ws"
        reading = [asyncio.create_task(clients.read(address, first=False, until=until)) for _ in range(pages)]
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 860})
        await page.goto(url)
        session = await page.context.new_cdp_session(page)
        begun_s, period_s = time.monotonic(), max(5.0, 60.0 * minutes / MEMORY_SAMPLES)
        while time.monotonic() - begun_s < 60.0 * minutes:
            await asyncio.sleep(period_s)
            await session.send("HeapProfiler.collectGarbage")
            heap = await session.send("Runtime.getHeapUsage")
            said = await asyncio.to_thread(ask, server)
            samples.append(
                ((time.monotonic() - begun_s) / 60.0, said["memory_kb"] / 1e3, heap["usedSize"] / 1e6)
            )
            print(
                "{:6.1f} min  server {:7.1f} MB  page {:7.1f} MB".format(*samples[-1]),
                file=sys.stderr,
                flush=True,
            )
        until.set()
        await asyncio.gather(*reading, return_exceptions=True)
        await browser.close()
    return {"tracks": tracks, "pages": pages, "minutes": minutes} | grown(samples)


def grown(samples: list[tuple[float, float, float]]) -> Json:
    """Return the medians of the second and the last quarter of the samples: first everything fills up."""
    quarter = max(1, len(samples) // 4)
    found: Json = {}
    for place, name in ((1, "server"), (2, "page")):
        before = median(one[place] for one in samples[quarter : 2 * quarter] or samples)
        after = median(one[place] for one in samples[-quarter:])
        found[name] = {"settled_mb": before, "end_mb": after, "grown_share": after / before - 1.0}
    return found


async def measure(tracks: int, pages: int, seconds: float) -> Json:
    """Return the figures of the display, of the bare server, and their ratio."""
    async with running(lambda: run_server("display", str(tracks))) as server:
        display, _ = await load(server, pages, seconds)
    size = round(display["bytes_per_frame"])
    period_s = pages / max(1e-9, display["frames_delivered_per_s"])
    async with running(lambda: run_server("bare", str(size), str(period_s))) as server:
        bare, _ = await load(server, pages, seconds)
    ratio = display["processor_us_per_delivery"] / bare["processor_us_per_delivery"]
    return {"tracks": tracks, "pages": pages, "display": display, "bare": bare, "ratio": ratio}


def picture_times(tracks: int, seconds: float) -> Json:
    """Return milliseconds of one picture of the page, 2D and 3D, and whether the countdown ticked."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - with --browser only

    found: Json = {}
    server = run_server("display", str(tracks))
    url = page_address(server)
    flags = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        for name, query, view in (("2d", "", "map"), ("3d", "?dim=3", "globe")):
            page = browser.new_page(viewport={"width": 1440, "height": 860})
            started_s = time.perf_counter()
            page.goto(url + query)
            page.get_by_test_id("card").first.wait_for(timeout=120_000)
            first_s = time.perf_counter() - started_s
            page.wait_for_timeout(1e3 * seconds)
            shown = page.get_by_test_id("countdown").first
            before, ticked = shown.inner_text(), False
            for _ in range(20):
                page.wait_for_timeout(250)
                ticked = ticked or shown.inner_text() != before
            frame_ms = float(page.get_by_test_id(view).get_attribute("data-frame-ms") or "nan")
            found[name] = {"first_event_s": first_s, "frame_ms": frame_ms, "countdown_ticks": ticked}
            if name == "3d":
                found[name]["turn_ms"] = turn_time(page)
            page.close()
        browser.close()
    server.kill()
    server.wait()
    return found


def turn_time(page: Any) -> float:
    """Return milliseconds between two pictures while the globe turns: only then is the earth drawn."""
    globe, found = page.get_by_test_id("globe"), []
    globe.locator("canvas").first.focus()
    for _ in range(TURNS):
        page.keyboard.press("ArrowRight")
        found.append(float(globe.get_attribute("data-turn-ms") or "nan"))
    return median(found[TURNS // 4 :])


def main() -> int:
    """Print the figures; returns 1 if the ratio is worse than promised or a countdown stood still."""
    parser = argparse.ArgumentParser(description="the display under load beside a bare WebSocket server")
    parser.add_argument("--tracks", type=int, default=1_000)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--browser", action="store_true", help="the page's pictures too")
    parser.add_argument("--minutes", type=float, help="memory of server and page over so many minutes")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        answer_usage()
        kind, *words = arguments.serve
        asyncio.run(
            serve_display(int(words[0])) if kind == "display" else serve_bare(int(words[0]), float(words[1]))
        )
        return 0
    if arguments.minutes:
        return tell_memory(
            asyncio.run(memory(arguments.tracks, arguments.pages, arguments.minutes)), arguments
        )
    figures = asyncio.run(measure(arguments.tracks, arguments.pages, arguments.seconds))
    if arguments.browser:
        figures["page"] = picture_times(arguments.tracks, arguments.seconds)
        figures["first"] = first_picture()
    print(json.dumps(figures) if arguments.json else table(figures))
    ticking = all(one["countdown_ticks"] for one in figures.get("page", {}).values())
    return int(figures["ratio"] > RATIO_PROMISED or not ticking)


def tell_memory(figures: Json, arguments: argparse.Namespace) -> int:
    """Print how memory grew; returns 1 if it did by more than is allowed."""
    parts = {name: figures[name] for name in ("server", "page")}
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(f"{figures['tracks']} tracks, {figures['pages']} pages, {figures['minutes']:g} minutes")
        for name, one in parts.items():
            held = f"{one['settled_mb']:8.1f} MB, {one['end_mb']:8.1f} MB at the end"
            print(f"{name:8} {held}: {one['grown_share']:+.1%}")
    return int(any(one["grown_share"] > GROWN_SHARE_MAX for one in parts.values()))


def table(figures: Json) -> str:
    """Return the figures in lines."""
    lines = [f"{figures['tracks']} tracks at 1 Hz, {figures['pages']} pages"]
    for name in ("display", "bare"):
        one = figures[name]
        spent = (
            f"{one['processor_us_per_delivery']:9.1f} us/delivery {one['processor_share']:7.1%} of one core"
        )
        sent = f"{one['frames_delivered_per_s']:8.1f} frames/s of {one['bytes_per_frame']:9.0f} bytes"
        lines.append(f"{name:8} {spent}  {sent}  {one['memory_grown_mb']:+6.1f} MB")
    lines.append(f"ratio    {figures['ratio']:9.2f}")
    for name, one in figures.get("page", {}).items():
        ticks = "ticks" if one["countdown_ticks"] else "STANDS STILL"
        first = f"first event after {one['first_event_s']:.2f} s"
        turned = f", {one['turn_ms']:.1f} ms while it turns" if "turn_ms" in one else ""
        lines.append(f"page {name:3} {one['frame_ms']:9.1f} ms a picture{turned}, {first}, countdown {ticks}")
    if soon := figures.get("first"):
        painted, drawn = soon["first_paint_ms"], soon["map_ms"]
        lines.append(f"first    {painted:9.1f} ms from the answer to the first paint, {drawn:.1f} to the map")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
