"""G15: whatever is done to an audit log or to a checkpoint, verification finds it, offline."""

import os

import msgspec
import pytest

from beaconfire.audit.verifier import verify_log
from beaconfire.sim.chance import Chance
from beaconfire.sim.noninterference import World
from beaconfire.sim.story import draw_pacts, draw_rules, draw_story
from beaconfire.sim.tampering import Tampering

SPOILED = int(os.environ.get("BEACONFIRE_SPOILED", "2000"))


def test_every_spoiling_of_many_logs_is_found() -> None:
    tampering = Tampering()
    number = 0
    while sum(tampering.tried.values()) < SPOILED:
        tampering.run(number)
        number += 1
    assert len(tampering.tried) == 7
    assert min(tampering.tried.values()) > SPOILED / 20


@pytest.mark.parametrize("name", ["gave/KOR", "given/KOR"])
def test_every_byte_of_a_log_and_of_its_checkpoints_counts(name: str) -> None:
    world = World()
    keys = [msgspec.to_builtins(key, builtin_types=(bytes,)) for key in world.public_keys()]
    for seed in range(200):
        story = draw_story(seed, draw_pacts(Chance(seed, "pacts")), draw_rules(Chance(seed, "rules")))
        logs = world.run(story, 2 * seed + 1).logs
        records, checkpoints = logs.get(name, []), logs.get(f"checkpoint/{name}", [])
        if len(records) > 1 and len(checkpoints) > 1:
            break
    else:
        pytest.fail("no story with such a log")
    assert not verify_log(name, records, checkpoints, keys).flaw
    for bodies in (records, checkpoints):
        for number, body in enumerate(bodies):
            for place in range(len(body)):
                spoiled = [*bodies]
                spoiled[number] = body[:place] + bytes([body[place] ^ 0x01]) + body[place + 1 :]
                changed = (spoiled, checkpoints) if bodies is records else (records, spoiled)
                assert verify_log(name, *changed, keys).flaw, f"byte {place} of {number}"
