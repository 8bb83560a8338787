"""From the command `beaconfire demo` to the first picture, beside starting Python and importing the numerics.

    .venv/bin/python benchmarks/first_picture.py [--runs N] [--speed X] [--json]

Timed is the README's first command (`--speed 20`, headless) up to three moments: all processes ready, the
page of one nation answering with what it holds, and the first event of any nation in its display. The
flight itself takes part of the last: sensors see it some event seconds after the clock starts, which are
`--speed` times shorter on the wall. One run first, untimed, so that everything is compiled. Each run is
ended once the first event is there. Promised: the first event within 15 s.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median
from typing import Final

PROMISED_S: Final = 15.0
GIVE_UP_S: Final = 300.0
STOP_WITHIN_S: Final = 30.0
RUNS_MAX: Final = 20
IMPORTS: Final = "import numba, numpy, scipy.optimize, nats, cedarpy"
_PAGE: Final = re.compile(r"http://127\.0\.0\.1:\d+/")
_EVENT: Final = re.compile(r"SIMULATED [A-Z]{3} [0-9a-f]{6,}")


def _answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(f"{page}api/events", timeout=1.0) as answer:  # noqa: S310 - http on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def demo_moments_s(speed: float) -> dict[str, float]:
    """Return seconds from the command to each moment of one demo, which is then ended.

    Raises:
        RuntimeError: it ended, or nothing was seen, before there was an event.
    """
    with tempfile.TemporaryDirectory(prefix="beaconfire-first-") as folder:
        command = [sys.executable, "-m", "beaconfire.cli.main", "demo", "--headless", "--speed", f"{speed:g}"]
        command += ["--recording", str(Path(folder) / "recording")]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            return _watch(process, started)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _watch(process: "subprocess.Popen[str]", started: float) -> dict[str, float]:
    assert process.stdout is not None
    moments: dict[str, float] = {}
    for line in process.stdout:
        passed = time.perf_counter() - started
        if "all are ready" in line:
            moments["ready"] = passed
        found = _PAGE.search(line)
        if found and "page" not in moments:
            while not _answers(found[0]) and time.perf_counter() - started < GIVE_UP_S:
                time.sleep(0.02)
            moments["page"] = time.perf_counter() - started
        if _EVENT.search(line):
            return {**moments, "event": passed}
        if passed > GIVE_UP_S:
            break
    raise RuntimeError("the demo showed no event")


def _base_s() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True, capture_output=True)
    return time.perf_counter() - started


def measure(runs: int, speed: float) -> dict[str, float]:
    """Return the median of each moment and of the imports, seconds: in turn, after one run untimed."""
    held: dict[str, list[float]] = {"imports": []}
    for turn in range(runs + 1):
        base, moments = _base_s(), demo_moments_s(speed)
        if turn:
            held["imports"].append(base)
            for name, value in moments.items():
                held.setdefault(name, []).append(value)
    return {name: median(values) for name, values in held.items()}


def main() -> int:
    """Print the table; returns 1 if the first event takes longer than promised."""
    parser = argparse.ArgumentParser(description="demo from command to first picture")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not 1 <= arguments.runs <= RUNS_MAX:
        parser.error(f"--runs: 1 to {RUNS_MAX}")
    medians = measure(arguments.runs, arguments.speed)
    ratios = {name: value / medians["imports"] for name, value in medians.items()}
    passed = medians["event"] <= PROMISED_S
    if arguments.json:
        print(json.dumps({"median_s": medians, "ratio": ratios, "promised_s": PROMISED_S, "passed": passed}))
    else:
        for name, value in medians.items():
            print(f"{name:10} {value:7.2f} s   {ratios[name]:5.1f} x")
        print(f"promised: event within {PROMISED_S:.0f} s: {'kept' if passed else 'NOT KEPT'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
