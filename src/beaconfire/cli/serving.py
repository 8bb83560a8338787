"""Join a display's node, its loop, its audit and the sandbox to the server of its page."""

from typing import Final

from beaconfire.adapters.audit_book import AuditBook
from beaconfire.adapters.configuration import LoadedConfig, WebConfig
from beaconfire.adapters.loop import Loop
from beaconfire.adapters.web.api import Attached, Sandbox
from beaconfire.adapters.web.server import SignIn, WebOptions, WebServer
from beaconfire.adapters.wiring import Heard
from beaconfire.cli.sandbox import describe, run_trial
from beaconfire.errors import UsageError
from beaconfire.messages.codec import encode
from beaconfire.messages.event import Acknowledgement
from beaconfire.messages.words import Lane, Mode, is_hub
from beaconfire.nodes.commands import Channel
from beaconfire.nodes.display import DisplayNode

SESSION_HOURS_MAX: Final = 24.0


def server_of(loaded: LoadedConfig, loop: Loop) -> WebServer:
    """Return the server of a display's page, its port taken, not serving yet.

    Raises:
        UsageError: the port is taken, or the configuration asks for what is not allowed.
    """
    config = loaded.config
    assert config.web is not None
    assert isinstance(loop.node, DisplayNode)
    options = WebOptions(
        host=config.web.host,
        port=config.web.port,
        speed=loop.clock.speed,
        level=config.level.name,
        sign_in=sign_in_of(loaded, config.web),
    )
    if config.web.sandbox and config.mode is Mode.REAL:
        raise UsageError("a sandbox in mode REAL", f"{loaded.path}: web.sandbox", "false")
    attached = Attached(
        audit=AuditBook(loaded.file("audit")) if config.audit else None,
        acknowledge=None if is_hub(config.party) else _Acknowledging(loop, config.party),
        sandbox=Sandbox(describe, run_trial) if config.web.sandbox else None,
    )
    return WebServer(loop.node, loop.clock.now, options, attached)


def sign_in_of(loaded: LoadedConfig, web: WebConfig) -> SignIn | None:
    """Return what a sign-in needs, None where the configuration names none of it.

    Raises:
        UsageError: some of it is named and some is missing, or a session would last too long.
    """
    needed = {"certificate": web.certificate, "key": web.key, "people": web.people, "names": web.names}
    if not any(needed.values()):
        return None
    missing = ", ".join(f"web.{name}" for name, value in needed.items() if not value)
    if missing:
        raise UsageError(f"a sign-in without {missing}", str(loaded.path), "all of " + ", ".join(needed))
    if not 0.0 < web.session_hours <= SESSION_HOURS_MAX:
        raise UsageError(
            f"{web.session_hours:g} hours",
            f"{loaded.path}: web.session_hours",
            f"above 0, at most {SESSION_HOURS_MAX:g}",
        )
    folder = loaded.path.parent
    paths = (folder / web.certificate, folder / web.key, folder / web.people)
    return SignIn(*paths, names=web.names, session_s=web.session_hours * 3_600.0)


class _Acknowledging:
    """Hands a person's word to the loop, which gives it to the display as any other message."""

    def __init__(self, loop: Loop, party: str) -> None:
        self._loop = loop
        self._heard = Heard("", Channel.ACKNOWLEDGEMENT, party, Lane.FLASH)

    def __call__(self, said: Acknowledgement) -> None:
        self._loop.accept(self._heard, encode(said))
