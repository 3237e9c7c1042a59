"""Compare: a statement against the book, asset by asset and pocket by pocket."""

from decimal import Decimal

import pytest

from bursar.errors import BadChoice
from bursar.exact import ZERO
from bursar.ledger.entries import CashFlow, FlowKind
from bursar.ledger.terms import Scope, Terms
from bursar.reconcile import Holding, Limits, Ours, Statement, Verdict, compare
from bursar.value.marks import Marks
from bursar.value.worth import Options
from tests.unit.reconcile.venues import ACCOUNT, HOUR, START, Venue, busy, found, marks, timeline_of

D = Decimal


def simple():
    venue = Venue()
    venue.deposit("USD", "1000.0000")
    venue.later().trade("XBT", "0.0100000000", "USD", "500.0000", fee="1.3000")
    return venue


def compared(statement, rows, **how):
    told = {"marks": marks(), **how}
    return compare(statement, Ours(account=ACCOUNT, book=timeline_of(rows).book), **told)


def line(result, asset):
    return next(each for each in result.assets if each.asset == asset)


def test_equal_sides_are_equal_without_drift():
    venue = simple()
    result = compared(venue.statement(), venue.rows)
    assert (result.verdict, result.drift) == (Verdict.EQUAL, False)
    assert (result.worth, result.unpriced, result.differing) == (ZERO, (), ())
    assert line(result, "XBT").booked == D("0.01")
    assert line(result, "USD").stated == D("498.7")


def test_the_contracts_hundredth_of_a_bitcoin_is_drift():
    venue = simple()
    result = compared(venue.statement(XBT="0.01"), venue.rows)
    assert result.drift
    assert (line(result, "XBT").difference, line(result, "XBT").worth) == (D("0.01"), D(500))
    assert line(result, "XBT").is_out
    assert not line(result, "USD").is_out


def test_what_is_within_the_limit_of_each_may_be_out_together():
    venue = simple()
    near = venue.statement(XBT="0.00001", USD="0.6")
    assert compared(near, venue.rows).drift  # 0.5 + 0.6
    alone = compared(venue.statement(USD="0.6"), venue.rows)
    assert (alone.verdict, alone.drift) == (Verdict.WITHIN, False)
    assert not compared(near, venue.rows, limits=Limits(total=D(2))).drift
    assert compared(near, venue.rows, limits=Limits(asset=D("0.55"), total=D(2))).drift


def test_a_difference_without_a_mark_is_always_out():
    venue = simple()
    result = compared(venue.statement(XBT="0.0000000001"), venue.rows, marks=Marks())
    assert result.drift
    assert result.unpriced == ("XBT",)
    assert line(result, "XBT").worth is None


def test_an_asset_that_one_side_lacks_counts_as_nothing_there():
    venue = simple()
    extra = compared(venue.statement(ETH="1"), venue.rows)
    assert (line(extra, "ETH").booked, line(extra, "ETH").stated) == (ZERO, D(1))
    nothing = Statement(account=ACCOUNT, as_of=START + 2 * HOUR, holdings=())
    gone = compared(nothing, venue.rows)
    assert (line(gone, "XBT").difference, gone.drift) == (D("-0.01"), True)


def test_a_missing_statement_is_unknown_and_never_clean():
    result = compared(None, simple().rows)
    assert (result.verdict, result.drift, result.lines) == (Verdict.UNKNOWN, False, ())
    whole = found(None, simple().rows)
    assert not whole.is_clean
    assert (whole.verdict, whole.drift, whole.breaks, whole.rows) == (
        Verdict.UNKNOWN,
        False,
        (),
        3,
    )


def test_a_statement_of_another_account_is_refused():
    other = Statement(account="kraken:other", as_of=START, holdings=())
    with pytest.raises(BadChoice, match="kraken:other"):
        compared(other, simple().rows)


def test_what_the_options_leave_out_is_compared_and_raises_no_alarm():
    venue = simple()
    hidden = Options(exclude_assets=frozenset({"BTC"}))
    result = compared(venue.statement(XBT="0.01"), venue.rows, options=hidden)
    assert not result.drift
    assert (line(result, "XBT").difference, line(result, "XBT").is_shown) == (D("0.01"), False)


def test_names_of_one_coin_are_one_asset():
    venue = simple()
    told = Statement(
        account=ACCOUNT,
        as_of=START + 2 * HOUR,
        holdings=(
            Holding(asset="BTC", code="BTC", total=D("0.004"), reserved=D("0.001")),
            Holding(asset="XBT", code="XBT", total=D("0.006"), reserved=D("0.002")),
            Holding(asset="USD", code="USD", total=D("498.7")),
        ),
    )
    result = compared(told, venue.rows)
    assert result.verdict is Verdict.EQUAL
    assert line(result, "XBT").reserved == D("0.003")
    assert told.holdings[0].free == D("0.003")


def test_pockets_are_compared_where_both_know_them():
    venue = busy()
    result = compared(venue.statement(), venue.rows)
    pockets = [each.pocket for each in result.lines if each.asset == "DOT"]
    assert pockets == [None, "main", "staked"]
    assert result.knows_pockets
    assert [each for each in result.lines if not each.is_asset and each.asset == "XBT"] == []


def test_pockets_are_pooled_where_the_venue_names_none():
    venue = busy()
    result = compared(venue.statement(pockets=False), venue.rows)
    assert result.verdict is Verdict.EQUAL
    assert not result.knows_pockets
    assert [each.pocket for each in result.lines if each.asset == "DOT"] == [None]


def test_coins_between_two_pockets_are_in_neither():
    venue = Venue()
    venue.deposit("DOT", "10.0000000000")
    out, back = venue.move("DOT", "DOT.S", "4.0000000000")
    before = Venue()
    before.deposit("DOT", "10.0000000000")
    before.row(out.kind, "DOT", "-4.0000000000")
    result = compared(before.statement(), [venue.rows[0], out])
    assert result.verdict is Verdict.EQUAL
    assert line(result, "DOT").in_transit == D(4)
    assert back not in before.rows


def test_pooled_lots_are_compared_by_account():
    venue = simple()
    book = timeline_of(venue.rows, Terms(scope=Scope.POOLED)).book
    result = compare(venue.statement(), Ours(account=ACCOUNT, book=book), marks=marks())
    assert result.verdict is Verdict.EQUAL


def test_another_account_is_left_out():
    venue = simple()
    elsewhere = CashFlow(
        id="cold:1",
        executed_at=START,
        account="cold:wallet",
        kind=FlowKind.DEPOSIT,
        asset="XBT",
        amount=D(5),
        pocket="vault",
    )
    result = compared(venue.statement(), [*venue.rows, elsewhere])
    assert result.verdict is Verdict.EQUAL
