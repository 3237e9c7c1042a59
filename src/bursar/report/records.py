"""The record of a report: what is asked, and everything that is said of it.

Each field is a record that another verb answers too, or a few of them beside each other; pages are
set from this alone.

Errors: none.
"""

from decimal import Decimal
from html import escape

import msgspec

from bursar.ledger.records import CashFlowRecord
from bursar.measure.heatmap import Heatmap
from bursar.measure.measured import Measured
from bursar.measure.trades import TradeStatistics
from bursar.measure.trip import Trip
from bursar.portfolio.benchmark import Benchmark
from bursar.portfolio.gains import Gains, YearStart
from bursar.portfolio.performance import Performance
from bursar.portfolio.periods import Range, Window
from bursar.portfolio.risk import Risk
from bursar.portfolio.summaries import PnLSummary
from bursar.reconcile import Certificate
from bursar.value.pnl import FeeSummary


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked with. `period` is a name of a range, a period, or two moments.

    What is not said of tax years is as the portfolio is measured.
    """

    period: str | Range = "All"
    strategy: str | None = None
    method: str | None = None
    benchmark: str | None = None
    tax_year: YearStart | None = None
    long_after: int | None = None


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """What is held at the end of the range, by the marks known then."""

    at: int
    equity: Decimal
    cash: Decimal
    unrealized: Decimal
    excluded_value: Decimal
    unvalued: tuple[str, ...]
    stale: tuple[str, ...]


class HoldingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One asset: what is held, what it cost, what it is worth and by which mark."""

    asset: str
    quantity: Decimal
    cost: Decimal | None
    mark: Decimal | None
    mark_pair: str | None
    mark_source: str | None
    marked_at: int | None
    value: Decimal | None
    unrealized: Decimal | None
    share_pct: Decimal | None
    flags: tuple[str, ...]


class PeriodReturn(msgspec.Struct, frozen=True):
    """The time-weighted return of a month, or of what the range has of a year (`month` is ``)."""

    year: str
    month: str
    twr_pct: Measured


class Certified(msgspec.Struct, frozen=True):
    """The last certificate of an account: in a sentence, its hash, and all of it."""

    account: str
    sentence: str
    seal: str | None
    certificate: Certificate | None


class StrategyStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's own book now, under the portfolio's cost rule."""

    strategy: str
    contributed: Decimal
    made: Decimal
    unrealized: Decimal
    equity: Decimal
    cash: Decimal
    sharpe: Measured
    drawdown: Decimal


class DayMade(msgspec.Struct, frozen=True):
    """What a strategy had made by the end of a day on which it did something, at cost."""

    at: int
    contributed: Decimal
    made: Decimal


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `performance`, `returns`, `flows` and `benchmark` are the account's alone.

    `remarks` are sentences: whatever is not known, or not as it seems.
    """

    portfolio: str
    base: str
    version: int
    made_at: int
    range: str
    window: Window
    method: str
    strategy: str | None
    worth: Worth
    performance: Performance | None
    returns: tuple[PeriodReturn, ...]
    benchmark: Benchmark | None
    pnl: PnLSummary
    trades: TradeStatistics
    trips: tuple[Trip, ...]
    heatmaps: tuple[Heatmap, ...]
    strategies: PnLSummary
    strategy_trades: dict[str, TradeStatistics]
    standing: tuple[StrategyStanding, ...]
    made_by_day: tuple[DayMade, ...]
    fees: FeeSummary | None
    flows: tuple[CashFlowRecord, ...]
    holdings: tuple[HoldingLine, ...]
    risk: Risk | None
    certificates: tuple[Certified, ...]
    gains: Gains
    remarks: tuple[str, ...]

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own so that its style stays inside."""
        from bursar.report.html import html  # noqa: PLC0415 (which sets this very record)

        return (
            f'<iframe srcdoc="{escape(html(self))}" sandbox title="{escape(self.portfolio)}"'
            ' width="100%" height="900" style="border:0"></iframe>'
        )
