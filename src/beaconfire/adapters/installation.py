"""Make an installation on one machine: keys, arrangements, configurations of servers and processes.

Every key is made here from the system's random source and stays in its owner's folder; what others get is
the public half. Beyond one machine each party makes its own folder and hands over its public keys.
"""

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.bundles import install_arrangements
from beaconfire.adapters.bus import Endpoint
from beaconfire.adapters.certificates import (
    identity_of,
    make_identity,
    route_identity_of,
    server_identity_of,
    write_trust,
)
from beaconfire.adapters.clock import ClockSettings, wall_now_us, write_clock
from beaconfire.adapters.configuration import (
    FeedConfig,
    ProcessConfig,
    WebConfig,
    key_class_of,
)
from beaconfire.adapters.credentials import home_account, hub_accounts, key_file, link_keys, write_private
from beaconfire.adapters.process_files import SECRET_BYTES, Around, url_of, write_processes
from beaconfire.adapters.servers import (
    LOOPBACK,
    Account,
    Cluster,
    free_ports,
    server_configuration,
    server_names,
)
from beaconfire.adapters.wiring import Line, Role, Server
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.words import HUB, HUB_INSTANCES, Mode, Nation, Sharing, is_hub, party_of
from beaconfire.release.arrangements import ARRANGEMENTS_OF
from beaconfire.release.keys import SigningKey

VALID_BEFORE_US: Final = 24 * 3_600 * 1_000_000
VALID_AFTER_US: Final = 366 * 24 * 3_600 * 1_000_000
EXERCISE: Final = "notional"


class ClockPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event clock that starts when the supervisor says so: event time then, and its speed."""

    event_start_us: int
    speed: float


class Options(msgspec.Struct, frozen=True):
    """How an installation is made.

    Attributes:
        record: every node writes its inputs to its journal.
        mode: of every process.
        hubs: instances of the hub, each with a server of its own.
        addresses: on which the server of each nation and instance listens; loopback where none is named.
        encrypted: mutual TLS 1.3 on every connection; without it everything stays on loopback.
        cluster: servers of each instance of the hub; several only if encrypted.
    """

    record: bool = True
    mode: Mode = Mode.SIMULATED
    hubs: tuple[str, ...] = HUB_INSTANCES
    addresses: dict[str, str] = {}
    encrypted: bool = False
    cluster: int = 1


class ServerEntry(msgspec.Struct, frozen=True):
    """One message server: its party, files and port."""

    party: str
    config: Path
    log: Path
    port: int
    host: str = LOOPBACK
    encrypted: bool = False

    @property
    def name(self) -> str:
        """Such as "server/KOR", and "server/HUB-1/2" for the second of a cluster."""
        number = self.config.stem.removeprefix("server").lstrip("-")
        return f"server/{self.party}" + (f"/{number}" if number else "")


class ProcessEntry(msgspec.Struct, frozen=True):
    """One process: its role, party and configuration file."""

    role: Role
    party: str
    config: Path

    @property
    def name(self) -> str:
        """Role and party, such as "guard/KOR"."""
        return f"{self.role.value}/{self.party}"


class Installation(msgspec.Struct, frozen=True):
    """What stands in a folder.

    Attributes:
        directory: of all of it.
        nations: in it.
        sharing: arrangements in force.
        servers: the hubs' first.
        processes: the hubs' first.
        feed_ports: TCP port on which each nation's feed takes detections.
        web_ports: port of each nation's page, and of the hub's.
        clock: event clock file that the processes wait for, or None for the wall clock.
        plan: event clock to be started, or None.
        hubs: instances of the hub.
    """

    directory: Path
    nations: tuple[Nation, ...]
    sharing: Sharing
    servers: tuple[ServerEntry, ...]
    processes: tuple[ProcessEntry, ...]
    feed_ports: dict[str, int]
    web_ports: dict[str, int]
    clock: Path | None = None
    plan: ClockPlan | None = None
    hubs: tuple[str, ...] = (HUB,)

    def journal(self, role: Role, party: str) -> Path:
        """Return where a process keeps its journal, and with it its recording."""
        return self.directory / party / f"{role.value}.journal"

    def observer(self, party: str) -> Endpoint:
        """Return the connection of one who only listens to a nation's own flows, or to the hub's."""
        return self.home(party, Role.OBSERVER)

    def home(self, party: str, role: Role) -> Endpoint:
        """Return a role's connection to its own server."""
        server = next(one for one in self.servers if one.party == party)
        return Endpoint(
            line=Line(Server.HOME, party, None),
            url=url_of(server.host, server.port, encrypted=server.encrypted),
            seed_file=self.directory / party / "keys" / f"home-{role.value}.seed",
            identity=identity_of(self.directory / party) if server.encrypted else None,
        )

    def start_clock(self) -> None:
        """Start the event clock now, if there is one and it has not been started."""
        if self.clock is not None and self.plan is not None and not self.clock.exists():
            write_clock(self.clock, ClockSettings(self.plan.event_start_us, wall_now_us(), self.plan.speed))


def make_installation(
    directory: Path,
    *,
    nations: Sequence[Nation],
    sensors: Path | None = None,
    places: Path | None = None,
    sharing: Sharing = Sharing.TRILATERAL,
    clock: ClockPlan | None = None,
    options: Options | None = None,
) -> Installation:
    """Write a whole installation into a folder and return it.

    Args:
        directory: made; must be empty.
        nations: all that the hub connects.
        sensors: TOML file, copied; None for the shipped notional ones.
        places: TOML file, copied; None for the shipped ones.
        sharing: which of the shipped arrangements are in force.
        clock: event clock that starts with `Installation.start_clock`; None for the wall clock.
        options: see there.

    Raises:
        UsageError: the folder is not empty, or a file is missing.
        EnvironmentFault: the folder can't be written, or there are no free ports.
    """
    chosen = options or Options()
    mode = chosen.mode
    maker = _Maker(directory, tuple(nations), chosen)
    try:
        maker.make_folders()
        maker.copy(sensors, "sensors.toml")
        maker.copy(places, "places.toml")
        maker.make_signing_keys()
        maker.make_identities()
        start_us = clock.event_start_us if clock else wall_now_us()
        maker.make_arrangements(sharing, start_us)
        servers = maker.make_servers()
        base = ProcessConfig(
            role=Role.HUB,
            party=HUB,
            mode=mode,
            endpoints=(),
            exercise="" if mode is Mode.REAL else EXERCISE,
            clock="../clock.json" if clock else "",
            record=chosen.record,
            parties=maker.nations,
            hubs=maker.hubs,
            sensors="../sensors.toml" if sensors else "",
            places="../places.toml" if places else "",
            arrangements="" if sharing is Sharing.ALONE else "../arrangements",
            keyring="../keyring.json",
            sharing=sharing,
        )
        processes = maker.make_processes(base)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {directory}: {error.strerror}", "choose another") from error
    made = Installation(
        directory=directory,
        nations=maker.nations,
        sharing=sharing,
        servers=servers,
        processes=processes,
        feed_ports=maker.feed_ports,
        web_ports=maker.web_ports,
        clock=directory / "clock.json" if clock else None,
        plan=clock,
        hubs=maker.hubs,
    )
    (directory / "installation.json").write_bytes(msgspec.json.encode(made, enc_hook=str))
    return made


def read_installation(directory: Path) -> Installation:
    """Return the installation in a folder.

    Raises:
        UsageError: there is none.
    """
    path = directory / "installation.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Installation, dec_hook=_path)
    except OSError as error:
        raise UsageError(f"no installation: {error.strerror}", str(path)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not an installation: {error}", str(path)) from error


def _path(kind: type, value: object) -> Path:
    if kind is Path or issubclass(kind, Path):
        return Path(str(value))
    raise NotImplementedError(kind)


class _Maker:
    """Writes the parts of one installation, one after the other."""

    def __init__(self, directory: Path, nations: tuple[Nation, ...], options: Options) -> None:
        self.directory = directory.resolve()
        self.nations = nations
        self.hubs = hubs = options.hubs
        self.ends = (*hubs, *nations)
        self._mode = options.mode
        self._encrypted = options.encrypted
        self._hosts = {end: options.addresses.get(end, LOOPBACK) for end in self.ends}
        self._keys: dict[str, SigningKey] = {}
        if options.cluster > 1 and not options.encrypted:
            raise UsageError("a cluster in clear", "cluster", "encrypted: a route hears every account")
        several = options.cluster if options.cluster > 1 else 0
        count = (options.cluster + several + 1) * len(hubs) + 3 * len(nations)
        ports = iter(free_ports(count))
        self._ports = {end: tuple(islice(ports, options.cluster if end in hubs else 1)) for end in self.ends}
        self._route_ports = {hub: tuple(islice(ports, several)) for hub in hubs}
        self.feed_ports: dict[str, int] = dict(zip(nations, ports, strict=False))
        self.web_ports: dict[str, int] = dict(zip((*nations, *hubs), ports, strict=False))

    def make_folders(self) -> None:
        """Make a folder for each nation and instance of the hub; raises `UsageError` if it is not empty."""
        if self.directory.exists() and any(self.directory.iterdir()):
            raise UsageError("the folder is not empty", str(self.directory), "a new or empty folder")
        for end in self.ends:
            (self.directory / end / "keys").mkdir(parents=True, mode=0o700)

    def copy(self, source: Path | None, name: str) -> None:
        """Copy a file in, if one is given; raises `UsageError` if it can't be read."""
        if source is None:
            return
        try:
            data = source.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read it: {error.strerror}", str(source)) from error
        (self.directory / name).write_bytes(data)

    def make_signing_keys(self) -> None:
        """Make one key for each party; the instances of the hub are one, and sign with the same."""
        seeds = {party_of(end): os.urandom(32) for end in self.ends}
        for party, seed in seeds.items():
            self._keys[party] = SigningKey(party, key_class_of(self._mode), seed)
        for end in self.ends:
            write_private(key_file(self.directory, end, "signing.hex"), seeds[party_of(end)].hex())
        public = [key.public for key in self._keys.values()]
        (self.directory / "keyring.json").write_bytes(msgspec.json.encode(public))

    def make_identities(self) -> None:
        """Make each end's certificate; what each trusts is what it speaks to, and no more."""
        if not self._encrypted:
            return
        keys = {end: self.directory / end / "keys" for end in self.ends}
        made = {end: make_identity(folder, end, {self._hosts[end], LOOPBACK}) for end, folder in keys.items()}
        hubs, nations = [made[one] for one in self.hubs], [made[one] for one in self.nations]
        for end, folder in keys.items():
            if is_hub(end):
                write_trust(folder, made[end], servers=(), clients=nations)
            else:
                write_trust(folder, made[end], servers=hubs, clients=())

    def make_arrangements(self, sharing: Sharing, start_us: int) -> None:
        names = ARRANGEMENTS_OF[sharing]
        if names:
            install_arrangements(
                self._keys,
                self.directory / "arrangements",
                valid_from_us=start_us - VALID_BEFORE_US,
                valid_until_us=start_us + VALID_AFTER_US,
                names=names,
            )

    def make_servers(self) -> tuple[ServerEntry, ...]:
        made: list[ServerEntry] = []
        for hub in self.hubs:
            public = {nation: link_keys(self.directory / nation, hub) for nation in self.nations}
            made += self._servers(hub, hub_accounts(self.directory / hub, public))
        for nation in self.nations:
            made += self._servers(nation, [home_account(self.directory / nation, nation)])
        return tuple(made)

    def _servers(self, end: str, accounts: list[Account]) -> list[ServerEntry]:
        routes = [f"{self._hosts[end]}:{port}" for port in self._route_ports.get(end, ())]
        names = server_names(len(self._ports[end]))
        return [
            self._server(end, accounts, (name, port), routes[number : number + 1] + routes)
            for number, (name, port) in enumerate(zip(names, self._ports[end], strict=True))
        ]

    def _server(
        self, end: str, accounts: list[Account], place: tuple[str, int], routes: list[str]
    ) -> ServerEntry:
        """Write one server; the first of `routes` is its own, if it is one of several."""
        folder, (name, port) = self.directory / end, place
        host, encrypted = self._hosts[end], self._encrypted
        entry = ServerEntry(end, folder / f"{name}.conf", folder / f"{name}.log", port, host, encrypted)
        cluster = None
        if routes:
            others = tuple(one for one in routes[1:] if one != routes[0])
            cluster = Cluster(end.lower(), routes[0], others, route_identity_of(folder))
        text = server_configuration(
            f"{end.lower()}-{name}",
            f"{host}:{port}",
            accounts,
            entry.log,
            server_identity_of(folder) if encrypted else None,
            cluster=cluster,
        )
        entry.config.write_text(text, encoding="utf-8")
        return entry

    def make_processes(self, base: ProcessConfig) -> tuple[ProcessEntry, ...]:
        secret = os.urandom(SECRET_BYTES).hex()
        for hub in self.hubs:
            write_private(key_file(self.directory, hub, f"{Role.HUB.value}.secret"), secret)
        urls = {
            end: tuple(url_of(self._hosts[end], port, encrypted=self._encrypted) for port in ports)
            for end, ports in self._ports.items()
        }
        made = []
        for end in self.ends:
            feed = None if is_hub(end) else FeedConfig(tcp=f"{LOOPBACK}:{self.feed_ports[end]}")
            around = Around(urls, self._encrypted, feed, self._web(end))
            written = write_processes(self.directory / end, end, base, around)
            made += [ProcessEntry(role, end, path) for role, path in written.items()]
        return tuple(made)

    def _web(self, party: str) -> WebConfig:
        return WebConfig(
            port=self.web_ports[party], sandbox=not is_hub(party) and self._mode is not Mode.REAL
        )
