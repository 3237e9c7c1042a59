"""Plans over books of several venues: lines, effects and totals are those of an independent model.

The model counts in fractions and shares no code with the planner. A plan is executed twice: as a
what-if, and as fills that venues tell; both reach what the plan states.
"""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import audit
from tests.property.plan_model import NONE, model
from tests.property.planned_books import (
    AGREED,
    DAY,
    START,
    coin_of,
    fills,
    frac,
    names,
    wish,
    world,
)

SEEDS = st.integers(0, 2**40)


def lines_are_the_models(made, plan, wanted):
    found = {coin_of(each.symbol): each for each in plan.items}
    assert set(found) == set(wanted.lines)
    for coin, line in wanted.lines.items():
        told = found[coin]
        assert frac(told.target_value) == line.target
        assert (frac(told.trade_amount), frac(told.quantity)) == (line.amount, line.units)
        assert frac(told.residual) == line.gap - line.amount
    assert frac(plan.total_portfolio_value) == wanted.worth
    assert frac(plan.totals.cash) == wanted.cash
    assert frac(plan.totals.reserve) == wanted.reserve
    assert frac(plan.inputs.holdings.spendable) == wanted.spendable
    rate = frac(plan.inputs.policy.fee_rate)
    fees = sum((abs(line.amount) for line in wanted.lines.values()), NONE) * rate
    spent = sum((line.amount for line in wanted.lines.values()), NONE)
    assert frac(plan.totals.fees) == fees
    assert frac(plan.totals.cash_after) == wanted.cash - spent - fees


def cash_of(book, account=None):
    held = book.holdings.items()
    return sum(
        (frac(h.quantity) for (p, a), h in held if a in book.cash and account in {None, p}), NONE
    )


def nothing_bound_is_touched(made, plan, wanted, book):
    """What a what-if leaves: the plan's cash and units, and in no account less than is bound."""
    accounts = {account for account, _ in made.held}
    assert abs(cash_of(book) - frac(plan.totals.cash_after)) <= AGREED
    for coin, line in wanted.lines.items():
        after = {
            account: sum((frac(book.owned(account, name)) for name in names(coin)), NONE)
            for account in accounts
        }
        assert abs(sum(after.values(), NONE) - line.held - line.units) <= AGREED
        for account, units in after.items():
            before = made.held.get((account, coin), NONE)
            assert units >= min(before, made.bound.get((account, coin), NONE))
    for account in accounts:
        before = made.held.get((account, "cash"), NONE)
        bound = made.bound.get((account, "cash"), NONE)
        assert cash_of(book, account) >= min(before, bound) - AGREED


@given(SEEDS)
def test_a_plan_of_a_book_is_the_models_and_comes_out_as_it_says(seed):
    rng, made = world(seed)
    allocation, policy = wish(rng, made)
    with made.portfolio as portfolio:
        wanted = model(made, allocation, policy)
        if wanted.worth < 0:  # no weights are shares of that
            return
        plan = portfolio.plan(allocation, policy=policy, prices=made.prices)
        lines_are_the_models(made, plan, wanted)
        assert plan.verify() == ()
        after = plan.apply(portfolio.book())
        nothing_bound_is_touched(made, plan, wanted, after.book)

        before = audit.totals(portfolio.book()).made
        portfolio.record(*fills(made, plan, START + 300 * DAY))
        realized = audit.totals(portfolio.book()).made - before
        assert abs(realized - after.realized) < Decimal("1e-12")
        there = portfolio.holdings(allocation.target_weights, made.prices)
        assert abs(frac(there.cash) - frac(plan.totals.cash_after)) <= AGREED
        for symbol, units in there.positions.items():
            line = wanted.lines[coin_of(symbol)]
            assert abs(frac(units) - line.held - line.units) <= Fraction(1, 10**17)
        if not policy.fee_rate:
            assert portfolio.plan(allocation, policy=policy, prices=made.prices).is_idle
