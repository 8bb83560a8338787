import asyncio
import socket
import tracemalloc
from typing import cast

import pytest

from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock, ClockSettings
from beaconfire.adapters.feeds import BATCH_MAX, NOTICES_PER_PERIOD, Feed, LineSplitter, address_of
from beaconfire.errors import UsageError
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.formats.tracks import Reporter, TrackReader
from beaconfire.messages.codec import Message, decode
from beaconfire.messages.detection import DetectionBatch
from beaconfire.messages.health import Notice
from beaconfire.messages.report import Report
from beaconfire.messages.words import LINK_SCHEMA, LINK_SCHEMA_BEFORE, Lane, Mode, Nation
from beaconfire.nodes.commands import Channel

OWN = {one.sensor: one for one in shipped_sensors() if one.nation == "KOR"}
PLOT = (
    b'{"sensor":"kor-1","measured_at_us":1664835785000000,"range_m":812345.6,'
    b'"azimuth_deg":12.3456,"elevation_deg":23.4567}'
)
NOW_US = 1_664_835_790_000_000


class Wire:
    """Takes what a feed publishes; the real bus is tried in tests/contract."""

    party = "KOR"

    def __init__(self) -> None:
        self.said: list[tuple[Channel, Message]] = []
        self.connected = True

    def publish(self, channel: Channel, recipient: str, lane: Lane, message: tuple[str, bytes]) -> bool:
        assert recipient == "KOR"
        assert lane in Lane
        kind, body = message
        decoded = decode(body)
        assert kind == decoded.__struct_config__.tag
        self.said.append((channel, decoded))
        return self.connected

    def counts(self) -> dict[str, int]:
        return {}

    def detections(self) -> int:
        return sum(len(one.detections) for _, one in self.said if isinstance(one, DetectionBatch))

    def notices(self) -> list[str]:
        return [one.text for _, one in self.said if isinstance(one, Notice)]


def feed_on(wire: Wire) -> Feed:
    clock = Clock(ClockSettings(NOW_US, Clock().now().utc_us, 1.0))
    tracks = TrackReader(Reporter(Nation("KOR"), Mode.SIMULATED, "x", bytes(32)), OWN)
    return Feed(cast("Bus", wire), clock, OWN, tracks)


def taken(*pieces: bytes) -> tuple[Wire, Feed]:
    wire = Wire()
    feed = feed_on(wire)
    splitter = LineSplitter()
    for piece in pieces:
        feed.take("tcp", splitter.split(piece))
    feed.take("tcp", splitter.rest())
    return wire, feed


def test_lines_are_cut_wherever_the_stream_is() -> None:
    whole = PLOT + b"\n" + PLOT + b"\r\n\n" + PLOT
    for cut in range(0, len(whole), 17):
        wire, feed = taken(whole[:cut], whole[cut:])
        assert wire.detections() == 3
        assert feed.counters["rejected"] == 0


def test_detections_go_out_in_bounded_batches_in_order() -> None:
    wire, _ = taken(b"".join(PLOT + b"\n" for _ in range(2 * BATCH_MAX + 1)))
    sizes = [len(one.detections) for _, one in wire.said if isinstance(one, DetectionBatch)]
    assert sizes == [BATCH_MAX, BATCH_MAX, 1]
    assert {channel for channel, _ in wire.said} == {Channel.DETECTION}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (PLOT.replace(b"812345.6", b"NaN"), "not a detection"),
        (PLOT.replace(b"kor-1", b"nobody"), "unknown sensor 'nobody'"),
        (PLOT.replace(b"kor-1", b"jpn-1"), "unknown sensor 'jpn-1'"),
        (PLOT.replace(b"1664835785000000", b"1664835785000000000"), "is far off"),
        (b"\xff\xfe", "not a detection"),
        (b"[" * 4_000, "not a detection"),
        (b"x" * 5_000, "line too long"),
    ],
)
def test_a_bad_line_is_counted_said_with_its_number_and_the_next_is_taken(line: bytes, reason: str) -> None:
    wire, feed = taken(PLOT + b"\n" + line + b"\n" + PLOT + b"\n")
    assert (feed.counters["detections"], feed.counters["rejected"]) == (2, 1)
    (text,) = wire.notices()
    assert text.startswith("tcp:2: ")
    assert reason in text


def test_a_line_of_ten_megabytes_is_rejected_and_never_gathered() -> None:
    wire = Wire()
    feed = feed_on(wire)
    splitter = LineSplitter()
    piece = bytes(65_536).replace(b"\0", b"x")
    tracemalloc.start()
    for _ in range(160):
        feed.take("tcp", splitter.split(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    feed.take("tcp", splitter.split(b"\n" + PLOT + b"\n"))
    assert peak < 500_000
    assert (feed.counters["detections"], feed.counters["rejected"]) == (1, 1)


def test_many_bad_lines_are_all_counted_and_a_few_said() -> None:
    wire, feed = taken(b"bad\n" * 500)
    assert feed.counters["rejected"] == 500
    assert len(wire.notices()) == NOTICES_PER_PERIOD


@pytest.mark.parametrize("schema", [LINK_SCHEMA, LINK_SCHEMA_BEFORE])
def test_a_notice_names_the_line_unless_the_schema_before_is_spoken(schema: int) -> None:
    wire = Wire()
    Feed(cast("Bus", wire), Clock(), OWN, None, schema).take("tcp", [(7, b"bad")])
    (notice,) = [one for _, one in wire.said if isinstance(one, Notice)]
    line, _, reason = notice.text.partition(": ")
    assert line == "tcp:7"
    about = {"line": line, "reason": reason}
    assert notice.arguments == (about if schema == LINK_SCHEMA else None)


def test_what_the_bus_can_not_take_is_counted() -> None:
    wire = Wire()
    wire.connected = False
    feed = feed_on(wire)
    feed.take("tcp", [(1, PLOT)])
    assert feed.counters["unsent"] == 1


TRACK = (
    b'{"track":"17","epoch_us":1664835789000000,"position_ecef_m":[-3500000,3900000,4000000],'
    b'"velocity_ecef_m_s":[100,2000,1500],"covariance":[%b],"sensors":["kor-1"],'
    b'"first_detected_at_us":1664835700000000}'
) % b",".join(b"100" if i == j else b"0" for i in range(6) for j in range(i, 6))


def test_a_line_of_a_tracker_becomes_an_own_report_and_a_bad_one_is_counted() -> None:
    wire = Wire()
    feed = feed_on(wire)
    feed.take_tracks("tracks", [(1, TRACK), (2, b"{}"), (3, None)])
    reports = [one for channel, one in wire.said if channel is Channel.OWN_REPORT]
    assert len(reports) == 1
    assert isinstance(reports[0], Report)
    assert (feed.counters["reports"], feed.counters["rejected"]) == (1, 2)


async def until(wire: Wire, count: int) -> None:
    async with asyncio.timeout(20):
        while wire.detections() < count:  # noqa: ASYNC110 - what is awaited comes from the network
            await asyncio.sleep(0.01)


def test_tcp_takes_several_connections_and_half_lines() -> None:
    async def scenario() -> None:
        wire = Wire()
        server = await feed_on(wire).listen_tcp("127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        _, one = await asyncio.open_connection("127.0.0.1", port)
        _, other = await asyncio.open_connection("127.0.0.1", port)
        one.write(PLOT[:30])
        other.write(PLOT + b"\n")
        await until(wire, 1)
        one.write(PLOT[30:] + b"\n")
        await until(wire, 2)
        for writer in (one, other):
            writer.close()
            await writer.wait_closed()
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())


def test_udp_takes_whole_lines_of_each_datagram() -> None:
    async def scenario() -> None:
        wire = Wire()
        feed = feed_on(wire)
        transport = await feed.listen_udp("127.0.0.1", 0)
        port = transport.get_extra_info("sockname")[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(PLOT + b"\n" + PLOT, ("127.0.0.1", port))
            sender.sendto(PLOT[:50], ("127.0.0.1", port))
            sender.sendto(PLOT + b"\n", ("127.0.0.1", port))
        await until(wire, 3)
        assert feed.counters["rejected"] == 1
        assert wire.notices()[0].startswith("udp datagram 2:1: ")
        transport.close()

    asyncio.run(scenario())


def test_a_taken_port_gives_one_clear_line() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
            with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"):
                await feed_on(Wire()).listen_tcp("127.0.0.1", port)

    asyncio.run(scenario())


@pytest.mark.parametrize("text", ["", "host", ":1", "host:", "host:x", "host:70000"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"feed\.tcp"):
        address_of(text, "feed.tcp")


def test_an_address_is_host_and_port() -> None:
    assert address_of("127.0.0.1:40001", "feed.tcp") == ("127.0.0.1", 40_001)
