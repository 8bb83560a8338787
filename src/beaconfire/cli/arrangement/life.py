"""`arrangement propose | counter | sign | status | install`: from a first draft to a bundle signed by all."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from beaconfire.adapters.bundles import SUFFIX, install_arrangements, shipped_templates
from beaconfire.adapters.configuration import read_hex
from beaconfire.cli.arrangement.explaining import shadow
from beaconfire.cli.arrangement.papers import (
    DAY_US,
    DAYS_MAX,
    now_us,
    print_rows,
    read_signed,
    template_of,
    write_signed,
)
from beaconfire.cli.arrangement.proving import unproved
from beaconfire.cli.arrangement.words import WORD_SUFFIX, read_word
from beaconfire.cli.keys import read_trusted
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import ArrangementTemplate, KeyClass, PublicKey, SignedBundle
from beaconfire.messages.words import HUB
from beaconfire.release.arrangements import add_signature
from beaconfire.release.explanation import template_from
from beaconfire.release.keys import SigningKey
from beaconfire.release.life import Paper, Stage, Standing, draft, paper_of, standings

FILES_MAX: Final = 1_000


def add_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the actions."""
    propose = actions.add_parser("propose", help="write a draft and sign it as its proposer")
    propose.add_argument("template", metavar="TEMPLATE", help="shipped name, or a .toml file")
    propose.add_argument("--public", type=Path, nargs="+", required=True, metavar="FILE", help="public keys")
    propose.set_defaults(act=_propose)
    counter = actions.add_parser("counter", help="answer a draft by a version of one's own")
    counter.add_argument("draft", type=Path, metavar="DRAFT")
    counter.add_argument("--terms", metavar="TEMPLATE", help="other terms: a .toml file; none: the same")
    counter.add_argument("--public", type=Path, nargs="+", metavar="FILE", help="other keys, if any changed")
    counter.set_defaults(act=_counter)
    for one in (propose, counter):
        one.add_argument("--party", required=True, help="whose version it is")
        one.add_argument("--key", type=Path, required=True, metavar="FILE", help="the party's .seed file")
        one.add_argument("--from", dest="begin", metavar="DATE", help="start of validity, UTC (default: now)")
        one.add_argument("--days", type=int, default=365, help="validity (default 365)")
        one.add_argument("--out", type=Path, required=True, metavar="FILE")
    sign = actions.add_parser("sign", help="add one party's signature, once everything is proved")
    sign.add_argument("files", type=Path, nargs="+", metavar="FILE")
    sign.add_argument("--party", required=True)
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="the party's .seed file")
    sign.set_defaults(act=_sign)
    status = actions.add_parser("status", help="say who has signed, what is open, what is in force")
    status.add_argument("files", type=Path, nargs="+", metavar="FILE", help="bundles, words, folders of them")
    status.add_argument("--shadow", type=Path, metavar="RECORDING", help="what they would release of it")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.set_defaults(act=_status)
    _add_install(actions)


def _add_install(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    install = actions.add_parser("install", help="write the shipped arrangements, signed with these keys")
    install.add_argument("--keys", type=Path, required=True, metavar="DIR", help="the parties' .seed files")
    install.add_argument("--out", type=Path, required=True, metavar="DIR")
    install.add_argument("--days", type=int, default=30, help="validity (default 30)")
    classes = ["simulation", "exercise"]
    install.add_argument("--class", dest="key_class", default="simulation", choices=classes)
    install.set_defaults(act=_install)


def _validity(arguments: argparse.Namespace) -> tuple[int, int]:
    if not 0 < arguments.days <= DAYS_MAX:
        raise UsageError(f"{arguments.days} days", "--days", f"1 to {DAYS_MAX}")
    begin_us = now_us()
    if getattr(arguments, "begin", None):
        try:
            begin = datetime.fromisoformat(arguments.begin)
        except ValueError as error:
            raise UsageError(f"not a date: {arguments.begin}", "--from", "such as 2026-12-01") from error
        zoned = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
        begin_us = int(zoned.timestamp() * 1_000_000)
    return begin_us, begin_us + arguments.days * DAY_US


def _propose(arguments: argparse.Namespace) -> int:
    template = template_of(arguments.template)
    keys = [key for file in arguments.public for key in read_trusted(file)]
    return _write_draft(arguments, template, keys, None)


def _counter(arguments: argparse.Namespace) -> int:
    answered = paper_of(read_signed(arguments.draft), str(arguments.draft))
    template = template_of(arguments.terms) if arguments.terms else template_from(answered.bundle)
    keys = [key for file in arguments.public or () for key in read_trusted(file)]
    return _write_draft(arguments, template, keys or list(answered.bundle.keys), answered)


def _write_draft(
    arguments: argparse.Namespace,
    template: ArrangementTemplate,
    keys: list[PublicKey],
    answered: Paper | None,
) -> int:
    made = draft(
        template,
        keys,
        proposed_by=arguments.party,
        validity_us=_validity(arguments),
        counters=answered,
    )
    signed = _signed(made, arguments.party, arguments.key, str(arguments.out))
    if signed is None:
        return 1
    if arguments.out.exists():
        raise UsageError("there is a file already", str(arguments.out), "a new file")
    write_signed(arguments.out, signed)
    bundle = paper_of(signed, str(arguments.out)).bundle
    said = f"counters version {answered.bundle.version}" if answered else "proposed"
    print(f"{arguments.out}: {bundle.arrangement} version {bundle.version}, {said} by {arguments.party}")
    return 0


def _signed(signed: SignedBundle, party: str, seed: Path, where: str) -> SignedBundle | None:
    """Return the bundle with a party's signature, or None (and say why) if it can't be proved."""
    bundle = paper_of(signed, where).bundle
    key = SigningKey(party, bundle.key_class, read_hex(seed))
    if key.public not in bundle.keys:
        raise UsageError(f"not the key of {party} in this bundle", str(seed))
    faults = unproved(bundle)
    for fault in faults:
        print(f"{where}: not signed: {fault}")
    return None if faults else add_signature(signed, key)


def _sign(arguments: argparse.Namespace) -> int:
    status = 0
    for file in arguments.files:
        signed = _signed(read_signed(file), arguments.party, arguments.key, str(file))
        if signed is None:
            status = 1
            continue
        write_signed(file, signed)
        key_id = next(one.key_id for one in signed.signatures if one.party == arguments.party)
        print(f"{file}: signed by {arguments.party} ({key_id})")
    return status


def _status(arguments: argparse.Namespace) -> int:
    files = list(_files(arguments.files))
    papers = [paper_of(read_signed(one), str(one)) for one in files if not one.name.endswith(WORD_SUFFIX)]
    words = [read_word(one) for one in files if one.name.endswith(WORD_SUFFIX)]
    held = standings(papers, words, now_us())
    if arguments.shadow is not None:
        rows = shadow([one.bundle for one in papers], arguments.shadow)
        print_rows(rows, as_json=arguments.json, title="in shadow: nothing is released")
        return 0
    print_rows([_row(one) for one in held], as_json=arguments.json)
    return 1 if any(one.stage in {Stage.PROPOSED, Stage.VOID} for one in held) else 0


def _files(given: list[Path]) -> Iterator[Path]:
    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = sorted(one for suffix in (SUFFIX, WORD_SUFFIX) for one in path.glob(f"*{suffix}"))
        if not found or len(found) > FILES_MAX:
            wanted = f"1 to {FILES_MAX} files *{SUFFIX} and *{WORD_SUFFIX}"
            raise UsageError(f"{len(found)} papers", str(path), wanted)
        yield from found


def _row(one: Standing) -> dict[str, Any]:
    return {
        "arrangement": one.arrangement,
        "version": one.version,
        "stage": one.stage.value,
        "because": one.because,
        "proposed_by": one.proposed_by,
        "signed": list(one.signed),
        "open": list(one.open),
        "until": datetime.fromtimestamp(one.valid_until_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "digest": one.digest,
    }


def _install(arguments: argparse.Namespace) -> int:
    begin_us, until_us = _validity(arguments)
    key_class = KeyClass(arguments.key_class.upper())
    parties = {party for one in shipped_templates().values() for party in one.parties} | {HUB}
    keys = {
        party: SigningKey(party, key_class, read_hex(arguments.keys / f"{party}.seed"))
        for party in sorted(parties)
    }
    for file in install_arrangements(keys, arguments.out, valid_from_us=begin_us, valid_until_us=until_us):
        print(file)
    return 0
