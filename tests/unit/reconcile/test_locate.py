"""Locate: the first row at which the venue's own balances stop adding up."""

from decimal import Decimal

import msgspec

from bursar.ledger import instant
from bursar.reconcile.locate import follow
from tests.unit.reconcile.venues import DAY, HOUR, K, Venue, busy, changed, without

D = Decimal


def dollars(*amounts, step=HOUR):
    venue = Venue()
    for amount in amounts:
        venue.later(step).row(K.DEPOSIT if D(amount) > 0 else K.WITHDRAWAL, "USD", amount)
    return venue.rows


def gaps(rows):
    return [
        (gap.before.id[-1], gap.after.id[-1], gap.amount)
        for trail in follow(rows)
        for gap in trail.gaps
    ]


def test_a_whole_chain_has_no_gap():
    assert all(not trail.gaps for trail in follow(busy().rows))


def test_a_missing_row_is_a_gap_between_its_neighbours():
    rows = dollars("100", "20", "-5", "7")
    assert gaps(without(rows, rows[1])) == [("1", "3", D(20))]
    assert gaps(without(rows, rows[1], rows[2])) == [("1", "4", D(15))]


def test_two_gaps_of_one_chain_are_two():
    rows = dollars("100", "20", "-5", "7", "9")
    assert gaps(without(rows, rows[1], rows[3])) == [("1", "3", D(20)), ("3", "5", D(7))]


def test_a_chain_that_begins_late_says_what_was_there():
    rows = dollars("100", "20", "-5")
    (trail,) = follow(rows[1:])
    assert (trail.first, trail.last, trail.gaps) == (D(100), D(115), ())


def test_rows_of_one_second_are_put_in_the_order_in_which_they_follow():
    rows = dollars("100", "20", "-5", "7", step=0)
    mixed = [msgspec.structs.replace(row, sequence=0) for row in (rows[2], rows[0], rows[3])]
    assert gaps([*mixed, msgspec.structs.replace(rows[1], sequence=9)]) == []


def test_a_gap_inside_one_second_is_found():
    rows = dollars("100", "20", "-5", "7", step=0)
    found = gaps(without(rows, rows[2]))
    assert [amount for _, _, amount in found] == [D(-5)]


def test_times_of_whole_seconds_and_finer_ones_stand_in_one_second():
    rows = dollars("100", "20", "-5", step=100_000_000)
    coarse = msgspec.structs.replace(rows[2], executed_at=rows[2].executed_at // 10**9 * 10**9)
    assert gaps([*rows[:2], coarse]) == []


def test_a_row_told_twice_is_stray():
    rows = dollars("100", "20", "-5", "7")
    copy = msgspec.structs.replace(rows[1], id="kraken:main:copy")
    (trail,) = follow([*rows, copy])
    (gap,) = trail.gaps
    assert gap.amount == D(-20)
    assert gap.stray in (rows[1], copy)


def test_a_last_row_told_twice_is_stray():
    rows = dollars("100", "20")
    copy = msgspec.structs.replace(rows[1], id="kraken:main:copy")
    (trail,) = follow([*rows, copy])
    assert (trail.gaps[0].amount, trail.last) == (D(-20), D(120))
    assert trail.gaps[0].stray is copy


def test_a_row_of_another_chain_is_stray_even_without_a_twin():
    rows = dollars("100", "20", "-5")
    foreign = msgspec.structs.replace(
        rows[1], id="kraken:main:f", executed_at=rows[1].executed_at + 1, amount=D(3), balance=D(9)
    )
    (gap,) = follow([*rows, foreign])[0].gaps
    assert (gap.stray, gap.amount) == (foreign, D(-3))


def test_a_row_that_undoes_one_before_it_is_missing_and_not_stray():
    rows = dollars("100", "-40", "40", "7")
    assert gaps(without(rows, rows[2])) == [("2", "4", D(40))]
    assert follow(without(rows, rows[2]))[0].gaps[0].stray is None


def test_the_deposit_that_a_withdrawal_spends_is_missing_and_the_withdrawal_not_stray():
    rows = dollars("100", "40", "-40", "7")
    (gap,) = follow(without(rows, rows[1]))[0].gaps
    assert (gap.amount, gap.stray) == (D(40), None)


def test_a_row_without_a_balance_is_passed_over():
    rows = dollars("100", "20", "-5", "7")
    bare = changed(rows, rows[1], balance=None)
    assert gaps(bare) == []
    lost = without(bare, rows[2])
    assert [amount for _, _, amount in gaps(lost)] == [D(-5)]
    (trail,) = follow(changed(rows, rows[3], balance=None))
    assert trail.last == D(122)
    (trail,) = follow(changed(rows, rows[0], balance=None))
    assert trail.first == D(0)


def test_rows_without_any_balance_have_no_chain():
    assert follow([msgspec.structs.replace(row, balance=None) for row in dollars("1", "2")]) == []


def test_bare_rows_of_one_second_keep_their_order():
    rows = dollars("100", "20", "-5", "7", step=0)
    assert gaps(changed(rows, rows[1], balance=None)) == []


def pockets(*moves):
    """Rows of one code in several pockets, whose balances run pocket by pocket."""
    has: dict[str, Decimal] = {}
    rows = []
    venue = Venue()
    for pocket, amount in moves:
        row = venue.later(DAY).deposit("DOT", amount)
        has[pocket] = has.get(pocket, D(0)) + D(amount)
        kept = None if pocket == "main" else pocket
        rows.append(msgspec.structs.replace(row, balance=has[pocket], pocket=kept))
    return rows


def test_a_chain_may_run_pocket_by_pocket():
    rows = pockets(("main", "10"), ("staked", "5"), ("main", "1"), ("staked", "2"), ("main", "3"))
    trails = follow(rows)
    assert [(trail.pocket, trail.last, trail.gaps) for trail in trails] == [
        ("main", D(14), ()),
        ("staked", D(7), ()),
    ]


def test_a_chain_over_all_pockets_stays_one():
    venue = Venue()
    for pocket, amount in (("main", "10"), ("staked", "5"), ("main", "1")):
        venue.later(DAY).deposit("DOT", amount)
        venue.rows[-1] = msgspec.structs.replace(venue.rows[-1], pocket=pocket)
    (trail,) = follow(venue.rows)
    assert (trail.pocket, trail.last) == (None, D(16))
    (trail,) = follow(without(venue.rows, venue.rows[1]))
    assert [gap.amount for gap in trail.gaps] == [D(5)]


def test_a_pocket_of_which_no_row_states_a_balance_has_no_chain_of_its_own():
    rows = pockets(("main", "10"), ("staked", "5"), ("main", "1"))
    bare = changed(rows, rows[1], balance=None)
    (trail,) = follow(bare)
    assert [gap.amount for gap in trail.gaps] == [D(-5)]


def test_the_time_of_a_gap_is_told_by_its_rows():
    rows = dollars("100", "20", "-5")
    gap = follow(without(rows, rows[1]))[0].gaps[0]
    assert gap.after.executed_at - gap.before.executed_at == 2 * HOUR
    assert instant.show(gap.before.executed_at) == "2026-01-01T01:00:00Z"
