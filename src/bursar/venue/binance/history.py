"""An account's whole history, as chunks that can be resumed after each.

Binance keeps no ledger. What is no trade stands in lists, one a kind; trades are told market by
market, and nobody says in which markets an account has traded. The balances say it: what is in the
spot wallet less everything that was told of it must stay the same. Where that changes, something
was traded: first the markets are asked whose both sides changed, or one side if the account
traded there before, and if that does not explain it, all markets of what is unexplained, and
again, until it is explained or none is left. What is left then is said, and never made up.

Errors: `VenueError` as the client's; `Malformed` for a mark that is none.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money, parse, trimmed
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry, Side, Source
from bursar.ports import Chunk
from bursar.venue.binance import place as marks
from bursar.venue.binance.assets import FUTURES, coin
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history_rows import statements
from bursar.venue.binance.lists import BEGAN, LISTS, Listing
from bursar.venue.binance.markets import Market, Markets, Trade, trades
from bursar.venue.binance.place import MarketPlace
from bursar.venue.binance.rows import HistoryRow, TradeRow
from bursar.venue.binance.trade_rows import ACCOUNT, fills
from bursar.venue.binance.windows import Page, pages
from bursar.venue.binance.wire import balances

LOOK_EVERY: Final = 300 * instant.SECOND
"""How often the lists are asked for while the spot wallet stays what it is."""

SHOWN_MAX: Final = 8
NOWHERE: Final = MarketPlace(0, -1)


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
        self.underway: dict[str, Decimal] = {}

    async def read(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark: the lists, then the trades.

        Where all was looked at a short while ago and the wallet is what it was, it still is.
        """
        reading = _Reading(self._client, self._markets, self._options, mark)
        now = await self._client.now()
        if self._was_looked_at(mark, now):
            reading.underway = self.underway
            if not reading.changed(await reading.left()):
                return
        async for chunk in reading.lists(now):
            yield chunk
        self.underway = reading.underway
        async for chunk in reading.trades():
            yield chunk
        self._looked = reading.mark, now

    def _was_looked_at(self, mark: str | None, now: int) -> bool:
        if self._looked is None:
            return False
        seen, at = self._looked
        return seen == mark and 0 <= now - at < LOOK_EVERY


class _Reading:
    """One sweep. `place` says how far it has come."""

    def __init__(
        self, client: BinanceRESTClient, markets: Markets, options: Options, mark: str | None
    ) -> None:
        self._client = client
        self._markets = markets
        self._options = options
        self.mark = mark
        self._told = 0
        self.place = marks.read(mark, options.account)
        self.underway: dict[str, Decimal] = {}

    async def lists(self, now: int) -> AsyncIterator[Chunk]:
        """Yield what the lists tell."""
        for listing in LISTS:
            place = self.place.lists.get(listing.name)
            since = self._options.since
            async for page in pages(self._client, listing, place, now, since):
                async for chunk in self._page(listing, page):
                    yield chunk

    async def _page(self, listing: Listing, page: Page) -> AsyncIterator[Chunk]:
        for item in page.items:
            if item.taken is not None:
                self._wait(*item.taken)
        rows, said = self._stated(page)
        lists = {**self.place.lists, listing.name: page.place}
        self.place = msgspec.structs.replace(
            self.place, lists=lists, sums=_summed(self.place.sums, map(_spot, rows))
        )
        async for chunk in self._chunk(said, listing.name, len(rows)):
            yield chunk

    def _stated(self, page: Page) -> tuple[list[HistoryRow], list[AnyEntry]]:
        """Return the rows of a page that are news, and what they state."""
        rows: list[HistoryRow] = []
        fresh: list[bool] = []
        for number, item in enumerate(page.items):
            for row in item.rows:
                if row.pocket == FUTURES and not self._tells_futures(row):
                    continue
                rows.append(row)
                fresh.append(number in page.news)
        said = statements(rows, account=self._options.account)
        news = [row for row, is_fresh in zip(rows, fresh, strict=True) if is_fresh]
        return news, [each for each, is_fresh in zip(said, fresh, strict=True) if is_fresh]

    def _tells_futures(self, row: HistoryRow) -> bool:
        """Tell whether only this list knows of a move into or out of the futures wallet."""
        start = self.place.futures_from
        return start is not None and row.executed_at < start

    def _wait(self, name: str, amount: Decimal, fee: Decimal) -> None:
        self.underway[name] = _plus(self.underway.get(name, ZERO), amount, fee)

    async def _chunk(self, said: Sequence[AnyEntry], what: str, count: int) -> AsyncIterator[Chunk]:
        self._told += count
        now = marks.write(self.place)
        if said or now != self.mark:
            self.mark = now
            yield Chunk(tuple(said), now, what, self._told, self._told)

    async def trades(self) -> AsyncIterator[Chunk]:
        """Yield the trades that explain what the spot wallet holds.

        The markets that are likely are asked twice: one may have been traded in meanwhile.
        """
        left: dict[str, Decimal] = {}
        for is_wide in (False, False, True):
            asked: set[str] = set()
            while changed := self.changed(left := await self.left()):
                found = await self._markets.fitting(changed, self.place.markets, is_wide=is_wide)
                unasked = [each for each in found if each.symbol not in asked]
                if not unasked:
                    break
                for market in unasked:
                    asked.add(market.symbol)
                    async for chunk in self._trades(market):
                        yield chunk
            if not changed:
                break
        self.place = msgspec.structs.replace(
            self.place, unexplained={name: trimmed(each) for name, each in left.items()}
        )
        self._say(left)
        async for chunk in self._chunk((), "balances", 0):
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
            sums=_summed(self.place.sums, moved),
        )

    async def left(self) -> dict[str, Decimal]:
        """Return what lies in the spot wallet, or went from it, that nothing told explains."""
        told = await balances(self._client)
        held = {each.asset: each.total for each in told if not each.is_receipt}
        return _unexplained(held, self.underway, self.place.sums)

    def changed(self, left: Mapping[str, Decimal]) -> frozenset[str]:
        """Return of what more, or less, is unexplained than when the account was last looked at."""
        before = {name: parse(each) for name, each in self.place.unexplained.items()}
        names = left.keys() | before.keys()
        return frozenset(name for name in names if left.get(name) != before.get(name))

    def _say(self, left: Mapping[str, Decimal]) -> None:
        """Say what nothing explains."""
        if left:
            named = [f"{trimmed(each)} {name}" for name, each in sorted(left.items())]
            more = f" and {len(named) - SHOWN_MAX} more" if len(named) > SHOWN_MAX else ""
            self._client.note(
                "account",
                f"the spot wallet does not close: {', '.join(named[:SHOWN_MAX])}{more} that"
                " nothing which Binance tells explains; an export may tell more",
            )


def _spot(row: HistoryRow) -> tuple[str, Decimal]:
    """Return what a row changed in the spot wallet."""
    of = coin(row.code)
    if row.pocket is not None or of.pocket is not None:
        return of.asset, ZERO
    return of.asset, _plus(row.change, -(row.fee or ZERO))


def _behind(told: Sequence[Trade]) -> MarketPlace:
    """Return the place behind trades: the last second is to be told again, with what joins it."""
    second = told[-1].second
    first = next(each.id for each in told if each.second == second)
    return MarketPlace(first, told[-1].id)


def _moves(row: TradeRow) -> Iterator[tuple[str, Decimal]]:
    sign = 1 if row.side is Side.BUY else -1
    yield row.pair.base, sign * row.quantity
    yield row.pair.quote, -sign * row.amount
    if row.fee:
        yield row.fee_asset, -row.fee


@money
def _plus(*amounts: Decimal) -> Decimal:
    return sum(amounts, ZERO)


@money
def _summed(sums: Mapping[str, str], moved: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    """Return sums with what was moved."""
    found = {name: parse(each) for name, each in sums.items()}
    for name, amount in moved:
        found[name] = found.get(name, ZERO) + amount
    return {name: trimmed(each) for name, each in found.items() if each}


@money
def _unexplained(
    held: Mapping[str, Decimal], underway: Mapping[str, Decimal], sums: Mapping[str, str]
) -> dict[str, Decimal]:
    told = {name: parse(each) for name, each in sums.items()}
    left = {
        name: held.get(name, ZERO) + underway.get(name, ZERO) - told.get(name, ZERO)
        for name in held.keys() | underway.keys() | told.keys()
    }
    return {name: each for name, each in left.items() if each}
