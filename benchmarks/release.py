"""Release: what one message to a partner costs at the hub, beside a bare Ed25519 signature of its bytes.

    .venv/bin/python benchmarks/release.py [--reports N] [--json]

Everything is timed in turn in one process, in processor time. Prints microseconds a message, the ratio to
a bare signature, messages a second at 3 and at 30 partners, and what the memo holds after many labels.
"""

import argparse
import hashlib
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Final

import msgspec

from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.words import HUB, Group, Level, Mode, Nation
from beaconfire.release.arrangements import Agreement, Arrangements, make_bundle, verify_bundle
from beaconfire.release.cedar import MAXIMUM_REMEMBERED, CedarDecider
from beaconfire.release.decide import Released, release_to_hub, release_to_partner
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.release.label import LabellingRules, label_report
from beaconfire.release.opening import Opened, open_sealed
from beaconfire.release.ruling import Question, Releaser
from beaconfire.release.terms import SealTerms
from beaconfire.sim.chance import Chance
from beaconfire.sim.pacts import Demand, Grant, Pact, template_of
from beaconfire.sim.story import START_US, draw_report

LIFE_US: Final = 600_000_000
FROM_US, UNTIL_US = START_US - 10**9, START_US + 10**12
ROUNDS: Final = 5


def nations(count: int) -> tuple[Nation, ...]:
    """Return that many names of nations, the first of which speaks."""
    return tuple(Nation(f"{chr(65 + n // 26)}{chr(65 + n % 26)}X") for n in range(count + 1))


def key_of(party: str) -> SigningKey:
    """Return a key of class SIMULATION, good for nothing else."""
    return SigningKey(party, KeyClass.SIMULATION, hashlib.sha256(party.encode()).digest())


def pact_between(one: Nation, other: Nation) -> Pact:
    """Return an arrangement as the shipped trilateral: launch points on a grid, sensors by opaque names."""
    demands = {
        Group.LAUNCH_POINT: Demand(grid_km=10),
        Group.TRAJECTORY: Demand(coast=True),
        Group.COVARIANCE: Demand(coast=True),
        Group.SENSOR: Demand(opaque=True),
    }
    grants = tuple(Grant(one, other, group, demands.get(group, Demand())) for group in Group)
    return Pact(f"{one}-{other}", (one, other), grants, (Group.RAW_MEASUREMENT,))


def agreement_of(pact: Pact, keys: list[SigningKey]) -> Agreement:
    """Return an arrangement signed and verified."""
    signed = make_bundle(template_of(pact), keys, valid_from_us=FROM_US, valid_until_us=UNTIL_US)
    return verify_bundle(signed, pact.name, now_us=START_US, trusted=None)


class Bench:
    """A hub's releaser and opened reports for a number of partners."""

    def __init__(self, partners: int, reports: int) -> None:
        """Sign the arrangements and seal the reports."""
        self.parties = nations(partners)
        self.speaker = self.parties[0]
        keys = [key_of(party) for party in (*self.parties, HUB)]
        self.ring = Keyring(KeyClass.SIMULATION, [key.public for key in keys])
        self.agreements = [agreement_of(pact_between(self.speaker, one), keys) for one in self.parties[1:]]
        self.held = Arrangements(self.agreements)
        self.decider = CedarDecider(self.agreements)
        self.hub = self.releaser(HUB)
        self.sealed = self._seal(reports)
        self.opened = [self.open(one) for one in self.sealed]

    def releaser(self, party: str) -> Releaser:
        """Return what a party releases with."""
        return Releaser(self.decider, self.held, key_of(party), b"s" * 32, Mode.SIMULATED)

    def _seal(self, count: int) -> list[bytes]:
        others = frozenset(self.parties[1:])
        rules = LabellingRules("notional", Level.RESTRICTED, others)
        label = label_report(rules, self.speaker, others)
        guard, made = self.releaser(self.speaker), []
        for number in range(count):
            terms = SealTerms(label, START_US + number, START_US + LIFE_US, ())
            released = release_to_hub(draw_report(0, self.speaker, Chance(number, "r")), terms, guard)
            if isinstance(released, Released):
                made.append(released.value.sealed)
        return made

    def open(self, sealed: bytes) -> Opened:
        """Return a report as the hub opens it."""
        opened = open_sealed(
            sealed,
            recipient=HUB,
            keyring=self.ring,
            now_us=START_US + 1_000,
            mode=Mode.SIMULATED,
            arrangements=self.held,
            hops=0,
        )
        assert isinstance(opened, Opened), opened
        return opened

    def release_all(self) -> int:
        """Release every report to every partner; return how many messages were decided."""
        for opened in self.opened:
            for partner in self.parties[1:]:
                release_to_partner(opened, partner, self.hub, START_US + 1_000)
        return len(self.opened) * (len(self.parties) - 1)

    def sign_all(self) -> int:
        """Sign the bytes of every report once for every partner and do nothing else."""
        key = key_of(HUB)
        for sealed in self.sealed:
            for _ in self.parties[1:]:
                key.sign("bare", sealed)
        return len(self.sealed) * (len(self.parties) - 1)

    def open_all(self) -> int:
        """Open every report as the hub does on arrival."""
        for sealed in self.sealed:
            self.open(sealed)
        return len(self.sealed)

    def decide_all(self) -> int:
        """Ask the decider what it remembers, for every report and partner."""
        label = self.opened[0].header.label
        questions = [
            (Question(label, one, Mode.SIMULATED, 1, (held.digest,)), (held,))
            for one, held in zip(self.parties[1:], self.agreements, strict=True)
        ]
        for _ in self.opened:
            for question, agreements in questions:
                self.decider.decide(question, agreements)
        return len(self.opened) * len(questions)


def microseconds(one: Callable[[], int]) -> float:
    """Return the processor time of one unit of work, microseconds."""
    started = time.process_time()
    done = one()
    return 1e6 * (time.process_time() - started) / done


def memo_after(labels: int) -> tuple[int, float]:
    """Return how many rulings the memo holds at most over that many different labels, and in how many MB."""
    bench = Bench(1, 2)
    header = bench.opened[0].header
    most, megabytes = 0, 0.0
    tracemalloc.start()
    for number in range(labels):
        label = msgspec.structs.replace(header.label, tags=frozenset({f"{number}"}))
        question = Question(label, bench.parties[1], Mode.SIMULATED, 1, (bench.agreements[0].digest,))
        bench.decider.decide(question, tuple(bench.agreements))
        if bench.decider.remembered > most:
            most, megabytes = bench.decider.remembered, tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    return most, megabytes


def main() -> int:
    """Print the table; returns 1 if the memo is over its bound."""
    parser = argparse.ArgumentParser(description="what a release costs beside a bare signature")
    parser.add_argument("--reports", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, float] = {}
    for partners in (3, 30):
        bench = Bench(partners, arguments.reports)
        bench.release_all()
        works = {
            "bare signature": bench.sign_all,
            "decision, remembered": bench.decide_all,
            "decision, sanitising, encoding, signing": bench.release_all,
            "opening, once a report": bench.open_all,
        }
        times = {name: [microseconds(work) for _ in range(ROUNDS)] for name, work in works.items()}
        for name, taken in times.items():
            found[f"{name}, {partners} partners, us"] = round(median(taken), 2)
        whole = median(times["decision, sanitising, encoding, signing"])
        found[f"messages a second, {partners} partners"] = round(1e6 / whole)
        found[f"times a bare signature, {partners} partners"] = round(
            whole / median(times["bare signature"]), 1
        )
    most, megabytes = memo_after(MAXIMUM_REMEMBERED + 900)
    found["most rulings remembered at once"] = most
    found["memory of these, MB"] = round(megabytes, 1)
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:62} {value:12,.2f}")
    return int(most > MAXIMUM_REMEMBERED)


if __name__ == "__main__":
    sys.exit(main())
