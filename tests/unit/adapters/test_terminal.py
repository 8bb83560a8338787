"""The terminal view: plain lines off a terminal, the live view on one."""

import io

import msgspec
from rich.console import Console

from beaconfire.adapters.terminal import TerminalView, first_own_place, minutes, plain, time_left
from beaconfire.messages.words import Lane, Nation
from beaconfire.nodes.commands import Channel, Inbound, Now
from beaconfire.nodes.display import DisplayFacts, DisplayNode, DisplaySnapshot
from browser.flight import JPN, KOR, PLACES, Flight, event, health

LAUNCH_US = 1_664_835_700_000_000
FLIGHT = Flight(LAUNCH_US)


def snapshot_at(second: float, *, linked: bool = True) -> DisplaySnapshot:
    node = DisplayNode(JPN, DisplayFacts(PLACES))
    now = Now(LAUNCH_US + round(second * 1e6), 0)
    seen = event(FLIGHT, second, 1)
    node.receive(Inbound(Channel.EVENT, "JPN", Lane.FLASH, seen, 1), now)
    node.receive(Inbound(Channel.HEALTH, "JPN", Lane.FLASH, health("guard/JPN", 0, up=linked), 1), now)
    return node.snapshot(now)


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=140, color_system=None), out


def test_off_a_terminal_each_change_is_one_plain_line() -> None:
    shown, out = console(terminal=False)
    with TerminalView((JPN,), shown) as view:
        for second in (40.0, 45.0, 200.0, 201.0):
            view.update(JPN, snapshot_at(second))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert "tentative, seen by KOR, time left no own place" in lines[0]
    assert "confirmed, seen by KOR+USA+JPN, time left 3:" in lines[1]
    assert all("SIMULATED" in line for line in lines)
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_the_view_has_banner_sources_time_and_links() -> None:
    shown, _ = console(terminal=True)
    view = TerminalView((JPN, KOR), shown)
    view.update(JPN, snapshot_at(200.0, linked=False))
    with shown.capture() as capture:
        shown.print(view.render())
    text = capture.get()
    for wanted in (
        "SIMULATED // SIMULATED",
        "unaffiliated with any government",
        "over Aomori area",
        "JPN (jpn-1, jpn-2)",
        "down guard/JPN",
        "no picture yet",
    ):
        assert wanted in text


def test_a_place_that_has_been_passed_is_not_said_to_be_concerned_now() -> None:
    snapshot = snapshot_at(200.0)
    (shown,) = snapshot.events
    place = first_own_place(shown.event, snapshot)
    assert place is not None

    def said(after_s: float) -> str:
        own = tuple(one for one in snapshot.places if one.name == place.place)
        later = msgspec.structs.replace(snapshot, places=own, utc_us=place.earliest_us + round(after_s * 1e6))
        return time_left(shown.event, later)

    assert [said(after_s) for after_s in (-61.0, 1.0, 141.0)] == [
        f"1:01 over {place.place}",
        f"NOW over {place.place}",
        f"passed {place.place} 2:21 ago",
    ]


def test_the_screen_is_given_back() -> None:
    shown, out = console(terminal=True)
    with TerminalView((JPN,), shown) as view:
        view.update(JPN, snapshot_at(200.0))
    assert out.getvalue().endswith("\x1b[?25h")


def test_a_nation_that_is_not_shown_is_left_out() -> None:
    shown, out = console(terminal=False)
    TerminalView((Nation("USA"),), shown).update(JPN, snapshot_at(200.0))
    assert out.getvalue() == ""


def test_outside_text_cannot_steer_the_terminal() -> None:
    assert plain("\x1b[2Jname\u202e") == "?[2Jname?"
    shown, out = console(terminal=False)
    TerminalView((JPN,), shown).note("wait\x1b[2J [bold]x[/bold]")
    assert out.getvalue() == "wait [2J [bold]x[/bold]\n"


def test_minutes() -> None:
    assert [minutes(value) for value in (0.0, 59.9, 61.0, -61.0, -0.4)] == [
        "0:00",
        "0:59",
        "1:01",
        "-1:01",
        "0:00",
    ]
