"""Past prices: what public trades tell of an instant, and how few pages are asked for."""

import asyncio
from decimal import Decimal

from bursar.ports import PriceWanted
from bursar.venue.kraken.market import MarketDataAPI
from bursar.venue.kraken.past import PastPrices
from tests.venue.kraken_model import client
from tests.venue.test_kraken_market import AT, Markets


def trade(at, price):
    return [price, "0.1", Decimal(at) / 10**9, "b", "m", "", 1]


def past(tmp_path, model, *wanted):
    async def go():
        async with client(model, tmp_path) as made:
            prices = PastPrices(made, MarketDataAPI(made))
            return [await prices.prices(wanted), await prices.prices(wanted)]

    first, second = asyncio.run(go())
    assert first == second
    return first


def test_a_past_price_is_the_first_trade_at_or_after_the_instant(tmp_path):
    model = Markets()
    model.public["XXBTZUSD"] = [
        trade(AT - 1, "1"),
        trade(AT + 5 * 10**9, "60123.4"),
        trade(AT + 6 * 10**9, "3"),
    ]
    (price,) = past(tmp_path, model, PriceWanted("XBT", "USD", AT))
    assert (price.asset, price.quote, price.value) == ("XBT", "USD", Decimal("60123.4"))
    assert price.executed_at == AT
    assert price.id == "price:XBT:USD:2026-07-01T12:00:00Z:kraken"
    assert model.asked.count("Trades") == 1


def test_a_trade_at_the_very_instant_counts(tmp_path):
    model = Markets()
    model.public["XXBTZUSD"] = [trade(AT, "5")]
    (price,) = past(tmp_path, model, PriceWanted("XBT", "USD", AT))
    assert price.value == 5


def test_an_hour_without_a_trade_has_no_price(tmp_path):
    model = Markets()
    model.public["XXBTZUSD"] = [trade(AT + 3600 * 10**9 + 1000, "5")]
    assert past(tmp_path, model, PriceWanted("XBT", "USD", AT)) == []


def test_a_way_round_is_told_in_two_prices_or_not_at_all(tmp_path):
    model = Markets()
    model.public["ATOMXBT"] = [trade(AT + 10**9, "0.0001")]
    assert past(tmp_path, model, PriceWanted("ATOM", "USD", AT)) == []
    model.public["XXBTZUSD"] = [trade(AT + 10**9, "60000")]
    told = past(tmp_path, model, PriceWanted("ATOM", "USD", AT))
    assert [(each.asset, each.quote, each.value) for each in told] == [
        ("ATOM", "XBT", Decimal("0.0001")),
        ("XBT", "USD", Decimal(60000)),
    ]


def test_one_page_answers_for_all_instants_that_lie_near_each_other(tmp_path):
    model = Markets()
    minute = 60 * 10**9
    model.public["XXBTZUSD"] = [trade(AT + place * minute, str(place + 1)) for place in range(3000)]
    near = [0, 5, 90, 91, 180, 400, 640]
    far = [1500, 2100, 2101, 2999, 3500]
    wanted = [PriceWanted("XBT", "USD", AT + place * minute - 1) for place in [*near, *far]]
    told = past(tmp_path, model, *wanted)
    assert [(each.executed_at, each.value) for each in told] == [
        (AT + place * minute - 1, place + 1) for place in [*near, *far[:-1]]
    ]
    counts = [int(form["count"]) for form in model.forms if "since" in form]
    assert counts[0] == 10  # how close trades follow each other is not known yet
    assert 310 < counts[1] < 400  # from 90 to 400 in one page; 640 is too far on
    assert counts[2:] == [10, 10, 11, 10, 10]  # what is not told is asked for again


def test_the_other_way_round_is_the_inverse_rounded_once(tmp_path):
    model = Markets()
    model.public["ZEURZUSD"] = [trade(AT, "1.1")]
    (price,) = past(tmp_path, model, PriceWanted("USD", "EUR", AT))
    assert (price.asset, price.quote) == ("USD", "EUR")
    assert price.value == Decimal("0.909090909090909091")


def test_what_is_not_traded_is_not_told(tmp_path):
    assert past(tmp_path, Markets(), PriceWanted("NOPE", "USD", AT)) == []
