"""An account's whole history, as chunks that can be resumed after each.

Binance keeps no ledger. What is no trade stands in lists, one a kind; trades are told market by
market, and nobody says in which markets an account has traded. The balances say it: what is in the
spot wallet less everything that was told of it must stay the same. Where that changes, something
was traded: first the markets are asked whose both sides changed, or one side if the account
traded there before, and if that does not explain it, all markets of what is unexplained, and
again, until it is explained or none is left. What is left then is said, and never made up; since
trades may be told late, it is looked for again, more and more seldom, in the next hour.

The futures wallet has a list of its own (`futures`); where the key may not see it, what went there
is out of sight, and that is said.

Errors: `VenueError` as the client's; `Malformed` for a mark that is none.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import VenueDenied
from bursar.exact import ZERO, negated
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry, Side, Source
from bursar.ports import Chunk
from bursar.venue.binance import closing, futures, wire
from bursar.venue.binance import place as marks
from bursar.venue.binance.assets import FUTURES, coin
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history_rows import stated
from bursar.venue.binance.lists import BEGAN, INCOME, LISTS, Listing
from bursar.venue.binance.markets import Market, Markets, Trade, trades
from bursar.venue.binance.place import FuturesPlace, MarketPlace
from bursar.venue.binance.rows import HistoryRow, TradeRow
from bursar.venue.binance.trade_rows import ACCOUNT, fills
from bursar.venue.binance.windows import Page, pages
from bursar.venue.binance.wire import FuturesBalance

LOOK_EVERY: Final = 300 * instant.SECOND
"""How often the lists are asked for while the spot wallet stays what it is."""

LOOKS_AT_ONCE: Final = 3
LOOK_SOON: Final = 30 * instant.SECOND
"""How often the lists are asked for where something is newly unexplained: by so many syncs, one
after the other, then after so long, and after twice as long each further time.
"""

LATE: Final = instant.HOUR
"""For so long trades may be told late: syncs look for them, whether they ask for lists or not, each
time after as long again, at most `LOOK_EVERY`, and the first one after that once more.
"""

NOWHERE: Final = MarketPlace(0, -1)
CALM_TRIES: Final = 3
_ROUNDS: Final = (False, False, True, False, False, False)
"""Which rounds of asking for trades ask every market that may explain a change."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How an account is read. Nothing is asked for from before `since`."""

    account: str = ACCOUNT
    since: int = BEGAN


class History:
    """Reads an account's history. `underway` is what withdrawals have taken that are not done."""

    def __init__(self, client: BinanceRESTClient, markets: Markets, options: Options) -> None:
        self._client = client
        self._markets = markets
        self._options = options
        self._looked: tuple[str | None, int] | None = None
        self._looks = 0
        self._is_explained = True
        self._late_at = 0
        self.underway: dict[str, Decimal] = {}

    async def read(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark: the lists, then the trades.

        Where all was looked at a short while ago and the wallets are what they were, all still is;
        where trades explain what has changed, no list is asked.
        """
        reading = _Reading(self._client, self._markets, self._options, mark)
        reading.is_due = self._is_due
        before = reading.unexplained
        now = await self._client.now()
        if self._looked is not None and self._was_looked_at(mark, now):
            reading.underway = self.underway
            if not await reading.is_changed() and reading.place.puzzled is None:
                return
            async for chunk in reading.likely(now):
                yield chunk
            if not await reading.is_changed():
                self._looked = reading.mark, self._looked[1]
                return
        await reading.open_futures(now)
        async for chunk in reading.lists(now):
            yield chunk
        self.underway = reading.underway
        async for chunk in reading.trades(now):
            yield chunk
        async for chunk in reading.until_calm():
            yield chunk
        async for chunk in reading.futures_trades():
            yield chunk
        async for chunk in reading.close():
            yield chunk
        self._looked = reading.mark, now
        self._looks = self._looks + 1 if reading.unexplained == before else 1
        self._is_explained = not any(reading.unexplained)

    def _was_looked_at(self, mark: str | None, now: int) -> bool:
        if self._looked is None:
            return False
        seen, at = self._looked
        return seen == mark and 0 <= now - at < self._patience()

    def _is_due(self, since: int, now: int) -> bool:
        """Tell whether to look now for trades told late, which asks every market that is likely."""
        last = self._late_at
        apart = min(last - since, LOOK_EVERY)
        if since <= last <= now < last + apart and now - since < LATE:
            return False
        self._late_at = now
        return True

    def _patience(self) -> int:
        """Return how long a look lasts. What nothing explains may have come about meanwhile, or
        stand in a list later than in the wallet, so it is soon looked for again.
        """
        if self._is_explained:
            return LOOK_EVERY
        left = self._looks - LOOKS_AT_ONCE
        return 0 if left < 0 else min(LOOK_SOON << left, LOOK_EVERY)


class _Reading:
    """One sweep. `place` says how far it has come, `stirred` which contracts were traded in."""

    def __init__(
        self, client: BinanceRESTClient, markets: Markets, options: Options, mark: str | None
    ) -> None:
        self._client = client
        self._markets = markets
        self._options = options
        self.mark = mark
        self.is_due: Callable[[int, int], bool] = lambda _since, _now: True
        self._told = 0
        self._stirred: set[str] = set()
        self._sees_futures = True
        self._calm: tuple[int, Sequence[FuturesBalance]] | None = None
        self._rest: dict[str, Decimal] = {}
        self.place = marks.read(mark, options.account)
        self.underway: dict[str, Decimal] = {}

    @property
    def unexplained(self) -> tuple[dict[str, str], dict[str, str]]:
        """What lies in the spot wallet, and in the futures wallet, that nothing explains."""
        place = self.place.futures
        return self.place.unexplained, {} if place is None else place.unexplained

    async def is_changed(self) -> bool:
        """Tell whether a wallet is other than when it was last looked at."""
        place = self.place.futures
        if closing.changed(await self._left(), self.place.unexplained):
            return True
        return place is not None and bool(
            closing.changed(await self._futures_left(place), place.unexplained)
        )

    async def open_futures(self, now: int) -> None:
        """Begin to read the futures wallet, if the key may see it."""
        try:
            await wire.futures_wallet(self._client)
        except VenueDenied as error:
            self._sees_futures = False
            self._client.note("futures", f"the futures wallet is out of sight: {error.message}")
            return
        if self.place.futures is None:
            since = max(now - (INCOME.reach or 0), self._options.since)
            begun = FuturesPlace(
                since=since - since % instant.DAY + instant.DAY,
                is_cut=since > self._options.since,
            )
            self.place = msgspec.structs.replace(self.place, futures=begun)

    async def lists(self, now: int) -> AsyncIterator[Chunk]:
        """Yield what the lists tell, of what is under way all anew."""
        self.underway = {}
        for listing in (*((INCOME,) if self._sees_futures else ()), *LISTS):
            async for chunk in self._list(listing, now):
                yield chunk

    async def _list(self, listing: Listing, now: int) -> AsyncIterator[Chunk]:
        place, since = self.place.lists.get(listing.name), self._options.since
        if listing is INCOME and self.place.futures is not None:
            since = self.place.futures.since
        async for page in pages(self._client, listing, place, now, since):
            async for chunk in self._page(listing, page):
                yield chunk

    async def _page(self, listing: Listing, page: Page) -> AsyncIterator[Chunk]:
        for item in page.items:
            if item.taken is not None:
                self._wait(*item.taken)
        rows, said = self._stated(listing, page)
        self._stirred |= {row.symbol for row in rows if row.trade}
        lists = {**self.place.lists, listing.name: page.place}
        self.place = msgspec.structs.replace(
            self.place,
            lists=lists,
            sums=closing.summed(self.place.sums, _in(None, rows)),
            futures=_with(self.place.futures, rows),
        )
        async for chunk in self._chunk(said, listing.name, len(rows)):
            yield chunk

    def _stated(self, listing: Listing, page: Page) -> tuple[list[HistoryRow], list[AnyEntry]]:
        """Return the rows of a page that are news, and what they state."""
        told = [
            (row, number in page.news)
            for number, item in enumerate(page.items)
            for row in item.rows
            if listing is INCOME or self._is_told(row)
        ]
        late = frozenset(place for place, (_, is_fresh) in enumerate(told) if is_fresh)
        said = stated([row for row, _ in told], account=self._options.account, late=late)
        news = [row for row, is_fresh in told if is_fresh]
        fresh = (own for own, (_, is_fresh) in zip(said, told, strict=True) if is_fresh)
        return news, [each for own in fresh for each in own]

    def _is_told(self, row: HistoryRow) -> bool:
        """Pass over a move into or out of the futures wallet that its own list tells, or nobody."""
        if row.pocket != FUTURES:
            return True
        return self.place.futures is not None and row.executed_at < self.place.futures.since

    def _wait(self, name: str, amount: Decimal, fee: Decimal) -> None:
        self.underway[name] = closing.added(self.underway.get(name, ZERO), amount, fee)

    async def _chunk(self, said: Sequence[AnyEntry], what: str, count: int) -> AsyncIterator[Chunk]:
        self._told += count
        now = marks.write(self.place)
        if said or now != self.mark:
            self.mark = now
            yield Chunk(tuple(said), now, what, self._told, self._told)

    async def likely(self, now: int) -> AsyncIterator[Chunk]:
        """Yield the trades that most likely explain why a wallet has changed."""
        async for chunk in self._explain_late(now):
            yield chunk
        async for chunk in self._explain(is_wide=False):
            yield chunk
        if self.place.futures is not None:
            async for chunk in self._list(INCOME, now):
                yield chunk
            async for chunk in self.futures_trades():
                yield chunk

    async def trades(self, now: int) -> AsyncIterator[Chunk]:
        """Yield the trades that explain what the spot wallet holds, and say what none explains.

        The markets that are likely are asked twice: one may have been traded in meanwhile. For
        the same reason they are asked again after all others, until nothing moves.
        """
        async for chunk in self._explain_late(now):
            yield chunk
        was_wide = False
        for is_wide in _ROUNDS:
            before = self._rest
            async for chunk in self._explain(is_wide=is_wide):
                yield chunk
            if not closing.changed(self._rest, self.place.unexplained):
                break
            if was_wide and self._rest == before:
                break
            was_wide = was_wide or is_wide
        left = closing.written(self._rest)
        if left != self.place.unexplained:
            puzzled = now if left else None
            self.place = msgspec.structs.replace(self.place, unexplained=left, puzzled=puzzled)
        if self._rest:
            self._client.note(
                "account",
                f"the spot wallet does not close: {closing.named(self._rest)} that nothing which"
                " Binance tells explains; an export may tell more",
            )

    async def _explain_late(self, now: int) -> AsyncIterator[Chunk]:
        """Yield the trades that were told too late to explain what was unexplained; what they do
        explain is so no more.
        """
        since = self.place.puzzled
        if since is None or not self.is_due(since, now):
            return
        async for chunk in self._explain({}, is_wide=False):
            yield chunk
        known = self.place.unexplained
        left = {name: each for name, each in known.items() if name in self._rest}
        puzzled = since if left and now - since < LATE else None
        self.place = msgspec.structs.replace(self.place, unexplained=left, puzzled=puzzled)
        async for chunk in self._chunk((), "balances", 0):
            yield chunk

    async def _explain(
        self, known: closing.Sums | None = None, *, is_wide: bool
    ) -> AsyncIterator[Chunk]:
        """Yield trades of the markets that may explain the rest, until it is explained, or none, or
        only what was known to be unexplained.
        """
        asked: set[str] = set()
        while True:
            self._rest = await self._left()
            before = self.place.unexplained if known is None else known
            changed = closing.changed(self._rest, before)
            found = await self._markets.fitting(changed, self.place.markets, is_wide=is_wide)
            unasked = [each for each in found if each.symbol not in asked]
            if not unasked:
                return
            for market in unasked:
                asked.add(market.symbol)
                async for chunk in self._trades(market):
                    yield chunk

    async def _trades(self, market: Market) -> AsyncIterator[Chunk]:
        place = self.place.markets.get(market.symbol, NOWHERE)
        async for told in trades(self._client, market, place):
            rows = [each.row(market) for each in told]
            said = fills(rows, account=self._options.account, source=Source.LEDGER)
            fresh = [number for number, each in enumerate(told) if each.id > place.last]
            if not fresh:
                continue
            place = _behind(told)
            self._took(market.symbol, place, [rows[number] for number in fresh])
            stated = [said[number] for number in fresh]
            async for chunk in self._chunk(stated, f"trades of {market.symbol}", len(stated)):
                yield chunk

    def _took(self, symbol: str, place: MarketPlace, fresh: Sequence[TradeRow]) -> None:
        moved = [move for row in fresh for move in _moves(row)]
        self.place = msgspec.structs.replace(
            self.place,
            markets={**self.place.markets, symbol: place},
            sums=closing.summed(self.place.sums, moved),
        )

    async def _left(self) -> dict[str, Decimal]:
        """Return what lies in the spot wallet, or is leaving it, that nothing told explains."""
        told = await wire.balances(self._client)
        held = {each.asset: each.total for each in told if not each.is_receipt}
        for name, amount in self.underway.items():
            held[name] = closing.added(held.get(name, ZERO), amount)
        return closing.rest(held, self.place.sums)

    async def futures_trades(self) -> AsyncIterator[Chunk]:
        """Yield the trades of contracts that were traded in, and of positions that do not close."""
        if not self._sees_futures or self.place.futures is None:
            return
        asked: set[str] = set()
        stirred = self._stirred | await self._moved_positions(self.place.futures)
        while unasked := sorted(stirred - asked):
            for symbol in unasked:
                asked.add(symbol)
                async for chunk in self._futures_trades(symbol):
                    yield chunk
            stirred = await self._moved_positions(self.place.futures)
        if stirred:
            names = ", ".join(sorted(stirred))
            text = (
                f"positions in {names} are not what their trades come to; older ones are not told"
            )
            self._client.note("futures", text)

    async def _futures_trades(self, symbol: str) -> AsyncIterator[Chunk]:
        place = self.place.futures
        assert place is not None, "asked for only where the wallet is seen"
        async for told in futures.trades(self._client, symbol, place.trades.get(symbol)):
            place = msgspec.structs.replace(
                place,
                trades={**place.trades, symbol: told[-1].id},
                positions=closing.summed(place.positions, futures.moves(told)),
            )
            self.place = msgspec.structs.replace(self.place, futures=place)
            account = self._options.account
            said: list[AnyEntry] = [futures.fill(each, account=account) for each in told]
            for own in stated(futures.early(told, place.since), account=account):
                said += own
            async for chunk in self._chunk(said, f"trades of {symbol} futures", len(said)):
                yield chunk

    async def _moved_positions(self, place: FuturesPlace) -> set[str]:
        """Return the contracts whose positions are not what their trades come to."""
        held = {each.name: each.position_amt for each in await wire.positions(self._client)}
        left = closing.rest(held, place.positions)
        return {name.partition("-")[0] for name in left}

    async def close(self) -> AsyncIterator[Chunk]:
        """Yield what the futures wallet held when first seen at rest, once; say what is open."""
        said: list[AnyEntry] = []
        place = self.place.futures
        if self._sees_futures and place is not None:
            if place.is_open:
                left = await self._futures_left(place)
            else:
                left = {}  # unless it is calm, the next sync opens it
                if self._calm is not None:
                    place, said = self._opened(place, *self._calm)
            place = msgspec.structs.replace(place, unexplained=closing.written(left))
            self.place = msgspec.structs.replace(self.place, futures=place)
            if left:
                text = f"the futures wallet does not close: {closing.named(left)}"
                self._client.note("futures", text)
        async for chunk in self._chunk(said, "balances", len(said)):
            yield chunk

    def _opened(
        self, place: FuturesPlace, at: int, told: Sequence[FuturesBalance]
    ) -> tuple[FuturesPlace, list[AnyEntry]]:
        """State what the futures wallet held at an instant, of all that rows do not explain.

        Where the list is cut, exports may yet explain otherwise what rows now do.
        """
        held = {each.asset: each.total for each in told}
        left = closing.rest(held, place.sums)
        names = left.keys() | (place.sums.keys() if place.is_cut else set())
        said: list[AnyEntry] = [
            futures.beginning(
                name,
                held.get(name, ZERO),
                at,
                account=self._options.account,
                since=place.since,
            )
            for name in sorted(() if self.place.was_open else names)
        ]
        sums = closing.written(held)
        return msgspec.structs.replace(place, sums=sums, is_open=True, opened=at), said

    async def until_calm(self) -> AsyncIterator[Chunk]:
        """Yield the income of meanwhile, before the futures wallet is opened: else what it began
        with would hold it too.

        A second is let pass, since the list leaves out the one that is going on. Where the wallet
        does not come to rest, the next sync opens it.
        """
        place = self.place.futures
        if not self._sees_futures or place is None or place.is_open:
            return
        for _ in range(CALM_TRIES):
            before = await wire.futures_wallet(self._client)
            await self._client.outside.pause(instant.SECOND // instant.MS)
            now = await self._client.now()
            async for chunk in self._list(INCOME, now):
                yield chunk
            if await wire.futures_wallet(self._client) == before:
                self._calm = now, before
                return

    async def _futures_left(self, place: FuturesPlace) -> dict[str, Decimal]:
        """Return what lies in the futures wallet that nothing explains."""
        told = await wire.futures_wallet(self._client)
        return closing.rest({each.asset: each.total for each in told}, place.sums)


def _in(wallet: str | None, rows: Sequence[HistoryRow]) -> Iterator[tuple[str, Decimal]]:
    """Yield what rows changed in a wallet."""
    for row in rows:
        of = coin(row.code)
        if (of.pocket or row.pocket) == wallet:
            yield of.asset, closing.added(row.change, -(row.fee or ZERO))


def _with(place: FuturesPlace | None, rows: Sequence[HistoryRow]) -> FuturesPlace | None:
    """Count what rows of since the wallet's list begins moved in it, but for those that are told
    late of what it was opened with.
    """
    if place is None:
        return None
    since = max(place.since, 0 if place.opened is None else place.opened + instant.MS)
    listed = [row for row in rows if row.executed_at >= since]
    return msgspec.structs.replace(place, sums=closing.summed(place.sums, _in(FUTURES, listed)))


def _behind(told: Sequence[Trade]) -> MarketPlace:
    """Return the place behind trades: the last second is to be told again, with what joins it."""
    second = told[-1].second
    first = next(each.id for each in told if each.second == second)
    return MarketPlace(first, told[-1].id)


def _moves(row: TradeRow) -> Iterator[tuple[str, Decimal]]:
    is_buy = row.side is Side.BUY
    yield row.pair.base, row.quantity if is_buy else negated(row.quantity)
    yield row.pair.quote, negated(row.amount) if is_buy else row.amount
    if row.fee:
        yield row.fee_asset, negated(row.fee)
