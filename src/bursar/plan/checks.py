"""A plan is a proof: every line follows from the inputs, and can be derived again by anybody.

`faults` says what does not. First what every plan must keep, worked out from the lines and the
inputs by sums of its own and not by the planner; then the planner is run again, and every field of
every line is compared.

Errors: none. What is wrong is said.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money
from bursar.plan.derive import derive
from bursar.plan.inputs import Inputs, plan_id
from bursar.plan.items import Derivation, PlanItem
from bursar.plan.reasons import Action


@money
def faults(inputs: Inputs, told: Derivation, known_as: str) -> tuple[str, ...]:
    """Return what is wrong with a plan, one line each; none is the proof."""
    found = list(_kept(inputs, told))
    if known_as != plan_id(inputs):
        found.append("plan_id: it is not the hash of these inputs")
    again = derive(inputs)
    for mine, yours in zip(again.items, told.items, strict=False):
        found += _apart(f"{mine.symbol}", mine, yours)
    if len(again.items) != len(told.items):
        found.append(f"items: {len(told.items)}, derived {len(again.items)}")
    found += _apart("totals", again.totals, told.totals)
    for field in ("total_portfolio_value", "coverage", "search"):
        if getattr(again, field) != getattr(told, field):
            found.append(f"{field}: {getattr(told, field)}, derived {getattr(again, field)}")
    return tuple(found)


def _apart(name: str, mine: msgspec.Struct, yours: msgspec.Struct) -> Iterator[str]:
    for field in mine.__struct_fields__:
        derived, told = getattr(mine, field), getattr(yours, field)
        if derived != told:
            yield f"{name}.{field}: {told}, derived {derived}"


def _kept(inputs: Inputs, told: Derivation) -> Iterator[str]:
    """Say which of the promises of every plan are broken, by sums of their own."""
    yield from _sums(inputs, told)
    cash = inputs.holdings.spendable
    floor = min(cash, ZERO)
    for place, item in enumerate(_trades(told.items), 1):
        if item.priority != place:
            yield f"{item.symbol}.priority: {item.priority}, in place {place}"
        cash -= item.trade_amount + item.fee
        if item.action is Action.BUY and cash < floor:
            yield f"{item.symbol}: {cash} of cash is left when it is bought"
    for item in told.items:
        yield from _line(inputs, item)


def _trades(items: Sequence[PlanItem]) -> list[PlanItem]:
    return sorted((each for each in items if each.priority), key=lambda each: each.priority)


def _line(inputs: Inputs, item: PlanItem) -> Iterator[str]:
    held = inputs.holdings.positions.get(item.symbol, ZERO)
    free = held - inputs.holdings.reserved.get(item.symbol, ZERO)
    is_short = item.target_weight < ZERO
    if item.action is Action.SELL and not is_short and -item.quantity > free:
        yield f"{item.symbol}: sells {-item.quantity}, free are {free}"
    if item.action is Action.HOLD and (item.trade_amount or item.quantity or item.priority):
        yield f"{item.symbol}: holds and trades"
    sign = {Action.BUY: 1, Action.SELL: -1, Action.HOLD: 0}[item.action]
    if not _is_signed(item.trade_amount, sign) or not _is_signed(item.quantity, sign):
        yield f"{item.symbol}: {item.action.value} of {item.trade_amount}"


def _is_signed(amount: Decimal, sign: int) -> bool:
    return (amount > ZERO) - (amount < ZERO) == sign


def _sums(inputs: Inputs, told: Derivation) -> Iterator[str]:
    """Compare what is there before with what is there after."""
    holdings, prices = inputs.holdings.positions, inputs.holdings.prices
    cash = inputs.holdings.cash
    before = sum((held * prices[symbol] for symbol, held in holdings.items()), cash)
    after, named = told.totals.cash_after + told.totals.fees, set[str]()
    for item in told.items:
        after += item.current_value + item.trade_amount
        named.add(item.symbol)
    if after != before:
        yield f"totals: {before} before, {after} after"
    unnamed = sorted((holdings.keys() | inputs.allocation.target_weights.keys()) - named)
    if unnamed:
        yield f"items: no line of {', '.join(unnamed)}"
