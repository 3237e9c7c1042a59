"""A report is put together here, as one record; its figures are worked out by the views below.

The range decides what is looked at: curve, trades, fees, flows and gains are those of it. What is
held and exposed is of its end; a range that has ended is asked of the portfolio as it was then. A
report of one strategy has what that strategy did, and its own book; what belongs to the account
alone (curve, capital flows) is left out and said to be.

Invariant: no figure is made here. Each is a field of a record that another verb answers too, so a
report, the command line and the service cannot differ.

Errors: `BadChoice` for a range, rule or strategy that there is none of, and those of the verbs.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.names import canonical
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ledger.terms import method
from bursar.measure import heatmap as heatmaps
from bursar.measure.curve import Curve
from bursar.measure.heatmap import Heatmap
from bursar.measure.trades import by, statistics
from bursar.measure.trip import Trip
from bursar.measure.trips import round_trips
from bursar.portfolio import allocating, earnings, kept, snapshots
from bursar.portfolio.benchmark import benchmark
from bursar.portfolio.gains import GainsAsked, gains
from bursar.portfolio.past import PastDesk
from bursar.portfolio.performance import remarks as curve_remarks
from bursar.portfolio.periods import Range
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.portfolio.summaries import PnLSummary
from bursar.report import parts, ranges
from bursar.report.records import Asked, DayMade, Report, StrategyStanding
from bursar.value.equity import Valuation, value_book
from bursar.value.marks import Mark, Marks, Standing

SNAPSHOT: Final = "snapshot"
_MARKS_MAX: Final = 10
"""Who says so of a mark that the last snapshot of a range was valued at."""

HEATMAPS: Final = ("month", "day", "hour", "symbol")


def report(portfolio: Portfolio, asked: Asked | None = None, prices: Prices = None) -> Report:
    """Put a report together. Nothing is written. O(facts)."""
    return _Work(portfolio, asked or Asked(), prices).report()


class _Work:
    """One report in the making: what is asked, and what several of its parts rest on."""

    def __init__(self, portfolio: Portfolio, asked: Asked, prices: Prices) -> None:
        self.here, self.asked, self.given, self.prices = portfolio, asked, prices, prices
        self.rule = portfolio.terms.method if asked.method is None else method(asked.method)
        self.is_own = self.rule is portfolio.terms.method
        self.window = ranges.window(portfolio, asked.period)
        self.span: Range = (self.window.start, self.window.end)
        self.now = portfolio.desk.clock.now()
        self.then = self._then()
        if self.then is not portfolio and prices is None:
            self.prices = prices = _closing_marks(self.then)
        self.standing = {each.strategy: each for each in allocating.strategies(self.then, prices)}
        known = allocating.books(portfolio).strategies()
        if asked.strategy is not None and asked.strategy not in known:
            raise BadChoice(
                f"no strategy is called {asked.strategy!r}; there are {', '.join(known)}",
                value=asked.strategy,
            )

    def report(self) -> Report:
        asked, is_whole = self.asked, self.asked.strategy is None
        valuation = self._valuation()
        performance = self.here.performance(self.span, self.given) if is_whole else None
        trips, records = self._trips(), list(self._records())
        compared = None
        curve = Curve(()) if performance is None else performance.curve
        if asked.benchmark is not None and performance is not None:
            compared = benchmark(self.here, asked.benchmark, curve.points, self.given)
        found = Report(
            portfolio=self.here.desk.store.portfolio,
            base=self.here.terms.base,
            version=self.here.desk.head.version,
            made_at=self.now,
            range=ranges.named(asked.period, self.window),
            window=self.window,
            method=self.rule.value,
            strategy=asked.strategy,
            worth=parts.worth(valuation),
            performance=performance,
            returns=()
            if performance is None
            else tuple(parts.returns(performance.curve.points, self.window)),
            benchmark=compared,
            pnl=self._pnl("pair"),
            trades=statistics(trips),
            trips=tuple(trips),
            heatmaps=self._heatmaps(records),
            strategies=self._pnl("strategy"),
            strategy_trades=by(trips, lambda trip: trip.strategy),
            standing=tuple(self._standing()),
            made_by_day=tuple(self._made_by_day()),
            fees=self.then.fees() if is_whole else None,
            flows=tuple(self._flows()) if is_whole else (),
            holdings=tuple(parts.holding(each) for each in valuation.assets),
            risk=self.then.risk(self.prices) if is_whole else None,
            certificates=tuple(parts.certified(self.here)),
            gains=gains(self.here, self._gains()),
            remarks=(),
        )
        return msgspec.structs.replace(found, remarks=tuple(self._remarks(found, valuation)))

    def _then(self) -> Portfolio:
        """Return the portfolio as it was at the end of the range."""
        end = self.window.end
        if end is None or instant.from_datetime(end) > self.now:
            return self.here
        if isinstance(self.here.desk, PastDesk):
            raise BadChoice("a range that has ended is asked of today; leave out its end, or --at")
        return self.here.at(instant.from_datetime(end) - 1)

    def _valuation(self) -> Valuation:
        """Value all that is held, or what the strategy's own book holds, if it had one then."""
        name, marks = self.asked.strategy, self.then.marks(self.prices)
        if name is None:
            return self.then.valuation(self.prices, rule=self.rule)
        if name in self.standing:
            return self.standing[name].valuation
        return value_book(Book(self.here.terms), marks, now=self.then.desk.clock.now())

    def _pnl(self, heading: str) -> PnLSummary:
        wanted = earnings.Asked(self.span, heading, self.rule, strategy=self.asked.strategy)
        return earnings.summary(self.here, wanted, self.given)

    def _records(self) -> Iterator[RealizedPnLRecord]:
        """Yield the trade records of the range, oldest first."""
        strategy = self.asked.strategy
        for each in self._every_record():
            if self.window.has(each.time) and strategy in (None, each.strategy_tag):
                yield each

    def _every_record(self) -> Iterable[RealizedPnLRecord]:
        return reversed(self.here.trades()) if self.is_own else self.here.records_of(self.rule)

    def _trips(self) -> Sequence[Trip]:
        every = kept.trips(self.here).trips if self.is_own else self._other_trips()
        strategy = self.asked.strategy
        return [
            trip
            for trip in every
            if self.window.has(instant.to_datetime(trip.closed_at))
            and strategy in (None, trip.strategy)
        ]

    def _other_trips(self) -> Sequence[Trip]:
        """Return the round trips under another cost rule than the portfolio's own."""
        shorts = frozenset(self.here.book().shorts)
        records = self.here.shifted(self.rule)
        cash, assets = self.here.terms.cash, kept.asset_of_pairs(self.here)
        return round_trips(records, assets, cash=cash, shorts=shorts).trips

    def _heatmaps(self, records: Sequence[RealizedPnLRecord]) -> tuple[Heatmap, ...]:
        assets = kept.asset_of_pairs(self.here)
        return tuple(
            heatmaps.heatmap(records, heatmaps.kind(name), assets=assets) for name in HEATMAPS
        )

    def _standing(self) -> Iterator[StrategyStanding]:
        rules = self.here.measuring.conventions
        for name, each in self.standing.items():
            if self.asked.strategy in (None, name):
                yield StrategyStanding(
                    strategy=name,
                    contributed=each.contributed,
                    made=each.made,
                    unrealized=each.unrealized,
                    equity=each.equity,
                    cash=each.cash,
                    sharpe=each.returns.sharpe(rules),
                    drawdown=each.returns.drawdown,
                )

    def _made_by_day(self) -> Iterator[DayMade]:
        """Yield a strategy's days in the range, where one is asked for."""
        for close in allocating.books(self.then).closes if self.asked.strategy else ():
            at = (close.day + 1) * instant.DAY - 1
            if close.strategy == self.asked.strategy and self.window.has(instant.to_datetime(at)):
                yield DayMade(at, close.contributed, close.made)

    def _flows(self) -> Iterator[CashFlowRecord]:
        return (each for each in self.here.flows() if self.window.has(each.time))

    def _gains(self) -> GainsAsked:
        own = self.here.measuring
        return GainsAsked(
            rule=self.rule,
            window=self.window,
            strategy=self.asked.strategy,
            tax_year=self.asked.tax_year or own.tax_year,
            long_after=self.asked.long_after or own.long_after,
        )

    def _remarks(self, found: Report, valuation: Valuation) -> Iterator[str]:
        """Say whatever the figures do not know, the gravest first."""
        yield from valuation.coverage.lines(marks_max=_MARKS_MAX)
        if found.performance is not None:
            yield from curve_remarks(found.performance)
        if valuation.excluded or valuation.excluded_margins:
            yield (
                "the view leaves assets out: of PnL, fees by pair, holdings and exposure; curve,"
                " round trips and gains are of everything"
            )
        if found.pnl.unpriced_flows:
            yield f"unpriced flows: {', '.join(found.pnl.unpriced_flows)}"
        if found.trades.unpriced:
            yield (
                f"{found.trades.unpriced:,} of {found.trades.count:,} round trips have a fee, a"
                " leg or a settlement that nobody priced, which counts as nothing"
            )
        if found.strategy is not None:
            yield (
                f"{found.strategy} alone: the equity curve and capital flows are the account's,"
                " and are left out"
            )
            if not self.is_own:
                yield f"the strategy's own book is kept under {self.here.terms.method.value}"
        if found.strategy is not None and self.asked.benchmark is not None:
            yield "a strategy has no curve of its own to hold against a benchmark"
        if found.benchmark is not None and found.benchmark.return_pct.value is None:
            yield f"benchmark {found.benchmark.asset}: {found.benchmark.return_pct.reason}"
        yield from (each.sentence for each in found.certificates if each.certificate is None)


def _closing_marks(then: Portfolio) -> Marks | None:
    """Return what the last snapshot by then was valued at; of that and trades the later counts."""
    (last,) = then.desk.store.get_snapshots(None, 1) or (None,)
    if last is None:
        return None
    at, base = instant.from_datetime(last.timestamp), then.terms.base
    doubts = snapshots.doubts(then.desk.store, then.desk.timeline.splits.values())
    missed = {doubt.asset for doubt in doubts if doubt.covers(at)}
    return Marks(
        Mark(asset, base, price, SNAPSHOT, at, Standing.TRADE)
        for asset, price in snapshots.unit_prices(last).items()
        if asset not in then.terms.cash and canonical(asset) not in missed
    )
