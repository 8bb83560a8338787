"""`beaconfire keys`: make, rotate and revoke signing keys, show fingerprints, put public keys into a keyring.

Each party makes its own key and hands over only the public half; the fingerprint is compared over another
channel before it goes into a keyring. A keyring file is never changed: each action writes the next one.
"""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.configuration import read_hex
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.arrangement import KeyClass, PublicKey, TrustedKey
from beaconfire.messages.strict_json import decode_json
from beaconfire.messages.words import HUB
from beaconfire.release.keys import (
    SEED_BYTES,
    Keyring,
    Rotation,
    SigningKey,
    fingerprint,
    is_rotation_good,
    rotation_to,
)
from beaconfire.units import microseconds_from_seconds

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
    _add_changes(actions)


def _add_changes(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    rotate = actions.add_parser("rotate", help="make a party's next key, and the old one's word for it")
    rotate.add_argument("party", help="whose")
    rotate.add_argument("--key", type=Path, required=True, metavar="SEED", help="the key until now")
    classes = [one.value.lower() for one in KeyClass]
    rotate.add_argument(
        "--class", dest="key_class", choices=classes, default=KeyClass.SIMULATION.value.lower()
    )
    rotate.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the new files go")
    accept = actions.add_parser("accept", help="put a party's next key into a keyring beside its old one")
    accept.add_argument("keyring", type=Path)
    accept.add_argument("rotation", type=Path, help="the party's PARTY.rotation.json")
    accept.add_argument("--fingerprint", required=True, help="of the new key, as heard over another channel")
    revoke = actions.add_parser("revoke", help="mark a key in a keyring as trusted no more")
    revoke.add_argument("keyring", type=Path)
    revoke.add_argument("fingerprint", help="of the key")
    revoke.add_argument("--from", dest="since", metavar="TIME", help="UTC, ISO 8601; nothing: now")
    for one in (accept, revoke):
        one.add_argument("--out", type=Path, required=True, metavar="FILE", help="the next keyring")


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
        case "rotate":
            _rotate(arguments)
        case "accept":
            _accept(arguments)
        case "revoke":
            _revoke(arguments)
    return 0


def _rotate(arguments: argparse.Namespace) -> None:
    """Make the next key in a directory that holds none, and have the old one vouch for it."""
    old = SigningKey(arguments.party, KeyClass(arguments.key_class.upper()), read_hex(arguments.key))
    new = make_key(arguments.party, old.public.key_class, arguments.out)
    path = arguments.out / f"{arguments.party}.rotation.json"
    _write_new(path, msgspec.json.encode(rotation_to(new, old)), 0o644)
    print(f"{new.party} {new.key_class} {old.key_id} is followed by {fingerprint(new)}")


def _accept(arguments: argparse.Namespace) -> None:
    keys, path = read_public(arguments.keyring), arguments.rotation
    try:
        rotation = decode_json(_read(path), Rotation)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not a rotation: {error}", str(path), "what keys rotate writes") from error
    if not is_rotation_good(rotation, read_keyring(arguments.keyring)):
        raise UsageError("no key trusted here vouches for the new one", str(path), "signed with the old key")
    if fingerprint(rotation.new) != arguments.fingerprint:
        raise UsageError(f"its fingerprint is {fingerprint(rotation.new)}", str(path), arguments.fingerprint)
    new = TrustedKey(rotation.new.party, rotation.new.key_class, rotation.new.public)
    _ring([*keys, new], arguments.out)


def _revoke(arguments: argparse.Namespace) -> None:
    keys = read_public(arguments.keyring)
    if arguments.fingerprint not in {fingerprint(one) for one in keys}:
        raise UsageError("no such key", str(arguments.keyring), "a fingerprint that keys show prints")
    since_us = _time_us(arguments.since) if arguments.since else wall_now_us()
    marked = [
        msgspec.structs.replace(one, revoked_from_us=since_us)
        if fingerprint(one) == arguments.fingerprint
        else one
        for one in keys
    ]
    _ring(marked, arguments.out)


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


def _time_us(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"not a time: {text!r}", "--from", "2026-11-25T12:00:00Z") from error
    return microseconds_from_seconds(at.replace(tzinfo=at.tzinfo or UTC).timestamp())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAXIMUM_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path)) from error


def read_public(path: Path) -> tuple[TrustedKey, ...]:
    """Return the public keys in a file, the revoked ones of a keyring too.

    Raises:
        UsageError: unreadable, or not public keys.
    """
    try:
        return decode_json(_read(path), tuple[TrustedKey, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not public keys: {error}", str(path), "a JSON list of public keys") from error


def read_trusted(path: Path) -> list[PublicKey]:
    """Return the public keys in a file for a new arrangement; raises `UsageError` if one is revoked."""
    keys = read_public(path)
    for one in keys:
        if one.revoked_from_us is not None:
            raise UsageError(f"a revoked key of {one.party}", str(path), "keys that are trusted")
    return [PublicKey(one.party, one.key_class, one.public) for one in keys]


def read_keyring(path: Path) -> Keyring:
    """Return the keyring in a file.

    Raises:
        UsageError: unreadable, empty, or keys of several classes.
    """
    keys = read_public(path)
    if not keys:
        raise UsageError("no keys in it", str(path))
    return Keyring(keys[0].key_class, keys)


def _show(keys: list[TrustedKey], *, as_json: bool) -> None:
    rows = [
        {
            "party": one.party,
            "class": one.key_class.value,
            "fingerprint": fingerprint(one),
            "revoked_from_us": one.revoked_from_us,
        }
        for one in keys
    ]
    if as_json:
        print(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        revoked = "" if row["revoked_from_us"] is None else "  revoked"
        print(f"{row['party']:<4} {row['class']:<10} {row['fingerprint']}{revoked}")


def _ring(keys: list[TrustedKey], out: Path) -> None:
    if not keys:
        raise UsageError("no keys given")
    Keyring(keys[0].key_class, keys)
    _write_new(out, msgspec.json.encode(tuple(keys)), 0o644)
    print(f"{out}: {len(keys)} keys of class {keys[0].key_class}")
