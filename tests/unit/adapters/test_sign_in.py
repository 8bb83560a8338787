"""Looking from elsewhere: TLS on both ends, a session with a name, and its end; on real sockets."""

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import trustme
from websockets.exceptions import ConnectionClosed, InvalidStatus

from beaconfire.adapters.configuration import LoadedConfig, ProcessConfig, WebConfig
from beaconfire.adapters.web.security import COOKIE
from beaconfire.adapters.web.server import SignIn, WebOptions, WebServer
from beaconfire.adapters.web.sessions import SESSIONS_MAX, Sessions, person_of
from beaconfire.adapters.web.visitor import open_stream
from beaconfire.adapters.wiring import Role
from beaconfire.cli import main as cli
from beaconfire.cli.serving import sign_in_of
from beaconfire.errors import UsageError
from beaconfire.messages.words import Mode
from beaconfire.nodes.display import DisplayFacts, DisplayNode
from browser.flight import JPN, PLACES, SENSORS, Flight, event
from browser.served import EventClock, Served

pytestmark = pytest.mark.real
LAUNCH_US = 1_664_835_700_000_000
OFFICER = "Officer A <script>"
SESSION_S = 3.0


class World:
    """Two authorities, a server's certificate, a person's, and a stranger's."""

    def __init__(self, folder: Path) -> None:
        people, machines, strangers = trustme.CA(), trustme.CA(), trustme.CA()
        server = machines.issue_cert("display.example", "127.0.0.1")
        self.folder = folder
        server.private_key_pem.write_to_path(folder / "key.pem")
        for blob in server.cert_chain_pems:
            blob.write_to_path(folder / "certificate.pem", append=True)
        people.cert_pem.write_to_path(folder / "people.pem")
        machines.cert_pem.write_to_path(folder / "machines.pem")
        officer = people.issue_cert("a@x.example", common_name=OFFICER)
        stranger = strangers.issue_cert("b@x.example", common_name="B")
        officer.private_key_and_cert_chain_pem.write_to_path(folder / "officer.pem")
        stranger.private_key_and_cert_chain_pem.write_to_path(folder / "stranger.pem")
        self.officer = self._context(machines, officer)
        self.stranger = self._context(machines, stranger)
        self.nobody = ssl.create_default_context()
        machines.configure_trust(self.nobody)

    def _context(self, machines: trustme.CA, certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.create_default_context()
        machines.configure_trust(context)
        certificate.configure_cert(context)
        return context

    def sign_in(self, session_s: float = SESSION_S) -> SignIn:
        folder = self.folder
        files = (folder / "certificate.pem", folder / "key.pem", folder / "people.pem")
        return SignIn(*files, names=("127.0.0.1",), session_s=session_s)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    options = WebOptions(sign_in=world.sign_in())
    with Served(JPN, DisplayFacts(PLACES, SENSORS), EventClock(LAUNCH_US, 1.0), options=options) as running:
        yield running


def ask(
    served: Served, context: ssl.SSLContext, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPSConnection("127.0.0.1", served.server.port, context=context, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def origin(served: Served) -> dict[str, str]:
    return {"Origin": f"https://127.0.0.1:{served.server.port}"}


def token(served: Served, world: World) -> str:
    status, headers, _ = ask(served, world.officer, "POST", "/sign-in", origin(served))
    assert status == 303
    cookie = headers["set-cookie"]
    for wanted in (COOKIE, "HttpOnly", "Secure", "samesite=strict", "Path=/"):
        assert wanted.lower() in cookie.lower()
    return cookie.split(";")[0]


def test_who_has_no_certificate_or_a_strangers_gets_no_connection(served: Served, world: World) -> None:
    for context in (world.nobody, world.stranger):
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            ask(served, context, "GET", "/sign-in")


def test_without_a_session_only_the_sign_in_page_is_there(served: Served, world: World) -> None:
    status, headers, _ = ask(served, world.officer, "GET", "/")
    assert (status, headers["location"]) == (303, "/sign-in")
    for path in ("/api/events", "/metrics", "/api/snapshot", "/assets/x.js"):
        assert ask(served, world.officer, "GET", path)[0] == 401, path
    status, headers, body = ask(served, world.officer, "GET", "/sign-in")
    assert status == 200
    assert b"Officer A &lt;script&gt;" in body
    assert "max-age" in headers["strict-transport-security"]
    with pytest.raises(InvalidStatus):
        socket(served, world, "")


def socket(served: Served, world: World, cookie: str) -> str:
    address = f"wss://127.0.0.1:{served.server.port}/ws"
    with open_stream(address, context=world.officer, cookie=cookie) as stream:
        return stream.receive(10.0)


def test_a_session_carries_the_name_of_the_certificate(served: Served, world: World) -> None:
    seen = event(Flight(LAUNCH_US), 199.0, 1)
    served.feed(seen)
    cookie = {"Cookie": token(served, world)}
    status, _, body = ask(served, world.officer, "GET", "/api/session", cookie)
    assert (status, json.loads(body)) == (200, {"person": OFFICER, "signed_in": True})
    path = f"/api/events/{seen.event_id}/acknowledgement"
    status, _, _ = ask(served, world.officer, "POST", path, cookie | origin(served))
    assert status == 202
    assert [one.person for one in served.acknowledgements] == [OFFICER]
    assert '"snapshot"' in socket(served, world, cookie["Cookie"])


def test_a_post_from_elsewhere_is_refused(served: Served, world: World) -> None:
    assert ask(served, world.officer, "POST", "/sign-in")[0] == 403
    assert ask(served, world.officer, "POST", "/sign-in", {"Origin": "https://evil.example"})[0] == 403


def test_a_session_ends_for_requests_and_for_a_socket_that_is_open(served: Served, world: World) -> None:
    cookie = token(served, world)
    address = f"wss://127.0.0.1:{served.server.port}/ws"
    frames: list[object] = []
    with (
        open_stream(address, context=world.officer, cookie=cookie) as stream,
        pytest.raises(ConnectionClosed) as closed,
    ):
        frames.extend(iter(lambda: stream.receive(10.0), None))
    assert frames
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
    assert ask(served, world.officer, "GET", "/api/events", {"Cookie": cookie})[0] == 401


def test_signing_out_ends_it_at_once(served: Served, world: World) -> None:
    cookie = {"Cookie": token(served, world)}
    assert ask(served, world.officer, "POST", "/sign-out", cookie | origin(served))[0] == 303
    assert ask(served, world.officer, "GET", "/api/events", cookie)[0] == 401


def test_a_foreign_host_name_is_refused(served: Served, world: World) -> None:
    assert ask(served, world.officer, "GET", "/sign-in", {"Host": "other.example"})[0] == 403


def test_a_terminal_follows_over_tls_with_its_certificate(
    served: Served, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: list[str] = []
    open_session = Sessions.open

    def noted(self: Sessions, person: str, now_s: float) -> str:
        tokens.append(open_session(self, person, now_s))
        return tokens[-1]

    monkeypatch.setattr(Sessions, "open", noted)
    served.feed(event(Flight(LAUNCH_US), 199.0, 1))
    url, folder = f"https://127.0.0.1:{served.server.port}/", world.folder
    known = ["--certificate", str(folder / "officer.pem"), "--authority", str(folder / "machines.pem")]
    assert cli.main(["tail", url, "--frames", "1", "--json", *known]) == 0
    assert json.loads(capsys.readouterr().out)["event_id"] == "E-5C1D09AF"
    (opened,) = tokens
    assert ask(served, world.officer, "GET", "/", {"Cookie": f"{COOKIE}={opened}"})[0] == 303
    strange = ["--certificate", str(folder / "stranger.pem"), "--authority", str(folder / "machines.pem")]
    for papers in (known[2:], known[:2], strange):
        assert cli.main(["tail", url, "--frames", "1", *papers]) == 2
        assert "no display at wss://127.0.0.1" in capsys.readouterr().err
    assert cli.main(["tail", url, "--certificate", str(folder / "people.pem")]) == 2
    assert "cannot use" in capsys.readouterr().err


def test_a_terminal_that_stays_past_its_session_is_told(
    served: Served, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    url, folder = f"https://127.0.0.1:{served.server.port}/", world.folder
    known = ["--certificate", str(folder / "officer.pem"), "--authority", str(folder / "machines.pem")]
    assert cli.main(["tail", url, *known]) == 2
    assert "closed the connection" in capsys.readouterr().err


def test_files_that_are_no_certificates_are_one_clear_line(world: World, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no")
    node = DisplayNode(JPN, DisplayFacts())
    bad = msgspec.structs.replace(world.sign_in(), people=tmp_path / "no.pem")
    with pytest.raises(UsageError, match=r"^web\.people: cannot use"):
        WebServer(node, EventClock(0, 1.0), WebOptions(host="0.0.0.0", sign_in=bad))


@pytest.mark.parametrize(
    ("web", "fault"),
    [
        (WebConfig(certificate="c.pem"), r"a sign-in without web\.key, web\.people, web\.names"),
        (WebConfig(certificate="c", key="k", people="p", names=("x",), session_hours=48), "48 hours"),
    ],
)
def test_half_a_sign_in_is_none(web: WebConfig, fault: str) -> None:
    config = ProcessConfig(role=Role.DISPLAY, party="JPN", mode=Mode.SIMULATED, endpoints=(), web=web)
    with pytest.raises(UsageError, match=fault):
        sign_in_of(LoadedConfig(config, Path("/x/display.json")), web)


def test_sessions_are_bounded_and_belong_to_one_person() -> None:
    sessions = Sessions(10.0)
    first = sessions.open("A", 0.0)
    assert sessions.find(first, "B", 1.0) is None
    found = sessions.find(first, "A", 1.0)
    assert found is not None
    assert found.until_s == 10.0
    for _ in range(SESSIONS_MAX):
        sessions.open("A", 2.0)
    assert sessions.find(first, "A", 3.0) is None


def test_a_certificate_without_a_name_names_nobody() -> None:
    assert person_of(None) == ""
    assert person_of({"subject": ((("countryName", "JP"),),)}) == ""
    assert person_of({"subject": ((("commonName", "x" * 90),),)}) == "x" * 60
