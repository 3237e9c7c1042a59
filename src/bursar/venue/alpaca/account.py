"""An account at Alpaca: its history, what lies in it now, and prices, as one `Venue`.

Cash and positions are compared with the books, never booked. `cash` leaves out what open orders
hold, and `equity` does not, so equity less cash less positions is what they hold. Equity rounds
what positions are worth; where the open purchases, counted at their limits, come to the same but
for a few cents, their exact sum counts.

Errors: as the client's.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from decimal import Decimal
from typing import Final

from bursar.exact import ZERO, money
from bursar.ledger.entries import Price
from bursar.ports import Chunk, PriceWanted
from bursar.reconcile.statement import Holding, Statement
from bursar.value.marks import Mark
from bursar.venue.alpaca.client import AlpacaRESTClient
from bursar.venue.alpaca.history import History, Options
from bursar.venue.alpaca.market import Market
from bursar.venue.alpaca.symbols import coin, instrument
from bursar.venue.alpaca.wire import Account, Order, Position
from bursar.venue.keycheck import KeyCheck

CENTS: Final = Decimal("0.05")
"""By how much equity may be off for its roundings."""

COIN: Final = "crypto"
_DEFAULTS: Final = Options()
_MAY_TRADE: Final = (
    "Alpaca has no keys that may only look, so this one may trade; bursar never does"
)


class AlpacaAccount:
    """One account, paper or live, asked over the network."""

    def __init__(self, client: AlpacaRESTClient, options: Options = _DEFAULTS) -> None:
        self.client = client
        self.market = Market(client)
        self._options = options
        self._history = History(client, options)

    @property
    def account(self) -> str:
        """The name of the account, `alpaca:main`."""
        return self._options.account

    def history(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark, oldest first."""
        return self._history.read(mark)

    def anew(self, _mark: str) -> None:
        """Say that all is read again from the beginning."""

    async def statement(self) -> Statement:
        """Return cash and every position, with what open orders hold of each."""
        said = await self.client.account()
        positions = await self.client.positions()
        orders = await self.client.open_orders()
        held = self._held(said, [order for order in orders if order.side == "buy"])
        cash = Holding(
            asset=said.currency, code=said.currency, total=_sum(said.cash, held), reserved=held
        )
        holdings = (cash, *(_holding(each) for each in positions))
        return Statement(
            account=self.account,
            as_of=self.client.now(),
            holdings=tuple(sorted(holdings, key=lambda each: (each.asset, each.code))),
        )

    async def leveraged(self, _known: Collection[str]) -> None:
        """Say that nothing is apart from what is held: a short is shares below zero."""

    async def marks(self, assets: Collection[str], quote: str) -> Sequence[Mark]:
        """Return what assets are worth now."""
        return await self.market.marks(assets, quote)

    async def prices(self, wanted: Sequence[PriceWanted]) -> Sequence[Price]:
        """Return what public trades say of past prices."""
        return await self.market.prices(wanted)

    async def check_key(self) -> KeyCheck:
        """Return what is known of every key, since the venue tells nothing of one."""
        return KeyCheck(is_known=False, remark=_MAY_TRADE)

    def _held(self, said: Account, buys: Sequence[Order]) -> Decimal:
        """Return what open purchases hold of the cash."""
        if not buys:
            return ZERO
        held, counted = _missing(said), _counted(buys)
        if counted is not None and _apart(held, counted) <= CENTS:
            return counted
        if abs(held) <= CENTS:
            return ZERO
        self.client.note("orders", "what open orders hold is known to some cents, from equity")
        return held


@money
def _holding(said: Position) -> Holding:
    free = said.qty if said.qty_available is None else said.qty_available
    # A coin that no list of ours knows yet is one all the same.
    of = coin(said.symbol) if said.asset_class == COIN else instrument(said.symbol)
    return Holding(asset=of.asset, code=said.symbol, total=said.qty, reserved=said.qty - free)


@money
def _missing(said: Account) -> Decimal:
    return said.equity - said.cash - said.long_market_value - said.short_market_value


@money
def _counted(buys: Sequence[Order]) -> Decimal | None:
    """Return what purchases cost at their limits, if each has one."""
    total = ZERO
    for order in buys:
        if order.notional is not None:
            total += order.notional
        elif order.limit_price is None or order.qty is None:
            return None
        else:
            total += (order.qty - order.filled_qty) * order.limit_price
    return total


@money
def _apart(one: Decimal, other: Decimal) -> Decimal:
    return abs(one - other)


@money
def _sum(one: Decimal, other: Decimal) -> Decimal:
    return one + other
