"""Each strategy as it stands: its sleeves at the marks, what was given to it and what it made.

Errors: those of the store and of valuing.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.sleeves import DayClose, StrategyBooks
from bursar.measure.sleeves import SleeveReturns, sleeve_returns
from bursar.measure.trip import Trip
from bursar.portfolio import kept
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.value.equity import Valuation, value_book


class StrategyNow(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's sleeves at the marks: what was given to it, what it made, what it is worth.

    All of it, whatever the view shows: equity = contributed + made + unrealised, where all has a
    value and a known cost. `cash` is base currency and its pegs at face.
    """

    strategy: str
    contributed: Decimal
    made: Decimal
    unrealized: Decimal
    equity: Decimal
    cash: Decimal
    returns: SleeveReturns
    trips: tuple[Trip, ...]
    valuation: Valuation


def books(portfolio: Portfolio) -> StrategyBooks:
    """Return every strategy's sleeves. O(facts since they were asked for last)."""
    return portfolio.sleeved.books(portfolio)


@money
def strategies(
    portfolio: Portfolio, prices: Prices = None, named: Iterable[str] = ()
) -> list[StrategyNow]:
    """Return every strategy as it stands, by name; what nobody did is under `manual`.

    Their worth adds up to all that the portfolio owns, to the last digit. Those that are `named`
    are among them though they have nothing yet.
    """
    sleeves, marks = books(portfolio), portfolio.marks(prices)
    now = portfolio.desk.clock.now()
    trips: dict[str, list[Trip]] = {}
    for trip in kept.trips(portfolio).trips:
        trips.setdefault(trip.strategy, []).append(trip)
    closes: dict[str, list[DayClose]] = {}
    for close in sleeves.closes:
        closes.setdefault(close.strategy, []).append(close)
    found, before = [], dict[str, Decimal]()
    for strategy in sorted({*sleeves.strategies(), *named}):
        book = sleeves.of(strategy)
        valuation = value_book(book, marks, now=now, options=portfolio.options, before=before)
        for each in (*valuation.assets, *valuation.excluded):
            name = marks.name(each.asset)
            before[name] = before.get(name, ZERO) + each.quantity
        returns = sleeve_returns(
            closes.get(strategy, []),
            today=now // instant.DAY,
            unrealized=valuation.owned_unrealized,
        )
        found.append(
            StrategyNow(
                strategy=strategy,
                contributed=sleeves.contributed(strategy),
                made=sleeves.made(strategy),
                unrealized=valuation.owned_unrealized,
                equity=valuation.owned,
                cash=valuation.owned_cash,
                returns=returns,
                trips=tuple(trips.get(strategy, ())),
                valuation=valuation,
            )
        )
    return found
