"""Ours: what the book says of one account at the statement's instant."""

from decimal import Decimal

import msgspec

from bursar.ledger.entries import CashFlow, Fill, FlowKind, Reversal, Side, Source, Transfer
from bursar.ledger.planning import planned
from bursar.reconcile import Kind, Verdict, compare, ours_of
from bursar.reconcile.ours import joined
from tests.unit.reconcile.venues import (
    ACCOUNT,
    DAY,
    START,
    K,
    Venue,
    accepted,
    changed,
    found,
    marks,
    only,
    timeline_of,
    without,
)

D = Decimal


def test_a_book_that_has_gone_on_is_taken_back_to_the_statement():
    venue = Venue()
    venue.deposit("USD", "100.0000")
    statement = venue.statement()
    venue.later(DAY).deposit("USD", "50.0000")
    line = timeline_of(venue.rows)
    ours = ours_of(line, ACCOUNT, statement.as_of)
    assert compare(statement, ours, marks=marks()).verdict is Verdict.EQUAL
    assert [row.amount for row in ours.rows] == [D(100)]
    assert line.book.owned(ACCOUNT, "USD") == D(150)
    assert found(statement, [], line=line).is_clean


def test_what_two_sources_say_of_a_row_is_one_row():
    venue = Venue()
    row = venue.deposit("USD", "100.0000")
    finer = msgspec.structs.replace(row, executed_at=row.executed_at + 5, label="deposit")
    (one,) = joined([row, finer])
    assert (one.executed_at, one.label) == (row.executed_at + 5, "deposit")
    claimed = msgspec.structs.replace(row, source=Source.CLAIM, amount=D(7))
    assert joined([claimed, row]) == [row]


def test_only_what_touches_the_account_is_ours():
    venue = Venue()
    venue.deposit("XBT", "2.0000000000")
    cold = CashFlow(
        id="cold:in",
        executed_at=START,
        account="cold:wallet",
        kind=FlowKind.DEPOSIT,
        asset="XBT",
        amount=D(1),
    )
    out = msgspec.structs.replace(cold, id="cold:out", kind=FlowKind.WITHDRAWAL, amount=D(-1))
    moved = Transfer(
        id="cold:move",
        executed_at=START,
        account="cold:wallet",
        asset="XBT",
        quantity=D("0.25"),
        to_account=ACCOUNT,
    )
    line = timeline_of([*venue.rows, cold, moved, out])
    ours = ours_of(line, ACCOUNT, START + DAY)
    assert {fact.id for fact in ours.facts} == {"cold:move", venue.rows[0].id}
    assert [flow.id for flow in ours.elsewhere] == ["cold:out"]
    assert {"cold:in", "cold:out", "cold:move"} <= ours.known


def test_what_is_not_settled_is_said():
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    legs = venue.later().trade("XBT", "0.0100000000", "USD", "500.0000")
    told = Fill(
        id=f"{ACCOUNT}:T9",
        executed_at=venue.at,
        account=ACCOUNT,
        source=Source.TRADES,
        base="ETH",
        quote="USD",
        side=Side.SELL,
        quantity=D("0.1"),
        amount=D(250),
    )
    result = found(venue.statement(), [venue.rows[0], legs[0], told])
    assert [(each.what, each.asset) for each in result.underway] == [
        ("told by the trade history alone", "ETH"),
        ("one side of a trade whose other is not here", "USD"),
    ]
    assert str(result.underway[0]) == f"0.1 ETH told by the trade history alone ({ACCOUNT}:T9)"


def test_two_halves_of_moves_on_their_way_are_told_without_a_name():
    venue = Venue()
    venue.deposit("DOT", "10.0000000000")
    for amount in ("1.0000000000", "2.0000000000"):
        venue.later().row(K.INTERNAL, "DOT", f"-{amount}")
    result = found(venue.statement(), venue.rows)
    assert result.is_clean
    assert [str(each) for each in result.underway] == ["3 DOT between two pockets"]


def test_an_entry_that_is_too_many_explains_nothing_of_what_else_is_missing():
    venue = Venue()
    venue.deposit("USD", "10000.0000")
    venue.later().trade("XBT", "0.02", "USD", "1000.0000", fee="2.6000")
    gone = venue.later().withdraw("USD", "500.0000")
    venue.later().trade("XBT", "0.02", "USD", "1000.0000", fee="2.6000")
    claim = Fill(
        id="manual:slip",
        executed_at=gone.executed_at - 1,
        account=ACCOUNT,
        base="XBT",
        quote="USD",
        side=Side.BUY,
        quantity=D("0.008"),
        amount=D(400),
    )
    rows = [*without(venue.rows, gone), claim]
    result = found(venue.statement(), rows)
    told = {each.kind: {s.asset: s.amount for s in each.shifts} for each in result.breaks}
    assert told == {
        Kind.EXTRA: {"USD": 400, "XBT": D("-0.008")},
        Kind.MISSING_FLOW: {"USD": -500},
    }
    assert found(venue.statement(), rows, line=accepted(rows, result)).is_clean


def test_a_first_row_that_was_claimed_and_is_taken_back_leaves_what_was_assumed():
    venue = Venue()
    venue.deposit("USD", "10000.0000")
    venue.later().deposit("USD", "500.0000")
    late = venue.rows[1:]
    result = found(venue.statement(), late, whole=True)
    assert only(result).is_covered
    (claim,) = result.proposals[0].entries
    line = accepted(late, result)
    assert found(venue.statement(), late, line=line, whole=True).is_clean
    undone = Reversal(id="undo", executed_at=START, account=ACCOUNT, target=claim.id, void=True)
    line.land(planned(line, [undone]))
    assert found(venue.statement(), late, line=line, whole=True).breaks == result.breaks
    assert line.book.held(ACCOUNT, "USD").quantity == 10500


def test_a_flow_is_not_proposed_before_a_row_that_it_needs():
    venue = Venue()
    venue.deposit("ETH", "1.0000000000")
    gone = venue.later().row(K.ADJUSTMENT, "ETH", "-0.8000000000")
    rows = changed(venue.rows, gone, amount=D("0.8"), sequence=7)
    result = found(venue.statement(), rows)
    assert {s.asset: s.amount for s in only(result).shifts} == {"ETH": D("-1.6")}
    line = accepted(rows, result)
    assert line.openings == {}, "the book never had less than nothing"
    assert found(venue.statement(), rows, line=line).is_clean


def test_where_all_that_is_left_cancels_nothing_is_amiss():
    venue = Venue()
    venue.deposit("USD", "50000.0000")
    first = venue.later().trade("DOT", "80.0000000000", "USD", "400.0000", fee="1.0400")
    flipped = venue.later().trade("DOT", "700.0000000000", "USD", "3500.0000", fee="9.1000")
    rows = changed(venue.rows, first[1], amount=D(800))
    for row in flipped:
        rows = changed(rows, row, amount=-row.amount)
    result = found(venue.statement(), rows)
    assert {each.kind for each in result.breaks} == {Kind.WRONG_AMOUNT}
    line = accepted(rows, result)
    assert found(venue.statement(), rows, line=line).breaks == ()
