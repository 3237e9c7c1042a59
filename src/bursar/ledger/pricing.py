"""Pricing: each fact's worth in base currency, found once and written into it.

A rate comes only from what does not depend on the order of arrival: the fact's own legs, a rate
stated in it, or a recorded `Price` of the asset at or before the fact, at most a day old (the
latest; of equal times the one whose id sorts first). Otherwise the fact is `unpriced`: its value
stays `None`, the book takes it as nothing, and every figure that rests on it is marked until a
price arrives.

One value serves both legs of a trade: quote amount × quote rate, or where that is unknown base
amount × base rate. Each value is rounded once, half-even, to 18 decimals. Base currency and its
pegs are worth their face; against each other, the base currency's side decides.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

import msgspec

from bursar.exact import ONE, ZERO, money, product18, ratio18, split
from bursar.ledger.entries import (
    CAPITAL,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    Flag,
    Leg,
    MarginFill,
    Transfer,
)
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.notes import parts_of
from bursar.ledger.prices import Prices

_F = TypeVar("_F", Fill, CashFlow, Conversion, MarginFill, Transfer)


@money
def priced(fact: Fact, prices: Prices) -> Fact:
    """Return the fact with every value it has in base currency, or marked `unpriced`."""
    return priced_within(fact, prices)


def priced_within(fact: Fact, prices: Prices) -> Fact:
    """Do what `priced` does, inside the money context."""
    match fact:
        case Fill():
            return _fill(fact, prices)
        case CashFlow():
            return _flow(fact, prices)
        case Conversion():
            return _conversion(fact, prices)
        case MarginFill():
            return _margin(fact, prices)
        case Transfer():
            fees, to_fees = _fees(fact.fees, fact, prices), _fees(fact.to_fees, fact, prices)
            moved = msgspec.structs.replace(fact, fees=fees, to_fees=to_fees)
            return _noted(moved, (*fees, *to_fees))
        case _:
            return fact


def lacks_price(fact: Fact, prices: Prices) -> bool:
    """Tell whether a fact, as it was told, has a value that these prices do not give it.

    Capital that leaves, or comes with a basis, is one too: its books are whole without its worth,
    but what was made beside it is not known.
    """
    told = priced_within(fact, prices)
    return Flag.UNPRICED in told.flags or (isinstance(told, CashFlow) and told.value is None)


def rests_on_prices(fact: Fact, cash: frozenset[str]) -> bool:
    """Tell whether a recorded price may decide a value of a fact, as it was told.

    None does where money was exchanged, or where all that it names is money.
    """
    if isinstance(fact, Fill) and (fact.quote in cash or fact.base in cash):
        return not cash.issuperset([fee.asset for fee in fact.fees])
    return not cash.issuperset(_assets(fact))


def wanted(fact: Fact, cash: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the assets, by canonical name, whose recorded price may decide the fact's value.

    Of those that `cash` names none is needed.
    """
    return _beside(tuple(_assets(fact)), cash)


@lru_cache(maxsize=4096)
def _beside(assets: tuple[str, ...], cash: frozenset[str]) -> frozenset[str]:
    return frozenset(map(canonical, assets)) - cash


def _assets(fact: Fact) -> Iterable[str]:
    match fact:
        case Fill():
            return (fact.base, fact.quote, *[fee.asset for fee in fact.fees])
        case CashFlow():
            return (fact.asset, *(fee.asset for fee in fact.fees))
        case Conversion():
            legs = (leg.asset for leg in (*fact.given, *fact.taken))
            return (*legs, *(fee.asset for fee in fact.fees))
        case MarginFill():
            return (fact.quote, *(fee.asset for fee in fact.fees))
        case Transfer():
            return (fee.asset for fee in (*fact.fees, *fact.to_fees))
        case _:
            return ()


def _fill(fill: Fill, prices: Prices) -> Fill:
    amount = fill.amount
    if amount is None and fill.price is not None:
        amount = product18(fill.quantity, fill.price)
    value = fill.value
    if value is None and amount is not None:
        value = _trade_value(fill, amount, prices)
    fees, cash = fill.fees, prices.cash
    if fees:
        fees = tuple(
            [
                fee
                if fee.value is not None
                else Fee(fee.asset, fee.amount, fee.amount)
                if fee.asset in cash
                else _own_leg(fee, fill, amount, value, prices)
                for fee in fees
            ]
        )
    result = msgspec.structs.replace(fill, amount=amount or ZERO, value=value, fees=fees)
    return _noted(result, fees, value)


def _trade_value(fill: Fill, amount: Decimal, prices: Prices) -> Decimal | None:
    base, cash = prices.base, prices.cash
    if fill.quote == base:
        return amount
    if fill.base == base:
        return fill.quantity
    if fill.quote in cash:
        return amount
    if fill.base in cash:
        return fill.quantity
    rate = _rate(fill.quote, fill, prices)
    if rate is not None:
        return product18(amount, rate)
    rate = _rate(fill.base, fill, prices)
    return None if rate is None else product18(fill.quantity, rate)


def _own_leg(
    fee: Fee, fill: Fill, amount: Decimal | None, value: Decimal | None, prices: Prices
) -> Fee:
    if value is not None:
        if fee.asset == fill.base and fill.quantity:
            return Fee(fee.asset, fee.amount, ratio18(value, fee.amount, fill.quantity))
        if fee.asset == fill.quote and amount:
            return Fee(fee.asset, fee.amount, ratio18(value, fee.amount, amount))
    return _fee(fee, fill, prices)


def _flow(flow: CashFlow, prices: Prices) -> CashFlow:
    value = flow.value
    if value is None:
        value = _worth(flow.asset, flow.amount, flow, prices)
    stated = parts_of(flow, flow.fees, prices.cash)
    fees = tuple(_commission(fee, flow, value, prices) for fee in stated)
    return _noted(msgspec.structs.replace(flow, value=value, fees=fees), fees, _needed(flow, value))


def _commission(fee: Fee, flow: CashFlow, value: Decimal | None, prices: Prices) -> Fee:
    """Price a fee kept back from the coins that came by what those were worth."""
    same = fee.asset == flow.asset and flow.asset not in prices.cash and flow.amount > 0
    if fee.value is None and same and value is not None:
        return Fee(fee.asset, fee.amount, ratio18(value, fee.amount, flow.amount))
    return _fee(fee, flow, prices)


def _needed(flow: CashFlow, value: Decimal | None) -> Decimal | None:
    """Return the value the books need: none for capital that leaves, or comes with a basis."""
    if flow.kind in CAPITAL and (flow.amount < 0 or flow.basis is not None):
        return ZERO
    return value


def _conversion(fact: Conversion, prices: Prices) -> Conversion:
    given = [_leg(leg, fact, prices) for leg in fact.given]
    taken = [_leg(leg, fact, prices) for leg in fact.taken]
    total = _exchanged(given, taken, prices)
    flags = fact.flags
    if total is not None:
        if _guessed(given) or _guessed(taken):
            flags = (*flags, Flag.ASSUMED_SPLIT)
        given, taken = _shared(given, total, prices), _shared(taken, total, prices)
    else:
        given, taken = _unpriced(fact.given), _unpriced(fact.taken)
    fees = tuple(_fee(fee, fact, prices) for fee in fact.fees)
    legs = {"given": tuple(given), "taken": tuple(taken), "fees": fees, "flags": flags}
    return _noted(msgspec.structs.replace(fact, **legs), fees, total)


def _exchanged(given: Sequence[Leg], taken: Sequence[Leg], prices: Prices) -> Decimal | None:
    """Return what was exchanged: the side that is all money decides, else one that is all known.

    What is worth less than the money on the other side says nothing of the rest of that side. It
    is known there only if there is no rest.
    """
    money = [side for side in (taken, given) if all(leg.asset in prices.cash for leg in side)]
    least = max(_face(taken, prices), _face(given, prices))
    for side in (*money, taken, given):
        values = [leg.value for leg in side if leg.value is not None]
        worth = sum(values, ZERO)
        if len(values) == len(side) and (side in money or worth >= least):
            return max(worth, least)
    return None


def _face(legs: Iterable[Leg], prices: Prices) -> Decimal:
    return sum((leg.quantity for leg in legs if leg.asset in prices.cash), ZERO)


def _guessed(legs: Sequence[Leg]) -> bool:
    return len(legs) > 1 and any(leg.value is None for leg in legs)


def _shared(legs: Sequence[Leg], total: Decimal, prices: Prices) -> list[Leg]:
    """Split `total` over legs: money at face, the rest by worth, or evenly if one is unknown."""
    coins = [leg for leg in legs if leg.asset not in prices.cash] or list(legs)
    face = _face(legs, prices) if len(coins) < len(legs) else ZERO
    weights = [leg.value for leg in coins if leg.value is not None]
    if len(weights) < len(coins) or not any(weights):
        weights = [ONE] * len(coins)
    parts = iter(split(max(total - face, ZERO), weights, places=18))
    own = {leg.asset for leg in coins}
    return [
        Leg(leg.asset, leg.quantity, next(parts) if leg.asset in own else leg.quantity)
        for leg in legs
    ]


def _unpriced(legs: Iterable[Leg]) -> list[Leg]:
    """Take every worth away: one that is stated of some legs alone would leave the books open."""
    return [Leg(leg.asset, leg.quantity) for leg in legs]


def _leg(leg: Leg, fact: Fact, prices: Prices) -> Leg:
    if leg.value is not None:
        return leg
    return Leg(leg.asset, leg.quantity, _worth(leg.asset, leg.quantity, fact, prices))


def _margin(fact: MarginFill, prices: Prices) -> MarginFill:
    rate = fact.quote_rate
    if rate is None:
        rate = _rate(fact.quote, fact, prices)
    fees = tuple(_own_coin(fee, fact, rate, prices) for fee in fact.fees)
    unknown = fact.quantity is not None and fact.price is None
    known = None if unknown else rate
    return _noted(msgspec.structs.replace(fact, quote_rate=rate, fees=fees), fees, known)


def _own_coin(fee: Fee, fact: MarginFill, rate: Decimal | None, prices: Prices) -> Fee:
    """Price a fee in the coin that was traded by the trade's own price."""
    is_own = fee.asset == fact.base and fee.asset not in prices.cash and fact.price
    if fee.value is not None or rate is None or not is_own:
        return _fee(fee, fact, prices)
    return Fee(fee.asset, fee.amount, product18(fee.amount, (fact.price or ZERO) * rate))


def _fees(fees: Sequence[Fee], fact: Fact, prices: Prices) -> tuple[Fee, ...]:
    return tuple(_fee(fee, fact, prices) for fee in fees)


def _fee(fee: Fee, fact: Fact, prices: Prices) -> Fee:
    if fee.value is not None:
        return fee
    return Fee(fee.asset, fee.amount, _worth(fee.asset, fee.amount, fact, prices))


def _worth(asset: str, amount: Decimal, fact: Fact, prices: Prices) -> Decimal | None:
    if asset in prices.cash:
        return amount
    rate = _rate(asset, fact, prices)
    return None if rate is None else product18(amount, rate)


def _rate(asset: str, fact: Fact, prices: Prices) -> Decimal | None:
    """Return the base worth of a unit under any name: stated in the fact, else recorded."""
    if asset in prices.cash:
        return ONE
    for rate in getattr(fact, "rates", ()):
        if canonical(rate.asset) != canonical(asset):
            continue
        if rate.quote in prices.cash or not rate.value:
            stated: Decimal = rate.value
            return stated
    recorded = prices.at(asset, fact.executed_at)
    return None if recorded is None else recorded.value


def _noted(fact: _F, fees: Sequence[Fee], value: Decimal | None = ZERO) -> _F:
    """Mark a fact that lacks a value it needs."""
    if value is not None and None not in [fee.value for fee in fees]:
        return fact
    return msgspec.structs.replace(fact, flags=(*fact.flags, Flag.UNPRICED))
