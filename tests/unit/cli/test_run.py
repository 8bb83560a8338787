import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.configuration import FeedConfig, ProcessConfig, read_config, write_config
from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.cli.main import main
from beaconfire.messages.words import HUB, Nation
from real_servers import RealServers

PLOT = (
    b'{"sensor":"kor-1","measured_at_us":1664835785000000,"range_m":812345.6,'
    b'"azimuth_deg":12.3456,"elevation_deg":23.4567}\n'
)
COMMAND = [sys.executable, "-m", "beaconfire.cli.main", "run"]


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    nations = [Nation("JPN"), Nation("KOR"), Nation("USA")]
    return make_installation(tmp_path / "here", nations=nations, options=Options(hubs=(HUB,)))


def config_of(made: Installation, name: str) -> Path:
    return next(one.config for one in made.processes if one.name == name)


def change(path: Path, **changes: object) -> ProcessConfig:
    changed = msgspec.structs.replace(read_config(path).config, **changes)
    write_config(path, changed)
    return changed


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["guard", "--config", "nowhere.json"], "nowhere.json: cannot read it"),
        (["guard", "--config", "{hub}"], "a configuration of hub (expected guard)"),
    ],
)
def test_a_wrong_configuration_is_one_clear_line_and_status_2(
    made: Installation, capsys: pytest.CaptureFixture[str], words: list[str], part: str
) -> None:
    given = [word.replace("{hub}", str(config_of(made, "hub/HUB"))) for word in words]
    assert main(["run", *given]) == 2
    error = capsys.readouterr().err
    assert part in error
    assert error.count("\n") == 1


def test_an_unknown_role_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", "cook", "--config", "x"])
    assert caught.value.code == 2
    assert "national" in capsys.readouterr().err


def test_a_feed_without_input_is_told_so(made: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    path = config_of(made, "feed/KOR")
    change(path, feed=FeedConfig())
    assert main(["run", "feed", "--config", str(path)]) == 2
    assert "the feed has no input" in capsys.readouterr().err


@pytest.mark.parametrize("role", ["guard", "hub", "warning", "display", "feed"])
def test_a_light_role_starts_without_the_numerics(role: str) -> None:
    nodes = {"feed": "beaconfire.adapters.feeds", "display": "beaconfire.adapters.web.server"}
    module = nodes.get(role, f"beaconfire.nodes.{role}")
    code = (
        f"import sys, beaconfire.cli.run, {module}\n"
        "print([name for name in ('numba', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().strip() == "[]"


@pytest.fixture
def served(made: Installation) -> "RealServers":
    return RealServers(made)


@pytest.mark.real
def test_a_feed_reads_standard_input_says_what_was_bad_and_ends_with_it(
    made: Installation, served: RealServers
) -> None:
    path = config_of(made, "feed/KOR")
    change(path, feed=FeedConfig(stdin=True))
    served.start("KOR")
    try:
        done = subprocess.run(
            [*COMMAND, "feed", "--config", str(path)],
            input=PLOT + b"nonsense\n" + b"x" * 10_000_000 + b"\n" + PLOT,
            capture_output=True,
            timeout=60,
            check=False,
        )
    finally:
        served.stop()
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"ready\n"
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("stdin:2: not a detection")
    assert second.startswith("stdin:3: line too long")


@pytest.mark.real
def test_a_process_says_ready_and_ends_cleanly_when_told(made: Installation, served: RealServers) -> None:
    served.start(HUB)
    process = subprocess.Popen(
        [*COMMAND, "hub", "--config", str(config_of(made, "hub/HUB"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
        served.stop()
    assert (process.returncode, error) == (0, b"")
    assert (made.directory / HUB / "hub.journal").stat().st_size > 0


@pytest.mark.real
def test_a_taken_port_of_a_feed_is_one_clear_line_and_status_2(
    made: Installation, served: RealServers
) -> None:
    served.start("KOR")
    try:
        with socket.create_server(("127.0.0.1", made.feed_ports["KOR"])):
            done = subprocess.run(
                [*COMMAND, "feed", "--config", str(config_of(made, "feed/KOR"))],
                capture_output=True,
                timeout=60,
                check=False,
            )
    finally:
        served.stop()
    assert done.returncode == 2
    assert b"cannot listen on 127.0.0.1" in done.stderr
    assert done.stderr.count(b"\n") == 1
