"""Keyring and arrangements of a node from their files, at its start and while it runs.

Three rules:

1. Whatever is wrong with one arrangement leaves it out and the others in force; nothing is released under it.
2. While it runs, a file that turns bad leaves in force what it held before, as long as the keys in that are
   trusted. A file that is taken away takes its arrangement with it.
3. Files are looked at once a second, and read once they have stood still for one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from beaconfire.adapters.bundles import bundle_files, load_arrangement
from beaconfire.adapters.configuration import LoadedConfig
from beaconfire.errors import UsageError
from beaconfire.nodes.commands import Command, Now
from beaconfire.nodes.tenure import Trust
from beaconfire.release.arrangements import Agreement, is_trusted
from beaconfire.release.keys import Keyring

PERIOD_US: Final = 1_000_000

Check = Callable[[str, str], None]
"""Looks at the policies of an arrangement, given the name of its file; raises UsageError for a flaw."""

Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, inode, size and time of change of each file that trust is read from."""


class TrustFiles(NamedTuple):
    """What files say.

    Attributes:
        keyring: keys trusted.
        agreements: by file, each verified with it.
        flaws: what is wrong with others, in words.
    """

    keyring: Keyring
    agreements: dict[Path, Agreement]
    flaws: tuple[str, ...]

    @property
    def trust(self) -> Trust:
        """The same as a node takes it."""
        return Trust(self.keyring, tuple(self.agreements.values()), self.flaws)


def read_sound(loaded: LoadedConfig, check: Check) -> TrustFiles:
    """Return what the files say at the start of what must go on whatever is wrong with arrangements.

    Raises:
        UsageError: no usable keyring.
    """
    return read_again(loaded, TrustFiles(loaded.keyring(), {}, ()), check)


def read_trust(loaded: LoadedConfig, check: Check) -> TrustFiles:
    """Return what the files of a configuration say at the start of its process.

    Raises:
        UsageError: no usable keyring, or no arrangement where the configuration names a directory of them.
    """
    keyring = loaded.keyring()
    files = bundle_files(loaded.file("arrangements")) if loaded.config.arrangements else []
    return _read(files, TrustFiles(keyring, {}, ()), [], check)


def read_again(loaded: LoadedConfig, before: TrustFiles, check: Check) -> TrustFiles:
    """Return what the files say now; what can't be read any more stays as it was, and is told of."""
    flaws: list[str] = []
    try:
        keyring = loaded.keyring()
    except UsageError as error:
        keyring = before.keyring
        flaws.append(f"{error}; the keys before stay trusted")
    if not loaded.config.arrangements:
        return TrustFiles(keyring, {}, tuple(flaws))
    directory = loaded.file("arrangements")
    try:
        files = bundle_files(directory)
    except UsageError as error:
        files = [] if directory.is_dir() else list(before.agreements)
        flaws.append(str(error))
    return _read(files, TrustFiles(keyring, before.agreements, ()), flaws, check)


def _read(files: list[Path], before: TrustFiles, flaws: list[str], check: Check) -> TrustFiles:
    """Return what arrangement files say under a keyring, beside what was held of them before."""
    keyring = before.keyring
    found: dict[Path, Agreement] = {}
    for file in files:
        held = before.agreements.get(file)
        try:
            one = load_arrangement(file, now_us=None, trusted=keyring)
            check(one.bundle.policies, str(file))
        except UsageError as error:
            if held is None or not is_trusted(held.bundle, keyring):
                flaws.append(f"{error}; nothing is released under it")
                continue
            flaws.append(
                f"{error}; version {held.bundle.version} of {held.bundle.arrangement} stays in force"
            )
            one = held
        if any(one.bundle.arrangement == other.bundle.arrangement for other in found.values()):
            flaws.append(f"{file}: {one.bundle.arrangement} given twice; the first file counts")
            continue
        found[file] = one
    return TrustFiles(keyring, found, tuple(flaws))


class Renewable(Protocol):
    """A node that takes other keys and arrangements while it runs."""

    def renew(self, trust: Trust, now: Now) -> list[Command]:
        """Go on with other keys and arrangements, or with the same and say why."""
        ...


class Renewal:
    """Looks at the files of one process, and tells its node when they say something else."""

    def __init__(
        self, loaded: LoadedConfig, node: Renewable, began: tuple[TrustFiles, Stamp], check: Check
    ) -> None:
        """Take what the node was started with, and the stamp of the files taken before they were read."""
        held, stamp = began
        self._check = check
        self._loaded = loaded
        self._node = node
        self._held = held
        self._seen = stamp
        self._moving: Stamp | None = None
        self._next_us = 0

    def look(self, now: Now) -> list[Command]:
        """Return what is to be done since files have changed; looks at most once a second."""
        if now.monotonic_us < self._next_us:
            return []
        self._next_us = now.monotonic_us + PERIOD_US
        stamp = stamp_of(self._loaded)
        if stamp == self._seen:
            self._moving = None
            return []
        if stamp != self._moving:
            self._moving = stamp
            return []
        self._seen, self._moving = stamp, None
        found = read_again(self._loaded, self._held, self._check)
        if self._held.keyring.revoked <= found.keyring.revoked:
            self._held = found
        return self._node.renew(found.trust, now)


def stamp_of(loaded: LoadedConfig) -> Stamp:
    """Return the stamp of the keyring and of what is in the directory of arrangements."""
    files = [loaded.file("keyring")]
    if loaded.config.arrangements:
        try:
            files += bundle_files(loaded.file("arrangements"))
        except UsageError:
            files.append(loaded.file("arrangements"))
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> tuple[str, int, int, int]:
    try:
        stat = file.stat()
    except OSError:
        return str(file), 0, 0, 0
    return str(file), stat.st_ino, stat.st_size, stat.st_mtime_ns
