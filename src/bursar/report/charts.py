"""What a report draws: equity over underwater, the unit price against a benchmark, squares.

Errors: none.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.measure.curve import Point
from bursar.measure.drawdown import RunningDrawdown, deepest
from bursar.measure.heatmap import WEEKDAYS, Cell, Heatmap, Kind
from bursar.portfolio.benchmark import Benchmark
from bursar.portfolio.performance import Performance
from bursar.report import document as say
from bursar.report.document import Column, Drawing, Table
from bursar.report.drawing import NARROW, Flag, Pane, Series, Square, drawing, grid
from bursar.report.records import Report

_FALLS: Final = 5
_WARMEST: Final = 9
_Line = list[tuple[int, Decimal]]


def equity(found: Report) -> Drawing | None:
    """Draw the equity curve with its flows, and the underwater curve below it."""
    if found.performance is None:
        points = [(each.at, each.made) for each in found.made_by_day]
        pane = Pane(label="made", height=2200, series=(Series("one", points, is_filled=True),))
        return _drawn((pane,), f"What {found.strategy} had made, by day")
    flags, worth, under = _walked(found.performance.curve.points)
    panes = (
        Pane(
            label=f"equity, {found.base}",
            height=2200,
            series=(Series("one", worth, is_filled=True),),
            flags=tuple(flags),
        ),
        Pane(
            label="below the peak of the unit price",
            height=900,
            series=(Series("water", under, is_filled=True),),
            unit=" %",
            is_hanging=True,
        ),
    )
    return _drawn(panes, "Equity over time, and how far the unit price was below its peak")


def _walked(points: Iterable[Point]) -> tuple[list[Flag], _Line, _Line]:
    """Return the flows after the first point with a unit price, equity, and how far that price was
    below its peak.
    """
    flags: list[Flag] = []
    worth: _Line = []
    under: _Line = []
    running = RunningDrawdown()
    for point in points:
        if point.is_complete:
            worth.append((point.at, point.equity))
        if point.nav is None:
            continue
        if point.flow and running.at is not None:
            flags.append(Flag(point.at, point.equity, point.flow > 0))
        running.see(point.at, point.nav)
        fallen = running.current_pct.value
        if fallen is not None:
            under.append((point.at, -fallen))
    return flags, worth, under


def against(told: Benchmark) -> Drawing | None:
    """Draw the unit price and the benchmark, both 100 at the first moment they share."""
    panes = (
        Pane(
            label="100 at the first moment of both",
            height=2000,
            series=(
                Series("two", [(each.at, each.value) for each in told.points]),
                Series("one", [(each.at, each.nav) for each in told.points]),
            ),
        ),
    )
    legend = (("one", "portfolio"), ("two", f"{told.asset}, bought and held"))
    return _drawn(panes, f"The portfolio's unit price and {told.asset}", legend)


def _drawn(
    panes: tuple[Pane, ...], says: str, legend: tuple[tuple[str, str], ...] = ()
) -> Drawing | None:
    wide = drawing(panes)
    return Drawing(wide, drawing(panes, NARROW), says, legend=legend) if wide else None


def falls(told: Performance) -> Table | None:
    """Return the deepest falls of the unit price."""
    deep, now = deepest(told.nav_drawdown.falls, _FALLS), told.closed_at or 0
    if not deep:
        return None
    return Table(
        name="Deepest falls of the unit price",
        columns=(
            Column("peak", is_text=True),
            *map(Column, ("depth", "lowest", "regained", "days under water")),
        ),
        rows=tuple(
            (
                say.day(fall.peak_at),
                say.percent(fall.depth_pct),
                say.day(fall.low_at),
                say.day(fall.recovered_at) if fall.recovered_at else say.word("open"),
                say.count(fall.length(now) // instant.DAY),
            )
            for fall in deep
        ),
    )


def squares(laid: Heatmap, name: str) -> Drawing:
    """Draw a heatmap as squares: the warmer, the more; a bar in what was lost."""
    top = max((abs(cell.pnl) for cell in laid.cells), default=ZERO)
    told = [Square(cell.row, cell.column, _heat(cell, top), _says(cell)) for cell in laid.cells]
    rows = WEEKDAYS if laid.kind is Kind.HOUR else laid.rows
    columns = [f"{each:02}" for each in (range(24) if laid.kind is Kind.HOUR else range(1, 32))]
    drawn = grid(told, rows, columns)
    return Drawing(drawn, drawn, f"{name}: {say.gain(laid.total).text} in all", name=name)


def _heat(cell: Cell, top: Decimal) -> int:
    if not cell.pnl or not top:
        return 0
    warmth = int(abs(cell.pnl) * (_WARMEST - 1) // top) + 1
    return warmth if cell.pnl > 0 else -warmth


def _says(cell: Cell) -> str:
    return f"{cell.row} {cell.column}: {say.gain(cell.pnl).text}"
