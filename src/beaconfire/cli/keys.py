"""`beaconfire keys`: make a party's signing key, show fingerprints, put public keys into a keyring.

Each party makes its own key and hands over only the public half; the fingerprint is compared over another
channel before it goes into a keyring.
"""

import argparse
import os
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.arrangement import KeyClass, PublicKey
from beaconfire.messages.words import HUB
from beaconfire.release.keys import SEED_BYTES, Keyring, SigningKey, fingerprint

PRIVATE_MODE: Final = 0o600
MAXIMUM_BYTES: Final = 1_000_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("keys", help="make and show keys")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("make", help="make a party's signing key and its public half")
    make.add_argument("party", help="ISO 3166-1 alpha-3 code of the nation, or HUB")
    classes = [one.value.lower() for one in KeyClass]
    make.add_argument("--class", dest="key_class", choices=classes, default=KeyClass.SIMULATION.value.lower())
    make.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the two files go")
    show = actions.add_parser("show", help="show the fingerprints of public keys and keyrings")
    show.add_argument("files", type=Path, nargs="+", metavar="FILE")
    show.add_argument("--json", action="store_true", help="print JSON")
    ring = actions.add_parser("ring", help="put public keys, once compared, into a keyring")
    ring.add_argument("files", type=Path, nargs="+", metavar="FILE")
    ring.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Do one action and return 0.

    Raises:
        UsageError: a file or a value is not usable.
        EnvironmentFault: a file can't be written.
    """
    match arguments.action:
        case "make":
            key_class = KeyClass(arguments.key_class.upper())
            public = make_key(arguments.party, key_class, arguments.out)
            print(f"{public.party} {public.key_class} {fingerprint(public)}")
        case "show":
            _show([key for file in arguments.files for key in read_public(file)], as_json=arguments.json)
        case "ring":
            _ring([key for file in arguments.files for key in read_public(file)], arguments.out)
    return 0


def make_key(party: str, key_class: KeyClass, directory: Path) -> PublicKey:
    """Make a signing key from the machine's own randomness; write seed and public half; return the latter.

    Raises:
        UsageError: not a party.
        EnvironmentFault: there is one already, or it can't be written.
    """
    if party != HUB and not (len(party) == 3 and party.isascii() and party.isalpha() and party.isupper()):
        raise UsageError(f"not a party: {party!r}", "PARTY", "three capital letters, or HUB")
    seed = os.urandom(SEED_BYTES)
    key = SigningKey(party, key_class, seed)
    _write_new(directory / f"{party}.seed", seed.hex().encode() + b"\n", PRIVATE_MODE)
    _write_new(directory / f"{party}.public.json", msgspec.json.encode((key.public,)), 0o644)
    return key.public


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(data)
    except FileExistsError as error:
        raise EnvironmentFault(f"{path} is there already", "a key is never overwritten") from error
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}", "choose another place") from error


def read_public(path: Path) -> tuple[PublicKey, ...]:
    """Return the public keys in a file.

    Raises:
        UsageError: unreadable, or not public keys.
    """
    try:
        with path.open("rb") as stream:
            return msgspec.json.decode(stream.read(MAXIMUM_BYTES), type=tuple[PublicKey, ...])
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not public keys: {error}", str(path), "a JSON list of public keys") from error


def read_keyring(path: Path) -> Keyring:
    """Return the keyring in a file.

    Raises:
        UsageError: unreadable, empty, or keys of several classes.
    """
    keys = read_public(path)
    if not keys:
        raise UsageError("no keys in it", str(path))
    return Keyring(keys[0].key_class, keys)


def _show(keys: list[PublicKey], *, as_json: bool) -> None:
    rows = [
        {"party": one.party, "class": one.key_class.value, "fingerprint": fingerprint(one)} for one in keys
    ]
    if as_json:
        print(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        print(f"{row['party']:<4} {row['class']:<10} {row['fingerprint']}")


def _ring(keys: list[PublicKey], out: Path) -> None:
    if not keys:
        raise UsageError("no keys given")
    Keyring(keys[0].key_class, keys)
    _write_new(out, msgspec.json.encode(tuple(keys)), 0o644)
    print(f"{out}: {len(keys)} keys of class {keys[0].key_class}")
