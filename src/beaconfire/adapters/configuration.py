"""The configuration of one process: one JSON or TOML file, read strictly; faults name file and field."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.bus import Endpoint
from beaconfire.adapters.identity import Identity
from beaconfire.adapters.wiring import Line, Role, Server
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import KeyClass, TrustedKey
from beaconfire.messages.strict_json import decode_json
from beaconfire.messages.words import (
    HUB,
    LINK_SCHEMA,
    LINK_SCHEMA_BEFORE,
    Lane,
    Level,
    Mode,
    Nation,
    Sharing,
    party_of,
)
from beaconfire.release.keys import SEED_BYTES, Keyring, SigningKey

MAXIMUM_CONFIG_BYTES: Final = 1_000_000


class EndpointConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One connection: to which server, of which link and lane, where and with which key.

    Attributes:
        server: home, or a hub's.
        url: nats://HOST:PORT, or tls://HOST:PORT for mutual TLS.
        seed_file: nkey seed of the user.
        peer: other end of a link.
        lane: of a link.
        also: the other servers of the same cluster, each as good as the first.
    """

    server: Server
    url: str
    seed_file: str
    peer: str = ""
    lane: Lane | None = None
    also: tuple[str, ...] = ()


class FeedConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a feed takes lines from; empty means not there.

    Attributes:
        tcp: HOST:PORT it listens on for detections.
        udp: HOST:PORT it listens on for detections, one line or more a datagram.
        stdin: take detections from standard input.
        tracks_tcp: HOST:PORT it listens on for tracks of a nation's own tracker.
    """

    tcp: str = ""
    udp: str = ""
    stdin: bool = False
    tracks_tcp: str = ""


class WebConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a display's page is served, and to whom.

    Attributes:
        host: loopback name or address; any other only with certificate, key, people and names.
        port: 0 takes any free one.
        certificate: PEM file of the server's certificate; empty on loopback.
        key: PEM file of its key.
        people: PEM file of the authority whose certificates name the people who may sign in.
        names: host names that the page may be asked for by.
        session_hours: how long one sign-in lasts.
        sandbox: show the sandbox page; never in mode REAL.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: str = ""
    key: str = ""
    people: str = ""
    names: tuple[str, ...] = ()
    session_hours: float = 12.0
    sandbox: bool = False


class ProcessConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one process is given. Paths are relative to the file's own folder.

    Attributes:
        role: what it does.
        party: nation, or an instance of the hub.
        mode: the only mode it knows.
        exercise: exercise id; empty in mode REAL.
        clock: event clock file, awaited if it is not there; empty for the wall clock.
        journal: SQLite file; empty keeps nothing.
        record: write every input to the journal.
        endpoints: its connections.
        parties: nations a hub connects.
        hubs: instances of the hub that a guard sends to and a picture hears.
        sensors: TOML file; empty for the shipped ones.
        places: TOML file; empty for the shipped ones.
        arrangements: folder of bundles; empty for none.
        signing_key: file with the hex of a seed.
        keyring: JSON file of the public keys trusted.
        secret: file with the hex of 32 bytes.
        certificate: PEM, shown where a url begins with tls.
        certificate_key: PEM, its private half.
        authorities: PEM, of those it speaks to.
        sharing: what the arrangements amount to, for showing.
        level: put on every report that leaves the nation.
        releasable_to: the most that may have them.
        feed: of a feed.
        web: of a display; None serves no page.
        schema: of the link, to be held at the one before while partners are upgraded.
        audit: journal whose audit a display shows, of the own guard or of the hub; empty for none.
    """

    role: Role
    party: str
    mode: Mode
    endpoints: tuple[EndpointConfig, ...]
    exercise: str = ""
    clock: str = ""
    journal: str = ""
    record: bool = False
    parties: tuple[Nation, ...] = ()
    hubs: tuple[str, ...] = (HUB,)
    sensors: str = ""
    places: str = ""
    arrangements: str = ""
    signing_key: str = ""
    keyring: str = ""
    secret: str = ""
    certificate: str = ""
    certificate_key: str = ""
    authorities: str = ""
    sharing: Sharing = Sharing.TRILATERAL
    level: Level = Level.RESTRICTED
    releasable_to: tuple[Nation, ...] = ()
    feed: FeedConfig | None = None
    web: WebConfig | None = None
    audit: str = ""
    schema: int = LINK_SCHEMA


class LoadedConfig(msgspec.Struct, frozen=True):
    """A process's configuration and the folder that its paths are relative to."""

    config: ProcessConfig
    path: Path

    def file(self, field: str) -> Path:
        """Return the path in a field.

        Raises:
            UsageError: the field is empty.
        """
        value = str(getattr(self.config, field))
        if not value:
            raise UsageError("missing field", f"{self.path}: {field}", f"a path, for {self.config.role}")
        return self.path.parent / value

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the connections with their paths resolved."""
        return tuple(
            Endpoint(
                line=Line(one.server, one.peer or self.config.party, one.lane),
                url=one.url,
                seed_file=self.path.parent / one.seed_file,
                identity=self._identity() if one.url.startswith("tls://") else None,
                also=one.also,
            )
            for one in self.config.endpoints
        )

    def _identity(self) -> Identity:
        """Return the files for mutual TLS; raises `UsageError` if one is not named."""
        return Identity(self.file("certificate"), self.file("certificate_key"), self.file("authorities"))

    def secret(self) -> bytes:
        """Return the 32 bytes of the secret file; raises `UsageError`."""
        return read_hex(self.file("secret"))

    def signing_key(self) -> SigningKey:
        """Return the party's signing key; raises `UsageError`."""
        return SigningKey(
            party_of(self.config.party), key_class_of(self.config.mode), read_hex(self.file("signing_key"))
        )

    def keyring(self) -> Keyring:
        """Return the keys trusted; raises `UsageError`."""
        path = self.file("keyring")
        try:
            keys = decode_json(_read(path), tuple[TrustedKey, ...])
        except msgspec.MsgspecError as error:
            raise UsageError(f"not a keyring: {error}", str(path), "a JSON list of public keys") from error
        return Keyring(key_class_of(self.config.mode), keys)


def key_class_of(mode: Mode) -> KeyClass:
    """Return the class of keys that sign in a mode; a test of the link is signed as a simulation."""
    live = {Mode.REAL: KeyClass.LIVE, Mode.EXERCISE: KeyClass.EXERCISE}
    return live.get(mode, KeyClass.SIMULATION)


def read_config(path: Path) -> LoadedConfig:
    """Return the configuration in a file, TOML if its name ends so and JSON otherwise.

    Raises:
        UsageError: unreadable, oversize, malformed, or a field missing, unknown or of the wrong type.
    """
    data = _read(path)
    try:
        if path.suffix == ".toml":
            config = msgspec.convert(tomllib.loads(data.decode()), ProcessConfig, strict=True)
        else:
            config = msgspec.json.decode(data, type=ProcessConfig)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"not a configuration: {error}", str(path)) from error
    if not LINK_SCHEMA_BEFORE <= config.schema <= LINK_SCHEMA:
        expected = f"{LINK_SCHEMA_BEFORE} or {LINK_SCHEMA}"
        raise UsageError(f"link schema {config.schema}", f"{path}: schema", expected)
    return LoadedConfig(config, path.resolve())


def write_config(path: Path, config: ProcessConfig) -> None:
    """Write a configuration as indented JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAXIMUM_CONFIG_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path)) from error
    if len(data) > MAXIMUM_CONFIG_BYTES:
        raise UsageError("too large", str(path), f"at most {MAXIMUM_CONFIG_BYTES} bytes")
    return data


def read_hex(path: Path) -> bytes:
    """Return the 32 bytes whose hex a file holds.

    Raises:
        UsageError: unreadable, or not 64 hex digits.
    """
    try:
        value = bytes.fromhex(_read(path).decode("ascii").strip())
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError("not a key", str(path), f"{2 * SEED_BYTES} hex digits") from error
    if len(value) != SEED_BYTES:
        raise UsageError(f"{len(value)} bytes", str(path), f"{2 * SEED_BYTES} hex digits")
    return value
