"""One portfolio and its verbs."""

# long: the front door; a verb is a line or two, and they are looked for in one place
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

import msgspec

from bursar.desk import Desk, Receipt, Staged, again, transactions
from bursar.desk.metrics import Counts
from bursar.desk.transactions.keeping import counted
from bursar.errors import BadChoice, StaleVersion, StoreBusy, StoreError
from bursar.ledger import audit, describe, instant, projection
from bursar.ledger.book import Book
from bursar.ledger.entries import AnyEntry, require_readable
from bursar.ledger.fold import traced
from bursar.ledger.journal import Record
from bursar.ledger.lots import Lot
from bursar.ledger.names import canonical
from bursar.ledger.records import (
    AssetBalance,
    CashFlowRecord,
    RealizedPnLRecord,
    SpotPosition,
)
from bursar.ledger.terms import Method, Terms, method
from bursar.ledger.timeline import Timeline
from bursar.ledger.why import Why
from bursar.plan import HoldingsSnapshot, RebalancePlan, SizingPolicy, StrategyAllocation
from bursar.portfolio import (
    hand,
    importing,
    measures,
    months,
    past,
    plan_sources,
    previous,
    proof,
    rebalancing,
    shown,
    whys,
)
from bursar.portfolio.answers import Equity, ImportReport, MethodPnL, Verification
from bursar.portfolio.believed import Believed
from bursar.portfolio.closings import Closings
from bursar.portfolio.followed import Followed
from bursar.portfolio.kept import OfHead
from bursar.portfolio.live import Live
from bursar.portfolio.sleeved import Sleeved
from bursar.ports import FileReader, Progress
from bursar.value import pnl as pnl_views
from bursar.value import positions as position_views
from bursar.value.accounts import account_book, account_digest, accounts
from bursar.value.coverage import book_gaps, reaches_ahead
from bursar.value.equity import Valuation, value_book
from bursar.value.marks import Mark, Marks, given, is_pair
from bursar.value.pnl import FeeSummary, heading
from bursar.value.worth import EVERYTHING, Gap, Options

if TYPE_CHECKING:
    from bursar.portfolio import exports

Prices = Marks | Mapping[str, object] | None
_T = TypeVar("_T", RealizedPnLRecord, CashFlowRecord)


class Portfolio:
    """A portfolio, open for questions and changes. Close it, or use it in a `with` block."""

    def __init__(
        self,
        desk: Desk | past.PastDesk,
        reader: FileReader,
        *,
        options: Options = EVERYTHING,
    ) -> None:
        self.desk = desk
        self.options = options
        self._reader = reader
        self.told_version = 0
        self._believed = Believed(desk)
        self._live: Live | None = None
        self._books: dict[Method, tuple[int, Book]] = {}
        self.measuring = measures.Measuring()
        self.followed = Followed()
        self.closings = Closings()
        self.sleeved = Sleeved()
        self.of_head: OfHead | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the store, figures of transactions that it has not been given yet included."""
        if not isinstance(self.desk, past.PastDesk):
            transactions.settle(self.desk)
        self.desk.store.close()

    @property
    def terms(self) -> Terms:
        """Base currency, pegs, cost rule, scope and accounts."""
        return self.desk.timeline.terms

    @property
    def timeline(self) -> Timeline:
        """All facts in canonical order, and their book. Asked first, it may read the journal."""
        return self._read_whole()

    @property
    def writer(self) -> Desk:
        """The desk itself, which the past does not have."""
        if isinstance(self.desk, past.PastDesk):
            raise BadChoice("the past is for reading only; ask the portfolio of today")
        return self.desk

    @property
    def corrector(self) -> Desk:
        """The desk with the whole journal in memory: a correction may speak of any fact."""
        desk = self.writer
        self._read_whole()
        return desk

    def import_files(
        self,
        *paths: str | os.PathLike[str],
        account: str | None = None,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import files in one transaction: every row of every file, or nothing.

        Raises:
            InputError: the first row that cannot be read; nothing was written.
        """
        return self.take(self.read_files(*paths, account=account, progress=progress), progress)

    def read_files(
        self,
        *paths: str | os.PathLike[str],
        account: str | None = None,
        progress: Progress | None = None,
    ) -> importing.ReadFiles:
        """Read files, to be taken over here or in another portfolio of this base."""
        return importing.read(self._reader, map(Path, paths), account, progress)

    def take(self, read: importing.ReadFiles, progress: Progress | None = None) -> ImportReport:
        """Commit what files state that were read: all of it or nothing."""
        receipt = importing.submit(self.writer, read, progress)
        ahead = reaches_ahead(self.book(), self.desk.clock.now())
        return ImportReport(read.files, receipt, ahead)

    def record(self, *entries: AnyEntry) -> Receipt:
        """Commit statements, anew if another writer was first.

        Raises:
            InputError: one could not be read back, or has a number of over 20 integer or 18
            fractional digits; nothing was recorded.
        """
        require_readable(entries)
        desk = self.writer
        return again(desk, lambda: desk.submit(entries))

    def add(
        self, verb: str, quantity: hand.Number, what: str, **details: Unpack[hand.Details]
    ) -> Receipt:
        """Enter a deed by hand: `add("buy", "0.5", "XBT/EUR", price="40000", fee="8 EUR")`.

        The verbs are those of `bursar add`. The same words twice are one deed, unless `again`.

        Raises:
            InputError, KeyReused, Oversold: nothing was recorded.
        """
        return self._correct(lambda desk: hand.entered(desk, verb, quantity, what, details))

    def price(
        self, asset: str, time: hand.Time, value: hand.Number, quote: str | None = None
    ) -> Receipt:
        """Record what one unit of an asset was worth at a time."""
        return self._correct(lambda desk: hand.priced(desk, asset, time, value, quote))

    def tag(
        self, entry_id: str, *, strategy: str | None = None, regime: str | None = None
    ) -> Receipt:
        """Say who did a trade, and in which regime."""
        return self._correct(
            lambda desk: hand.tagged(desk, entry_id, strategy=strategy, regime=regime)
        )

    def link(self, one: str, other: str) -> Receipt:
        """Make a withdrawal and a deposit the two ends of one transfer."""
        return self._correct(lambda desk: hand.linked(desk, one, other))

    def reverse(self, entry_id: str, *, time: hand.Time = None, note: str | None = None) -> Receipt:
        """Take back what stands under an id; with `time`, a flow stood until then."""
        return self._correct(lambda desk: hand.reversed_(desk, entry_id, time=time, note=note))

    def stage(self, *entries: AnyEntry) -> Staged:
        """Work out what statements would do. Nothing is written until the desk commits it.

        If another writer was first, that raises `StaleVersion`: `desk.catch_up()`, stage again.
        What `record` refuses is refused here.
        """
        require_readable(entries)
        return self.desk.stage(entries)

    def preview(self, staged: Staged) -> hand.Preview:
        """Say what committing a staged change would do."""
        return hand.preview(self.writer, staged)

    def transaction(
        self,
        previous_equity: previous.Previous = None,
        **options: Unpack[transactions.Options],
    ) -> transactions.PortfolioTransaction:
        """Begin a transaction: `with p.transaction(previous_equity=p.equity()) as tx`.

        Without a previous equity it is compared with what the last transaction came to, or before
        the first with what is held at the commit's marks.
        """
        rules = self._transacting(previous_equity, options)
        return transactions.PortfolioTransaction(self.writer, rules)

    def batch(
        self,
        previous_equity: previous.Previous = None,
        **options: Unpack[transactions.Options],
    ) -> transactions.PortfolioBatch:
        """Begin a batch: transactions that become durable together, each with its verdict."""
        rules = self._transacting(previous_equity, options)
        return transactions.PortfolioBatch(self.writer, rules)

    def transact(
        self,
        work: Callable[[transactions.PortfolioTransaction], None],
        mark_prices: transactions.Prices,
        *,
        previous_equity: previous.Previous = None,
        retry_stale: int = 3,
        **options: Unpack[transactions.Options],
    ) -> transactions.PortfolioTransaction:
        """Run `work` as a transaction and commit it; again, if another writer was first."""
        rules = self._transacting(previous_equity, options)
        return transactions.transact(self.writer, rules, work, mark_prices, retry_stale=retry_stale)

    def recover(self, *keys: str) -> transactions.Recovery:
        """Say where the portfolio stands after a crash, and what became of commits cut off."""
        return transactions.recover(self.writer, keys=keys)

    def transaction_counts(self) -> Counts:
        """Return how transactions went so far: commits, discards, Δ, ε, latency, retries."""
        return counted(self.writer)

    def at(
        self, time: hand.Time = None, *, known_at: hand.Time = None, is_closing: bool = False
    ) -> "Portfolio":
        """Return the portfolio as it was at a time, or as it was known then, for reading only.

        `known_at` is a time, or a row of the journal such as `#123`. The view shares this
        portfolio's store; with `is_closing` it closes it too. More is said in `portfolio.past`.
        """
        # What was known is read from the journal, so what is in memory need not be all of it.
        desk = self.corrector if known_at is None else self.writer
        then = past.desk_of(desk, time, known_at, is_closing=is_closing)
        view = Portfolio(then, self._reader, options=self.options)
        view.measuring = self.measuring
        return view

    def marks(self, prices: Prices = None, *, looks: bool = True) -> Marks:
        """Return the marks to value with: last trades, what venues said, then `prices` given.

        `prices` may be a mapping such as `{"XBT": "65000"}`, in base currency. What other processes
        were told counts as of now, or, unless it `looks`, as of the last time somebody did.
        """
        known = self._believed.marks(looks=looks)
        if prices is None:
            return known
        if isinstance(prices, Marks):
            return known.plus(self._believed.of_now(prices))
        return known.plus(given(prices, self.terms.base, at=self.desk.clock.now()))

    def live(self) -> Live:
        """Return the live figures, which a tick or a commit moves by what it touches alone."""
        if self._live is None:
            self._live = Live(self)
        return self._live

    def kept_marks(self, *, looks: bool = True) -> Marks:
        """Return the marks that trades tell, and venues told; one object while nothing is new."""
        return self._believed.kept(looks=looks)

    def keep_marks(self, marks: Iterable[Mark], source: str) -> None:
        """Keep what a venue said that assets are worth, in the place of what it said before."""
        self._believed.keep(marks, source)
        self.told_version += 1

    def see(self, marks: Iterable[Mark]) -> None:
        """Value with these marks from now on, in this process alone."""
        self._believed.see(marks)
        self.told_version += 1

    def is_of_now(self, mark: Mark) -> bool:
        """Tell whether a mark is of the units that are held now, as nothing was split since, and
        none is from the future. O(1).
        """
        believed = self._believed
        return believed.are_settled and any(each is mark for each in believed.of_now((mark,)))

    def valuation(self, prices: Prices = None, *, rule: Method | None = None) -> Valuation:
        """Value everything that is held, at the marks of `marks(prices)`."""
        book = self.book(rule)
        now = self.desk.clock.now()
        return value_book(book, self.marks(prices), now=now, options=self.options)

    def equity(self, prices: Prices = None) -> Equity:
        """Return what the portfolio is worth, with its coverage and the entries behind it."""
        valuation = self.valuation(prices)
        totals = audit.totals(self.book())
        return Equity(valuation.equity, valuation.base, valuation, totals)

    def pnl(
        self,
        by: str = "pair",
        *,
        methods: str | Iterable[str] = (),
        prices: Prices = None,
        include_manual: bool = True,
    ) -> list[MethodPnL]:
        """Return PnL by pair, asset, strategy, regime or account, under one or several rules."""
        rules = self._rules(methods)
        without = frozenset() if include_manual else frozenset({"manual"})
        answers = []
        for rule in rules:
            valuation = self.valuation(prices, rule=rule)
            view = pnl_views.pnl(self.book(rule), valuation, by=heading(by), without=without)
            answers.append(MethodPnL(rule.value, view))
        return answers

    def pnl_by_month(
        self, *, methods: str | Iterable[str] = (), include_manual: bool = True
    ) -> list[months.MonthlyPnL]:
        """Return realised PnL, fees and flows by UTC month, under one or several cost rules."""
        rules, timeline = self._rules(methods), self.timeline
        return [
            months.monthly(self.terms, rule, timeline, with_manual=include_manual) for rule in rules
        ]

    def _rules(self, methods: str | Iterable[str]) -> list[Method]:
        names = (methods,) if isinstance(methods, str) else methods
        return [method(name) for name in names] or [self.terms.method]

    def book(self, rule: Method | None = None) -> Book:
        """Return the book under a cost rule; another than the portfolio's own is folded once."""
        if rule is None or rule is self.terms.method:
            return self.desk.timeline.book
        version, book = self._books.get(rule, (-1, None))
        if book is None or version != self.desk.head.version:
            book = self.timeline.refold(rule)
            self._books[rule] = (self.desk.head.version, book)
        return book

    def positions(self, prices: Prices = None, *, account: str | None = None) -> list[SpotPosition]:
        """Return a position for each pair, of one account or of all together."""
        if account is None:
            return position_views.positions(self.book(), self.valuation(prices))
        book, now = account_book(self.book(), account), self.desk.clock.now()
        valuation = value_book(book, self.marks(prices), now=now, options=self.options)
        return position_views.positions(book, valuation)

    def accounts(self) -> list[str]:
        """Return the accounts of which the book knows anything."""
        return accounts(self.book())

    def digest(self, account: str | None = None) -> str:
        """Return a hash of the book, or of one account: equal digests are equal books."""
        book = self.book()
        return projection.digest(book) if account is None else account_digest(book, account)

    def position(self, pair: str, prices: Prices = None) -> SpotPosition:
        """Return the position of a pair, under any of its names.

        Raises:
            PositionNotFoundError: there is none.
        """
        return position_views.find_position(self.positions(prices), pair)

    def holdings(self, wanted: Collection[str], prices: Prices = None) -> HoldingsSnapshot:
        """Return what a plan starts from; `MissingMark` where something has no price."""
        return plan_sources.book_holdings(self, self.valuation(prices), wanted)

    def plan(
        self,
        weights: StrategyAllocation | Mapping[str, Decimal],
        *,
        policy: SizingPolicy | None = None,
        prices: Prices = None,
        correlation_id: str = "",
    ) -> RebalancePlan:
        """Work out what to trade to reach target weights; `PortfolioError` where none can be."""
        return rebalancing.planned(
            rebalancing.At(self, prices),
            weights,
            policy=policy,
            correlation_id=correlation_id,
            timestamp=instant.show(self.desk.clock.now()),
        )

    def balances(
        self,
        *,
        by_account: bool = False,
        reserved: Mapping[tuple[str, str], Decimal] | None = None,
    ) -> list[AssetBalance]:
        """Return what is held of each asset; `reserved` is in open orders, by account and asset."""
        return position_views.balances(
            self.book(), reserved=reserved or {}, options=self.options, by_account=by_account
        )

    def lots(
        self, asset: str | None = None, *, rule: Method | None = None
    ) -> dict[tuple[str, str], Sequence[Lot]]:
        """Return open lots by (account, asset), oldest first; then what is short or owed, as lots
        below zero at their proceeds.
        """
        book = self.book(rule)
        wanted = None if asset is None else canonical(asset)
        return {
            book.named(place): lots
            for place in sorted(book.holdings)
            if place[1] not in book.cash and wanted in (None, canonical(place[1]))
            if (lots := [*book.lots(*place), *book.debts(*place)])
        }

    def fees(self) -> FeeSummary:
        """Return fees by asset, by pair, and their worth in total."""
        return pnl_views.fees(self.book())

    def gaps(self, asset: str | None = None, *, rule: Method | None = None) -> tuple[Gap, ...]:
        """Return what the figures do not know: of an asset, or of all that the view shows."""
        return book_gaps(self.book(rule), asset=asset, options=self.options)

    def trades(self, pair: str | None = None, limit: int | None = None) -> list[RealizedPnLRecord]:
        """Return trade records, newest first; those of a pair under any of its names."""
        return list(self.each_trade(pair, limit))

    def each_trade(
        self, pair: str | None = None, limit: int | None = None
    ) -> Iterator[RealizedPnLRecord]:
        """Yield the same one by one, as they were at the first: memory does not grow with them."""
        names: Sequence[str | None] = (pair,)
        if pair is not None:
            told = {cell[2] for cell in self.book().cells}
            names = sorted(each for each in told if is_pair(each, pair)) or [pair]
        return _newest([self.desk.store.each_trade(name, limit) for name in names], limit)

    def flows(self, asset: str | None = None, limit: int | None = None) -> list[CashFlowRecord]:
        """Return cash flows, newest first; those of an asset under any of its names."""
        return list(self.each_flow(asset, limit))

    def each_flow(
        self, asset: str | None = None, limit: int | None = None
    ) -> Iterator[CashFlowRecord]:
        """Yield the same one by one, as they were at the first: memory does not grow with them."""
        names: Sequence[str | None] = (asset,)
        if asset is not None:
            told = {key[2] for key in self.book().flows}
            names = sorted(e for e in told if canonical(e) == canonical(asset)) or [asset]
        found = [self.desk.store.each_cash_flow(name, limit) for name in names]
        return map(_costed, _newest(found, limit))

    def table(
        self, name: str, prices: Prices = None, *, rule: Method | None = None
    ) -> "exports.Frame":
        """Read a table for a data frame: `table("lots").to_polars()`.

        There are `journal`, `trades`, `flows`, `positions`, `holdings` and `lots`.
        """
        from bursar.portfolio import exports  # noqa: PLC0415 (which asks portfolios)

        return exports.frame(self, name, exports.Asked(prices, rule))

    def __repr__(self) -> str:
        return f"Portfolio({self.desk.store.portfolio})"

    def _repr_html_(self) -> str:
        return shown.portfolio(self.desk.store.portfolio, self.valuation())

    def journal(self, after: int = 0) -> Iterator[Record]:
        """Yield journal rows, oldest first."""
        return self.desk.store.records(after)

    def why(self, figure: str, asset: str | None = None, prices: Prices = None) -> Why:
        """Explain a figure: `equity`, `realized XBT`, `cost XBT`, `value XBT`, `fees` and others.

        Raises:
            FigureNotFound: there is no such figure.
        """
        if asset is None and figure in measures.FIGURES:
            return measures.why(self, figure, prices)
        valuation, totals = self.valuation(prices), audit.totals(self.book())
        asked = whys.Asked(self.book(), self._read_whole, valuation, totals)
        return whys.why(asked, figure, asset)

    # How well it went; said in portfolio.measures.
    history = measures.history
    performance = measures.performance
    drawdown = measures.drawdown
    heatmap = measures.heatmap
    sectors = measures.sectors
    risk = measures.risk
    views = measures.views

    def verify(self) -> Verification:
        """Read the journal anew, check its chain, refold it, and audit the whole book.

        Where something is wrong, this portfolio writes nothing any more.

        Raises:
            StoreError: the store cannot even be read.
        """
        desk = self.writer
        try:
            found = proof.verify(desk, self.valuation)
        except StoreBusy:
            raise
        except StoreError as error:
            desk.halt(error.message)
            raise
        if not found.is_sound:
            desk.halt(found.faults[0])
        return found

    def records_of(self, rule: Method | None = None) -> Iterator[RealizedPnLRecord]:
        """Yield the trade records under a cost rule, oldest first."""
        book = Book(msgspec.structs.replace(self.terms, method=rule or self.terms.method))
        for fact in self.timeline:
            yield from describe.trade_records(fact, traced(book, fact), book.cash)

    def shifted(self, rule: Method | None = None) -> list[RealizedPnLRecord]:
        """Return the trade records under a cost rule and the shifts among them, oldest first."""
        terms = msgspec.structs.replace(self.terms, method=rule or self.terms.method)
        return describe.retold(terms, self.timeline)[0]

    def _read_whole(self) -> Timeline:
        try:
            return self.desk.whole()
        except StaleVersion:
            self.desk.reload()
            return self.desk.whole()

    def _transacting(
        self, equity: previous.Previous, options: transactions.Options
    ) -> transactions.Rules:
        rules = transactions.rules_of(previous.stated(equity), options)
        previous.require_owned(rules.previous, self.options, self.valuation)
        return rules

    def _correct(self, made: Callable[[Desk], hand.Correction]) -> Receipt:
        """Make a correction and commit it, anew if another writer was first."""

        def work() -> Receipt:
            desk = self.corrector
            return desk.commit(hand.stage(desk, made(desk)))

        return again(self.writer, work)


def _newest(found: Sequence[Iterator[_T]], limit: int | None) -> Iterator[_T]:
    """Put records that are read name by name in one order; those of one name are in theirs."""
    if len(found) == 1:
        return found[0]
    return islice(merge(*found, key=lambda each: each.time, reverse=True), limit)


def _costed(flow: CashFlowRecord) -> CashFlowRecord:
    """Return a flow without the cost that was booked where nothing of it is known."""
    if flow.value_base is not None or flow.cost_base or not flow.amount:
        return flow
    return msgspec.structs.replace(flow, cost_base=None)
