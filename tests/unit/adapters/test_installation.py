import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from beaconfire.adapters.building import build_node
from beaconfire.adapters.clock import read_clock
from beaconfire.adapters.configuration import LoadedConfig, read_config
from beaconfire.adapters.installation import (
    ClockPlan,
    Installation,
    Options,
    make_installation,
    read_installation,
)
from beaconfire.adapters.journal import MemoryRows
from beaconfire.adapters.servers import check_server
from beaconfire.adapters.trust import read_trust
from beaconfire.adapters.wiring import Role
from beaconfire.errors import UsageError
from beaconfire.messages.health import Notice
from beaconfire.messages.words import HUB, HUB_INSTANCES, Mode, Nation, Sharing
from beaconfire.nodes.commands import Command, Now, Send
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.picture import PictureNode
from beaconfire.release.cedar import check_policies

NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))
START_US = 1_664_835_700_000_000


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    return make_installation(tmp_path / "here", nations=NATIONS, clock=ClockPlan(START_US, 20.0))


def test_what_was_made_is_read_back(made: Installation) -> None:
    assert read_installation(made.directory) == made


def test_every_nation_and_instance_of_the_hub_has_a_server_and_every_role_a_process(
    made: Installation,
) -> None:
    assert [one.party for one in made.servers] == [*HUB_INSTANCES, *NATIONS]
    names = {one.name for one in made.processes}
    roles = ("national", "guard", "picture", "warning", "display", "feed")
    hubs = {f"{role}/{hub}" for role in ("hub", "display") for hub in HUB_INSTANCES}
    assert names == hubs | {f"{role}/{nation}" for role in roles for nation in NATIONS}
    ports = [one.port for one in made.servers] + [*made.feed_ports.values(), *made.web_ports.values()]
    assert len(set(ports)) == len(ports) == 13


def test_the_servers_accept_their_configurations(made: Installation) -> None:
    for one in made.servers:
        done = subprocess.run(
            [check_server(), "-t", "-c", one.config], capture_output=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stderr.decode()


def test_nobody_else_may_read_a_key_and_no_private_key_stands_twice(made: Installation) -> None:
    keys = [path for path in made.directory.rglob("keys/*") if path.is_file()]
    assert len(keys) > 40
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in keys)
    shared = [path for path in keys if path.name in {"signing.hex", "hub.secret"} and "HUB-2" in path.parts]
    assert len(shared) == 2, "the instances of the hub are one party"
    assert len({path.read_text() for path in keys}) == len(keys) - len(shared)
    assert len({path.read_text() for path in keys if path.suffix == ".seed"}) == len(
        [path for path in keys if path.suffix == ".seed"]
    )


def test_either_instance_of_the_hub_can_be_left_out(tmp_path: Path) -> None:
    made = make_installation(tmp_path / "one", nations=NATIONS, options=Options(hubs=(HUB,)))
    assert [one.party for one in made.servers] == [HUB, *NATIONS]
    guard = read_config(next(one.config for one in made.processes if one.role is Role.GUARD))
    assert guard.config.hubs == (HUB,)
    assert read_config(made.processes[0].config).signing_key().party == HUB


def test_no_process_is_given_a_path_into_another_party_s_folder(made: Installation) -> None:
    for one in made.processes:
        for other in {*HUB_INSTANCES, *NATIONS} - {one.party}:
            assert f"../{other}" not in one.config.read_text()


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in {Role.OBSERVER, Role.OPERATOR, Role.FEED}]
)
def test_every_node_can_be_built_from_its_configuration(made: Installation, role: Role) -> None:
    made.start_clock()
    for one in made.processes:
        if one.role is role:
            build_node(read_config(one.config), MemoryRows())


def test_a_feed_is_no_node(made: Installation) -> None:
    config = next(one.config for one in made.processes if one.role is Role.FEED)
    with pytest.raises(UsageError, match="feed is not a node"):
        build_node(read_config(config), MemoryRows())


@pytest.mark.parametrize(
    ("sharing", "count"), [(Sharing.ALONE, 0), (Sharing.BILATERAL, 2), (Sharing.TRILATERAL, 3)]
)
def test_the_arrangements_in_force_are_those_asked_for(tmp_path: Path, sharing: Sharing, count: int) -> None:
    made = make_installation(tmp_path / "here", nations=NATIONS, sharing=sharing)
    hub = read_config(made.processes[0].config)
    assert len(read_trust(hub, check_policies).agreements) == count


@pytest.mark.parametrize("role", [Role.HUB, Role.GUARD])
def test_an_arrangement_that_was_altered_is_left_out_and_told_of(made: Installation, role: Role) -> None:
    bundle = next((made.directory / "arrangements").glob("trilateral*"))
    bundle.write_text(bundle.read_text().replace("10000", "10001", 1))
    made.start_clock()
    node = build_node(_process(made, role), MemoryRows())
    assert isinstance(node, GuardNode | HubNode)
    held = {one.bundle.arrangement for one in node.arrangements.agreements}
    assert held == {"bilateral-usa-jpn", "bilateral-usa-kor"}
    sent = [one.message for one in node.tick(Now(START_US, 1)) if isinstance(one, Send)]
    told = [one.text for one in sent if isinstance(one, Notice) and one.code == "arrangement-refused"]
    assert len(told) == 1
    assert "trilateral" in told[0]


def _process(made: Installation, role: Role) -> LoadedConfig:
    return next(read_config(one.config) for one in made.processes if one.role is role)


@pytest.mark.parametrize("role", [Role.HUB, Role.GUARD, Role.PICTURE, Role.DISPLAY])
def test_after_an_arrangement_has_expired_every_process_still_starts(made: Installation, role: Role) -> None:
    made.start_clock()
    late_us = START_US + 400 * 86_400_000_000
    node = build_node(_process(made, role), MemoryRows())
    commands = node.tick(Now(late_us, 1))
    if isinstance(node, GuardNode | HubNode):
        assert node.arrangements.agreements
        assert not node.arrangements.in_force(late_us)
        assert _codes(commands).count("arrangement-expired") == len(node.arrangements.agreements)


def _codes(commands: list[Command]) -> list[str]:
    sent = [one.message for one in commands if isinstance(one, Send)]
    return [one.code for one in sent if isinstance(one, Notice)]


def test_a_picture_starts_without_the_arrangements_that_do_not_verify_and_says_so(made: Installation) -> None:
    bundle = next((made.directory / "arrangements").glob("trilateral*"))
    bundle.write_text(bundle.read_text().replace("10000", "10001", 1))
    made.start_clock()
    picture = build_node(_process(made, Role.PICTURE), MemoryRows())
    assert isinstance(picture, PictureNode)
    assert sorted(one.bundle.arrangement for one in picture.arrangements.agreements) == [
        "bilateral-usa-jpn",
        "bilateral-usa-kor",
    ]
    assert _codes(picture.tick(Now(START_US, 1))).count("arrangement-refused") == 1
    assert "arrangement-refused" not in _codes(picture.tick(Now(START_US + 1, 2)))


def test_a_picture_starts_without_any_arrangement(made: Installation) -> None:
    for bundle in (made.directory / "arrangements").iterdir():
        bundle.unlink()
    made.start_clock()
    picture = build_node(_process(made, Role.PICTURE), MemoryRows())
    assert isinstance(picture, PictureNode)
    assert not picture.arrangements.agreements


def test_the_event_clock_starts_once_and_when_told(made: Installation) -> None:
    assert made.clock is not None
    assert not made.clock.exists()
    made.start_clock()
    text = made.clock.read_bytes()
    made.start_clock()
    assert made.clock.read_bytes() == text
    assert read_clock(made.clock).speed == 20.0
    assert read_clock(made.clock).now().utc_us >= START_US


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        make_installation(tmp_path, nations=NATIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("make", [lambda path: path / "nothing.toml", lambda path: path])
def test_a_missing_sensors_file_is_named(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(UsageError, match="cannot read it"):
        make_installation(tmp_path / "here", nations=NATIONS, sensors=make(tmp_path))


def test_a_malformed_sensors_file_is_named_by_the_process_that_reads_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[[sensor]]\nid = 3\n")
    made = make_installation(tmp_path / "here", nations=NATIONS, sensors=tmp_path / "mine.toml")
    national = next(one.config for one in made.processes if one.role is Role.NATIONAL)
    with pytest.raises(UsageError, match=r"sensors\.toml"):
        build_node(read_config(national), MemoryRows())


def test_a_live_installation_signs_with_live_keys_and_names_no_exercise(tmp_path: Path) -> None:
    made = make_installation(tmp_path / "here", nations=NATIONS, options=Options(mode=Mode.REAL))
    loaded = read_config(made.processes[0].config)
    assert loaded.config.exercise == ""
    assert loaded.signing_key().public.key_class.value == "LIVE"


def test_no_installation_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no installation"):
        read_installation(tmp_path)
    (tmp_path / "installation.json").write_text("{}")
    with pytest.raises(UsageError, match="not an installation"):
        read_installation(tmp_path)
