"""From inputs to lines: one pass over the symbols, then two orderings.

1. Worth and gap of every symbol: target weight × portfolio value − quantity × price.
2. What holds: on target, inside its bands, too small, above a target in a plan of buys only.
3. Sales, each cut to its steps and to what is free.
4. Funds: free cash + what the sales bring − their fees − the reserve. Purchases that come to more
   are scaled down together; what rounding then leaves is given to the largest remainders.
5. Order: sales before purchases, larger before smaller, then by symbol.

The objective of step 4 is the least Σ|residual|. While nothing is rounded, every division of the
funds leaves the same Σ|residual|, since each unit of money that is spent closes a unit of gap; in
proportion to the gaps is the one that favours no symbol. Rounding then leaves at most what no
remaining purchase can use.

Invariants: no purchase is paid with money that is not there yet, at any point of the order; no sale
exceeds what is free; Σ (value + trade) + cash after + fees = value of all before, exactly.

Errors: `MissingMark` for a symbol that has no price, `BadChoice` for a portfolio worth less than 0.
"""

from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import FRACTION_DIGITS, ONE, ZERO, divide, money, quotient18
from bursar.plan.allocation import Constraints
from bursar.plan.holdings import require_prices
from bursar.plan.inputs import Inputs
from bursar.plan.items import Coverage, Derivation, PlanItem, Proof, Search, Totals
from bursar.plan.leg import Leg, size_purchase, size_sale, sized, too_small
from bursar.plan.policy import RoundingMode, SizingPolicy
from bursar.plan.reasons import Action, Reason
from bursar.plan.whole import choose

_BUY, _SELL = Action.BUY, Action.SELL
_AMOUNT: Final = attrgetter("amount")


@money
def derive(inputs: Inputs) -> Derivation:
    """Work out every line of a plan."""
    holdings = inputs.holdings
    legs, worth = _weighed(inputs)
    given = inputs.allocation.portfolio_value
    base = worth if given is None else given
    if base < ZERO:
        raise BadChoice(f"the portfolio is worth {base}, less than nothing", value=base)
    policy = inputs.policy.settled(holdings.base, base)
    inputs = msgspec.structs.replace(inputs, policy=policy)
    limits = inputs.allocation.constraints
    reserve = limits.reserve + limits.reserve_weight * base
    if limits.caps or limits.cap is not None:
        _cap(legs, limits, base)
    sales, purchases = _sorted_out(legs, base, inputs)
    search: Search | None = None
    if policy.rounding is RoundingMode.OPTIMAL:
        search = _searched(sales, purchases, holdings.spendable - reserve, policy)
    else:
        for leg in sales:
            size_sale(leg, policy)
        _spend(purchases, _funds(sales, holdings.spendable - reserve, policy), policy)
    items = _lines(legs, base, policy.fee_rate)
    totals = _totals(items, worth=worth, cash=holdings.cash, reserve=reserve, base=base)
    if search is not None:
        searched = {leg.symbol for leg in (*sales, *purchases) if not leg.is_closing}
        search = _with_others(search, items, searched)
    coverage = Coverage(len(legs), len(legs), tuple(holdings.gaps))
    return Derivation(base, items, totals, coverage, search)


def _weighed(inputs: Inputs) -> tuple[list[Leg], Decimal]:
    """Return a leg for every symbol, by name, with its value; and what all is worth, with cash.

    Targets wait for the sum: `_sorted_out` sets them.
    """
    held, targets = inputs.holdings.positions, inputs.allocation.target_weights
    prices = inputs.holdings.prices
    symbols = sorted(held.keys() | targets.keys())
    if inputs.holdings.base in targets:
        raise BadChoice(
            f"target_weights.{inputs.holdings.base}: cash is what the other weights leave",
            symbol=inputs.holdings.base,
        )
    require_prices(prices, symbols)
    legs: list[Leg] = []
    worth = inputs.holdings.cash
    for symbol in symbols:
        quantity, price = held.get(symbol, ZERO), prices[symbol]
        value = quantity * price
        worth += value
        legs.append(Leg(symbol, quantity, price, value, targets.get(symbol, ZERO), ZERO, ZERO))
    return legs, worth


def _cap(legs: Sequence[Leg], limits: Constraints, base: Decimal) -> None:
    """Lower weights that are above what one symbol may be."""
    for leg in legs:
        cap = limits.caps.get(leg.symbol, limits.cap)
        if cap is not None:
            leg.most, leg.is_capped = cap * base, leg.weight > cap
            leg.weight = min(leg.weight, cap)


def _sorted_out(legs: Sequence[Leg], base: Decimal, inputs: Inputs) -> tuple[list[Leg], list[Leg]]:
    """Set targets and gaps; return the legs that want a sale and those that want a purchase."""
    limits, policy = inputs.allocation.constraints, inputs.policy
    reserved = inputs.holdings.reserved
    band = None if limits.band is None else limits.band * base
    is_stepped = policy.instruments or policy.rounding is not RoundingMode.DOLLAR
    is_banded = band is not None or limits.relative_band is not None
    sales: list[Leg] = []
    purchases: list[Leg] = []
    for leg in legs:
        leg.target = target = leg.weight * base
        leg.gap = gap = target - leg.value
        if not gap:
            continue
        size = abs(gap)
        leg.is_closing = not target and leg.held > ZERO
        if target and is_banded and _is_inside(size, target, band, limits.relative_band):
            leg.reason = Reason.WITHIN_BAND
        elif gap < ZERO and limits.buys_only:
            leg.reason = Reason.BUYS_ONLY
        elif size < policy.least and not leg.is_closing:
            leg.reason = Reason.BELOW_MINIMUM
        else:
            if is_stepped:
                leg.step = policy.step(leg.symbol)
            if gap > ZERO:
                purchases.append(leg)
                continue
            leg.free = leg.held - reserved.get(leg.symbol, ZERO)
            if target < ZERO:
                leg.free = None
            sales.append(leg)
    return sales, purchases


def _is_inside(
    size: Decimal, target: Decimal, band: Decimal | None, relative: Decimal | None
) -> bool:
    """Tell whether a gap is inside every band that is set."""
    if band is not None and size > band:
        return False
    return relative is None or size <= relative * abs(target)


def _funds(sales: Sequence[Leg], cash: Decimal, policy: SizingPolicy) -> Decimal:
    """Return the cash that will be there for purchases."""
    proceeds = sum((-leg.amount for leg in sales), ZERO)
    return cash + proceeds - proceeds * policy.fee_rate


def _spend(purchases: Sequence[Leg], funds: Decimal, policy: SizingPolicy) -> None:
    """Size purchases so that, with their fees, they come to no more than the funds."""
    bought = [leg for leg in purchases if size_purchase(leg, leg.gap, policy)]
    with_fee = ONE + policy.fee_rate
    if sum((leg.amount for leg in bought), ZERO) * with_fee <= funds:
        return
    if funds <= ZERO:
        for leg in bought:
            leg.hold(Reason.CASH_SHORT)
        return
    wanted = sum((leg.gap for leg in bought), ZERO) * with_fee
    scale, _ = divide(funds, wanted, places=FRACTION_DIGITS)
    left = funds
    for leg in bought:
        _buy_less(leg, leg.gap * scale, policy)
        left -= leg.amount * with_fee
    for leg in sorted(bought, key=lambda leg: leg.amount - leg.gap):
        before = leg.amount
        affordable, _ = divide(left, with_fee, places=FRACTION_DIGITS)
        _buy_less(leg, min(leg.gap, before + affordable), policy)
        left -= (leg.amount - before) * with_fee


def _buy_less(leg: Leg, amount: Decimal, policy: SizingPolicy) -> None:
    """Buy as much as an amount that the cash set allows, or nothing, for want of cash."""
    amount, units = sized(leg, amount, policy)
    if units and amount and too_small(leg, amount, units, policy) is None:
        leg.buy(amount, units, Reason.SCALED)
    else:
        leg.hold(Reason.CASH_SHORT)


def _searched(
    sales: Sequence[Leg], purchases: Sequence[Leg], cash: Decimal, policy: SizingPolicy
) -> Search:
    """Sell what no target wants; search whole units for the rest."""
    closing = [leg for leg in sales if leg.is_closing]
    for leg in closing:
        size_sale(leg, policy)
    rest = [leg for leg in sales if not leg.is_closing]
    legs = sorted([*rest, *purchases], key=lambda leg: leg.symbol)
    funds = _funds(closing, cash, policy)
    search = choose(legs, funds, policy)
    if search.proof is not Proof.EXACT:
        _or_in_one_pass(rest, purchases, funds, policy)
    return search


def _or_in_one_pass(
    sales: Sequence[Leg], purchases: Sequence[Leg], cash: Decimal, policy: SizingPolicy
) -> None:
    """Size legs in one pass, where that leaves less than a search that ended before its end."""
    legs = [*sales, *purchases]
    found = [(leg.action, leg.reason, leg.amount, leg.quantity) for leg in legs]
    left = _left(legs)
    for leg in sales:
        size_sale(leg, policy)
    funds = _funds(sales, cash, policy)
    _spend(purchases, funds, policy)
    spent = sum((leg.amount for leg in purchases), ZERO) * (ONE + policy.fee_rate)
    if spent <= funds and _left(legs) < left:
        return
    for leg, each in zip(legs, found, strict=True):
        leg.action, leg.reason, leg.amount, leg.quantity = each


def _left(legs: Sequence[Leg]) -> Decimal:
    return sum((abs(leg.gap - leg.amount) for leg in legs), ZERO)


def _with_others(search: Search, items: Sequence[PlanItem], searched: set[str]) -> Search:
    """Let the bound of a search speak of all lines: what it left alone is as it is."""
    others = (abs(item.residual) for item in items if item.symbol not in searched)
    return Search(search.proof, search.least + sum(others, ZERO), search.nodes)


def _lines(legs: Sequence[Leg], base: Decimal, rate: Decimal) -> tuple[PlanItem, ...]:
    """Put legs in the order of execution, what holds at the end, and write their lines.

    Legs come by symbol, and sorting keeps that order among equals.
    """
    sales = sorted((leg for leg in legs if leg.action is _SELL), key=_AMOUNT)
    buys = sorted((leg for leg in legs if leg.action is _BUY), key=_AMOUNT, reverse=True)
    items = [_line(leg, place, base, rate) for place, leg in enumerate([*sales, *buys], 1)]
    items += [_line(leg, 0, base, rate) for leg in legs if not leg.amount]
    return tuple(items)


def _line(leg: Leg, place: int, base: Decimal, rate: Decimal) -> PlanItem:
    value, amount, target_weight = leg.value, leg.amount, leg.weight
    weight = quotient18(value, base) if base and value else ZERO
    return PlanItem(
        leg.symbol,
        leg.action,
        leg.reason,
        place,
        amount,
        leg.quantity,
        leg.price,
        weight,
        target_weight,
        target_weight - weight,
        value,
        leg.target,
        leg.gap - amount,
        abs(amount) * rate if amount else ZERO,
    )


def _totals(
    items: Sequence[PlanItem], *, worth: Decimal, cash: Decimal, reserve: Decimal, base: Decimal
) -> Totals:
    buys = sells = fees = residual = ZERO
    for item in items:
        residual += abs(item.residual)
        if item.action is _BUY:
            buys += item.trade_amount
            fees += item.fee
        elif item.action is _SELL:
            sells -= item.trade_amount
            fees += item.fee
    return Totals(
        holdings=worth - cash,
        cash=cash,
        reserve=reserve,
        buys=buys,
        sells=sells,
        fees=fees,
        cash_after=cash + sells - buys - fees,
        residual=residual,
        drift=quotient18(residual, base) if base else ZERO,
        turnover=quotient18(buys + sells, 2 * base) if base else ZERO,
    )
