"""What a hub is given."""

import msgspec

from beaconfire.messages.words import HUB, Mode, Nation
from beaconfire.release.arrangements import Agreement
from beaconfire.release.keys import Keyring, SigningKey


class HubConfig(msgspec.Struct, frozen=True):
    """What a hub is given.

    Attributes:
        parties: nations it connects.
        mode: the only mode it passes on.
        key: the hub's own signing key.
        keyring: keys trusted here.
        agreements: verified arrangements.
        secret: under which opaque names are made, 32 bytes; the same for all instances.
        instance: name of this one.
        left_out: what is wrong with other arrangements, which aren't held: to be told of.
        cautious: its journal was lost, and what is suspended with it; see `nodes.hub.caution`.
    """

    parties: tuple[Nation, ...]
    mode: Mode
    key: SigningKey
    keyring: Keyring
    agreements: tuple[Agreement, ...]
    secret: bytes
    instance: str = HUB
    left_out: tuple[str, ...] = ()
    cautious: bool = False
