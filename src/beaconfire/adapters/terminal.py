"""The live view of a terminal: events, time left for each nation's places, who saw it, link health.

Fed by the snapshots of the display model. Where the output is no terminal, a plain line is printed for
each change that matters, and nothing else.
"""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from beaconfire.messages.event import Event, PlaceTime
from beaconfire.messages.words import Nation, PlaceKind, Status, TimeUs
from beaconfire.nodes.display import DisplaySnapshot, ShownEvent, ShownHealth
from beaconfire.units import MICROSECONDS_PER_SECOND

EVENTS_SHOWN_MAX: Final = 6
REFRESH_PER_SECOND: Final = 5
AMBER_S: Final = 3.0
RED_S: Final = 10.0
NOW_S: Final = 30.0
"""So long after its moment a place is still said to be concerned now."""
_STATE: Final = {
    Status.TENTATIVE: ("◌ tentative", "yellow"),
    Status.CONFIRMED: ("▲ confirmed", "bold red"),
    Status.LOST: ("? track lost", "magenta"),
    Status.ENDED: ("■ ended", "dim"),
    Status.WITHDRAWN: ("x withdrawn", "dim"),
}
_CLOSED: Final = (Status.ENDED, Status.WITHDRAWN)
_Key = tuple[Status, tuple[Nation, ...], bool, bool]


def minutes(interval_s: float) -> str:
    """Return an interval as minutes and seconds, with a sign where it is negative."""
    whole = int(abs(interval_s))
    sign = "-" if interval_s < 0 and whole else ""
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def plain(text: str) -> str:
    """Return outside text without control characters, so that it can't steer the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)[:80]


def first_own_place(event: Event, snapshot: DisplaySnapshot) -> PlaceTime | None:
    """Return the own place with the earliest moment still ahead, else the last one passed, else None."""
    own = {place.name for place in snapshot.places}
    mine = sorted((one for one in event.places if one.place in own), key=lambda one: one.earliest_us)
    ahead = (one for one in mine if one.earliest_us > snapshot.utc_us)
    return next(ahead, mine[-1] if mine else None)


def time_left(event: Event, snapshot: DisplaySnapshot) -> str:
    """Return in words how long one of the nation's own places has left."""
    place = first_own_place(event, snapshot)
    if place is None:
        return "no own place"
    left_s = (place.earliest_us - snapshot.utc_us) / MICROSECONDS_PER_SECOND
    if event.status in _CLOSED:
        return "ended"
    lost = ", last estimate" if event.status is Status.LOST else ""
    down = place.kind is PlaceKind.IMPACT
    where = f"{'down on' if down else 'over'} {plain(place.place)}"
    if left_s > 0.0:
        return f"{minutes(left_s)} {where}{lost}"
    if left_s > -NOW_S:
        return f"NOW {where}{lost}"
    return f"{where if down else 'passed ' + plain(place.place)} {minutes(-left_s)} ago{lost}"


def area_known(event: Event) -> str:
    """Return the semi-major axis of the newest impact area in km, a dash where there is none."""
    if not event.impact:
        return "-"
    area = max(event.impact, key=lambda impact: impact.weight).area
    return f"{area.semi_major_m / 1_000:,.0f} km"


class TerminalView:
    """One terminal over the pictures of several nations. Use it as a context, and feed it with `update`."""

    def __init__(self, nations: Sequence[Nation], console: Console | None = None) -> None:
        """Show the nations in this order; plain lines where the console is no terminal."""
        self._nations = tuple(nations)
        self._console = console or Console(file=sys.stdout)
        self._snapshots: dict[Nation, DisplaySnapshot] = {}
        self._told: dict[tuple[Nation, str], _Key] = {}
        self._note = ""
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Take the screen, if there is one."""
        if self._console.is_terminal:
            self._live = Live(
                self.render(),
                console=self._console,
                refresh_per_second=REFRESH_PER_SECOND,
                transient=False,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the screen back."""
        if self._live is not None:
            self._live.update(self.render())
            self._live.stop()
            self._live = None

    def update(self, nation: Nation, snapshot: DisplaySnapshot) -> None:
        """Take one nation's newest snapshot; nations that are not shown are left out."""
        if nation not in self._nations:
            return
        self._snapshots[nation] = snapshot
        if self._live is not None:
            self._live.update(self.render())
        else:
            self._print_changes(snapshot)

    def note(self, text: str) -> None:
        """Show one line about the run itself: what it waits for, where the page is."""
        self._note = plain_line(text)
        if self._live is not None:
            self._live.update(self.render())
        else:
            self._console.print(self._note, markup=False, highlight=False, soft_wrap=True)

    def render(self) -> RenderableType:
        """Return the whole view."""
        parts: list[RenderableType] = [_head(self._snapshots)]
        for nation in self._nations:
            snapshot = self._snapshots.get(nation)
            body = Text("no picture yet", style="dim") if snapshot is None else _nation(snapshot)
            parts.append(Panel(body, title=f"[bold]{nation}[/bold]", title_align="left"))
        parts.append(Text(self._note, style="dim"))
        return Group(*parts)

    def _print_changes(self, snapshot: DisplaySnapshot) -> None:
        shown_ids = {shown.event.event_id for shown in snapshot.events}
        for told in [told for told in self._told if told[0] == snapshot.nation and told[1] not in shown_ids]:
            del self._told[told]
        for shown in snapshot.events:
            event = shown.event
            key = _key(event)
            if self._told.get((snapshot.nation, event.event_id)) != key:
                self._told[snapshot.nation, event.event_id] = key
                line = plain_event_line(shown, snapshot)
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _key(event: Event) -> _Key:
    """Return what makes a plain line worth printing when it changes."""
    return (event.status, event.contributors, bool(event.impact), bool(event.launch))


def plain_line(text: str) -> str:
    """Return one line of our own text, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def plain_event_line(shown: ShownEvent, snapshot: DisplaySnapshot) -> str:
    """Return one event as one line of plain text."""
    event = shown.event
    word = _STATE[event.status][0]
    sources = "+".join(plain(nation) for nation in event.contributors) or "-"
    return (
        f"{_clock(snapshot.utc_us)} {snapshot.mode} {snapshot.nation} {plain(event.event_id[:12])} {word}, "
        f"seen by {sources}, time left {time_left(event, snapshot)}, 95 % area {area_known(event)}"
    )


def _clock(utc_us: TimeUs) -> str:
    second = utc_us // MICROSECONDS_PER_SECOND % 86_400
    return f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _head(snapshots: dict[Nation, DisplaySnapshot]) -> Text:
    newest = max(snapshots.values(), key=lambda snapshot: snapshot.utc_us, default=None)
    mode = newest.mode if newest else "SIMULATED"
    head = Text(f" {mode} // {mode} // {mode} ", style="bold black on yellow")
    head.append(" notional, unaffiliated with any government ", style="default on default")
    if newest is not None:
        head.append(f" {_clock(newest.utc_us)} UTC", style="bold default on default")
    return head


def _nation(snapshot: DisplaySnapshot) -> RenderableType:
    parts: list[RenderableType] = []
    if snapshot.events:
        table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
        for name in ("event", "state", "time left", "who saw it", "95 % area", "age"):
            table.add_column(name, header_style="dim", no_wrap=name != "who saw it")
        for shown in list(reversed(snapshot.events))[:EVENTS_SHOWN_MAX]:
            table.add_row(*_cells(shown, snapshot))
        parts.append(table)
        if len(snapshot.events) > EVENTS_SHOWN_MAX:
            parts.append(Text(f"and {len(snapshot.events) - EVENTS_SHOWN_MAX} more", style="dim"))
    else:
        parts.append(Text("nothing seen, watching", style="dim"))
    links = _links(snapshot.health)
    if links.plain:
        parts.append(links)
    if snapshot.notices:
        notice = snapshot.notices[-1]
        parts.append(Text(f"{notice.severity.value}: {plain(notice.text)}", style="yellow"))
    return Group(*parts)


def _cells(shown: ShownEvent, snapshot: DisplaySnapshot) -> list[Text]:
    event = shown.event
    word, style = _STATE[event.status]
    open_event = event.status not in _CLOSED
    alone = " (alone)" if shown.warning is not None and shown.warning.alone else ""
    return [
        Text(plain(event.event_id[:10])),
        Text(word, style=style),
        Text(time_left(event, snapshot), style="bold" if open_event else "dim"),
        Text(" + ".join(_source(shown, nation) for nation in event.contributors) + alone),
        Text(area_known(event)),
        Text(f"{shown.age_s:.0f} s", style=_age_style(shown.age_s) if open_event else "dim"),
    ]


def _source(shown: ShownEvent, nation: Nation) -> str:
    for one in shown.event.contributions:
        if one.nation == nation and one.sensors:
            return f"{plain(nation)} ({', '.join(plain(sensor) for sensor in one.sensors[:3])})"
    return plain(nation)


def _links(health: Sequence[ShownHealth]) -> Text:
    text = Text()
    for shown in health:
        for link in shown.health.links:
            age_s = shown.age_s + (link.silent_for_s or 0.0)
            style = _age_style(age_s) if link.up else "bold red"
            trip = "" if link.round_trip_ms is None else f" {link.round_trip_ms:.1f} ms"
            queued = f", {link.queued} queued" if link.queued else ""
            state = "●" if link.up else "✕ down"
            text.append(
                f"{state} {plain(shown.health.source)}→{plain(link.peer)} {link.lane}{trip}{queued}   ",
                style=style,
            )
    return text


def _age_style(age_s: float) -> str:
    if age_s < AMBER_S:
        return "green"
    return "yellow" if age_s < RED_S else "bold red"
