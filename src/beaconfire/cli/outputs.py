"""Files that are whole or not there: written under another name beside their place, then renamed."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from beaconfire.errors import EnvironmentFault


def write_whole(folder: Path, files: Mapping[str, Iterable[bytes]]) -> None:
    """Write files of a folder; either all of them are new and whole, or none is touched.

    Args:
        folder: made if it is not there.
        files: content in pieces, by name.

    Raises:
        EnvironmentFault: the folder can't be written, such as when the disk is full.
    """
    temporary = {name: folder / f".{name}.{os.getpid()}.part" for name in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, pieces in files.items():
            with temporary[name].open("wb") as stream:
                stream.writelines(pieces)
                stream.flush()
                os.fsync(stream.fileno())
        for name, path in temporary.items():
            path.replace(folder / name)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {folder}: {error.strerror}", "choose another place") from error
    finally:
        for path in temporary.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
