"""Trades: orders filled in one part or several, with every kind of fee, and dust swept.

Errors: none.
"""

from decimal import Decimal
from fractions import Fraction

import msgspec

from bursar.ledger.entries import Conversion, Fee, Fill, Leg, Side
from bursar.sim.happening import telling
from bursar.sim.happening.ground import CASH, COINS, ONE, ZERO, Ground, Place, atoms, cut, worth

_PARTS = (1, 1, 1, 2, 3)


def buy(ground: Ground, place: Place) -> None:
    """Let an order to buy be filled."""
    _trade(ground, place, Side.BUY)


def sell(ground: Ground, place: Place) -> None:
    """Let an order to sell be filled."""
    _trade(ground, place, Side.SELL)


def convert(ground: Ground, place: Place) -> None:
    """Let dust be swept: a coin for money, outside the market."""
    coin = ground.chance.choice(COINS)
    units = min(ground.units(), ground.has(place.account, coin))
    money = cut(units * ground.rate(coin), 2)
    if place.has_rows or units <= 0 or money <= 0:
        return
    fact = Conversion(
        id=ground.name("k", place.account),
        executed_at=ground.at,
        account=place.account,
        given=(Leg(coin, units, money),),
        taken=(Leg("USD", money, money),),
    )
    ground.move(place.account, coin, -units)
    ground.move(place.account, "USD", money)
    ground.truth[fact.id] = fact
    ground.tell(place.account, telling.conversion(fact))


def _trade(ground: Ground, place: Place, side: Side) -> None:
    chance = ground.chance
    base = chance.choice(COINS)
    quote = chance.choice(("USD", "USD", "USD", "USDT", "EUR", "XBT"))
    order = Fill(
        id=ground.name("o", place.account),
        executed_at=ground.at,
        account=place.account,
        base=base,
        quote="USD" if base == quote else quote,
        side=side,
        quantity=ZERO,
        strategy=chance.choice((None, None, "trend", "grid")),
    )
    for part in range(chance.choice(_PARTS)):
        _part(ground, place, order, part * 2)  # a row for each leg


def _part(ground: Ground, place: Place, order: Fill, sequence: int) -> None:
    """Fill a part of an order, all parts at one instant; nothing where it cannot be paid."""
    base, quote, account = order.base, order.quote, place.account
    units, is_sale = ground.units(), order.side is Side.SELL
    if is_sale and not ground.may_owe(place):
        units = min(units, ground.has(account, base))
    rates = {asset: ground.rate(asset) for asset in (base, quote, "BNB")}
    amount = cut(units * rates[base] / rates[quote], 8)
    must_have = not is_sale and quote not in CASH and not ground.may_owe(place)
    if units <= 0 or amount <= 0 or (must_have and ground.has(account, quote) < amount):
        return
    bare = msgspec.structs.replace(
        order,
        id=ground.name("f", account),
        order_id=order.id,
        sequence=sequence,
        quantity=units,
        amount=amount,
        lots=tuple(ground.fills[-2:]),
        rates=ground.stated({asset: rates[asset] for asset in rates if asset != base}),
    )
    fill = _valued(msgspec.structs.replace(bare, fees=_fees(ground, place, bare)), rates)
    ground.fills.append(fill.id)
    _happens(ground, place, fill)


def _fees(ground: Ground, place: Place, fill: Fill) -> tuple[Fee, ...]:
    """Charge in the quote, the base or a third coin, or give back; only what is there."""
    amount = fill.amount or ZERO
    kinds = ("none", "quote", "quote", "base", "rebate")
    kind = ground.chance.choice(kinds if place.has_rows else (*kinds, "third"))
    match kind:
        case "none":
            return ()
        case "rebate":
            fee = Fee(fill.quote, -cut(amount / 400, 8))
        case "third":
            fee = Fee("BNB", Decimal("0.00012345"))
        case "base":
            fee = Fee(fill.base, cut(fill.quantity / 400, 8))
        case _:
            fee = Fee(fill.quote, cut(amount / 400, 8))
    came, went = (fill.base, fill.quote) if fill.side is Side.BUY else (fill.quote, fill.base)
    given = amount if fill.side is Side.BUY else fill.quantity
    free = ground.has(place.account, fee.asset) - (given if fee.asset == went else ZERO)
    is_there = fee.asset in CASH or fee.asset == came or free >= fee.amount
    return (fee,) if fee.amount and (is_there or ground.may_owe(place)) else ()


def _happens(ground: Ground, place: Place, fill: Fill) -> None:
    sign = 1 if fill.side is Side.BUY else -1
    ground.move(place.account, fill.base, sign * fill.quantity)
    ground.move(place.account, fill.quote, -sign * (fill.amount or ZERO))
    for fee in fill.fees:
        ground.move(place.account, fee.asset, -fee.amount)
    if place.has_rows:
        told = telling.fill_as_rows(fill, ground.chance, ground.balances(place))
    else:
        told = telling.fill_as_events(fill, ground.chance)
    ground.truth[fill.id] = told.fact
    ground.tell(place.account, *told.entries)
    if fill.strategy is None:
        ground.untagged.append((fill.id, place.account))


def _valued(fill: Fill, rates: dict[str, Decimal]) -> Fill:
    """Work out what a fill and its fees were worth."""
    amount = fill.amount or ZERO
    value = amount if fill.quote in CASH else worth(amount, rates[fill.quote])
    legs = {fill.base: fill.quantity, fill.quote: amount}
    fees = []
    for fee in fill.fees:
        if fee.asset in legs and fee.asset not in CASH:
            own = atoms(Fraction(value) * Fraction(fee.amount) / Fraction(legs[fee.asset]))
        else:
            own = worth(fee.amount, rates.get(fee.asset, ONE))
        fees.append(Fee(fee.asset, fee.amount, own))
    return msgspec.structs.replace(fill, value=value, fees=tuple(fees))
