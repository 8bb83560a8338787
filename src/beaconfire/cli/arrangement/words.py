"""`arrangement suspend | resume | withdraw`: one party's signed word, handed to its own guard at once."""

import argparse
import asyncio
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.bus import Bus
from beaconfire.adapters.configuration import LoadedConfig, read_config, read_hex
from beaconfire.adapters.wiring import Heard, Role
from beaconfire.cli.arrangement.papers import now_us, read_signed, write_file
from beaconfire.errors import EnvironmentFault, PeerError, UsageError
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.health import Notice
from beaconfire.messages.strict_json import decode_json
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import Lane
from beaconfire.nodes.commands import Channel
from beaconfire.nodes.tenure import REFUSED_WORD
from beaconfire.release.arrangements import bundle_of
from beaconfire.release.attest import sign_suspension
from beaconfire.release.keys import SigningKey

WORD_SUFFIX: Final = ".word.json"
WORD_BYTES_MAX: Final = 10_000
ANSWER_WITHIN_S: Final = 5.0
ASK_AGAIN_S: Final = 0.25
_SAID: Final = {"suspend": "suspended", "resume": "resumed", "withdraw": "withdrawn"}


def add_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the actions."""
    for name, text in (
        ("suspend", "stop an arrangement alone and at once, at one's own guard and from there everywhere"),
        ("resume", "take one's own suspension back"),
        ("withdraw", "leave an arrangement for good, or take back a proposal"),
    ):
        action = actions.add_parser(name, help=text)
        what = "its bundle or draft file" if name == "withdraw" else "its id, such as trilateral"
        action.add_argument("arrangement", metavar="ARRANGEMENT", help=what)
        action.add_argument(
            "--config", type=Path, metavar="FILE", help="the operator's: hand it to the guard"
        )
        action.add_argument("--party", help="who says so (with --key, without --config)")
        action.add_argument("--key", type=Path, metavar="FILE", help="the party's .seed file")
        classes = [one.value.lower() for one in KeyClass]
        action.add_argument("--class", dest="key_class", choices=classes, default="simulation")
        action.add_argument("--out", type=Path, metavar="FILE", help=f"write the word, *{WORD_SUFFIX}")
        action.set_defaults(act=_say)


def _say(arguments: argparse.Namespace) -> int:
    loaded = read_config(arguments.config) if arguments.config else None
    if loaded is None and arguments.out is None:
        raise UsageError("the word would go nowhere", expected="--config of the operator, or --out")
    word = _word(arguments, _key(arguments, loaded))
    if arguments.out is not None:
        if not arguments.out.name.endswith(WORD_SUFFIX):
            raise UsageError("not the name of a word", str(arguments.out), f"*{WORD_SUFFIX}")
        write_file(arguments.out, msgspec.json.encode(word))
        print(f"{arguments.out}: {word.arrangement} {_SAID[arguments.action]} by {word.party}")
    if loaded is not None:
        took_s = asyncio.run(_hand_over(word, loaded))
        said = _SAID[arguments.action]
        print(f"{word.arrangement} {said} by {word.party}: its guard confirmed after {took_s * 1e3:.0f} ms")
    return 0


def _key(arguments: argparse.Namespace, loaded: LoadedConfig | None) -> SigningKey:
    if loaded is not None:
        if loaded.config.role is not Role.OPERATOR:
            raise UsageError(f"a configuration of {loaded.config.role}", f"{loaded.path}: role", "operator")
        return loaded.signing_key()
    if not arguments.party or arguments.key is None:
        raise UsageError("whose word is it", expected="--config, or --party and --key")
    return SigningKey(arguments.party, KeyClass(arguments.key_class.upper()), read_hex(arguments.key))


def _word(arguments: argparse.Namespace, key: SigningKey) -> Suspension:
    said_at_us = now_us()
    name, version = arguments.arrangement, 0
    if arguments.action == "withdraw":
        bundle = bundle_of(read_signed(Path(name)), name)
        name, version = bundle.arrangement, bundle.version
    word = Suspension(
        party=key.party,
        arrangement=name,
        version=version,
        suspended=arguments.action != "resume",
        number=said_at_us,
        said_at_us=said_at_us,
        key_id="",
        signature=b"",
        final=arguments.action == "withdraw",
    )
    return sign_suspension(word, key)


def read_word(file: Path) -> Suspension:
    """Return the word in a file, unverified.

    Raises:
        UsageError: unreadable, oversize, or not a word.
    """
    try:
        with file.open("rb") as stream:
            return decode_json(stream.read(WORD_BYTES_MAX), Suspension)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(file)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not a party's word: {error}", str(file), "JSON of a suspension") from error


async def _hand_over(word: Suspension, loaded: LoadedConfig) -> float:
    """Publish the word on the nation's own server until its guard confirms it; return the seconds it took.

    Raises:
        EnvironmentFault: no server, or no guard that confirms within `ANSWER_WITHIN_S`.
        UsageError: the guard holds no such arrangement, or a newer word.
    """
    confirmed = asyncio.Event()
    answers: list[str] = []

    def hear(heard: Heard, body: bytes) -> None:
        del heard
        try:
            message = decode(body)
        except PeerError:
            return
        if isinstance(message, Notice) and message.text.endswith(f"(word {word.number})"):
            answers.append(message.code)
            confirmed.set()

    bus = Bus(loaded.config.party, Role.OPERATOR, loaded.endpoints())
    loop = asyncio.get_running_loop()
    try:
        await bus.open(hear, within_s=ANSWER_WITHIN_S)
        began_s = loop.time()
        while loop.time() - began_s < ANSWER_WITHIN_S:
            bus.publish(Channel.TO_HUB, loaded.config.party, Lane.FLASH, ("suspension", encode(word)))
            try:
                await asyncio.wait_for(confirmed.wait(), ASK_AGAIN_S)
            except TimeoutError:
                continue
            if answers[0] == REFUSED_WORD:
                what = f"the guard of {word.party} does not hold it, or has a newer word"
                raise UsageError(what, word.arrangement)
            return loop.time() - began_s
    finally:
        await bus.close()
    raise EnvironmentFault(f"the guard of {word.party} did not confirm", "see that it runs, and say it again")
