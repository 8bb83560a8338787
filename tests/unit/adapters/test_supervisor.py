import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.adapters.supervisor import Supervisor
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.words import HUB, Nation, Sharing

pytestmark = pytest.mark.real

HEAVY = ("national/KOR", "picture/KOR", "display/KOR", "display/HUB", "warning/KOR")
WITHIN_S = 60.0


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    return make_installation(
        tmp_path / "here", nations=[Nation("KOR")], sharing=Sharing.ALONE, options=Options(hubs=(HUB,))
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.02)


def test_all_become_ready_the_dead_are_started_again_and_none_is_left_behind(made: Installation) -> None:
    async def scenario() -> None:
        said: list[str] = []
        supervisor = Supervisor(made, progress=said.append, without=HEAVY)
        await supervisor.start()
        assert said[-1] == "all are ready"
        assert set(supervisor.names()) == {"hub/HUB", "guard/KOR", "feed/KOR", "server/HUB", "server/KOR"}
        for name in ("guard/KOR", "server/HUB"):
            before = supervisor.pid(name)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            await until(lambda n=name, b=before: supervisor.pid(n) not in {None, b})  # type: ignore[misc]
            assert supervisor.restarts(name) == 1
            assert f"{name} ended (signal 9), is started again" in said
        pids = [supervisor.pid(name) for name in supervisor.names()]
        await supervisor.stop()
        assert not [pid for pid in pids if pid is not None and is_running(pid)]
        assert [supervisor.pid(name) for name in supervisor.names()] == [None] * 5

    asyncio.run(scenario())


def test_a_taken_port_is_told_before_anything_starts_and_nothing_is_left_running(made: Installation) -> None:
    async def scenario() -> None:
        supervisor = Supervisor(made, without=HEAVY)
        with (
            socket.create_server(("127.0.0.1", made.servers[1].port)),
            pytest.raises(UsageError, match=f"port {made.servers[1].port} is taken"),
        ):
            await supervisor.start()
        assert [supervisor.pid(name) for name in supervisor.names()] == [None] * 5

    asyncio.run(scenario())


def test_a_server_that_refuses_its_configuration_is_told_with_its_reason(made: Installation) -> None:
    async def scenario() -> None:
        made.servers[0].config.write_text("listen: nonsense:nonsense\n")
        supervisor = Supervisor(made, without=HEAVY)
        with pytest.raises(EnvironmentFault, match="message server of HUB did not start"):
            await supervisor.start()

    asyncio.run(scenario())


def test_a_server_too_old_is_refused_at_once(made: Installation, tmp_path: Path) -> None:
    old = tmp_path / "nats-server"
    old.write_text("#!/bin/sh\necho v2.12.1\n")
    old.chmod(0o755)
    with pytest.raises(UsageError, match=r"2\.12\.1 is too old"):
        Supervisor(made, server=old)


SCRIPT = """
import asyncio, sys
from pathlib import Path
from beaconfire.adapters.installation import read_installation
from beaconfire.adapters.supervisor import Supervisor

async def main():
    supervisor = Supervisor(read_installation(Path(sys.argv[1])), without=sys.argv[2:])
    await supervisor.start()
    print(*(supervisor.pid(name) for name in supervisor.names()), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_children_end_with_a_parent_that_is_killed(made: Installation) -> None:
    command = [sys.executable, "-c", SCRIPT, str(made.directory), *HEAVY]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 5
        assert all(map(is_running, pids))
        parent.kill()
        parent.wait()
    deadline_s = time.monotonic() + WITHIN_S
    while any(map(is_running, pids)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not [pid for pid in pids if is_running(pid)]
