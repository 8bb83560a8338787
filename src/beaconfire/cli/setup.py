"""`beaconfire setup`: one party's own side, from its keys to its units; only cards go to the others."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from beaconfire.adapters.cards import fingerprint_of, read_card
from beaconfire.adapters.enrolment import Setup, accept_card, make_side
from beaconfire.adapters.installation import EXERCISE
from beaconfire.adapters.own_side import write_side
from beaconfire.errors import UsageError
from beaconfire.messages.words import HUB, HUB_INSTANCES, Mode

SERVER: Final = "127.0.0.1:4301"
FEED: Final = "127.0.0.1:4302"
PAGE: Final = 4303


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("setup", help="set up one party's own side of an installation")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("make", help="make the party's keys, and the card that goes to the others")
    make.add_argument("party", help="ISO 3166-1 alpha-3 code of the nation, or HUB")
    make.add_argument("--mode", type=Mode, choices=list(Mode), required=True, help="of all of it")
    make.add_argument("--out", type=Path, required=True, metavar="DIR", help="the party's folder, new")
    make.add_argument("--exercise", default=EXERCISE, help="its name, the same for all (not in REAL)")
    make.add_argument("--instances", nargs="+", default=list(HUB_INSTANCES), metavar="HUB", help="of the hub")
    where = "[END=]HOST:PORT[,HOST:PORT...]"
    make.add_argument("--server", nargs="+", default=[], metavar=where, help="where its servers are reached")
    make.add_argument("--route", nargs="+", default=[], metavar=where, help="between servers of one cluster")
    make.add_argument("--page", nargs="+", default=[], metavar="[END=]PORT", help="of its page, on loopback")
    make.add_argument("--feed", default=FEED, metavar="HOST:PORT", help="where detections come in")
    make.add_argument("--user", default="beaconfire", help="whom its processes run as")
    make.add_argument("--program", default="/opt/beaconfire/current", metavar="DIR", help="holds bin/")
    accept = actions.add_parser("accept", help="take another party's card, once its fingerprint is compared")
    accept.add_argument("directory", type=Path, metavar="DIR")
    accept.add_argument("card", type=Path, metavar="CARD")
    accept.add_argument("--fingerprint", required=True, help="as heard over another channel")
    write = actions.add_parser("write", help="write configurations and units from the cards accepted")
    write.add_argument("directory", type=Path, metavar="DIR")
    show = actions.add_parser("show", help="show what a card says, and its fingerprint")
    show.add_argument("card", type=Path, metavar="CARD")


def run(arguments: argparse.Namespace) -> int:
    """Do one action and return 0.

    Raises:
        UsageError: a file or a value is not usable.
        EnvironmentFault: a file can't be written.
    """
    match arguments.action:
        case "make":
            card, mark = make_side(arguments.out, setup_of(arguments))
            print(f"{card}: hand it over; its fingerprint, over another channel, is\n{mark}")
        case "accept":
            accepted = accept_card(arguments.directory, arguments.card, arguments.fingerprint)
            print(f"{accepted.party}: accepted, class {accepted.signing.key_class}")
        case "write":
            for path in write_side(arguments.directory):
                print(path)
        case "show":
            _show(arguments.card)
    return 0


def setup_of(arguments: argparse.Namespace) -> Setup:
    """Return the setup that the options of `make` state; raises `UsageError`."""
    hubs, party = tuple(arguments.instances), arguments.party
    ends = hubs if party == HUB else (party,)
    pages = _by_end(arguments.page or ([] if party == HUB else [str(PAGE)]), ends, "--page")
    servers = arguments.server or ([] if party == HUB else [SERVER])
    return Setup(
        party=party,
        mode=arguments.mode,
        servers=_by_end(servers, ends, "--server"),
        routes=_by_end(arguments.route, ends, "--route"),
        pages={end: _port(held[0]) for end, held in pages.items()},
        hubs=hubs,
        feed="" if party == HUB else arguments.feed,
        exercise="" if arguments.mode is Mode.REAL else arguments.exercise,
        user=arguments.user,
        program=arguments.program,
    )


def _by_end(words: Sequence[str], ends: Sequence[str], option: str) -> dict[str, tuple[str, ...]]:
    """Return what is stated for each end; the end may be left out where there is only one."""
    found = {}
    for word in words:
        end, given, value = word.rpartition("=")
        if not given and len(ends) > 1:
            raise UsageError(f"whose is {word!r}", option, f"END={word}, END one of {' '.join(ends)}")
        if given and end not in ends:
            raise UsageError(f"no end {end!r}", option, " ".join(ends))
        found[end if given else ends[0]] = tuple(value.split(","))
    return found


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) < 65_536:
        raise UsageError(f"no port {text!r}", "--page", "0 to 65535")
    return int(text)


def _show(path: Path) -> None:
    card, data = read_card(path)
    print(f"party        {card.party}\nclass        {card.signing.key_class}")
    print(f"signing key  {card.signing_id}\nends         {' '.join(card.authorities)}")
    for end, addresses in card.servers.items():
        print(f"servers      {end} {' '.join(addresses)}")
    instances = sorted({one.instance for one in card.links})
    if instances:
        print(f"links        {len(card.links)} keys, to {' '.join(instances)}")
    print(f"card         {fingerprint_of(data)}")
