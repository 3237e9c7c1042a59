"""From the record to the document: what is said of each part of a report, and in which order.

Errors: none.
"""

from collections.abc import Iterator
from typing import Final

from bursar import exact
from bursar.ledger import instant
from bursar.measure.heatmap import Heatmap
from bursar.measure.measured import unknown as unmeasured
from bursar.report import charts, dealings, standing
from bursar.report.document import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Figures,
    Lines,
    Section,
    Table,
    gain,
    gain_percent,
    heated,
    measured,
    minute,
    money,
    percent,
    plain,
    price,
    word,
)
from bursar.report.records import Report

_NOTHING: Final = Cell("")
_MONTHS: Final = tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())  # noqa: SIM905


@exact.money
def document(found: Report) -> Document:
    """Return a report as it is to be set."""
    made = (
        _summary(found),
        _curve(found),
        _benchmark(found),
        _periods(found),
        dealings.trips(found),
        dealings.strategies(found),
        standing.exposure(found),
        dealings.fees(found),
        dealings.flows(found),
        dealings.gains(found),
        standing.agreement(found),
        standing.conventions(found),
    )
    return Document(
        title=found.portfolio
        if found.strategy is None
        else f"{found.portfolio} · {found.strategy}",
        subtitle=" · ".join(_scope(found)),
        hero=_hero(found),
        sections=tuple(each for each in made if each is not None and each.blocks),
        foot=f"Made {instant.show(found.made_at)[:16].replace('T', ' ')} UTC"
        f" of version {found.version:,} of the book. Amounts in {found.base}.",
    )


def _scope(found: Report) -> Iterator[str]:
    start, end = found.window.start, found.window.end
    yield found.range if found.range in {"All", "YTD"} or start is None else _span(found)
    if start is not None or end is not None:
        since = "the beginning" if start is None else f"{start:%Y-%m-%d}"
        yield f"{since} to {'now' if end is None else f'before {end:%Y-%m-%d}'}"
    yield found.base
    yield found.method


def _span(found: Report) -> str:
    return "Report" if "–" in found.range else found.range


def _hero(found: Report) -> Figure:
    """Return equity at the end; where something has no price, of what has, and without what."""
    told, own = found.worth, found.performance
    if own is not None and own.equity_end.value is not None and not told.unvalued:
        more = ", with what the view leaves out" if told.excluded_value else ""
        said = f"as of {minute(own.closed_at).text} UTC{more}"
        return Figure("Equity", measured(own.equity_end), said)
    lacking = f", without {', '.join(told.unvalued)}" if told.unvalued else ""
    name = "Equity" if found.strategy is None else f"Equity of {found.strategy}"
    return Figure(name, money(told.equity), f"as of {minute(told.at).text} UTC{lacking}")


def _summary(found: Report) -> Section:
    blocks: list[Block] = [Figures(tuple(_figures(found)))]
    if found.remarks:
        blocks.append(Lines(found.remarks, is_warning=True))
    return Section("summary", "Summary", "", tuple(blocks))


def _figures(found: Report) -> Iterator[Figure]:
    own, trades = found.performance, found.trades
    if own is not None:
        yield Figure("Made", gain(own.made.value, why=own.made.reason), "equity less capital in")
        yield Figure("Return", gain_percent(own.twr_pct), "time-weighted")
        yield Figure("Return a year", gain_percent(own.mwr_pct), "money-weighted")
        yield Figure(
            "Capital, net", gain(own.flows.value, why=own.flows.reason), "between first and last"
        )
    for each in found.standing if own is None else ():
        yield Figure("Made", gain(each.made), "by its own lots, all time")
        yield Figure("Given", money(each.contributed), "capital, by its own lots")
        yield Figure("Sharpe", plain(each.sharpe), "of days with capital")
        yield Figure("Below peak", percent(each.drawdown * 100), "of its unit value")
    yield Figure(
        "Realised",
        gain(found.pnl.realized_pnl_base_total),
        "fees taken off" if own is not None else "by the account's lots",
    )
    yield Figure("Unrealised", gain(found.worth.unrealized), "of what is held")
    yield Figure("Income", gain(found.pnl.income_base))
    yield Figure("Fees", money(found.pnl.fees_base), "inside realised")
    yield Figure("Expenses", money(found.pnl.expenses_base), "beside realised")
    if own is not None:
        ratios, nav = own.ratios, own.nav_drawdown
        yield Figure("Deepest fall", percent(nav.max_pct), "of the unit price")
        yield Figure("Below peak now", percent(nav.current_pct))
        yield Figure("Volatility", percent(ratios.volatility_pct), "a year")
        yield Figure("Sharpe", plain(ratios.sharpe), f"of {ratios.returns} daily returns")
        yield Figure("Sortino", plain(ratios.sortino))
        yield Figure("Calmar", plain(ratios.calmar))
        yield Figure("VaR, a day", percent(ratios.var_pct), f"{own.conventions.level_pct} %")
        yield Figure("CVaR, a day", percent(ratios.cvar_pct))
        yield Figure("Kelly, half", plain(own.kelly_trades.half), "of round trips")
    yield Figure("Win rate", percent(trades.win_rate), f"of {trades.count:,} round trips")
    yield Figure("Profit factor", plain(trades.profit_factor))
    yield Figure("Expectancy", gain(trades.expectancy.value, why=trades.expectancy.reason))


def _curve(found: Report) -> Section | None:
    drawn = charts.equity(found)
    if drawn is None:
        return None
    note = "Triangles are capital that came or, upside down, went. Below: the fall from the peak."
    if found.performance is None:
        note = "What the strategy had made by the end of each day on which it did something."
        return Section("curve", "Made, at cost", note, (drawn,))
    blocks: list[Block] = [drawn]
    falls = charts.falls(found.performance)
    if falls is not None:
        blocks.append(falls)
    return Section("curve", "Equity and underwater", note, tuple(blocks))


def _benchmark(found: Report) -> Section | None:
    told = found.benchmark
    if told is None:
        return None
    drawn = charts.against(told)
    figures = Figures(
        (
            Figure("Portfolio", gain_percent(told.own_pct), "time-weighted"),
            Figure(told.asset, gain_percent(told.return_pct), "bought and held"),
            Figure("Difference", gain_percent(told.excess_pct), "percentage points"),
            Figure("First price", price(None if told.first is None else told.first.price),
                   "" if told.first is None else minute(told.first.at).text),
            Figure("Last price", price(None if told.last is None else told.last.price),
                   "" if told.last is None else minute(told.last.at).text),
        )
    )  # fmt: skip
    note = f"Of the same moments, by {told.prices:,} prices of {told.asset} that the book knows."
    return Section(
        "benchmark", f"Against {told.asset}", note, (figures, *([] if drawn is None else [drawn]))
    )


def _periods(found: Report) -> Section:
    blocks: list[Block] = []
    if found.returns:
        blocks.append(_returns(found))
    by_kind = {each.kind.value: each for each in found.heatmaps if each.cells}
    if "month" in by_kind:
        blocks.append(_by_month(by_kind["month"]))
    if "day" in by_kind:
        blocks.append(charts.squares(by_kind["day"], "Realised by day"))
    if "hour" in by_kind:
        blocks.append(charts.squares(by_kind["hour"], "Realised by weekday and hour"))
    if "symbol" in by_kind:
        blocks.append(_by_symbol(by_kind["symbol"]))
    note = "Returns are of the unit price, so capital that came or went is none."
    return Section("periods", "Periods", note if found.returns else "", tuple(blocks))


def _returns(found: Report) -> Table:
    told = {(each.year, each.month): each.twr_pct for each in found.returns}
    years = sorted({each.year for each in found.returns})
    every = [(year, f"{number:02}") for year in years for number in range(1, 13)]
    cells = dict(
        zip(
            every,
            heated(_NOTHING if key not in told else gain_percent(told[key]) for key in every),
            strict=True,
        )
    )
    return Table(
        name="Returns by month, %",
        columns=(Column("", is_text=True), *map(Column, _MONTHS), Column("Year")),
        rows=tuple(
            (
                word(year),
                *(cells[year, f"{number:02}"] for number in range(1, 13)),
                gain_percent(told.get((year, ""), unmeasured("the curve does not reach into it"))),
            )
            for year in years
        ),
        is_dense=True,
    )


def _by_month(laid: Heatmap) -> Table:
    told = {(cell.row, cell.column): cell.pnl for cell in laid.cells}
    every = [(year, f"{number:02}") for year in laid.rows for number in range(1, 13)]
    warm = heated(gain(told[key]) if key in told else _NOTHING for key in every)
    cells = dict(zip(every, warm, strict=True))
    return Table(
        name="Realised by month",
        columns=(Column("", is_text=True), *map(Column, _MONTHS)),
        rows=tuple(
            (word(year), *(cells[year, f"{number:02}"] for number in range(1, 13)))
            for year in laid.rows
        ),
        note=f"All together {gain(laid.total).text}.",
        is_dense=True,
    )


def _by_symbol(laid: Heatmap) -> Table:
    told = {(cell.row, cell.column): cell.pnl for cell in laid.cells}
    shown = laid.columns[-12:]
    every = [(row, column) for row in laid.rows for column in shown]
    warm = heated(gain(told[key]) if key in told else _NOTHING for key in every)
    cells = dict(zip(every, warm, strict=True))
    return Table(
        name="Realised by symbol and month",
        columns=(Column("", is_text=True), *map(Column, shown)),
        rows=tuple((word(row), *(cells[row, column] for column in shown)) for row in laid.rows),
        note=dealings.shown_of(len(shown), len(laid.columns), "months"),
        is_dense=True,
    )
