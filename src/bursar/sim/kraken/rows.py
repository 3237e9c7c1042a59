"""What an invented account consists of: ledger rows, trades, orders, and what each truly was.

Numbers are ints of the last decimal: amounts in the coin's, prices, volumes and costs in the
pair's. Times are UTC nanoseconds.
"""

from enum import Enum
from typing import Final, NamedTuple

IN: Final = True
OUT: Final = False


class Flow(Enum):
    """What a ledger row truly is, whatever the venue calls it."""

    TRADE = "trade"
    SWAP = "swap"
    DUST = "dust"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    INTERNAL = "internal"
    FUTURES = "futures"
    REWARD = "reward"
    AIRDROP = "airdrop"
    DIVIDEND = "dividend"
    CREDIT = "credit"
    CONVERSION = "conversion"
    UNKNOWN = "unknown"
    MARGIN = "margin"
    ROLLOVER = "rollover"
    SETTLED = "settled"
    COLLATERAL = "collateral"


class Row(NamedTuple):
    """One ledger row. `balance` is that of its code: the one before, plus amount, less fee."""

    id: str
    refid: str
    time: int
    type: str
    subtype: str
    code: str
    amount: int
    fee: int
    balance: int
    flow: Flow


class Trade(NamedTuple):
    """One execution. `fee` is the venue's estimate in the quote; `paid` of `fee_code` was taken.
    `position` is the trade that opened what this one closes.
    """

    id: str
    number: int
    order: str
    pair: str
    time: int
    is_buy: bool
    ordertype: str
    price: int
    cost: int
    fee: int
    volume: int
    is_maker: bool
    rows: tuple[str, ...]
    fee_code: str
    paid: int
    margin: int = 0
    position: str = ""

    @property
    def opens(self) -> bool:
        """Tell whether it opened a position."""
        return bool(self.margin) and not self.position


class Order(NamedTuple):
    """One order. `closed` is None while it is open; `strategy`, who gave it, is on no wire."""

    id: str
    pair: str
    is_buy: bool
    ordertype: str
    price: int
    volume: int
    opened: int
    closed: int | None
    status: str
    trades: tuple[str, ...]
    strategy: str
    userref: int | None = None
    cl_ord_id: str | None = None
    is_viqc: bool = False


class Passage(NamedTuple):
    """A deposit or withdrawal as the funding endpoints tell it; not every one moved money."""

    is_deposit: bool
    refid: str
    code: str
    amount: int
    fee: int
    time: int
    status: str
    prop: str = ""
