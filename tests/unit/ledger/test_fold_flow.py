"""Cash flows and their reversals: every number here is worked out by hand."""

from decimal import Decimal

import pytest

from bursar.errors import Oversold
from bursar.ledger import audit, golden
from bursar.ledger.entries import CAPITAL, EXPENSE, INCOME, Flag, FlowKind, Rate
from bursar.ledger.state import FlowTotal
from bursar.ledger.terms import Account, FactSource, Terms
from tests.unit.ledger.samples import (
    MAIN,
    SHORT,
    Pen,
    booked,
    fees,
    folded,
    held,
    landed,
    lots,
    realized,
    terms,
    told,
)

D = Decimal
XBT = (Rate("XBT", "USD", D(100), "file"),)


def test_every_kind_of_flow_is_capital_income_or_expense():
    assert set(FlowKind) == CAPITAL | INCOME | EXPENSE
    assert not CAPITAL & INCOME


@pytest.mark.parametrize("kind", sorted(kind.value for kind in CAPITAL))
def test_capital_comes_in_at_value_and_goes_out_at_cost(kind):
    pen = Pen()
    book = folded(
        pen.flow(kind, 4, "XBT", value=400),
        pen.flow(kind, -1, "XBT", value=-250),
    )
    assert held(book, "XBT") == (D(3), D(300))
    assert book.flows[MAIN, kind, "XBT", "manual"] == FlowTotal(D(3), D(300), D(150), 2)
    assert realized(book) == 0


@pytest.mark.parametrize("kind", sorted(kind.value for kind in INCOME))
def test_income_is_booked_at_value_and_taken_back_as_a_disposal(kind):
    pen = Pen()
    book = folded(
        pen.flow(kind, 4, "XBT", value=400, basis=7),
        pen.flow(kind, -1, "XBT", value=-250),
    )
    assert held(book, "XBT") == (D(3), D(300))
    assert booked(book, kind) == 400 - 250
    assert realized(book) == 250 - 100


def test_an_expense_in_a_coin_is_a_disposal_at_its_value():
    pen = Pen()
    book = folded(
        pen.flow("deposit", 4, "XBT", value=400),
        pen.flow("fee", -1, "XBT", value=-250),
        pen.flow("fee", "0.5", "XBT", value=60),
    )
    assert held(book, "XBT") == (D("3.5"), D(360))
    assert booked(book, "fee") == 250 - 60
    assert realized(book) == 150


def test_a_given_basis_is_kept_where_it_differs_from_the_value():
    pen = Pen()
    book = folded(
        pen.flow("deposit", 4, "XBT", value=400, basis=100),
        pen.flow("deposit", 4, "USDT", basis=1),
    )
    assert held(book, "XBT") == (D(4), D(100))
    assert held(book, "USDT") == (D(4), D(4))
    deposits = book.flows[MAIN, "deposit", "XBT", "manual"]
    assert (deposits.booked, deposits.value) == (D(100), D(400))


def test_a_flow_of_nothing_is_only_counted():
    pen = Pen()
    book = folded(pen.flow("funding", 0, "USD", strategy="perp"))
    assert book.flows[MAIN, "funding", "USD", "perp"] == FlowTotal(count=1)
    assert not book.holdings


def test_a_fee_kept_back_from_what_came_is_an_expense_from_that_lot():
    pen = Pen()
    book = folded(
        pen.flow("deposit", 10, "XBT", value=1_000, fees=fees((1, "XBT"))), under=terms("fifo")
    )
    assert lots(book, "XBT") == [("1", D(9), D(900))]
    assert (booked(book, "deposit"), booked(book, "fee")) == (D(1_000), D(100))
    assert realized(book) == 0


def test_a_fee_kept_back_at_another_basis_realises_the_difference():
    pen = Pen()
    book = folded(pen.flow("deposit", 10, "XBT", value=1_000, basis=500, fees=fees((1, "XBT"))))
    assert held(book, "XBT") == (D(9), D(450))
    assert realized(book) == 100 - 50


def test_fees_above_what_came_are_paid_from_the_whole_holding():
    pen = Pen()
    both = fees((6, "XBT"), (7, "XBT"))
    book = folded(
        pen.buy(5, "XBT", 100),
        pen.flow("deposit", 10, "XBT", value=1_000, fees=both),
    )
    assert held(book, "XBT")[0] == 2
    assert audit.breaches(book) == []


def test_a_fee_beside_a_withdrawal_leaves_at_its_worth():
    pen = Pen()
    book = folded(
        pen.flow("deposit", 10, "XBT", value=500),
        pen.flow("withdrawal", -4, "XBT", fees=fees((1, "XBT")), rates=XBT),
    )
    assert held(book, "XBT") == (D(5), D(250))
    assert booked(book, "fee") == 100
    assert realized(book) == 100 - 50


def test_capital_without_a_value_leaves_no_gap_when_it_leaves():
    pen = Pen()
    book = folded(pen.flow("deposit", 1, "XBT"), pen.flow("withdrawal", -1, "XBT"))
    assert dict(book.gaps) == {("XBT", Flag.UNPRICED.value): 1}


def test_a_strict_account_refuses_a_withdrawal_it_has_not():
    pen = Pen()
    with pytest.raises(Oversold):
        folded(pen.flow("withdrawal", -1, "XBT"), under=terms(strict=True))
    with pytest.raises(Oversold):
        folded(
            pen.flow("deposit", 1, "XBT", value=1),
            pen.flow("deposit", 1, "ETH", fees=fees((2, "XBT"))),
            under=terms(strict=True),
        )


def test_a_traced_withdrawal_names_the_lots_that_left():
    pen = Pen()
    facts = [pen.buy(2, "XBT", 80), pen.flow("withdrawal", -1, "XBT")]
    assert told(*facts) == [("flow", "XBT", D(0))]


# ------------------------------------------------------------------------------------ reversals


def reversed_book(flow, pen, *before, between=(), under=None):
    line = landed([*before, flow, *between, pen.reversal(flow.id)], under=under or terms("fifo"))
    assert audit.breaches(line.book) == []
    return line.book


def test_a_withdrawal_that_comes_back_brings_its_lots_back():
    pen = Pen()
    buys = [pen.buy(1, "XBT", cost) for cost in (10, 20, 30)]
    flow = pen.flow("withdrawal", "-1.5", "XBT", fees=fees(("0.5", "XBT")), rates=XBT)
    book = reversed_book(flow, pen, *buys)
    assert lots(book, "XBT") == [("1", D(1), D(10)), ("2", D(1), D(20)), ("3", D(1), D(30))]
    assert (booked(book, "withdrawal"), booked(book, "fee"), realized(book)) == (0, 0, 0)
    assert not any(total.count for total in book.flows.values())


@pytest.mark.parametrize("asset", ["USD", "XBT"])
@pytest.mark.parametrize("kind", ["withdrawal", "fee", "funding"])
def test_what_is_taken_back_leaves_nothing_behind(kind, asset):
    pen = Pen()
    flow = pen.flow(kind, -2, asset, rates=XBT)
    book = reversed_book(flow, pen, pen.flow("deposit", 5, asset, value=5))
    assert held(book, asset) == (D(5), D(5))
    assert (booked(book, kind), realized(book)) == (0, 0)


@pytest.mark.parametrize("asset", ["USD", "XBT"])
@pytest.mark.parametrize("kind", ["deposit", "reward", "fee"])
def test_what_came_and_was_never_meant_leaves_by_its_own_lot(kind, asset):
    pen = Pen()
    charged = fees((1, asset), (1, "USD"))
    flow = pen.flow(kind, 4, asset, value=4, fees=charged, rates=XBT)
    others = [pen.buy(1, asset, 1)] if asset == "XBT" else [pen.flow("deposit", 1, asset)]
    book = reversed_book(flow, pen, *others)
    assert held(book, asset)[1] == 1
    assert booked(book, kind) == (1 if kind == "deposit" and asset == "USD" else 0)
    assert (booked(book, "fee"), realized(book)) == (0, 0)
    assert not any(fee.amount or fee.value for fee in book.fees.values())


def test_a_rebate_goes_back_with_its_flow():
    pen = Pen()
    book = reversed_book(pen.flow("deposit", 10, "USD", fees=fees((-1, "USD"))), pen)
    assert held(book, "USD") == (0, 0)


def test_coins_that_were_sold_meanwhile_are_owed():
    pen = Pen()
    flow = pen.flow("deposit", 10, "XBT", value=100)
    book = reversed_book(flow, pen, between=[pen.sell(4, "XBT", 80)])
    assert [lot.quantity for lot in book.held(MAIN, "XBT").owed] == [D(4)]
    assert booked(book, "deposit") == 100 - 60


def test_what_was_owed_comes_back_out_of_its_debt():
    pen = Pen()
    flow = pen.flow("withdrawal", -5, "XBT", fees=fees((1, "XBT")), rates=XBT)
    book = reversed_book(flow, pen, pen.buy(2, "XBT", 20))
    assert held(book, "XBT") == (D(2), D(20))
    assert not book.held(MAIN, "XBT").owed
    assert realized(book) == 0


def test_what_was_covered_meanwhile_comes_back_without_a_cost():
    pen = Pen()
    before = pen.buy(3, "AAPL", 30, account=SHORT)
    flow = pen.flow("withdrawal", -5, "AAPL", account=SHORT)
    cover = pen.buy(4, "AAPL", 40, account=SHORT)
    book = reversed_book(flow, pen, before, between=[cover])
    assert held(book, "AAPL", SHORT) == (D(7), D(50))
    assert realized(book) == -20


def test_a_flow_of_nothing_can_be_taken_back():
    pen = Pen()
    book = reversed_book(pen.flow("deposit", 0, "USD"), pen)
    assert not book.holdings
    assert not any(total.count for total in book.flows.values())


def test_a_reversal_is_not_repeated():
    pen = Pen()
    flow = pen.flow("deposit", 10, "USD")
    again = [pen.reversal(flow.id), pen.reversal(flow.id)]
    line = landed([flow, *again])
    assert held(line.book, "USD") == (0, 0)
    assert sum(fact.id in {each.id for each in again} for fact in line) == 1


# -------------------------------------------------------------------------------------- pockets


def test_a_flow_into_a_pocket_is_counted_there_and_taken_back():
    pen = Pen()
    came = pen.flow("reward", 4, "ETH", value=8, pocket="staked", fees=fees((1, "ETH"), (2, "USD")))
    assert folded(came).pockets == {(MAIN, "ETH", "staked"): D(3)}
    assert not any(reversed_book(came, pen).pockets.values())
    assert not folded(pen.flow("reward", 4, "ETH", value=8, pocket="main")).pockets


def test_what_a_fee_owes_comes_back_by_itself_after_a_split():
    under = Terms(accounts=(Account("k", FactSource.EVENTS),))
    lines = [
        "2026-01-05T08:00:00Z withdrawal 7 ADA fee 0.1 ADA #k:1",
        "2026-01-05T09:00:00Z split ADA 3 for 2 #k:2",
        "2026-01-05T10:00:00Z reverse k:1 #k:3",
    ]
    owed = landed(list(golden.read(lines)), under=under).book.holdings["k", "ADA"].owed
    assert [(lot.id, lot.quantity) for lot in owed] == [("k:1", D("3.5")), ("k:1/fee", D("0.05"))]
