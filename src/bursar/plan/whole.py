"""Whole units for the legs of a plan: the choices that the search has, and its answer as trades.

The objective: the least Σ|residual| over plans in which every trade goes toward its target and past
it by less than one step, no sale takes more than is free, and the buys are paid for by the cash,
the sales and nothing else. Where two choices leave a symbol equally far from its target, the one
that leaves more cash is taken.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from bursar.exact import FRACTION_DIGITS, ONE, ZERO, divide, whole
from bursar.plan.items import Proof, Search
from bursar.plan.leg import Leg, is_taken
from bursar.plan.policy import SizingPolicy
from bursar.plan.reasons import Reason
from bursar.plan.search import Answer, Choice, is_beaten, search

SYMBOLS_MAX: Final = 30
_LEVELS_MAX: Final = 2_000


class _Offer(msgspec.Struct, frozen=True, gc=False):
    """So many steps of a leg: the cash they take (a sale's is negative), and the residual left."""

    steps: int
    spends: Decimal
    leaves: Decimal


def choose(legs: Sequence[Leg], funds: Decimal, policy: SizingPolicy) -> Search:
    """Set the trades of legs that want one: the whole steps that leave the least Σ|residual|.

    `funds` is the cash that may be spent, before these legs' own sales.
    """
    tables = [_offers(leg, policy) for leg in legs]
    offers = [offer for table in tables for offer in table]
    last = _last_digit([funds, *(o.spends for o in offers), *(o.leaves for o in offers)])
    excess = sum((table[0].spends for table in tables), -funds)
    limit = policy.node_limit if len(legs) <= SYMBOLS_MAX else 0
    choices = [_choices(table, last) for table in tables]
    answer = _answer(choices, _scaled(excess, last), limit)
    for leg, table, pick in zip(legs, tables, answer.picks, strict=True):
        _settle(leg, table[pick].steps, is_first=not pick)
    proof = _proof(answer, choices)
    bound = sum((_scaled(table[0].leaves, last) for table in tables), Fraction(0))
    bound += answer.cost if proof is Proof.EXACT else answer.least
    least, _ = divide(
        Decimal(bound.numerator), bound.denominator * ONE.scaleb(last), places=FRACTION_DIGITS
    )
    return Search(proof, least, answer.nodes)


def _offers(leg: Leg, policy: SizingPolicy) -> list[_Offer]:
    """Return what is best for a leg alone, then what takes less cash, more and more of it."""
    near = int(whole(abs(leg.gap), leg.unit))
    if leg.gap > ZERO:
        counts: Iterable[int] = [*range(near + 1, max(near - _LEVELS_MAX, 0), -1), 0]
        rate = 1 + policy.fee_rate
    else:
        free = near + 1 if leg.free is None else int(whole(leg.free, leg.step))
        counts = sorted({0, min(near, free), min(near + 1, free)})
        rate = policy.fee_rate - 1
    size = abs(leg.gap)
    offers = [
        _Offer(count, count * leg.unit * rate, abs(size - count * leg.unit))
        for count in counts
        if not count or _is_possible(leg, count, policy)
    ]
    best = min(range(len(offers)), key=lambda place: (offers[place].leaves, -place))
    return offers[best:]


def _is_possible(leg: Leg, count: int, policy: SizingPolicy) -> bool:
    amount = count * leg.unit
    return amount >= policy.min_trade_amount and is_taken(leg, amount, count * leg.step, policy)


def _answer(tables: Sequence[Sequence[Choice]], excess: int, limit: int) -> Answer:
    if excess <= 0:
        return Answer((0,) * len(tables), 0, Fraction(0), 0, is_exact=True)
    return search(tables, excess, limit=limit)


def _proof(answer: Answer, tables: Sequence[Sequence[Choice]]) -> Proof:
    """Say what an answer is worth. Of a table that was cut short, the choices left out lie between
    the last two, and waste more the farther they are: if the nearer one is beaten, so are they.
    """
    if len(tables) > SYMBOLS_MAX and not answer.is_exact:
        return Proof.NEAREST
    cut_short = [table for table in tables if len(table) >= _LEVELS_MAX]
    if answer.is_exact and all(is_beaten(table, table[-2], answer) for table in cut_short):
        return Proof.EXACT
    return Proof.LIMITED


def _choices(table: Sequence[_Offer], last: int) -> list[Choice]:
    """Return what each offer saves and costs beside the first."""
    first = table[0]
    return [
        (_scaled(first.spends - each.spends, last), _scaled(each.leaves - first.leaves, last))
        for each in table
    ]


def _last_digit(amounts: Iterable[Decimal]) -> int:
    """Return how many decimals are enough for all amounts."""
    return max(0, *(-int(amount.as_tuple().exponent) for amount in amounts))


def _scaled(amount: Decimal, last: int) -> int:
    return int(amount.scaleb(last))


def _settle(leg: Leg, steps: int, *, is_first: bool) -> None:
    """Make a leg the trade of so many steps."""
    units = steps * leg.step
    amount = units * leg.price
    if leg.gap > ZERO:
        if steps:
            leg.buy(amount, units, Reason.UNDERWEIGHT if is_first else Reason.SCALED)
        else:
            leg.hold(Reason.BELOW_STEP if is_first else Reason.CASH_SHORT)
    elif steps:
        is_short_of = leg.free is not None and whole(-leg.gap, leg.unit) * leg.step > leg.free
        leg.sell(amount, units, leg.why_sold(is_short_of=is_short_of))
    else:
        none_free = leg.free is not None and not leg.free
        leg.hold(Reason.NONE_FREE if none_free else Reason.BELOW_STEP)
