"""`beaconfire arrangement`: install, show, check, sign and explain sharing arrangements."""

import argparse
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from beaconfire.adapters.bundles import install_arrangements, read_bounded, shipped_templates
from beaconfire.adapters.configuration import read_hex
from beaconfire.cli.keys import read_keyring
from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.arrangement import Bundle, Flow, KeyClass, SignedBundle
from beaconfire.messages.words import HUB
from beaconfire.release.arrangements import add_signature, bundle_of, read_bundle, verify_bundle
from beaconfire.release.keys import SigningKey, fingerprint


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("arrangement", help="install, show, check and sign arrangements")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    install = actions.add_parser("install", help="write the shipped arrangements, signed with these keys")
    install.add_argument("--keys", type=Path, required=True, metavar="DIR", help="the parties' .seed files")
    install.add_argument("--out", type=Path, required=True, metavar="DIR")
    install.add_argument("--days", type=int, default=30, help="validity (default 30)")
    install.add_argument(
        "--class", dest="key_class", default="simulation", choices=["simulation", "exercise"]
    )
    show = actions.add_parser("show", help="show the shipped arrangements, or bundles")
    show.add_argument("files", type=Path, nargs="*", metavar="FILE")
    show.add_argument("--policies", action="store_true", help="print the Cedar text too")
    check = actions.add_parser("check", help="verify bundles: whole, signed, trusted, valid, policies parse")
    status = actions.add_parser("status", help="say who has signed and what is still open")
    sign = actions.add_parser("sign", help="add one party's signature")
    for one in (check, status, sign):
        one.add_argument("files", type=Path, nargs="+", metavar="FILE")
    check.add_argument("--keyring", type=Path, metavar="FILE", help="keys trusted; none: those in the bundle")
    sign.add_argument("--party", required=True)
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="the party's .seed file")
    for one in (show, check, status):
        one.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do one action; returns 0, or 1 if a check or status found something open.

    Raises:
        UsageError: a file or a value is not usable.
        EnvironmentFault: a file can't be written.
    """
    match arguments.action:
        case "install":
            return _install(arguments)
        case "show":
            return _show(arguments)
        case "check":
            return _check(arguments)
        case "status":
            return _status(arguments)
        case _:
            return _sign(arguments)


def _now_us() -> int:
    return time.time_ns() // 1_000


def _install(arguments: argparse.Namespace) -> int:
    if not 0 < arguments.days <= 3_660:
        raise UsageError(f"{arguments.days} days", "--days", "1 to 3660")
    key_class = KeyClass(arguments.key_class.upper())
    parties = {party for one in shipped_templates().values() for party in one.parties} | {HUB}
    keys = {
        party: SigningKey(party, key_class, read_hex(arguments.keys / f"{party}.seed"))
        for party in sorted(parties)
    }
    now_us = _now_us()
    until_us = now_us + arguments.days * 86_400_000_000
    for file in install_arrangements(keys, arguments.out, valid_from_us=now_us, valid_until_us=until_us):
        print(file)
    return 0


def _flow_words(flows: Iterable[Flow]) -> list[str]:
    return [_flow_line(flow) for flow in flows]


def _flow_line(flow: Flow) -> str:
    limits = [
        f"launch point on a {flow.launch_point_grid_m / 1_000:g} km grid" if flow.launch_point_grid_m else "",
        "trajectory after burnout only" if flow.coast_only else "",
        "opaque sensor names" if flow.opaque_sensors else "",
    ]
    said = "; ".join([", ".join(flow.groups), *(one for one in limits if one)])
    return f"{flow.originator} -> {flow.recipient}: {said}"


def _describe(bundle: Bundle, *, policies: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "arrangement": bundle.arrangement,
        "version": bundle.version,
        "parties": list(bundle.parties),
        "valid_from_us": bundle.valid_from_us,
        "valid_until_us": bundle.valid_until_us,
        "key_class": bundle.key_class.value,
        "keys": {key.party: fingerprint(key) for key in bundle.keys},
        "flows": _flow_words(bundle.flows),
    }
    return described | ({"policies": bundle.policies} if policies else {})


def _show(arguments: argparse.Namespace) -> int:
    rows = [
        _describe(bundle_of(_read(file), str(file)), policies=arguments.policies) for file in arguments.files
    ]
    for one in () if arguments.files else shipped_templates().values():
        shipped = {"arrangement": one.arrangement, "version": one.version, "parties": list(one.parties)}
        text = {"policies": one.policies} if arguments.policies else {}
        rows.append(shipped | {"flows": _flow_words(one.flows)} | text)
    _print(rows, as_json=arguments.json)
    return 0


def _read(file: Path) -> SignedBundle:
    return read_bundle(read_bounded(file), str(file))


def _check(arguments: argparse.Namespace) -> int:
    from beaconfire.release.cedar import check_policies  # noqa: PLC0415 - the engine is loaded only here

    trusted = read_keyring(arguments.keyring) if arguments.keyring else None
    rows: list[dict[str, Any]] = []
    for file in arguments.files:
        try:
            agreement = verify_bundle(_read(file), str(file), now_us=_now_us(), trusted=trusted)
            check_policies(agreement.bundle.policies, str(file))
            rows.append({"file": str(file), "good": True, "digest": agreement.digest})
        except UsageError as error:
            rows.append({"file": str(file), "good": False, "fault": str(error)})
    _print(rows, as_json=arguments.json)
    return 0 if all(row["good"] for row in rows) else 1


def _status(arguments: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = []
    for file in arguments.files:
        signed = _read(file)
        bundle = bundle_of(signed, str(file))
        signers = [mark.party for mark in signed.signatures]
        still_open = [party for party in bundle.required_signers if party not in signers]
        rows.append({"arrangement": bundle.arrangement, "signed": signers, "open": still_open})
    _print(rows, as_json=arguments.json)
    return 1 if any(row["open"] for row in rows) else 0


def _sign(arguments: argparse.Namespace) -> int:
    for file in arguments.files:
        signed = _read(file)
        bundle = bundle_of(signed, str(file))
        key = SigningKey(arguments.party, bundle.key_class, read_hex(arguments.key))
        if key.public not in bundle.keys:
            raise UsageError(f"not the key of {arguments.party} in this bundle", str(arguments.key))
        try:
            file.write_bytes(msgspec.json.encode(add_signature(signed, key)))
        except OSError as error:
            raise EnvironmentFault(f"cannot write {file}: {error.strerror}") from error
        print(f"{file}: signed by {arguments.party} ({key.key_id})")
    return 0


def _print(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        for name, value in row.items():
            values = value if isinstance(value, list) else [value]
            print(f"{name}: {', '.join(map(str, values))}" if name != "flows" else "flows:")
            for line in value if name == "flows" else ():
                print(f"  {line}")
        print()
