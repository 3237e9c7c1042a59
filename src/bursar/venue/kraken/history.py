"""An account's whole history, as chunks that are complete, checked, and can be resumed after each.

The ledger is the truth for every movement; executions add pair, order and price; orders add who
placed them. All three are read oldest first and side by side, so chunks come in the order in which
things happened, and a chunk holds what the three tell of one stretch of time.

Rules
- A sweep ends at a pinned second. What is cut off by a kill goes on from the mark of the last
  chunk, up to the same end, and then on to now.
- The ledger's balances are followed from chunk to chunk. A row that does not follow is asked for
  again; if it still does not, reading stops before its chunk (a sweep that was cut off, or is told
  a row that belongs before others it was told, is first read again from the beginning; if that
  ends at a gap as well, not again for a day).
- Executions are asked for only where the ledger has trades that they have not told, and orders only
  where there are rules for tags. So a sweep that finds nothing new takes two requests.
- A trade whose pair no table names, not even the venue's own of today, is noted and left to the
  ledger, which has its amounts.

Errors: `VenueError` as the client's; `VenueIncomplete` names the row, its code and both balances;
`RegionDenied` for an entry that the region does not allow; `Malformed` for a mark that is none.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from bursar.errors import UnknownAsset, VenueIncomplete
from bursar.exact import plain
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry
from bursar.ports import Chunk
from bursar.venue.kraken import place as marks
from bursar.venue.kraken import wire
from bursar.venue.kraken.chain import Carried, carry_on
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.ledger_rows import ACCOUNT, movements
from bursar.venue.kraken.metadata import Markets
from bursar.venue.kraken.pairs import pair
from bursar.venue.kraken.place import Known, ListPlace, Place
from bursar.venue.kraken.rows import LedgerRow, TradeRow
from bursar.venue.kraken.sweep import Lost, Sweep
from bursar.venue.kraken.tags import TagRules, tags
from bursar.venue.kraken.trade_rows import fills, is_margin
from bursar.venue.kraken.wire import Order, Page
from bursar.venue.region import GLOBAL, RegionProfile

WHAT: Final = "ledger rows"
OWED_FOR: Final = instant.HOUR
AGAIN_S: Final = 86_400
"""So long a gap that all of the history was read again for is not looked into that way anew."""

_TRADED: Final = frozenset({"trade", "margin"})
_LEVERAGED: Final = frozenset({"margin", "rollover", "settled"})
_FUTURES: Final = frozenset({"spottofutures", "spotfromfutures"})


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How an account is read.

    A chunk holds up to `pages` pages of the ledger. `allow_breaks` lets in a ledger whose balances
    do not follow; each break is then noted.
    """

    account: str = ACCOUNT
    region: RegionProfile = GLOBAL
    rules: TagRules = TagRules()
    pages: int = 4
    allow_breaks: bool = False


class History:
    """Reads an account's history."""

    def __init__(self, client: KrakenRESTClient, markets: Markets, options: Options) -> None:
        self._client = client
        self._markets = markets
        self._options = options

    async def read(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark, oldest first.

        Where the mark turns out not to fit what the venue tells, all is read again.
        """
        place = marks.read(mark, self._options.account)
        try:
            async for chunk in self._sweeps(place):
                yield chunk
        except Lost as lost:
            now = await self._client.time() // instant.SECOND
            known = place.again_at
            if lost.__cause__ is not None and known is not None and now - known < AGAIN_S:
                raise lost.__cause__ from None
            self._client.note(WHAT, "old rows have changed place: all of the history is read again")
        else:
            return
        try:
            async for chunk in self._sweeps(Place(account=self._options.account, again_at=now)):
                yield chunk
        except Lost as error:
            raise VenueIncomplete(f"Kraken's {error} do not stay in their places") from None

    async def _sweeps(self, place: Place) -> AsyncIterator[Chunk]:
        """Finish the sweep that was cut off, if one was, and make another up to now."""
        while True:
            was_cut = place.end is not None
            if place.end is None:
                now = await self._client.time()
                place = msgspec.structs.replace(place, end=now // instant.SECOND + 1)
            reading = _Reading(self, place, is_resumed=was_cut)
            async for chunk in reading.chunks():
                yield chunk
            if not was_cut:
                return
            place = reading.place

    def check_region(self, rows: Sequence[LedgerRow], trades: Sequence[TradeRow]) -> None:
        """Refuse what the region does not allow."""
        region = self._options.region
        for row in rows:
            if row.type in _LEVERAGED:
                region.allow_margin(row.txid)
            if row.subtype in _FUTURES:
                region.allow_futures(row.txid)
        for trade in trades:
            if is_margin(trade):
                region.allow_margin(trade.txid)

    async def with_pairs(self, trades: Sequence[TradeRow]) -> list[TradeRow]:
        """Return trades with pairs that can be read, by the shipped table or the venue's own."""
        found = []
        for row in trades:
            try:
                pair(row.pair)
            except UnknownAsset:
                named = await self._markets.named(row.pair)
                if named is None:
                    self._client.note("TradesHistory", f"{row.txid}: no pair is called {row.pair}")
                    continue
                found.append(msgspec.structs.replace(row, pair=str(named.pair)))
            else:
                found.append(row)
        return found

    async def ledgers(self, start: int | None, end: int | None, ofs: int) -> Page[LedgerRow]:
        """Ask for a page of the ledger."""
        result = await self._client.ledgers(start, end, ofs)
        return wire.page(result, "ledger", wire.ledger_row)

    async def trades(self, start: int | None, end: int | None, ofs: int) -> Page[TradeRow]:
        """Ask for a page of executions."""
        result = await self._client.trades_history(start, end, ofs)
        return wire.page(result, "trades", wire.trade_row)

    async def orders(self, start: int | None, end: int | None, ofs: int) -> Page[Order]:
        """Ask for a page of closed orders."""
        result = await self._client.closed_orders(start, end, ofs)
        return wire.page(result, "closed", wire.closed_order)

    async def open_orders(self) -> list[Order]:
        """Ask for the open orders that have executions."""
        told = wire.Object("OpenOrders", await self._client.open_orders()).child("open")
        orders = [wire.open_order(txid, said) for txid, said in told.items()]
        return [order for order in orders if order.trades]

    @property
    def options(self) -> Options:
        """How the account is read."""
        return self._options

    def note(self, text: str) -> None:
        """Keep a notice."""
        self._client.note("Ledgers", text)


class _Reading:
    """One sweep over the three lists, up to one end. `place` is where it stands."""

    def __init__(self, history: History, place: Place, *, is_resumed: bool) -> None:
        assert place.end is not None, "a sweep has an end"
        self.place = place
        self._is_resumed = is_resumed
        self._history = history
        self._end = place.end
        self._until = place.end * instant.SECOND
        self._ledgers = Sweep[LedgerRow](
            WHAT, history.ledgers, place.ledgers, self._end, reference=_reference
        )
        self._trades = Sweep[TradeRow](
            "trades", history.trades, place.trades, self._end, reference=_own_id
        )
        self._orders = Sweep[Order](
            "orders", history.orders, place.orders, self._end, reference=_own_id
        )
        self._wants_tags = bool(history.options.rules)
        self._owes_tags = self._wants_tags and place.orders == ListPlace() != place.trades

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Yield the chunks of the sweep; if the last one says nothing, only where it ends one that
        was cut off.
        """
        while True:
            rows, carried = await self._stretch()
            is_last = self._ledgers.is_empty
            at = self._until if is_last else rows[-1].executed_at
            trades, orders = await self._beside(rows, at, is_last=is_last)
            self._history.check_region(rows, trades)
            statements = self._stated(rows, carried, trades, orders)
            done, total = self._ledgers.place.done, self._ledgers.place.count
            self.place = self._moved(carried, is_last=is_last)
            if statements or not is_last or self._is_resumed:
                yield Chunk(statements, marks.write(self.place), WHAT, done, total)
            if is_last:
                return

    async def _stretch(self) -> tuple[list[LedgerRow], Carried]:
        """Return the next rows of the ledger, whole and in order."""
        was_reread = False
        while True:
            pages = self._history.options.pages
            while not self._ledgers.is_finished and (pages > 0 or not self._ledgers.ready()):
                await self._ledgers.fetch()
                pages -= 1
            rows = self._ledgers.ready()
            carried = carry_on(rows, self.place.balances)
            if carried.breaks and not self._history.options.allow_breaks:
                if was_reread and (self._is_resumed or self._holds_late(rows)):
                    # what was told before may be at fault, or out of order
                    raise Lost(WHAT) from _gap(rows, carried)
                if was_reread:
                    raise _gap(rows, carried)
                was_reread = True
                self._ledgers.reread()
                continue
            for place in range(len(carried.breaks)):
                self._history.note(_gap(rows, carried, place).message)
            return self._ledgers.hand_on(rows), carried

    def _holds_late(self, rows: Sequence[LedgerRow]) -> bool:
        """Tell whether a row is not newer than those that were handed on: its place is among them,
        and their balances are not what it follows.
        """
        latest = max((at for at, _ in self.place.ledgers.recent), default=None)
        return latest is not None and any(row.executed_at <= latest for row in rows)

    async def _beside(
        self, rows: Sequence[LedgerRow], at: int, *, is_last: bool
    ) -> tuple[list[TradeRow], list[Order]]:
        """Return the executions and the orders of the same stretch of time."""
        traded = [(row.executed_at, row.refid) for row in rows if row.type in _TRADED]
        owed = {*self.place.owed, *traded}
        trades: list[TradeRow] = []
        if any(since > at - OWED_FOR for since, _ in owed) or traded:
            trades = await self._trades.until(at)
        told = {row.txid for row in trades}
        kept = [each for each in owed if each[1] not in told and each[0] > at - OWED_FOR]
        self.place = msgspec.structs.replace(self.place, owed=_newest(kept))
        orders: list[Order] = []
        self._owes_tags = self._owes_tags or (self._wants_tags and bool(trades))
        if self._owes_tags and (trades or is_last):
            orders = await self._orders.until(at)
        if self._owes_tags and is_last:
            orders += await self._history.open_orders()
        return await self._history.with_pairs(trades), orders

    def _stated(
        self,
        rows: Sequence[LedgerRow],
        carried: Carried,
        trades: Sequence[TradeRow],
        orders: Sequence[Order],
    ) -> tuple[AnyEntry, ...]:
        options = self._history.options
        return (
            *movements(rows, carried.ranks, account=options.account),
            *fills(trades, account=options.account),
            *tags(orders, options.rules, account=options.account),
        )

    def _moved(self, carried: Carried, *, is_last: bool) -> Place:
        """Return the place after a chunk; after the last one it is at rest."""
        ledgers, trades, orders = self._ledgers.place, self._trades.place, self._orders.place
        return msgspec.structs.replace(
            self.place,
            end=None if is_last else self._end,
            again_at=None if is_last else self.place.again_at,
            balances=carried.balances,
            ledgers=marks.rest(ledgers) if is_last else ledgers,
            trades=marks.rest(trades) if self._trades.is_empty else trades,
            orders=marks.rest(orders) if self._orders.is_empty else orders,
        )


def _reference(row: LedgerRow) -> str:
    return row.refid or row.txid


def _own_id(row: TradeRow | Order) -> str:
    return row.txid


def _newest(owed: Sequence[Known]) -> tuple[Known, ...]:
    return tuple(sorted(owed)[-marks.RECENT_MAX :])


def _gap(rows: Sequence[LedgerRow], carried: Carried, place: int = 0) -> VenueIncomplete:
    """Name the first break: what was expected, what the venue says, and where."""
    broken = carried.breaks[place]
    row = rows[broken.place]
    assert row.balance is not None, "rows of the API tell their balance"
    return VenueIncomplete(
        f"Kraken's ledger row {row.txid} of {instant.show(row.executed_at)} leaves"
        f" {plain(row.balance)} {row.code}, but after the rows before it there should be"
        f" {plain(broken.expected)}: a row between them is missing or changed",
        row=row.txid,
        code=row.code,
        expected=plain(broken.expected),
        found=plain(row.balance),
    )
