"""Missing: fills, flows, fees and rewards that no row tells."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.entries import (
    CashFlow,
    FlowKind,
    Side,
)
from bursar.reconcile import (
    Kind,
    Verdict,
    Where,
)
from tests.unit.reconcile.venues import (
    ACCOUNT,
    DAY,
    PRICES,
    K,
    Venue,
    accepted,
    changed,
    closes,
    found,
    of,
    only,
    shifts,
    without,
)

D = Decimal


def test_a_missing_fill_is_two_gaps_at_a_market_price(venue, trade):
    rows, statement = without(venue.rows, *trade), venue.statement()
    result = found(statement, rows)
    one = only(result)
    paid = trade[0].amount - trade[0].fee
    assert (one.kind, shifts(one)) == (
        Kind.MISSING_FILL,
        {("USD", paid), ("XBT", trade[1].amount)},
    )
    assert one.place.where is Where.ROWS
    assert one.place.since < trade[0].executed_at < one.place.until
    (fill,) = result.proposals[0].entries
    assert (fill.side, fill.base, fill.quantity, fill.amount) == (
        Side.BUY,
        "XBT",
        trade[1].amount,
        -paid,
    )
    assert closes(rows, result, statement)


def test_a_missing_sale_is_proposed_as_a_sale():
    venue = Venue()
    venue.deposit("USD", "90000.0000")
    for quantity in ("1.0000000000", "-0.4000000000", "0.1000000000"):
        amount = f"{abs(D(quantity)) * 50000:.4f}"
        venue.later().trade("XBT", quantity, "USD", amount)
    rows = without(venue.rows, *venue.rows[3:5])
    result = found(venue.statement(), rows)
    (fill,) = result.proposals[0].entries
    assert (only(result).kind, fill.side) == (Kind.MISSING_FILL, Side.SELL)
    assert result.proposals[0].says == "sell 0.4 XBT for 20000 USD"
    assert closes(rows, result, venue.statement())


def test_two_flows_whose_worths_are_apart_are_no_fill(venue, trade):
    rows = without(venue.rows, *trade)
    prices = {"XBT": D(1), "ETH": D(2500)}
    alone = [row for row in rows if row.kind is not K.TRADE]
    assert found(venue.statement(), rows, prices=prices).breaks[0].kind is Kind.MISSING_FILL
    assert alone


def test_a_fill_without_any_price_to_check_it_stays_two_gaps():
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    venue.later().deposit("SOL", "5.0000000000")
    legs = venue.later().trade("SOL", "1.0000000000", "USD", "100.0000")
    venue.later().deposit("USD", "5.0000")
    venue.later().deposit("SOL", "5.0000000000")
    rows = without(venue.rows, *legs)
    kinds = [each.kind for each in found(venue.statement(), rows, prices={}).breaks]
    assert kinds == [Kind.MISSING_FLOW, Kind.MISSING_FLOW]
    assert only(found(venue.statement(), rows)).kind is Kind.MISSING_FILL


def lost(price, days):
    """The breaks of an account whose middle trade is lost, at a price half of the given time ago.

    Beside it coins were traded at 2500 alone.
    """
    venue = Venue()
    venue.deposit("USD", "90000.0000")
    venue.later().trade("ETH", "2.0000000000", "USD", "5000.0000")
    legs = venue.later(days * DAY // 2).trade("ETH", "1.0000000000", "USD", price)
    venue.later(days * DAY // 2).trade("ETH", "2.0000000000", "USD", "5000.0000")
    rows, statement = without(venue.rows, *legs), venue.statement()
    result = found(statement, rows)
    assert closes(rows, result, statement)
    return result.breaks


@pytest.mark.parametrize(
    "days,price", [(1, "3000.0000"), (1, "2100.0000"), (10, "3700.0000"), (80, "1300.0000")]
)
def test_a_fill_may_be_as_far_from_the_prices_around_it_as_the_time_is_long(days, price):
    (one,) = lost(price, days)
    assert (one.kind, len(one.shifts)) == (Kind.MISSING_FILL, 2)
    told = "near the market's" if days == 1 else "that may have been the market's then"
    assert one.reason.endswith(told)


@pytest.mark.parametrize(
    "days,price", [(1, "3100.0000"), (1, "2000.0000"), (10, "3800.0000"), (80, "1200.0000")]
)
def test_what_is_further_from_the_prices_around_it_stays_two_flows(days, price):
    assert [each.kind for each in lost(price, days)] == [Kind.MISSING_FLOW, Kind.MISSING_FLOW]


def test_a_fee_of_a_few_steps_shows_no_rate_for_a_larger_one():
    venue = Venue()
    venue.deposit("USD", "90000.0000")
    venue.later().trade("ETH", "0.0000600000", "USD", "0.1500", fee="0.0003")
    for _ in range(3):
        venue.later().trade("ETH", "0.4000000000", "USD", "1000.0000", fee="2.6000")
    legs = venue.later().trade("ETH", "-0.0003600000", "USD", "0.9000")
    venue.later().trade("ETH", "0.4000000000", "USD", "1000.0000", fee="2.6000")
    one = only(found(venue.statement(), without(venue.rows, *legs)))
    assert one.kind is Kind.MISSING_FILL


def test_credits_for_fees_go_only_as_a_fee():
    venue = Venue()
    venue.deposit("KFEE", "400.00")
    gone = venue.later().row(K.TRADE, "KFEE", "0", fee="104.00")
    venue.later().row(K.TRADE, "KFEE", "0", fee="34.00")
    rows, statement = without(venue.rows, gone), venue.statement()
    result = found(statement, rows)
    assert (only(result).kind, shifts(only(result))) == (Kind.FEE, {("KFEE", D(-104))})
    assert closes(rows, result, statement)


def test_a_missing_withdrawal_is_a_flow_between_two_rows(venue):
    gone = of(venue, K.WITHDRAWAL)[2]
    rows, statement = without(venue.rows, gone), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, shifts(one)) == (
        Kind.MISSING_FLOW,
        {("XBT", gone.amount - gone.fee)},
    )
    (entry,) = result.proposals[0].entries
    assert (entry.kind, entry.amount) == (FlowKind.WITHDRAWAL, gone.amount - gone.fee)
    assert closes(rows, result, statement)


def test_a_missing_first_deposit_hides_behind_an_opening(venue):
    gone = of(venue, K.DEPOSIT)[1]
    rows, statement = without(venue.rows, gone), venue.statement()
    late = found(statement, rows)
    assert (late.breaks, late.verdict) == ((), Verdict.EQUAL)
    assert [(each.asset, each.quantity) for each in late.assumed] == [("EUR", gone.amount)]
    whole = found(statement, rows, whole=True)
    one = only(whole)
    assert (one.kind, one.is_covered, one.place.where) == (Kind.MISSING_FLOW, True, Where.START)
    line = accepted(rows, whole)
    assert line.openings == {}
    assert found(statement, rows, line=line, whole=True).is_clean


def test_a_missing_fee_is_known_by_its_rate(venue, trade):
    rows, statement = changed(venue.rows, trade[0], fee=D(0)), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, shifts(one)) == (Kind.FEE, {("USD", -trade[0].fee)})
    assert one.place.after == trade[0].id
    assert "states a fee of none" in one.reason
    assert closes(rows, result, statement)


def test_a_fee_of_another_amount_is_known_by_its_rate(venue, trade):
    rows, statement = changed(venue.rows, trade[0], fee=trade[0].fee * 3), venue.statement()
    result = found(statement, rows)
    assert (only(result).kind, shifts(only(result))) == (
        Kind.FEE,
        {("USD", trade[0].fee * 2)},
    )
    (entry,) = result.proposals[0].entries
    assert (entry.kind, entry.executed_at) == (FlowKind.FEE, trade[0].executed_at - 1)
    assert closes(rows, result, statement)


def test_the_fee_of_a_withdrawal_is_known_by_its_amount(venue):
    row = of(venue, K.WITHDRAWAL)[2]
    one = only(found(venue.statement(), changed(venue.rows, row, fee=D(0))))
    assert (one.kind, shifts(one)) == (Kind.FEE, {("XBT", -row.fee)})


def test_a_little_ahead_of_the_only_charged_row_is_not_called_a_fee():
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    paid = venue.later().withdraw("USD", "100.0000", fee="1.5000")
    rows = changed(venue.rows, paid, fee=D(0))
    one = only(found(venue.statement(), rows))
    assert one.kind is Kind.UNKNOWN
    assert "a fee of" in one.reason


def test_a_little_ahead_of_a_deposit_may_be_the_fee_of_it():
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    paid = venue.later().deposit("USD", "7000.0000", fee="1.0000")
    rows = changed(venue.rows, paid, fee=D(0))
    one = only(found(venue.statement(), rows))
    assert (one.kind, shifts(one)) == (Kind.UNKNOWN, {("USD", D(-1))})
    assert f"a fee of {paid.id}" in one.reason


def test_a_part_of_the_only_charged_reward_may_be_its_commission():
    venue = Venue()
    venue.deposit("SOL", "10.0000000000")
    earned = venue.later().reward("SOL", "0.0400000000", fee="0.0060000000")
    rows = changed(venue.rows, earned, fee=D(0))
    one = only(found(venue.statement(), rows))
    assert (one.kind, shifts(one)) == (Kind.UNKNOWN, {("SOL", D("-0.006"))})
    assert f"a fee of {earned.id}" in one.reason


def test_a_missing_reward_is_known_by_size_and_time(venue):
    gone = of(venue, K.REWARD)[3]
    rows, statement = without(venue.rows, gone), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, shifts(one)) == (Kind.REWARD, {("DOT", gone.amount)})
    (entry,) = result.proposals[0].entries
    assert (entry.kind, entry.pocket) == (FlowKind.REWARD, "staked")
    assert closes(rows, result, statement)


def test_the_last_reward_is_due_and_missing(venue):
    gone = of(venue, K.REWARD)[-1]
    one = only(found(venue.statement(), without(venue.rows, gone)))
    assert (one.kind, one.place.where) == (Kind.REWARD, Where.END)
    assert "one is due" in one.reason


def test_a_little_in_a_pocket_that_only_earns_is_a_reward():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().move("DOT", "DOT.S", "800.0000000000")
    gone = venue.later(DAY).reward("DOT.S", "1.0000000000")
    one = only(found(venue.statement(), without(venue.rows, gone)))
    assert one.kind is Kind.REWARD
    assert "staked" in one.reason


def test_one_step_is_rounding_and_little_worth_is_dust(venue):
    step = only(found(venue.statement(XBT="0.0000000001"), venue.rows))
    assert step.kind is Kind.ROUNDING
    two = only(found(venue.statement(XBT="0.0000000002"), venue.rows))
    assert two.kind is Kind.DUST
    assert two.reason == "worth 0.00001 USD"
    unpriced = only(found(venue.statement(SOL="0.0000000002"), venue.rows, prices={}))
    assert unpriced.kind is Kind.UNKNOWN


@pytest.mark.parametrize("prices", [PRICES, {}])
@pytest.mark.parametrize("off", ["1", "-1"])
def test_a_whole_unit_is_no_rounding_though_it_is_one_step(off, prices):
    venue = Venue()
    venue.deposit("XBT", "10")
    rows = [msgspec.structs.replace(each, balance=None) for each in venue.rows]
    one = only(found(venue.statement(XBT=off), rows, prices=prices))
    assert one.kind is Kind.UNKNOWN


def test_a_deposit_missing_before_it_is_spent_is_a_flow_and_no_wrong_trade():
    venue = Venue()
    venue.deposit("USD", "10.0000")
    gone = venue.later().deposit("USD", "1000.0000")
    venue.later().trade("XBT", "0.0100000000", "USD", "500.0000")
    venue.later().trade("XBT", "0.0010000000", "USD", "50.0000")
    one = only(found(venue.statement(), without(venue.rows, gone)))
    assert (one.kind, shifts(one)) == (Kind.MISSING_FLOW, {("USD", D(1000))})


def test_what_was_there_before_the_first_row_may_be_entered_by_hand():
    venue = Venue()
    gone = venue.deposit("XBT", "1.0000000000")
    venue.later().withdraw("XBT", "0.2000000000")
    entry = CashFlow(
        id=f"{ACCOUNT}:by-hand",
        executed_at=gone.executed_at,
        account=ACCOUNT,
        kind=FlowKind.DEPOSIT,
        asset="XBT",
        amount=D(1),
    )
    result = found(venue.statement(), [*without(venue.rows, gone), entry], whole=True)
    assert (result.is_clean, result.assumed) == (True, ())


def test_a_row_whose_own_chain_holds_is_under_no_wrong_name():
    venue = Venue()
    for code in ("USD", "EUR"):
        venue.later().deposit(code, "100.0000")
        venue.later().deposit(code, "25.0000")
        venue.later().deposit(code, "3.0000")
    venue.later().deposit("XBT", "1.0000000000")
    gone, other = venue.rows[1], venue.later().deposit("XBT", "1.0000000000")
    breaks = found(venue.statement(), without(venue.rows, gone, other)).breaks
    assert [each.kind for each in breaks] == [Kind.MISSING_FLOW, Kind.UNKNOWN]


def test_a_deposit_taken_back_at_the_beginning_of_a_late_chain_is_no_wrong_amount():
    """What was there before it is assumed; with it the row might have gone the other way."""
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    back = venue.later().deposit("USD", "-500.0000")
    one = only(found(venue.statement(), [back], whole=True))
    assert (one.kind, one.is_covered) == (Kind.MISSING_FLOW, True)
    assert found(venue.statement(), [back]).is_clean


@pytest.mark.parametrize("leg", [0, 1])
def test_one_leg_of_a_trade_that_is_missing_is_a_missing_fill(venue, trade, leg):
    rows, statement = without(venue.rows, trade[leg]), venue.statement()
    result = found(statement, rows)
    one, other = only(result), trade[1 - leg]
    assert (one.kind, one.evidence[-1]) == (Kind.MISSING_FILL, other.id)
    void, fill = result.proposals[0].entries
    assert (void.target, fill.side, fill.quantity) == (other.id, Side.BUY, trade[1].amount)
    assert closes(rows, result, statement)


def test_a_leg_at_no_fitting_price_is_not_the_other_side(venue, trade):
    rows = without(venue.rows, trade[0])
    cheap = changed(rows, trade[1], kind=K.DEPOSIT)
    assert only(found(venue.statement(), cheap)).kind is Kind.MISSING_FLOW
    both = without(venue.rows, trade[0], of(venue, K.WITHDRAWAL)[1])
    assert {each.kind for each in found(venue.statement(), both).breaks} == {
        Kind.MISSING_FILL,
        Kind.MISSING_FLOW,
    }


def test_a_leg_without_a_price_to_check_it_is_not_the_other_side():
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    gone, _ = venue.later().trade("SOL", "3.0000000000", "USD", "300.0000")
    venue.later().deposit("USD", "5.0000")
    rows = without(venue.rows, gone)
    assert only(found(venue.statement(), rows, prices={})).kind is Kind.MISSING_FLOW
    assert only(found(venue.statement(), rows)).kind is Kind.MISSING_FILL
