"""The running balance finds lost rows, and the order inside a second."""

from decimal import Decimal
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bursar.venue.kraken.chain import Break, verify
from bursar.venue.kraken.rows import LedgerRow


def row(txid, at, amount, balance, *, code="EUR", wallet="", fee="0"):
    return LedgerRow(
        txid=txid,
        refid="",
        executed_at=at,
        type="trade",
        subtype="",
        code=code,
        wallet=wallet,
        amount=Decimal(amount),
        fee=Decimal(fee),
        balance=None if balance is None else Decimal(balance),
    )


def test_rows_that_follow_have_no_breaks():
    rows = [row("a", 1, "10", "10"), row("b", 2, "-3", "6.5", fee="0.5"), row("c", 3, "1", "7.50")]
    assert verify(rows).breaks == ()


def test_the_first_row_of_a_code_may_start_anywhere():
    assert verify([row("a", 1, "10", "110"), row("b", 2, "1", "111")]).breaks == ()


def test_the_first_row_that_does_not_follow_is_named():
    rows = [row("a", 1, "1", "1"), row("b", 2, "1", "3"), row("c", 3, "1", "9")]
    assert verify(rows).breaks == (Break(1, Decimal(2)), Break(2, Decimal(4)))


def test_codes_run_apart_and_long_names_are_the_short_ones():
    rows = [
        row("a", 1, "1", "1", code="DOT"),
        row("b", 2, "5", "5", code="DOT.S"),
        row("c", 3, "1", "2", code="DOT"),
        row("d", 4, "2", "2", code="XXBT"),
        row("e", 5, "2", "4", code="BTC"),
    ]
    assert verify(rows).breaks == ()


def test_rows_of_one_second_find_their_order_whatever_the_file_says():
    rows = [row("a", 1, "10", "10")] + [
        row(name, 2, amount, balance)
        for name, amount, balance in [("b", "-1", "9"), ("c", "5", "14"), ("d", "-2", "12")]
    ]
    for order in permutations(rows[1:]):
        shuffled = [rows[0], *order]
        found = verify(shuffled)
        assert found.breaks == ()
        ranks = {each.txid: rank for each, rank in zip(shuffled, found.ranks, strict=True)}
        assert ranks == {"a": 0, "b": 0, "c": 1, "d": 2}


def test_the_order_is_found_without_a_balance_to_start_from():
    rows = [row("b", 1, "5", "14"), row("c", 1, "-2", "12"), row("a", 1, "-1", "9")]
    found = verify(rows)
    assert found.breaks == ()
    assert found.ranks == (1, 2, 0)


def test_rows_that_end_where_they_began_have_an_order_too():
    rows = [row("b", 1, "-5", "10"), row("a", 1, "5", "15"), row("c", 1, "0", "10")]
    assert verify(rows).breaks == ()


def test_rows_out_of_order_in_time_follow_once_sorted():
    rows = [row("c", 3, "1", "3"), row("a", 1, "1", "1"), row("b", 2, "1", "2")]
    assert verify(rows).breaks == ()


def test_without_balances_there_is_nothing_to_check():
    found = verify([row("a", 1, "1", None), row("b", 1, "9", None)])
    assert (found.breaks, found.ranks) == ((), (0, 1))


def test_a_balance_that_runs_per_wallet_is_recognised():
    spot, earn = "spot / main", "earn / flexible"
    rows = [
        row("a", 1, "10", "10", wallet=spot),
        row("b", 2, "-4", "6", wallet=spot),
        row("c", 3, "4", "4", wallet=earn),
        row("d", 4, "1", "7", wallet=spot),
        row("e", 5, "0.1", "4.1", wallet=earn),
    ]
    assert verify(rows).breaks == ()


def test_a_lost_row_is_not_hidden_by_taking_the_wallets_apart():
    spot, earn = "spot / main", "earn / bonded"
    rows = [
        row("a", 1, "10", "10", wallet=spot, code="DOT"),
        row("b", 2, "-10", "0", wallet=spot, code="DOT"),
        # lost: the ten arriving in the bonded wallet
        row("d", 4, "1", "11", wallet=earn, code="DOT"),
        row("e", 5, "320", "320", wallet=spot, code="ALGO"),
        row("f", 6, "1", "321", wallet=earn, code="ALGO"),
    ]
    assert verify(rows).breaks == (Break(2, Decimal(1)),)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(-9, 9), st.integers(0, 2)), min_size=1, max_size=25
    ),
    st.randoms(),
)
def test_any_shuffle_of_a_true_history_follows(steps, random):
    balance, rows = Decimal(1000), []
    at = 0
    for number, (wait, amount, fee) in enumerate(steps):
        at += wait
        balance += amount - fee
        rows.append(row(f"{number:03}", at, str(amount), str(balance), fee=str(fee)))
    random.shuffle(rows)
    assert verify(rows).breaks == ()


@given(st.lists(st.integers(1, 9), min_size=3, max_size=12), st.data())
def test_a_lost_row_inside_is_always_seen(amounts, data):
    balance, rows = Decimal(0), []
    for at, amount in enumerate(amounts):
        balance += amount
        rows.append(row(f"{at}", at, str(amount), str(balance)))
    lost = data.draw(st.integers(1, len(rows) - 2))
    del rows[lost]
    (only,) = verify(rows).breaks
    assert only.place == lost
