"""Under way: moves between pockets, and coins that are neither here nor there."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.entries import (
    CashFlow,
    FlowKind,
    Link,
    Transfer,
)
from bursar.reconcile import (
    Kind,
    Limits,
)
from tests.unit.reconcile.venues import (
    ACCOUNT,
    DAY,
    HOUR,
    START,
    K,
    Venue,
    bare,
    closes,
    found,
    only,
    shifts,
    without,
)

D = Decimal


@pytest.mark.parametrize("half", [0, 1])
def test_a_move_of_which_one_half_is_missing_is_in_flight(half):
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().deposit("DOT.S", "5.0000000000")
    pair = venue.later().move("DOT", "DOT.S", "800.0000000000")
    venue.later().deposit("DOT", "1.0000000000")
    venue.later().deposit("DOT.S", "1.0000000000")
    rows, statement = without(venue.rows, pair[half]), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, one.is_half) == (Kind.IN_FLIGHT, True)
    assert pair[1 - half].id in one.evidence
    assert result.underway[0].entry == pair[1 - half].id
    (entry,) = result.proposals[0].entries
    assert isinstance(entry, Transfer)
    assert closes(rows, result, statement)


def test_a_half_move_that_an_opening_hides_is_drift():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    _, arrival = venue.later().move("DOT", "DOT.S", "800.0000000000")
    venue.later().deposit("DOT.S", "1.0000000000")
    rows, statement = without(venue.rows, arrival), venue.statement()
    result = found(statement, rows)
    assert (only(result).kind, only(result).is_covered) == (Kind.IN_FLIGHT, True)
    assert result.drift
    assert closes(rows, result, statement)


def test_a_move_that_no_row_tells_is_a_pocket_move():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().deposit("DOT.S", "5.0000000000")
    pair = venue.later().move("DOT", "DOT.S", "800.0000000000")
    rows, statement = without(venue.rows, *pair), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, shifts(one)) == (Kind.POCKET_MOVE, {("DOT", D(800)), ("DOT", D(-800))})
    assert not result.drift
    assert result.proposals[0].says == "move 800 DOT from main to staked"
    assert closes(rows, result, statement)


def test_a_first_move_that_no_row_tells_is_closed_by_its_rows():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    pair = venue.later().move("DOT", "DOT.S", "800.0000000000")
    venue.later().reward("DOT.S", "1.0000000000")
    rows, statement = without(venue.rows, *pair), venue.statement()
    result = found(statement, rows)
    assert only(result).kind is Kind.POCKET_MOVE
    assert len(result.proposals[0].entries) == 2
    assert closes(rows, result, statement)


def test_a_move_by_hand_that_the_venue_denies_is_an_extra_entry():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().deposit("DOT.S", "5.0000000000")
    wrong = Transfer(
        id=f"{ACCOUNT}:by-hand",
        executed_at=START + HOUR,
        account=ACCOUNT,
        asset="DOT",
        quantity=D(3),
        to_account=ACCOUNT,
        pocket="main",
        to_pocket="staked",
    )
    rows, statement = [*venue.rows, wrong], venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, one.target) == (Kind.EXTRA, wrong.id)
    assert closes(rows, result, statement)


def failing():
    """An account with a withdrawal that failed: (venue, the row that went, the one that undid)."""
    venue = Venue()
    venue.deposit("XBT", "2.0000000000")
    name = "FAIL"
    out = venue.later().withdraw("XBT", "1.0000000000", fee="0.0009000000", group=name)
    back = venue.later().row(K.WITHDRAWAL, "XBT", "1.0000000000", fee="-0.0009000000", group=name)
    return venue, out, back


def test_a_failed_withdrawal_whose_return_is_not_here_yet_is_in_flight():
    venue, out, back = failing()
    rows, statement = without(venue.rows, back), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, shifts(one)) == (Kind.IN_FLIGHT, {("XBT", D("1.0009"))})
    assert out.id in one.evidence
    assert result.drift
    assert closes(rows, result, statement)
    assert found(statement, venue.rows).is_clean


def test_after_a_few_days_it_is_in_flight_no_more():
    venue, _, back = failing()
    statement = venue.statement(at=venue.at + 4 * DAY)
    one = only(found(statement, without(venue.rows, back)))
    assert one.kind is Kind.UNKNOWN
    patient = Limits(patience=9 * DAY)
    assert only(found(statement, without(venue.rows, back), limits=patient)).kind is Kind.IN_FLIGHT


def elsewhere(amount="0.5", at=START):
    return CashFlow(
        id="cold:out",
        executed_at=at,
        account="cold:wallet",
        kind=FlowKind.WITHDRAWAL,
        asset="XBT",
        amount=-D(amount),
    )


def test_coins_that_left_another_account_are_in_flight():
    venue = Venue()
    venue.deposit("XBT", "2.0000000000")
    cold = CashFlow(
        id="cold:in",
        executed_at=START - DAY,
        account="cold:wallet",
        kind=FlowKind.DEPOSIT,
        asset="XBT",
        amount=D(1),
    )
    rows = [*venue.rows, cold, elsewhere()]
    one = only(found(venue.statement(XBT="0.5"), rows))
    assert (one.kind, one.evidence) == (Kind.IN_FLIGHT, (venue.rows[0].id, "cold:out"))
    other = [*venue.rows, cold, elsewhere("0.4")]
    assert only(found(venue.statement(XBT="0.5"), other)).kind is Kind.UNKNOWN


def test_a_linked_withdrawal_is_in_flight_no_more():
    venue = Venue()
    came = venue.deposit("XBT", "0.5000000000")
    cold = msgspec.structs.replace(elsewhere(), id="cold:in", kind=FlowKind.DEPOSIT, amount=D(1))
    link = Link(
        id="link:1",
        executed_at=START,
        account="cold:wallet",
        withdrawal="cold:out",
        deposit=came.id,
    )
    rows = [*venue.rows, cold, elsewhere(), link]
    result = found(venue.statement(), rows)
    assert result.is_clean
    assert only(found(venue.statement(XBT="0.5"), rows)).kind is Kind.UNKNOWN


def test_without_running_balances_a_move_between_pockets_is_seen():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().deposit("DOT.S", "5.0000000000")
    pair = venue.later().move("DOT", "DOT.S", "800.0000000000")
    result = found(venue.statement(), bare(without(venue.rows, *pair)))
    assert only(result).kind is Kind.POCKET_MOVE
    assert closes(bare(without(venue.rows, *pair)), result, venue.statement())


def test_coins_on_their_way_explain_no_other_break():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().row(K.INTERNAL, "DOT", "-5.0000000000")
    one = only(found(venue.statement(DOT="7"), venue.rows))
    assert (one.kind, shifts(one)) == (Kind.UNKNOWN, {("DOT", D(7))})


def test_a_return_that_is_missing_between_rows_is_a_flow_that_undoes():
    venue, out, back = failing()
    venue.later().deposit("XBT", "0.1000000000")
    one = only(found(venue.statement(), without(venue.rows, back)))
    assert one.kind is Kind.MISSING_FLOW
    assert one.reason.endswith(f"it undoes {out.id}")
