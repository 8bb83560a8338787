"""`beaconfire audit`: verify the audit logs in a journal, and show what was released and refused."""

import argparse
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from beaconfire.audit.checkpoint import Checkpoint, SignedCheckpoint
from beaconfire.audit.merkle import leaf_hash, root_of
from beaconfire.audit.record import AuditRecord, decode_record, flaw_in_log
from beaconfire.cli.keys import read_keyring
from beaconfire.errors import UsageError
from beaconfire.messages.words import HUB
from beaconfire.release.attest import signers_of_checkpoint
from beaconfire.release.keys import Keyring

CHECKPOINTS: Final = "checkpoint/"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("audit", help="verify and show what was released and refused")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="find altered, missing and reordered records")
    verify.add_argument("--keyring", type=Path, metavar="FILE", help="to check the checkpoints' signatures")
    show = actions.add_parser("show", help="print the records")
    show.add_argument("--log", default="", help="only logs whose name begins so, such as gave/KOR")
    for one in (verify, show):
        one.add_argument("journal", type=Path, metavar="JOURNAL", help="SQLite journal of a guard or hub")
        one.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do one action; returns 0, or 1 if a log is flawed.

    Raises:
        UsageError: a file is not usable.
    """
    logs = read_logs(arguments.journal)
    if arguments.action == "show":
        return _show(logs, arguments)
    keyring = read_keyring(arguments.keyring) if arguments.keyring else None
    rows = [_verdict(name, logs, keyring) for name in logs if not name.startswith(CHECKPOINTS)]
    if arguments.json:
        print(msgspec.json.encode(rows).decode())
    else:
        for row in rows:
            print(f"{row['log']:<12} {row['records']:>8} records  {row['flaw'] or 'whole'}")
    return 1 if any(row["flaw"] for row in rows) else 0


def read_logs(journal: Path) -> dict[str, list[bytes]]:
    """Return all logs of a journal, each in order, without writing to it.

    Raises:
        UsageError: no such file, or not a journal.
    """
    if not journal.is_file():
        raise UsageError("no such journal", str(journal))
    logs: dict[str, list[bytes]] = {}
    try:
        connection = sqlite3.connect(f"{journal.resolve().as_uri()}?mode=ro", uri=True)
        try:
            for name, body in connection.execute("SELECT log, body FROM logs ORDER BY id"):
                logs.setdefault(str(name), []).append(bytes(body))
        finally:
            connection.close()
    except (sqlite3.Error, TypeError) as error:
        raise UsageError(f"not a journal: {error}", str(journal)) from error
    return logs


def _verdict(name: str, logs: dict[str, list[bytes]], keyring: Keyring | None) -> dict[str, Any]:
    records, checkpoints = logs[name], logs.get(CHECKPOINTS + name, [])
    flaw = flaw_in_log(records) or flaw_in_checkpoints(name, records, checkpoints, keyring)
    return {"log": name, "records": len(records), "checkpoints": len(checkpoints), "flaw": flaw}


def flaw_in_checkpoints(
    name: str, records: Sequence[bytes], checkpoints: Sequence[bytes], keyring: Keyring | None
) -> str:
    """Return the first checkpoint that the records don't bear out, or an empty string.

    A checkpoint that counts more records than there are shows that the end of the log was cut off.
    """
    leaves = [leaf_hash(one) for one in records]
    for number, body in enumerate(checkpoints):
        try:
            signed = msgspec.msgpack.decode(body, type=SignedCheckpoint)
            said = msgspec.msgpack.decode(signed.body, type=Checkpoint)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return f"checkpoint {number} can't be read: {error}"
        if said.log != name or said.size > len(leaves) or root_of(leaves[: said.size]) != said.root:
            return f"checkpoint {number} counts {said.size} records that are not these"
        if keyring is not None and HUB not in signers_of_checkpoint(signed, keyring):
            return f"checkpoint {number} is not signed by the hub"
    return ""


def _show(logs: dict[str, list[bytes]], arguments: argparse.Namespace) -> int:
    chosen = {
        name: bodies
        for name, bodies in logs.items()
        if name.startswith(arguments.log) and not name.startswith(CHECKPOINTS)
    }
    for name, bodies in chosen.items():
        for number, body in enumerate(bodies):
            try:
                record = decode_record(body)
            except msgspec.MsgspecError as error:
                raise UsageError(f"record {number} can't be read: {error}", name) from error
            print(_line(name, record, as_json=arguments.json))
    return 0


def _line(name: str, record: AuditRecord, *, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode({"log": name, **msgspec.to_builtins(record)}).decode()
    what = record.reason.value if record.reason else ",".join(record.groups)
    rule = f" [{record.rule}]" if record.rule else ""
    return (
        f"{name} {record.index} {record.at_us} {record.outcome} {record.originator}->{record.recipient} "
        f"{record.report_id} {what}{rule}"
    )
