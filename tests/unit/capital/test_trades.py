"""What closed trades add up to."""

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from bursar.capital.trades import ClosedTrade, Tally, in_order, tally
from bursar.exact import ONE

moves = st.lists(st.integers(-1000, 1000).map(Decimal), max_size=20)


def test_a_tally_keeps_profit_and_loss_apart():
    assert tally(map(Decimal, (5, -2, 0, -1))) == Tally(4, Decimal(5), Decimal(3))


def test_without_a_loss_there_is_no_profit_factor():
    assert tally([ONE]).profit_factor is None
    assert tally([Decimal(3), Decimal(-2)]).profit_factor == Decimal("1.5")


def test_nothing_won_is_never_enough():
    assert not Tally().is_at_least(Decimal("1.2"))
    assert tally([ONE]).is_at_least(Decimal("1.2"))
    assert not tally([ONE, -ONE]).is_at_least(Decimal("1.2"))


def test_few_trades_say_little_and_many_say_all():
    assert Tally().shrunk(10) == 1
    assert Tally().edge(10) == Decimal("0.5")
    few, many = Tally(3, Decimal(9), Decimal(1)), Tally(3000, Decimal(9), Decimal(1))
    assert few.shrunk(10) < Decimal("1.7") < Decimal("8.5") < many.shrunk(10) < 9


def test_a_callers_own_context_changes_no_figure():
    told = Tally(3, Decimal("12345678901234567890.123456789012345678"), Decimal("0.7"))
    edge, shrunk = told.edge(10), told.shrunk(10)
    with localcontext(prec=2):
        assert (told.edge(10), told.shrunk(10)) == (edge, shrunk)


def test_worked_shrinking():
    """Two trades, +6 and -2, prior 10: (2 × 6 + 10 × 8) ÷ (2 × 2 + 10 × 8) = 92 ÷ 84."""
    assert tally([Decimal(6), Decimal(-2)]).shrunk(10) == Decimal("1.095238095238095238")
    assert tally([Decimal(6), Decimal(-2)]).edge(10) == Decimal("0.522727272727272727")


@given(moves, st.integers(1, 100), st.integers(0, 1000).map(Decimal))
def test_more_profit_in_as_many_trades_is_never_worse(pnls, prior, more):
    had = tally(pnls)
    better = Tally(had.trades, had.profit + more, had.loss)
    assert better.shrunk(prior) >= had.shrunk(prior)
    assert 0 <= had.edge(prior) <= better.edge(prior) <= 1


def test_trades_have_one_order():
    trades = [
        ClosedTrade(id=name, strategy=strategy, at=at, pnl=ONE)
        for name, strategy, at in (("b", "x", 2), ("a", "x", 2), ("c", "a", 2), ("d", "z", 1))
    ]
    assert [trade.id for trade in in_order(trades)] == ["d", "c", "a", "b"]
