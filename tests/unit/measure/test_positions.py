"""Trades from flat to flat, as a following of coins; their results are those of round trips."""

from decimal import Decimal

import pytest

from bursar.exact import ZERO, money
from bursar.ledger import describe
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Leg,
    MarginFill,
    Rate,
    Rename,
    Reversal,
    Side,
    Split,
    Transfer,
)
from bursar.ledger.planning import folded as timeline_of
from bursar.ledger.terms import Account, FactSource, Terms
from tests.unit.measure.followed import Followed

ACCOUNTS = tuple(
    Account(name, FactSource.EVENTS, may_short=name == "s") for name in ("k", "j", "s")
)
TERMS = Terms(base="USD", accounts=ACCOUNTS)


def at(minute, name, side, quantity, *, kind=Fill, price=10, account="k", **parts):
    own = {"base": "XBT", "quote": "USD", "side": side, "quantity": Decimal(str(quantity))}
    if kind is Fill and "amount" not in parts and price is not None:
        parts["amount"] = own["quantity"] * price
    told = {"price": None if price is None else Decimal(price), **own, **parts}
    return kind(id=name, executed_at=minute * 60_000_000_000, account=account, **told)


def bought(minute, name, quantity, **parts):
    return at(minute, name, Side.BUY, quantity, **parts)


def sold(minute, name, quantity, **parts):
    return at(minute, name, Side.SELL, quantity, **parts)


def fee(amount, asset="USD"):
    return (Fee(asset, Decimal(str(amount))),)


def rates(minute, *told):
    return tuple(
        Rate(asset, "USD", Decimal(price), "file", minute * 60_000_000_000) for asset, price in told
    )


@money
def folded(*facts):
    """The trades of facts, which are told in parts; what they made is what round trips made."""
    timeline = timeline_of(TERMS, facts)
    records = describe.retold(TERMS, timeline)[0]
    cash, shorts = frozenset(timeline.book.cash), frozenset(timeline.book.shorts)
    assets = {each.pair: each.pair.partition("/")[0] for each in records}
    rules = {"assets": assets, "cash": cash, "shorts": shorts}
    whole = Followed(timeline.facts, rules)
    told, trips = whole.follow(records), whole.trips.trips
    made = sum((trip.pnl for trip in trips.trips), ZERO) - trips.open_fees
    assert sum((each.realized_pnl for each in told.values()), ZERO) == made
    assert whole.trades.changed() == []
    for cut in sorted({each.time for each in records})[1:]:
        again = Followed(timeline.facts, rules)
        assert again.there_and_back(records, cut) == told
        assert again.trips.trips == trips
    return list(told.values())


def told(trade):
    ended = None if trade.closed_at is None else trade.closed_at // 60_000_000_000
    return trade.trade_id, trade.side, trade.quantity, trade.open_quantity, ended, trade.fills


def result(trade):
    return trade.realized_pnl, trade.fees


def prices(trade):
    return trade.symbol, trade.entry_price, trade.exit_price


def test_a_round_trip_is_one_trade_with_average_prices():
    (trade,) = folded(
        bought(1, "a", 1, price=10, fees=fee("0.5")),
        bought(2, "b", 1, amount=Decimal(30), strategy="late"),
        sold(3, "c", "0.5", price=40),
        sold(4, "d", "1.5", price=80, fees=fee("0.5")),
    )
    assert told(trade) == ("a", "LONG", 2, 0, 4, ("a", "b", "c", "d"))
    assert (trade.entry_price, trade.exit_price, trade.symbol) == (20, 70, "XBT/USD")
    assert (*result(trade), trade.is_open, trade.quote) == (99, 1, False, "USD")
    assert (trade.strategy, trade.leverage, trade.is_margin) == (None, None, False)


def test_fills_of_one_order_are_one_trade_too():
    (trade,) = folded(
        bought(1, "a", 4, price=10),
        sold(2, "b", 1, price=20, order_id="o"),
        sold(3, "c", 1, price=30, order_id="o"),
        sold(4, "d", 1, price=40, order_id="o"),
    )
    assert (told(trade)[2:4], trade.realized_pnl) == ((4, 1), 60)


def test_a_fee_in_the_coin_itself_leaves_nothing_open():
    (first, second, third) = folded(
        bought(1, "a", 1, price=10, fees=fee("0.001", "XBT")),
        sold(2, "b", "0.999", price=40),
        bought(3, "c", 1, price=10),
        sold(4, "d", "0.999", price=40, fees=fee("0.001", "XBT")),
        bought(6, "f", 1, fees=fee("0.001", "BNB")),
    )
    assert told(first) == ("a", "LONG", Decimal("0.999"), 0, 2, ("a", "b"))
    assert told(second) == ("c", "LONG", 1, 0, 4, ("c", "d"))
    assert told(third) == ("f", "LONG", 1, 1, None, ("f",))


def test_the_fees_of_what_left_nothing_are_the_next_trades():
    dust = bought(1, "a", "0.001", amount=Decimal(10), fees=fee("0.001", "XBT"))
    assert folded() == []
    trade = folded(dust, bought(2, "b", 1), sold(3, "c", 1, price=30))[0]
    assert (told(trade), trade.realized_pnl) == (
        ("b", "LONG", 1, 0, 3, ("a", "b", "c")),
        *(10,),
    )


def split(minute, units, account="k"):
    return Split(
        id=f"s{minute}{account}",
        executed_at=minute * 60_000_000_000,
        account=account,
        asset="XBT",
        numerator=Decimal(units),
        denominator=Decimal(1),
    )


def renamed(minute, name, quantity=None, account="k"):
    return Rename(
        id=f"n{minute}",
        executed_at=minute * 60_000_000_000,
        account=account,
        asset="XBT",
        to_asset=name,
        quantity=quantity,
    )


@pytest.mark.parametrize("account", ["k", "*"])
def test_a_trade_goes_on_after_a_split_in_the_new_units(account):
    (trade, other) = folded(
        bought(1, "a", 2, price=30),
        bought(1, "b", 1, base="ETH"),
        split(2, 3, account),
        split(2, 7, "j"),
        sold(3, "c", 5, price=20),
        sold(4, "d", 1, price=20),
    )
    assert told(trade) == ("a", "LONG", 6, 0, 4, ("a", "c", "d"))
    assert (trade.entry_price, trade.exit_price) == (10, 20)
    assert told(other) == ("b", "LONG", 1, 1, None, ("b",))


def test_a_split_that_leaves_nothing_ends_a_trade():
    (trade,) = folded(bought(1, "a", "0.000000000000000001"), split(2, "0.1"))
    assert (trade.open_quantity, trade.closed_at) == (0, 120_000_000_000)


def test_a_trade_goes_on_under_the_new_name_of_its_coin():
    (trade,) = folded(bought(1, "a", 2), renamed(2, "BTC"), sold(3, "b", 2, base="BTC"))
    assert (told(trade), trade.symbol) == (("a", "LONG", 2, 0, 3, ("a", "b")), "BTC/USD")
    (left,) = folded(bought(1, "a", 2, pair="XBT"), renamed(2, "BTC", account="*"))
    assert left.symbol == "BTC"


def test_a_part_that_is_renamed_is_a_trade_of_its_own_with_its_part_of_the_entry():
    part, rest = folded(
        bought(1, "a", 2, fees=fee(4), strategy="trend"),
        renamed(2, "BTC", Decimal(1)),
        sold(3, "b", 1, base="BTC", price=30),
        sold(4, "c", 1, price=20),
    )[::-1]
    assert told(part) == ("n2/k/BTC", "LONG", 1, 0, 3, ("a", "b"))
    assert (prices(part), result(part)) == (("BTC/USD", 10, 30), (18, 2))
    assert (part.opened_at, part.strategy) == (rest.opened_at, "trend")
    assert told(rest) == ("a", "LONG", 2, 0, 4, ("a", "c"))
    assert (prices(rest), result(rest)) == (("XBT/USD", 10, 20), (8, 2))


def test_a_coin_that_takes_the_name_of_another_joins_its_trade():
    first, second = folded(
        bought(1, "a", 2, fees=fee(2)),
        bought(1, "b", 1, base="BTC", price=40, fees=fee(1)),
        renamed(2, "BTC"),
        sold(3, "c", 3, base="BTC", price=20),
    )
    assert told(first) == ("a", "LONG", 2, 0, 2, ("a",))
    assert (prices(first), result(first)) == (("XBT/USD", 10, None), (0, 0))
    assert told(second) == ("b", "LONG", 3, 0, 3, ("b", "c"))
    assert (prices(second), result(second)) == (("BTC/USD", 20, 20), (-3, 3))


def test_fees_of_nothing_are_those_of_what_takes_the_name():
    dust = bought(1, "a", 1, base="BTC", fees=fee(1, "BTC"))
    trade = folded(dust, bought(1, "b", 1), renamed(2, "BTC"), sold(3, "c", 1, base="BTC"))[0]
    assert (told(trade), result(trade)) == (("b", "LONG", 1, 0, 3, ("a", "b", "c")), (-10, 10))


def moved(minute, quantity, account="j"):
    return Transfer(
        id=f"t{minute}",
        executed_at=minute * 60_000_000_000,
        account="k",
        asset="XBT",
        quantity=Decimal(quantity),
        to_account=account,
    )


def test_what_is_carried_to_another_account_goes_on_there():
    here, there = folded(
        bought(1, "a", 2, fees=fee(4)),
        moved(2, 1),
        moved(3, 1),
        sold(4, "b", 2, account="j", price=15),
    )
    assert told(here) == ("a", "LONG", 2, 0, 3, ("a",))
    assert told(there) == ("t2/j/XBT", "LONG", 2, 0, 4, ("a", "b"))
    assert (prices(there), result(there)) == (("XBT/USD", 10, 15), (6, 4))


def test_a_coin_that_pays_is_sold_and_the_one_it_buys_bought():
    own = {"base": "ETH", "quote": "XBT", "price": 1, "rates": rates(2, ("XBT", 30))}
    xbt, eth = folded(
        bought(1, "a", 1, price=10, fees=fee(1)),
        bought(2, "b", 1, fees=fee(2), **own),
        sold(3, "c", 1, base="ETH", price=25),
    )
    assert told(xbt) == ("a", "LONG", 1, 0, 2, ("a", "b"))
    assert (prices(xbt), result(xbt)) == (("XBT/USD", 10, None), (19, 1)), "sold for no dollars"
    assert told(eth) == ("b", "LONG", 1, 0, 3, ("b", "c"))
    assert (prices(eth), result(eth)) == (("ETH/XBT", 1, None), (-7, 2))
    eth, xbt = folded(
        bought(1, "a", 1, base="ETH"), sold(2, "b", 1, **own), sold(3, "c", 1, price=40)
    )
    assert (told(xbt), prices(xbt)) == (
        ("b/XBT", "LONG", 1, 0, 3, ("b", "c")),
        ("XBT/USD", None, 40),
    )
    assert (xbt.realized_pnl, eth.realized_pnl) == (10, 20)


def test_a_conversion_closes_what_is_given_and_opens_what_is_taken():
    swap = Conversion(
        id="x",
        executed_at=120_000_000_000,
        account="k",
        given=(Leg("XBT", Decimal(1)),),
        taken=(Leg("ETH", Decimal(3)),),
        rates=rates(2, ("XBT", 30)),
    )
    xbt, eth = folded(bought(1, "a", 1), swap, sold(3, "b", 3, base="ETH", price=11))
    assert (told(xbt), xbt.realized_pnl) == (("a", "LONG", 1, 0, 2, ("a", "x")), 20)
    assert (told(eth), eth.realized_pnl) == (("x/ETH", "LONG", 3, 0, 3, ("x", "b")), 3)


def test_two_quotes_have_no_average_price():
    own = {"quote": "EUR", "rates": rates(2, ("EUR", 2))}
    (trade,) = folded(bought(1, "a", 1), bought(2, "b", 1, **own), sold(3, "c", 2, price=30))
    assert (prices(trade), trade.realized_pnl) == (("XBT/USD", None, 30), 30)
    (trade,) = folded(bought(1, "a", 1), sold(2, "b", 1, price=None, amount=None))
    assert (prices(trade), trade.flags) == (("XBT/USD", 10, None), ("unpriced",))


def flow(minute, amount, kind=FlowKind.DEPOSIT, **parts):
    return CashFlow(
        id=f"f{minute}",
        executed_at=minute * 60_000_000_000,
        account=parts.pop("account", "k"),
        kind=kind,
        asset="XBT",
        amount=Decimal(amount),
        rates=rates(minute, ("XBT", 10)),
        **parts,
    )


def test_coins_that_came_otherwise_are_part_of_what_is_sold():
    (trade,) = folded(flow(1, 1), bought(2, "a", 1, price=20), sold(3, "b", 2, price=30))
    assert told(trade) == ("a", "LONG", 2, 0, 3, ("a", "b"))
    assert (prices(trade), trade.realized_pnl) == (("XBT/USD", 20, 30), 30)
    (trade,) = folded(flow(1, 2), sold(2, "a", 1, price=30, strategy="trend"))
    assert told(trade) == ("a", "LONG", 2, 1, None, ("a",))
    assert (prices(trade), trade.realized_pnl) == (("XBT/USD", None, 30), 20)
    assert (trade.opened_at, trade.since, trade.strategy) == (None, 0, "trend")


def test_what_is_withdrawn_takes_its_fees_along_and_ends_a_trade():
    first, second = folded(
        bought(1, "a", 2, fees=fee(4)),
        sold(2, "b", 1, price=20),
        flow(3, -1, FlowKind.WITHDRAWAL),
        bought(4, "c", 1),
    )
    assert (told(first), result(first)) == (("a", "LONG", 2, 0, 3, ("a", "b")), (8, 2))
    assert told(second) == ("c", "LONG", 1, 1, None, ("c",))


def back(minute, target):
    return Reversal(id="r", executed_at=minute * 60_000_000_000, account="k", target=target)


def test_what_is_taken_back_is_where_it_was():
    gone = [bought(1, "a", 2, fees=fee(4)), flow(3, -2, FlowKind.WITHDRAWAL)]
    (trade,) = folded(*gone, back(4, "f3"), sold(5, "b", 2))
    assert (told(trade), result(trade)) == (("a", "LONG", 2, 0, 5, ("a", "b")), (-4, 4))
    again = bought(4, "n", 1, base="XBT", price=40)
    first, second = folded(*gone, again, back(5, "f3"))
    assert (told(first), result(first)) == (("a", "LONG", 2, 0, 3, ("a",)), (0, 0))
    assert (told(second), prices(second)) == (
        ("n", "LONG", 3, 3, None, ("n",)),
        ("XBT/USD", 20, None),
    )
    part = [bought(1, "a", 2, fees=fee(4)), flow(3, -1, FlowKind.WITHDRAWAL)]
    (trade,) = folded(*part, back(4, "f3"))
    assert (told(trade), result(trade)) == (("a", "LONG", 2, 2, None, ("a",)), (-4, 4))
    first, second = folded(*part, sold(4, "b", 1, price=20), back(5, "f3"))
    assert (told(first), result(first)) == (("a", "LONG", 2, 0, 4, ("a", "b")), (8, 2))
    assert told(second) == ("r/k/XBT", "LONG", 1, 1, None, ("a",))
    assert (prices(second), result(second)) == (("XBT/USD", 10, None), (-2, 2))


def test_an_account_that_may_sell_short_gets_back_no_more_than_it_gave():
    gone = flow(2, -2, FlowKind.WITHDRAWAL, account="s")
    (trade,) = folded(bought(1, "a", 3, account="s"), gone, back(3, "f2"))
    assert told(trade) == ("a", "LONG", 3, 3, None, ("a",))


def test_where_nothing_was_left_a_withdrawal_takes_the_fees_and_no_trade_along():
    dust = bought(1, "a", "0.001", amount=Decimal(10), fees=fee("0.001", "XBT"))
    assert folded(dust, flow(2, -1, FlowKind.WITHDRAWAL)) == []


def test_where_a_trade_has_ended_no_split_or_rename_begins_one():
    ended = bought(1, "b", 1, account="j"), sold(2, "c", 1, account="j")
    first = bought(1, "a", 1)
    for after in ([split(3, 2, "*")], [renamed(3, "BTC", account="*")]):
        ours, theirs = folded(first, *ended, *after)
        assert (ours.trade_id, ours.is_open) == ("a", True)
        assert (told(theirs), theirs.symbol) == (("b", "LONG", 1, 0, 2, ("b", "c")), "XBT/USD")


def test_a_part_of_an_entry_without_a_price_has_none():
    own = {"quote": "EUR", "rates": rates(2, ("EUR", 2))}
    part = renamed(3, "BTC", Decimal(1))
    trade, there = folded(bought(1, "a", 1), bought(2, "b", 1, **own), part)
    assert (trade.open_quantity, trade.entry_notional) == (1, None)
    assert (there.open_quantity, there.entry_notional) == (1, None)


def test_a_leveraged_position_is_not_split():
    (trade,) = folded(bought(1, "a", 2, kind=MarginFill, pair="XBT"), split(2, 3))
    assert trade.quantity == 2


def test_what_the_book_is_not_sure_of_stands_with_the_trade_that_closes_and_the_one_that_opens():
    first, second = folded(
        bought(1, "a", 1, kind=MarginFill),
        sold(2, "b", 3, kind=MarginFill, fees=fee(1, "BNB")),
    )
    assert (first.flags, second.flags) == (("unpriced",), ("unpriced",))


def test_an_open_trade_has_no_exit():
    (trade,) = folded(bought(1, "a", 1, strategy="trend", regime="bull"))
    assert (trade.is_open, trade.exit_price, trade.strategy, trade.regime) == (
        *(True, None, "trend", "bull"),
    )


def test_what_nobody_opened_is_closed_by_a_trade_of_its_own():
    (trade,) = folded(sold(1, "a", 1))
    assert (told(trade), prices(trade)) == (
        ("a", "LONG", 1, 0, 1, ("a",)),
        ("XBT/USD", None, 10),
    )
    first, second = folded(bought(1, "a", 1), sold(2, "b", 3), sold(3, "c", 1))
    assert told(first) == ("a", "LONG", 3, 0, 2, ("a", "b"))
    assert told(second) == ("c", "LONG", 1, 0, 3, ("c",))


def test_an_account_that_may_sell_short_opens_by_selling():
    first, second = folded(
        sold(1, "a", 1, account="s", price=30),
        bought(2, "b", 3, account="s", price=20),
        sold(3, "c", 2, account="s", price=25),
    )
    assert (told(first), first.realized_pnl) == (("a", "SHORT", 1, 0, 2, ("a", "b")), 10)
    assert (told(second), second.realized_pnl) == (("b", "LONG", 2, 0, 3, ("b", "c")), 10)
    assert (prices(first), prices(second)) == (("XBT/USD", 30, 20), ("XBT/USD", 20, 25))


def test_coins_that_come_make_up_for_what_is_short():
    first, second = folded(
        sold(1, "a", 1, account="s", fees=fee(1)),
        flow(2, 3, account="s"),
        sold(3, "c", 1, account="s"),
    )
    assert (told(first), first.realized_pnl) == (("a", "SHORT", 1, 0, 2, ("a",)), 0)
    assert told(second) == ("c", "LONG", 2, 1, None, ("c",))


def test_a_fill_that_goes_through_zero_ends_what_no_trade_opened_and_opens_another():
    closed, opened = folded(
        flow(1, 4, account="s"),
        sold(2, "b", 10, account="s", price=20, fees=fee(1)),
    )[::-1]
    assert (told(closed), closed.realized_pnl) == (("b/closed", "LONG", 4, 0, 2, ("b",)), 39)
    assert (told(opened), opened.realized_pnl) == (("b", "SHORT", 6, 6, None, ("b",)), 0)
    assert (closed.opened_at, closed.exit_price, opened.entry_price) == (None, 20, 20)


def test_leverage_that_goes_through_zero_closes_and_opens():
    first, second = folded(
        bought(1, "a", 1, kind=MarginFill, fees=fee(1)),
        sold(2, "b", 3, kind=MarginFill, pair="XBT/USD", price=17, fees=fee(2)),
    )
    assert (told(first), result(first)) == (("a", "LONG", 1, 0, 2, ("a", "b")), (4, 3))
    assert (told(second), result(second)) == (("b", "SHORT", 2, 2, None, ("b",)), (0, 0))
    assert (second.is_margin, second.leverage) == (True, None)


def test_a_settlement_belongs_to_what_is_open_or_stands_alone():
    alone = MarginFill(id="s", executed_at=1, account="k", base="XBT", quote="USD", settled=ZERO)
    assert folded(alone) == []
    (trade,) = folded(MarginFill(**_with(alone, settled=Decimal(5))))
    assert (told(trade), trade.realized_pnl) == (("s/closed", "", 0, 0, 0, ("s",)), 5)
    closed, left = folded(sold(1, "a", 1, kind=MarginFill, settled=Decimal(7)))[::-1]
    assert (told(closed), closed.realized_pnl) == (("a/closed", "LONG", 0, 0, 1, ("a",)), 7)
    assert (told(left), left.realized_pnl) == (("a", "SHORT", 1, 1, None, ("a",)), 0), "as booked"
    (trade,) = folded(
        bought(1, "a", 1, kind=MarginFill),
        MarginFill(**_with(alone, settled=Decimal(5), executed_at=90_000_000_000)),
    )
    assert (told(trade), trade.realized_pnl) == (("a", "LONG", 1, 1, None, ("a", "s")), 5)


def _with(entry, **parts):
    return {name: getattr(entry, name) for name in entry.__struct_fields__} | parts


def test_a_position_that_is_delivered_ends_and_its_fees_go_into_the_coins():
    (coins, lent) = folded(
        bought(1, "m", 2, kind=MarginFill, price=10, fees=fee(1)),
        bought(2, "a", 1, delivers=True),
        bought(3, "b", 1, delivers=True),
    )
    assert told(lent) == ("m", "LONG", 2, 0, 3, ("m",))
    assert told(coins) == ("a", "LONG", 2, 2, None, ("a", "b"))
    assert (result(coins), result(lent)) == ((-1, 1), (0, 0)), "fees go along"
    (_, lent) = folded(bought(1, "m", 2, kind=MarginFill), sold(2, "a", 1, delivers=True))
    assert lent.open_quantity == 2, "a short is delivered by a sale"


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
        ("k:trade:7", "LONG", 2, 0, 3, ("k:trade:7:opened", "k:trade:7:closed")),
        ("k:trade:8", "SHORT", 1, 1, None, ("k:trade:8:opened",)),
        ("k:trade:9:closed", "LONG", 2, 0, 4, ("k:trade:9:closed",)),
    ]


def test_what_moves_nothing_makes_no_trade():
    assert folded(flow(1, 1), bought(2, "n", 0, amount=ZERO)) == []
