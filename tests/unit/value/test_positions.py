"""Positions by pair and balances by asset."""

import pytest

from bursar.errors import PositionNotFoundError
from bursar.ledger.records import AssetBalance, SpotPosition
from bursar.value import positions as module
from bursar.value.marks import Marks
from bursar.value.positions import balances, find_position
from bursar.value.worth import Options
from tests.unit.value.books import EXAMPLE, D, book_of, loose, valued

positions = loose(module.positions)


def test_a_position_says_what_was_done_and_what_it_cost():
    (position,) = positions(*valued(EXAMPLE, XBT_USD="60000"))
    assert position == SpotPosition(
        pair="XBT/USD",
        base_asset="XBT",
        quote_asset="USD",
        base_size=D("1.5"),
        avg_entry_price=D(40000),
        realized_pnl_base=D(4987),
        fees_paid_base=D(13),
        unrealized_pnl_base=D(30000),
        current_value_base=D(90000),
    )


def test_unrealised_pnl_stands_in_one_pair_alone_and_the_average_is_in_the_quote():
    rate = "rate=EUR|USD|2|file|2026-02-02T00:00:00Z"
    text = EXAMPLE + f"2026-02-02T00:00:00Z buy 0.5 XBT @ 40000 EUR #k:9 {rate}\n"
    book, worth = valued(text, XBT_USD="60000", EUR_USD="2")
    by_pair = {each.pair: each for each in positions(book, worth)}
    assert by_pair["XBT/USD"].avg_entry_price == 50000
    assert by_pair["XBT/EUR"].avg_entry_price == 25000
    assert by_pair["XBT/EUR"].unrealized_pnl_base == 0
    assert by_pair["XBT/EUR"].current_value_base == 30000
    assert sum(each.unrealized_pnl_base for each in by_pair.values()) == worth.unrealized


def test_without_a_rate_of_the_quote_there_is_no_average():
    text = """
    2026-02-02T00:00:00Z  price EUR 2 USD           #p:1
    2026-02-02T00:00:00Z  deposit 50000 EUR         #k:1
    2026-02-02T00:00:01Z  buy 1 XBT @ 40000 EUR     #k:2
    """
    by_pair = {each.pair: each for each in positions(*valued(text, XBT_USD="60000"))}
    assert by_pair["XBT/EUR"].avg_entry_price is None
    assert by_pair["EUR/USD"].unrealized_pnl_base is None


def test_without_a_mark_there_is_no_value():
    (position,) = positions(*valued(EXAMPLE))
    assert position.avg_entry_price == 40000
    assert (position.unrealized_pnl_base, position.current_value_base) == (None, None)


def test_a_held_asset_has_a_position_though_it_was_never_traded():
    text = "2026-02-02T00:00:00Z deposit 3 ETH #k:1 value=30"
    (position,) = positions(*valued(text, ETH_USD="11"))
    assert (position.pair, position.base_size, position.avg_entry_price) == ("ETH/USD", 0, 10)
    assert (position.unrealized_pnl_base, position.current_value_base) == (3, 0)


def test_without_a_known_cost_there_is_no_average_and_no_unrealised():
    (position,) = positions(*valued("2026-02-02T00:00:00Z deposit 3 ETH #k:1", ETH_USD="11"))
    assert (position.avg_entry_price, position.unrealized_pnl_base) == (None, None)


def test_a_closed_position_stays_with_what_it_made():
    text = """
    2026-02-02T00:00:00Z  buy  1 XBT @ 10 USD  #k:1
    2026-02-02T00:00:01Z  sell 1 XBT @ 15 USD  #k:2
    """
    (position,) = positions(*valued(text))
    assert (position.base_size, position.avg_entry_price) == (0, None)
    assert (position.realized_pnl_base, position.unrealized_pnl_base) == (5, 0)


def test_a_short_has_an_average_too():
    text = "@ account s events short\n2026-02-02T00:00:00Z sell 2 AAPL @ 10 USD #s:1"
    (position,) = positions(*valued(text, AAPL_USD="9"))
    assert (position.base_size, position.avg_entry_price) == (-2, 10)
    assert (position.unrealized_pnl_base, position.current_value_base) == (2, -18)


def test_what_the_view_leaves_out_has_no_position():
    options = Options(exclude_assets=frozenset({"XBT"}))
    assert positions(*valued(EXAMPLE, options=options, XBT_USD="1")) == []


def test_unrealised_pnl_is_unknown_where_a_leveraged_position_has_no_mark():
    text = """
    2026-02-02T00:00:00Z  buy 1 XBT @ 10 USD          #k:1
    2026-02-02T00:00:00Z  margin buy 2 ADA @ 10 USDT  #k:2
    2026-02-02T00:00:00Z  margin buy 2 XBT @ 10 EUR   #k:3  pair=XBT/USD
    """
    told = {each.pair: each for each in positions(*valued(text, XBT_USD="11"))}
    assert told["ADA/USDT"].unrealized_pnl_base is None
    assert told["XBT/USD"].unrealized_pnl_base is None  # of the two in it one is known


def test_the_quote_is_read_off_a_pair_only_where_it_can_be():
    text = """
    2026-02-02T00:00:00Z  buy 1 XBT @ 10 USD         #k:1  pair=XBTUSD
    2026-02-02T00:00:00Z  buy 1 ETH @ 10 USD         #k:2  pair=XETHZUSD
    2026-02-02T00:00:00Z  margin buy 1 ADA @ 10 USDT #k:3  pair=PF_ADA
    2026-02-02T00:00:00Z  row margin 3 USD           #k:4  source=ledger group=k:g
    """
    book, worth = valued(text, XBT_USD="11", ETH_USD="12", ADA_USD="13")
    told = {each.pair: (each.quote_asset, each.avg_entry_price) for each in positions(book, worth)}
    assert told == {
        "ETH/USD": ("USD", 10),
        "PF_ADA": ("USDT", None),
        "XBTUSD": ("USD", 10),
        "XETHZUSD": ("", None),
    }


def test_staged_lots_count_as_fills_of_the_pair():
    text = "2026-02-02T00:00:00Z staged cash -10 position 1 XBT @ 10 lot add XBT L1 1 cost 10 #k:1"
    (position,) = positions(*valued(text, XBT_USD="11"))
    assert position.base_size == 1


@pytest.mark.parametrize("name", ["XBT/USD", "XBTUSD", "BTC/USD", "btc-usd"])
def test_a_position_is_found_under_any_name_of_its_pair(name):
    found = positions(*valued(EXAMPLE, XBT_USD="1"))
    assert find_position(found, name).pair == "XBT/USD"


def test_a_position_that_is_not_there_is_an_error_of_its_own():
    with pytest.raises(PositionNotFoundError, match="ETH/USD"):
        find_position(positions(*valued(EXAMPLE)), "ETH/USD")


BALANCES = """
@ account e events
2026-02-02T00:00:00Z  deposit 5 XBT                    #kraken:1   value=1
2026-02-02T00:00:01Z  transfer 2 XBT to kraken         #kraken:2   to_pocket=staked
2026-02-02T00:00:02Z  deposit 1 BTC                    #binance:1  value=1
2026-02-02T00:00:03Z  sell 3 ETH @ 10 USD              #e:1
2026-02-02T00:00:04Z  deposit 4 ADA                    #e:2        value=1
2026-02-02T00:00:05Z  withdrawal 4 ADA                 #e:3
"""


def test_balances_count_all_accounts_under_one_name():
    found = balances(book_of(BALANCES), reserved={("binance", "BTC"): D("0.5")})
    assert found == [
        AssetBalance("ETH", D(-3), D(0), D(-3)),
        AssetBalance("USD", D(30), D(0), D(30)),
        AssetBalance("XBT", D("3.5"), D("2.5"), D(6)),
    ]


def test_what_orders_hold_is_found_under_any_name():
    """The venue says XBT, and the book has it as BTC there: 0.25 and 0.5 of 1 are in orders."""
    held = {("binance", "XBT"): D("0.25"), ("binance", "BTC"): D("0.5")}
    (bitcoin,) = (e for e in balances(book_of(BALANCES), reserved=held) if e.asset == "XBT")
    assert (bitcoin.reserved, bitcoin.free) == (D("2.75"), D("3.25"))
    by_account = balances(book_of(BALANCES), reserved=held, by_account=True)
    assert by_account[0] == AssetBalance("BTC", D("0.25"), D("0.75"), D(1), "binance")


def test_balances_by_account_keep_the_names_of_the_account():
    found = balances(book_of(BALANCES), by_account=True, marks=Marks())
    assert found == [
        AssetBalance("BTC", D(1), D(0), D(1), "binance"),
        AssetBalance("ETH", D(-3), D(0), D(-3), "e"),
        AssetBalance("USD", D(30), D(0), D(30), "e"),
        AssetBalance("XBT", D(3), D(2), D(5), "kraken"),
    ]


def test_balances_of_pooled_lots_and_of_a_view():
    text = """
    @ scope pooled
    2026-02-02T00:00:00Z  buy 1 XBT @ 10 USD   #a:1
    2026-02-02T00:00:00Z  buy 2 BTC @ 10 USD   #b:1
    2026-02-02T00:00:00Z  buy 2 ETH @ 10 USD   #b:2
    """
    options = Options(include_assets=frozenset({"BTC"}))
    assert balances(book_of(text), options=options, by_account=True) == [
        AssetBalance("USD", D(-10), D(0), D(-10), "a"),
        AssetBalance("XBT", D(1), D(0), D(1), "a"),
        AssetBalance("BTC", D(2), D(0), D(2), "b"),
        AssetBalance("USD", D(-40), D(0), D(-40), "b"),
    ]


def test_more_taken_from_a_pocket_than_was_put_in_reserves_nothing():
    text = """
    2026-02-02T00:00:00Z  deposit 5 ETH              #kraken:1   value=1
    2026-02-02T00:00:01Z  transfer 1 ETH to kraken   #kraken:2   pocket=staked
    """
    assert balances(book_of(text)) == [AssetBalance("ETH", D(5), D(0), D(5))]
