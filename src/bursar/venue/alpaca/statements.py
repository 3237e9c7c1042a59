"""Alpaca's activities: what each row states, from that row alone, so files may be cut anywhere.

An execution is a `Fill`. Other rows are a `Movement` for each thing they moved; those of a
corporate action are tied to one another by group, so that the ledger pairs them. A journal is a
transfer whose other end is unknown, unless its words say that it is a gift. A row that was
canceled moved nothing, and one that was corrected what it says now, whatever the same row has
stated before or states later.

A row that states a day and no time counts at the day's beginning if it brings something, at its
end if it takes units away: a fee in coins is told by the day, and the coins must be there by then.
Shares and contracts go by the trading day, which ends where the next one's corporate actions begin.
Units that come in do so just after what a corporate action of their day does to those before.

Errors: none; rows are read already.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money, product18, unsigned
from bursar.ledger import instant
from bursar.ledger.actions import ADD, REMOVE
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Fill,
    FlowKind,
    Movement,
    MovementKind,
    Rate,
    Side,
    Source,
)
from bursar.venue.alpaca import days
from bursar.venue.alpaca.kinds import FILL, WORTHLESS, Booked, Kind, Moves, kind
from bursar.venue.alpaca.rows import Row
from bursar.venue.alpaca.symbols import SHARES, Instrument, coin, instrument, is_option

ACCOUNT: Final = "alpaca:main"
CANCELED: Final = "canceled"
CORRECTED: Final = "correct"
PENDING: Final = "pending"
SIDES: Final = {
    "buy": Side.BUY,
    "buy_minus": Side.BUY,
    "buy_to_cover": Side.BUY,
    "buy_to_open": Side.BUY,
    "buy_to_close": Side.BUY,
    "sell": Side.SELL,
    "sell_plus": Side.SELL,
    "sell_short": Side.SELL,
    "sell_short_exempt": Side.SELL,
    "sell_to_open": Side.SELL,
    "sell_to_close": Side.SELL,
}
_SPEAKS: Final = {
    "": Source.LEDGER,
    CORRECTED: Source.CORRECTION,
    CANCELED: Source.CANCELLATION,
}
_UNKNOWN: Final = MovementKind.UNCLASSIFIED
_STRAY: Final = "/cash"
_OF_COINS: Final = frozenset({"CFEE", "OCT"})
OPENS_SHORT: Final = frozenset({"sell_short", "sell_short_exempt", "sell_to_open"})
_BILLION: Final = 10**9
_SEQUENCE_MAX: Final = 2**62
_PAIRED: Final = frozenset({MovementKind.SPLIT, MovementKind.RENAME})
_AT_THE_START: Final = _PAIRED | {MovementKind.CONVERSION}
_GIFT: Final = re.compile(
    r"\b(?:promo|promotion|promotional|bonus|reward|referral)\b", re.IGNORECASE
)
_ROLE: Final = re.compile(rf"({REMOVE}|{ADD})\b", re.IGNORECASE)


class Leg(msgspec.Struct, frozen=True):
    """One thing that a row moved, signed, and what tells its id from the row's."""

    asset: str
    amount: Decimal
    suffix: str = ""
    rates: tuple[Rate, ...] = ()


@money
def statements(row: Row, *, account: str = ACCOUNT) -> tuple[AnyEntry, ...]:
    """Return what a row states."""
    source = _SPEAKS.get(row.status, Source.LEDGER)
    stated = _stated(row, account)
    if source is Source.LEDGER:
        return tuple(stated)
    return tuple(msgspec.structs.replace(each, source=source) for each in stated)


def _stated(row: Row, account: str) -> Iterable[AnyEntry]:
    if row.type == FILL:
        return [_execution(row, account)]
    booked, moves = kind(row.type, row.sub_type)
    if row.status not in _SPEAKS:
        return [_movement(row, account, leg, _UNKNOWN, 1) for leg in _legs(row, moves)]
    if moves is Moves.TRADE and row.symbol and row.quantity and row.quantity * row.amount <= 0:
        return [_settled(row, account)]
    legs = _legs(row, moves)
    if booked is Kind.JOURNAL:
        if not _GIFT.search(row.description):
            return [_journal(row, account, leg) for leg in legs]
        booked = MovementKind.REWARD
    return [_movement(row, account, leg, _kind(booked, leg), len(legs)) for leg in legs]


def _execution(row: Row, account: str) -> Fill:
    of, price = instrument(row.symbol), row.price
    if price is not None and is_option(row.symbol):
        price = product18(price, SHARES)
    return _fill(row, account, of, SIDES[row.side], price=price, order_id=row.order_id)


def _settled(row: Row, account: str) -> Fill:
    """Return what ended: a contract or worthless shares at nothing, others at what was paid."""
    of = Instrument(row.symbol)
    side = Side.BUY if row.quantity > 0 else Side.SELL
    is_worthless = is_option(row.symbol) or row.sub_type == WORTHLESS
    if not row.amount and row.price and not is_worthless:
        return _fill(row, account, of, side, price=row.price)
    return _fill(row, account, of, side, amount=unsigned(row.amount))


def _fill(  # noqa: PLR0913 (what an execution and a settlement do not share)
    row: Row,
    account: str,
    of: Instrument,
    side: Side,
    *,
    amount: Decimal | None = None,
    price: Decimal | None = None,
    order_id: str | None = None,
) -> Fill:
    quote = of.quote or row.currency
    return Fill(
        id=f"{account}:{row.id}",
        account=account,
        source=Source.LEDGER,
        executed_at=row.at if row.type == FILL else _when(row, days.closes),
        sequence=min(int(row.filled * _BILLION), _SEQUENCE_MAX),
        note=row.description or None,
        pair=f"{of.asset}/{quote}",
        base=of.asset,
        quote=quote,
        side=side,
        quantity=unsigned(row.quantity),
        amount=amount,
        price=price,
        order_id=order_id,
        # Nothing is worth nothing in every currency, so it needs no rate.
        value=ZERO if amount == ZERO else None,
    )


def _legs(row: Row, moves: Moves) -> list[Leg]:
    cash = Leg(row.currency, row.amount)
    if not row.symbol or not row.quantity or moves is Moves.CASH:
        return [cash]
    if moves is Moves.PAID and row.per_share is not None:
        return [cash]
    units = _units(row)
    if moves is Moves.UNITS:
        stray = Leg(row.currency, row.amount, _STRAY)
        return [units, stray] if row.amount else [units]
    if moves in {Moves.EITHER, Moves.PAID}:
        return [cash if row.amount else units]
    if row.per_share is not None or row.quantity * row.amount > 0:
        return [cash]
    return [cash, msgspec.structs.replace(units, suffix="/units")] if row.amount else [units]


def _units(row: Row) -> Leg:
    of = coin(row.symbol) if row.type in _OF_COINS else instrument(row.symbol)
    quote = of.quote or row.currency
    price = product18(row.price, SHARES) if row.price and is_option(row.symbol) else row.price
    rates = (Rate(of.asset, quote, price, "alpaca", row.at),) if price else ()
    return Leg(of.asset, row.quantity, "", rates)


def _kind(booked: Booked, leg: Leg) -> MovementKind:
    if leg.suffix == _STRAY:
        return _UNKNOWN
    if isinstance(booked, MovementKind):
        return booked
    return MovementKind.DEPOSIT if leg.amount > 0 else MovementKind.WITHDRAWAL


def _movement(row: Row, account: str, leg: Leg, what: MovementKind, legs: int) -> Movement:
    role = _ROLE.match(row.description) if what in _PAIRED else None
    words = [role.group(1).upper()] if role else [row.status] if what is _UNKNOWN else []
    return Movement(
        id=f"{account}:{row.id}{leg.suffix}",
        group=_group(row, account, leg, what, legs),
        account=account,
        source=Source.LEDGER,
        executed_at=_moved_at(row, leg, what),
        note=row.description or None,
        kind=what,
        asset=leg.asset,
        amount=leg.amount,
        label="/".join(word for word in (row.type, *words) if word),
        rates=leg.rates,
    )


def _journal(row: Row, account: str, leg: Leg) -> CashFlow:
    return CashFlow(
        id=f"{account}:{row.id}{leg.suffix}",
        account=account,
        source=Source.LEDGER,
        executed_at=_moved_at(row, leg, None),
        note=row.description or row.type,
        kind=FlowKind.TRANSFER,
        asset=leg.asset,
        amount=leg.amount,
        rates=leg.rates,
    )


def _group(row: Row, account: str, leg: Leg, what: MovementKind, legs: int) -> str | None:
    """Return what ties a row of a corporate action to its others.

    The rows of a split or a new name come under ids of their own, so day and asset tie them, and
    the ledger finds the pair. An exchange has a group's id, or is whole, or is tied by its day.
    """
    day = instant.day(row.at)
    match what:
        case MovementKind.SPLIT:
            return f"{account}:split:{day}:{leg.asset}"
        case MovementKind.RENAME:
            return f"{account}:rename:{day}"
        case MovementKind.CONVERSION if legs > 1:
            return f"{account}:{row.id}/exchange"
        case MovementKind.CONVERSION:
            return f"{account}:{row.group_id or f'exchange:{day}'}"
        case _:
            return None


def _moved_at(row: Row, leg: Leg, what: MovementKind | None) -> int:
    if what in _AT_THE_START:
        return _when(row, days.starts)
    if leg.asset == row.currency:
        return row.at
    if leg.amount > 0:
        return _when(row, _after_actions)
    is_coin = row.type in _OF_COINS or instrument(row.symbol).quote is not None
    return _when(row, days.ends if is_coin else days.closes)


def _after_actions(day: int) -> int:
    """Return when units come in: just after a split of their day, so that it is not theirs too."""
    return max(day, days.starts(day)) + 1


def _when(row: Row, edge: Callable[[int], int]) -> int:
    """Return the edge of a row's day; a row that states a time has it already."""
    return row.at if row.at % instant.DAY else edge(row.at)
