"""Transfers, renames, splits, conversions, sleeves: every number here is worked out by hand."""

from decimal import Decimal

import pytest

from bursar.errors import Oversold
from bursar.ledger import audit
from bursar.ledger.entries import Rate, SleeveTransfer
from tests.unit.ledger.samples import (
    MAIN,
    OTHER,
    SHORT,
    START,
    Pen,
    booked,
    fees,
    folded,
    held,
    lots,
    realized,
    terms,
    told,
)

D = Decimal
XBT = (Rate("XBT", "USD", D(100), "file"),)


def test_a_transfer_takes_its_lots_along():
    pen = Pen()
    book = folded(
        pen.buy(1, "XBT", 10),
        pen.buy(1, "XBT", 20),
        pen.buy(1, "XBT", 50, account=OTHER),
        pen.move("1.5", "XBT"),
        under=terms("fifo"),
    )
    assert lots(book, "XBT") == [("2", D("0.5"), D(10))]
    arrived = [("1", D(1), D(10)), ("2", D("0.5"), D(10)), ("3", D(1), D(50))]
    assert lots(book, "XBT", OTHER) == arrived
    assert realized(book) == 0


def test_the_sender_pays_the_fee_and_the_receiver_his_own():
    pen = Pen()
    book = folded(
        pen.buy(10, "XBT", 100),
        pen.move(5, "XBT", fees=fees((1, "XBT")), to_fees=fees((2, "XBT")), rates=XBT),
    )
    assert held(book, "XBT") == (D(4), D(40))
    assert held(book, "XBT", OTHER) == (D(3), D(30))
    assert booked(book, "fee") == 300
    assert realized(book) == 100 - 10 + 200 - 20


def test_what_was_not_there_arrives_without_a_cost():
    pen = Pen()
    book = folded(pen.buy(1, "XBT", 10), pen.move(3, "XBT"), under=terms("fifo"))
    assert held(book, "XBT") == (D(-2), 0)
    assert lots(book, "XBT", OTHER) == [("1", D(1), D(10)), ("2", D(2), D(0))]


def test_money_moves_at_its_face():
    pen = Pen()
    book = folded(pen.move(3, "USDT"))
    assert (held(book, "USDT"), held(book, "USDT", OTHER)) == ((D(-3), D(-3)), (D(3), D(3)))
    assert realized(book) == 0


def test_what_arrives_where_coins_are_owed_covers_them():
    pen = Pen()
    facts = [
        pen.sell(10, "AAPL", 100, account=SHORT),
        pen.buy(12, "AAPL", 60),
        pen.move(12, "AAPL", SHORT),
    ]
    book = folded(*facts, under=terms("fifo"))
    assert lots(book, "AAPL", SHORT) == [("2", D(2), D(10))]
    assert realized(book) == 100 - 50


def test_pockets_of_one_account_move_no_lots():
    pen = Pen()
    book = folded(
        pen.buy(5, "ETH", 50),
        pen.move(3, "ETH", MAIN, pocket="main", to_pocket="staked"),
        pen.move(1, "ETH", MAIN, pocket="staked", to_pocket=None),
    )
    assert held(book, "ETH") == (D(5), D(50))
    assert dict(book.pockets) == {(MAIN, "ETH", "staked"): D(2)}


def test_a_strict_account_moves_only_what_it_has_but_between_pockets():
    pen, strict = Pen(), terms(strict=True)
    folded(pen.move(3, "ETH", MAIN, to_pocket="staked"), under=strict)
    with pytest.raises(Oversold):
        folded(pen.move(3, "ETH"), under=strict)


# -------------------------------------------------------------------------------------- renames


@pytest.mark.parametrize("account", [MAIN, "*"])
def test_a_rename_changes_the_name_and_nothing_else(account):
    pen = Pen()
    book = folded(
        pen.buy(1, "MATIC", 10),
        pen.buy(1, "MATIC", 20),
        pen.buy(1, "POL", 5),
        pen.buy(1, "MATIC", 7, account=OTHER),
        pen.rename("MATIC", "POL", account=account),
        under=terms("fifo"),
    )
    assert lots(book, "POL") == [("1", D(1), D(10)), ("2", D(1), D(20)), ("3", D(1), D(5))]
    assert lots(book, "MATIC") == []
    assert len(lots(book, "POL", OTHER)) == (account == "*")
    assert realized(book) == 0


def test_a_short_goes_on_under_the_new_name():
    pen = Pen()
    book = folded(pen.sell(10, "FB", 100, account=SHORT), pen.rename("FB", "META", account=SHORT))
    assert held(book, "FB", SHORT) == (0, 0)
    assert held(book, "META", SHORT) == (D(-10), D(-100))


@pytest.mark.parametrize("method", ["wac", "fifo"])
def test_money_may_be_renamed(method):
    pen = Pen()
    into_coins = pen.rename("USDT", "USDX")
    facts = [pen.flow("deposit", 10, "USDT"), into_coins, pen.rename("USDX", "USD")]
    book = folded(*facts, under=terms(method))
    assert held(book, "USD") == (D(10), D(10))
    assert held(folded(*facts[:2], under=terms(method)), "USDX") == (D(10), D(10))
    assert audit.breaches(book) == []


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("method", ["wac", "fifo"])
def test_money_below_zero_is_owed_under_a_coins_name(method, pooled):
    pen = Pen()
    facts = [pen.flow("fee", -1, "USD"), pen.rename("USD", "USDX")]
    book = folded(*facts, under=terms(method, pooled=pooled))
    assert held(book, "USD") == (0, 0)
    assert held(book, "USDX") == (-1, -1)
    assert audit.breaches(book) == []


@pytest.mark.parametrize("method", ["wac", "fifo"])
def test_coins_owed_that_turn_out_to_be_money_are_owed_at_face(method):
    pen = Pen()
    facts = [pen.sell(1, "USDX", 5), pen.rename("USDX", "USDT")]
    book = folded(*facts, under=terms(method))
    assert held(book, "USDT") == (-1, -1)
    assert realized(book) == 4
    assert audit.breaches(book) == []


@pytest.mark.parametrize("method", ["wac", "fifo"])
def test_in_a_pool_each_accounts_coins_are_renamed(method):
    pen = Pen()
    facts = [
        pen.buy(3, "MATIC", 30),
        pen.buy(1, "MATIC", 50, account=OTHER),
        pen.rename("MATIC", "POL"),
    ]
    book = folded(*facts, under=terms(method, pooled=True))
    assert book.balances[MAIN, "MATIC"] == 0
    assert book.balances[MAIN, "POL"] == 3
    assert book.balances[OTHER, "MATIC"] == 1
    assert held(book, "POL")[0] == 3
    assert audit.breaches(book) == []


@pytest.mark.parametrize("method", ["wac", "fifo", "lifo", "hifo", "specific"])
def test_in_a_pool_an_account_that_is_short_is_renamed_too(method):
    pen = Pen()
    facts = [
        pen.buy(3, "MATIC", 30),
        pen.sell(4, "MATIC", 80, account=OTHER),
        pen.rename("MATIC", "POL", account="*"),
    ]
    book = folded(*facts, under=terms(method, pooled=True))
    assert (book.balances[MAIN, "POL"], book.balances[OTHER, "POL"]) == (3, -4)
    assert (book.balances[MAIN, "MATIC"], book.balances[OTHER, "MATIC"]) == (0, 0)
    assert audit.breaches(book) == []


# --------------------------------------------------------------------------------------- splits


def test_a_split_changes_the_count_and_not_the_cost():
    pen = Pen()
    book = folded(
        pen.buy(1, "AAPL", 10),
        pen.buy(2, "AAPL", 20),
        pen.split("AAPL", 3, 2),
        under=terms("fifo"),
    )
    assert lots(book, "AAPL") == [("1", D("1.5"), D(10)), ("2", D(3), D(20))]
    assert realized(book) == 0


def test_odd_atoms_of_a_split_go_to_the_largest_remainders():
    pen = Pen()
    facts = [pen.buy("0.000000000000000003", "AAPL", 1) for _ in range(4)]
    book = folded(*facts, pen.split("AAPL", 1, 2), under=terms("fifo"))
    atoms = [int(quantity * 10**18) for _, quantity, _ in lots(book, "AAPL")]
    assert atoms == [2, 2, 1, 1]


def test_a_lot_that_splits_to_nothing_leaves_its_cost_to_another():
    pen = Pen()
    facts = [pen.buy("0.000000000000000001", "AAPL", 5), pen.buy(2, "AAPL", 20)]
    book = folded(*facts, pen.split("AAPL", 1, 4), under=terms("fifo"))
    assert lots(book, "AAPL") == [("2", D("0.5"), D(25))]


def test_a_holding_that_splits_to_nothing_realises_its_cost():
    pen = Pen()
    facts = [pen.buy("0.000000000000000001", "AAPL", 5), pen.split("AAPL", 1, 4)]
    book = folded(*facts)
    assert held(book, "AAPL") == (0, 0)
    assert realized(book) == -5
    assert told(*facts) == [("rounding", "AAPL", D(-5))]


def test_a_short_is_split_at_the_same_proceeds():
    pen = Pen()
    book = folded(pen.sell(10, "AAPL", 100, account=SHORT), pen.split("AAPL", 2, 1, account=SHORT))
    assert held(book, "AAPL", SHORT) == (D(-20), D(-100))


def test_money_and_nothing_do_not_split():
    pen = Pen()
    book = folded(pen.flow("deposit", 10, "USD"), pen.split("USD", 2, 1), pen.split("AAPL", 2, 1))
    assert held(book, "USD") == (D(10), D(10))
    assert held(book, "AAPL") == (0, 0)


def test_in_a_pool_each_accounts_units_are_split_once():
    pen = Pen()
    facts = [
        pen.buy(3, "AAPL", 30),
        pen.buy(4, "AAPL", 30, account=OTHER),
        pen.split("AAPL", 2, 1),
        pen.split("AAPL", 2, 1, account=OTHER),
    ]
    book = folded(*facts, under=terms("wac", pooled=True))
    assert (book.balances[MAIN, "AAPL"], book.balances[OTHER, "AAPL"]) == (6, 8)
    assert held(book, "AAPL") == (D(14), D(60))


@pytest.mark.parametrize("numerator, denominator, left", [(2, 1, 20), (1, 2, 5)])
def test_in_a_pool_an_account_may_have_more_than_the_pool(numerator, denominator, left):
    pen = Pen()
    facts = [
        pen.buy(10, "AAPL", 30),
        pen.sell(4, "AAPL", 80, account=OTHER),
        pen.split("AAPL", numerator, denominator),
    ]
    book = folded(*facts, under=terms("fifo", pooled=True))
    assert book.balances[MAIN, "AAPL"] == left
    assert audit.breaches(book) == []


# ---------------------------------------------------------------------------------- conversions


def test_a_dust_sweep_splits_its_proceeds_by_value():
    pen = Pen()
    book = folded(
        pen.buy(1, "ADA", 3),
        pen.buy(1, "SOL", 50),
        pen.convert([(1, "ADA", 1), (1, "SOL", 2)], [("0.01", "BNB", 6)]),
    )
    assert held(book, "BNB") == (D("0.01"), D(6))
    assert (realized(book, "ADA"), realized(book, "SOL")) == (2 - 3, 4 - 50)


def test_a_side_that_is_all_money_decides():
    pen = Pen()
    rates = (Rate("XBT", "USD", D(90), "file"),)
    book = folded(pen.convert([(100, "USD")], [(1, "XBT")], rates=rates))
    assert held(book, "XBT") == (D(1), D(100))
    assert realized(book) == 0


def test_a_fee_may_be_paid_from_what_comes():
    pen = Pen()
    book = folded(
        pen.buy(3, "XBT", 30),
        pen.convert([(3, "XBT")], [(5, "ETH", 40)], fees=fees(("0.5", "ETH", 4))),
        under=terms(strict=True),
    )
    assert held(book, "ETH") == (D("4.5"), D(36))
    assert booked(book, "fee") == 4
    assert realized(book) == 10


@pytest.mark.parametrize(
    "given, taken",
    [
        ([(250, "USD"), (1, "XBT")], [("9.68", "USDT")]),
        ([(1, "USD"), (3, "ADA")], [(5, "BNB")]),
        ([(1, "XBT")], [(10, "USD"), (5, "USDT")]),
        ([(5, "USDT")], [(3, "ADA"), (4, "BNB")]),
    ],
)
def test_a_conversion_closes_whatever_is_known_of_it(given, taken):
    pen = Pen()
    book = folded(pen.convert(given, taken))
    assert audit.breaches(book) == []


def test_a_traced_conversion_names_both_sides():
    pen = Pen()
    facts = [pen.buy(1, "ADA", 3), pen.convert([(1, "ADA")], [(4, "USDT")])]
    assert told(*facts) == [("conversion", "ADA", D(1))]


def test_a_sleeve_transfer_moves_capital_between_strategies_only():
    move = SleeveTransfer(
        id="s", executed_at=START, account=MAIN, from_strategy="a", to_strategy="b", amount=D(7)
    )
    book = folded(move)
    assert dict(book.sleeves) == {"a": D(-7), "b": D(7)}
    assert not book.holdings
