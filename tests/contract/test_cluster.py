"""Three servers are one hub's: one of them is killed while reports flow, and nothing is lost or doubled.

Real servers and processes, mutual TLS on clients and routes. What was acknowledged, lost and doubled is read
from the journals. A partner's certificate, good for a client, opens no route.
"""

import socket
import ssl
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from beaconfire.adapters.certificates import identity_of, route_identity_of
from beaconfire.adapters.configuration import read_config
from beaconfire.adapters.fault_turns import ROLES, Fault
from beaconfire.adapters.identity import Identity
from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.ordeal import Ordeal, Pace
from beaconfire.adapters.server_safety import read_server_configuration
from beaconfire.adapters.wiring import Server
from beaconfire.cli.campaign_faults import notional_report
from beaconfire.messages.words import HUB, Mode, Nation
from real_servers import RealServers

pytestmark = pytest.mark.real
NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))
SERVERS = 3


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    options = Options(hubs=(HUB,), encrypted=True, cluster=SERVERS)
    return make_installation(tmp_path / "here", nations=NATIONS, options=options)


def test_every_client_of_the_hub_knows_every_server(made: Installation) -> None:
    ports = {one.port for one in made.servers if one.party == HUB}
    assert len(ports) == SERVERS
    for entry in made.processes:
        for one in read_config(entry.config).config.endpoints:
            known = {int(url.rpartition(":")[2]) for url in (one.url, *one.also)}
            assert (known == ports) is (one.server is Server.HUB or entry.party == HUB)


def test_doctor_takes_each_server_as_it_is_written(made: Installation) -> None:
    for one in made.servers:
        command = [sys.executable, "-m", "beaconfire.cli.main", "doctor", "--server-configuration"]
        done = subprocess.run([*command, str(one.config)], capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout.decode()


@pytest.mark.timeout(200)
def test_each_server_of_the_three_is_killed_in_turn_and_nothing_is_lost_or_doubled(
    made: Installation,
) -> None:
    servers = [one.name for one in made.servers if one.party == HUB]
    arena = Loopback(made, ROLES)
    maker = partial(notional_report, mode=Mode.SIMULATED)
    faults = [Fault("kill", one) for one in servers]
    outcome = Ordeal(made, arena, maker, Pace(2.0, 1.0, 6.0)).run(faults, lambda _: None)
    assert [arena.runners[one].starts for one in servers] == [2, 2, 2]
    assert outcome.lost == outcome.missing == outcome.doubled == 0
    assert outcome.acknowledged == outcome.given > 60
    assert outcome.arrived + outcome.replaced == 2 * outcome.given, "each at both partners"
    assert outcome.replaced <= outcome.given // 10, "but what a newer one of its track overtook"
    assert all(one.gap_ms is not None for one in outcome.trials), "reports went on arriving"


def _route_answers(port: int, identity: Identity) -> bool:
    """Return whether a route that shows this certificate is spoken to: whether it is told who is there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(identity.trusted)
    context.load_cert_chain(identity.certificate, identity.key)
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as one,
        ):
            return one.recv(4_096).startswith(b"INFO")
    except OSError:
        return False


def test_a_partner_s_certificate_opens_no_route(made: Installation) -> None:
    servers = RealServers(made)
    try:
        servers.start(HUB)
        cluster = read_server_configuration(servers.entry(HUB).config)["cluster"]
        assert isinstance(cluster, dict)
        port = int(str(cluster["listen"]).rpartition(":")[2])
        own = route_identity_of(made.directory / HUB)
        keys = identity_of(made.directory / "KOR")
        partner = Identity(keys.certificate, keys.key, own.trusted)
        assert _route_answers(port, own), "the own one does, so that the other shows something"
        assert not _route_answers(port, partner)
    finally:
        servers.stop()
