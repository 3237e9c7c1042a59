"""Whole units for the legs of a plan: the choices that the search has, and its answer as trades.

The objective: the least Σ|residual| over plans in which every trade goes toward its target and past
it by less than one step, no sale takes more than is free, no purchase passes its cap, and the buys
are paid for by the cash, the sales and nothing else. Where two choices leave a symbol equally far
from its target, the one that leaves more cash is taken; where trading leaves as much as not
trading, nothing is traded.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from bursar.exact import FRACTION_DIGITS, ONE, ZERO, divide, whole
from bursar.plan.items import Proof, Search
from bursar.plan.leg import Leg, too_small
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
    firsts = [_first(leg, policy) for leg in legs]
    excess = sum((first.spends for first in firsts), -funds)
    tables = [
        [first, *_less(leg, first.steps, excess, policy)] if excess > ZERO else [first]
        for leg, first in zip(legs, firsts, strict=True)
    ]
    offers = [offer for table in tables for offer in table]
    last = _last_digit([funds, *(o.spends for o in offers), *(o.leaves for o in offers)])
    limit = policy.node_limit if len(legs) <= SYMBOLS_MAX else 0
    choices = [_choices(table, last) for table in tables]
    answer = _answer(choices, _scaled(excess, last), limit)
    taken = [table[pick] for table, pick in zip(tables, answer.picks, strict=True)]
    idle = sum((abs(leg.gap) for leg in legs), ZERO)
    is_worth_it = idle > sum((each.leaves for each in taken), ZERO) or funds < ZERO
    for leg, each, pick in zip(legs, taken, answer.picks, strict=True):
        _settle(leg, each.steps if is_worth_it else 0, is_first=not pick)
    proof = _proof(answer, choices)
    bound = sum((_scaled(table[0].leaves, last) for table in tables), Fraction(0))
    bound += answer.cost if proof is Proof.EXACT else answer.least
    least, _ = divide(
        Decimal(bound.numerator), bound.denominator * ONE.scaleb(last), places=FRACTION_DIGITS
    )
    return Search(proof, least, answer.nodes)


def _first(leg: Leg, policy: SizingPolicy) -> _Offer:
    """Return what is best for a leg alone: of no step, those up to the target and one more."""
    near = int(whole(abs(leg.gap), leg.unit))
    counts = {0, min(near, _most(leg, near)), min(near + 1, _most(leg, near))}
    offers = [
        _offer(leg, count, policy) for count in sorted(counts) if _is_possible(leg, count, policy)
    ]
    return min(offers, key=lambda offer: (offer.leaves, offer.spends))


def _less(leg: Leg, steps: int, excess: Decimal, policy: SizingPolicy) -> list[_Offer]:
    """Return what takes less cash, more and more of it, until that alone would be enough."""
    if leg.gap < ZERO:
        near = int(whole(-leg.gap, leg.unit))
        counts = [*range(steps + 1, min(near + 1, _most(leg, near)) + 1)]
    elif steps:
        enough = max(steps - 1 - int(whole(excess, leg.unit)), 0)
        last = enough if _is_possible(leg, enough, policy) else 0
        counts = [*range(steps - 1, max(last, steps - _LEVELS_MAX), -1), last]
    else:
        counts = []
    return [_offer(leg, count, policy) for count in counts if _is_possible(leg, count, policy)]


def _most(leg: Leg, near: int) -> int:
    """Return how many steps are free, or stay below the cap, or more than are looked at."""
    if leg.gap < ZERO:
        bound, unit = leg.free, leg.step
    else:
        bound, unit = None if leg.most is None else leg.most - leg.value, leg.unit
    return near + 1 if bound is None else int(whole(bound, unit))


def _offer(leg: Leg, count: int, policy: SizingPolicy) -> _Offer:
    amount = count * leg.unit
    spends = amount * (policy.fee_rate + 1 if leg.gap > ZERO else policy.fee_rate - 1)
    return _Offer(count, spends, abs(abs(leg.gap) - amount))


def _is_possible(leg: Leg, count: int, policy: SizingPolicy) -> bool:
    if not count:
        return True
    return too_small(leg, count * leg.unit, count * leg.step, policy) is None


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
