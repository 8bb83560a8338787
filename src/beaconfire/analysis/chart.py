"""A line chart as SVG text: small, the same bytes for the same data, readable on light and dark pages.

Source: palette of M. Okabe and K. Ito, Color Universal Design (2008); told apart by dashes as well.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

WIDTH: Final = 640
HEIGHT: Final = 360
LEFT: Final = 70
RIGHT: Final = 150
TOP: Final = 34
BOTTOM: Final = 48
TICKS: Final = 5
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#777777")
DASHES: Final = ("", "6 3", "2 3", "8 3 2 3", "1 4", "10 4", "4 1")
_INK: Final = "#808080"


class Series(msgspec.Struct, frozen=True):
    """One line: its name and its points (x, y); a point that is not finite breaks it off."""

    name: str
    points: tuple[tuple[float, float], ...]


class Axis(msgspec.Struct, frozen=True):
    """One axis: what it shows, from where to where, and whether in powers of ten."""

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 1 at the high one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round values to mark."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        raw = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(size * power for size in (1.0, 2.0, 5.0, 10.0) if raw <= size * power)
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def axis_over(label: str, values: Sequence[float], *, log: bool = False) -> Axis:
    """Return an axis that holds all finite values, with a little room; whole decades if `log`."""
    finite = [value for value in values if math.isfinite(value) and (value > 0.0 or not log)]
    low, high = min(finite, default=1.0), max(finite, default=10.0)
    if log:
        low = 10.0 ** math.floor(math.log10(low) + 1e-9)
        return Axis(label, low, max(10.0 ** math.ceil(math.log10(high) - 1e-9), 10.0 * low), log=True)
    room = 0.05 * (high - low) or max(abs(high), 1.0)
    return Axis(label, 0.0 if 0.0 <= low < 0.5 * high else low - room, high + room)


def chart(
    series: Sequence[Series], *, title: str, x: str, y: str, log_x: bool = False, log_y: bool = False
) -> str:
    """Return the chart as SVG text.

    Args:
        series: lines; more than seven share colours.
        title: above it.
        x: name of the axis, with its unit.
        y: as above.
        log_x: in powers of ten; points that are not above zero are left out.
        log_y: as above.
    """
    across = axis_over(x, [point[0] for one in series for point in one.points], log=log_x)
    up = axis_over(y, [point[1] for one in series for point in one.points], log=log_y)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(title)}" font-family="sans-serif" font-size="12" fill="{_INK}">'
        ),
        f"<title>{escape(title)}</title>",
        f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>',
        *_frame(across, up),
    ]
    for number, one in enumerate(series):
        parts += _line(one, number, across, up)
    return "\n".join([*parts, "</svg>", ""])


def _place(across: Axis, up: Axis, point: tuple[float, float]) -> tuple[float, float]:
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return LEFT + wide * across.share(point[0]), TOP + high * (1.0 - up.share(point[1]))


def _shown(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:g}"


def _frame(across: Axis, up: Axis) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="{_INK}"/>',
        (
            f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">'
            f"{escape(across.label)}</text>"
        ),
        (
            f'<text transform="translate(16 {(TOP + bottom) / 2:.0f}) rotate(-90)" text-anchor="middle">'
            f"{escape(up.label)}</text>"
        ),
    ]
    for value in across.ticks():
        x, _ = _place(across, up, (value, up.low))
        parts.append(f'<path d="M{x:.1f} {bottom}v5" stroke="{_INK}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_shown(value)}</text>')
    for value in up.ticks():
        _, y = _place(across, up, (across.low, value))
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{_INK}" stroke-opacity="0.25"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_shown(value)}</text>')
    return parts


def _is_shown(point: tuple[float, float], across: Axis, up: Axis) -> bool:
    x, y = point
    fits = (x > 0.0 or not across.log) and (y > 0.0 or not up.log)
    return math.isfinite(x) and math.isfinite(y) and fits


def _line(one: Series, number: int, across: Axis, up: Axis) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    dash = f' stroke-dasharray="{DASHES[number % len(DASHES)]}"' if DASHES[number % len(DASHES)] else ""
    path, pen = "", "M"
    for point in one.points:
        if not _is_shown(point, across, up):
            pen = "M"
            continue
        x, y = _place(across, up, point)
        path += f"{pen}{x:.1f} {y:.1f}"
        pen = "L"
    y = TOP + 14 + 18 * number
    x = WIDTH - RIGHT + 12
    return [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
        f'<path d="M{x} {y - 4}h22" stroke="{colour}" stroke-width="2"{dash}/>',
        f'<text x="{x + 28}" y="{y}">{escape(one.name)}</text>',
    ]
