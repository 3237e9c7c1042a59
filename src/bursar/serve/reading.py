"""Reading: what each GET answers. Run by the keeper, one after the other; nothing is worked out
here that is money.

Errors: those of the verbs, and `BadChoice` for a parameter that says nothing.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from bursar.capital.allocator import Line
from bursar.capital.deciding import Figures
from bursar.capital.regimes import Telling
from bursar.errors import FigureNotFound
from bursar.ledger import instant
from bursar.ledger.records import (
    AssetBalance,
    CashFlowRecord,
    RealizedPnLRecord,
    SpotPosition,
)
from bursar.ledger.why import Why
from bursar.measure.curve import Curve
from bursar.measure.heatmap import Heatmap
from bursar.portfolio import agreement, allocating, regimes
from bursar.portfolio.performance import Performance
from bursar.portfolio.risk import Risk
from bursar.portfolio.service import PortfolioService
from bursar.portfolio.snapshots import DailyClose
from bursar.portfolio.summaries import EquitySummary, FeeReport, PnLSummary
from bursar.ports import TradeStore
from bursar.reconcile import Comparison
from bursar.serve.asking import Query, cursor
from bursar.serve.shelf import Coverage
from bursar.serve.views import look
from bursar.value.positions import find_position
from bursar.value.snapshot import PortfolioSnapshot

_T = TypeVar("_T")
Key = tuple[int, str, str]


class Page(msgspec.Struct, Generic[_T], frozen=True):
    """One page, newest first; `next` is the cursor of the one after it, if there is one."""

    items: tuple[_T, ...]
    next: str | None


class Full(msgspec.Struct, Generic[_T], frozen=True):
    """A view of the contract with what it does not know."""

    view: _T
    coverage: Coverage


class _Sorted(msgspec.Struct, Generic[_T]):
    """Records in their order, for as long as the portfolio stands at a version."""

    version: int
    rows: Sequence[tuple[Key, _T]]


class Room:
    """What the readers share: the service, the store of trades, and what was read before.

    `options` is what a command in a terminal needs to mean this book.
    """

    def __init__(
        self, service: PortfolioService, trades: Callable[[], TradeStore], *, options: str = ""
    ) -> None:
        self.service = service
        self.trade_store = trades
        self.options = options
        self._read: dict[str, _Sorted[Any]] = {}

    def once(
        self, name: str, rows: Callable[[], Iterable[tuple[Key, _T]]]
    ) -> Sequence[tuple[Key, _T]]:
        """Return records by their keys, oldest first; read once a version of the portfolio."""
        version, known = self.service.portfolio.desk.head.version, self._read.get(name)
        if known is None or known.version != version:
            made = sorted(rows(), key=lambda row: row[0])
            known = self._read[name] = _Sorted(version, made)
        return known.rows


class Ask(Protocol):
    """Does a job on the book, in its turn."""

    def __call__(self, job: Callable[[Room], _T]) -> Awaitable[_T]:
        """Return what comes of it."""
        ...


def view(name: str) -> Callable[[Room, Query], object]:
    """Return the reader of one of the contract's views, worked out anew."""

    def read(room: Room, query: Query) -> object:
        seen = look(room.service.portfolio)
        found = seen.views[name]
        if query.text("detail") != "full":
            return found
        return Full(found, seen.coverage)

    return read


def equity(room: Room, _query: Query) -> EquitySummary:
    """Return equity with what it does not know."""
    return room.service.get_equity()


def positions(room: Room, query: Query) -> Page[SpotPosition]:
    """Return positions by pair."""
    pair, account = query.text("pair"), query.text("account")
    service = room.service
    held = (
        service.get_positions() if account is None else service.portfolio.positions(account=account)
    )
    return Page(tuple(held) if pair is None else (find_position(held, pair),), None)


def balances(room: Room, _query: Query) -> Page[AssetBalance]:
    """Return what is held of each asset."""
    return Page(tuple(room.service.get_balances()), None)


def trades(room: Room, query: Query) -> Page[RealizedPnLRecord]:
    """Return trade records."""
    pair, strategy = query.text("pair"), query.text("strategy")
    rows = room.once(
        "trades",
        lambda: (
            ((_at(each.time), each.trade_id, each.kind), each)
            for each in room.service.get_trade_history(include_manual=True)
        ),
    )
    if pair is not None:  # a pair is found under any of its names
        wanted = {r.pair for r in room.service.get_trade_history(pair, include_manual=True)}
        rows = [row for row in rows if row[1].pair in wanted]

    def fits(record: RealizedPnLRecord) -> bool:
        return strategy is None or record.strategy_tag == strategy

    return page(rows, query, fits)


def cash_flows(room: Room, query: Query) -> Page[CashFlowRecord]:
    """Return cash flows."""
    asset, kind = query.text("asset"), query.text("type")
    rows = room.once(
        "cash-flows",
        lambda: (
            ((_at(each.time), each.id, each.type), each) for each in room.service.get_cash_flows()
        ),
    )
    if asset is not None:
        wanted = {record.id for record in room.service.get_cash_flows(asset)}
        rows = [row for row in rows if row[1].id in wanted]

    def fits(record: CashFlowRecord) -> bool:
        return kind is None or record.type == kind

    return page(rows, query, fits)


def fees(room: Room, _query: Query) -> FeeReport:
    """Return all fees."""
    return room.service.get_fee_summary()


def snapshots(room: Room, query: Query) -> Page[PortfolioSnapshot]:
    """Return snapshots."""
    portfolio, after = room.service.portfolio, query.cursor()
    ends = [query.time("until")]
    if after is not None and 0 <= after[0] <= portfolio.desk.clock.now():
        ends.append(instant.to_datetime(after[0]))
    until = min((each for each in ends if each is not None), default=None)
    found = portfolio.desk.store.get_snapshots(query.time("since"), query.count(_LIMIT) + 1, until)
    rows = [((_at(each.timestamp), "", ""), each) for each in reversed(found)]
    return page(rows, query)


def history(room: Room, query: Query) -> Curve:
    """Return the equity curve."""
    return room.service.portfolio.history(query.word("period"))


def performance(room: Room, query: Query) -> object:
    """Return how a period went; its curve is `history`."""
    found = room.service.portfolio.performance(query.word("period"))
    return PERFORMANCE(**{each: getattr(found, each) for each in PERFORMANCE.__struct_fields__})


def risk(room: Room, _query: Query) -> Risk:
    """Return exposure by sector and bucket, value at risk, correlations, limits."""
    return room.service.portfolio.risk()


def heatmap(room: Room, query: Query) -> Heatmap:
    """Return realised PnL laid out on two axes."""
    return room.service.portfolio.heatmap(query.word("kind"))


def closes(room: Room, query: Query) -> Page[DailyClose]:
    """Return the close of each day."""
    rows = [((_at(each.timestamp), "", ""), each) for each in room.service.get_daily_closes()]
    return page(rows, query)


def strategies(room: Room, query: Query) -> PnLSummary:
    """Return PnL by strategy."""
    return room.service.get_pnl_summary(
        query.word("period"), by="strategy", method=query.text("method")
    )


class StateView(msgspec.Struct, frozen=True):
    """What the brain makes of a strategy: its state, and since when."""

    state: str
    since_at: int | None


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """The last decision about capital: every factor and bound of each weight, and the reserve.

    `figures` are what the factors were made from. `told` is who told the regime of now, and why.
    One of another `format` than the rules of now stands as it was made.
    """

    id: str
    decided_at: datetime
    regime: str
    reserve: Decimal
    marked: str | None
    lines: tuple[Line, ...]
    figures: Mapping[str, Figures]
    states: Mapping[str, StateView]
    told: Telling | None
    format: int


class Decided(msgspec.Struct, frozen=True):
    """What was decided last; nothing, where capital was never divided."""

    decision: DecisionView | None


def decided(room: Room, query: Query) -> Decided:
    """Return why each strategy, or one, has the part of the capital that it has."""
    last, wanted = allocating.decision(room.service.portfolio), query.text("strategy")
    if last is None:
        return Decided(None)
    lines = [each for each in last.allocation.lines if wanted in (None, each.strategy)]
    if wanted is not None and not lines:
        raise FigureNotFound(f"the last decision gave {wanted} no weight")
    names = [each.strategy for each in lines]
    standings = {name: last.after.minds[name].standing for name in names}
    return Decided(
        DecisionView(
            id=last.allocation.id,
            decided_at=instant.to_datetime(last.cause.at),
            regime=last.allocation.regime,
            reserve=last.allocation.reserve,
            marked=last.cause.marked,
            lines=tuple(lines),
            figures={name: last.cause.figures[name] for name in names},
            states={n: StateView(each.state.value, each.since) for n, each in standings.items()},
            told=regimes.regime_told(room.service.portfolio),
            format=last.format,
        )
    )


def drift(room: Room, query: Query) -> Page[Comparison]:
    """Return how each account compares with its venue's last statement."""
    service, asked = room.service, query.text("account")
    followed = {venue.account for venue in service.venues}
    known = sorted({*followed, *agreement.stated(service.portfolio)})
    names = known if asked is None else [asked]
    limits = service.rules.limits
    return Page(tuple(agreement.compared(service.portfolio, each, limits) for each in names), None)


def why(room: Room, query: Query) -> Why:
    """Explain a figure."""
    return room.service.portfolio.why(query.word("figure"), query.text("asset"))


_LIMIT: Final = "limit"
PERFORMANCE: Final = msgspec.defstruct(
    "PerformanceView",
    [
        (each.name, each.type)
        for each in msgspec.structs.fields(Performance)
        if each.name != "curve"
    ],
    frozen=True,
)
"""A period's figures, without the curve that `history` has."""


def page(
    rows: Sequence[tuple[Key, _T]],
    query: Query,
    fits: Callable[[_T], bool] = lambda _: True,
) -> Page[_T]:
    """Return what lies before the cursor, newest first, as far as the limit goes."""
    after, limit = query.cursor(), query.count(_LIMIT)
    since, until = query.instant("since"), query.instant("until")
    end = len(rows) if after is None else bisect_left(rows, after, key=lambda row: row[0])
    found: list[tuple[Key, _T]] = []
    for key, record in _backwards(rows, end):
        if since is not None and key[0] < since:
            break
        if (until is None or key[0] < until) and fits(record):
            found.append((key, record))
            if len(found) > limit:
                break
    shown = found[:limit]
    last = None
    if len(found) > limit:
        at, *names = shown[-1][0]
        last = cursor(at, *names)
    return Page(tuple(record for _, record in shown), last)


def _backwards(rows: Sequence[tuple[Key, _T]], end: int) -> Iterator[tuple[Key, _T]]:
    return (rows[place] for place in range(end - 1, -1, -1))


def _at(moment: datetime) -> int:
    return instant.from_datetime(moment)
