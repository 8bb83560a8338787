"""The web server for real: REST, socket, headers, refusals, ports."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from beaconfire.adapters.web import broadcast as broadcast_module
from beaconfire.adapters.web.broadcast import Broadcast
from beaconfire.adapters.web.server import WebOptions, WebServer
from beaconfire.errors import UsageError
from beaconfire.formats.events import event_to_json
from beaconfire.messages.codec import encode
from beaconfire.messages.words import Sharing, Status
from beaconfire.nodes.display import DisplayFacts, DisplayNode
from browser.flight import JPN, KOR, PLACES, SENSORS, Flight, event, health
from browser.served import EventClock, Served

LAUNCH_US = 1_664_835_700_000_000
FLIGHT = Flight(LAUNCH_US)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(JPN, DisplayFacts(PLACES, SENSORS), EventClock(LAUNCH_US, 20.0)) as running:
        yield running


def get(served: Served, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any, Any]:
    request = urllib.request.Request(served.server.url.rstrip("/") + path, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def get_json(served: Served, path: str) -> Any:
    status, _, body = get(served, path)
    assert status == 200, path
    return json.loads(body)


def socket_url(served: Served) -> str:
    return served.server.url.replace("http://", "ws://") + "ws"


def test_events_are_lines_of_events_jsonl(served: Served) -> None:
    newest = event(FLIGHT, 200.0, 2)
    served.feed(event(FLIGHT, 100.0, 1), newest)
    (line,) = get_json(served, "/api/events")
    wanted = json.loads(json.dumps(event_to_json(newest)))
    assert {key: line[key] for key in wanted} == wanted
    assert [one["nation"] for one in line["contributions"]] == ["KOR", "USA", "JPN"]
    assert get_json(served, f"/api/events/{newest.event_id}") == line
    revisions = get_json(served, f"/api/events/{newest.event_id}/revisions")
    assert [one["revision"] for one in revisions] == [1, 2]


def test_only_own_sensors_are_there(served: Served) -> None:
    sensors = get_json(served, "/api/sensors")
    assert [sensor["id"] for sensor in sensors] == ["jpn-1", "jpn-2", "jpn-ir"]
    assert sensors[0]["latitude_deg"] == pytest.approx(39.2)


def test_shadow_events_are_not_listed(served: Served) -> None:
    served.feed(event(FLIGHT, 200.0, 1, Sharing.ALONE))
    assert get_json(served, "/api/events") == []


@pytest.mark.parametrize(
    "path", ["/api/events/none", "/api/events/none/revisions", "/api/audit/none", "/api/other"]
)
def test_what_is_not_here_is_404(served: Served, path: str) -> None:
    status, _, body = get(served, path)
    assert status == 404
    assert "error" in json.loads(body)


def test_health_carries_ages_and_counts(served: Served) -> None:
    served.feed(health("guard/JPN", LAUNCH_US), event(FLIGHT, 100.0, 2), event(FLIGHT, 90.0, 1))
    answer = get_json(served, "/api/health")
    assert answer["health"][0]["source"] == "guard/JPN"
    assert answer["health"][0]["age_s"] >= 0.0
    assert answer["rejected"] == {"old-revision": 1}


def test_the_description_names_every_path(served: Served) -> None:
    paths = get_json(served, "/api/openapi.json")["paths"]
    for path in ("events", "events/{event_id}/revisions", "sensors", "arrangements", "health"):
        assert f"/api/{path}" in paths


def test_a_snapshot_can_be_fetched_as_a_message(served: Served) -> None:
    served.feed(event(FLIGHT, 100.0, 1))
    _, _, body = get(served, "/api/snapshot")
    assert served.node.nation.encode() in body


def test_answers_carry_a_strict_policy(served: Served) -> None:
    _, headers, _ = get(served, "/api/events")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Host": "127.0.0.1.evil.example:80"}],
)
def test_a_foreign_host_or_origin_is_refused(served: Served, headers: dict[str, str]) -> None:
    assert get(served, "/api/events", headers)[0] == 403


def test_a_foreign_origin_gets_no_socket(served: Served) -> None:
    with pytest.raises(InvalidStatus), connect(socket_url(served), origin=Origin("http://evil.example")):
        pass


def test_the_socket_sends_a_snapshot_then_numbered_frames(served: Served) -> None:
    served.feed(event(FLIGHT, 100.0, 1))
    with connect(socket_url(served)) as stream:
        first = json.loads(stream.recv(10))
        served.feed(event(FLIGHT, 110.0, 2))
        later = [json.loads(stream.recv(10))]
        while later[-1]["type"] != "event":
            later.append(json.loads(stream.recv(10)))
    assert first["type"] == "snapshot"
    assert first["clock"]["speed"] == 20.0
    assert [one["sequence"] for one in later] == [first["sequence"] + 1 + n for n in range(len(later))]
    assert [one["revision"] for one in later[-1]["events"]] == [2]


def test_health_beats_on_the_socket(served: Served) -> None:
    with connect(socket_url(served)) as stream:
        assert json.loads(stream.recv(10))["type"] == "snapshot"
        beat = json.loads(stream.recv(10))
    assert (beat["type"], beat["events"]) == ("health", [])


def test_a_page_may_ask_for_everything_anew(served: Served) -> None:
    with connect(socket_url(served)) as stream:
        stream.recv(10)
        stream.send("resync")
        kinds = [json.loads(stream.recv(10))["type"] for _ in range(2)]
    assert "snapshot" in kinds


def test_anything_else_a_page_says_closes_its_socket(served: Served) -> None:
    with connect(socket_url(served)) as stream:
        stream.send("DROP TABLE")
        frames: list[object] = []
        with pytest.raises(ConnectionClosed) as closed:
            frames.extend(stream)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


def test_a_withdrawn_event_is_named_gone(served: Served) -> None:
    seen = event(FLIGHT, 100.0, 1)
    served.feed(seen)
    with connect(socket_url(served)) as stream:
        stream.recv(10)
        gone = event(FLIGHT, 110.0, 2)
        served.feed(type(gone)(**{**_fields(gone), "status": Status.WITHDRAWN}))
        frame = json.loads(stream.recv(10))
        while frame["type"] != "event":
            frame = json.loads(stream.recv(10))
    assert (frame["events"], frame["gone"]) == ([], [seen.event_id])
    assert get(served, f"/api/events/{seen.event_id}")[0] == 404


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_a_slow_client_gets_a_snapshot_instead_of_a_growing_queue() -> None:
    node = DisplayNode(JPN, DisplayFacts(PLACES, SENSORS))
    clock = EventClock(LAUNCH_US, 1.0)
    broadcast = Broadcast(node, clock, 1.0, {})
    client = broadcast_module._Client()
    client.needs_snapshot = False
    broadcast._clients.add(client)
    for _ in range(broadcast_module.QUEUE_MAX):
        broadcast._publish("health", [], {})
    assert len(client.frames) == broadcast_module.QUEUE_MAX
    broadcast._publish("health", [], {})
    assert (len(client.frames), client.needs_snapshot) == (0, True)


def test_pages_are_bounded(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast_module, "CLIENTS_MAX", 1)
    with connect(socket_url(served)) as first:
        first.recv(10)
        with connect(socket_url(served)) as second, pytest.raises(ConnectionClosed):
            second.recv(10)


def test_a_taken_port_is_one_clear_line() -> None:
    node = DisplayNode(JPN, DisplayFacts())
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(UsageError, match=f"^--port: port {port} is taken") as caught:
            WebServer(node, EventClock(0, 1.0), WebOptions(port=port))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        WebServer(DisplayNode(JPN, DisplayFacts()), EventClock(0, 1.0), WebOptions(host=host))


def test_a_port_that_does_not_exist_is_one_clear_line() -> None:
    with pytest.raises(UsageError, match="port 70000 can't be had"):
        WebServer(DisplayNode(JPN, DisplayFacts()), EventClock(0, 1.0), WebOptions(port=70_000))


def test_cancelling_ends_the_server_and_frees_the_port() -> None:
    node = DisplayNode(KOR, DisplayFacts())

    async def serve_and_cancel() -> int:
        server = WebServer(node, EventClock(0, 1.0), WebOptions())
        task = asyncio.create_task(server.serve())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return server.port

    port = asyncio.run(serve_and_cancel())
    socket.create_server(("127.0.0.1", port)).close()


def test_a_page_that_is_not_built_says_so(tmp_path: Path) -> None:
    node = DisplayNode(JPN, DisplayFacts())
    assert encode(node.snapshot(EventClock(0, 1.0)()))

    async def fetch() -> tuple[int, bytes]:
        server = WebServer(node, EventClock(0, 1.0), WebOptions(page=tmp_path))
        task = asyncio.create_task(server.serve())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return int(answer.split()[1]), answer

    status, body = asyncio.run(fetch())
    assert status == 503
    assert b"not built" in body
