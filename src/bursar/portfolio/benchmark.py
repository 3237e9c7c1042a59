"""A benchmark: what buying an asset at the start of a range and holding it would have made.

Its prices are those the book knows: what snapshots were valued at, recorded prices, trades against
money, and the mark of now. At each moment of the curve the last of them counts, if it is of at most
a day before. Both returns are of the same moments, the first and the last for which unit price and
price are known, so the difference of the two is of like and like.

Errors: none; a price that is not known is a reason.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import money, quotient18, ratio18
from bursar.ledger import instant
from bursar.ledger.names import canonical
from bursar.ledger.prices import PRICE_AGE_MAX
from bursar.measure.curve import UNIT, Growth, Point
from bursar.measure.measured import Measured, known, percent, unknown
from bursar.portfolio import snapshots
from bursar.value.convert import Missing, find_path
from bursar.value.marks import Mark
from bursar.value.splits import Splits

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices


class Priced(msgspec.Struct, frozen=True):
    """What a unit of the asset was worth in base currency at a time, and who said so."""

    at: int
    price: Decimal
    source: str


class Compared(msgspec.Struct, frozen=True):
    """A moment of both: the unit price, and the price of the asset, each 100 at the first."""

    at: int
    nav: Decimal
    value: Decimal


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """How a range compares with holding one asset. `excess_pct` is the difference of the two."""

    asset: str
    prices: int
    first: Priced | None
    last: Priced | None
    return_pct: Measured
    own_pct: Measured
    excess_pct: Measured
    points: tuple[Compared, ...]


@money
def benchmark(
    portfolio: Portfolio, asset: str, points: Iterable[Point], prices: Prices = None
) -> Benchmark:
    """Compare a curve with buying and holding an asset. O(snapshots + prices + trades)."""
    told = sorted({each.at: each for each in _known(portfolio, asset, prices)}.values(), key=_at)
    times = [each.at for each in told]
    both: list[tuple[Point, Priced]] = []
    grown, apart = Growth(), list[Point]()
    for point in points:
        if point.nav is None:
            continue
        place = bisect_right(times, point.at)
        if place and point.at - told[place - 1].at <= PRICE_AGE_MAX:
            both.append((point, told[place - 1]))
            grown.see((*apart, point))
            apart = []
        elif both:  # without a price, and yet it may be where the curve is broken
            apart.append(point)
    return _compared(asset, len(told), both, grown.pct)


def _compared(
    asset: str, count: int, both: list[tuple[Point, Priced]], grown: Measured
) -> Benchmark:
    own = held = excess = unknown(f"no two moments have a price of {asset} of the day before")
    if both[1:]:
        first, last = both[0][1].price, both[-1][1].price
        own, held = grown, percent(last - first, first)
        excess = own if own.value is None else held
        if own.value is not None and held.value is not None:
            excess = known(own.value - held.value)
    return Benchmark(
        asset=asset,
        prices=count,
        first=both[0][1] if both else None,
        last=both[-1][1] if both else None,
        return_pct=held,
        own_pct=own,
        excess_pct=excess,
        points=tuple(_points(both)),
    )


def _points(both: list[tuple[Point, Priced]]) -> Iterator[Compared]:
    for point, priced in both:
        nav, price = both[0][0].nav or UNIT, both[0][1].price
        if nav and price:
            yield Compared(
                point.at,
                ratio18(UNIT, point.nav or UNIT, nav),
                ratio18(UNIT, priced.price, price),
            )


def _at(priced: Priced) -> int:
    return priced.at


def _known(portfolio: Portfolio, asset: str, prices: Prices) -> Iterator[Priced]:
    """Yield every price of an asset that the book knows, each of the units that there are now; of
    one instant the later one counts.
    """
    base, splits = portfolio.terms.base, Splits(portfolio.timeline.splits.values())
    for each in _told(portfolio, asset):
        told_then = Mark(asset, base, each.price, each.source, each.at)
        for mark in splits.restated((told_then,)):
            yield Priced(mark.at, mark.price, mark.source)
    path = find_path(
        asset,
        base,
        marks=portfolio.marks(prices),
        cash=portfolio.terms.cash,
        pairs=portfolio.options.valuation_pairs,
    )
    if not isinstance(path, Missing) and path.rate:
        told = min((mark.at for mark in path.marks), default=portfolio.desk.clock.now())
        yield Priced(told, path.rate, path.marks[0].source if path.marks else "face")


def _told(portfolio: Portfolio, asset: str) -> Iterator[Priced]:
    """Yield what trades, recorded prices and snapshots said of one unit then."""
    wanted, terms = canonical(asset), portfolio.terms
    for record in portfolio.trades():
        base, _, quote = record.pair.partition("/")
        if canonical(base) == wanted and quote in terms.cash and record.price:
            yield Priced(instant.from_datetime(record.time), record.price, record.pair)
    recorded = portfolio.timeline.notes.prices
    for price in recorded.counting():
        if recorded.of(price) != wanted:
            continue
        rate = recorded.at(wanted, price.executed_at)
        if rate is not None and rate.value:
            yield Priced(price.executed_at, rate.value, rate.source)
    yield from _kept(portfolio, wanted)


def _kept(portfolio: Portfolio, wanted: str) -> Iterator[Priced]:
    """Yield what snapshots said of one unit then, but for those that missed a split of it."""
    desk = portfolio.desk
    doubts = snapshots.doubts(desk.store, desk.timeline.splits.values())
    own = [doubt for doubt in doubts if doubt.asset == wanted]
    for each in desk.store.get_snapshots():
        at = instant.from_datetime(each.timestamp)
        if any(doubt.covers(at) for doubt in own):
            continue
        for worth in each.asset_valuations:
            if canonical(worth.asset) == wanted and worth.amount and worth.value_base:
                unit = quotient18(worth.value_base, worth.amount)
                yield Priced(at, unit, "snapshot")
