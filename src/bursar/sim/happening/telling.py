"""How a venue tells what happened: the same fact as ledger rows, events, trades, or claims.

Every function takes a fact as it truly is, with its values, and returns the statements that a venue
makes of it. No statement has a value in base currency: that is bursar's to find.
"""

from decimal import Decimal
from random import Random
from typing import TypeVar

import msgspec

from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    Flag,
    Leg,
    Movement,
    MovementKind,
    Side,
    Source,
)
from bursar.ledger.instant import SECOND
from bursar.sim.chance import hits
from bursar.sim.happening.ground import ZERO

Balances = dict[str, Decimal] | None
_F = TypeVar("_F", Fill, CashFlow)


class Telling(msgspec.Struct, frozen=True):
    """The statements of a fill, and the fact as they leave it: its flags, and what none states."""

    fact: Fill
    entries: tuple[AnyEntry, ...]


def bare(fact: _F) -> _F:
    """Return a fact without what only the truth knows: values and flags."""
    fees = tuple(Fee(fee.asset, fee.amount) for fee in fact.fees)
    return msgspec.structs.replace(fact, fees=fees, value=None, flags=())


def conversion(fact: Conversion) -> Conversion:
    """Return a conversion without its values."""
    given = tuple(Leg(leg.asset, leg.quantity) for leg in fact.given)
    taken = tuple(Leg(leg.asset, leg.quantity) for leg in fact.taken)
    return msgspec.structs.replace(fact, given=given, taken=taken)


def fill_as_rows(fill: Fill, chance: Random, balances: Balances) -> Telling:
    """Tell a fill as the two rows of a venue's ledger, now and then with the trades file's row."""
    sign = 1 if fill.side is Side.BUY else -1
    legs = ((fill.base, sign * fill.quantity), (fill.quote, -sign * (fill.amount or ZERO)))
    fees = {fee.asset: fee.amount for fee in fill.fees}
    rows = tuple(
        Movement(
            id=f"{fill.id}/{asset}",
            executed_at=fill.executed_at,
            account=fill.account,
            source=Source.LEDGER,
            sequence=fill.sequence + place,
            group=fill.id,
            kind=MovementKind.TRADE,
            asset=asset,
            amount=amount,
            fee=fees.get(asset, ZERO),
            balance=None if balances is None else balances[asset],
            rates=fill.rates,
        )
        for place, (asset, amount) in enumerate(legs)
    )
    if fill.strategy is None and hits(chance, 0.7):
        return Telling(msgspec.structs.replace(fill, lots=()), rows)
    trade = msgspec.structs.replace(
        bare(fill),
        source=Source.TRADES,
        rows=tuple(row.id for row in rows),
        amount=(fill.amount or ZERO) + Decimal("0.01"),  # the ledger knows better
        fees=(),
    )
    return Telling(fill, (*rows, trade))


def fill_as_events(fill: Fill, chance: Random) -> Telling:
    """Tell a fill by events, by trades, or by both, now and then after somebody's claims."""
    whole = msgspec.structs.replace(bare(fill), source=Source.EVENT)
    second = fill.executed_at - fill.executed_at % SECOND
    coarse = msgspec.structs.replace(whole, executed_at=second, fees=(), rates=())
    trade = msgspec.structs.replace(whole, source=Source.TRADES)
    provisional = msgspec.structs.replace(fill, flags=(Flag.PROVISIONAL,))
    match chance.choice(("event", "event", "finer", "trade", "both", "claims")):
        case "event":
            return Telling(fill, (whole,))
        case "finer":
            return Telling(fill, (coarse, whole))
        case "trade":
            return Telling(provisional, (trade,))
        case "both":
            return Telling(provisional, (coarse, trade))
        case _:
            disputed = msgspec.structs.replace(fill, flags=(Flag.CONFLICTED,))
            return Telling(disputed, (*_claims(whole), whole))


def _claims(whole: Fill) -> tuple[Fill, ...]:
    """Tell what somebody believes, twice and differently; a better source overrules both."""
    return tuple(
        msgspec.structs.replace(
            whole, source=Source.CLAIM, quantity=whole.quantity * times, strategy=None, lots=()
        )
        for times in (2, 3)
    )


def flow_as_row(flow: CashFlow, balances: Balances, group: str | None = None) -> Movement:
    """Tell a flow as one row of a venue's ledger."""
    return Movement(
        id=flow.id,
        executed_at=flow.executed_at,
        account=flow.account,
        source=Source.LEDGER,
        sequence=flow.sequence,
        group=group,
        kind=MovementKind(flow.kind.value),
        asset=flow.asset,
        amount=flow.amount,
        fee=sum((fee.amount for fee in flow.fees), ZERO),
        balance=None if balances is None else balances[flow.asset],
        rates=flow.rates,
    )
