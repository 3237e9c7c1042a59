"""An account at Binance: its history, what lies in it now, and prices, as one `Venue`.

What lies in the wallets is compared with the books, never booked. `LDUSDT` in the spot wallet is
USDT in Simple Earn, and so is a position there: each is counted once, as the wallet tells it, and
a position where the wallet does not. What a withdrawal under way has taken is still the owner's.

Errors: as the client's.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import VenueDenied
from bursar.ledger.entries import Price
from bursar.ledger.homonyms import meant
from bursar.ports import Chunk, PriceWanted
from bursar.reconcile.statement import Holding, Leveraged, Statement
from bursar.value.marks import Mark
from bursar.venue.binance import futures, wire
from bursar.venue.binance import place as marks
from bursar.venue.binance.assets import EARN, FUNDING, FUTURES, coin
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history import History, Options
from bursar.venue.binance.market import Prices
from bursar.venue.binance.markets import Markets
from bursar.venue.binance.stream import UserStream
from bursar.venue.binance.wire import Balance, Funding, Position, Rights
from bursar.venue.keycheck import KeyCheck

_DEFAULTS: Final = Options()
_EXCESS: Final = {
    "enable_withdrawals": "withdraw",
    "enable_internal_transfer": "transfer to other users",
    "permits_universal_transfer": "transfer between wallets",
    "enable_spot_and_margin_trading": "trade on spot and margin",
    "enable_futures": "trade futures",
    "enable_margin": "borrow",
    "enable_vanilla_options": "trade options",
}


class BinanceAccount:
    """One account, asked over the network."""

    def __init__(
        self,
        client: BinanceRESTClient,
        options: Options = _DEFAULTS,
        *,
        doings: UserStream | None = None,
    ) -> None:
        self.client = client
        self.markets = Markets(client)
        self.market = Prices(client, self.markets)
        self.doings = doings or UserStream(client)
        self._options = options
        self._history = History(client, self.markets, options)

    @property
    def account(self) -> str:
        """The name of the account, `binance:main`."""
        return self._options.account

    def history(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark."""
        return self._history.read(mark)

    def anew(self, mark: str) -> str | None:
        """Return the mark at which to begin where all is to be read again."""
        return marks.anew(mark, self._options.account)

    async def statement(self) -> Statement:
        """Return what lies in every wallet, with what open orders hold of each."""
        spot = [_spot(each) for each in await wire.balances(self.client)]
        funded = [_funded(each) for each in await wire.funding(self.client)]
        receipts = {each.asset for each in spot if each.pocket == EARN}
        earning = [
            Holding(asset=asset, code=asset, total=total, pocket=EARN)
            for asset, total in await self._positions(receipts)
        ]
        leaving = [
            Holding(
                asset=asset, code=asset, total=total, reserved=total
            )  # of spot, until it is done
            for asset, total in self._history.underway.items()
        ]
        told = (*spot, *funded, *earning, *leaving, *await self._futures())
        now = self.client.time
        holdings = [
            msgspec.structs.replace(each, asset=meant(each.asset, self.account, now))
            for each in told
        ]
        return Statement(
            account=self.account,
            as_of=now,
            holdings=tuple(sorted(holdings, key=lambda each: (each.asset, each.code))),
        )

    async def _positions(self, receipts: Collection[str]) -> list[tuple[str, Decimal]]:
        """Return what lies in Simple Earn but what the spot wallet has receipts for."""
        flexible = await wire.flexible(self.client)
        locked = await wire.locked(self.client)
        found = [(each.asset, each.total) for each in flexible if each.asset not in receipts]
        return [*found, *((each.asset, each.amount) for each in locked)]

    async def _futures(self) -> list[Holding]:
        """Return what lies in the futures wallet, if the key may see it."""
        try:
            told = await wire.futures_wallet(self.client)
        except VenueDenied:
            return []
        return [
            Holding(asset=each.asset, code=each.asset, total=each.total, pocket=FUTURES)
            for each in told
        ]

    async def positions(self) -> Sequence[Position]:
        """Return the open futures positions, long and short apart in hedge mode."""
        return await wire.leveraged(self.client)

    async def leveraged(self, known: Collection[str]) -> Sequence[Leveraged] | None:
        """Return the open USD-M positions, if the key may see them; long and short apart in hedge
        mode. Of contracts that are settled in their coin nothing is asked.
        """
        try:
            told = await wire.positions(self.client)
        except VenueDenied:
            return None
        return futures.leveraged(told, known)

    async def marks(self, assets: Collection[str], quote: str) -> Sequence[Mark]:
        """Return what assets are worth now."""
        return await self.market.marks(assets, quote)

    async def prices(self, wanted: Sequence[PriceWanted]) -> Sequence[Price]:
        """Return what public trades say of past prices."""
        return await self.market.prices(wanted)

    async def check_key(self) -> KeyCheck:
        """Ask what the key may do."""
        told = await self.client.one(wire.RIGHTS, {}, Rights)
        return KeyCheck(
            is_known=True,
            missing=() if told.enable_reading else ("read",),
            excess=tuple(words for name, words in _EXCESS.items() if getattr(told, name)),
        )


def _spot(said: Balance) -> Holding:
    of = coin(said.asset)
    return Holding(
        asset=of.asset, code=of.code, total=said.total, pocket=of.pocket, reserved=said.locked
    )


def _funded(said: Funding) -> Holding:
    return Holding(
        asset=said.asset,
        code=said.asset,
        total=said.total,
        pocket=FUNDING,
        reserved=said.reserved,
    )
