"""Marks: which one counts, under which name, how old it is, and where they come from."""

from itertools import permutations

import pytest

from bursar.errors import Malformed, NotExact, OutOfBounds
from bursar.ledger import instant
from bursar.value.marks import (
    AHEAD_MAX,
    FEE_CREDIT,
    LAST_TRADE,
    Mark,
    Standing,
    fee_credit,
    from_fills,
    given,
    pair_names,
    parse_flag,
    stale,
)
from bursar.value.marks import Marks as StrictMarks
from tests.unit.value.books import DAY, NOW, D, loose, timeline

Marks = loose(StrictMarks)

OLD = Mark("XBT", "USD", D(40000), "kraken", NOW - DAY)
NEW = Mark("XBT", "USD", D(50000), "kraken", NOW)
TRADE = Mark("XBT", "USD", D(49000), LAST_TRADE, NOW + 1, Standing.TRADE)
FLAG = Mark("XBT", "USD", D(65000), "flag", NOW - 9 * DAY, Standing.GIVEN)


def test_the_given_outranks_the_venue_and_the_venue_the_last_trade():
    for order in permutations([OLD, NEW, TRADE]):
        assert Marks(order).get("XBT", "USD") == NEW
    for order in permutations([OLD, NEW, TRADE, FLAG]):
        assert Marks(order).get("XBT", "USD") == FLAG


def test_of_equal_standing_and_time_the_order_of_arrival_does_not_matter():
    other = Mark("XBT", "USD", D(50001), "kraken", NOW)
    assert Marks([NEW, other]) == Marks([other, NEW])
    assert Marks([NEW, other]).get("XBT", "USD") == other


def test_plus_leaves_the_first_marks_as_they_were():
    before = Marks([OLD])
    after = before.plus([NEW])
    assert list(before) == [OLD]
    assert list(after) == [NEW]
    assert len(after) == 1
    assert before != after
    assert before != "marks"


def test_a_mark_is_found_under_any_name_of_its_asset():
    marks = Marks([NEW])
    assert marks.get("BTC", "USD") == NEW
    assert marks.get("USD", "BTC") is None
    for name in ("XBT/USD", "BTCUSD", "btc-usd", "XBT_USD"):
        assert marks.named(name) == NEW
    assert marks.named("ETH/USD") is None
    assert pair_names("DOGE", "USD") == ["XDGUSD", "DOGEUSD"]


def test_two_names_of_one_asset_share_a_mark():
    later = Mark("BTC", "USD", D(51000), "binance", NOW + 1)
    assert Marks([NEW, later]).get("XBT", "USD") == later


def test_a_mark_of_an_asset_in_itself_says_nothing():
    assert len(Marks([Mark("BTC", "XBT", D(1), "binance", NOW)])) == 0


def test_between_reads_a_mark_either_way_but_not_through_zero():
    marks = Marks([NEW, fee_credit("KFEE", "USD", at=NOW)])
    assert marks.between("XBT", "USD") == NEW
    assert marks.between("USD", "XBT") == NEW
    assert marks.between("KFEE", "USD").price == 0
    assert marks.between("USD", "KFEE") is None
    assert marks.between("XBT", "EUR") is None


def test_between_takes_the_later_of_equal_standing_whichever_way_round():
    old = Mark("USD", "EUR", D("0.9"), "last trade", NOW - 5, Standing.TRADE)
    new = Mark("EUR", "USD", D("1.25"), "last trade", NOW, Standing.TRADE)
    for known, counts in ((Marks([old, new]), new), (Marks([old]), old)):
        assert known.between("USD", "EUR") == known.between("EUR", "USD") == counts
    venue = Mark("USD", "EUR", D("0.7"), "kraken", NOW - 9)
    assert Marks([old, new, venue]).between("USD", "EUR") == venue
    told = Mark("USD", "EUR", D("0.8"), "last trade", NOW, Standing.TRADE)
    assert Marks([told, new]).between("USD", "EUR") == told


def test_between_prefers_the_given_even_the_wrong_way_round():
    inverse = Mark("USD", "XBT", D("0.00002"), "kraken", NOW)
    told = Mark("USD", "XBT", D("0.00001"), "flag", NOW, Standing.GIVEN)
    assert Marks([NEW, inverse]).between("XBT", "USD") == NEW
    assert Marks([NEW, told]).between("XBT", "USD") == told


def test_neighbours_are_what_a_mark_ties_together():
    marks = Marks([NEW, Mark("ETH", "BTC", D("0.05"), "binance", NOW)])
    assert marks.neighbours("BTC") == {"USD", "ETH"}
    assert marks.neighbours("ADA") == frozenset()


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity"])
def test_a_price_is_finite_and_not_negative(price):
    with pytest.raises(OutOfBounds, match="XBT/USD"):
        Mark("XBT", "USD", D(price), "kraken", NOW)


def test_zero_is_a_price_only_where_it_is_given():
    assert len(Marks([Mark("XBT", "USD", D(0), "kraken", NOW)])) == 0
    credit = fee_credit("KFEE", "USD", at=NOW)
    assert Marks([credit]).get("KFEE", "USD").source == FEE_CREDIT


def test_age_staleness_and_the_future():
    assert OLD.age(NOW) == DAY
    assert stale(OLD, NOW, limit=DAY - 1)
    assert not stale(OLD, NOW, limit=DAY)
    assert not stale(fee_credit("KFEE", "USD", at=0), NOW, limit=DAY)
    assert not NEW.is_ahead(NOW - AHEAD_MAX)
    assert NEW.is_ahead(NOW - AHEAD_MAX - 1)
    assert [NEW.age(NEW.at - ahead) for ahead in (1, AHEAD_MAX, AHEAD_MAX + 1)] == [
        *(0, 0, -AHEAD_MAX - 1),
    ]


def test_last_trades_come_from_the_facts():
    facts = timeline(
        """
        2026-01-05T10:00:00Z  deposit 9 XBT                             #k:0
        2026-01-05T10:00:01Z  buy 2 XBT @ 40000 USD                     #k:1
        2026-01-05T10:00:02Z  buy 3 XBT for 130000.01 USD               #k:2
        2026-01-05T10:00:03Z  sell 4 ADA for 1 EUR                      #k:3
        2026-01-05T10:00:04Z  buy 0 ADA for 1 EUR                       #k:4
        2026-01-05T10:00:05Z  margin buy 1 ETH @ 2000 USDT              #k:5
        2026-01-05T10:00:06Z  margin ETH USD settled 3                  #k:6
        """
    )
    marks = loose(from_fills)(facts)
    assert [(mark.pair, mark.price) for mark in marks] == [
        ("ADA/EUR", D("0.25")),
        ("ETH/USDT", D(2000)),
        ("XBT/USD", D("43333.336666666666666667")),
    ]
    assert {mark.source for mark in marks} == {LAST_TRADE}
    assert marks.get("XBT", "USD").at == instant.parse("2026-01-05T10:00:02Z")


def test_an_older_fill_does_not_replace_a_newer_one():
    facts = list(
        timeline(
            """
            2026-01-05T10:00:01Z  buy 2 XBT @ 40000 USD   #k:1
            2026-01-05T10:00:02Z  buy 2 XBT @ 41000 USD   #k:2
            """
        )
    )
    assert from_fills(reversed(facts)) == from_fills(facts)


def test_a_flag_gives_a_price_in_base_or_in_a_named_quote():
    assert parse_flag("XBT=65000", "EUR", at=NOW) == Mark(
        "XBT", "EUR", D(65000), "flag", NOW, Standing.GIVEN
    )
    assert parse_flag(" ATOM/XBT = 0.0002 ", "EUR", at=NOW).pair == "ATOM/XBT"


@pytest.mark.parametrize("text", ["XBT", "=5", "XBT/=5", ""])
def test_a_flag_that_is_no_flag_is_refused(text):
    with pytest.raises(Malformed, match="XBT=65000"):
        parse_flag(text, "USD", at=NOW)


def test_a_flag_with_a_number_that_is_none_is_refused():
    with pytest.raises(NotExact, match="XBT"):
        parse_flag("XBT=1e5", "USD", at=NOW)


def test_given_prices_take_a_float_by_its_shortest_text():
    marks = given({"XBT": 0.1, "ATOM/XBT": "0.0002", "ETH": 2}, "USD", at=NOW)
    assert [(mark.pair, mark.price) for mark in marks] == [
        ("ATOM/XBT", D("0.0002")),
        ("ETH/USD", D(2)),
        ("XBT/USD", D("0.1")),
    ]
    assert {mark.standing for mark in marks} == {Standing.GIVEN}
    with pytest.raises(NotExact):
        given({"XBT": 0.1}, "USD", at=NOW, strict_numbers=True)
