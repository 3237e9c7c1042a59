"""The running balance finds lost rows, and the order inside a second."""

from decimal import Decimal
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bursar.venue.kraken.chain import Break, carry_on, verify
from bursar.venue.kraken.rows import LedgerRow


def row(txid, at, amount, balance, *, code="EUR", wallet="", fee="0", refid=""):
    return LedgerRow(
        txid=txid,
        refid=refid,
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


# Rows that come in stretches


@st.composite
def histories(draw):
    """Rows of two codes whose balances follow, many in one instant."""
    left, at, found = {"EUR": Decimal(0), "XBT": Decimal(0)}, 0, []
    for number in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([0, 0, 1]))
        code = draw(st.sampled_from(sorted(left)))
        moved = Decimal(draw(st.integers(-3, 3)))
        left[code] += moved
        name = f"{draw(st.integers(0, 99)):02}-{number}"
        found.append(row(name, at, str(moved), str(left[code]), code=code))
    return sorted(found, key=lambda each: (each.executed_at, each.txid))


def stretches(rows, cuts):
    """The ranks and balances of rows that come in parts; no instant is cut apart."""
    ranks: list[int] = []
    left: dict[str, Decimal] = {}
    start = 0
    ends = [
        place
        for place in range(1, len(rows))
        if place in cuts and rows[place].executed_at != rows[place - 1].executed_at
    ]
    for end in [*ends, len(rows)]:
        found = carry_on(rows[start:end], left)
        assert found.breaks == ()
        ranks += found.ranks
        left, start = found.balances, end
    return ranks, left


@given(histories(), st.sets(st.integers(1, 25)))
def test_where_a_history_is_cut_changes_no_rank(rows, cuts):
    assert stretches(rows, cuts) == stretches(rows, set())


def test_a_stretch_that_does_not_follow_the_one_before_breaks_at_its_first_row():
    found = carry_on([row("b", 2, "1", "3")], {"EUR": Decimal(1)})
    assert found.breaks == (Break(0, Decimal(2)),)
    assert found.balances == {"EUR": Decimal(3)}


def test_a_code_that_nothing_is_known_of_may_start_anywhere():
    found = carry_on([row("b", 2, "1", "30"), row("c", 3, "1", "31")], {})
    assert found.breaks == ()


def test_a_code_starts_from_nothing_where_its_first_instant_can():
    """There and back in one instant: from 0 to 5 and back, or from 5 to 0 and back."""
    rows = [row("a", 1, "-5", "0"), row("b", 1, "5", "5")]
    assert carry_on(rows, {}).ranks == (1, 0)
    assert carry_on(rows, {"EUR": Decimal(5)}).ranks == (0, 1)


def test_a_gap_inside_an_instant_is_named_behind_it():
    rows = [
        row("c", 2, "1", "1"),
        row("b", 2, "1", "2"),
        row("a", 2, "1", "4"),  # the one to 3 is lost
        row("d", 2, "1", "5"),
    ]
    found = carry_on(rows, {"EUR": Decimal(0)})
    assert found.breaks == (Break(2, Decimal(3)),)


# The order of events that several codes tell of


def test_what_was_first_in_one_code_is_first_in_every_other():
    """Money buys coins and the coins buy others, in one instant; ids say the opposite."""
    rows = [
        row("z1", 1, "-4", "6", refid="Z"),
        row("z2", 1, "2", "2", code="XBT", refid="Z"),
        row("m1", 1, "-2", "0", code="XBT", refid="M"),
        row("m2", 1, "8", "8", code="ETH", refid="M"),
        row("a1", 1, "-8", "0", code="ETH", refid="A"),
        row("a2", 1, "9", "9", code="SOL", refid="A"),
        row("b", 1, "5", "5", code="ADA", refid="B"),
    ]
    for order in permutations(rows[2:]):
        shuffled = [*order, *rows[:2]]
        found = verify(shuffled).ranks
        assert carry_on(shuffled, {"EUR": Decimal(10)}).ranks == found
        told = {each.txid: rank for each, rank in zip(shuffled, found, strict=True)}
        assert told == {"z1": 0, "z2": 0, "m1": 1, "m2": 1, "a1": 2, "a2": 2, "b": 0}


def test_an_event_of_several_rows_of_a_code_leaves_room_for_them():
    rows = [
        row("a", 1, "-1", "9", refid="A"),
        row("b", 1, "-2", "7", refid="A"),
        row("c", 1, "4", "11", refid="C"),
    ]
    assert verify(rows).ranks == (0, 1, 2)


def test_events_that_each_seem_to_be_first_keep_their_rows_in_order():
    rows = [
        row("a1", 1, "1", "1", refid="A"),
        row("b1", 1, "1", "2", refid="B"),
        row("b2", 1, "1", "1", code="XBT", refid="B"),
        row("a2", 1, "1", "2", code="XBT", refid="A"),
    ]
    assert verify(rows).ranks == (0, 1, 1, 0)


def test_what_only_follows_a_circle_keeps_its_place_behind_it():
    """B and C each seem to be first; A, first by name, comes behind B."""
    rows = [
        row("b1", 1, "1", "1", refid="B"),
        row("c1", 1, "1", "2", refid="C"),
        row("c2", 1, "1", "1", code="XBT", refid="C"),
        row("b2", 1, "1", "2", code="XBT", refid="B"),
        row("b3", 1, "1", "1", code="ETH", refid="B"),
        row("a1", 1, "1", "2", code="ETH", refid="A"),
    ]
    for order in permutations(rows):
        found = verify(order).ranks
        told = {each.txid: rank for each, rank in zip(order, found, strict=True)}
        assert told == {"b1": 0, "c1": 1, "c2": 1, "b2": 0, "b3": 0, "a1": 1}, order


@st.composite
def instants(draw):
    """Events of one instant, each of one to three codes, whose balances never come again."""
    left = dict.fromkeys(("EUR", "XBT", "ETH", "ADA"), Decimal(0))
    found = []
    for number in range(draw(st.integers(2, 8))):
        name = f"{draw(st.integers(0, 99)):02}-{number}"
        for code in draw(st.sets(st.sampled_from(sorted(left)), min_size=1, max_size=3)):
            moved = Decimal(draw(st.integers(1, 3)))
            left[code] += moved
            told = {"code": code, "refid": name}
            found.append(row(f"{name}-{code}", 1, str(moved), str(left[code]), **told))
    return found


@given(instants(), st.randoms(use_true_random=False), st.sets(st.sampled_from(["EUR", "XBT"])))
def test_events_in_order_of_their_ranks_follow_in_every_code(rows, chance, unseen):
    shuffled = chance.sample(rows, len(rows))
    found = dict(zip((each.txid for each in shuffled), verify(shuffled).ranks, strict=True))
    part = [each for each in shuffled if each.code not in unseen]
    less = dict(zip((each.txid for each in part), verify(part).ranks, strict=True))
    ranks = {name: max(rank, less.get(name, 0)) for name, rank in found.items()}
    first: dict[str, int] = {}
    for each in rows:
        first[each.refid] = min(first.get(each.refid, ranks[each.txid]), ranks[each.txid])
    for code in {each.code for each in rows}:
        own = [first[each.refid] for each in rows if each.code == code]
        assert own == sorted(set(own))
