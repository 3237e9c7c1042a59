"""Round trips, as a fold of fills."""

from decimal import Decimal

import pytest

from bursar.ledger.entries import (
    CashFlow,
    Fee,
    Fill,
    FlowKind,
    MarginFill,
    Rename,
    Side,
    Split,
)
from bursar.ledger.trades import Made, Trades


def at(minute, name, side, quantity, *, kind=Fill, price=10, account="k", **parts):
    own = {"base": "XBT", "quote": "USD", "side": side, "quantity": Decimal(str(quantity))}
    return kind(
        id=name, executed_at=minute, account=account, price=Decimal(price), **{**own, **parts}
    )


def bought(minute, name, quantity, **parts):
    return at(minute, name, Side.BUY, quantity, **parts)


def sold(minute, name, quantity, **parts):
    return at(minute, name, Side.SELL, quantity, **parts)


def folded(*facts, shorts=(), known=(), made=Made()):  # noqa: B008 (frozen)
    trades = Trades(shorts, known)
    for fact in facts:
        trades.add(fact, made)
    return trades.changed()


def told(trade):
    closed = trade.closed_at
    return trade.trade_id, trade.side, trade.quantity, trade.open_quantity, closed, trade.fills


def test_a_round_trip_is_one_trade_with_average_prices():
    made = Made(Decimal(3), Decimal("0.5"))
    (trade,) = folded(
        bought(1, "a", 1, price=10),
        bought(2, "b", 1, amount=Decimal(30), strategy="late"),
        sold(3, "c", "0.5", price=40),
        sold(4, "d", "1.5", price=80),
        made=made,
    )
    assert told(trade) == ("a", "LONG", 2, 0, 4, ("a", "b", "c", "d"))
    assert (trade.entry_price, trade.exit_price, trade.symbol) == (20, 70, "XBT/USD")
    assert (trade.realized_pnl, trade.fees, trade.is_open) == (12, 2, False)
    assert (trade.strategy, trade.leverage, trade.is_margin) == (None, None, False)


def test_a_fee_in_the_coin_itself_leaves_nothing_open():
    fee = (Fee("XBT", Decimal("0.001")),)
    (first, second, third) = folded(
        bought(1, "a", 1, price=10, fees=fee),
        sold(2, "b", "0.999", price=40),
        bought(3, "c", 1, price=10),
        sold(4, "d", "0.999", price=40, fees=fee),
        bought(5, "e", "0.001", fees=fee),
        bought(6, "f", 1, fees=(Fee("BNB", Decimal("0.001")),)),
    )
    assert told(first) == ("a", "LONG", Decimal("0.999"), 0, 2, ("a", "b"))
    assert told(second) == ("c", "LONG", 1, 0, 4, ("c", "d"))
    assert [(each.entry_price, each.exit_price) for each in (first, second)] == [(10, 40), (10, 40)]
    assert told(third) == ("f", "LONG", 1, 1, None, ("f",)), "of the fifth nothing was left"


def split(minute, units, account="k"):
    return Split(
        id=f"s{minute}",
        executed_at=minute,
        account=account,
        asset="XBT",
        numerator=Decimal(units),
        denominator=Decimal(1),
    )


def renamed(minute, name, quantity=None):
    return Rename(
        id=f"n{minute}",
        executed_at=minute,
        account="k",
        asset="XBT",
        to_asset=name,
        quantity=quantity,
    )


@pytest.mark.parametrize("account", ["k", "*"])
def test_a_trade_goes_on_after_a_split_in_the_new_units(account):
    (other, trade) = folded(
        bought(1, "a", 2, price=30),
        bought(1, "b", 1, base="ETH"),
        split(2, 3, account),
        split(2, 7, "elsewhere"),
        sold(3, "c", 5, price=20),
        sold(4, "d", 1, price=20),
    )[::-1]
    assert told(trade) == ("a", "LONG", 6, 0, 4, ("a", "c", "d"))
    assert (trade.entry_price, trade.exit_price) == (10, 20)
    assert told(other) == ("b", "LONG", 1, 1, None, ("b",))


def test_a_split_that_leaves_nothing_ends_a_trade():
    (trade,) = folded(bought(1, "a", "0.000000000000000001"), split(2, "0.1"))
    assert (trade.open_quantity, trade.closed_at) == (0, 2)


def test_a_trade_goes_on_under_the_new_name_of_its_coin():
    trades = Trades()
    for fact in (bought(1, "a", 2), renamed(2, "BTC"), sold(3, "b", 2, base="BTC")):
        trades.add(fact)
    (trade,) = trades.changed()
    assert (told(trade), trade.symbol) == (("a", "LONG", 2, 0, 3, ("a", "b")), "BTC/USD")
    (left,) = folded(bought(1, "a", 2, pair="XBTUSD"), renamed(2, "BTC", Decimal(2)))
    assert left.symbol == "BTC"


def test_a_part_that_is_renamed_and_a_name_that_is_taken_leave_a_trade_as_it_is():
    (part,) = folded(bought(1, "a", 2), renamed(2, "BTC", Decimal(1)))
    assert part.symbol == "XBT/USD"
    taken = folded(bought(1, "a", 2), bought(1, "b", 1, base="BTC"), renamed(2, "BTC"))
    assert [each.symbol for each in taken] == ["XBT/USD", "BTC/USD"]


def test_a_leveraged_position_is_not_split():
    (trade,) = folded(bought(1, "a", 2, kind=MarginFill, pair="XBT"), split(2, 3))
    assert trade.quantity == 2


def test_what_the_book_is_not_sure_of_stands_with_the_trade_that_closes_and_the_one_that_opens():
    trades = Trades()
    trades.add(bought(1, "a", 1, kind=MarginFill), Made(flags=("assumed_basis",)))
    trades.add(sold(2, "b", 3, kind=MarginFill), Made(flags=("unpriced", "assumed_basis")))
    first, second = trades.changed()
    assert first.flags == ("assumed_basis", "unpriced")
    assert second.flags == ("unpriced", "assumed_basis")


def test_an_open_trade_has_no_exit_and_is_known_by_what_was_asked_last():
    trades = Trades()
    trades.add(bought(1, "a", 1, strategy="trend", regime="bull"))
    (trade,) = trades.changed()
    assert (trade.is_open, trade.exit_price, trade.strategy, trade.regime) == (
        *(True, None, "trend", "bull"),
    )
    assert trades.changed() == []


def test_coins_that_no_fill_brought_close_nothing():
    assert folded(sold(1, "a", 1)) == []
    (trade,) = folded(bought(1, "a", 1), sold(2, "b", 3), sold(3, "c", 1))
    assert told(trade) == ("a", "LONG", 1, 0, 2, ("a", "b"))


def test_an_account_that_may_sell_short_opens_by_selling():
    trades = folded(sold(1, "a", 1), bought(2, "b", 3), sold(3, "c", 2), shorts=["k"])
    assert [told(each) for each in trades] == [
        ("a", "SHORT", 1, 0, 2, ("a", "b")),
        ("b", "LONG", 2, 0, 3, ("b", "c")),
    ]


def test_leverage_that_goes_through_zero_closes_and_opens():
    made = Made(Decimal(7))
    fills = [bought(1, "a", 1, kind=MarginFill), sold(2, "b", 3, kind=MarginFill, pair="XBT/USD")]
    first, second = folded(*fills, made=made)
    assert (told(first), first.realized_pnl) == (("a", "LONG", 1, 0, 2, ("a", "b")), 14)
    assert (told(second), second.realized_pnl) == (("b", "SHORT", 2, 2, None, ("b",)), 0)
    assert second.is_margin


def test_a_senders_own_trades_stand_side_by_side_and_only_their_opening_opens():
    def own(minute, trade, part, side, quantity):
        return at(minute, f"k:trade:{trade}:{part}", side, quantity, kind=MarginFill)

    trades = folded(
        own(1, "7", "opened", Side.BUY, 1),
        own(2, "8", "opened", Side.SELL, 1),
        own(3, "7", "closed", Side.SELL, 2),
        own(4, "9", "closed", Side.SELL, 2),
    )
    assert [told(each) for each in trades] == [
        ("k:trade:7", "LONG", 1, 0, 3, ("k:trade:7:opened", "k:trade:7:closed")),
        ("k:trade:8", "SHORT", 1, 1, None, ("k:trade:8:opened",)),
    ]


@pytest.mark.parametrize(
    "first, second",
    [
        (bought(1, "a", 1), sold(2, "b", 1, pair="XBTUSD")),
        (bought(1, "a", 1, kind=MarginFill), sold(2, "b", 1, kind=MarginFill)),
        (
            bought(1, "k:trade:7:opened", 1, kind=MarginFill),
            sold(2, "k:trade:7:closed", 1, kind=MarginFill),
        ),
    ],
)
def test_a_fold_goes_on_from_the_trades_that_were_open(first, second):
    assert folded(second, known=folded(first)) == folded(first, second)


def test_what_is_no_fill_makes_no_trade():
    flow = CashFlow(
        id="f", executed_at=1, account="k", kind=FlowKind.DEPOSIT, asset="XBT", amount=Decimal(1)
    )
    settled = MarginFill(id="s", executed_at=1, account="k", base="XBT", quote="USD")
    no_price = bought(1, "z", 1, kind=MarginFill, price=0)
    assert folded(flow, settled, bought(1, "n", 0)) == []
    assert folded(no_price)[0].entry_price == 0
