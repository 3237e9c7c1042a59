"""All routes: where they are, what they take, what they answer. The OpenAPI document is this table.

Errors: none.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from bursar.ledger.records import AssetBalance, CashFlowRecord, RealizedPnLRecord, SpotPosition
from bursar.ledger.why import Why
from bursar.measure.curve import Curve
from bursar.measure.heatmap import Heatmap
from bursar.plan import RebalancePlan
from bursar.portfolio import views
from bursar.portfolio.logged import LoggedTransaction
from bursar.portfolio.risk import Risk
from bursar.portfolio.service import PortfolioService
from bursar.portfolio.snapshots import DailyClose
from bursar.portfolio.summaries import EquitySummary, FeeReport, PnLSummary
from bursar.portfolio.transaction_file import ToldTransaction
from bursar.portfolio.weights_file import Wanted
from bursar.reconcile import Comparison
from bursar.report import Report
from bursar.serve import panels, reading, reporting, trading, writing
from bursar.serve.asking import Kind, Param, Query
from bursar.serve.reading import Page, Room
from bursar.serve.writing import Answered, Asked
from bursar.value.snapshot import PortfolioSnapshot

ROOT: Final = "/api/portfolio/"

DECIMALS: Final = Param(
    "decimals",
    "`string` writes every decimal as a string instead of a number",
    choices=("number", "string"),
    default="number",
)
PREVIEW: Final = Param("preview", "say what it would do, and write nothing", Kind.FLAG)
_LIMIT: Final = Param("limit", "how many at most", Kind.COUNT, default="100")
_CURSOR: Final = Param("cursor", "`next` of the page before", Kind.CURSOR)
_SINCE: Final = Param("since", "not before this UTC time", Kind.TIME)
_UNTIL: Final = Param("until", "before this UTC time", Kind.TIME)
_PAGED: Final = (_LIMIT, _CURSOR, _SINCE, _UNTIL)
_ACCOUNT: Final = Param("account", "of one account, such as kraken:main")
_STRATEGY: Final = Param("strategy", "of one strategy")
_SYMBOL: Final = Param("symbol", "of one symbol, as the trades have it")
_PERIOD: Final = Param(
    "period",
    "of which; 30d, 90d and 1y end now",
    choices=("all", "day", "week", "month", "30d", "90d", "1y"),
    default="all",
)
_DETAIL: Final = Param("detail", "`full` adds what the view does not know", choices=("full",))


class Read(msgspec.Struct, frozen=True):
    """A GET: `answers` is the record it answers, `full` the one with `detail=full`."""

    name: str
    doc: str
    read: Callable[[Room, Query], object]
    answers: object
    params: tuple[Param, ...] = ()
    full: object = None


class Write(msgspec.Struct, frozen=True):
    """A POST: what it takes and what it answers; one that writes nothing asks for no key."""

    name: str
    doc: str
    do: Callable[[PortfolioService, Asked], Answered]
    takes: type[msgspec.Struct]
    answers: type[msgspec.Struct]
    writes: bool = True


READS: Final = (
    Read(
        "snapshot",
        "Equity, cash, positions and today's PnL",
        reading.view("snapshot"),
        views.SnapshotView,
        (_DETAIL,),
        reading.Full[views.SnapshotView],
    ),
    Read(
        "pnl",
        "PnL by period",
        reading.view("pnl"),
        views.PnLView,
        (_DETAIL,),
        reading.Full[views.PnLView],
    ),
    Read(
        "exposure",
        "Exposure by symbol and sector",
        reading.view("exposure"),
        views.ExposureView,
        (_DETAIL,),
        reading.Full[views.ExposureView],
    ),
    Read(
        "drawdown",
        "How far equity is below its peaks, and how much of the fall is regained",
        reading.view("drawdown"),
        views.DrawdownView,
        (_DETAIL,),
        reading.Full[views.DrawdownView],
    ),
    Read("equity", "Equity with what it does not know", reading.equity, EquitySummary),
    Read(
        "positions",
        "Positions by pair",
        reading.positions,
        Page[SpotPosition],
        (Param("pair", "of one pair, under any of its names"), _ACCOUNT),
    ),
    Read("balances", "What is held of each asset", reading.balances, Page[AssetBalance]),
    Read(
        "trades",
        "Trade records, newest first",
        reading.trades,
        Page[RealizedPnLRecord],
        (Param("pair", "of one pair"), _STRATEGY, *_PAGED),
    ),
    Read(
        "cash-flows",
        "Cash flows, newest first",
        reading.cash_flows,
        Page[CashFlowRecord],
        (Param("asset", "of one asset"), Param("type", "of one type, such as deposit"), *_PAGED),
    ),
    Read(
        "open-trades",
        "Trades that are open, the last opened first",
        trading.open_trades,
        Page[trading.TradeView],
        (_SYMBOL, _STRATEGY, *_PAGED),
    ),
    Read(
        "closed-trades",
        "Trades from their opening to their close, the last closed first",
        trading.closed_trades,
        Page[trading.TradeView],
        (_SYMBOL, _STRATEGY, *_PAGED),
    ),
    Read(
        "transactions",
        "Transactions that were committed, with what they came to, newest first",
        trading.transactions,
        Page[LoggedTransaction],
        (Param("key", "committed under this idempotency key"), *_PAGED),
    ),
    Read("holdings", "Holdings with cost, mark and its age", panels.holdings, panels.Holdings),
    Read(
        "allocation",
        "Strategies, and the last division of capital among them",
        panels.allocation,
        panels.Allocations,
    ),
    Read(
        "breaks",
        "Every difference from the venues' last statements, explained",
        panels.breaks,
        panels.Agreements,
    ),
    Read("fees", "All fees, and those of trades as percent of gross PnL", reading.fees, FeeReport),
    Read(
        "snapshots",
        "Kept snapshots, newest first",
        reading.snapshots,
        Page[PortfolioSnapshot],
        _PAGED,
    ),
    Read("closes", "The close of each day, newest first", reading.closes, Page[DailyClose], _PAGED),
    Read("history", "The equity curve", reading.history, Curve, (_PERIOD,)),
    Read(
        "performance",
        "How a period went: returns, ratios, drawdown, trades",
        reading.performance,
        reading.PERFORMANCE,
        (_PERIOD,),
    ),
    Read("risk", "Sectors, buckets, value at risk, correlations, limits", reading.risk, Risk),
    Read(
        "heatmap",
        "Realised PnL on two axes",
        reading.heatmap,
        Heatmap,
        (Param("kind", "which", choices=("month", "hour", "symbol", "day"), default="month"),),
    ),
    Read(
        "strategies",
        "PnL by strategy",
        reading.strategies,
        PnLSummary,
        (
            Param("period", "of which", choices=("all", "day", "week", "month"), default="all"),
            Param(
                "method",
                "by another cost rule",
                choices=("wac", "fifo", "lifo", "hifo", "specific"),
            ),
        ),
    ),
    Read(
        "decision",
        "Why each strategy has its part of the capital: every factor, every bound",
        reading.decided,
        reading.Decided,
        (Param("strategy", "of one strategy"),),
    ),
    Read("report", "All of a stretch of time", reporting.told, Report, reporting.PARAMS),
    Read(
        "drift",
        "How each account compares with its venue's last statement",
        reading.drift,
        Page[Comparison],
        (_ACCOUNT,),
    ),
    Read(
        "why",
        "The entries, marks and formula behind a figure",
        reading.why,
        Why,
        (
            Param("figure", "such as equity, cost or realized", is_required=True),
            Param("asset", "of one asset"),
        ),
    ),
)

WRITES: Final = (
    Write(
        "transactions",
        "Stage a transaction, judge its final state, and commit all of it or nothing",
        writing.transaction,
        ToldTransaction,
        writing.Judged,
    ),
    Write(
        "rebalance-plan",
        "Work out what to trade to reach target weights; nothing is written",
        writing.plan,
        Wanted,
        RebalancePlan,
        writes=False,
    ),
    Write("entries", "Enter a deed by hand", writing.entry, writing.ToldEntry, writing.Corrected),
    Write("prices", "Record a past price", writing.price, writing.ToldPrice, writing.Corrected),
    Write("tags", "Say who did a trade", writing.tag, writing.ToldTag, writing.Corrected),
    Write("links", "Make two flows a transfer", writing.link, writing.ToldLink, writing.Corrected),
    Write(
        "breaks",
        "Enter what closes a break; a reversal takes it back",
        writing.acceptance,
        writing.ToldAcceptance,
        writing.Corrected,
    ),
    Write(
        "reversals",
        "Take back what stands under an id",
        writing.reversal,
        writing.ToldReversal,
        writing.Corrected,
    ),
)
