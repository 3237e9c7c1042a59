"""Binance's answers about what lies in an account, as records.

Errors: as the client's.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bursar.exact import ZERO, money
from bursar.venue.binance.assets import coin
from bursar.venue.binance.client import BinanceRESTClient, Question

ACCOUNT: Final = Question(path="/api/v3/account", weight=20)
FUNDING: Final = Question(path="/sapi/v1/asset/get-funding-asset", method="POST")
FLEXIBLE: Final = Question(path="/sapi/v1/simple-earn/flexible/position", weight=150)
LOCKED: Final = Question(path="/sapi/v1/simple-earn/locked/position", weight=150)
FUTURES: Final = Question(path="/fapi/v3/account", weight=5)
POSITIONS: Final = Question(path="/fapi/v3/positionRisk", weight=5)
LEVERAGES: Final = Question(path="/fapi/v1/symbolConfig", weight=5)
RIGHTS: Final = Question(path="/sapi/v1/account/apiRestrictions")
_PAGE: Final = 100
_T = TypeVar("_T")


class Balance(msgspec.Struct, frozen=True):
    """What lies of a coin in the spot wallet."""

    asset: str
    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        """Everything, what open orders hold included."""
        return _sum(self.free, self.locked)

    @property
    def is_receipt(self) -> bool:
        """Whether it only stands for coins in Simple Earn."""
        return coin(self.asset).pocket is not None


class Funding(msgspec.Struct, frozen=True):
    """What lies of a coin in the funding wallet."""

    asset: str
    free: Decimal
    locked: Decimal = ZERO
    freeze: Decimal = ZERO
    withdrawing: Decimal = ZERO

    @property
    def reserved(self) -> Decimal:
        """What cannot be used now."""
        return _sum(self.locked, self.freeze, self.withdrawing)

    @property
    def total(self) -> Decimal:
        """Everything."""
        return _sum(self.free, self.reserved)


class Flexible(msgspec.Struct, frozen=True):
    """What lies in a flexible product of Simple Earn."""

    asset: str
    total: Decimal = msgspec.field(name="totalAmount")


class Locked(msgspec.Struct, frozen=True):
    """What lies in a locked product of Simple Earn."""

    asset: str
    amount: Decimal


class FuturesBalance(msgspec.Struct, frozen=True):
    """What lies of a coin in the futures wallet, what open positions would bring left out."""

    asset: str
    total: Decimal = msgspec.field(name="walletBalance")


class Position(msgspec.Struct, frozen=True, rename="camel"):
    """A position: below zero where it is short. In hedge mode a market has a `LONG` and a `SHORT`.

    `leverage` is what the account has set for the market, `None` where it was not told.
    """

    symbol: str
    position_side: str
    position_amt: Decimal
    entry_price: Decimal
    mark_price: Decimal
    unrealized: Decimal = msgspec.field(name="unRealizedProfit", default=ZERO)
    leverage: Decimal | None = None
    margin_asset: str = ""

    @property
    def name(self) -> str:
        """Its market, and its side in hedge mode."""
        return position_name(self.symbol, self.position_side)


class _Leverage(msgspec.Struct, frozen=True):
    symbol: str
    leverage: Decimal


class Rights(msgspec.Struct, frozen=True, rename="camel"):
    """What a key may do. That it may trade on portfolio margin is told of every key, and means
    nothing where it may not trade.
    """

    enable_reading: bool = False
    enable_withdrawals: bool = False
    enable_internal_transfer: bool = False
    permits_universal_transfer: bool = False
    enable_spot_and_margin_trading: bool = False
    enable_futures: bool = False
    enable_margin: bool = False
    enable_vanilla_options: bool = False


class _FuturesAccount(msgspec.Struct, frozen=True):
    assets: list[FuturesBalance]


class _Account(msgspec.Struct, frozen=True):
    balances: list[Balance]


async def balances(client: BinanceRESTClient) -> Sequence[Balance]:
    """Return what lies in the spot wallet, nothing left out but what is nothing."""
    told = await client.one(ACCOUNT, {"omitZeroBalances": "true"}, _Account)
    return told.balances


async def funding(client: BinanceRESTClient) -> Sequence[Funding]:
    """Return what lies in the funding wallet."""
    return await client.rows(FUNDING, {}, Funding)


async def flexible(client: BinanceRESTClient) -> Sequence[Flexible]:
    """Return what lies in flexible products."""
    return await _pages(client, FLEXIBLE, Flexible)


async def locked(client: BinanceRESTClient) -> Sequence[Locked]:
    """Return what lies in locked products."""
    return await _pages(client, LOCKED, Locked)


async def futures_wallet(client: BinanceRESTClient) -> Sequence[FuturesBalance]:
    """Return what lies in the futures wallet."""
    told = await client.one(FUTURES, {}, _FuturesAccount)
    return [each for each in told.assets if each.total]


async def positions(client: BinanceRESTClient) -> Sequence[Position]:
    """Return the open positions."""
    told = await client.rows(POSITIONS, {}, Position)
    return [each for each in told if each.position_amt]


async def leveraged(client: BinanceRESTClient) -> Sequence[Position]:
    """Return the open positions with the leverage that is set for their markets."""
    told = await client.rows(LEVERAGES, {}, _Leverage)
    set_ = {each.symbol: each.leverage for each in told}
    return [
        msgspec.structs.replace(each, leverage=set_.get(each.symbol, each.leverage))
        for each in await positions(client)
    ]


def position_name(symbol: str, side: str) -> str:
    """Name a position: `BTCUSDT`, or in hedge mode `BTCUSDT-LONG`."""
    return symbol if side == "BOTH" else f"{symbol}-{side}"


async def _pages(client: BinanceRESTClient, question: Question, kind: type[_T]) -> list[_T]:
    found: list[_T] = []
    page = 1
    while True:
        told = await client.rows(question, {"current": page, "size": _PAGE}, kind)
        found += told
        if len(told) < _PAGE:
            return found
        page += 1


@money
def _sum(*amounts: Decimal) -> Decimal:
    return sum(amounts, ZERO)
