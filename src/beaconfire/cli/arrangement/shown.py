"""`arrangement show`: who may have what of whom, how coarse, and by which rule."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from beaconfire.adapters.bundles import write_template
from beaconfire.cli.arrangement.papers import print_rows, read_papers
from beaconfire.messages.arrangement import Bundle, KeyClass
from beaconfire.messages.label import Label
from beaconfire.messages.words import Level, Mode, Nation
from beaconfire.release.explanation import Fate, Line, Reader, pairs_of, template_from
from beaconfire.release.keys import fingerprint

AGE_US = 5_000_000
"""An ordinary report: a few seconds old, restricted, under originator control."""


def add_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action."""
    show = actions.add_parser("show", help="show what leaves whom for whom, how coarse, by which rule")
    show.add_argument("papers", nargs="*", metavar="ARRANGEMENT", help="shipped name, bundle or .toml file")
    show.add_argument("--policies", action="store_true", help="print the Cedar text too")
    show.add_argument("--write", type=Path, metavar="DIR", help="write each as a template, to change it")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(act=_show)


def _show(arguments: argparse.Namespace) -> int:
    bundles = read_papers(arguments.papers)
    if arguments.write is not None:
        for one in bundles:
            print(write_template(template_from(one), arguments.write))
        return 0
    if arguments.json:
        print(msgspec.json.encode([_described(one, policies=arguments.policies) for one in bundles]).decode())
        return 0
    for one in bundles:
        print(_headline(one))
        print_rows(_rows(one), as_json=False)
        if arguments.policies:
            print(one.policies)
    return 0


def _headline(bundle: Bundle) -> str:
    signers = ", ".join(bundle.required_signers)
    return f"{bundle.arrangement} version {bundle.version}: signed by {signers}; lease {bundle.lease_s} s"


def _described(bundle: Bundle, *, policies: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "arrangement": bundle.arrangement,
        "version": bundle.version,
        "parties": list(bundle.parties),
        "required_signers": list(bundle.required_signers),
        "valid_from_us": bundle.valid_from_us,
        "valid_until_us": bundle.valid_until_us,
        "lease_s": bundle.lease_s,
        "keys": {key.party: fingerprint(key) for key in bundle.keys},
        "flows": [
            msgspec.to_builtins(line) | {"originator": originator}
            for originator, lines in _fates(bundle)
            for line in lines
        ],
    }
    return described | ({"policies": bundle.policies} if policies else {})


def ordinary_label(originator: Nation, parties: Iterable[Nation], level: Level = Level.RESTRICTED) -> Label:
    """Return the label of an ordinary report to everybody: restricted, under originator control."""
    return Label(
        policy="shown",
        level=level,
        releasable_to=frozenset(parties) - {originator},
        restrictions=frozenset({"ORCON"}),
        tags=frozenset(),
        originator=originator,
    )


def _fates(bundle: Bundle) -> list[tuple[Nation, tuple[Line, ...]]]:
    mode = {KeyClass.LIVE: Mode.REAL, KeyClass.EXERCISE: Mode.EXERCISE}.get(bundle.key_class, Mode.SIMULATED)
    reader = Reader([bundle], mode)
    return [
        (giver, reader.lines(ordinary_label(giver, bundle.parties), taker, AGE_US))
        for giver, taker in pairs_of([bundle])
    ]


def _rows(bundle: Bundle) -> list[dict[str, Any]]:
    """Return one row a group and set of pairs that fare alike."""
    rows: dict[tuple[object, ...], list[str]] = {}
    for giver, lines in _fates(bundle):
        for line in lines:
            alike = (line.group.value, fate_in_words(line), ", ".join(line.rules))
            rows.setdefault(alike, []).append(f"{giver} → {line.recipient}")
    return [
        {"from → to": ", ".join(pairs), "group": group, "what happens": happens, "by": by}
        for (group, happens, by), pairs in rows.items()
    ]


def fate_in_words(line: Line) -> str:
    """Return what becomes of a group, in a few words."""
    if line.fate is Fate.COARSENED:
        return f"coarsened {line.words}" if line.words.startswith("to ") else line.words
    return f"withheld: {line.words}" if line.fate is Fate.WITHHELD else "released"
