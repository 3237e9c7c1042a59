"""What measures are made of: the moments that were kept, the trips that closed, names and spans.

The curve is made of snapshots, of daily closes with the extremes of their day, and of now; before
the first of them it is rebuilt (`joining`). Every moment holds all that is owned, whatever the view
shows: flows go in and out of everything.

Errors: `BadChoice` for a range that there is none of.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.names import canonical
from bursar.ledger.state import NO_PAIR
from bursar.measure import heatmap as heatmaps
from bursar.measure.curve import Moment
from bursar.measure.drawdown import SPANS, Drawdown
from bursar.measure.heatmap import Heatmap
from bursar.measure.measured import summed
from bursar.measure.packed import Course
from bursar.measure.returns import DayCloses
from bursar.measure.rolling import Rolled
from bursar.measure.trades import TradeStatistics
from bursar.measure.trip import Trips
from bursar.portfolio import snapshots
from bursar.portfolio.came import Brought, came_by
from bursar.portfolio.closings import Closings, Made
from bursar.portfolio.followed import Today
from bursar.portfolio.joining import Before
from bursar.portfolio.periods import Range, Window, typed, window
from bursar.portfolio.units import Doubt
from bursar.portfolio.views import Realized
from bursar.reconcile import Reconciliation
from bursar.value.figures import Figures, figures
from bursar.value.marks import Mark, Marks, spelled
from bursar.value.snapshot import capital
from bursar.value.splits import Splits

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio
    from bursar.value.equity import Valuation

_NOTHING: Final = ZERO, ZERO, ZERO
_NAMES: Final = Marks()
"""No marks: only the one names of assets."""


class Kept(msgspec.Struct, frozen=True):
    """Now, as of a look at what was kept before it."""

    portfolio: Portfolio
    now: Moment

    @property
    def today(self) -> Today:
        """Now, and what the day began with."""
        return self.portfolio.followed.today(self.portfolio, self.now)

    @property
    def fallen(self) -> Drawdown:
        """How far equity is below its peak, without windows and falls. O(1)."""
        return self.portfolio.followed.drawdown(self.portfolio, self.now)

    @property
    def last(self) -> Moment:
        """Now, as the curve links it: with what has come. O(flows since the last moment), once."""
        before = self.portfolio.followed.linked(self.portfolio, self.now)
        came = of_head(self.portfolio).came(before)
        return msgspec.structs.replace(self.now, came=came)

    def course(self, start: int | None = None, end: int | None = None) -> Course:
        """The curve that the kept moments of a stretch, and those rebuilt of before them, make with
        now, to be walked.
        """
        return self.portfolio.followed.course(self.portfolio, self.last, start, end)

    def before(self, start: int | None = None) -> Before | None:
        """What of that was rebuilt: the part before the first kept moment."""
        return self.portfolio.followed.before(self.portfolio, self.last, start)

    def closes(self) -> DayCloses:
        """The closes of its days, of which daily returns are. O(days)."""
        return self.portfolio.followed.closes(self.portfolio, self.last)


def kept(portfolio: Portfolio, valuation: Valuation) -> Kept:
    """Look at what was kept, and at now. O(what is new)."""
    portfolio.followed.look(portfolio, valuation.at)
    return Kept(portfolio, moment_of(portfolio, figures(valuation)))


@money
def moment_of(portfolio: Portfolio, found: Figures) -> Moment:
    """Return the moment of a view's figures; it holds what the view leaves out too."""
    return Moment(
        found.at,
        found.owned,
        of_head(portfolio).capital,
        found.is_priced,
        found.is_stale,
    )


def trips(portfolio: Portfolio) -> Trips:
    """Return all closed round trips; worked out once while the book stands. O(trade records)."""
    return of_head(portfolio).trips


def rolling(portfolio: Portfolio, strategy: str, span: int) -> Rolled:
    """Return what a strategy's round trips of the last `span` nanoseconds come to.

    O(trips) the first time; then O(1) on average for each that has closed since.
    """
    return of_head(portfolio).rolling(strategy, span)


@money
def realized(portfolio: Portfolio, now: int) -> Realized:
    """Return what trades realised, of all that the view shows: all time, day, week, month.

    O(assets) while the day lasts, and the records that are new.
    """
    known = of_head(portfolio)
    shown = [sums for asset, sums in known.made(now).items() if asset is None or known.shows(asset)]
    today, week, month = (summed(each) for each in zip(*shown, strict=True)) if shown else _NOTHING
    return Realized(known.realized, today, week, month)


class OfHead:
    """What follows from the book alone, each worked out once while it stands."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.head = portfolio.desk.head
        self._portfolio = portfolio
        self._came: tuple[Brought, Decimal | None] | None = None
        self._heats: dict[heatmaps.Kind, Heatmap] = {}
        self.agreed: dict[object, tuple[int, Reconciliation]] = {}
        """What was reconciled, by what it was asked of, with the marks of then by number."""

    def came(self, before: Moment | None) -> Decimal | None:
        """Return what has come by now, where a kept moment tells what had by then."""
        if before is None or before.came is None or before.capital is None or self.capital is None:
            return None
        then = Brought(before.at, before.capital, before.came)
        if self._came is None or self._came[0] != then:
            self._came = then, came_by(self._portfolio.desk.store, self.head, then, self.capital)
        return self._came[1]

    @cached_property
    def capital(self) -> Decimal | None:
        """The capital that came, at its worth when it came; `None` where some is not known."""
        return capital(self._portfolio.book())

    @cached_property
    @money
    def realized(self) -> Decimal:
        """What all trades realised, of all that the view shows."""
        cells = self._portfolio.book().cells.items()
        return summed(cell.realized for key, cell in cells if self.shows(key[1]))

    @cached_property
    @money
    def fees(self) -> Decimal:
        """What all trades paid, of all that the view shows."""
        cells = self._portfolio.book().cells.items()
        return summed(cell.fees for key, cell in cells if self.shows(key[1]))

    def heatmap(self, kind: heatmaps.Kind) -> Heatmap:
        """Return realised PnL laid out on two axes. O(records), once."""
        if kind not in self._heats:
            records = self._portfolio.desk.store.get_trades(None, None)
            self._heats[kind] = heatmaps.heatmap(records, kind, assets=self.assets)
        return self._heats[kind]

    def shows(self, asset: str) -> bool:
        """Tell whether the view shows an asset."""
        options, base = self._portfolio.options, self._portfolio.terms.base
        return options.shows(asset, base, marks=_NAMES)

    @cached_property
    def trips(self) -> Trips:
        """All closed round trips. O(trips), and the records that are new."""
        return self._closings.book.trips

    @cached_property
    def statistics(self) -> TradeStatistics:
        """What all round trips come to. O(trips since the earliest change)."""
        return self._closings.book.closed.statistics

    def rolling(self, strategy: str, span: int) -> Rolled:
        """Return the rolling figures of a strategy."""
        now = self._portfolio.desk.clock.now()
        return self._closings.book.closed.rolling(strategy, span).at(now)

    @property
    def _closings(self) -> Closings:
        self._portfolio.closings.reach(self._portfolio, self.assets)
        return self._portfolio.closings

    @cached_property
    def assets(self) -> dict[str, str]:
        """Which asset was traded in each pair."""
        cells = self._portfolio.book().cells
        return {
            key[2]: key[1]
            for key, cell in sorted(cells.items(), key=lambda each: each[0])
            if key[2] != NO_PAIR and (cell.trades or cell.size)
        }

    @cached_property
    def symbols(self) -> dict[str, str]:
        """How each asset's pair with money is spelled: with base currency, or a peg."""
        base, cash = self._portfolio.terms.base, self._portfolio.book().cash
        found: dict[str, str] = {}
        for pair, asset in sorted(self.assets.items()):
            quote = pair.partition("/")[2]
            if quote == base or (quote in cash and asset not in found):
                found[asset] = spelled(pair)
        return found

    def made(self, now: int) -> Made:
        """Return what trades realised of each asset today, this week and this month."""
        return self._closings.made(self._portfolio, now)


def of_head(portfolio: Portfolio) -> OfHead:
    """Return what follows from the book as it stands."""
    kept = portfolio.of_head
    if kept is None or (kept.head is not portfolio.desk.head and kept.head != portfolio.desk.head):
        kept = portfolio.of_head = OfHead(portfolio)
    return kept


def asset_of_pairs(portfolio: Portfolio) -> dict[str, str]:
    """Return which asset was traded in each pair."""
    return of_head(portfolio).assets


def symbols_of(portfolio: Portfolio) -> dict[str, str]:
    """Return how each asset's pair with money is spelled: with base currency, or a peg."""
    return of_head(portfolio).symbols


def span_of(portfolio: Portfolio, period: str | Range) -> Window:
    """Return the window of a range; `30d`, `90d` and `1y` end now.

    Raises:
        BadChoice: there is no such period, or it has yet to begin: of then, nothing is known.
    """
    now = portfolio.desk.clock.now()
    if isinstance(period, str) and period in SPANS:
        return Window(instant.to_datetime(now - SPANS[period]))
    found = window(period, now, besides=SPANS)
    if found.start is not None and (start := instant.from_datetime(found.start)) > now:
        raise BadChoice(
            f"the period begins at {instant.show(start)}, and it is {instant.show(now)}",
            period=typed(period),
        )
    return found


def closing_prices(portfolio: Portfolio) -> dict[str, dict[date, Decimal]]:
    """Return what one unit of each asset, as they are counted now, was worth at the last snapshot
    of each day. On the day of a split nobody knows, nor as long as snapshots missed one.

    O(assets × days), and of days whose prices were not kept beside their snapshots, O(those).
    """
    cash = portfolio.book().cash
    closing: dict[str, dict[date, Decimal]] = {}
    for day, prices in snapshots.day_prices(portfolio.desk.store):
        for asset, price in prices.items():
            if asset not in cash:
                closing.setdefault(asset, {})[day] = price
    told = portfolio.desk.timeline.splits.values()
    for doubt in snapshots.doubts(portfolio.desk.store, told):
        for asset in [asset for asset in closing if canonical(asset) == doubt.asset]:
            days = closing[asset].items()
            closing[asset] = {day: price for day, price in days if not _touches(doubt, day)}
    splits, base = Splits(told), portfolio.terms.base
    for asset in filter(splits.tell_of, closing):
        marks = [
            Mark(asset, base, price, snapshots.PRICES, _midnight(day))
            for day, price in closing[asset].items()
        ]
        known = splits.restated(marks)
        closing[asset] = {instant.to_datetime(each.at).date(): each.price for each in known}
    return closing


def _touches(doubt: Doubt, day: date) -> bool:
    return doubt.since < _midnight(day) + instant.DAY and _midnight(day) < doubt.until


def _midnight(day: date) -> int:
    return instant.from_datetime(datetime.combine(day, time.min, UTC))
