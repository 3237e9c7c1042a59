"""Each fact's worth in base currency, found once and written into it."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.entries import Flag, FlowKind, Rate
from bursar.ledger.prices import Prices
from bursar.ledger.pricing import lacks_price, priced, wanted
from tests.unit.ledger.samples import MAIN, Pen, fees, folded, held

D = Decimal
CASH = frozenset({"USD", "USDT"})


def rated(**rates):
    return tuple(Rate(asset, "USD", D(value), "file") for asset, value in rates.items())


def worth(fact, *known):
    prices = Prices("USD", CASH)
    for price in known:
        prices.add(price)
    return priced(fact, prices)


@pytest.mark.parametrize(
    "base, quote, value",
    [
        ("XBT", "USD", 10),
        ("USD", "XBT", 4),
        ("XBT", "USDT", 10),
        ("USDT", "XBT", 4),
        ("USDT", "USD", 10),
        ("USD", "USDT", 4),
        ("XBT", "EUR", 11),
        ("EUR", "ADA", "4.4"),
        ("ADA", "SOL", None),
    ],
)
def test_one_side_decides_what_a_trade_was_worth(base, quote, value):
    fill = worth(Pen().buy(4, base, 10, quote=quote, rates=rated(EUR="1.1")))
    assert fill.value == (None if value is None else D(value))
    assert (Flag.UNPRICED in fill.flags) == (value is None)


def test_a_stated_value_stands():
    assert worth(Pen().buy(4, "XBT", 10, value=D(9))).value == 9


def test_fees_of_the_legs_are_worth_their_share():
    pen = Pen()
    both = fees((1, "XBT"), (2, "EUR"), (3, "BNB"), (4, "USDT"), (5, "SOL", 50))
    fill = worth(pen.buy(4, "XBT", 10, quote="EUR", fees=both, rates=rated(EUR=2, BNB=7)))
    assert [fee.value for fee in fill.fees] == [5, 4, 21, 4, 50]
    unknown = worth(pen.buy(4, "XBT", 10, quote="EUR", fees=fees((1, "XBT"), (1, "EUR"))))
    assert [fee.value for fee in unknown.fees] == [None, None]
    nothing = worth(pen.buy(0, "XBT", 0, quote="EUR", fees=both[:2], rates=rated(EUR=2, XBT=3)))
    assert [fee.value for fee in nothing.fees] == [3, 4]


def test_without_an_amount_nothing_is_known():
    pen = Pen()
    fill = pen.buy(1, "XBT", 5, quote="ETH", rates=rated(XBT=90))
    blank = type(fill)(**{**{n: getattr(fill, n) for n in fill.__struct_fields__}, "amount": None})
    found = worth(blank)
    assert (found.amount, found.value, found.flags) == (0, None, (Flag.UNPRICED,))


def test_a_rate_stated_in_money_serves_and_another_does_not():
    pen = Pen()
    peg = (Rate("XBT", "USDT", D(7), "leg"),)
    coin = (Rate("XBT", "ETH", D(7), "leg"),)
    worthless = (Rate("XBT", "ETH", D(0), "leg"),)
    assert worth(pen.flow("reward", 2, "XBT", rates=peg)).value == 14
    assert worth(pen.flow("reward", 2, "XBT", rates=coin)).value is None
    assert worth(pen.flow("reward", 2, "XBT", rates=worthless)).value == 0


def test_a_recorded_price_serves_where_none_is_stated():
    pen = Pen()
    price = pen.price("XBT", "USD", 5)
    assert worth(pen.flow("reward", 2, "XBT"), price).value == 10


def test_a_fee_in_the_coin_of_a_leveraged_trade_is_worth_the_price_of_the_trade():
    both = fees((D("0.5"), "ETH"), (3, "BNB"))
    fill = worth(Pen().margin("buy", 2, 100, base="ETH", fees=both))
    assert [fee.value for fee in fill.fees] == [50, None]
    abroad = Pen().margin("buy", 2, 100, base="ETH", quote="EUR", fees=both)
    assert [fee.value for fee in worth(abroad).fees] == [None, None]
    rate = Rate("EUR", "USD", D(2), "file")
    known = worth(msgspec.structs.replace(abroad, rates=(rate,)))
    assert [fee.value for fee in known.fees] == [100, None]


def test_a_fee_kept_back_is_worth_what_came():
    pen = Pen()
    charged = fees((1, "XBT"), (1, "BNB"), (1, "XBT", 3))
    flow = worth(pen.flow("deposit", 4, "XBT", value=40, fees=charged, rates=rated(BNB=2)))
    assert [fee.value for fee in flow.fees] == [10, 2, 3]
    away = worth(pen.flow("withdrawal", -4, "XBT", fees=fees((1, "XBT")), rates=rated(XBT=6)))
    assert (away.value, away.fees[0].value) == (-24, 6)


@pytest.mark.parametrize(
    "kind, amount, basis, is_marked",
    [
        ("deposit", 1, None, True),
        ("deposit", 1, 5, False),
        ("deposit", -1, None, False),
        ("reward", 1, 5, True),
        ("fee", -1, None, True),
    ],
)
def test_a_flow_is_unpriced_only_where_the_books_need_its_value(kind, amount, basis, is_marked):
    flow = worth(Pen().flow(kind, amount, "XBT", basis=basis))
    assert (Flag.UNPRICED in flow.flags) == is_marked


def values(legs):
    return [leg.value for leg in legs]


def test_a_conversion_has_one_total():
    pen = Pen()
    swap = worth(pen.convert([(1, "A"), (1, "B")], [(1, "C"), (1, "D")], rates=rated(C=4, D=6)))
    assert (values(swap.given), values(swap.taken)) == ([5, 5], [4, 6])
    assert swap.flags == (Flag.ASSUMED_SPLIT,)
    back = worth(pen.convert([(1, "A"), (1, "B")], [(2, "C")], rates=rated(A=1, B=3)))
    assert (values(back.given), values(back.taken), back.flags) == ([1, 3], [4], ())


def test_what_is_worthless_is_split_evenly():
    swap = worth(Pen().convert([(1, "A", 0), (1, "B", 0)], [(1, "USD")]))
    assert values(swap.given) == [D("0.5"), D("0.5")]


def test_a_conversion_that_nobody_can_price_has_no_values():
    swap = worth(Pen().convert([(1, "A")], [(1, "B")], fees=fees((1, "USD"))))
    assert (values(swap.given), values(swap.taken)) == ([None], [None])
    assert swap.flags == (Flag.UNPRICED,)


@pytest.mark.parametrize("price,worths", [(16, None), (21, [21, 0]), (30, [21, 9])])
def test_what_went_for_less_than_the_money_that_came_says_nothing_of_what_came_beside_it(
    price, worths
):
    """A merger for 21 in money and a share; the price of what went may be any old one."""
    swap = worth(Pen().convert([(1, "A", price)], [(21, "USD"), (1, "B")]))
    assert values(swap.taken) == (worths or [None, None])
    assert (Flag.UNPRICED in swap.flags) == (worths is None)
    known = worth(Pen().convert([(1, "A", price)], [(21, "USD"), (1, "B", 15)]))
    assert (values(known.given), values(known.taken), known.flags) == ([36], [21, 15], ())


def test_a_worth_of_one_leg_alone_prices_nothing():
    swap = worth(Pen().convert([(1, "A"), (1, "B")], [(1, "C"), (1, "D", "0.1")]))
    assert (values(swap.given), values(swap.taken)) == ([None, None], [None, None])
    assert swap.flags == (Flag.UNPRICED,)


def test_capital_that_leaves_is_worth_asking_a_price_for():
    pen, known, nothing = Pen(), Prices("USD", CASH), Prices("USD", CASH)
    known.add(pen.price("XBT", "USD", 5))
    gone = pen.flow(FlowKind.WITHDRAWAL, -1, "XBT")
    assert lacks_price(gone, nothing)
    assert not lacks_price(gone, known)
    assert not lacks_price(pen.flow(FlowKind.WITHDRAWAL, -1, "USD"), nothing)


def test_a_transfer_prices_the_fees_of_both_ends():
    move = Pen().move(1, "XBT", fees=fees((1, "BNB")), to_fees=fees((1, "XBT")))
    assert worth(move).flags == (Flag.UNPRICED,)
    known = worth(Pen().move(1, "XBT", fees=fees((1, "BNB")), rates=rated(BNB=3)))
    assert (known.fees[0].value, known.flags) == (3, ())


def test_a_margin_fill_keeps_the_rate_of_its_quote():
    pen = Pen()
    assert worth(pen.margin("buy", 1, 2, quote="EUR", rates=rated(EUR=2))).quote_rate == 2
    assert worth(pen.margin("buy", 1, 2, quote="EUR", quote_rate=D(3))).quote_rate == 3
    assert worth(pen.margin("buy", 1, 2)).quote_rate == 1
    assert worth(pen.margin("buy", 1, None)).flags == (Flag.UNPRICED,)


def test_a_fact_names_the_assets_whose_price_it_may_want():
    pen = Pen()
    assert wanted(pen.buy(1, "A", 1, quote="B", fees=fees((1, "C")))) == {"A", "B", "C"}
    assert wanted(pen.flow("deposit", 1, "A", fees=fees((1, "C")))) == {"A", "C"}
    assert wanted(pen.convert([(1, "A")], [(1, "B")], fees=fees((1, "C")))) == {"A", "B", "C"}
    assert wanted(pen.margin("buy", 1, 1, quote="B", fees=fees((1, "C")))) == {"B", "C"}
    assert wanted(pen.move(1, "A", fees=fees((1, "C")), to_fees=fees((1, "D")))) == {"C", "D"}
    assert wanted(pen.rename("A", "B")) == frozenset()
    rename = pen.rename("A", "B")
    assert worth(rename) is rename


def test_a_base_currency_of_choice_is_worth_its_face():
    prices = Prices("EUR", frozenset({"EUR"}))
    pen = Pen()
    fill = priced(pen.buy(1, "XBT", 5, quote="EUR"), prices)
    assert getattr(fill, "value", None) == 5
    assert held(folded(pen.flow("deposit", 1, "USD")), "USD", MAIN) == (1, 1)
