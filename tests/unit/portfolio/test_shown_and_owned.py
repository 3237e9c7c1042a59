"""What is shown is of the view; what is set against capital or a peak is of all that is owned."""

import pytest

from bursar.errors import BadChoice, Doubtful
from bursar.portfolio import allocating, snapshots
from bursar.portfolio.earnings import Asked, summary
from bursar.value.figures import figures
from bursar.value.marks import Marks
from bursar.value.worth import Options
from tests.unit.portfolio.test_allocating import TWO, portfolio
from tests.unit.portfolio.test_measures import begun, keep

BOUGHT = "2026-01-01T01:00:00Z buy 10 ODD @ 100 EUR #k:2"


def test_a_strategy_is_all_that_it_owns_whatever_the_view_shows():
    made = portfolio(
        "2026-01-01T10:00:00Z deposit 1000 USD #k:main:1",
        "2026-01-01T10:00:00Z deposit 50 USDT #k:main:2",
        "2026-01-02T10:00:00Z buy 1 XBT @ 100 USD #k:main:3 strategy=trend",
    )
    before = allocating.strategies(made, {"XBT": "150"})
    made.options = Options(exclude_assets=frozenset({"BTC", "USDT"}))
    after = allocating.strategies(made, {"XBT": "150"})
    assert [(e.equity, e.made, e.unrealized, e.cash, e.returns) for e in after] == [
        (e.equity, e.made, e.unrealized, e.cash, e.returns) for e in before
    ]
    assert all(each.contributed + each.made + each.unrealized == each.equity for each in after)


def test_no_capital_is_divided_over_what_is_left_out_and_has_no_price():
    made = portfolio(*TWO, "2026-01-05T10:00:00Z buy 1 ODD @ 100 USD #k:main:6 strategy=trend")
    made.options = Options(exclude_assets=frozenset({"ODD"}))
    made.marks = lambda *_, **__: Marks()  # what traded is forgotten: nothing has a price
    with pytest.raises(Doubtful, match="trend holds what has no price: ODD"):
        allocating.propose(made)


@pytest.mark.parametrize("live", [False, True])
def test_what_was_paid_for_and_has_no_price_is_no_loss_though_the_view_leaves_it_out(live):
    portfolio = begun(BOUGHT)
    portfolio.options = Options(exclude_assets=frozenset({"ODD"}))
    made = keep(portfolio, "2026-01-01T23:00:00Z", ODD=100)
    assert (made.excluded_value, made.excluded_unvalued) == (1000, ())
    portfolio.desk.clock.set("2026-01-02T12:00:00Z")
    portfolio.marks = lambda *_, **__: Marks()  # what traded is forgotten: nothing has a price
    told = portfolio.live().figures() if live else figures(portfolio.valuation())
    assert (told.equity, told.excluded_value, told.is_priced) == (9000, 0, False)
    seen = portfolio.views()
    assert (seen.snapshot.total_equity, seen.snapshot.daily_pnl) == (9000, None)
    assert seen.drawdown.current_equity == 10000
    made = summary(portfolio, Asked())
    assert (made.pnl_base, made.unvalued) == (None, ("ODD",))
    gone = keep(portfolio, "2026-01-02T13:00:00Z")
    assert (gone.unvalued, gone.excluded_unvalued) == ((), ("ODD",))
    (*_, close) = snapshots.closes(portfolio.desk.store)
    assert (close.excluded_unvalued, close.low) == (("ODD",), None)
    assert [each.is_complete for each in snapshots.moments(portfolio.desk.store)][-1] is False


def test_what_cost_nothing_and_never_has_a_price_can_be_left_out():
    portfolio = begun("2026-01-01T01:00:00Z reward 10 ODD #k:2")
    assert not figures(portfolio.valuation()).is_priced
    portfolio.options = Options(exclude_assets=frozenset({"ODD"}))
    assert figures(portfolio.valuation()).is_priced
    assert portfolio.live().figures().is_priced


HELD = (
    "2026-01-01T10:00:00Z deposit 1000 USD #k:main:1",
    "2026-01-02T10:00:00Z buy 1 XBT @ 100 USD #k:main:2",
)


def test_a_transaction_is_compared_with_all_that_is_owned():
    made = portfolio(*HELD)
    made.options = Options(exclude_assets=frozenset({"BTC"}))
    marks = {"XBT": "150"}
    seen = made.equity(marks)
    assert seen.valuation.excluded_value
    with made.transaction(previous_equity=seen) as tx:
        assert tx.review(marks).delta == 0
        assert tx.commit(marks)
    with made.batch(previous_equity=seen) as batch, batch.transaction() as tx:
        assert tx.commit(marks)
    with made.transaction(previous_equity=seen.valuation.owned) as tx:
        assert tx.commit(marks)


def test_the_figure_of_a_view_that_leaves_something_out_is_refused():
    made = portfolio(*HELD)
    shown = made.equity().value
    made.transaction(previous_equity=shown)
    made.options = Options(exclude_assets=frozenset({"BTC"}))
    seen = made.equity().value
    assert seen != shown
    for begin in (made.transaction, made.batch):
        with pytest.raises(BadChoice, match="is what is shown, without XBT; a transaction weighs"):
            begin(previous_equity=seen)
    with pytest.raises(BadChoice, match="give equity"):
        made.transact(lambda tx: None, {}, previous_equity=str(seen))
    made.transaction(previous_equity=shown)
    made.options = Options(exclude_assets=frozenset({"NONE"}))
    made.transaction(previous_equity=made.equity().value)


def test_an_equity_that_is_not_wholly_known_is_nothing_to_compare_with():
    made = portfolio(*HELD)
    made.options = Options(exclude_assets=frozenset({"BTC"}))
    made.marks = lambda *_, **__: Marks()
    with pytest.raises(Doubtful, match="not known without XBT"):
        made.transaction(previous_equity=made.equity())
