"""Start-up: `beaconfire --help` beside `python -c pass`, in turn, on the same machine.

    .venv/bin/python benchmarks/startup.py [--runs N] [--json]

Prints the median of each in milliseconds and their ratio. The promise is 300 ms for the help.
"""

import argparse
import json
import subprocess
import sys
import time
from statistics import median
from typing import Final

COMMANDS: Final = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import argparse": [sys.executable, "-c", "import argparse"],
    "beaconfire --help": [sys.executable, "-m", "beaconfire.cli.main", "--help"],
}
BASE: Final = "python -c pass"
PROMISED_MS: Final = 300.0


def milliseconds(command: list[str]) -> float:
    """Return the wall time of one run of a command, milliseconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return 1_000.0 * (time.perf_counter() - started)


def measure(runs: int) -> dict[str, float]:
    """Return the median of each command, milliseconds: taken in turn, after one run to warm up."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(runs + 1):
        for name, command in COMMANDS.items():
            taken = milliseconds(command)
            if turn:
                times[name].append(taken)
    return {name: median(values) for name, values in times.items()}


def main() -> int:
    """Print the table; returns 1 if the help takes longer than promised."""
    parser = argparse.ArgumentParser(description="start-up of the command beside that of Python")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    medians = measure(arguments.runs)
    ratios = {name: value / medians[BASE] for name, value in medians.items()}
    if arguments.json:
        print(json.dumps({"median_ms": medians, "ratio": ratios}))
    else:
        for name, value in medians.items():
            print(f"{name:20} {value:8.1f} ms   {ratios[name]:5.2f} x")
    return int(medians["beaconfire --help"] > PROMISED_MS)


if __name__ == "__main__":
    sys.exit(main())
