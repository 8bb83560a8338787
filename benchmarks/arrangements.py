"""How long a proof takes, and how fast a party's word reaches every node of a real installation.

Promised: the shipped arrangements are proved in under 2 s; a suspension is at every node that can be reached
within a second of being said. Beside the proof, the parsing of the same policies; beside the word, the
nation's own guard, which hears it first. `python benchmarks/arrangements.py [--words N] [--json]`
"""

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.adapters.installation import Installation, make_installation
from beaconfire.adapters.journal import InputKind, recorded_inputs
from beaconfire.adapters.servers import check_server, wait_until_served
from beaconfire.adapters.wiring import Role
from beaconfire.cli.main import main as beaconfire
from beaconfire.messages.codec import decode
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import Nation
from beaconfire.release.explanation import bundle_from
from beaconfire.release.proof.model import terms_of
from beaconfire.release.proof.prove import prove
from beaconfire.release.rules import read_rules

NATIONS: Final = (Nation("JPN"), Nation("KOR"), Nation("USA"))
PROOF_S_MAX: Final = 2.0
WORD_MS_MAX: Final = 1_000.0
SETTLE_S: Final = 2.0


def proof_s() -> tuple[float, float]:
    """Return the seconds to prove all shipped arrangements, and to parse their policies only."""
    templates = list(shipped_templates().values())
    began_s = time.perf_counter()
    for one in templates:
        read_rules(one.policies, one.arrangement)
    parsed_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    proved = [finding.holds for one in templates for finding in prove(terms_of(bundle_from(one)))]
    if not all(proved):
        raise SystemExit("a shipped arrangement is not proved")
    return time.perf_counter() - began_s, parsed_s


@contextlib.contextmanager
def running(made: Installation) -> Iterator[None]:
    """Run the servers, the hub and every guard of an installation."""
    binary = check_server()
    started: list[subprocess.Popen[str]] = []
    try:
        for server in made.servers:
            started.append(subprocess.Popen([str(binary), "-c", str(server.config)], text=True))
            wait_until_served(server.port, within_s=20.0)
        for one in (one for one in made.processes if one.role in {Role.HUB, Role.GUARD}):
            command = [sys.executable, "-m", "beaconfire.cli.main", "run", one.role.value]
            node = subprocess.Popen(
                [*command, "--config", str(one.config)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            started.append(node)
            if node.stdout is not None:
                node.stdout.readline()
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def reach_ms(words: int) -> dict[str, float]:
    """Return, for every node, the most milliseconds from a word being said to the node being given it."""
    with tempfile.TemporaryDirectory() as folder:
        made = make_installation(Path(folder) / "here", nations=NATIONS)
        operator = str(made.directory / "KOR" / f"{Role.OPERATOR.value}.json")
        with running(made), contextlib.redirect_stdout(io.StringIO()):
            for number in range(words):
                verb = "resume" if number % 2 else "suspend"
                beaconfire(["arrangement", verb, "trilateral", "--config", operator])
            time.sleep(SETTLE_S)
        nodes = [one for one in made.processes if one.role in {Role.HUB, Role.GUARD}]
        return {one.name: _latest_ms(made, one.role, one.party, words) for one in nodes}


def _latest_ms(made: Installation, role: Role, party: str, words: int) -> float:
    first_us: dict[int, int] = {}
    for one in recorded_inputs(made.journal(role, party)):
        said = decode(one.body) if one.kind is InputKind.RECEIVE else None
        if isinstance(said, Suspension):
            first_us.setdefault(said.number, one.utc_us - said.said_at_us)
    return max(first_us.values()) / 1e3 if len(first_us) == words else float("inf")


def main() -> int:
    """Measure, print, and return 1 if anything is worse than promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    proofs = [proof_s() for _ in range(5)]
    proved_s, parsed_s = (statistics.median(one[i] for one in proofs) for i in (0, 1))
    reached_ms = reach_ms(arguments.words)
    slowest_ms = max(reached_ms.values())
    if arguments.json:
        print(json.dumps({"proof_s": proved_s, "parsing_s": parsed_s, "reach_ms": reached_ms}))
    else:
        print(f"three arrangements proved in {proved_s:.2f} s, {proved_s / parsed_s:.0f} times their parsing")
        for name, one_ms in reached_ms.items():
            print(f"{name:<12} had every word within {one_ms:.0f} ms")
    return 0 if proved_s < PROOF_S_MAX and slowest_ms < WORD_MS_MAX else 1


if __name__ == "__main__":
    raise SystemExit(main())
