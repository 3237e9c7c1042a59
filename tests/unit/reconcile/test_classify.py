"""Classify: what each break is called, where it lies, and what would close it."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Link,
    Reversal,
    Side,
    Source,
    StagedChange,
    StagedLine,
    Transfer,
)
from bursar.ledger.terms import Terms
from bursar.reconcile import (
    Break,
    Kind,
    Limits,
    Place,
    Shift,
    Verdict,
    Where,
    ours_of,
    propose,
)
from tests.unit.reconcile.venues import (
    ACCOUNT,
    DAY,
    HOUR,
    START,
    K,
    Venue,
    accepted,
    busy,
    changed,
    found,
    timeline_of,
    without,
)

D = Decimal


@pytest.fixture(scope="module")
def venue():
    return busy()


@pytest.fixture(scope="module")
def trade(venue):
    """The two legs of a purchase of bitcoin in the middle of it all."""
    groups = [row.group for row in venue.rows if row.kind is K.TRADE and row.asset == "XBT"]
    return [row for row in venue.rows if row.group == groups[len(groups) // 2]]


def of(venue, kind):
    return [row for row in venue.rows if row.kind is kind]


def only(result):
    (one,) = result.breaks
    return one


def shifts(one):
    return {(each.asset, each.amount) for each in one.shifts}


def closes(rows, result, statement):
    """Accepting every proposal leaves nothing amiss."""
    line = accepted(rows, result)
    return found(statement, rows, line=line).is_clean


def named(row):
    return row.id


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


def test_a_return_that_is_missing_between_rows_is_a_flow_that_undoes():
    venue, out, back = failing()
    venue.later().deposit("XBT", "0.1000000000")
    one = only(found(venue.statement(), without(venue.rows, back)))
    assert one.kind is Kind.MISSING_FLOW
    assert one.reason.endswith(f"it undoes {out.id}")


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


def test_one_step_is_rounding_and_little_worth_is_dust(venue):
    step = only(found(venue.statement(XBT="0.0000000001"), venue.rows))
    assert step.kind is Kind.ROUNDING
    two = only(found(venue.statement(XBT="0.0000000002"), venue.rows))
    assert two.kind is Kind.DUST
    assert two.reason == "worth 0.00001 USD"
    unpriced = only(found(venue.statement(SOL="0.0000000002"), venue.rows, prices={}))
    assert unpriced.kind is Kind.UNKNOWN


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
    line.land(line.plan([row]))
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


def bare(rows):
    return [msgspec.structs.replace(row, balance=None) for row in rows]


def test_without_running_balances_nothing_is_located(venue, trade):
    assert found(venue.statement(), bare(venue.rows)).is_clean
    one = only(found(venue.statement(XBT="0.01"), bare(venue.rows)))
    assert (one.kind, one.place.where) == (Kind.UNKNOWN, Where.NOWHERE)
    fill = only(found(venue.statement(), bare(without(venue.rows, *trade))))
    assert (fill.kind, fill.place.where) == (Kind.MISSING_FILL, Where.NOWHERE)


def test_without_running_balances_a_move_between_pockets_is_seen():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().deposit("DOT.S", "5.0000000000")
    pair = venue.later().move("DOT", "DOT.S", "800.0000000000")
    result = found(venue.statement(), bare(without(venue.rows, *pair)))
    assert only(result).kind is Kind.POCKET_MOVE
    assert closes(bare(without(venue.rows, *pair)), result, venue.statement())


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


def test_a_deposit_missing_before_it_is_spent_is_a_flow_and_no_wrong_trade():
    venue = Venue()
    venue.deposit("USD", "10.0000")
    gone = venue.later().deposit("USD", "1000.0000")
    venue.later().trade("XBT", "0.0100000000", "USD", "500.0000")
    venue.later().trade("XBT", "0.0010000000", "USD", "50.0000")
    one = only(found(venue.statement(), without(venue.rows, gone)))
    assert (one.kind, shifts(one)) == (Kind.MISSING_FLOW, {("USD", D(1000))})


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
    made = propose(undone, ours, ())
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


def test_coins_on_their_way_explain_no_other_break():
    venue = Venue()
    venue.deposit("DOT", "1000.0000000000")
    venue.later().row(K.INTERNAL, "DOT", "-5.0000000000")
    one = only(found(venue.statement(DOT="7"), venue.rows))
    assert (one.kind, shifts(one)) == (Kind.UNKNOWN, {("DOT", D(7))})


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
