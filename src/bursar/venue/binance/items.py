"""What stands in the lists that Binance keeps of what is no trade, and what each row moved.

A row becomes what the transaction history, which only exports tell, would say of it: the same
operation, wallet, coin and amount at the same second, so both come under the same ids.

Errors: `VenueGarbled` for a row that cannot be read.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal, TypeVar

import msgspec

from bursar.errors import Malformed, VenueGarbled
from bursar.exact import ZERO, money, negated
from bursar.ledger import instant
from bursar.ledger.entries import MovementKind
from bursar.venue import record
from bursar.venue.binance.assets import EARN, FUNDING, FUTURES, is_futures, pocket
from bursar.venue.binance.client import NAME
from bursar.venue.binance.operations import RENAMING, income, operation
from bursar.venue.binance.rows import HistoryRow

Move = Literal[
    "MAIN_UMFUTURE",
    "UMFUTURE_MAIN",
    "MAIN_FUNDING",
    "FUNDING_MAIN",
    "FUNDING_UMFUTURE",
    "UMFUTURE_FUNDING",
]
_WALLETS: Final = {
    "MAIN": (None, "Spot Account"),
    "FUNDING": (FUNDING, "Funding Account"),
    "UMFUTURE": (FUTURES, "UM Futures Account"),
}
_DONE: Final = frozenset({"SUCCESS", "PAID", "CONFIRMED"})
_GIVEN: Final = frozenset({MovementKind.REWARD, MovementKind.AIRDROP, MovementKind.REBATE})
_EARNED: Final = ("earn", "savings", "staking", "flexible")
_T = TypeVar("_T")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a list: when it counts, and what it moved. `taken` is what one that is pending
    has taken out of the spot wallet already.
    """

    at: int
    rows: tuple[HistoryRow, ...] = ()
    is_pending: bool = False
    taken: tuple[str, Decimal, Decimal] | None = None


class _Deposit(msgspec.Struct, frozen=True, rename="camel"):
    coin: str
    amount: Decimal
    status: int
    insert_time: int
    wallet_type: int = 0


class _Withdrawal(msgspec.Struct, frozen=True, rename="camel"):
    coin: str
    amount: Decimal
    status: int
    apply_time: str
    transaction_fee: Decimal = ZERO
    wallet_type: int = 0


class _Converted(msgspec.Struct, frozen=True, rename="camel"):
    order_status: str
    from_asset: str
    from_amount: Decimal
    to_asset: str
    to_amount: Decimal
    create_time: int


class _Swept(msgspec.Struct, frozen=True, rename="camel"):
    from_asset: str
    amount: Decimal
    transfered_amount: Decimal
    target_asset: str = "BNB"


class _Dust(msgspec.Struct, frozen=True, rename="camel"):
    operate_time: int
    user_asset_dribblet_details: list[_Swept]


class _Dividend(msgspec.Struct, frozen=True, rename="camel"):
    asset: str
    amount: Decimal
    div_time: int
    en_info: str = ""
    direction: int = 1


class _Subscribed(msgspec.Struct, frozen=True, rename="camel"):
    asset: str
    amount: Decimal
    time: int
    status: str
    source_account: str = "SPOT"
    amt_from_spot: Decimal | None = None
    amt_from_funding: Decimal | None = None


class _Redeemed(msgspec.Struct, frozen=True, rename="camel"):
    asset: str
    amount: Decimal
    time: int
    status: str
    dest_account: str = "SPOT"


class _Rewarded(msgspec.Struct, frozen=True):
    asset: str
    rewards: Decimal
    time: int
    type: str = "REALTIME"


class _LockedRewarded(msgspec.Struct, frozen=True):
    asset: str
    amount: Decimal
    time: int


class _Income(msgspec.Struct, frozen=True, rename="camel"):
    income_type: str
    income: Decimal
    asset: str
    time: int
    symbol: str = ""
    tran_id: str | int = ""
    trade_id: str | int | None = ""


class _Moved(msgspec.Struct, frozen=True):
    asset: str
    amount: Decimal
    type: Move
    status: str
    timestamp: int


def _deposit(said: _Deposit) -> Item:
    """Read a deposit: 1 is done, 6 credited and not yet free; 0 and 8 are to come."""
    at, is_there = said.insert_time * instant.MS, said.status in {1, 6}
    row = _row(at, _wallet(said.wallet_type), "Deposit", said.coin, said.amount)
    return Item(at=at, rows=(row,) if is_there else (), is_pending=said.status in {0, 8})


def _withdrawal(said: _Withdrawal) -> Item:
    """Read a withdrawal, whose amount leaves the fee out: 6 is done; 0, 2, 4 are under way."""
    at, fee = instant.parse(said.apply_time), said.transaction_fee
    if said.status in {0, 2, 4}:
        is_spot = _wallet(said.wallet_type) is None
        taken = (said.coin, said.amount, fee) if is_spot else None
        return Item(at=at, is_pending=True, taken=taken)
    where = _wallet(said.wallet_type)
    row = _row(at, where, "Withdraw", said.coin, negated(said.amount), fee=fee)
    return Item(at=at, rows=(row,) if said.status == 6 else ())  # noqa: PLR2004 (the venue's)


def _converted(said: _Converted) -> Item:
    at, name = said.create_time * instant.MS, "Binance Convert"
    if said.order_status != "SUCCESS":
        return Item(at=at, is_pending=said.order_status in {"PROCESS", "ACCEPT_SUCCESS"})
    given = _row(at, None, name, said.from_asset, negated(said.from_amount))
    return Item(at=at, rows=(given, _row(at, None, name, said.to_asset, said.to_amount)))


def _dust(said: _Dust) -> Item:
    """Read a sweep; what it brought is net of the charge. Its remarks are those of the exports."""
    at, name = said.operate_time * instant.MS, "Small Assets Exchange BNB"
    rows: list[HistoryRow] = []
    for each in said.user_asset_dribblet_details:
        remark = f"{each.from_asset} to {each.target_asset}"
        gone, come = (
            (each.from_asset, negated(each.amount)),
            (each.target_asset, each.transfered_amount),
        )
        rows += [_row(at, None, name, coin, change, remark=remark) for coin, change in (gone, come)]
    return Item(at=at, rows=tuple(rows))


def _dividend(said: _Dividend) -> Item:
    """Read what was given out, or taken back: the amount has no sign, the direction says which.

    What it is called says whether it was earned, or is a new token.
    """
    at, name = said.div_time * instant.MS, said.en_info
    meaning = operation(name, is_futures=False)
    if meaning.kind not in _GIVEN and meaning.family != RENAMING:
        is_earned = any(word in name.casefold() for word in _EARNED)
        name = "Simple Earn Flexible Rewards" if is_earned else "Distribution"
    change = negated(said.amount) if said.direction < 0 else said.amount
    row = _row(at, None, name, said.asset, change, remark=said.en_info)
    return Item(at=at, rows=(row,))


@money
def _subscribed(said: _Subscribed) -> Item:
    """Read what went into Simple Earn, from the spot wallet, the funding wallet, or both.

    What came from which is told where it was both; of one alone its name may be all that is told.
    """
    at, name = said.time * instant.MS, "Simple Earn Flexible Subscription"
    if said.status not in _DONE:
        return Item(at=at, is_pending=said.status == "PURCHASING")
    spot, funding = said.amt_from_spot or ZERO, said.amt_from_funding or ZERO
    parts: tuple[tuple[str | None, Decimal], ...] = ((None, spot), (FUNDING, funding))
    if spot + funding != said.amount:
        parts = ((pocket(said.source_account), said.amount),)
    left = [_row(at, where, name, said.asset, negated(amount)) for where, amount in parts if amount]
    return Item(at=at, rows=(*left, _row(at, EARN, name, said.asset, said.amount)))


def _redeemed(said: _Redeemed) -> Item:
    at, name = said.time * instant.MS, "Simple Earn Flexible Redemption"
    if said.status not in _DONE:
        return Item(at=at, is_pending=True)
    left = _row(at, EARN, name, said.asset, negated(said.amount))
    return Item(
        at=at, rows=(left, _row(at, pocket(said.dest_account), name, said.asset, said.amount))
    )


def _rewarded(said: _Rewarded) -> Item:
    """Read interest of a flexible product; what accrues each minute stays in it."""
    at, is_inside = said.time * instant.MS, said.type.casefold().startswith("real")
    name = f"Simple Earn Flexible {'Interest' if is_inside else 'Rewards'}"
    return Item(
        at=at, rows=(_row(at, EARN if is_inside else None, name, said.asset, said.rewards),)
    )


def _locked_rewarded(said: _LockedRewarded) -> Item:
    at = said.time * instant.MS
    return Item(
        at=at, rows=(_row(at, None, "Simple Earn Locked Rewards", said.asset, said.amount),)
    )


def _moved(said: _Moved) -> Item:
    """Read a move from one wallet to another."""
    at = said.timestamp * instant.MS
    if said.status != "CONFIRMED":
        return Item(at=at, is_pending=said.status == "PENDING")
    given, _, taken = said.type.partition("_")
    (here, one), (there, other) = _WALLETS[given], _WALLETS[taken]
    name = f"Transfer Between {one} and {other}"
    left = _row(at, here, name, said.asset, negated(said.amount))
    return Item(at=at, rows=(left, _row(at, there, name, said.asset, said.amount)))


def _income(said: _Income) -> Item:
    """Read what went in or out of the futures wallet. Ids are texts or numbers."""
    at, trade, meaning = said.time * instant.MS, str(said.trade_id or ""), income(said.income_type)
    row = HistoryRow(
        executed_at=at,
        pocket=FUTURES,
        operation=said.income_type,
        meaning=meaning,
        code=said.asset,
        change=said.income,
        symbol=said.symbol,
        reference=str(said.tran_id),
        trade=trade if trade.isdecimal() and said.symbol else "",
    )
    return Item(at=at, rows=(row,))


Read = Callable[[object], Item]


def _reader(name: str, kind: type[_T], make: Callable[[_T], Item]) -> Read:
    def read(said: object) -> Item:
        try:
            return make(record.read(NAME, name, kind, said))
        except Malformed as error:
            raise VenueGarbled(f"{NAME}'s {name}: {error.message}", answer=name) from None

    return read


READERS: Final[Mapping[str, Read]] = {
    "deposits": _reader("deposits", _Deposit, _deposit),
    "withdrawals": _reader("withdrawals", _Withdrawal, _withdrawal),
    "conversions": _reader("conversions", _Converted, _converted),
    "dust": _reader("dust", _Dust, _dust),
    "dividends": _reader("dividends", _Dividend, _dividend),
    "subscriptions": _reader("subscriptions", _Subscribed, _subscribed),
    "redemptions": _reader("redemptions", _Redeemed, _redeemed),
    "rewards": _reader("rewards", _Rewarded, _rewarded),
    "locked rewards": _reader("locked rewards", _LockedRewarded, _locked_rewarded),
    "transfers": _reader("transfers", _Moved, _moved),
    "income": _reader("income", _Income, _income),
}


def _row(  # noqa: PLR0913 (what a row of the history says)
    at: int,
    where: str | None,
    name: str,
    code: str,
    change: Decimal,
    *,
    fee: Decimal = ZERO,
    remark: str = "",
) -> HistoryRow:
    return HistoryRow(
        executed_at=at,
        pocket=where,
        operation=name,
        meaning=operation(name, is_futures=is_futures(where)),
        code=code,
        change=change,
        fee=fee,
        remark=remark,
    )


def _wallet(number: int) -> str | None:
    return FUNDING if number == 1 else None
