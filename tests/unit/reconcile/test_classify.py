"""Classify: what explains a break, what stays unknown, and in which order they come."""

from decimal import Decimal

import msgspec

from bursar.ledger.entries import (
    CashFlow,
    Fee,
    FlowKind,
    Reversal,
)
from bursar.ledger.terms import Terms
from bursar.reconcile import (
    Kind,
    Where,
)
from tests.unit.reconcile.venues import (
    ACCOUNT,
    DAY,
    K,
    Venue,
    accepted,
    bare,
    closes,
    found,
    of,
    only,
    shifts,
    timeline_of,
    without,
)

D = Decimal


def test_an_entry_by_hand_explains_the_gap_in_whose_time_it_lies(venue):
    gone = of(venue, K.WITHDRAWAL)[2]
    entry = CashFlow(
        id=f"{ACCOUNT}:by-hand",
        executed_at=gone.executed_at,
        account=ACCOUNT,
        kind=FlowKind.WITHDRAWAL,
        asset="XBT",
        amount=gone.amount,
        fees=(Fee("XBT", gone.fee),),
    )
    rows = [*without(venue.rows, gone), entry]
    assert found(venue.statement(), rows).is_clean
    wrong = msgspec.structs.replace(entry, fees=())
    one = only(found(venue.statement(), [*without(venue.rows, gone), wrong]))
    assert shifts(one) == {("XBT", -gone.fee)}
    assert entry.id in one.evidence


def test_entries_at_another_time_close_the_sum_all_the_same(venue):
    gone = of(venue, K.WITHDRAWAL)[2]
    entry = CashFlow(
        id=f"{ACCOUNT}:by-hand",
        executed_at=gone.executed_at + 30 * DAY,
        account=ACCOUNT,
        kind=FlowKind.WITHDRAWAL,
        asset="XBT",
        amount=gone.amount - gone.fee,
    )
    assert found(venue.statement(), [*without(venue.rows, gone), entry]).is_clean


def test_a_row_taken_back_by_hand_is_said(venue):
    row = of(venue, K.DEPOSIT)[2]
    back = Reversal(
        id=f"{ACCOUNT}:back",
        executed_at=row.executed_at,
        account=ACCOUNT,
        target=row.id,
        void=True,
    )
    one = only(found(venue.statement(), [*venue.rows, back]))
    assert (one.kind, one.target) == (Kind.UNKNOWN, None)
    assert "taken back by hand" in one.reason


def test_an_unexplained_balance_is_unknown_and_lies_after_the_last_row(venue):
    statement = venue.statement(XBT="0.01")
    result = found(statement, venue.rows)
    one = only(result)
    last = [row for row in venue.rows if row.asset == "XBT"][-1]
    assert (one.kind, one.place.where, one.place.before) == (Kind.UNKNOWN, Where.END, last.id)
    (entry,) = result.proposals[0].entries
    assert (entry.kind, entry.amount) == (FlowKind.ADJUSTMENT, D("0.01"))
    assert closes(venue.rows, result, statement)


def test_what_was_accepted_once_is_proposed_under_another_id_the_next_time(venue):
    first = found(venue.statement(XBT="0.01"), venue.rows)
    line = accepted(venue.rows, first)
    second = found(venue.statement(XBT="0.02"), venue.rows, line=line)
    assert only(second).shifts[0].amount == D("0.01")
    assert second.proposals[0].entries[0].id == f"{first.proposals[0].entries[0].id}-2"


def test_without_running_balances_nothing_is_located(venue, trade):
    assert found(venue.statement(), bare(venue.rows)).is_clean
    one = only(found(venue.statement(XBT="0.01"), bare(venue.rows)))
    assert (one.kind, one.place.where) == (Kind.UNKNOWN, Where.NOWHERE)
    fill = only(found(venue.statement(), bare(without(venue.rows, *trade))))
    assert (fill.kind, fill.place.where) == (Kind.MISSING_FILL, Where.NOWHERE)


def test_the_book_may_assume_what_the_balances_deny():
    venue = Venue()
    venue.deposit("EUR", "10.0000")
    venue.later().withdraw("EUR", "30.0000")
    venue.later().deposit("EUR", "50.0000")
    result = found(venue.statement(), venue.rows)
    one = only(result)
    assert (one.kind, one.place.where) == (Kind.UNKNOWN, Where.START)
    assert result.proposals == ()


def test_breaks_come_in_the_order_of_their_time(venue, trade):
    rows = without(venue.rows, *trade, of(venue, K.WITHDRAWAL)[1], of(venue, K.REWARD)[5])
    kinds = [each.kind for each in found(venue.statement(XBT="0.5"), rows).breaks]
    assert kinds == [Kind.MISSING_FLOW, Kind.MISSING_FILL, Kind.REWARD, Kind.UNKNOWN]


def test_a_book_in_another_base_currency_is_no_other(venue, trade):
    terms = Terms(base="EUR")
    line = timeline_of(without(venue.rows, *trade), terms)
    assert only(found(venue.statement(), [], line=line)).kind is Kind.MISSING_FILL


def test_a_pocket_that_the_venue_never_names_may_be_its_main_one():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().deposit("ETH.S", "5.0000000000")
    venue.later().move("DOT", "DOT.F", "800.0000000000")
    pooled = [
        msgspec.structs.replace(each, pocket=None if each.pocket == "auto-earn" else each.pocket)
        for each in venue.statement().holdings
    ]
    statement = msgspec.structs.replace(venue.statement(), holdings=tuple(pooled))
    result = found(statement, bare(venue.rows))
    assert (result.is_clean, result.comparison.knows_pockets) == (True, True)
