"""What was done: round trips, strategies, fees, flows, realised gains.

Errors: none.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from bursar.ledger import instant
from bursar.ledger.entries import MANUAL
from bursar.ledger.state import NO_PAIR
from bursar.measure.trades import TradeStatistics
from bursar.portfolio.gains import Disposal, Gains, YearGains
from bursar.report import conventions as rules
from bursar.report.document import (
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Lines,
    Section,
    Table,
    count,
    day,
    gain,
    gain_percent,
    measured,
    minute,
    money,
    percent,
    plain,
    quantity,
    word,
)
from bursar.report.records import Report

ROWS: Final = 40
"""How many rows of a long table are set; the JSON has all."""

_NOTHING: Final = Cell("")
_SINCE: Final = "all of the range"


def trips(found: Report) -> Section:
    """Return the round trips, and what they come to."""
    every = sorted(found.trips, key=lambda trip: -trip.closed_at)
    shown, told = every[:ROWS], found.trades
    figures = Figures(
        (
            Figure("Round trips", count(told.count), f"{told.wins:,} won, {told.losses:,} lost"),
            Figure("Net", gain(told.net)),
            Figure("Average win", measured(told.average_win)),
            Figure("Average loss", measured(told.average_loss)),
            Figure("Best", gain(told.best.value, why=told.best.reason)),
            Figure("Worst", gain(told.worst.value, why=told.worst.reason)),
            Figure("Longest losses", count(told.longest_losses), "in a row"),
            Figure("Held on average", _held(told), ""),
        )
    )
    table = Table(
        name="Closed last",
        columns=(
            Column("closed", is_text=True),
            Column("pair", is_text=True),
            Column("strategy", is_text=True),
            Column("held"),
            Column("cost"),
            Column("fees"),
            Column("PnL"),
            Column("return"),
        ),
        rows=tuple(
            (
                minute(trip.closed_at),
                word(" · ".join((trip.pair, *trip.flags))),
                word(trip.strategy),
                word(_span_of(trip.held)),
                money(trip.cost),
                money(trip.fees),
                gain(trip.pnl),
                gain_percent(trip.return_pct),
            )
            for trip in shown
        ),
        note=shown_of(len(shown), len(every), "round trips"),
    )
    return Section(
        "trips",
        "Round trips",
        "One for each closing order and coin.",
        (figures, table) if every else (),
    )


def _held(told: TradeStatistics) -> Cell:
    seconds = told.held_mean_s
    if seconds.value is None:
        return measured(seconds)
    return Cell(_span_of(int(seconds.value) * instant.SECOND), str(seconds))


def strategies(found: Report) -> Section:
    """Return what each strategy did, and what its own book is worth."""
    standing = {each.strategy: each for each in found.standing}
    names = sorted({*found.strategies.parts, *standing, *found.strategy_trades})
    rows = []
    for name in names:
        part, trades = found.strategies.parts.get(name), found.strategy_trades.get(name)
        own = standing.get(name)
        if name == NO_PAIR and not (part and part.trades):
            continue  # what is open belongs to no strategy, and stands under exposure
        rows.append(
            (
                word(name),
                gain(part.realized if part else Decimal(0)),
                money(part.fees if part else Decimal(0)),
                count(part.trades if part else 0),
                count(trades.count if trades else 0),
                percent(trades.win_rate) if trades else _NOTHING,
                plain(trades.profit_factor) if trades else _NOTHING,
                money(own.equity) if own else _NOTHING,
                gain(own.unrealized) if own else _NOTHING,
            )
        )
    table = Table(
        name="",
        columns=(
            Column("strategy", is_text=True),
            *map(Column, ("realised", "fees", "trades", "trips", "won", "profit factor")),
            Column("equity"),
            Column("unrealised"),
        ),
        rows=tuple(rows),
    )
    note = (
        f"What nobody's strategy did stands under {MANUAL}. Realised is by the account's lots;"
        " equity is that of the strategy's own book, which has lots of its own."
    )
    return Section("strategies", "Strategies", note, (table,) if rows else ())


def fees(found: Report) -> Section:
    """Return fees by pair, and by what they were charged in."""
    pairs = Table(
        name="By pair",
        columns=(Column("pair", is_text=True), *map(Column, ("fees", "realised", "trades"))),
        rows=tuple(
            (word(name), money(part.fees), gain(part.realized), count(part.trades))
            for name, part in found.pnl.parts.items()
        ),
        total=(
            word("total"),
            money(found.pnl.fees_base),
            gain(found.pnl.realized_pnl_base_total),
            count(sum(part.trades for part in found.pnl.parts.values())),
        ),
    )
    blocks: list[Block] = [pairs] if found.pnl.parts else []
    if found.fees is not None and found.fees.by_asset:
        blocks.append(
            Table(
                name="Charged in, since the book began",
                columns=(Column("asset", is_text=True), *map(Column, ("charged", "worth"))),
                rows=tuple(
                    (word(name), quantity(fee.amount), money(fee.value, why="no price of then"))
                    for name, fee in found.fees.by_asset.items()
                ),
                total=(word("total"), _NOTHING, money(found.fees.total)),
            )
        )
    return Section("fees", "Fees", "At their worth when they were charged.", tuple(blocks))


def flows(found: Report) -> Section:
    """Return what moved and was no trade."""
    shown = found.flows[:ROWS]
    figures = [
        Figure("Income", gain(found.pnl.income_base)),
        Figure("Expenses", money(found.pnl.expenses_base)),
    ]
    if found.strategy is None:
        net = found.pnl.net_flows_base
        carried = found.pnl.transferred_unrealized_base
        why = "some had no price"
        figures.insert(0, Figure("Capital, net", gain(net, why=why), _SINCE))
        figures.append(Figure("Carried along", gain(carried, why=why), "unrealised, with capital"))
    table = Table(
        name="Newest",
        columns=(
            Column("when", is_text=True),
            Column("what", is_text=True),
            Column("account", is_text=True),
            Column("amount"),
            Column("asset", is_text=True),
            Column("worth then"),
        ),
        rows=tuple(
            (
                minute(instant.from_datetime(each.time)),
                word(each.type),
                word(each.account),
                quantity(each.amount),
                word(each.asset),
                money(each.value_base, why="it has no price"),
            )
            for each in shown
        ),
        note=shown_of(len(shown), len(found.flows), "flows"),
    )
    return Section("flows", "Flows", "", (Figures(tuple(figures)), table) if found.flows else ())


def gains(found: Report) -> Section:
    """Return realised gains by year, and the disposals behind them."""
    told = found.gains
    note = (
        f"Under {told.method}: {rules.METHODS[told.method]}. Long is held for more than"
        f" {told.long_after} days."
    )
    blocks: list[Block] = [_years("Calendar years", told.by_calendar_year)]
    if told.tax_year != "01-01":
        blocks.append(_years(f"Tax years, from {told.tax_year}", told.by_tax_year))
    if told.method == "wac":
        said = (
            "wac keeps no days of lots; --method fifo, lifo, hifo or specific tell short from long"
        )
        blocks.append(Lines((said,)))
    if flagged := sum(each.flagged for each in told.by_calendar_year):
        said = f"Not the last word: {flagged:,} disposals; what nobody priced is 0 in them"
        blocks.append(Lines((said,)))
    blocks.append(_disposals(told))
    is_any = bool(told.by_calendar_year)
    return Section("gains", "Realised gains", note, tuple(blocks) if is_any else ())


def _years(name: str, years: Sequence[YearGains]) -> Table:
    return Table(
        name=name,
        columns=(
            Column("year", is_text=True),
            *map(Column, ("disposals", "proceeds", "cost", "short", "long", "undated", "realised")),
        ),
        rows=tuple(
            (
                word(each.year),
                count(each.disposals),
                money(each.proceeds),
                money(each.cost),
                gain(each.short),
                gain(each.long),
                gain(each.undated),
                gain(each.realized),
            )
            for each in years
        ),
        note="Undated: fees of purchases, pegs, leverage, and lots of no known day.",
    )


def _disposals(told: Gains) -> Table:
    latest: Sequence[Disposal] = told.disposals[: -ROWS - 1 : -1]
    return Table(
        name="Disposals, newest first",
        columns=(
            Column("sold", is_text=True),
            Column("asset", is_text=True),
            *map(Column, ("quantity", "acquired", "proceeds", "cost", "gain")),
            Column("term", is_text=True),
        ),
        rows=tuple(
            (
                day(each.sold_at),
                word(" · ".join((each.asset, *each.flags))),
                quantity(each.quantity),
                day(each.acquired_at),
                money(each.proceeds),
                money(each.cost),
                gain(each.gain),
                word(each.term.value),
            )
            for each in latest
        ),
        note=shown_of(len(latest), len(told.disposals), "disposals"),
    )


def shown_of(shown: int, every: int, what: str) -> str:
    """Say how many of how many are set, where that is not all."""
    return "" if shown == every else f"{shown:,} of {every:,} {what}; the JSON has all of them."


def _span_of(nanoseconds: int | None) -> str:
    if nanoseconds is None:
        return ""
    minutes = nanoseconds // (60 * instant.SECOND)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h" if days < 10 else f"{days} d"  # noqa: PLR2004
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
