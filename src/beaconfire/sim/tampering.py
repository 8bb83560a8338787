"""Audit logs as real runs leave them, spoiled in one way at a time: verification must find each.

What a nation holds itself, the newest checkpoint that it cosigned, is held against the logs too, as a
nation would: without it nobody could tell a log whose end was cut off together with its checkpoints.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from beaconfire.audit.record import AuditLog, Passed, Subject, decode_record
from beaconfire.audit.verifier import verify_log
from beaconfire.sim.chance import Chance
from beaconfire.sim.noninterference import World
from beaconfire.sim.sight import Breach
from beaconfire.sim.story import Story, draw_pacts, draw_rules, draw_story

STORIES_EACH: Final = 40
"""Spoilings of the logs of one story."""

Log = tuple[list[bytes], list[bytes]]
"""Records and checkpoints."""


class Tampering:
    """Spoils logs, one way a turn.

    Attributes:
        tried: spoilings so far, by what was done.
    """

    def __init__(self) -> None:
        """Make the keys."""
        self._world = World()
        self._keys = [msgspec.to_builtins(key, builtin_types=(bytes,)) for key in self._world.public_keys()]
        self.tried: dict[str, int] = {}

    def run(self, number: int) -> None:
        """Spoil the logs of the story of a number in many ways.

        Raises:
            Breach: one was not found, or the logs were flawed as they were.
        """
        story = self._story(number)
        logs = self._world.run(story, 2 * number + 1).logs
        self._world.forget()
        chance = Chance(number, "tampering")
        for name in (f"gave/{story.observer}", f"given/{story.observer}"):
            log = (logs.get(name, []), logs.get(f"checkpoint/{name}", []))
            if log[0] and log[1]:
                self._hold(name, log, log[1][-1:], found=False, what=f"story {number}, as it was")
                for _ in range(STORIES_EACH):
                    self._spoil(name, log, chance, number)

    def _story(self, number: int) -> Story:
        pacts, rules = draw_pacts(Chance(number, "pacts")), draw_rules(Chance(number, "rules"))
        return draw_story(number, pacts, rules)

    def _spoil(self, name: str, log: Log, chance: Chance, number: int) -> None:
        what, way = _WAYS[chance.between(0, len(_WAYS) - 1)]
        spoiled = way(log, chance)
        if spoiled == log:
            return
        self.tried[what] = self.tried.get(what, 0) + 1
        self._hold(name, spoiled, log[1][-1:], found=True, what=f"story {number}, {name}, {what}")

    def _hold(self, name: str, log: Log, held: list[bytes], *, found: bool, what: str) -> None:
        flaw = verify_log(name, log[0], log[1], self._keys, held).flaw
        if bool(flaw) is not found:
            raise Breach(f"{what}: {flaw or 'not found'}")


def _flipped(data: bytes, chance: Chance) -> bytes:
    place = chance.between(0, 8 * len(data) - 1)
    changed = bytearray(data)
    changed[place // 8] ^= 1 << (place % 8)
    return bytes(changed)


def _with(bodies: list[bytes], place: int, body: bytes) -> list[bytes]:
    return [*bodies[:place], body, *bodies[place + 1 :]]


def _flip_record(log: Log, chance: Chance) -> Log:
    place = chance.between(0, len(log[0]) - 1)
    return _with(log[0], place, _flipped(log[0][place], chance)), log[1]


def _flip_checkpoint(log: Log, chance: Chance) -> Log:
    place = chance.between(0, len(log[1]) - 1)
    return log[0], _with(log[1], place, _flipped(log[1][place], chance))


def _leave_out(log: Log, chance: Chance) -> Log:
    place = chance.between(0, len(log[0]) - 1)
    return [*log[0][:place], *log[0][place + 1 :]], log[1]


def _cut_off(log: Log, chance: Chance) -> Log:
    """Cut off the end, and every checkpoint with it."""
    return log[0][: chance.between(0, len(log[0]) - 1)], []


def _swap(log: Log, chance: Chance) -> Log:
    one, other = (chance.between(0, len(log[0]) - 1) for _ in range(2))
    records = _with(_with(log[0], one, log[0][other]), other, log[0][one])
    return records, log[1]


def _repeat(log: Log, chance: Chance) -> Log:
    place = chance.between(0, len(log[0]) - 1)
    return [*log[0][:place], log[0][place], *log[0][place:]], log[1]


def _fork(log: Log, chance: Chance) -> Log:
    """Write the log anew from some record on, whole in itself, with one decision changed."""
    place = chance.between(0, len(log[0]) - 1)
    forged = AuditLog("", log[0][:place])
    records = log[0][:place]
    for number, body in enumerate(log[0][place:]):
        old = decode_record(body)
        recipient = old.recipient if number else "FRA"
        subject = Subject(old.originator, recipient, old.report_id, old.lane, b"other")
        records.append(forged.add(subject, Passed(old.groups, (), old.basis, ()), old.at_us))
    return records, log[1]


_WAYS: Final[tuple[tuple[str, Callable[[Log, Chance], Log]], ...]] = (
    ("a bit of a record flipped", _flip_record),
    ("a bit of a record flipped", _flip_record),
    ("a bit of a checkpoint flipped", _flip_checkpoint),
    ("a bit of a checkpoint flipped", _flip_checkpoint),
    ("a record left out", _leave_out),
    ("the end and all checkpoints cut off", _cut_off),
    ("two records swapped", _swap),
    ("a record repeated", _repeat),
    ("the end written anew", _fork),
)
