"""Build a node from a process's configuration; each role imports only what it needs."""

from collections.abc import Callable
from typing import Final

from beaconfire.adapters.bundles import load_arrangements, load_sound_arrangements
from beaconfire.adapters.clock import read_clock
from beaconfire.adapters.configuration import LoadedConfig
from beaconfire.adapters.journal import Journal
from beaconfire.adapters.wiring import Role
from beaconfire.errors import UsageError
from beaconfire.formats.places import read_places, shipped_places
from beaconfire.formats.sensors import read_sensors, shipped_sensors
from beaconfire.messages.event import Place
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import Nation
from beaconfire.nodes.commands import Node, Rows
from beaconfire.release.arrangements import Agreement

Builder = Callable[[LoadedConfig, Rows], Node]


def build_node(loaded: LoadedConfig, rows: Rows) -> Node:
    """Return the node that a configuration describes, restored from its journal.

    Args:
        loaded: configuration of any role that is a node (all but feed).
        rows: its journal.

    Raises:
        UsageError: a file is missing or malformed, or an arrangement that something is to be released
            under unsigned or altered.
    """
    builder = _BUILDERS.get(loaded.config.role)
    if builder is None:
        raise UsageError(f"{loaded.config.role} is not a node", f"{loaded.path}: role", ", ".join(_BUILDERS))
    return builder(loaded, rows)


def sensors_of(loaded: LoadedConfig) -> tuple[Sensor, ...]:
    """Return the sensors that a configuration names, the shipped ones if none."""
    return read_sensors(loaded.file("sensors")) if loaded.config.sensors else shipped_sensors()


def places_of(loaded: LoadedConfig) -> tuple[Place, ...]:
    """Return the places that a configuration names, the shipped ones if none."""
    return read_places(loaded.file("places")) if loaded.config.places else shipped_places()


def agreements_of(loaded: LoadedConfig) -> tuple[Agreement, ...]:
    """Return the arrangements that a configuration names, each verified against its keyring.

    Also those that have ended or have yet to begin: what has no effect now must not keep a process, and
    with it everything under the other arrangements, from starting.
    """
    if not loaded.config.arrangements:
        return ()
    return load_arrangements(loaded.file("arrangements"), now_us=None, trusted=loaded.keyring())


def sound_agreements_of(loaded: LoadedConfig) -> tuple[tuple[Agreement, ...], tuple[str, ...]]:
    """Return the arrangements that verify, and what is wrong with the others: for a nation's own picture."""
    if not loaded.config.arrangements:
        return (), ()
    return load_sound_arrangements(loaded.file("arrangements"), trusted=loaded.keyring())


def _national(loaded: LoadedConfig, rows: Rows) -> Node:
    from beaconfire.nodes.national import Identity, NationalNode  # noqa: PLC0415 - numba, for this role only

    config = loaded.config
    identity = Identity(Nation(config.party), config.mode, config.exercise)
    return NationalNode(identity, sensors_of(loaded), loaded.secret(), rows)


def _guard(loaded: LoadedConfig, rows: Rows) -> Node:
    from beaconfire.nodes.guard import GuardConfig, GuardNode  # noqa: PLC0415 - for this role only
    from beaconfire.release.label import LabellingRules  # noqa: PLC0415

    config = loaded.config
    rules = LabellingRules(
        policy="beaconfire-1", level=config.level, releasable_to=frozenset(config.releasable_to)
    )
    terms = GuardConfig(
        nation=Nation(config.party),
        mode=config.mode,
        exercise=config.exercise,
        key=loaded.signing_key(),
        keyring=loaded.keyring(),
        agreements=agreements_of(loaded),
        rules=rules,
        secret=loaded.secret(),
        clock_speed=read_clock(loaded.file("clock")).speed if config.clock else 1.0,
        hubs=config.hubs,
    )
    return GuardNode(terms, rows)


def _hub(loaded: LoadedConfig, rows: Rows) -> Node:
    from beaconfire.nodes.hub import HubConfig, HubNode  # noqa: PLC0415 - for this role only

    terms = HubConfig(
        parties=loaded.config.parties,
        mode=loaded.config.mode,
        key=loaded.signing_key(),
        keyring=loaded.keyring(),
        agreements=agreements_of(loaded),
        secret=loaded.secret(),
        instance=loaded.config.party,
        cautious=isinstance(rows, Journal) and bool(rows.damage),
    )
    return HubNode(terms, rows)


def _picture(loaded: LoadedConfig, rows: Rows) -> Node:
    from beaconfire.nodes.picture import (  # noqa: PLC0415 - numba, for this role only
        PictureConfig,
        PictureNode,
    )

    config = loaded.config
    agreements, flaws = sound_agreements_of(loaded)
    terms = PictureConfig(
        nation=Nation(config.party),
        mode=config.mode,
        exercise=config.exercise,
        key=loaded.signing_key(),
        keyring=loaded.keyring(),
        agreements=agreements,
        left_out=flaws,
        places=places_of(loaded),
        secret=loaded.secret(),
        hubs=config.hubs,
    )
    return PictureNode(terms, rows)


def _warning(loaded: LoadedConfig, rows: Rows) -> Node:
    from beaconfire.nodes.warning import WarningConfig, WarningNode  # noqa: PLC0415 - for this role only

    config = loaded.config
    return WarningNode(
        WarningConfig(
            nation=Nation(config.party),
            mode=config.mode,
            places=places_of(loaded),
            secret=loaded.secret(),
        ),
        rows,
    )


def _display(loaded: LoadedConfig, rows: Rows) -> Node:
    from beaconfire.nodes.display import DisplayNode  # noqa: PLC0415 - for this role only
    from beaconfire.nodes.display.views import ArrangementLine, DisplayFacts  # noqa: PLC0415

    config = loaded.config
    lines = tuple(
        ArrangementLine(
            arrangement=one.bundle.arrangement,
            version=one.bundle.version,
            parties=one.bundle.parties,
            digest=one.digest,
            valid_from_us=one.bundle.valid_from_us,
            valid_until_us=one.bundle.valid_until_us,
        )
        for one in sound_agreements_of(loaded)[0]
    )
    facts = DisplayFacts(
        places=places_of(loaded),
        sensors=sensors_of(loaded),
        arrangements=lines,
        mode=config.mode,
        in_force=config.sharing,
    )
    return DisplayNode(Nation(config.party), facts, rows)


_BUILDERS: Final[dict[Role, Builder]] = {
    Role.NATIONAL: _national,
    Role.GUARD: _guard,
    Role.HUB: _hub,
    Role.PICTURE: _picture,
    Role.WARNING: _warning,
    Role.DISPLAY: _display,
}
