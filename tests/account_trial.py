"""Every credential of an installation at every server of it: who gets in, who hears whom, on which subject.

What is expected is written out here by hand and read from no table of the program. Nothing waits for a time
to pass: a message is known not to come once all that was sent before a later round trip was dealt with.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, get_args

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from beaconfire.adapters.certificates import identity_of
from beaconfire.adapters.identity import client_context
from beaconfire.messages.codec import Message
from beaconfire.messages.words import HUB_INSTANCES
from beaconfire.nodes.commands import Channel

NATIONS: Final = ("JPN", "KOR", "USA")
LANES: Final = ("FLASH", "ROUTINE")
PATIENCE_S: Final = 60

HOME: Final = """
detection    feed                                            national
own-report   feed national                                   guard picture
event        picture                                         display observer warning
warning      warning                                         display observer
notice       feed national guard picture warning display     display observer warning operator
health       feed national guard picture warning display     display observer warning
to-hub       operator                                        guard
"""
"""Within a nation, in both lanes: channel, who may say it, who may hear it."""
LINK: Final = """
to-hub.delivery        guard            hub
to-hub.suspension      guard            hub
to-hub.standing        guard            hub
to-hub.cosignature     guard            hub
to-hub.receipt         picture          hub
to-hub.restarted       picture          hub
to-hub.speaking        picture          hub
to-hub.probe           guard picture    hub
to-nation.delivery     hub              picture
to-nation.receipt      hub              guard
to-nation.restarted    hub              guard picture
to-nation.checkpoint   hub              guard
to-nation.suspension   hub              guard picture
to-nation.probe        hub              guard picture
"""
"""In the account of one nation and lane on the server of an instance of the hub."""
OWN: Final = """
notice    hub    observer display
health    hub    observer display
"""
"""In the own account of an instance of the hub, in both lanes."""

HOME_ROLES: Final = ("feed", "national", "guard", "picture", "warning", "display", "observer", "operator")
KINDS: Final = tuple(sorted(str(one.__struct_config__.tag) for one in get_args(Message)))
SUBJECTS: Final = (
    *(f"{channel.value}.{last}" for channel in Channel for last in (*LANES, *KINDS)),
    *(
        "to-hub",
        "to-nation",
        "to-hub.delivery.x",
        "to-nation.delivery.x",
        "unheard-of",
        "KOR.to-hub.delivery",
    ),
    *("_INBOX.x", "_INBOX_KOR.x", "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.KOR.CONNZ", "$JS.API.INFO"),
)
"""Each channel with each lane and each kind of message, and what is no subject of the program."""
WILD: Final = (">", "*", "*.*", "to-hub.>", "to-nation.>", "*.delivery", "*.FLASH", "$SYS.>", "_INBOX.>")
REFUSED_KEY: Final = ("authorization violation",)
REFUSED_CERTIFICATE: Final = (
    "alert unknown ca",
    "alert bad certificate",
    "lost",
    "broken pipe",
    "reset",
    "eof",
)
"""The word comes after the handshake, when the library may have begun to speak."""
ANSWER: Final = "answer.here"
"""Stated in each message as where an answer is awaited: hearing a message gives no right to say anything."""


Context = Callable[[Path], ssl.SSLContext | None]
"""What a party whose keys lie in a directory shows and asks for of TLS; None for a server without."""


class Rights(NamedTuple):
    """The subjects that one may publish to and subscribe to."""

    publish: frozenset[str]
    subscribe: frozenset[str]


class Credential(NamedTuple):
    """One key: where it lies, the server it is for, its account there and its rights."""

    seed: Path
    server: str
    account: str
    rights: Rights

    @property
    def home(self) -> Path:
        return self.seed.parent.parent

    @property
    def name(self) -> str:
        return f"{self.home.name}/{self.seed.stem}"


def rights_of(role: str, table: str) -> Rights:
    """Return what a role may do by a table above."""
    rows = [line.split("  ") for line in table.strip().splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    publish, subscribe = set[str](), set[str]()
    for subject, sayers, hearers in cells:
        subjects = {subject} if "." in subject else {f"{subject}.{lane}" for lane in LANES}
        publish |= subjects if role in sayers.split() else set()
        subscribe |= subjects if role in hearers.split() else set()
    return Rights(frozenset(publish), frozenset(subscribe))


def credentials_of(root: Path) -> list[Credential]:
    """Return every credential that an installation of three nations and two instances has."""
    found = [
        Credential(root / nation / "keys" / f"home-{role}.seed", nation, nation, rights_of(role, HOME))
        for nation in NATIONS
        for role in HOME_ROLES
    ]
    for hub in HUB_INSTANCES:
        keys = root / hub / "keys"
        found += [
            Credential(keys / f"home-{role}.seed", hub, "own", rights_of(role, OWN))
            for role in ("hub", "observer", "display")
        ]
        for nation in NATIONS:
            for lane in LANES:
                account = f"{nation} {lane}"
                seed = keys / f"link-hub-{nation}-{lane}.seed"
                found.append(Credential(seed, hub, account, rights_of("hub", LINK)))
                for role in ("guard", "picture"):
                    seed = root / nation / "keys" / f"link-{role}-{hub}-{lane}.seed"
                    found.append(Credential(seed, hub, account, rights_of(role, LINK)))
    return found


class _Client:
    """One credential connected: it subscribes to all, publishes to all, and notes what comes of it."""

    def __init__(self, credential: Credential) -> None:
        self.credential = credential
        self.heard: set[tuple[str, str]] = set()
        self.violations = 0
        self._nats = Client()

    async def open(self, url: str, context: Context) -> None:
        await self._nats.connect(
            url,
            nkeys_seed_str=self.credential.seed.read_text().strip(),
            tls=context(self.credential.home),
            no_echo=True,
            allow_reconnect=False,
            connect_timeout=PATIENCE_S,
            drain_timeout=PATIENCE_S,
            error_cb=self._on_error,
        )
        for subject in (*SUBJECTS, *WILD):
            await self._nats.subscribe(subject, cb=self._on_message)
        await self.settle()

    async def _on_error(self, error: Exception) -> None:
        said = str(error).lower()
        assert "permissions violation" in said or "authorization violation" in said, error
        self.violations += 1

    async def _on_message(self, message: Msg) -> None:
        self.heard.add((message.data.decode(), message.subject))

    async def say_all(self) -> None:
        for subject in SUBJECTS:
            await self._nats.publish(subject, self.credential.name.encode(), reply=ANSWER)
        await self.settle()

    async def answer(self) -> None:
        await self._nats.publish(ANSWER, self.credential.name.encode())
        await self.settle()

    async def settle(self) -> None:
        """Wait until the server has dealt with all that was sent, and said so behind all it has to say.

        Twice: the library writes what asks for the answer ahead of what it has gathered to write.
        """
        for _ in range(2):
            await self._nats.flush(timeout=PATIENCE_S)

    async def close(self) -> None:
        await _end(self._nats)


async def flaws_at(server: str, url: str, credentials: list[Credential], context: Context) -> list[str]:
    """Return what at one server is not as expected, one line each; empty if all is."""
    flaws = await _strangers(server, url, credentials, context)
    clients = [_Client(one) for one in credentials if one.server == server]
    try:
        for one in clients:
            await one.open(url, context)
        for one in clients:
            await one.say_all()
        for one in clients:
            await one.answer()
        for one in clients:
            await one.settle()
    except (NatsError, TimeoutError) as error:
        return [*flaws, f"a key that belongs there is not let in: {error!r}"]
    finally:
        for one in clients:
            await one.close()
    for one in clients:
        flaws += _flaws_of(one, clients)
    return flaws


def _flaws_of(one: _Client, clients: list[_Client]) -> list[str]:
    own = one.credential
    expected = {
        (other.credential.name, subject)
        for other in clients
        for subject in other.credential.rights.publish & own.rights.subscribe
        if other is not one and other.credential.account == own.account
    }
    flaws = [f"{own.name} hears {who} on {what}" for who, what in sorted(one.heard - expected)]
    flaws += [f"{own.name} does not hear {who} on {what}" for who, what in sorted(expected - one.heard)]
    refused = 2 * len(SUBJECTS) + len(WILD) + 1 - len(own.rights.publish) - len(own.rights.subscribe)
    if one.violations != refused:
        flaws.append(f"{own.name} was refused {one.violations} times, not {refused}")
    return flaws


async def _strangers(server: str, url: str, credentials: list[Credential], context: Context) -> list[str]:
    """Return which keys of other servers, or whether one who shows none, are let in."""
    known = next(one.home for one in credentials if one.server == server)
    tried: list[tuple[str, str | None, Path]] = [("who shows no key is let in", None, known)]
    tried += [
        (f"{one.name} is let in, a key for {one.server}", one.seed.read_text().strip(), one.home)
        for one in credentials
        if one.server != server
    ]
    return [flaw for flaw, seed, home in tried if not await _is_refused(url, seed, context(home))]


async def _is_refused(url: str, seed: str | None, tls: ssl.SSLContext | None) -> bool:
    async def on_error(_error: Exception) -> None:
        """Say nothing: a refusal is what is asked for."""

    client = Client()
    try:
        await client.connect(
            url,
            nkeys_seed_str=seed,
            tls=tls,
            allow_reconnect=False,
            max_reconnect_attempts=0,
            connect_timeout=PATIENCE_S,
            error_cb=on_error,
        )
        await client.flush(timeout=PATIENCE_S)
    except (NatsError, OSError, TimeoutError) as error:
        words = REFUSED_KEY + (REFUSED_CERTIFICATE if tls is not None else ())
        if not any(word in str(error).lower() for word in words):
            raise
        return True
    finally:
        await _end(client)
    return False


async def _end(client: Client) -> None:
    """End a connection once what it heard was dealt with; the library leaves a refused one open."""
    if client.is_connected:
        await client.drain()
    elif client._transport is not None:
        for writer in (client._transport._io_writer, client._transport._bare_io_writer):  # type: ignore[attr-defined]
            if writer is not None:
                writer.transport.abort()
        await asyncio.sleep(0)


def found_at(server: str, port: int, root: Path, *, encrypted: bool = False) -> list[str]:
    """Return what is not as expected at one server of an installation, which runs on a port.

    Args:
        server: party whose it is.
        port: of it, on loopback.
        root: where the keys of all parties lie.
        encrypted: each party shows the certificate of its own that lies beside its keys, and takes the
            server for what it is.
    """
    scheme = "tls" if encrypted else "nats"

    def context(home: Path) -> ssl.SSLContext | None:
        return client_context(identity_of(home)) if encrypted else None

    def trusting(home: Path) -> ssl.SSLContext | None:
        shown = context(home)
        if shown is not None:
            shown.load_verify_locations(identity_of(root / server).trusted)
        return shown

    return asyncio.run(flaws_at(server, f"{scheme}://127.0.0.1:{port}", credentials_of(root), trusting))
