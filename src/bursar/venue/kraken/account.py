"""An account at Kraken: its history, what lies in it now, and prices, as one `Venue`.

What lies in the account is told by `BalanceEx`, the part in open orders included. Where an account
does not have that, `Balance` tells the totals, and what is reserved is counted from the open
orders, without fees: a notice says so.

Errors: as the client's.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from decimal import Decimal
from typing import Final

from bursar.errors import VenueDenied, VenueError
from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.entries import Price
from bursar.ports import Chunk, PriceWanted
from bursar.reconcile.statement import Holding, Leveraged, Statement
from bursar.value.marks import Mark
from bursar.venue.keycheck import KeyCheck
from bursar.venue.kraken import positions
from bursar.venue.kraken.answers import UNKNOWN_METHOD
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.history import History, Options
from bursar.venue.kraken.market import MarketDataAPI
from bursar.venue.kraken.past import PastPrices
from bursar.venue.kraken.wire import Object

_DEFAULTS: Final = Options()
_NO_EXTENDED: Final = (UNKNOWN_METHOD, "EAccount:Invalid permissions", "EAPI:Feature disabled")
_READING: Final = {
    "query-funds": "Query funds",
    "query-open-trades": "Query open orders & trades",
    "query-closed-trades": "Query closed orders & trades",
    "query-ledger": "Query ledger entries",
}
_HARMLESS: Final = frozenset({*_READING, "export-data", "create-ws-token"})


class KrakenAccount:
    """One account, asked over the network."""

    def __init__(self, client: KrakenRESTClient, options: Options = _DEFAULTS) -> None:
        self.client = client
        self.data = MarketDataAPI(client)
        self._options = options
        self._history = History(client, self.data.markets, options)
        self._past = PastPrices(client, self.data)

    @property
    def account(self) -> str:
        """The name of the account, `kraken:main`."""
        return self._options.account

    def history(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark, oldest first."""
        return self._history.read(mark)

    def anew(self, _mark: str) -> None:
        """Say that all is read again from the beginning."""

    async def statement(self) -> Statement:
        """Return what lies in the account now, under every code."""
        try:
            told = Object("BalanceEx", await self.client.balance_ex())
        except VenueError as error:
            if error.context.get("said") not in _NO_EXTENDED:
                raise
            return await self._counted()
        holdings = [
            _holding(code, said.number("balance"), said.number_if_any("hold_trade") or ZERO)
            for code, said in told.items()
        ]
        return self._stated(holdings)

    async def leveraged(self, known: Collection[str]) -> Sequence[Leveraged] | None:
        """Return what is open on margin, if the key may see it."""
        try:
            return await positions.leveraged(self.client, self.data.markets, known)
        except VenueError as error:
            refused = error.context.get("said")
            if refused not in (*_NO_EXTENDED, "EGeneral:Permission denied"):
                raise
            text = f"what is open on margin is not compared: Kraken says {refused}"
            self.client.note("OpenPositions", text)
            return None

    async def marks(self, assets: Collection[str], quote: str) -> Sequence[Mark]:
        """Return the marks that lead from assets to a quote."""
        return await self.data.marks(assets, quote)

    async def prices(self, wanted: Sequence[PriceWanted]) -> Sequence[Price]:
        """Return what public trades say of past prices."""
        return await self._past.prices(wanted)

    async def check_key(self) -> KeyCheck:
        """Ask what the key may do and how far back it sees."""
        try:
            said = Object("GetApiKeyInfo", await self.client.api_key_info())
        except VenueError as error:
            refused = error.context.get("said")
            if refused == UNKNOWN_METHOD or (
                isinstance(error, VenueDenied) and refused == "EGeneral:Permission denied"
            ):
                return KeyCheck(is_known=False)
            raise
        rights = said.texts("permissions")
        return KeyCheck(
            is_known=True,
            missing=tuple(name for right, name in _READING.items() if right not in rights),
            excess=tuple(sorted(set(rights) - _HARMLESS)),
            sees_from=_bound(said, "query_from"),
            sees_to=_bound(said, "query_to"),
            valid_until=_bound(said, "valid_until"),
        )

    async def _counted(self) -> Statement:
        """Return totals from `Balance`, with what open orders reserve."""
        told = Object("Balance", await self.client.balance())
        orders = Object("OpenOrders", await self.client.open_orders()).child("open")
        reserved: dict[str, Decimal] = {}
        for order in orders.values():
            await self._reserve(order, reserved)
        text = "no BalanceEx here: what is reserved is counted from open orders, without fees"
        self.client.note("Balance", text)
        return self._stated(
            [
                _holding(code, told.number(code), reserved.get(coin(code).code, ZERO))
                for code in told.names()
            ]
        )

    async def _reserve(self, order: Object, reserved: dict[str, Decimal]) -> None:
        """Add what a limit order on the spot market holds; others hold what nobody can tell."""
        about = order.child("descr")
        market = await self.data.markets.named(about.text("pair"))
        spot = about.text_if_any("leverage") in {"", "none"}
        if market is None or not spot or about.text("ordertype") != "limit":
            self.client.note("OpenOrders", f"what {about.text('order')!r} holds is not known")
            return
        is_sale = about.text("type") == "sell"
        asset = market.pair.base if is_sale else market.pair.quote
        price = None if is_sale else about.number("price")
        left = _left(order.unsigned("vol"), order.unsigned("vol_exec"), price)
        reserved[asset] = _sum(reserved.get(asset, ZERO), left)

    def _stated(self, holdings: Sequence[Holding]) -> Statement:
        return Statement(
            account=self.account,
            as_of=self.client.now(),
            holdings=tuple(sorted(holdings, key=lambda each: (each.asset, each.code))),
        )


def _holding(code: str, total: Decimal, reserved: Decimal) -> Holding:
    of = coin(code)
    return Holding(asset=of.asset, code=of.code, total=total, pocket=of.pocket, reserved=reserved)


def _bound(said: Object, field: str) -> int | None:
    """Read a time in unix seconds, where 0 stands for none."""
    value = said.number_if_any(field)
    return int(value) * instant.SECOND if value else None


@money
def _left(volume: Decimal, executed: Decimal, price: Decimal | None) -> Decimal:
    left = volume - executed
    return left if price is None else left * price


@money
def _sum(one: Decimal, other: Decimal) -> Decimal:
    return one + other
