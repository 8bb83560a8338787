"""`beaconfire audit`: verify the logs in a journal, show them, move them away, prove what stands in one."""

import argparse
import base64
import binascii
import json
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from beaconfire.audit.record import AuditRecord, decode_record
from beaconfire.audit.stitching import stitch
from beaconfire.audit.verifier import (
    Found,
    Start,
    flaw_in_seams,
    flaw_in_signatures,
    leads_to,
    path_of,
    verify_log,
)
from beaconfire.errors import UsageError

CHECKPOINTS: Final = "checkpoint/"
AUDITED: Final = ("gave/", "given/", "guard/")
MAXIMUM_BYTES: Final = 1_000_000

KEEP: Final = 10_000

Keys = list[dict[str, Any]]


class AuditFile(NamedTuple):
    """Logs of one file, by name, and where each goes on after what was moved away before."""

    logs: dict[str, list[bytes]]
    seams: dict[str, Start]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("audit", help="verify and show what was released and refused")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="find altered, missing and reordered records, and forks")
    verify.add_argument("--against", type=Path, nargs="+", default=[], metavar="JOURNAL", help="copies")
    show = actions.add_parser("show", help="print the records")
    show.add_argument("--log", default="", help="only logs whose name begins so, such as gave/KOR")
    prove = actions.add_parser("prove-inclusion", help="prove that a record stands in a log, as JSON")
    prove.add_argument("--log", required=True, help="name, such as given/JPN")
    prove.add_argument("--index", type=int, required=True, metavar="N", help="of the record, from 0")
    rotate = actions.add_parser("rotate", help="move all but the newest records to an archive")
    rotate.add_argument("--out", type=Path, required=True, metavar="FILE", help="archive to be made")
    rotate.add_argument("--keep", type=int, default=KEEP, metavar="N", help="records of each log that stay")
    for one in (verify, prove):
        one.add_argument(
            "--archive", type=Path, nargs="+", default=[], metavar="FILE", help="all that were moved away"
        )
    for one in (verify, show, prove, rotate):
        one.add_argument("journal", type=Path, metavar="JOURNAL", help="SQLite journal of a guard or hub")
    for one in (verify, show, rotate):
        one.add_argument("--json", action="store_true", help="print JSON")
    check = actions.add_parser("check-inclusion", help="check such a proof, without the journal")
    check.add_argument("proof", type=Path, metavar="FILE", help="what prove-inclusion printed")
    for one in (verify, check):
        one.add_argument("--keyring", type=Path, metavar="FILE", help="to check the checkpoints' signatures")


def run(arguments: argparse.Namespace) -> int:
    """Do one action; returns 0, or 1 if a log or a proof is flawed.

    Raises:
        UsageError: a file is not usable.
    """
    match arguments.action:
        case "verify":
            return _verify(arguments)
        case "show":
            return _show(read_logs(arguments.journal), arguments)
        case "rotate":
            return _rotate(arguments)
        case "prove-inclusion":
            return _prove(arguments)
        case _:
            return _check(arguments)


def _verify(arguments: argparse.Namespace) -> int:
    keys = read_keys(arguments.keyring) if arguments.keyring else None
    files = [read_file(one) for one in (*arguments.archive, arguments.journal)]
    elsewhere = [read_logs(one) for one in arguments.against]
    found = verify_files(files, keys, elsewhere)
    if arguments.json:
        rows = [{**msgspec.to_builtins(one), **_counts(one, files)} for one in found]
        print(json.dumps(rows))
    else:
        for one in found:
            since = f" from record {one.first}" if one.first else ""
            print(
                f"{one.log:<12} {one.records:>8} records{since}, {one.signed} signed for by the hub, "
                f"{one.vouched} vouched for by the nation  {one.flaw or 'whole'}"
            )
    return 1 if any(one.flaw for one in found) else 0


def _counts(found: Found, files: Sequence[AuditFile]) -> dict[str, int]:
    return {"checkpoints": sum(len(one.logs.get(CHECKPOINTS + found.log, [])) for one in files)}


def _rotate(arguments: argparse.Namespace) -> int:
    """Move records away, unless something is wrong with what there is."""
    from beaconfire.adapters.archive import rotate  # noqa: PLC0415 - what verifies stays apart from what writes

    if arguments.keep < 1:
        raise UsageError(f"{arguments.keep} records", "--keep", "1 or more")
    found = verify_files([read_file(arguments.journal)], None, [])
    flawed = [one for one in found if one.flaw]
    for one in flawed:
        print(f"{one.log}: {one.flaw}; nothing was moved", file=sys.stderr)
    if flawed:
        return 1
    moved = rotate(arguments.journal, arguments.out, keep=arguments.keep)
    if arguments.json:
        print(json.dumps([msgspec.to_builtins(one) for one in moved]))
        return 0
    for cut in moved:
        print(f"{cut.log:<12} records {cut.first} to {cut.size - 1} moved, {cut.kept} stay")
    if not moved:
        print(f"no log holds more than {arguments.keep} records; nothing was moved")
    return 0


def _prove(arguments: argparse.Namespace) -> int:
    files = [read_file(one) for one in (*arguments.archive, arguments.journal)]
    name = arguments.log
    whole = stitch([one.logs.get(name, []) for one in files])
    if whole.flaw or whole.first:
        raise UsageError(whole.flaw or f"records before {whole.first} are in archives", name, "--archive")
    checkpoints = [body for one in files for body in one.logs.get(CHECKPOINTS + name, [])]
    print(json.dumps(proof_of({name: whole.records, CHECKPOINTS + name: checkpoints}, name, arguments.index)))
    return 0


def verify_logs(
    logs: dict[str, list[bytes]], keys: Keys | None, elsewhere: list[dict[str, list[bytes]]]
) -> list[Found]:
    """Return what is wrong with each audit log of one journal of which nothing was moved."""
    return verify_files([AuditFile(logs, {})], keys, elsewhere)


def verify_files(
    files: Sequence[AuditFile], keys: Keys | None, elsewhere: list[dict[str, list[bytes]]]
) -> list[Found]:
    """Return what is wrong with each audit log that one journal and its archives make together.

    A log of which only checkpoints are left counts as cut off, not as one that never was. Of one file alone
    what was moved away is taken as its seam says; of several, all must be there.

    Args:
        files: archives in any order, and the journal.
        keys: public keys, or None to leave signatures unverified.
        elsewhere: logs of copies, or of a nation's own guard, to find two histories.
    """
    names = {name for one in files for name in one.logs if name.startswith(AUDITED)}
    names |= {
        name.removeprefix(CHECKPOINTS) for one in files for name in one.logs if name.startswith(CHECKPOINTS)
    }
    names |= {name for one in files for name in one.seams}
    return [_verified(name, files, keys, elsewhere) for name in sorted(names)]


def _verified(
    name: str, files: Sequence[AuditFile], keys: Keys | None, elsewhere: list[dict[str, list[bytes]]]
) -> Found:
    whole = stitch([one.logs.get(name, []) for one in files])
    seams = [one.seams[name] for one in files if name in one.seams]
    start = next(
        (one for one in seams if len(files) == 1 and (one[0] == whole.first or not whole.records)), None
    )
    found = verify_log(
        name,
        whole.records,
        [body for one in files for body in one.logs.get(CHECKPOINTS + name, [])],
        keys,
        [body for copy in elsewhere for body in copy.get(CHECKPOINTS + name, [])],
        start=start or (0, ()),
    )
    missing = f"records 0 to {whole.first - 1} are missing: a file is not there"
    flaw = whole.flaw or (missing if whole.first and start is None else "")
    flaw = flaw or found.flaw or ("" if start else flaw_in_seams(seams, whole.records))
    return msgspec.structs.replace(found, flaw=flaw)


def read_logs(journal: Path) -> dict[str, list[bytes]]:
    """Return all logs of a journal, each in order, without writing to it.

    Offers that a guard wrote down as evidence count as checkpoints of the log that they are of.

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
    for name in [name for name in logs if name.startswith("evidence/")]:
        for body in logs.pop(name):
            offer = msgspec.msgpack.decode(body)
            signed = {"body": offer["body"], "signatures": [["HUB", offer["key_id"], offer["signature"]]]}
            logs.setdefault(CHECKPOINTS + offer["log"], []).append(msgspec.msgpack.encode(signed))
    return logs


def read_file(path: Path) -> AuditFile:
    """Return the logs of a journal or an archive and where they go on after what was moved away before.

    Raises:
        UsageError: no such file, or not a journal.
    """
    logs = read_logs(path)
    seams: dict[str, Start] = {}
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            for (body,) in connection.execute("SELECT body FROM state WHERE key LIKE 'seam/%'"):
                said = msgspec.msgpack.decode(body)
                seams[str(said["log"])] = (int(said["size"]), tuple(map(tuple, said["spans"])))
        finally:
            connection.close()
    except (sqlite3.Error, msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"a seam can't be read: {error}", str(path)) from error
    return AuditFile(logs, seams)


def read_keys(path: Path) -> Keys:
    """Return the public keys of a keyring file, plain, read without the code that wrote it.

    Raises:
        UsageError: unreadable, or not a keyring.
    """
    try:
        with path.open("rb") as stream:
            stated = json.loads(stream.read(MAXIMUM_BYTES))
        return [{**one, "public": base64.b64decode(one["public"], validate=True)} for one in stated]
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path)) from error
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise UsageError(f"not public keys: {error}", str(path), "a JSON list of public keys") from error


def proof_of(logs: dict[str, list[bytes]], name: str, index: int) -> dict[str, Any]:
    """Return what shows to anybody that a record stands in a log: record, path, and a checkpoint over it.

    The newest checkpoint is taken that the nation cosigned, or else the hub's newest.

    Raises:
        UsageError: no such record, or no checkpoint that covers it yet.
    """
    records = logs.get(name, [])
    covering = []
    for body in logs.get(CHECKPOINTS + name, []):
        outer = msgspec.msgpack.decode(body)
        said = msgspec.msgpack.decode(outer["body"])
        if index < said["size"] <= len(records):
            covering.append((len(outer["signatures"]), said["size"], body))
    if not 0 <= index < len(records):
        raise UsageError(f"no record {index}", name, f"0 to {len(records) - 1}")
    if not covering:
        raise UsageError(f"no checkpoint covers record {index} yet", name, "one within a minute")
    _, size, checkpoint = max(covering, key=lambda one: one[:2])
    return {
        "log": name,
        "index": index,
        "size": size,
        "record": records[index].hex(),
        "path": [one.hex() for one in path_of(records[:size], index)],
        "checkpoint": checkpoint.hex(),
    }


def flaw_in_proof(proof: dict[str, Any], keys: Keys | None) -> str:
    """Return why a proof of inclusion shows nothing, or an empty string."""
    try:
        record, checkpoint = bytes.fromhex(proof["record"]), bytes.fromhex(proof["checkpoint"])
        path = [bytes.fromhex(one) for one in proof["path"]]
        said = msgspec.msgpack.decode(msgspec.msgpack.decode(checkpoint)["body"])
        place = (proof["index"], proof["size"])
        if said["size"] != proof["size"] or said["log"] != proof["log"]:
            return "the checkpoint is of another log or size"
        if msgspec.msgpack.decode(record)["index"] != proof["index"]:
            return "the record stands elsewhere"
        if not leads_to(record, place, path, said["root"]):
            return "the path does not lead from the record to the checkpoint"
        return flaw_in_signatures(proof["log"], checkpoint, keys)
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        return f"not a proof: {error}"


def _check(arguments: argparse.Namespace) -> int:
    try:
        with arguments.proof.open("rb") as stream:
            proof = json.loads(stream.read(MAXIMUM_BYTES))
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(arguments.proof)) from error
    except ValueError as error:
        raise UsageError(f"not a proof: {error}", str(arguments.proof), "JSON of prove-inclusion") from error
    keys = read_keys(arguments.keyring) if arguments.keyring else None
    flaw = flaw_in_proof(proof, keys)
    print(flaw or f"{proof['log']} holds it as record {proof['index']} of {proof['size']}")
    return 1 if flaw else 0


def _show(logs: dict[str, list[bytes]], arguments: argparse.Namespace) -> int:
    chosen = {
        name: bodies
        for name, bodies in logs.items()
        if name.startswith(arguments.log) and name.startswith(AUDITED)
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
