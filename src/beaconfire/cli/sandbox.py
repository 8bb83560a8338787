"""`beaconfire sandbox`: one catalogue flight past sensors that somebody placed: alone, bilateral, trilateral.

The display's sandbox page runs this verb in a process of its own. It answers what sharing adds for *these*
sensors and *that* flight of the public catalogue. It searches nothing: no launch site, no direction.
"""

import argparse
import asyncio
import json
import sys
from typing import Any, Final

import msgspec

from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.formats.flights import shipped_flights
from beaconfire.formats.launches import Launch
from beaconfire.formats.places import shipped_places
from beaconfire.formats.sensors import parse_sensors
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Nation, Sharing

Json = dict[str, Any]

SENSORS_MAX: Final = 12
BODY_BYTES_MAX: Final = 65_536
WITHIN_S: Final = 600.0
DELAY_US: Final = 200_000
NATIONS: Final = (Nation("JPN"), Nation("KOR"), Nation("USA"))


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be flown past what.

    Attributes:
        flight: id in the catalogue.
        sensors: fields as in the sensors file, degrees.
        seed: of the simulated noise.
    """

    flight: str
    sensors: tuple[dict[str, float | str], ...]
    seed: int = 1


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser(
        "sandbox", help="fly a catalogue flight past placed sensors (JSON on stdin)"
    )
    parser.add_argument("--describe", action="store_true", help="print the flights to choose from, as JSON")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON (it always is)")


def run(arguments: argparse.Namespace) -> int:
    """Run the trial on standard input and print its summary as JSON; returns 0.

    Raises:
        UsageError: not a trial, or a flight or sensor is not usable.
    """
    if arguments.describe:
        print(json.dumps(describe()))
        return 0
    print(json.dumps(summary_of_trial(sys.stdin.buffer.read(BODY_BYTES_MAX + 1))))
    return 0


def describe() -> Json:
    """Return the flights to choose from, and the bounds of a trial."""
    flights = [
        {"id": one.launch_id, "apogee_m": one.apogee_m, "range_m": one.range_m}
        for one in shipped_flights()
        if _is_complete(one)
    ]
    return {"flights": flights, "nations": list(NATIONS), "sensors_max": SENSORS_MAX}


def _is_complete(launch: Launch) -> bool:
    return None not in (launch.launched_at_us, launch.apogee_m, launch.range_m, launch.bearing_rad)


def read_trial(body: bytes) -> tuple[Trial, tuple[Sensor, ...]]:
    """Return a trial and its sensors, each field checked as in a sensors file.

    Raises:
        UsageError: too long, not a trial, too many sensors or none, or a field out of bounds.
    """
    if len(body) > BODY_BYTES_MAX:
        raise UsageError("too long", "trial", f"at most {BODY_BYTES_MAX} bytes")
    try:
        trial = msgspec.json.decode(body, type=Trial)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a trial: {error}", "trial") from error
    if not 0 < len(trial.sensors) <= SENSORS_MAX:
        raise UsageError(f"{len(trial.sensors)} sensors", "trial: sensors", f"1 to {SENSORS_MAX}")
    sensors = parse_sensors("\n".join(_table(one) for one in trial.sensors), "trial")
    strangers = sorted({one.nation for one in sensors} - set(NATIONS))
    if strangers:
        raise UsageError(f"nation {strangers[0]}", "trial: sensors", ", ".join(NATIONS))
    return trial, sensors


def _table(fields: dict[str, float | str]) -> str:
    """Return one sensor as a table of a sensors file; a name that is no bare key is refused."""
    strange = [name for name in fields if not name.replace("_", "").isalnum() or not name.isascii()]
    if strange:
        raise UsageError(f"field {strange[0][:40]!r}", "trial: sensors", "names as in a sensors file")
    return "[[sensor]]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in fields.items())


def summary_of_trial(body: bytes) -> Json:
    """Return the summary of a trial under each sharing; raises `UsageError` as `read_trial` does."""
    from beaconfire.analysis.summary import summary_to_json  # noqa: PLC0415 - numerics, not for describe
    from beaconfire.cli.assess import shipped_agreements, summary_of  # noqa: PLC0415
    from beaconfire.sim.assessment import Task, assess  # noqa: PLC0415
    from beaconfire.sim.catalogue import find_launch  # noqa: PLC0415
    from beaconfire.sim.flights import flight_of_launch  # noqa: PLC0415
    from beaconfire.sim.world import build_world  # noqa: PLC0415

    trial, sensors = read_trial(body)
    world = build_world([flight_of_launch(find_launch(trial.flight))], sensors, trial.seed)
    task = Task(
        sensors=sensors,
        places=shipped_places(),
        arrangements=shipped_agreements(trial.seed),
        main=Sharing.TRILATERAL.value,
        seed=trial.seed,
        delay_us=DELAY_US,
    )
    detections = world.detections
    terms = (Sharing.TRILATERAL.value, world.first_launch_us)
    summary = summary_to_json(summary_of(assess(detections, task), detections, terms))
    return {"flight": trial.flight, "mode": "SIMULATED", "detections": len(detections), "summary": summary}


async def run_trial(body: bytes) -> Json:
    """Return what `beaconfire sandbox` says of a trial, run in a process of its own.

    Raises:
        UsageError: the trial is not usable.
        EnvironmentFault: the process failed, or took longer than `WITHIN_S`.
    """
    read_trial(body)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "beaconfire.cli.main", "sandbox"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            said, complaint = await process.communicate(body)
    except TimeoutError as error:
        raise EnvironmentFault(f"the trial took longer than {WITHIN_S:.0f} s", "try fewer sensors") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = complaint.decode(errors="replace").strip().splitlines()
    if process.returncode == 2:
        raise UsageError(lines[-1] if lines else "the trial was refused")
    if process.returncode != 0:
        raise EnvironmentFault("the trial failed", lines[-1][:200] if lines else "no reason given")
    answer: Json = json.loads(said)
    return answer
