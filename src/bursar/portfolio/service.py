"""`PortfolioService`: one portfolio that follows its venues. The contract's engine.

`initialize` and `sync` go over the network; every question is answered from memory. A sync brings
the history in, asks for the prices it lacks, for the marks of what is held, and for each venue's
own statement, and says whether that agrees. A venue that cannot be reached leaves everything of it
as it was last known, with its time, and hides nothing of the others.

A statement is read between two looks at the history. If anything has happened in between it is read
again, so a trade of that very moment is no drift.

Errors: queries raise `PositionNotFoundError` and `BadChoice`; `sync` raises what the store does, a
venue's failure stands in its summary.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Self

import msgspec

from bursar.desk import again
from bursar.errors import InputError, LedgerError, VenueError
from bursar.exact import ZERO, money, percent18
from bursar.ledger import audit, instant
from bursar.ledger.entries import MANUAL, Movement
from bursar.ledger.records import (
    AssetBalance,
    CashFlowRecord,
    RealizedPnLRecord,
    SpotPosition,
)
from bursar.ledger.terms import method as method_of
from bursar.portfolio import agreement, earnings, external, snapshots
from bursar.portfolio.following import Anew, Gained, follow
from bursar.portfolio.log import LOG
from bursar.portfolio.periods import Range
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.portfolio.summaries import (
    AccountSync,
    EquitySummary,
    FeeReport,
    PnLSummary,
    SyncSummary,
    summed,
)
from bursar.ports import Head, Progress, Venue
from bursar.reconcile import (
    Certificate,
    Comparison,
    Limits,
    Proposal,
    Reconciliation,
    Verdict,
    usual,
)
from bursar.reconcile.certificate import sentence
from bursar.value.equity import Valuation
from bursar.value.exposure import AssetExposure, asset_exposures, exposure
from bursar.value.holdings import priced
from bursar.value.marks import Mark
from bursar.value.running import Running
from bursar.value.running_positions import RunningPositions
from bursar.value.snapshot import PortfolioSnapshot

LOOKS_MAX: Final = 3
"""How often a statement is read again because something happened meanwhile."""

_OF_A_VENUE: Final = (VenueError, InputError, LedgerError)
"""What concerns one venue alone, and must not keep the others from being followed: what it says, or
that no book would hold what it says.
"""


_Moment = tuple[Head, int, int]
_Ground = tuple[Head, str | None]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How a service counts and warns. Amounts are in base currency.

    `external_activity_pct`: manual trades and flows of one sync that are worth more than that
    percentage of equity are told.
    """

    tracks_manual: bool = True
    limits: Limits = Limits()
    snapshot_days: int = 30
    external_activity_pct: Decimal = Decimal(5)


class PortfolioService:
    """A portfolio and the venues it follows. Close it, or use it in a `with` block."""

    def __init__(
        self, portfolio: Portfolio, venues: Sequence[Venue] = (), rules: Rules | None = None
    ) -> None:
        self.portfolio = portfolio
        self.venues = tuple(venues)
        self.rules = rules or Rules(limits=usual(portfolio.terms.base))
        self._valued: tuple[_Moment, Valuation] | None = None
        self._summary: tuple[_Moment, EquitySummary] | None = None
        self._positions: tuple[_Moment, list[SpotPosition]] | None = None
        self._exposed: tuple[_Moment, tuple[AssetExposure, ...]] | None = None
        self._pairs = RunningPositions(portfolio.options)
        self._agreed: dict[str, tuple[_Ground, Comparison]] = {}
        self._realized: tuple[Head, Decimal] | None = None

    async def initialize(
        self,
        progress: Progress | None = None,
        *,
        prices_anew: bool = False,
        rows_anew: bool = False,
    ) -> SyncSummary:
        """Do the first sync, certify what it came to, take a snapshot, and let old ones go."""
        done = await self.sync(progress, prices_anew=prices_anew, rows_anew=rows_anew)
        if done.is_whole:
            await self.refresh_marks()  # a sync without news asks for none
            self.create_snapshot()
            made = [agreement.certified(self.portfolio, found) for found in self.get_drift()]
            said = tuple(sentence(each) for each in made)
            done = msgspec.structs.replace(done, certificates=said)
        self.prune_snapshots()
        return done

    async def sync(
        self,
        progress: Progress | None = None,
        *,
        prices_anew: bool = False,
        rows_anew: bool = False,
    ) -> SyncSummary:
        """Bring in what is new at every venue, and say whether their statements agree.

        No snapshot is taken: how often one is worth keeping is for whoever syncs to say
        (`create_snapshot`).

        With `prices_anew` each past price that is lacking is asked for, whatever lacks it; with
        `rows_anew` every history is read from its first row on, which finds what came too late.
        """
        anew = Anew(prices=prices_anew, rows=rows_anew)
        done = [await self._sync(each, progress, anew) for each in self.venues]
        return summed(tuple(done))

    async def refresh_marks(self) -> None:
        """Ask every venue what is held is worth now; one that is away leaves its old marks."""
        for venue in self.venues:
            try:
                await self._refresh(venue)
            except _OF_A_VENUE as error:
                LOG.warning("MARKS_FAILED", account=venue.account, why=error.message)

    def get_equity(self, prices: Prices = None) -> EquitySummary:
        """Return what the portfolio is worth, and whether the venues agree."""
        if prices is not None:
            return self._equity(self._valuation(prices))
        key = self._moment
        if self._summary is None or self._summary[0] != key:
            self.portfolio.live().refresh()
            self._summary = key, self._kept_equity()
        return self._summary[1]

    def see(self, mark: Mark) -> EquitySummary:
        """Take in a live price, for this process alone, and return the equity that comes of it.

        What the price is not of is not valued anew.
        """
        self.get_equity()
        self.portfolio.live().see(mark)
        summary = self._kept_equity()
        self._summary = self._moment, summary
        return summary

    def get_pnl_summary(
        self,
        period: str | Range = "all",
        include_manual: bool | None = None,  # noqa: FBT001 (the contract's signature)
        *,
        by: str = "pair",
        method: str | None = None,
        prices: Prices = None,
    ) -> PnLSummary:
        """Return the PnL of all time, the day, the week, the month, or a range of two moments.

        `include_manual=None` follows the rule of the portfolio: balances always hold everything.
        """
        asked = earnings.Asked(
            period=period,
            by=by,
            rule=None if method is None else method_of(method),
            with_manual=self._with_manual(include_manual),
        )
        return earnings.summary(self.portfolio, asked, prices)

    def get_positions(self, prices: Prices = None) -> list[SpotPosition]:
        """Return a position for each pair."""
        if prices is not None:
            return self.portfolio.positions(prices)
        key = self._moment
        if self._positions is None or self._positions[0] != key:
            self._positions = key, self._kept_positions()
        return list(self._positions[1])

    def _kept_positions(self) -> list[SpotPosition]:
        portfolio, live = self.portfolio, self.portfolio.live()
        live.refresh()
        return self._pairs.of(portfolio.book(), live.running.worths)

    def get_position(self, pair: str, prices: Prices = None) -> SpotPosition:
        """Return the position of a pair, under any of its names.

        Raises:
            PositionNotFoundError: there is none.
        """
        return self.portfolio.position(pair, prices)

    def get_asset_exposure(self, prices: Prices = None) -> list[AssetExposure]:
        """Return what is held of each asset, its worth, and its percentage of equity."""
        if prices is not None:
            return list(exposure(self._valuation(prices), with_cash=True).assets)
        key = self._moment
        if self._exposed is None or self._exposed[0] != key:
            self.portfolio.live().refresh()
            kept = self.portfolio.live().running
            self._exposed = key, asset_exposures(kept.assets, kept.margins, kept.equity)
        return list(self._exposed[1])

    @money
    def get_balances(self) -> list[AssetBalance]:
        """Return what is held of each asset; `reserved` is what open orders and pockets hold."""
        return self.portfolio.balances(reserved=agreement.reserved(self.portfolio))

    def get_trade_history(
        self,
        pair: str | None = None,
        limit: int | None = None,
        include_manual: bool | None = None,  # noqa: FBT001 (the contract's signature)
    ) -> list[RealizedPnLRecord]:
        """Return trade records, newest first."""
        if self._with_manual(include_manual):
            return self.portfolio.trades(pair, limit)
        told = self.portfolio.trades(pair)
        return [each for each in told if each.strategy_tag != MANUAL][:limit]

    @money
    def get_fee_summary(self) -> FeeReport:
        """Return all fees by asset and by pair, and those of trades as percent of gross PnL."""
        fees, book = self.portfolio.fees(), self.portfolio.book()
        trading = sum((cell.fees for cell in book.cells.values()), ZERO)
        gross = audit.totals(book).realized + trading
        return FeeReport(
            by_asset={asset: fee.value for asset, fee in fees.by_asset.items()},
            by_pair=fees.by_pair,
            total_base=fees.total,
            trading_base=trading,
            gross_pnl_base=gross,
            pct_of_gross_pnl=percent18(trading, gross) if gross > 0 else None,
            unpriced=fees.unpriced,
        )

    def get_cash_flows(
        self, asset: str | None = None, limit: int | None = None
    ) -> list[CashFlowRecord]:
        """Return cash flows, newest first."""
        return self.portfolio.flows(asset, limit)

    def create_snapshot(self, prices: Prices = None) -> PortfolioSnapshot:
        """Keep how the portfolio stands now."""
        portfolio = self.portfolio
        made = snapshots.take(portfolio, prices)
        portfolio.followed.look(portfolio, portfolio.desk.clock.now())
        portfolio.followed.write(portfolio)
        return made

    def get_snapshots(
        self, since: datetime | None = None, limit: int | None = None
    ) -> list[PortfolioSnapshot]:
        """Return snapshots, newest first."""
        return self.portfolio.desk.store.get_snapshots(since, limit)

    def get_daily_closes(self) -> list[snapshots.DailyClose]:
        """Return the close of each day, oldest first; pruning leaves them alone."""
        return snapshots.closes(self.portfolio.desk.store)

    def prune_snapshots(self) -> int:
        """Delete snapshots that are older than they are kept, and return how many."""
        store, now = self.portfolio.desk.store, self.portfolio.desk.clock.now()
        count = snapshots.prune(store, now, self.rules.snapshot_days)
        self.portfolio.followed.look(self.portfolio, now)
        return count

    def get_drift(self, account: str | None = None) -> list[Reconciliation]:
        """Account for every difference from the venues' last statements, and propose what closes
        it. O(rows); nothing is written.
        """
        names = [venue.account for venue in self.venues] if account is None else [account]
        return [agreement.reconciled(self.portfolio, name, self.rules.limits) for name in names]

    def accept_proposal(self, account: str, which: int | str) -> Proposal:
        """Enter what closes a break, by its number in `get_drift`, or by its id.

        Raises:
            BadChoice, BreakNotFound: there is no such break.
        """
        (found,) = self.get_drift(account)
        return agreement.accept(self.portfolio, found, which)

    def get_certificate(self, account: str) -> Certificate | None:
        """Return the last certificate of an account, if there is one."""
        return agreement.last_certificate(self.portfolio, account)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the store. Connections to venues are their owner's."""
        self.portfolio.close()

    def _with_manual(self, asked: bool | None) -> bool:  # noqa: FBT001 (three answers)
        return self.rules.tracks_manual if asked is None else asked

    def _equity(self, valuation: Valuation) -> EquitySummary:
        whole, stale = valuation.coverage.is_complete, valuation.coverage.stale_assets
        return self._equity_of(valuation, valuation.at, is_complete=whole, stale=stale)

    def _kept_equity(self) -> EquitySummary:
        """Return the same of the valuation that is kept, without putting it together."""
        running, now = self.portfolio.live().running, self.portfolio.desk.clock.now()
        return self._equity_of(
            running, now, is_complete=running.is_complete, stale=running.stale(now)
        )

    def _equity_of(
        self, found: Valuation | Running, at: int, *, is_complete: bool, stale: tuple[str, ...]
    ) -> EquitySummary:
        known = self._drifts()
        return EquitySummary(
            timestamp=instant.to_datetime(at),
            equity_base=found.equity,
            cash_base=found.cash_base,
            realized_pnl_base_total=self._realized_total(),
            unrealized_pnl_base_total=found.unrealized,
            drift_flag=any(each.drift for each in known),
            is_complete=is_complete,
            unvalued=tuple(each.asset for each in found.unvalued),
            stale=stale,
            unreconciled=_unreconciled(known),
            excluded_value=found.excluded_value,
        )

    def _realized_total(self) -> Decimal:
        head = self.portfolio.desk.head
        if self._realized is None or self._realized[0] is not head:
            self._realized = head, audit.totals(self.portfolio.book()).realized
        return self._realized[1]

    def _drifts(self) -> list[Comparison]:
        return [self._compared(venue.account) for venue in self.venues]

    @property
    def _moment(self) -> _Moment:
        """What every answer from memory rests on: the book, what venues said, and the second."""
        portfolio = self.portfolio
        now = portfolio.desk.clock.now()
        return portfolio.desk.head, portfolio.told_version, now // instant.SECOND

    def _valuation(self, prices: Prices) -> Valuation:
        """Value the book, once for as long as nothing changes: book, marks, second."""
        if prices is not None:
            return self.portfolio.valuation(prices)
        key = self._moment
        if self._valued is None or self._valued[0] != key:
            live = self.portfolio.live()
            live.refresh()
            self._valued = key, live.valuation()
        return self._valued[1]

    def _compared(self, account: str) -> Comparison:
        """Compare an account with its statement, once while neither it nor the book has changed.

        Where they differ, marks say what the difference is worth, so it is weighed anew.
        """
        head, text = self.portfolio.desk.head, agreement.statement_text(self.portfolio, account)
        ground, known = self._agreed.get(account, (None, None))
        if known is None or known.differing or known.apart or ground != (head, text):
            known = agreement.compared(self.portfolio, account, self.rules.limits)
            self._agreed[account] = (head, text), known
        return known

    async def _sync(self, venue: Venue, progress: Progress | None, anew: Anew) -> AccountSync:
        is_first = agreement.statement_text(self.portfolio, venue.account) is None
        gained, failure, found = Gained(is_first=is_first), None, None
        try:
            await self._look(venue, gained, progress, anew)
            found = self._compared(venue.account)
            agreement.sound(self.portfolio, found)
        except _OF_A_VENUE as error:
            LOG.warning("SYNC_FAILED", account=venue.account, code=error.code, why=error.message)
            failure = error.message
        activity = self._external(venue.account)
        return AccountSync(
            account=venue.account,
            new_entries=gained.entries,
            new_trades=gained.trades,
            new_flows=gained.flows,
            updated_pairs=tuple(sorted(gained.pairs)),
            restated=tuple(gained.restated),
            conflicts=tuple(gained.conflicts),
            prices=gained.priced,
            drift_detected=None if found is None else found.drift,
            external_activity_pct=activity,
            failure=failure,
        )

    async def _look(
        self, venue: Venue, gained: Gained, progress: Progress | None, anew: Anew
    ) -> None:
        """Follow the history and read the statement, again if more has happened in between.

        What differed at the last sync and still does has not happened just now. What other
        processes have landed is taken up, since their mark says that it was read.
        """
        desk = self.portfolio.writer
        desk.catch_up()
        known = _amounts(self._compared(venue.account))
        await follow(desk, venue, gained, progress, anew)
        account = venue.account
        moved = gained.entries > 0 or agreement.is_leverage_due(self.portfolio, account)
        now = await self._asked(venue, with_leverage=moved)
        for _ in range(LOOKS_MAX):
            before = desk.head
            if now.verdict is Verdict.EQUAL or _amounts(now) == known:
                break
            await follow(desk, venue, gained, progress)
            desk.catch_up()
            if desk.head == before:
                break
            now = await self._asked(venue, with_leverage=True)
        if self._opened(venue.account):
            now = self._compared(venue.account)
        if gained.entries or _amounts(now) != known:
            await self._refresh(venue)

    def _opened(self, account: str) -> bool:
        """Let the book begin with what no row tells of, and say whether it now does."""
        writer = self.portfolio.writer

        def found() -> list[Movement]:
            rows = agreement.without_rows(self.portfolio, account)
            if rows:
                writer.submit(rows)
            return rows

        rows = again(writer, found)
        if rows:
            held = {row.asset: str(row.balance) for row in rows}
            LOG.warning("HOLDING_WITHOUT_ROWS", account=account, assets=held)
        agreement.begin(self.portfolio, account)
        return bool(rows)

    async def _asked(self, venue: Venue, *, with_leverage: bool) -> Comparison:
        """Ask what the venue states. Where nothing has happened no position was moved either, and
        what it said of those still stands.
        """
        latest = agreement.latest(self.portfolio, venue.account)
        pairs = agreement.open_pairs(self.portfolio, venue.account)
        leveraged = await venue.leveraged(pairs) if with_leverage else None
        agreement.remember(self.portfolio, await venue.statement(), latest, leveraged)
        return self._compared(venue.account)

    async def _refresh(self, venue: Venue) -> None:
        held = sorted({asset for _, asset in priced(self.portfolio.book())})
        base = self.portfolio.terms.base
        self.portfolio.keep_marks(await venue.marks(held, base), venue.account)

    def _external(self, account: str) -> Decimal | None:
        """Tell what nobody's strategy did, if it is much; return it as percent of equity."""

        def equity() -> Decimal:
            known = self.get_equity()
            return known.equity_base + known.excluded_value  # what moved may be of either

        return external.tell(
            self.portfolio, account, equity, above=self.rules.external_activity_pct
        )


def _unreconciled(known: Iterable[Comparison]) -> tuple[str, ...]:
    return tuple(each.account for each in known if each.verdict is Verdict.UNKNOWN)


def _amounts(found: Comparison) -> list[tuple[str, str | None, Decimal]]:
    amounts = [(line.asset, line.pocket, line.difference) for line in found.differing]
    return amounts + [(line.pair, None, line.difference) for line in found.apart]
