"""`beaconfire tail`: follow one nation's display from a terminal, as its page does."""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text
from websockets.exceptions import ConnectionClosed

from beaconfire.adapters.installation import read_installation
from beaconfire.adapters.web.visitor import Papers, Stream, visit
from beaconfire.alerting.notice_texts import notice_text
from beaconfire.alerting.texts import DEFAULT_LANGUAGE, LANGUAGES
from beaconfire.errors import EnvironmentFault, UsageError

Json = dict[str, Any]

NATION: Final = "JPN"
SILENT_S_MAX: Final = 10.0
_STYLES: Final = {"CONFIRMED": "bold red", "TENTATIVE": "yellow", "LOST": "magenta", "ENDED": "dim"}
_ICONS: Final = {"CONFIRMED": "▲", "TENTATIVE": "◌", "LOST": "?", "ENDED": "■"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("tail", help="follow what a running installation says")
    parser.add_argument("where", help="address of a display's page, or the folder of an installation")
    parser.add_argument(
        "--nation", default=NATION, help=f"whose display of a folder (default {NATION}; HUB-1)"
    )
    parser.add_argument(
        "--language", choices=LANGUAGES, default=DEFAULT_LANGUAGE, help="of warnings and notices (default en)"
    )
    parser.add_argument("--certificate", type=Path, help="your own, PEM, for a display that asks who you are")
    parser.add_argument("--key", type=Path, help="of that certificate, if not in the same file")
    parser.add_argument(
        "--authority", type=Path, help="that vouches for the display (default: this machine's)"
    )
    parser.add_argument("--json", action="store_true", help="each change as one line of JSON")
    parser.add_argument("--frames", type=int, metavar="N", help="end after so many frames")


def run(arguments: argparse.Namespace) -> int:
    """Follow the display until it ends or is interrupted; returns 0.

    Raises:
        UsageError: no such installation, nation or address.
        EnvironmentFault: the display does not answer, or falls silent.
    """
    address = address_of(arguments.where, arguments.nation)
    console = Console(highlight=False, soft_wrap=True)
    follower = Follower(arguments.language)
    papers = Papers(arguments.certificate, arguments.key, arguments.authority)
    with visit(address, papers) as stream:
        for number, frame in enumerate(_frames(stream, address), 1):
            for line in follower.take(frame):
                if arguments.json:
                    print(json.dumps(line), flush=True)
                else:
                    console.print(styled(line))
            if number == arguments.frames:
                break
    return 0


def address_of(where: str, nation: str) -> str:
    """Return the page's address: as given, or that of an installation's folder.

    Raises:
        UsageError: neither.
    """
    if where.startswith(("http://", "https://")):
        return where
    ports = read_installation(Path(where)).web_ports
    if nation not in ports:
        raise UsageError(f"no display of {nation}", "--nation", ", ".join(sorted(ports)))
    return f"http://127.0.0.1:{ports[nation]}/"


def _frames(stream: Stream, address: str) -> Iterator[Json]:
    while True:
        try:
            yield json.loads(stream.receive(SILENT_S_MAX))
        except TimeoutError as error:
            raise EnvironmentFault(f"{address} is silent for {SILENT_S_MAX:.0f} s") from error
        except ConnectionClosed as error:
            raise EnvironmentFault(f"{address} closed the connection: {error}") from error


class Follower:
    """What was said already, so that each thing is said once."""

    def __init__(self, language: str = DEFAULT_LANGUAGE) -> None:
        """Start with nothing said; warnings and notices are read in `language`."""
        self._language = language
        self._warned: dict[str, int] = {}
        self._revisions: dict[str, int] = {}
        self._notices: set[tuple[int, str]] = set()
        self._mode = ""

    def take(self, frame: Json) -> list[Json]:
        """Return what is new in a frame: events, warnings, those gone, notices."""
        self._mode = frame.get("mode", self._mode)
        moment_us = frame["clock"]["utc_us"]
        lines = [self._event(one) for one in frame["events"] if self._is_new(one)]
        lines += [self._warning(one) for one in frame["events"] if self._is_warned_anew(one)]
        for event_id in frame.get("gone", ()):
            self._revisions.pop(event_id, None)
            self._warned.pop(event_id, None)
            lines.append({"what": "gone", "at_us": moment_us, "mode": self._mode, "event_id": event_id})
        return lines + [self._notice(one) for one in frame.get("notices", ()) if self._is_news(one)]

    def _is_new(self, event: Json) -> bool:
        # Not only a larger number: after a lost journal they count from 1 again.
        known = self._revisions.get(event["event_id"])
        self._revisions[event["event_id"]] = event["revision"]
        return bool(known != event["revision"])

    def _event(self, event: Json) -> Json:
        first = min(event["places"], key=lambda place: place["earliest_us"], default=None)
        impact = max(event["impact"], key=lambda one: one["weight"], default=None)
        return {
            "what": "event",
            "at_us": event["as_of_us"],
            "mode": event["mode"],
            "event_id": event["event_id"],
            "revision": event["revision"],
            "status": event["status"],
            "contributors": event["contributors"],
            "first_place": first,
            "area_semi_major_m": None if impact is None else impact["semi_major_m"],
            "acknowledged": event.get("acknowledged"),
        }

    def _is_warned_anew(self, event: Json) -> bool:
        warning = event.get("warning")
        if warning is None or warning["revision"] == self._warned.get(event["event_id"]):
            return False
        self._warned[event["event_id"]] = warning["revision"]
        return True

    def _warning(self, event: Json) -> Json:
        warning = event["warning"]
        text = warning["texts"].get(self._language, warning["text"])
        told = {name: warning[name] for name in ("action", "revision", "alone")}
        head = {"what": "warning", "at_us": warning["issued_at_us"], "mode": event["mode"]}
        return head | {"event_id": event["event_id"], "text": text} | told

    def _is_news(self, notice: Json) -> bool:
        key = (notice["at_us"], notice["code"])
        known = key in self._notices
        self._notices.add(key)
        return not known

    def _notice(self, notice: Json) -> Json:
        told = {"what": "notice", "mode": self._mode} | notice
        if self._language == DEFAULT_LANGUAGE:
            return told
        arguments = notice.get("arguments") or {}
        return told | {"text": notice_text(notice["code"], notice["text"], arguments, self._language)}


def styled(line: Json) -> Text:
    """Return one line in words; names from outside are text, never markup."""
    moment = datetime.fromtimestamp(line["at_us"] / 1e6, UTC).strftime("%H:%M:%S")
    head = f"{moment} {line['mode']} "
    if line["what"] == "notice":
        return Text(f"{head}{line['severity']}: {line['text']} ({line['source']})", style="cyan")
    if line["what"] == "warning":
        return Text(f"{head}{line['event_id'][:12]} {line['text']}", style="bold reverse")
    if line["what"] == "gone":
        return Text(f"{head}{line['event_id'][:12]} ✕ withdrawn", style="bold")
    status = line["status"]
    words = [f"{line['event_id'][:12]} rev {line['revision']}", f"{_ICONS.get(status, '')} {status.lower()}"]
    words.append("seen by " + ("+".join(line["contributors"]) or "nobody named"))
    if line["first_place"] is not None:
        words.append(_place_words(line["first_place"], line["at_us"]))
    if line["area_semi_major_m"] is not None:
        words.append(f"area {line['area_semi_major_m'] / 1e3:.0f} km")
    if line["acknowledged"]:
        words.append(f"acknowledged by {line['acknowledged']['person']}")
    return Text(head + ", ".join(words), style=_STYLES.get(status, ""))


def _place_words(place: Json, at_us: int) -> str:
    left_s = (place["earliest_us"] - at_us) / 1e6
    kind = "down on" if place["kind"] == "IMPACT" else "over"
    return f"{left_s:.0f} s to {kind} {place['place']}" if left_s > 0 else f"{kind} {place['place']} passed"
