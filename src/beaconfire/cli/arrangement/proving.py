"""`arrangement check | prove | diff`: whether it may be adopted, and what it would change."""

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from beaconfire.cli.arrangement.papers import now_us, print_rows, read_paper, read_papers, read_signed
from beaconfire.cli.keys import read_keyring
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import Bundle
from beaconfire.release.arrangements import bundle_of, verify_bundle


def add_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the actions."""
    check = actions.add_parser("check", help="verify bundles: whole, signed, trusted, valid, policies parse")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE")
    check.add_argument("--keyring", type=Path, metavar="FILE", help="keys trusted; none: those in the bundle")
    check.set_defaults(act=_check)
    prove = actions.add_parser("prove", help="prove that nothing leaks and partners are still warned")
    prove.add_argument("papers", nargs="*", metavar="ARRANGEMENT", help="shipped name, bundle or .toml file")
    prove.set_defaults(act=_prove)
    for one in (check, prove):
        one.add_argument("--after", metavar="ARRANGEMENT", help="the version in force that it would follow")
    diff = actions.add_parser("diff", help="who gains and who loses what, with an example each way")
    diff.add_argument("old", metavar="OLD", help="shipped name, bundle or template file")
    diff.add_argument("new", metavar="NEW", help="as OLD")
    diff.set_defaults(act=_diff)
    for one in (check, prove, diff):
        one.add_argument("--json", action="store_true", help="print JSON")


def _check(arguments: argparse.Namespace) -> int:
    trusted = read_keyring(arguments.keyring) if arguments.keyring else None
    before = read_paper(arguments.after) if arguments.after else None
    rows = [_checked(file, trusted, before) for file in arguments.files]
    print_rows(rows, as_json=arguments.json)
    return 0 if all(row["good"] for row in rows) else 1


def _checked(file: Path, trusted: Any, before: Bundle | None) -> dict[str, Any]:
    from beaconfire.release.cedar import check_policies  # noqa: PLC0415 - the engine is loaded only here

    try:
        signed = read_signed(file)
        follows(bundle_of(signed, str(file)), before, str(file))
        agreement = verify_bundle(signed, str(file), now_us=now_us(), trusted=trusted)
        check_policies(agreement.bundle.policies, str(file))
    except UsageError as error:
        return {"file": str(file), "good": False, "digest": "", "fault": str(error)}
    return {"file": str(file), "good": True, "digest": agreement.digest, "fault": ""}


def follows(bundle: Bundle, before: Bundle | None, where: str) -> None:
    """Accept a bundle that may follow another.

    Raises:
        UsageError: it would roll a newer version back, or is another arrangement.
    """
    if before is None:
        return
    if before.arrangement != bundle.arrangement:
        raise UsageError(f"{bundle.arrangement} does not follow {before.arrangement}", where)
    if bundle.version <= before.version:
        raise UsageError(f"version {bundle.version} would roll back version {before.version}", where)


def _prove(arguments: argparse.Namespace) -> int:
    from beaconfire.release.proof.model import terms_of  # noqa: PLC0415 - the solver is loaded only here
    from beaconfire.release.proof.prove import prove  # noqa: PLC0415

    after = terms_of(read_paper(arguments.after)) if arguments.after else None
    rows: list[dict[str, Any]] = []
    for bundle in read_papers(arguments.papers):
        with Console(stderr=True).status(f"proving {bundle.arrangement}"):
            findings = prove(terms_of(bundle), after=after)
        rows += [
            {
                "arrangement": bundle.arrangement,
                "invariant": one.invariant,
                "holds": one.holds,
                "words": one.words,
            }
            for one in findings
        ]
    if arguments.json:
        print_rows(rows, as_json=True)
    else:
        _tell(rows)
    return 0 if all(row["holds"] for row in rows) else 1


def _tell(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        mark = "proved" if row["holds"] else "FAILED"
        print(f"{row['arrangement']:<18} {row['invariant']:<16} {mark}  {row['words']}")


def unproved(bundle: Bundle) -> list[str]:
    """Return what can't be proved of a bundle, in words; empty if all is proved."""
    from beaconfire.release.proof.model import terms_of  # noqa: PLC0415 - the solver is loaded only here
    from beaconfire.release.proof.prove import prove  # noqa: PLC0415

    return [f"{one.invariant}: {one.words}" for one in prove(terms_of(bundle)) if not one.holds]


def _diff(arguments: argparse.Namespace) -> int:
    from beaconfire.release.proof.difference import difference  # noqa: PLC0415 - the solver is loaded only here
    from beaconfire.release.proof.model import terms_of  # noqa: PLC0415

    old, new = read_paper(arguments.old), read_paper(arguments.new)
    changes = difference(terms_of(old), terms_of(new))
    rows = [
        {
            "partner": one.recipient,
            "change": one.change.value,
            "of": one.originator,
            "group": one.group.value,
            "what": one.words,
            "example": one.example.words(),
        }
        for one in changes
    ]
    if not rows and not arguments.json:
        print("no partner gains or loses anything")
        return 0
    print_rows(rows, as_json=arguments.json)
    return 0
