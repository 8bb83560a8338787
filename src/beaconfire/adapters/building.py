"""Build a node from a process's configuration; each role imports only what it needs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from beaconfire.adapters.bundles import load_sound_arrangements
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
from beaconfire.nodes.commands import Command, Node, Now, Rows
from beaconfire.release.arrangements import Agreement

if TYPE_CHECKING:
    from beaconfire.adapters.trust import TrustFiles
    from beaconfire.nodes.guard import GuardNode
    from beaconfire.nodes.hub import HubNode
    from beaconfire.nodes.picture import PictureNode

Builder = Callable[[LoadedConfig, Rows], Node]


def build_node(loaded: LoadedConfig, rows: Rows) -> Node:
    """Return the node that a configuration describes, restored from its journal.

    Args:
        loaded: configuration of any role that is a node (all but feed).
        rows: its journal.

    Raises:
        UsageError: a file is missing or malformed; not an arrangement, which is left out and told of.
    """
    builder = _BUILDERS.get(loaded.config.role)
    if builder is None:
        raise UsageError(f"{loaded.config.role} is not a node", f"{loaded.path}: role", ", ".join(_BUILDERS))
    return builder(loaded, rows)


Looks = Callable[[Now], list[Command]]
"""Looks at files that others change; returns what is to be done since."""


def build_renewed(loaded: LoadedConfig, rows: Rows) -> tuple[Node, Looks | None]:
    """Return the node of a configuration, and what tells it of changed files if it releases anything.

    Raises:
        UsageError: as `build_node` does.
    """
    if loaded.config.role is Role.PICTURE:
        return _renewed_picture(loaded, rows)
    if loaded.config.role not in {Role.GUARD, Role.HUB}:
        return build_node(loaded, rows), None
    from beaconfire.adapters.archive import Rotations  # noqa: PLC0415 - for these roles only
    from beaconfire.adapters.trust import Renewal, read_trust, stamp_of  # noqa: PLC0415
    from beaconfire.release.cedar import check_policies  # noqa: PLC0415

    stamp = stamp_of(loaded)
    files = read_trust(loaded, check_policies)
    is_guard = loaded.config.role is Role.GUARD
    node = _guard(loaded, rows, files) if is_guard else _hub(loaded, rows, files)
    renewal = Renewal(loaded, node, (files, stamp), check_policies)
    rotations = Rotations(loaded.file("journal"), node)
    return node, lambda now: [*rotations.look(now), *renewal.look(now)]


def _renewed_picture(loaded: LoadedConfig, rows: Rows) -> tuple[Node, Looks]:
    from beaconfire.adapters.trust import Renewal, read_sound, stamp_of  # noqa: PLC0415 - for these roles only

    stamp = stamp_of(loaded)
    files = read_sound(loaded, _unread)
    node = _picture(loaded, rows, files)
    return node, Renewal(loaded, node, (files, stamp), _unread).look


def _unread(policies: str, source: str) -> None:
    """Leave policies unread: a picture decides nothing by them, and starts sooner without their language."""


def sensors_of(loaded: LoadedConfig) -> tuple[Sensor, ...]:
    """Return the sensors that a configuration names, the shipped ones if none."""
    return read_sensors(loaded.file("sensors")) if loaded.config.sensors else shipped_sensors()


def places_of(loaded: LoadedConfig) -> tuple[Place, ...]:
    """Return the places that a configuration names, the shipped ones if none."""
    return read_places(loaded.file("places")) if loaded.config.places else shipped_places()


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


def _guard(loaded: LoadedConfig, rows: Rows, files: "TrustFiles | None" = None) -> "GuardNode":
    from beaconfire.adapters.trust import read_trust  # noqa: PLC0415 - for this role only
    from beaconfire.nodes.guard import GuardConfig, GuardNode  # noqa: PLC0415
    from beaconfire.release.cedar import check_policies  # noqa: PLC0415
    from beaconfire.release.label import LabellingRules  # noqa: PLC0415

    config, held = loaded.config, files or read_trust(loaded, check_policies)
    rules = LabellingRules(
        policy="beaconfire-1", level=config.level, releasable_to=frozenset(config.releasable_to)
    )
    terms = GuardConfig(
        nation=Nation(config.party),
        mode=config.mode,
        exercise=config.exercise,
        key=loaded.signing_key(),
        keyring=held.keyring,
        agreements=held.trust.agreements,
        left_out=held.flaws,
        rules=rules,
        secret=loaded.secret(),
        clock_speed=_clock_speed(loaded),
        hubs=config.hubs,
    )
    return GuardNode(terms, rows)


def _clock_speed(loaded: LoadedConfig) -> float:
    return read_clock(loaded.file("clock")).speed if loaded.config.clock else 1.0


def _hub(loaded: LoadedConfig, rows: Rows, files: "TrustFiles | None" = None) -> "HubNode":
    from beaconfire.adapters.trust import read_trust  # noqa: PLC0415 - for this role only
    from beaconfire.nodes.hub import HubConfig, HubNode  # noqa: PLC0415
    from beaconfire.release.cedar import check_policies  # noqa: PLC0415

    held = files or read_trust(loaded, check_policies)
    terms = HubConfig(
        parties=loaded.config.parties,
        mode=loaded.config.mode,
        key=loaded.signing_key(),
        keyring=held.keyring,
        agreements=held.trust.agreements,
        left_out=held.flaws,
        secret=loaded.secret(),
        instance=loaded.config.party,
        cautious=isinstance(rows, Journal) and bool(rows.damage),
    )
    return HubNode(terms, rows)


def _picture(loaded: LoadedConfig, rows: Rows, files: "TrustFiles | None" = None) -> "PictureNode":
    from beaconfire.adapters.trust import read_sound  # noqa: PLC0415 - for this role only
    from beaconfire.nodes.picture import (  # noqa: PLC0415 - numba, for this role only
        PictureConfig,
        PictureNode,
    )

    config, held = loaded.config, files or read_sound(loaded, _unread)
    terms = PictureConfig(
        nation=Nation(config.party),
        mode=config.mode,
        exercise=config.exercise,
        key=loaded.signing_key(),
        keyring=held.keyring,
        agreements=held.trust.agreements,
        left_out=held.flaws,
        places=places_of(loaded),
        secret=loaded.secret(),
        clock_speed=_clock_speed(loaded),
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
