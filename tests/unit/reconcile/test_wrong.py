"""Wrong: what is told twice, of another amount, or of another asset."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    MarginFill,
    Reversal,
    Side,
    Source,
    StagedChange,
    StagedLine,
)
from bursar.ledger.planning import planned
from bursar.reconcile import (
    Break,
    Kind,
    Place,
    Shift,
    Where,
    ours_of,
    propose,
)
from bursar.reconcile.compare import DEFAULT
from bursar.reconcile.evidence import Evidence
from tests.unit.reconcile.venues import (
    ACCOUNT,
    DAY,
    HOUR,
    START,
    K,
    Venue,
    changed,
    closes,
    found,
    marks,
    of,
    only,
    shifts,
    timeline_of,
)

D = Decimal


@pytest.mark.parametrize("balance", ["same", "continued"])
def test_a_fill_told_twice_by_the_ledger_is_taken_back(venue, trade, balance):
    copies = []
    for row in trade:
        after = row.balance + (row.amount - row.fee if balance == "continued" else 0)
        copies.append(
            msgspec.structs.replace(row, id=f"{row.id}x", group=f"{row.group}x", balance=after)
        )
    rows, statement = [*venue.rows, *copies], venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert one.kind is Kind.EXTRA
    assert one.target in {trade[0].group, copies[0].group}
    assert "it says the same as" in one.reason
    (entry,) = result.proposals[0].entries
    assert isinstance(entry, Reversal)
    assert entry.void
    assert closes(rows, result, statement)


def claim(trade, **changes):
    quote, base = trade
    told = Fill(
        id=f"{ACCOUNT}:claimed",
        executed_at=base.executed_at,
        account=ACCOUNT,
        source=Source.CLAIM,
        base=base.asset,
        quote=quote.asset,
        side=Side.BUY,
        quantity=base.amount,
        amount=-quote.amount,
        fees=(Fee(quote.asset, quote.fee),),
    )
    return msgspec.structs.replace(told, **changes)


def test_a_fill_told_again_by_hand_is_taken_back(venue, trade):
    rows, statement = [*venue.rows, claim(trade)], venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, one.target, one.place.where) == (
        Kind.EXTRA,
        f"{ACCOUNT}:claimed",
        Where.FACT,
    )
    assert one.reason == f"told twice: as {trade[0].group}"
    assert closes(rows, result, statement)


def test_an_entry_that_no_row_backs_is_named(venue):
    entry = CashFlow(
        id=f"{ACCOUNT}:by-hand",
        executed_at=START + 20 * DAY,
        account=ACCOUNT,
        kind=FlowKind.DEPOSIT,
        asset="ETH",
        amount=D("1.5"),
    )
    result = found(venue.statement(), [*venue.rows, entry])
    one = only(result)
    assert (one.kind, shifts(one)) == (Kind.EXTRA, {("ETH", D("-1.5"))})
    assert one.reason == "no row of the venue backs this entry"


def test_a_decimal_point_in_another_place_is_a_wrong_amount(venue, trade):
    rows = changed(venue.rows, trade[1], amount=trade[1].amount * 10)
    statement = venue.statement()
    result = found(statement, rows)
    assert (only(result).kind, only(result).place.after) == (Kind.WRONG_AMOUNT, trade[1].id)
    void, fill = result.proposals[0].entries
    assert (void.target, fill.quantity) == (trade[1].group, trade[1].amount)
    assert closes(rows, result, statement)


def test_digits_in_another_order_are_a_wrong_amount():
    venue = Venue()
    venue.deposit("USD", "100.0000")
    row = venue.later().deposit("USD", "1234.0000")
    rows, statement = changed(venue.rows, row, amount=D("1324.0000")), venue.statement()
    result = found(statement, rows)
    assert only(result).reason.endswith("the same digits in another order")
    (entry,) = result.proposals[0].entries
    assert (entry.kind, entry.amount) == (FlowKind.ADJUSTMENT, D(-90))
    assert closes(rows, result, statement)


def test_a_leg_that_fits_its_price_only_otherwise_is_a_wrong_amount(venue, trade):
    rows = changed(venue.rows, trade[1], amount=trade[1].amount + D("0.007"))
    one = only(found(venue.statement(), rows))
    assert one.kind is Kind.WRONG_AMOUNT
    assert "fits the price of its trade only as" in one.reason


def test_a_row_told_in_two_ways_is_a_wrong_amount():
    venue = Venue()
    venue.deposit("USD", "100.0000")
    row = venue.later().deposit("USD", "777.0000")
    false = msgspec.structs.replace(row, amount=D("500.0000"))
    line = timeline_of([venue.rows[0], false])
    line.land(planned(line, [row]))
    one = only(found(venue.statement(), [], line=line))
    assert (one.kind, one.reason) == (
        Kind.WRONG_AMOUNT,
        f"{row.id} was told in different words",
    )


def test_a_side_the_wrong_way_round_is_one_wrong_amount_of_both_legs(venue, trade):
    rows = [
        msgspec.structs.replace(row, amount=-row.amount) if row in trade else row
        for row in venue.rows
    ]
    result = found(venue.statement(), rows)
    one = only(result)
    assert one.kind is Kind.WRONG_AMOUNT
    assert one.reason.endswith("the sign the wrong way round")
    _, fill = result.proposals[0].entries
    assert fill.side is Side.BUY
    assert closes(rows, result, venue.statement())


def test_a_trade_told_in_another_pair_is_a_wrong_asset(venue, trade):
    rows, statement = changed(venue.rows, trade[0], asset="EUR", code="EUR"), venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert one.kind is Kind.WRONG_ASSET
    assert one.reason == f"{trade[0].id} states the balances of USD, not those of EUR"
    _, fill = result.proposals[0].entries
    assert (fill.base, fill.quote) == ("XBT", "USD")
    assert closes(rows, result, statement)


def test_a_flow_told_of_another_asset_is_a_wrong_asset(venue):
    row = of(venue, K.WITHDRAWAL)[1]
    rows, statement = changed(venue.rows, row, asset="ETH", code="ETH"), venue.statement()
    result = found(statement, rows)
    assert only(result).kind is Kind.WRONG_ASSET
    (entry,) = result.proposals[0].entries
    assert isinstance(entry, Conversion)
    assert result.proposals[0].says == "exchange 0.00502 XBT for 0.00502 ETH"
    assert closes(rows, result, statement)


@pytest.mark.parametrize("old", [False, True])
def test_without_a_price_of_the_day_a_leg_is_not_called_wrong(old):
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    legs = venue.later().trade("SOL", "3.0000000000", "USD", "300.0000")
    venue.later().trade("XBT", "0.0010000000", "USD", "50.0000")
    rows = changed(venue.rows, legs[0], amount=D("-100.0000"))
    statement = venue.statement(at=venue.at + 9 * DAY) if old else venue.statement()
    one = only(found(statement, rows, prices={"SOL": D(100)} if old else {}))
    assert one.kind is Kind.MISSING_FLOW


def test_a_staged_change_that_the_venue_denies_is_an_extra_entry(venue):
    staged = StagedChange(
        id=f"{ACCOUNT}:staged",
        executed_at=START + 9 * DAY,
        account=ACCOUNT,
        cash=D(-40),
        fees=D(1),
        lines=(StagedLine("ETH", D("0.01"), D(4000)),),
    )
    one = only(found(venue.statement(), [*venue.rows, staged]))
    assert (one.kind, one.target) == (Kind.EXTRA, staged.id)
    assert shifts(one) == {("USD", D(41)), ("ETH", D("-0.01"))}


def test_a_leveraged_gain_that_the_venue_denies_is_an_extra_entry(venue):
    opened, closed = (
        MarginFill(
            id=f"{ACCOUNT}:{side.value}",
            executed_at=START + days * DAY,
            account=ACCOUNT,
            base="ETH",
            quote="USD",
            side=side,
            quantity=D(1),
            price=D(price),
        )
        for side, days, price in ((Side.BUY, 9, 2000), (Side.SELL, 10, 2100))
    )
    rows, statement = [*venue.rows, opened, closed], venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, one.target, shifts(one)) == (Kind.EXTRA, closed.id, {("USD", D(-100))})
    assert closes(rows, result, statement)


def test_a_last_row_that_is_not_the_venues_is_one_break(venue):
    last = venue.rows[-1]
    foreign = msgspec.structs.replace(
        last,
        id=f"{ACCOUNT}:foreign",
        executed_at=last.executed_at + HOUR,
        group=None,
        kind=K.DEPOSIT,
        asset="ETH",
        code="ETH",
        amount=D(3),
        fee=D(0),
        balance=D(77),
        pocket=None,
    )
    rows, statement = [*venue.rows, foreign], venue.statement(at=venue.at + DAY)
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, one.target, shifts(one)) == (Kind.EXTRA, foreign.id, {("ETH", D(-3))})
    assert closes(rows, result, statement)


def test_a_leg_under_an_asset_of_which_there_is_nothing_else_is_closed_by_an_exchange(venue, trade):
    rows, statement = changed(venue.rows, trade[1], asset="SOL", code="SOL"), venue.statement()
    result = found(statement, rows)
    assert only(result).kind is Kind.WRONG_ASSET
    (entry,) = result.proposals[0].entries
    assert isinstance(entry, Conversion)
    assert closes(rows, result, statement)


def test_a_trade_that_its_correction_would_undo_is_closed_by_a_flow(venue, trade):
    ours = ours_of(timeline_of(venue.rows), ACCOUNT, venue.at)
    undone = Break(
        id=f"{ACCOUNT}:drift-1",
        kind=Kind.WRONG_AMOUNT,
        shifts=(Shift("XBT", -trade[1].amount),),
        place=Place(Where.ROWS, "a", "b", START, START + HOUR),
        reason="made up",
        evidence=(trade[1].group,),
    )
    made = propose(undone, Evidence(ours, (), marks(), DEFAULT, venue.at), ())
    assert made is not None
    (entry,) = made.entries
    assert isinstance(entry, CashFlow)
    assert (entry.kind, entry.amount) == (FlowKind.ADJUSTMENT, -trade[1].amount)


def test_an_extra_entry_of_which_some_rows_are_the_venues_is_closed_leg_by_leg():
    """A trade history that knows more of a trade than the ledger does, at another time."""
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    quote, base = venue.later().trade("XBT", "0.0100000000", "USD", "500.0000")
    copy = msgspec.structs.replace(quote, id=f"{quote.id}x", group=base.group)
    venue.later().deposit("USD", "1.0000")
    rows, statement = [*venue.rows, copy], venue.statement()
    result = found(statement, rows)
    one = only(result)
    assert (one.kind, one.target, shifts(one)) == (Kind.EXTRA, None, {("USD", D(500))})
    (entry,) = result.proposals[0].entries
    assert (entry.kind, entry.amount) == (FlowKind.ADJUSTMENT, D(500))
    assert closes(rows, result, statement)


@pytest.mark.parametrize("kind,way", [(K.DEPOSIT, 1), (K.WITHDRAWAL, -1)])
def test_a_flow_that_goes_against_its_kind_has_its_sign_the_wrong_way_round(kind, way):
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    row = venue.later().row(kind, "USD", D("123.0000") * way)
    rows, statement = changed(venue.rows, row, amount=-row.amount), venue.statement()
    result = found(statement, rows)
    assert only(result).kind is Kind.WRONG_AMOUNT
    assert closes(rows, result, statement)


def test_a_price_that_is_off_either_way_proves_no_wrong_amount():
    venue = Venue()
    venue.deposit("USD", "100000.0000")
    venue.later().trade("XBT", "1.0000000000", "USD", "50000.0000")
    legs = venue.later().trade("XBT", "0.3000000000", "USD", "12000.0000")
    venue.later().deposit("USD", "5.0000")
    rows = changed(venue.rows, legs[0], amount=D("-11700.0000"))
    assert only(found(venue.statement(), rows)).kind is Kind.UNKNOWN


def test_an_end_that_is_more_than_a_stray_row_stays_two_breaks(venue):
    last = [row for row in venue.rows if row.asset == "ETH"][-1]
    foreign = msgspec.structs.replace(
        last,
        id=f"{ACCOUNT}:foreign",
        executed_at=venue.at + 1,
        group=None,
        kind=K.DEPOSIT,
        amount=D(3),
        fee=D(0),
        balance=D(77),
    )
    result = found(venue.statement(at=venue.at + DAY, ETH="0.5"), [*venue.rows, foreign])
    assert len(result.breaks) == 2


@pytest.mark.parametrize("kind", [K.DEPOSIT, K.WITHDRAWAL])
@pytest.mark.parametrize(
    "hours,copies,is_found", [(1, 1, True), (24, 1, True), (25, 1, False), (1, 2, False)]
)
def test_a_flow_that_two_lists_tell_at_two_times_is_taken_back_once(hours, copies, is_found, kind):
    # Binance has no running balances; one of its lists tells when a deposit was seen, the other
    # when it was credited.
    venue = Venue()
    venue.deposit("XBT", "5")
    venue.later()
    row = venue.row(kind, "XBT", "0.5" if kind is K.DEPOSIT else "-0.5")
    again = [
        msgspec.structs.replace(row, id=f"{row.id}x{n}", executed_at=row.executed_at + hours * HOUR)
        for n in range(copies)
    ]
    rows = [msgspec.structs.replace(each, balance=None) for each in (*venue.rows, *again)]
    statement = venue.later(30 * HOUR).statement()
    result = found(statement, rows)
    (one,) = result.breaks
    assert (one.kind is Kind.EXTRA) is is_found
    if is_found:
        assert one.target == again[0].id
        assert one.evidence == (row.id, again[0].id)
        assert closes(rows, result, statement)
