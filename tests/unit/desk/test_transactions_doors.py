"""What bots say to a transaction that could not be stored, or read back; in which currency."""

from decimal import Decimal

import pytest

from bursar.errors import BadChoice
from bursar.ledger.terms import Terms
from bursar.portfolio import hand
from tests.unit.desk.cycles import book, reviewed
from tests.unit.portfolio.places import Clock, opened


@pytest.mark.parametrize(
    "stage",
    [
        lambda tx: tx.stage_lot_add("BTC", 1, cost=5, lot_id=7),
        lambda tx: tx.stage_lot_remove("BTC", "a\x00b"),
        lambda tx: tx.stage_position_delta("BTC", 1, strategy=7),
        lambda tx: tx.stage_position_delta("BTC", 1, strategy="\ud800"),
        lambda tx: tx.stage_position_delta("B\x00C", 1),
        lambda tx: tx.stage_position_delta(None, 1),
        lambda tx: tx.commit([("BTC", 5)]),
        lambda tx: tx.commit({5: 5}),
    ],
)
def test_what_could_not_be_read_back_is_refused_at_the_door(stage):
    portfolio = book()
    with portfolio.transaction() as tx:
        with pytest.raises(BadChoice):
            stage(tx)
        assert tx.commit({})
    assert portfolio.verify().is_sound


def test_no_tries_are_refused():
    with pytest.raises(BadChoice, match="below zero"):
        book().transact(lambda tx: tx.stage_cash_delta(1), {}, retry_stale=-1)


def test_a_symbol_in_small_letters_is_the_same_staged_and_marked():
    with book().transaction("100000") as tx:
        tx.stage_cash_delta(-5)
        tx.stage_position_delta("btc/usdt", 1)
        assert tx.commit({"btc-usdt": 5})


def test_a_clock_that_was_set_back_is_named_where_it_makes_a_sale_impossible():
    clock = Clock()
    portfolio = book(clock=clock)
    with portfolio.transaction() as tx:
        tx.stage_cash_delta(-5)
        tx.stage_position_delta("BTC", 1, entry_price=5)
        assert tx.commit({"BTC": 5})
    clock.at -= 60 * 10**9
    with portfolio.transaction() as tx:
        tx.stage_cash_delta(5)
        tx.stage_position_delta("BTC", -1, entry_price=5)
        assert not tx.commit({"BTC": 5})
    assert tx.reason == "oversold"
    assert reviewed(tx).detail.endswith("see the clock")


def test_a_rebate_is_a_fee_below_zero_and_brings_cash():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("-50000", fees="-5.25")
        tx.stage_position_delta("BTC", 1, entry_price=50000)
        tx.stage_cash_delta(0, fees="1.25")
        assert tx.commit({"BTC": 50000})
    # −50000 + 5.25 − 1.25 in cash, 50000 in coins: 4 more than before, realised at once.
    seen = reviewed(tx)
    assert (seen.cash, seen.total, seen.delta, seen.realized) == (50004, 100004, 4, 0)
    assert portfolio.pnl()[0].pnl.total.realized == 4
    assert portfolio.fees().total == -4
    assert portfolio.verify().is_sound


def test_a_repeat_of_what_was_taken_back_says_so_until_that_is_taken_back():
    portfolio = book()

    def cycle():
        with portfolio.transaction(100000, idempotency_key="k") as tx:
            tx.stage_cash_delta("0.5")
            seen = tx.review({}).taken_back_by
            assert tx.commit({})
            assert reviewed(tx).taken_back_by == seen
        return tx.is_repeat, seen

    assert (cycle(), cycle()) == ((False, None), (True, None))
    portfolio.reverse("tx-k")
    gone = hand.reversed_(portfolio.desk, "tx-k").id
    assert cycle() == (True, gone)
    portfolio.reverse(gone)
    assert cycle() == (True, None)


@pytest.mark.parametrize("base, allowed", [("XBT", "0.000001"), ("JPY", "100")])
def test_epsilon_is_as_little_in_every_base_currency(base, allowed):
    with opened(terms=Terms(base=base)).transaction("0") as tx:
        tx.stage_cash_delta("100.5")
        assert tx.review({}).epsilon == Decimal(allowed)
        assert not tx.commit({})
