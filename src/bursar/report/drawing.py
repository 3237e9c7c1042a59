"""Drawings: panes over one axis of time, as SVG that needs no script and no other file.

Positions are whole numbers of tenths of a pixel, so the same figures give the same bytes. Colours
are classes: the page and the paper say what they look like.

Errors: none; a pane without two points is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Final

import msgspec

from bursar.exact import ATOM, ONE, ZERO, money, product18, quotient18, show
from bursar.ledger import instant

WIDE: Final = 9600
NARROW: Final = 3600
_LEFT, _RIGHT, _GAP, _FOOT, _TOP = 40, 640, 360, 240, 140
_ROOM: Final = Decimal("0.0625")
_POINTS: Final = 480
_STEPS: Final = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_DAYS_OF_MONTHS: Final = 75
_HOURS: Final = 3
_MINUTES: Final = (1, 5, 15, 30, 60, 180, 360, 720, 1440)
_LARGE: Final = ((12, " T"), (9, " G"), (6, " M"))
_SIDE, _PITCH = 200, 230
_TALL, _TICKS = 1200, 4


class Series(msgspec.Struct, frozen=True):
    """Values over time, drawn as a line of a class; with `is_filled`, down to the pane's floor."""

    name: str
    points: Sequence[tuple[int, Decimal]]
    is_filled: bool = False


class Flag(msgspec.Struct, frozen=True):
    """A mark on a line: capital that came, or went."""

    at: int
    value: Decimal
    is_up: bool


class Pane(msgspec.Struct, frozen=True, kw_only=True):
    """One pane: lines over the same values. A `hanging` one has its zero at the top."""

    label: str
    height: int
    series: tuple[Series, ...]
    flags: tuple[Flag, ...] = ()
    unit: str = ""
    is_hanging: bool = False


class _Frame(msgspec.Struct, frozen=True):
    """Where times and values are on the drawing."""

    start: int
    end: int
    low: Decimal
    high: Decimal
    top: int
    height: int
    width: int

    def x(self, at: int) -> int:
        return _LEFT + (at - self.start) * (self.width - _LEFT - _RIGHT) // (self.end - self.start)

    def y(self, value: Decimal) -> int:
        return self.top + int((self.high - value) * self.height // (self.high - self.low))


@money
def drawing(panes: Iterable[Pane], width: int = WIDE) -> str:
    """Draw panes one below the other; nothing, where there is nothing to draw."""
    told = [pane for pane in panes if any(len(each.points) > 1 for each in pane.series)]
    if not told:
        return ""
    times = [at for pane in told for each in pane.series for at, _ in each.points]
    start, end = min(times), max(times)
    if start == end:
        return ""
    parts: list[str] = []
    top = _TOP
    for pane in told:
        frame = _framed(pane, (start, end), top, width)
        parts += _pane(pane, frame)
        top += pane.height + _GAP
    height = top - _GAP + _FOOT
    parts += _times(start, end, width, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' class="drawing" aria-hidden="true">{"".join(parts)}</svg>'
    )


def _framed(pane: Pane, span: tuple[int, int], top: int, width: int) -> _Frame:
    values = [value for each in pane.series for _, value in each.points]
    low, high = min(values), max(values)
    if pane.is_hanging:
        high = max(high, ZERO)
    if low == high:
        low, high = low - ONE, high + ONE
    if not pane.is_hanging:
        room = product18(high - low, _ROOM)
        low, high = low - room, high + room
    return _Frame(*span, low, high, top, pane.height, width)


def _pane(pane: Pane, frame: _Frame) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="{frame.top - 40}" class="label">{escape(pane.label)}</text>'
    for tick in _ticks(frame.low, frame.high, _TICKS if frame.height > _TALL else 2):
        y = frame.y(tick)
        yield f'<path d="M{_LEFT} {y}H{frame.width - _RIGHT}" class="rule"/>'
        text = f"{_short(tick, max(abs(frame.low), abs(frame.high)))}{pane.unit}"
        yield f'<text x="{frame.width - _RIGHT + 60}" y="{y + 35}">{text}</text>'
    for each in pane.series:
        yield from _line(each, frame)
    for flag in pane.flags:
        yield _flag(flag, frame)


def _line(series: Series, frame: _Frame) -> Iterator[str]:
    points = [(frame.x(at), frame.y(value)) for at, value in _thinned(series.points)]
    if not points[1:]:
        return
    path = "L".join(f"{x} {y}" for x, y in points)
    if series.is_filled:
        hangs = frame.high == 0
        floor = frame.top if hangs else frame.top + frame.height
        yield (
            f'<path d="M{points[0][0]} {floor}L{path}L{points[-1][0]} {floor}Z"'
            f' class="fill {series.name}"/>'
        )
    yield f'<path d="M{path}" class="line {series.name}"/>'
    if not series.is_filled or frame.high != 0:
        x, y = points[-1]
        yield f'<circle cx="{x}" cy="{y}" r="32" class="dot {series.name}"/>'


def _flag(flag: Flag, frame: _Frame) -> str:
    x, y = frame.x(flag.at), frame.y(flag.value)
    tip, foot = (y + 60, y + 150) if flag.is_up else (y - 60, y - 150)
    return f'<path d="M{x} {tip}L{x - 50} {foot}H{x + 50}Z" class="flag"/>'


def _thinned(points: Sequence[tuple[int, Decimal]]) -> list[tuple[int, Decimal]]:
    """Return at most so many points: of each stretch its lowest and its highest, in order."""
    if len(points) <= _POINTS:
        return list(points)
    kept = [points[0]]
    stretches = _POINTS // 2
    for place in range(stretches):
        part = points[place * len(points) // stretches : (place + 1) * len(points) // stretches]
        ends = {min(part, key=_value), max(part, key=_value)}
        kept += sorted(ends)
    return [*kept, points[-1]]


def _value(point: tuple[int, Decimal]) -> Decimal:
    return point[1]


def _ticks(low: Decimal, high: Decimal, wanted: int) -> list[Decimal]:
    """Return round numbers between two values, about as many as are wanted."""
    rough = quotient18(high - low, Decimal(wanted + 1)) or ATOM
    power = ONE.scaleb(rough.adjusted())
    step = next(each * power for each in _STEPS if each * power >= rough)
    first = (low // step) * step
    every = (first + step * place for place in range(wanted + 4))
    return [each for each in every if low <= each <= high]


def _short(value: Decimal, top: Decimal) -> str:
    """Write the label of an axis: no zeros that say nothing, and thousands of thousands in short.

    `top` is the largest value of the axis, in whose unit all of it is.
    """
    power, unit = next(((n, u) for n, u in _LARGE if top.adjusted() >= n), (0, ""))
    text = show(value.scaleb(-power))
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−") + unit


def _times(start: int, end: int, width: int, height: int) -> Iterator[str]:
    frame = _Frame(start, end, ZERO, ONE, 0, 1, width)
    last = -width
    for moment, text in _calendar(start, end, 8 if width > NARROW else 4):
        x = frame.x(instant.from_datetime(moment))
        if x - last < len(text) * 75 or x > width - _RIGHT:
            continue
        last = x
        yield f'<path d="M{x} {_TOP}V{height - _FOOT}" class="rule"/>'
        yield f'<text x="{x}" y="{height - 60}" class="time">{text}</text>'


def _calendar(start: int, end: int, most: int) -> Iterator[tuple[datetime, str]]:
    """Yield beginnings of months, days or hours inside a stretch of time, with their names."""
    first, last = instant.to_datetime(start), instant.to_datetime(end)
    days = (last - first).days
    if days > _DAYS_OF_MONTHS:
        months = range(first.year * 12 + first.month, last.year * 12 + last.month)
        apart = next(n for n in (1, 2, 3, 6, 12, 24, 60, 120, 600) if len(months) <= n * most)
        for number in months:
            if number % apart == 0:
                moment = datetime(number // 12, number % 12 + 1, 1, tzinfo=first.tzinfo)
                is_year = moment.month == 1 or apart >= 12  # noqa: PLR2004
                yield moment, f"{moment:%Y}" if is_year else f"{moment:%b}"
        return
    is_days = days > _HOURS
    minutes = [1440 * (days // most + 1)] if is_days else list(_MINUTES)
    apart = next(n for n in minutes if (last - first) <= timedelta(minutes=n * most))
    moment = first.replace(hour=0, minute=0, second=0, microsecond=0)
    while moment <= last:
        if moment > first:
            yield moment, f"{moment.day} {moment:%b}" if is_days else f"{moment:%H:%M}"
        moment += timedelta(minutes=apart)


class Square(msgspec.Struct, frozen=True):
    """A square of a grid: warm from −9 to 9, and what it says."""

    row: str
    column: str
    heat: int
    says: str


def grid(cells: Iterable[Square], rows: Sequence[str], columns: Sequence[str]) -> str:
    """Draw a heatmap without figures; a square in which something was lost has a bar."""
    left, top = 560, 190
    told = {(each.row, each.column): each for each in cells}
    parts = [
        f'<text x="{left + at * _PITCH + _SIDE // 2}" y="{top - 60}" class="time">{name}</text>'
        for at, name in enumerate(columns)
    ]
    for down, row in enumerate(rows):
        y = top + down * _PITCH
        parts.append(f'<text x="0" y="{y + 140}">{escape(row)}</text>')
        parts += [
            _square(left + along * _PITCH, y, told.get((row, column)))
            for along, column in enumerate(columns)
        ]
    width, height = left + len(columns) * _PITCH, top + len(rows) * _PITCH
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width // 10}" height="{height // 10}" class="drawing grid" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _square(x: int, y: int, told: Square | None) -> str:
    heat = 0 if told is None else told.heat
    tone = f" gain h{heat}" if heat > 0 else f" loss h{-heat}" if heat < 0 else ""
    drawn = f'<rect x="{x}" y="{y}" width="{_SIDE}" height="{_SIDE}" rx="30" class="cell{tone}"/>'
    if heat < 0:
        drawn += f'<path d="M{x + 70} {y + _SIDE // 2}H{x + _SIDE - 70}" class="minus"/>'
    return drawn if told is None else f"<g><title>{escape(told.says)}</title>{drawn}</g>"
