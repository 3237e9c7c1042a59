"""What closed lately: the trades of the rolling window, and those no decision has looked at yet.

A trade is looked at by the first decision that knows it, once, if it closed within the window. One
that is told later than that belongs to equity, capital and drawdown like any other, and to no
memory: what a strategy did before the window says nothing about it now.

Errors: those of the store.
"""

from collections.abc import Mapping, Sequence

import msgspec

from bursar.capital.deciding import Rules
from bursar.capital.regimes import Spell, named
from bursar.capital.trades import ClosedTrade
from bursar.ledger import instant
from bursar.ledger.entries import MANUAL
from bursar.measure.trip import Trip
from bursar.portfolio import kept as kept_trips
from bursar.portfolio import regimes
from bursar.portfolio.allocating.decided import kept
from bursar.portfolio.portfolio import Portfolio


class Lately(msgspec.Struct, frozen=True):
    """The trips of strategies that closed after `since` (ns), and the fresh ones as trades."""

    since: int
    trips: tuple[Trip, ...]
    fresh: tuple[ClosedTrade, ...]


def lately(portfolio: Portfolio, rules: Rules) -> Lately:
    """Return what closed in the window. One that was shorter once never reaches back."""
    last, spells = kept(portfolio), regimes.spells(portfolio.desk.store)
    since = max(portfolio.desk.clock.now() - rules.allocator.window_days * instant.DAY, last.since)
    every = kept_trips.trips(portfolio).trips
    recent = tuple(e for e in every if e.closed_at > since and e.strategy != MANUAL)
    seen = set(last.seen)
    assets = kept_trips.asset_of_pairs(portfolio)
    fresh = tuple(_closed(e, spells, assets) for e in recent if not seen & {e.id, name_of(e)})
    return Lately(since, recent, fresh)


def name_of(trip: Trip) -> str:
    """Return what a trip is remembered by: an order's id is its venue's, often of one pair alone.

    What an earlier version remembered is the bare id.
    """
    return f"{trip.account} {trip.asset} {trip.id}"


def regime_of(trip: Trip, spells: Sequence[Spell]) -> str:
    """Return the regime of a trade: as it was told with it, or else what stood as it closed."""
    return trip.regime or named(spells, trip.closed_at)


def _closed(trip: Trip, spells: Sequence[Spell], assets: Mapping[str, str]) -> ClosedTrade:
    """Return a trip as a trade. A coin that paid for another was not entered in the pair of that
    one, and in which pair is not known.
    """
    is_own = assets.get(trip.pair, trip.asset) == trip.asset
    return ClosedTrade(
        id=trip.id,
        strategy=trip.strategy,
        at=trip.closed_at,
        pnl=trip.pnl,
        regime=regime_of(trip, spells),
        symbol=trip.pair if is_own else "",
        opened_at=trip.opened_at,
    )
