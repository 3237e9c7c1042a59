"""Transactions: staged, judged as a whole, written as one fact or not at all."""

import asyncio
from decimal import Decimal

import pytest

from bursar.desk.transactions import Against, State, epsilon, rules_of
from bursar.errors import (
    BadChoice,
    NotExact,
    OutOfBounds,
    StaleVersion,
    TransactionOver,
)
from bursar.ledger import golden
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.portfolio.transacting import portfolio_transaction
from tests.unit.desk.cycles import (
    USD,
    book,
    broken_in,
    reviewed,
    state,
    two_lots,
)
from tests.unit.portfolio.places import opened

# The contract's six scenarios


@pytest.mark.parametrize(
    "equity, allowed",
    [("0", "1"), ("100", "1"), ("10000", "1"), ("100000", "10"), ("2500000", "250"), ("-5", "1")],
)
def test_1_epsilon_scales_with_the_portfolio(equity, allowed):
    assert epsilon(Decimal(equity)) == Decimal(allowed)
    with opened(terms=USD).transaction(equity) as tx:
        assert tx.review({}).epsilon == Decimal(allowed)


def test_2_a_commit_writes_cash_positions_and_the_entry():
    portfolio = book()
    with portfolio_transaction(
        state_store=portfolio.desk.store,
        portfolio_manager=portfolio,
        previous_equity=100000.0,
        session_id="main",
        validation_epsilon=20,
    ) as tx:
        tx.stage_cash_delta(-1000.0, fees=5.0)
        tx.stage_position_delta("BTC/USDT", 0.02, entry_price=50000.0)
        tx.stage_realized_pnl_delta(50.0)
        assert tx.commit({"BTC/USDT": 51000.0}) is True
    # −1000 − 5 + 100000 = 98995; 0.02 × 51000 = 1020; together 100015: 15 from 100000.
    seen = reviewed(tx)
    assert (seen.cash, seen.positions, seen.total) == (98995, 1020, 100015)
    assert (seen.delta, seen.epsilon, seen.reason) == (15, 20, None)
    assert (seen.realized, seen.claimed, seen.claim_difference) == (0, 50, 50)
    held = portfolio.book().holdings
    assert held["manual:main", "USD"].quantity == 98995
    assert held["manual:main", "BTC"].quantity == Decimal("0.02")
    last = list(portfolio.journal())[-1].entry()
    assert golden.write_line(last).split("  ")[1:-1] == [
        *("staged", "cash -1000.0", "fees 5.0", "claim 50.0", "position 0.02 BTC @ 50000.0"),
    ]
    assert portfolio.verify().is_sound


def test_3_a_total_too_far_from_the_previous_equity_is_discarded(caplog):
    portfolio = book()
    before = state(portfolio)
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("15000")
        assert tx.commit({}) is False
    assert (tx.reason, tx.state) == ("validation_failed", State.DISCARDED)
    assert state(portfolio) == before
    assert caplog.messages == ["PORTFOLIO_DISCARD: reason=validation_failed Δ=$15000.00, ε=$10.00"]


def test_4_large_swings_in_between_do_not_matter():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("-5000000")
        tx.stage_position_delta("BTC/USDT", 100, entry_price=50000)
        assert not tx.review({}).is_valid
        tx.stage_position_delta("BTC/USDT", -99, entry_price=50000)
        tx.stage_cash_delta("4950000")
        assert tx.commit({"BTC/USDT": 50001})
    assert reviewed(tx).delta == 1


def test_4_the_documents_own_figures_run_with_their_epsilon():
    portfolio = book()
    with portfolio.transaction(100000.0, validation_epsilon=10000) as tx:
        tx.stage_cash_delta(-50000.0, fees=250.0)
        tx.stage_position_delta("BTC/USDT", 1.0, entry_price=50000.0)
        tx.stage_realized_pnl_delta(25000.0)
        assert tx.commit({"BTC/USDT": 60000.0})
    assert (reviewed(tx).total, reviewed(tx).delta) == (Decimal(109750), Decimal(9750))


def test_5_an_exception_rolls_back_and_goes_its_way(caplog):
    portfolio = book()
    before = state(portfolio)
    tx = portfolio.transaction("100000")
    with pytest.raises(LookupError):
        broken_in(tx)
    assert state(portfolio) == before
    assert (tx.state, tx.reason) == (State.DISCARDED, "exception")
    assert caplog.messages == ["PORTFOLIO_DISCARD: reason=exception Δ=unknown, ε=$10.00"]


def test_6_several_symbols_at_once():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("-30000", fees="5")
        tx.stage_position_delta("BTC/USDT", "0.2", entry_price="50000")
        tx.stage_position_delta("ETH/USDT", "5", entry_price="3000", strategy="trend")
        tx.stage_position_delta("SOL-USD", "50", current_price="100")
        assert tx.commit({"BTC/USDT": 50000, "ETH/USDT": 3000, "SOL/USD": 100})
    held = {asset: holding.quantity for (_, asset), holding in portfolio.book().holdings.items()}
    assert held == {"USD": 69995, "BTC": Decimal("0.2"), "ETH": 5, "SOL": 50}
    assert reviewed(tx).delta == 5


# What is staged


def test_what_is_staged_can_be_read():
    with book().transaction(0) as tx:
        tx.stage_cash_delta("-1000", fees="5")
        tx.stage_cash_delta("200", declared=True)
        tx.stage_position_delta("BTC/USDT", "0.02", current_price="50000")
        tx.stage_lot_add("BTC", "0.02", price="50000", lot_id="a")
        tx.stage_lot_update("BTC", "b", cost="1")
        tx.stage_lot_remove("BTC", "c")
        assert (tx.staged_cash.delta, tx.staged_cash.fees, tx.staged_cash.declared) == (
            *(-800, 5, 200),
        )
        assert tx.staged_positions[0].price == 50000
        lots = tx.staged_lotbook
        assert [each.cost for each in lots.additions] == [1000]
        assert [each.lot_id for each in (*lots.removals, *lots.updates)] == ["c", "b"]
        assert tx.staged_realized_pnl.delta is None
        tx.stage_realized_pnl_delta("1")
        tx.stage_realized_pnl_delta("2")
        assert tx.staged_realized_pnl.delta == 3


def test_a_float_counts_by_its_shortest_text_unless_it_is_refused():
    portfolio = book()
    with portfolio.transaction(0) as tx:
        tx.stage_cash_delta(0.1)
        tx.stage_cash_delta(0.2)
        assert tx.staged_cash.delta == Decimal("0.3")
    with portfolio.transaction("0", strict_numbers=True) as tx:
        with pytest.raises(NotExact):
            tx.stage_cash_delta(0.1)
        with pytest.raises(NotExact):
            tx.review({"BTC": 0.1})
    with pytest.raises(NotExact):
        portfolio.transaction(0.5, strict_numbers=True)


@pytest.mark.parametrize(
    "stage",
    [
        lambda tx: tx.stage_cash_delta("nan"),
        lambda tx: tx.stage_cash_delta(float("inf")),
        lambda tx: tx.stage_cash_delta("1e3"),
        lambda tx: tx.stage_position_delta("", 1),
        lambda tx: tx.stage_position_delta("BTC/", 1),
        lambda tx: tx.stage_position_delta("BTC/BTC", 1),
        lambda tx: tx.stage_position_delta("A/B/C", 1),
        lambda tx: tx.stage_position_delta("USD", 1),
        lambda tx: tx.stage_position_delta("BTC", 1, entry_price=-1),
        lambda tx: tx.stage_lot_add("BTC", 0, cost=1),
        lambda tx: tx.stage_lot_add("BTC", 1),
        lambda tx: tx.stage_lot_add("BTC", 1, cost=1, price=1),
        lambda tx: tx.stage_lot_add("USDT", 1, cost=1),
        lambda tx: tx.stage_lot_update("BTC", "a", quantity=0),
        lambda tx: tx.stage_lot_update("BTC", "a", cost="-0.01"),
    ],
)
def test_what_says_nothing_is_refused_and_leaves_the_rest(stage):
    with book().transaction(0) as tx:
        tx.stage_cash_delta("7")
        with pytest.raises((BadChoice, NotExact)):
            stage(tx)
        assert tx.staged_cash.delta == 7
        assert not tx.staged_positions
        assert not tx.staged_lotbook.additions


@pytest.mark.parametrize(
    "options",
    [
        {"validation_epsilon": "-1"},
        {"against": "nothing"},
        {"account": "nowhere"},
        {"idempotency_key": "two words"},
        {"idempotency_key": ""},
        {"idempotency_key": 7},
        {"account": 7},
        {"account": None},
        {"correlation_id": 7},
        {"correlation_id": "two\nlines"},
        {"strict": "no"},
        {"validation_epsillon": "1"},
    ],
)
def test_rules_that_say_nothing_are_refused(options):
    with pytest.raises(BadChoice):
        rules_of(None, options)


# Prices and marks


def test_a_delta_counts_at_its_entry_price_then_its_current_price_then_the_mark():
    portfolio = book()
    with portfolio.transaction(0, validation_epsilon=10**9) as tx:
        tx.stage_position_delta("A", 1, entry_price=10, current_price=11)
        tx.stage_position_delta("B", 1, current_price=11)
        tx.stage_position_delta("C", 1)
        tx.stage_position_delta("D/C", 1, entry_price=3)
        seen = tx.review({"A": 12, "B": 12, "C": 12, "D": 12})
    assert [line.price for line in seen.entries[0].lines] == [10, 11, 12, 36]


@pytest.mark.parametrize("marks", [{}, {"ETH": 3000}, {"BTC/ETH": 17}])
def test_what_is_held_and_has_no_mark_discards(marks, caplog):
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("-1000")
        tx.stage_position_delta("BTC", "0.02", entry_price=50000)
        assert not tx.commit(marks)
    assert tx.reason == "missing_mark"
    assert caplog.messages == ["PORTFOLIO_DISCARD: reason=missing_mark Δ=unknown, ε=$10.00"]


@pytest.mark.parametrize("price", ["-1", "NaN", "", None])
def test_a_mark_that_is_none_raises_and_the_transaction_goes_on(price):
    with book().transaction("100000") as tx:
        with pytest.raises((NotExact, OutOfBounds)):
            tx.commit({"BTC": price})
        assert tx.commit({"BTC": 1})


def test_realized_is_inside_cash_and_is_not_counted_twice():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("-50000")
        tx.stage_position_delta("BTC", 1, entry_price=50000)
        assert tx.commit({"BTC": 50000})
    with portfolio.transaction("110000") as tx:
        tx.stage_cash_delta("60000")
        tx.stage_position_delta("BTC", -1, entry_price=60000)
        tx.stage_realized_pnl_delta("10000")
        assert tx.commit({})
    seen = reviewed(tx)
    assert (seen.total, seen.delta, seen.realized, seen.claim_difference) == (110000, 0, 10000, 0)


def test_a_second_purchase_adds_to_the_cost_of_the_first():
    portfolio = book()
    for price in (40000, 60000):
        with portfolio.transaction(validation_epsilon=10**6) as tx:
            tx.stage_cash_delta(-price)
            tx.stage_position_delta("BTC", 1, entry_price=price)
            assert tx.commit({"BTC": price})
    held = portfolio.book().holdings["manual:main", "BTC"]
    assert (held.quantity, held.cost) == (2, 100000)
    (position,) = portfolio.positions()
    assert position.avg_entry_price == 50000


# Lots


def half_sold(portfolio, lot):
    with portfolio.transaction("110000", validation_epsilon=10**6) as tx:
        tx.stage_cash_delta("25000")
        tx.stage_position_delta("BTC", "-0.5", entry_price="50000")
        tx.stage_lot_update("BTC", lot, quantity="0.5", cost="20000")
        assert tx.commit({"BTC": 50000})
    return reviewed(tx)


def test_staged_lots_say_what_was_sold():
    portfolio, lots = two_lots()
    assert half_sold(portfolio, lots[1]).realized == 5000


def test_what_was_sold_of_a_lot_that_never_was_is_sold_once():
    portfolio, (first, second) = two_lots()
    half_sold(portfolio, second)
    portfolio.reverse(second)
    (lot,) = portfolio.book().lots("manual:main", "BTC")
    assert (lot.id, lot.quantity, lot.cost) == (first, Decimal("0.5"), 15000)
    assert portfolio.equity({"BTC": 50000}).value == 100000 + 20000 - 5000 + 5000
    assert portfolio.verify().is_sound


def test_lots_added_and_removed_make_up_the_position():
    portfolio, (first, _) = two_lots()
    with portfolio.transaction("100000", validation_epsilon=10**6) as tx:
        tx.stage_position_delta("BTC", "1", entry_price="50000")
        tx.stage_lot_add("BTC", "1.5", cost="1", lot_id="mine")
        tx.stage_lot_add("BTC", "0.5", cost="2")
        tx.stage_lot_remove("BTC", first)
        assert tx.commit({"BTC": 50000})
    lots = portfolio.book().lots("manual:main", "BTC")
    assert {lot.quantity for lot in lots} == {Decimal("0.5"), Decimal("1.5"), 1}
    assert portfolio.verify().is_sound


@pytest.mark.parametrize(
    "edit, reason",
    [
        (lambda tx, lot: tx.stage_lot_remove("BTC", lot), "lots_mismatch"),
        (lambda tx, lot: tx.stage_lot_add("BTC", 1, cost=1), "lots_mismatch"),
        (lambda tx, lot: tx.stage_lot_update("BTC", lot, quantity=2), "lots_mismatch"),
        (lambda tx, lot: tx.stage_lot_update("BTC", "nobody", cost=2), "unknown_lot"),
        (lambda tx, lot: tx.stage_lot_remove("BTC", "nobody"), "unknown_lot"),
        (lambda tx, lot: tx.stage_lot_add("BTC", 1, cost=1, lot_id=lot), "unknown_lot"),
    ],
)
def test_lots_that_do_not_add_up_are_discarded(edit, reason):
    portfolio, (first, _) = two_lots()
    before = state(portfolio)
    with portfolio.transaction("100000", validation_epsilon=10**6) as tx:
        edit(tx, first)
        assert not tx.commit({"BTC": 50000})
    assert tx.reason == reason
    assert state(portfolio) == before


def test_what_is_not_there_cannot_leave():
    portfolio = book()
    before = state(portfolio)
    with portfolio.transaction("100000") as tx:
        tx.stage_position_delta("BTC", "-1", entry_price=1)
        assert not tx.commit({"BTC": 1})
    assert (tx.reason, state(portfolio)) == ("oversold", before)


@pytest.mark.parametrize("source", [FactSource.VENUE, FactSource.EVENTS])
def test_nor_from_an_account_that_is_not_strict(source):
    terms = Terms(base="USD", accounts=(Account("kraken:main", source),))
    portfolio = opened(terms=terms)
    with portfolio.transaction("0", account="kraken:main") as tx:
        tx.stage_position_delta("BTC", "-1", entry_price=1)
        assert not tx.commit({"BTC": 1})
    assert tx.reason == "oversold"
    assert not portfolio.book().holdings


def test_a_wrong_claim_is_shown_and_discards_only_when_strict():
    portfolio = book()
    for strict, is_good in ((True, False), (False, True)):
        with portfolio.transaction("100000", strict=strict) as tx:
            tx.stage_cash_delta("1")
            tx.stage_realized_pnl_delta("5")
            assert tx.commit({}) is is_good
        assert reviewed(tx).claim_difference == 5
    assert portfolio.transaction_counts().discards == {"claim_differs": 1}


# Against what


def test_remarked_counts_only_what_nothing_explains():
    portfolio = book()
    options = {"against": "remarked"}
    with portfolio.transaction(**options) as tx:
        tx.stage_cash_delta("-50000")
        tx.stage_position_delta("BTC", 1, entry_price=50000)
        assert tx.commit({"BTC": 50000})
    with portfolio.transaction(**options) as tx:  # the price doubles: nothing is unexplained
        tx.stage_cash_delta("700", fees="3", declared=True)
        seen = tx.review({"BTC": 100000})
        assert (seen.previous_equity, seen.total, seen.delta) == (150000, 150697, 3)
        assert tx.commit({"BTC": 100000})
    with portfolio.transaction(**options) as tx:
        tx.stage_cash_delta("700")
        assert not tx.commit({"BTC": 100000})
    assert (tx.rules.against, tx.reason) == (Against.REMARKED, "validation_failed")


def test_without_a_previous_equity_the_last_transaction_is_what_counts():
    portfolio = book()
    with portfolio.transaction() as tx:
        tx.stage_cash_delta("-50000")
        tx.stage_position_delta("BTC", 1, entry_price=50000)
        assert tx.commit({"BTC": 50010})
    assert reviewed(tx).previous_equity == 100000
    with portfolio.transaction() as tx:
        assert tx.commit({"BTC": 50010})
    assert (reviewed(tx).previous_equity, reviewed(tx).delta) == (100010, 0)
    assert portfolio.desk.head.version == 2  # nothing was staged: nothing is recorded


def test_the_store_tells_the_latest_equity_to_its_own_session_alone():
    portfolio = book()
    told = portfolio.desk.store.get_latest_cash_equity("main")
    assert told is not None
    assert (told["cash"], told["total_equity"], told["version"]) == (100000, 100000, 1)
    assert portfolio.desk.store.get_latest_cash_equity("other") is None
    assert opened().desk.store.get_latest_cash_equity("main") is None


# Life


def test_after_the_end_nothing_can_be_staged_or_committed():
    portfolio = book()
    tx = portfolio.transaction("100000")
    with pytest.raises(TransactionOver):
        tx.stage_cash_delta(1)
    with tx:
        assert tx.commit({})
        for late in (lambda: tx.commit({}), lambda: tx.stage_cash_delta(1), tx.rollback, tx.nested):
            with pytest.raises(TransactionOver):
                late()
    with pytest.raises(TransactionOver), tx:
        pass


def test_a_block_without_a_commit_changes_nothing_and_says_so(caplog):
    portfolio = book()
    before = state(portfolio)
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta(1)
    assert caplog.messages == ["PORTFOLIO_DISCARD: reason=rolled_back Δ=unknown, ε=$10.00"]
    with portfolio.transaction("100000"):
        pass  # nothing staged, nothing to tell
    assert len(caplog.messages) == 1
    assert (tx.reason, state(portfolio)) == ("rolled_back", before)


def test_rollback_ends_it():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta(1)
        tx.rollback()
        with pytest.raises(TransactionOver, match="has ended: discarded"):
            tx.commit({})


def test_async_with_is_the_same():
    portfolio = book()

    async def cycle():
        async with portfolio.transaction("100000") as tx:
            tx.stage_cash_delta(1)
            await asyncio.sleep(0)
            return tx.commit({})

    async def broken():
        async with portfolio.transaction("100001") as tx:
            tx.stage_cash_delta(1)
            raise LookupError

    assert asyncio.run(cycle())
    before = state(portfolio)
    with pytest.raises(LookupError):
        asyncio.run(broken())
    assert state(portfolio) == before


def test_of_two_tasks_the_second_comes_too_late():
    portfolio = book()

    async def cycle():
        async with portfolio.transaction("100000") as tx:
            tx.stage_cash_delta(1)
            await asyncio.sleep(0)
            return tx.commit({})

    async def both():
        return await asyncio.gather(cycle(), cycle(), return_exceptions=True)

    first, second = asyncio.run(both())
    assert first is True
    assert isinstance(second, StaleVersion)
    assert portfolio.desk.head.version == 2


def test_review_writes_nothing_and_says_what_commit_does():
    portfolio = book()
    before = state(portfolio), portfolio.desk.store.memos()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("-500")
        tx.stage_position_delta("BTC", "0.01", entry_price=50000)
        seen = tx.review({"BTC": 50000})
        assert (state(portfolio), portfolio.desk.store.memos()) == before
        assert tx.commit({"BTC": 50000})
    assert seen == reviewed(tx)
