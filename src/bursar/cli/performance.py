"""`bursar performance`: how a stretch of time went, with its curve, its falls and its trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from rich.text import Text

    from bursar.cli.screen import Cell, Screen
    from bursar.measure.heatmap import Heatmap
    from bursar.measure.measured import Measured
    from bursar.measure.trades import TradeStatistics
    from bursar.portfolio.performance import Performance

Map = Literal["month", "hour", "symbol", "day"]
_BARS: Final = "▁▂▃▄▅▆▇█"
_FALLS: Final = 5
_INDENT: Final = 13
"""Where figures begin, so where the curve does."""


def performance(
    period: str = "all",
    *,
    heatmap: Map | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show how a stretch of time went: returns, drawdown, ratios, round trips.

    The curve is made of the snapshots that `bursar sync` and `bursar watch` keep, and of now. What
    was before the first of them is rebuilt from trades and recorded prices.
    docs/MEASURES.md has every formula.

    Args:
        period: all, day, week, month, 30d, 90d, 1y, or two days: 2026-01-01..2026-02-01.
        heatmap: Realised PnL laid out: month (× year), hour (× weekday), symbol (× month), day.

    """
    with session.open() as portfolio:
        found = portfolio.performance(_period(period), session.marks(portfolio))
        laid = None if heatmap is None else portfolio.heatmap(heatmap)
    if session.wants_json:
        session.tell({**_told(found), **({} if laid is None else {"heatmap": laid})})
        return 0
    _show(session.screen, found, period)
    if laid is not None:
        session.screen.print("")
        _show_heatmap(session.screen, laid)
    return 0


def spark(values: Sequence[Decimal], width: int) -> str:
    """Draw values as bars, at most `width` of them: the last value of each stretch."""
    if not values:
        return ""
    count = min(width, len(values))
    picked = [values[(place + 1) * len(values) // count - 1] for place in range(count)]
    low, high = min(picked), max(picked)
    if low == high:
        return _BARS[0] * count
    top = len(_BARS) - 1
    return "".join(_BARS[int((value - low) * top // (high - low))] for value in picked)


def _period(text: str) -> str | tuple[str | None, str | None]:
    """Read a name, or two moments around two points, either of which may be missing."""
    if ".." not in text:
        return text
    start, _, end = text.partition("..")
    return start or None, end or None


def _told(found: Performance) -> dict[str, object]:
    """Return it as JSON has it, what is derived included; what is not known is null, with why."""
    from bursar.cli.answers import told

    kelly = {"kelly_trades": found.kelly_trades, "kelly_returns": found.kelly_returns}
    halves = {name: {"full": each.full, "half": each.half} for name, each in kelly.items()}
    fields = told(found)
    assert isinstance(fields, dict)
    return {**fields, **halves}


def _show(screen: Screen, found: Performance, period: str) -> None:
    from bursar.cli.figures import count, minute
    from bursar.portfolio.performance import remarks

    since = "nothing was kept" if found.opened_at is None else f"from {minute(found.opened_at)}"
    screen.title(
        f"Performance, {period}", f"{found.base} · {since} · {count(found.moments, 'moment')}"
    )
    for remark in remarks(found):
        screen.print(f"! {remark}")
    navs = [point.nav for point in found.curve.points if point.nav is not None]
    if len(navs) > 1:
        line = spark(navs, screen.width - _INDENT)
        screen.print("", f"{'unit price':<{_INDENT}}{line}")
    screen.print("")
    screen.list(_figures(screen, found))
    _show_reasons(screen, found)
    _show_falls(screen, found)
    if found.trades.count:
        screen.print("")
        _show_trades(screen, found)


def _figures(screen: Screen, found: Performance) -> list[list[Cell]]:
    money, gain = screen.figures.money, screen.figures.gain
    nav, ratios, trades = found.nav_drawdown, found.ratios, found.trades
    return [
        _row("equity", money(found.equity_end.value), "made", gain(found.made.value)),
        _row("flows", gain(found.flows.value), "return", _pct(screen, found.twr_pct)),
        _row(
            "money-weighted", _pct(screen, found.mwr_pct), "yearly", _pct(screen, ratios.annual_pct)
        ),
        _row("volatility", _pct(screen, ratios.volatility_pct), "sharpe", _plain(ratios.sharpe)),
        _row("sortino", _plain(ratios.sortino), "calmar", _plain(ratios.calmar)),
        _row("VaR, a day", _pct(screen, ratios.var_pct), "CVaR", _pct(screen, ratios.cvar_pct)),
        _row("below peak", _pct(screen, nav.current_pct), "deepest", _pct(screen, nav.max_pct)),
        _row(
            "win rate",
            _pct(screen, trades.win_rate),
            "profit factor",
            _plain(trades.profit_factor),
        ),
        _row("kelly, half", _plain(found.kelly_trades.half), "of returns", _plain(_half(found))),
    ]


def _half(found: Performance) -> Measured:
    return found.kelly_returns.half


def _row(name: str, value: Text, other: str, figure: Text) -> list[Cell]:
    return [name, value, other, figure]


def _show_reasons(screen: Screen, found: Performance) -> None:
    """Say why figures are not known, each reason once."""
    ratios, trades = found.ratios, found.trades
    figures = (found.twr_pct, found.made, ratios.sharpe, ratios.calmar, trades.profit_factor)
    reasons = dict.fromkeys(each.reason for each in (*figures, found.kelly_trades.full))
    said = [f"— {reason}" for reason in reasons if reason]
    if said:
        screen.print("", *said)


def _show_falls(screen: Screen, found: Performance) -> None:
    from bursar.cli.figures import age, minute
    from bursar.cli.screen import figure, name
    from bursar.measure.drawdown import deepest

    falls = deepest(found.nav_drawdown.falls, _FALLS)
    if not falls:
        return
    now = found.closed_at or 0
    screen.print("")
    screen.table(
        (name("falls, by unit price"), figure("depth"), figure("low"), figure("under water")),
        [
            (
                minute(fall.peak_at),
                _pct(screen, fall.depth_pct),
                minute(fall.low_at),
                age(fall.length(now)) + ("" if fall.recovered_at is not None else ", open"),
            )
            for fall in falls
        ],
    )


def _show_trades(screen: Screen, found: Performance) -> None:
    from bursar.cli.screen import figure, name

    columns = (
        name("strategy"),
        figure("trips"),
        figure("won"),
        figure("net"),
        figure("profit factor"),
        figure("expectancy", rank=1),
        figure("average win", rank=2),
        figure("average loss", rank=2),
        figure("longest losses", rank=3),
    )
    rows = [(key, *_cells(screen, each)) for key, each in found.by_strategy.items()]
    screen.table(columns, rows, total=("total", *_cells(screen, found.trades)))
    unsure = found.trades.unpriced
    if unsure:
        screen.print(
            f"! {unsure:,} of {found.trades.count:,} trips have a fee, a leg or a settlement"
            " that nobody priced, which counts as nothing"
        )


def _cells(screen: Screen, trades: TradeStatistics) -> list[Cell]:
    from rich.text import Text

    from bursar.cli.figures import NOTHING

    figures = screen.figures
    return [
        f"{trades.count:,}",
        _pct(screen, trades.win_rate),
        figures.gain(trades.net),
        _plain(trades.profit_factor),
        *(
            Text(NOTHING, style="dim") if each.value is None else figures.money(each.value)
            for each in (trades.expectancy, trades.average_win, trades.average_loss)
        ),
        f"{trades.longest_losses:,}",
    ]


def _show_heatmap(screen: Screen, laid: Heatmap) -> None:
    from bursar.cli.screen import figure, name

    cells = {(cell.row, cell.column): cell.pnl for cell in laid.cells}
    columns = (name("realised"), *(figure(each) for each in laid.columns))
    rows = [
        (row, *(_cell(screen, cells.get((row, column))) for column in laid.columns))
        for row in laid.rows
    ]
    screen.table(columns, rows)


def _cell(screen: Screen, pnl: Decimal | None) -> Cell:
    return "" if pnl is None else screen.figures.gain(pnl)


def _pct(screen: Screen, figure: Measured) -> Text:
    """Write a percentage with two decimals, or every digit."""
    from rich.text import Text

    from bursar.cli.figures import NOTHING, grouped
    from bursar.exact import show

    if figure.value is None:
        return Text(NOTHING, style="dim")
    text = grouped(figure.value) if screen.figures.is_exact else show(figure.value, places=2)
    return Text(f"{text} %")


def _plain(figure: Measured) -> Text:
    """Write a number that is of nothing: two decimals."""
    from rich.text import Text

    from bursar.cli.figures import NOTHING
    from bursar.exact import show

    if figure.value is None:
        return Text(NOTHING, style="dim")
    return Text(show(figure.value, places=2))
