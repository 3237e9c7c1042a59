"""`PortfolioAccounting`: one book for many tasks, with what each strategy did in it.

An async facade over a `Portfolio`: every change goes through one lock, one after another, so a
thousand tasks that record fills at once make the book that one task makes. What is asked often is
kept for `cache_s` seconds and forgotten at any write, whoever wrote; a kept answer is never older
than the last change of the book, only than the last mark.

Fills name their own id: the same fill again is a duplicate and changes nothing, another fill under
that id is a conflict and is refused. One told without a time was when it was first told. Amounts
are in base currency unless they say otherwise.

Errors: those of the portfolio; `Conflicted` for an id that stands for another fill; `BadChoice` for
a symbol without a quote.
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bursar.desk import Desk, Receipt, again
from bursar.errors import BadChoice, Conflicted
from bursar.exact import ZERO, money, number
from bursar.ledger import instant
from bursar.ledger.entries import Fee, Fill, Side, require_readable
from bursar.ledger.records import SpotPosition
from bursar.measure.rolling import Rolled
from bursar.portfolio import allocating, beginning, kept, measures, snapshots
from bursar.portfolio.hand import Number
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.regimes import spells as told_regimes
from bursar.portfolio.views import DrawdownView
from bursar.value.snapshot import PortfolioSnapshot

INITIAL_CAPITAL: Final = Decimal(300)
ROLLED_DAYS: Final = 30
_T = TypeVar("_T")


class FilledOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One execution as a bot tells it. `symbol` is BASE/QUOTE; `at` is ns, or now if not told."""

    fill_id: str
    symbol: str
    side: str
    quantity: Number
    price: Number
    fee: Number = 0
    fee_asset: str | None = None
    strategy: str | None = None
    regime: str | None = None
    order_id: str | None = None
    at: int | None = None


class Results(msgspec.Struct, frozen=True):
    """Closed trades: how many, how many with profit and with loss, and what they came to."""

    trades: int
    wins: int
    losses: int
    pnl: Decimal


class StrategyMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy holds and did: altogether, in each regime, and over the last thirty days."""

    strategy: str
    equity: Decimal
    contributed: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    results: Results
    by_regime: dict[str, Results]
    rolling: Rolled


class PortfolioAccounting:
    """One portfolio behind one lock. `account` is where fills are booked."""

    def __init__(
        self, portfolio: Portfolio, *, account: str = "events:main", cache_s: int = 5
    ) -> None:
        self.portfolio = portfolio
        self.account = account
        self._lock = asyncio.Lock()
        self._cache_ns = cache_s * instant.SECOND
        self._cache: dict[str, tuple[int, int, object]] = {}

    async def begin(
        self, capital: Number = INITIAL_CAPITAL, asset: str | None = None
    ) -> Receipt | None:
        """Put the initial capital into an empty portfolio; one that has anything keeps what it has.

        It is a deposit like any other, so it can be seen, explained and reversed.
        """
        async with self._lock:
            amount = number(capital, field=beginning.NAME)
            return beginning.begin(self.portfolio, amount, account=self.account, asset=asset)

    async def record_fill(self, order: FilledOrder) -> Receipt:
        """Book one execution, durable when this returns.

        Raises:
            Conflicted: the id stands for another fill.
            BadChoice, NotExact, Malformed: something in it is not what it should be; nothing was
            written.
        """
        entry = self._entry(order)
        require_readable((entry,))
        async with self._lock:
            desk = self.portfolio.writer
            desk.catch_up()
            return again(desk, lambda: _booked(desk, order, entry))

    async def get_equity(self) -> Decimal:
        """Return what everything that has a price is worth now, whatever the view shows: so are
        its peak, and what the day began with.
        """
        return await self._asked(lambda: self.portfolio.valuation().owned)

    async def get_cash_balance(self) -> Decimal:
        """Return base currency and pegs, whatever the view shows."""
        return await self._asked(lambda: self.portfolio.valuation().owned_cash)

    async def get_positions(self) -> list[SpotPosition]:
        """Return a position for each pair in which something is held."""
        return await self._asked(
            lambda: [each for each in self.portfolio.positions() if each.base_size]
        )

    async def get_drawdown(self) -> DrawdownView:
        """Return how far equity is below its peaks, of the day, the week and all time."""
        return await self._kept("drawdown", lambda: measures.views(self.portfolio).drawdown)

    async def get_peak_equity(self) -> Decimal | None:
        """Return the highest equity that is known."""
        return (await self.get_drawdown()).peak_equity

    async def get_daily_start_equity(self) -> Decimal | None:
        """Return equity at 00:00 UTC; None where it was not kept, or not whole."""
        return await self._kept("opening", lambda: _opening(self.portfolio))

    async def get_daily_pnl(self) -> Decimal | None:
        """Return how much the day (UTC) made; None where its beginning is not known."""
        return await self._kept("daily", lambda: measures.views(self.portfolio).snapshot.daily_pnl)

    async def get_total_fees(self) -> Decimal:
        """Return all fees, as they were worth when they were charged."""
        return await self._asked(lambda: self.portfolio.fees().total)

    async def get_strategy_metrics(self) -> dict[str, StrategyMetrics]:
        """Return what each strategy holds and did; what nobody did is under `manual`."""
        return await self._kept("strategies", lambda: _metrics(self.portfolio))

    async def take_snapshot(self) -> PortfolioSnapshot:
        """Keep how things stand now, for history, peaks and the day's beginning."""
        async with self._lock:
            self._catch_up()
            return snapshots.take(self.portfolio)

    async def _asked(self, ask: Callable[[], _T]) -> _T:
        async with self._lock:
            self._catch_up()
            return ask()

    async def _kept(self, name: str, ask: Callable[[], _T]) -> _T:
        """Answer from what is kept while the book stands and it is young enough."""
        async with self._lock:
            self._catch_up()
            version, now = self.portfolio.desk.head.version, self.portfolio.desk.clock.now()
            known = self._cache.get(name)
            if known is not None and known[0] == version and 0 <= now - known[1] < self._cache_ns:
                return known[2]  # type: ignore[return-value]  # kept under its own name
            answer = ask()
            self._cache[name] = version, now, answer
            return answer

    def _catch_up(self) -> None:
        """Take up what other processes have written; the past stands still."""
        if isinstance(self.portfolio.desk, Desk):
            self.portfolio.desk.catch_up()

    def _entry(self, order: FilledOrder) -> Fill:
        base, apart, quote = order.symbol.partition("/")
        if not (base and apart and quote):
            raise BadChoice(f"{order.symbol!r} is no symbol such as BTC/USDT", value=order.symbol)
        if order.side not in {side.value for side in Side}:
            raise BadChoice(f"{order.side!r} is no side: buy or sell", value=order.side)
        fee = number(order.fee, field="fee")
        now = self.portfolio.desk.clock.now()
        return Fill(
            id=f"{self.account}:{order.fill_id}",
            executed_at=now if order.at is None else order.at,
            account=self.account,
            base=base,
            quote=quote,
            side=Side(order.side),
            quantity=number(order.quantity, field="quantity"),
            price=number(order.price, field="price"),
            pair=order.symbol,
            fees=(Fee(order.fee_asset or quote, fee),) if fee else (),
            order_id=order.order_id,
            strategy=order.strategy,
            regime=order.regime,
        )


def _booked(desk: Desk, order: FilledOrder, entry: Fill) -> Receipt:
    staged = desk.stage([entry])
    conflicts = staged.review.conflicts
    if conflicts and order.at is None:
        staged = desk.stage([_timed(entry, desk)])
        conflicts = staged.review.conflicts
    if conflicts:
        raise Conflicted(f"{order.fill_id} is another fill already: {conflicts[0]}")
    return desk.commit(staged)


def _timed(entry: Fill, desk: Desk) -> Fill:
    """Give a fill that was told without a time the time under which it is booked."""
    known = [row.entry() for row in desk.store.recall((entry.id,), ())]
    (first,) = (each for each in known if each.source is entry.source)
    return msgspec.structs.replace(entry, executed_at=first.executed_at)


def _opening(portfolio: Portfolio) -> Decimal | None:
    opening = kept.kept(portfolio, portfolio.valuation()).today.opening
    return None if opening is None or not opening.is_complete else opening.equity


@money
def _metrics(portfolio: Portfolio) -> dict[str, StrategyMetrics]:
    found, spells = {}, told_regimes(portfolio.desk.store)
    for each in allocating.strategies(portfolio):
        regimes: dict[str, list[Decimal]] = {}
        for trip in each.trips:
            regimes.setdefault(allocating.regime_of(trip, spells), []).append(trip.pnl)
        found[each.strategy] = StrategyMetrics(
            strategy=each.strategy,
            equity=each.equity,
            contributed=each.contributed,
            realized_pnl=each.made,
            unrealized_pnl=each.unrealized,
            results=_results([trip.pnl for trip in each.trips]),
            by_regime={name: _results(regimes[name]) for name in sorted(regimes)},
            rolling=kept.rolling(portfolio, each.strategy, ROLLED_DAYS * instant.DAY),
        )
    return found


@money
def _results(pnls: Sequence[Decimal]) -> Results:
    wins, losses = sum(pnl > 0 for pnl in pnls), sum(pnl < 0 for pnl in pnls)
    return Results(len(pnls), wins, losses, sum(pnls, ZERO))
