"""What a fee is known by, and what is told apart from one."""

from decimal import Decimal

import pytest

from bursar.ledger.entries import Fee, Fill, Side, Source
from bursar.reconcile import Kind, Where
from tests.unit.reconcile.venues import (
    ACCOUNT,
    DAY,
    K,
    Venue,
    changed,
    closes,
    found,
    only,
    shifts,
    without,
)

D = Decimal


def history(legs, *fees, **told):
    """The trade that two rows are of, as the trade history tells it."""
    quote, base = legs
    return Fill(
        id=quote.group,
        executed_at=base.executed_at,
        account=ACCOUNT,
        source=Source.TRADES,
        base=base.asset,
        quote=quote.asset,
        side=Side.BUY,
        quantity=base.amount,
        amount=-quote.amount,
        fees=fees,
        rows=tuple(row.id for row in legs),
        **told,
    )


def bought():
    venue = Venue()
    venue.deposit("USD", "10000.0000")
    venue.later().deposit("XBT", "1.0000000000")
    legs = venue.later().trade("XBT", "0.0100000000", "USD", "500.0000", fee="1.3000")
    return venue, legs


@pytest.mark.parametrize(
    "fees",
    [
        [Fee("USD", D("1.30000"))],
        [Fee("XBT", D("0.000026"))],
        [Fee("ETH", D(0)), Fee("USD", D("1.3"))],
    ],
    ids=["in money", "in coins", "the second of two"],
)
def test_the_first_fee_of_all_is_known_by_the_trade_history(fees):
    venue, legs = bought()
    told = history(legs, *fees)
    rows, statement = [*changed(venue.rows, legs[0], fee=D(0)), told], venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, shifts(one)) == (Kind.FEE, {("USD", D("-1.3000"))})
    assert told.id in one.evidence
    assert closes(rows, result, statement)


@pytest.mark.parametrize("fees", [[], [Fee("USD", D("1.4000"))]], ids=["none", "another"])
def test_a_trade_history_that_says_otherwise_proves_no_fee(fees):
    venue, legs = bought()
    rows = [*changed(venue.rows, legs[0], fee=D(0)), history(legs, *fees)]
    assert only(found(venue.statement(), rows)).kind is Kind.UNKNOWN


def test_what_came_ahead_of_a_row_is_no_fee_of_the_trade_history():
    venue, legs = bought()
    venue.later()
    rows = [
        *changed(venue.rows, legs[0], amount=legs[0].amount - 30),
        history(legs, Fee("USD", D(2))),
    ]
    assert only(found(venue.statement(), rows)).kind is not Kind.FEE


def charged(*rates, lost):
    """Four purchases at rates of a thousandth; of the last the fee is lost, or another."""
    venue = Venue()
    venue.deposit("USD", "100000.0000")
    legs = []
    for rate in rates:
        legs = venue.later(DAY).trade("XBT", "0.0200000000", "USD", "1000.0000", fee=f"{rate}.0000")
    rows = changed(venue.rows, legs[0], fee=D(lost))
    return found(venue.statement(), rows), legs[0]


@pytest.mark.parametrize("lost", ["0", "9"])
def test_a_rate_among_those_of_other_rows_is_a_fee_where_the_one_told_is_beyond_them(lost):
    result, row = charged(1, 2, 4, 3, lost=lost)
    one = only(result)
    assert (one.kind, one.place.after) == (Kind.FEE, row.id)
    assert shifts(one) == {("USD", D(lost) - 3)}


@pytest.mark.parametrize(
    "rates,lost",
    [((1, 2, 4, 3), "2.5"), ((1, 2, 4, 9), "0"), ((1, 4, 3), "0")],
    ids=["the one told may be right", "the true one is beyond them", "too few others"],
)
def test_a_rate_that_others_do_not_bear_out_is_no_fee(rates, lost):
    result, _ = charged(*rates, lost=lost)
    assert only(result).kind in {Kind.MISSING_FLOW, Kind.UNKNOWN}


def credits_():
    """Fee credits: given now and then, and gone only as fees, whose rows move nothing else."""
    venue = Venue()
    venue.deposit("KFEE", "1000.00")
    rows = [venue.later(DAY).row(K.TRADE, "KFEE", 0, fee=f"{n}.00") for n in (7, 5, 9, 4)]
    gift = venue.later(DAY).deposit("KFEE", "500.00")
    venue.later(DAY).row(K.TRADE, "KFEE", 0, fee="3.00")
    return venue, rows, gift


def test_what_has_never_gone_but_as_a_fee_went_as_one():
    venue, rows, _ = credits_()
    one = only(found(venue.statement(), without(venue.rows, rows[2])))
    assert (one.kind, shifts(one)) == (Kind.FEE, {("KFEE", D("-9.00"))})
    lost = changed(venue.rows, rows[3], fee=D(0))
    assert only(found(venue.statement(), lost)).kind is Kind.FEE


def test_credits_that_are_worth_nothing_are_no_dust_however_many():
    venue, _, gift = credits_()
    for prices in ({}, {"KFEE": D(0)}):
        one = only(found(venue.statement(), without(venue.rows, gift), prices=prices))
        assert (one.kind, shifts(one)) == (Kind.MISSING_FLOW, {("KFEE", D("500.00"))})


def test_a_commission_on_the_only_reward_may_be_a_row_ahead_of_it():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().move("DOT", "DOT.S", "800.0000000000")
    paid = venue.later(DAY).reward("DOT.S", "1.0000000000", fee="0.2000000000")
    one = only(found(venue.statement(), changed(venue.rows, paid, fee=D("0.4"))))
    assert one.kind is Kind.UNKNOWN
    assert "a fee of" in one.reason


# Rows under another asset, at the beginning of one


def test_a_row_told_as_the_first_of_another_asset_is_the_one_that_stands_wrong():
    """The asset's own first row follows as it stands; that it begins alike says nothing."""
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    venue.later().deposit("XBT", "0.5000000000")
    row = venue.later(DAY).deposit("XBT", "0.0100000000")
    venue.later(DAY).deposit("XBT", "0.2000000000")
    venue.later(DAY).deposit("SOL", "30.0000000000")
    rows = changed(venue.rows, row, asset="SOL", code="SOL")
    result = found(venue.statement(), rows)
    (one,) = [each for each in result.breaks if each.kind is Kind.WRONG_ASSET]
    assert row.id in one.evidence
    assert not any(each.kind is Kind.UNKNOWN for each in result.breaks)


def test_a_withdrawal_told_as_the_first_row_of_another_asset_takes_of_both():
    """What the other had before it is assumed, so of both there is more in the book than there."""
    venue = Venue()
    venue.deposit("XBT", "0.5000000000")
    row = venue.later(DAY).withdraw("XBT", "0.0100000000")
    venue.later(DAY).deposit("XBT", "0.2000000000")
    venue.later(DAY).deposit("SOL", "30.0000000000")
    rows, statement = changed(venue.rows, row, asset="SOL", code="SOL"), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert one.kind is Kind.WRONG_ASSET
    assert shifts(one) == {("XBT", D("-0.01")), ("SOL", D("-0.49"))}
    assert {entry.asset for entry in result.proposals[0].entries} == {"XBT", "SOL"}
    assert closes(rows, result, statement)


def test_a_reward_told_in_another_pocket_stands_in_the_wrong_one():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().move("DOT", "DOT.S", "800.0000000000")
    venue.later(DAY).deposit("DOT", "5.0000000000")
    row = venue.later(DAY).reward("DOT.S", "1.0000000000")
    venue.later(DAY).deposit("DOT", "7.0000000000")
    venue.later(DAY).reward("DOT.S", "1.1000000000")
    rows, statement = changed(venue.rows, row, code="DOT", pocket=None), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, one.reason) == (
        Kind.WRONG_ASSET,
        f"{row.id} states the balances of DOT in staked, not those of main",
    )
    assert closes(rows, result, statement)


# Trades at a price of before


def test_a_missing_fill_may_be_at_the_price_of_the_trade_before_it():
    venue = Venue()
    venue.deposit("USD", "10000.0000")
    venue.later().trade("SOL", "10.0000000000", "USD", "1000.0000")
    gone = venue.later(30 * DAY).trade("SOL", "10.0000000000", "USD", "1100.0000")
    venue.later(90 * DAY).trade("SOL", "10.0000000000", "USD", "2500.0000")
    one = only(found(venue.statement(), without(venue.rows, *gone), prices={}))
    assert (one.kind, one.place.where) == (Kind.MISSING_FILL, Where.ROWS)
