"""Everything that reads what somebody else wrote: how it is called, what it may say, what it starts from.

A target returns or raises one of `REFUSALS`; whatever else it raises is a finding. Nodes are given whole
messages and then time; they refuse by a value and raise nothing at all.
"""

import io
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from beaconfire.adapters.bundles import read_template, shipped_templates
from beaconfire.adapters.cards import read_card
from beaconfire.adapters.clock import ClockSettings, read_clock
from beaconfire.adapters.configuration import read_config
from beaconfire.adapters.enrolment import Setup, make_side
from beaconfire.adapters.feeds import LineSplitter
from beaconfire.adapters.installation import make_installation, read_installation
from beaconfire.adapters.journal import InputKind, Journal, RecordedInput, recorded_inputs
from beaconfire.adapters.server_safety import flaws_in, read_server_configuration
from beaconfire.audit.record import decode_record, flaw_in_log
from beaconfire.audit.verifier import verify_log
from beaconfire.errors import BeaconfireError, PeerError, UsageError
from beaconfire.formats.detections import format_detection, read_detections
from beaconfire.formats.events import event_from_line, format_event, parse_event_line
from beaconfire.formats.flights import parse_flights
from beaconfire.formats.label_xml import label_from_xml, label_to_xml
from beaconfire.formats.launch_database import DatabaseTexts, parse_launches_json
from beaconfire.formats.launches import parse_launches_csv
from beaconfire.formats.places import parse_places
from beaconfire.formats.sensors import parse_sensors, shipped_sensors
from beaconfire.formats.tdm import read_tdm
from beaconfire.formats.tracks import Reporter, TrackReader
from beaconfire.link.intake import Intake
from beaconfire.link.outbox import Outbox
from beaconfire.messages.codec import Message, decode, decode_header, decode_sealed, encode
from beaconfire.messages.detection import Detection, DetectionBatch, Plot, SightLine
from beaconfire.messages.event import Acknowledgement, Event
from beaconfire.messages.health import Health, Notice
from beaconfire.messages.label import GroupLabel, Label
from beaconfire.messages.sensor import Radar, Sensor
from beaconfire.messages.transfer import Delivery, Receipt, Restarted
from beaconfire.messages.words import HUB, HUB_INSTANCES, Group, Lane, Level, Mode, Severity
from beaconfire.nodes.commands import Channel, Deliver, Inbound, Keep, Node, Now, Table
from beaconfire.release.arrangements import Arrangements, bundle_of, make_bundle, read_bundle, verify_bundle
from beaconfire.release.cedar import check_policies
from beaconfire.release.opening import open_sealed
from beaconfire.release.rules import read_rules
from picture_world import Flight, state_at
from release_world import (
    FROM_US,
    JPN,
    KOR,
    NATIONS,
    T0_US,
    UNTIL_US,
    MemoryRows,
    agreements,
    guard,
    hub,
    key_of,
    keyring,
    keys_of,
    now,
    own,
    report,
    to_hub,
    to_nation,
)

Read = Callable[[bytes], object]


class OutsideTheProof(Exception):
    """Stands for `release.proof`'s own word for a rule that it can't follow."""


REFUSALS = (BeaconfireError, OutsideTheProof)


class Target(NamedTuple):
    """One reader.

    Attributes:
        kind: how its inputs are built: "msgpack", "json", "text" or "bytes".
        seeds: good inputs.
        prepare: makes the reader, once.
    """

    kind: str
    seeds: Callable[[], Iterable[bytes]]
    prepare: Callable[[], Read]


def _sensors() -> dict[str, Sensor]:
    return {one.sensor: one for one in shipped_sensors()}


def _radar() -> Radar:
    return next(one for one in shipped_sensors() if isinstance(one, Radar) and one.nation == KOR)


def _detections() -> tuple[Detection, ...]:
    infrared = next(one for one in shipped_sensors() if not isinstance(one, Radar))
    plots = [Plot(_radar().sensor, T0_US + i * 10**6, 8e5, 0.2, 0.4, -900.0) for i in range(4)]
    return (*plots, SightLine(infrared.sensor, T0_US, (4.2e7, 0.0, 0.0), (-1.0, 0.0, 0.0)))


@cache
def _sealed() -> bytes:
    """Return a sealed report as the guard of KOR sends it to the hub."""
    commands = guard().receive(own(report()), now())
    body = next(one.body for one in commands if isinstance(one, Deliver))
    delivery = decode(body)
    assert isinstance(delivery, Delivery)
    return delivery.sealed


@cache
def _delivered() -> Delivery:
    """Return what the hub then delivers to JPN."""
    first = next(one for one in guard().receive(own(report()), now()) if isinstance(one, Deliver))
    commands = hub().receive(to_hub(decode(first.body)), now(1_000))
    for one in commands:
        if isinstance(one, Deliver) and one.recipient == JPN:
            delivery = decode(one.body)
            assert isinstance(delivery, Delivery)
            return delivery
    raise AssertionError("the hub delivers it")


def _event() -> Event:
    from unit.nodes.test_warning import event

    return event()


def _messages() -> list[bytes]:
    notice = Notice("link-down", Severity.FAULT, "no hub", T0_US, "guard/KOR")
    health = Health("guard/KOR", T0_US, (), {"own": 1})
    more: list[Message] = [DetectionBatch(_detections()), _event(), notice, health, _delivered()]
    receipt = Receipt(JPN, "HUB", Lane.FLASH, (1, 2), (3,), "k", b"s" * 64)
    more += [report(), receipt, Restarted("KOR", "HUB")]
    more.append(Acknowledgement(_event().event_id, JPN, "watch", 1, T0_US))
    commands = [*guard().tick(now()), *hub().tick(now())]
    more += [one.message for one in commands if hasattr(one, "message")]
    return [encode(one) for one in more]


def _read_message(data: bytes) -> object:
    message = decode(data)
    assert encode(decode(encode(message))) == encode(message), "a message survives the wire"
    return message


def _read_detection_lines(data: bytes) -> object:
    sensors = _sensors()
    return [one.value for one in read_detections(io.BytesIO(data), sensors)]


def _read_pieces(data: bytes) -> object:
    """Read a stream in two pieces, cut anywhere, and whole: the lines must be the same."""
    cut = len(data) // 3
    whole, pieces = LineSplitter(), LineSplitter()
    lines = [*whole.split(data), *whole.rest()]
    assert lines == [*pieces.split(data[:cut]), *pieces.split(data[cut:]), *pieces.rest()]
    return lines


def _track_line() -> bytes:
    upper = [0.0] * 21
    for place in (0, 6, 11, 15, 18, 20):
        upper[place] = 100.0
    made = {
        "track": "17",
        "epoch_us": T0_US,
        "position_ecef_m": [-3.1e6, 4.1e6, 4.9e6],
        "velocity_ecef_m_s": [100.0, 2_000.0, 900.0],
        "covariance": upper,
        "sensors": [_radar().sensor],
        "first_detected_at_us": T0_US - 10**7,
    }
    return msgspec.json.encode(made)


def _track_reader() -> Read:
    reporter = Reporter(KOR, Mode.SIMULATED, "x", bytes(32))
    return lambda data: TrackReader(reporter, _sensors()).report(data, T0_US)


def _tables(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    for parse in (parse_sensors, parse_places, parse_flights):
        with suppress(UsageError):
            parse(text, "fuzz")
    return None


def _shipped(*names: str) -> list[bytes]:
    folder = resources.files("beaconfire") / "shipped"
    return [b"\n".join((folder / name).read_bytes().split(b"\n")[:60]) for name in names]


CSV = (
    b"launch_utc,missile,maneuver,facility,lat,lon,apogee_km,distance_km,bearing_deg,bearing_is_default,outcome\n"
    b"2022-10-03T22:22Z,Example,ballistic,Place,40.6,126.4,970,4500,80,False,Success\n"
)
DATABASE = (
    b'{"timeBins":[{"data":[{"date":"2022-10-03","time":"22:22 (UTC)","facility":"1","missile":"2",'
    b'"bearing":"80","apogee":"970 km","distance":"4500 km","outcome":"success"}]}]}\n'
    b'{"facilities":{"1":{"name":"Place","lat":"40.6","lon":"126.4"}}}\n{"2":{"name":"Example"}}'
)


def _database(data: bytes) -> object:
    parts = [*data.decode("utf-8", "replace").split("\n", 2), "", ""]
    return parse_launches_json(DatabaseTexts(*parts[:3]), "fuzz")


def _labels() -> list[bytes]:
    whole = Label("notional", Level.RESTRICTED, frozenset(NATIONS), frozenset({"a"}), frozenset(), KOR)
    part = GroupLabel(Group.RAW_MEASUREMENT, Level.SECRET, frozenset({KOR}), frozenset({"a"}))
    tighter = msgspec.structs.replace(whole, overrides=(part,))
    return [label_to_xml(one, T0_US).encode() for one in (whole, tighter)]


def _bundles() -> list[bytes]:
    templates = shipped_templates().values()
    keys = keys_of()
    made = [
        make_bundle(
            one,
            [keys[party] for party in (*one.parties, "HUB")],
            valid_from_us=FROM_US,
            valid_until_us=UNTIL_US,
        )
        for one in templates
    ]
    signed = [msgspec.json.encode(one) for one in made]
    return [*signed, *(one.bundle.encode() for one in made)]


def _read_bundle(data: bytes) -> object:
    with suppress(UsageError):
        verify_bundle(read_bundle(data, "fuzz"), "fuzz", now_us=T0_US, trusted=keyring())
    signed = msgspec.structs.replace(
        read_bundle(_bundles_once()[0], "fuzz"), bundle=data.decode("utf-8", "replace")
    )
    with suppress(UsageError):
        bundle_of(signed, "fuzz")
    return verify_bundle(signed, "fuzz", now_us=T0_US, trusted=None)


@cache
def _bundles_once() -> list[bytes]:
    return _bundles()


def _policies() -> list[bytes]:
    return [one.policies.encode() for one in shipped_templates().values()]


def _cedar_reader() -> Read:
    from beaconfire.release.proof.model import model_of, terms_of
    from beaconfire.release.proof.translate import OutsideFragment

    bundle = next(iter(agreements())).bundle
    terms = terms_of(bundle)

    def read(data: bytes) -> object:
        """Read a policy; raises `OutsideTheProof` for what the proof can't follow."""
        text = data.decode("utf-8", "replace")
        check_policies(text, "fuzz")
        try:
            return model_of(terms, read_rules(text, "fuzz"))
        except OutsideFragment as error:
            raise OutsideTheProof from error

    return read


def _on_disk(name: str, read: Callable[[Path], object]) -> Callable[[], Read]:
    """Return the maker of a reader of files: each input is a file of this name."""

    def prepare() -> Read:
        folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        path = Path(folder.name) / name

        def given(data: bytes) -> object:
            assert folder.name
            path.write_bytes(data)
            return read(path)

        return given

    return prepare


@cache
def _installation() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        made = make_installation(Path(folder) / "here", nations=NATIONS)
        files = [made.servers[0].config, made.processes[0].config, made.directory / "installation.json"]
        return dict(
            zip(("server", "process", "installation"), (one.read_bytes() for one in files), strict=True)
        )


def _cards() -> list[bytes]:
    """Return the card of a nation and that of the hub."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for party, ends in (("KOR", ("KOR",)), (HUB, HUB_INSTANCES)):
            servers = dict.fromkeys(ends, ("127.0.0.1:4301",))
            setup = Setup(party, Mode.TEST, dict(servers), exercise="fuzz")
            made.append(make_side(Path(folder) / party, setup)[0].read_bytes())
    return made


def _configurations() -> list[bytes]:
    clock = msgspec.json.encode(ClockSettings(T0_US, T0_US, 1.0))
    return [_installation()["process"], _installation()["installation"], clock]


def _read_configuration(path: Path) -> object:
    for read in (read_config, read_clock):
        with suppress(BeaconfireError):
            read(path)
    return read_installation(path.parent)


def _journal() -> list[bytes]:
    """Return a journal with a row in each table, an audit log and a recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "node.journal"
        journal = Journal(path)
        kept = [one for one in guard().receive(own(report()), now()) if isinstance(one, Keep)]
        journal.commit(kept, [RecordedInput(InputKind.TICK, 1, 1)])
        journal.close()
        return [path.read_bytes()]


def _read_journal(path: Path) -> object:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    for aside in path.parent.glob("*.unreadable-*"):
        aside.unlink()
    with suppress(UsageError):
        list(recorded_inputs(path))
    journal = Journal(path)
    try:
        rows = [journal.rows(table) for table in Table]
        return [rows, [journal.log(name) for name in journal.logs()], journal.scrub(200), journal.cut()]
    finally:
        journal.close()


def _rows() -> list[bytes]:
    kept = [one for one in guard().receive(own(report()), now()) if isinstance(one, Keep)]
    return [encode([[one.key, one.body] for one in kept])]


def _restore(data: bytes) -> object:
    """Restore outbox and intake from rows whose bodies are anything."""
    try:
        rows = msgspec.msgpack.decode(data, type=list[tuple[str, bytes]])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise PeerError("schema", str(error)) from error
    return Outbox("KOR", "HUB", rows), Intake("HUB", "KOR", rows)


def _audit_records() -> list[bytes]:
    rows = MemoryRows()
    made = guard()
    for number in range(3):
        rows.commit(made.receive(own(report(number)), now(number)))
    return [encode([log for logs in rows.logs.values() for log in logs])]


def _public_key() -> dict[str, object]:
    made: dict[str, object] = msgspec.to_builtins(key_of("KOR").public, builtin_types=(bytes,))
    return made


def _read_audit(data: bytes) -> object:
    try:
        records = msgspec.msgpack.decode(data, type=list[bytes])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise PeerError("schema", str(error)) from error
    verify_log("gave/KOR", records, records[:2], [_public_key()])
    flaw_in_log(records)
    with suppress(msgspec.MsgspecError):
        return [decode_record(one) for one in records]
    return None


def _open(data: bytes) -> object:
    held = Arrangements(agreements())
    return open_sealed(
        data, recipient=JPN, keyring=keyring(), now_us=T0_US, mode=Mode.SIMULATED, arrangements=held, hops=1
    )


def _given_to(node: Node, inbound: Callable[[Message], list[Inbound]]) -> Read:
    """Return a reader that gives a node a message by every way it could come, and then time."""
    at = Now(T0_US, 1_000_000)

    def read(data: bytes) -> object:
        nonlocal at
        message = decode(data)
        for one in inbound(message):
            node.receive(one, at)
        at = Now(at.utc_us + 1_000, at.monotonic_us + 1_000)
        return node.tick(at)

    return read


def _guard_ways(message: Message) -> list[Inbound]:
    return [own(message), Inbound(Channel.TO_NATION, "HUB", Lane.FLASH, message, 100)]


def _hub_ways(message: Message) -> list[Inbound]:
    return [to_hub(message), to_hub(message, "JPN", Lane.ROUTINE)]


def _picture() -> Node:
    from beaconfire.nodes.picture import PictureConfig, PictureNode

    config = PictureConfig(
        nation=JPN,
        mode=Mode.SIMULATED,
        exercise="",
        key=key_of(JPN),
        keyring=keyring(),
        agreements=agreements(),
        places=(),
        secret=bytes(32),
    )
    return PictureNode(config, MemoryRows())


def _picture_ways(message: Message) -> list[Inbound]:
    return [Inbound(Channel.OWN_REPORT, JPN, Lane.FLASH, message, 100), to_nation(message)]


def _own_reports() -> list[bytes]:
    flight = Flight(state_at())
    made: list[Message] = [flight.report(JPN, 110.0 + 5.0 * number) for number in range(3)]
    return [encode(one) for one in (*made, flight.sighting(JPN, 60.0), _delivered())]


def _national() -> Node:
    from beaconfire.nodes.national import Identity, NationalNode

    return NationalNode(Identity(KOR, Mode.SIMULATED, "fuzz"), shipped_sensors(), bytes(32), MemoryRows())


def _national_ways(message: Message) -> list[Inbound]:
    return [Inbound(Channel.DETECTION, KOR, Lane.ROUTINE, message, 100)]


def _warning() -> Node:
    from beaconfire.nodes.warning import WarningConfig, WarningNode
    from unit.nodes.test_warning import PLACES

    return WarningNode(WarningConfig(JPN, Mode.SIMULATED, PLACES, bytes(32)), MemoryRows())


def _home_ways(message: Message) -> list[Inbound]:
    channels = (Channel.EVENT, Channel.WARNING, Channel.NOTICE, Channel.HEALTH, Channel.ACKNOWLEDGEMENT)
    return [Inbound(channel, JPN, Lane.FLASH, message, 100) for channel in channels]


def _display() -> Node:
    from beaconfire.nodes.display.node import DisplayNode
    from beaconfire.nodes.display.views import DisplayFacts

    return DisplayNode(JPN, DisplayFacts())


def _golden() -> list[bytes]:
    return [(Path(__file__).parents[1] / "golden" / "two_plots.tdm").read_bytes()]


def _detection_lines() -> list[bytes]:
    return [b"\n".join(map(format_detection, _detections()))]


def _headers() -> list[bytes]:
    return [_sealed(), decode_sealed(_sealed()).header]


def _read_sealed(data: bytes) -> object:
    with suppress(PeerError):
        decode_sealed(data)
    return decode_header(data)


def _templates() -> list[bytes]:
    return [resources.files("beaconfire").joinpath("shipped/arrangements/trilateral.toml").read_bytes()]


def _read_template(path: Path) -> object:
    path.with_suffix(".cedar").write_text("", encoding="utf-8")
    return read_template(path)


TARGETS: dict[str, Target] = {
    "message": Target("msgpack", _messages, lambda: _read_message),
    "sealed": Target("msgpack", _headers, lambda: _read_sealed),
    "opening": Target("msgpack", lambda: [_delivered().sealed], lambda: _open),
    "detections": Target("json", _detection_lines, lambda: _read_detection_lines),
    "lines": Target("text", _detection_lines, lambda: _read_pieces),
    "tracks": Target("json", lambda: [_track_line()], _track_reader),
    "tdm": Target("text", _golden, lambda: lambda data: list(read_tdm(io.BytesIO(data), _sensors()))),
    "launches-csv": Target(
        "text",
        lambda: [CSV],
        lambda: lambda data: parse_launches_csv(data.decode("utf-8", "replace"), "fuzz"),
    ),
    "launches-json": Target("json", lambda: [DATABASE], lambda: _database),
    "tables": Target(
        "text", lambda: _shipped("sensors.toml", "places.toml", "flights.toml"), lambda: _tables
    ),
    "label": Target("text", _labels, lambda: lambda data: label_from_xml(data, "fuzz", {"notional"})),
    "bundle": Target("json", _bundles, lambda: _read_bundle),
    "template": Target("text", _templates, _on_disk("a.toml", _read_template)),
    "cedar": Target("text", _policies, _cedar_reader),
    "server": Target(
        "text",
        lambda: [_installation()["server"]],
        _on_disk("s.conf", lambda path: flaws_in(read_server_configuration(path))),
    ),
    "card": Target("json", _cards, _on_disk("KOR.card.json", read_card)),
    "configuration": Target("json", _configurations, _on_disk("installation.json", _read_configuration)),
    "journal": Target("bytes", _journal, _on_disk("node.journal", _read_journal)),
    "rows": Target("msgpack", _rows, lambda: _restore),
    "audit": Target("msgpack", _audit_records, lambda: _read_audit),
    "events": Target(
        "json", lambda: [format_event(_event())], lambda: lambda data: event_from_line(parse_event_line(data))
    ),
    "guard": Target("msgpack", _messages, lambda: _given_to(guard(), _guard_ways)),
    "hub": Target("msgpack", _messages, lambda: _given_to(hub(), _hub_ways)),
    "picture": Target("msgpack", _own_reports, lambda: _given_to(_picture(), _picture_ways)),
    "national": Target(
        "msgpack",
        lambda: [encode(DetectionBatch(_detections()))],
        lambda: _given_to(_national(), _national_ways),
    ),
    "warning": Target("msgpack", _messages, lambda: _given_to(_warning(), _home_ways)),
    "display": Target("msgpack", _messages, lambda: _given_to(_display(), _home_ways)),
}
