"""Exposure: gross, net, long and short of what moves."""

from bursar.value import exposure as module
from tests.unit.value.books import EXAMPLE, loose, valued

exposure, AssetExposure = loose(module.exposure), loose(module.AssetExposure)

TEXT = """
@ account s events short
2026-01-05T10:00:00Z  deposit 1000 USD             #k:0
2026-01-05T10:00:01Z  buy 2 XBT @ 100 USD          #k:1
2026-01-05T10:00:02Z  margin sell 1 XBT @ 100 USD  #k:2
2026-01-05T10:00:03Z  sell 3 AAPL @ 10 USD         #s:1
2026-01-05T10:00:04Z  buy 1 AAPL @ 10 USD          #k:3
"""


def test_gross_is_the_sum_of_notionals_and_net_their_signed_sum():
    _, worth = valued(TEXT, XBT_USD="100", AAPL_USD="10")
    told = exposure(worth)
    assert worth.equity == 1000
    assert (told.long, told.short, told.gross, told.net) == (210, 130, 340, 80)
    assert told.gross_pct == 34
    assert told.assets == (
        AssetExposure("AAPL", -2, -20, -2),
        AssetExposure("XBT", 1, 100, 10),
    )


def test_cash_is_shown_where_it_is_asked_for():
    _, worth = valued(TEXT, XBT_USD="100", AAPL_USD="10")
    assert [each.asset for each in exposure(worth, with_cash=True).assets] == [
        "AAPL",
        "USD",
        "XBT",
    ]


def test_what_has_no_value_is_named_and_in_no_sum():
    _, worth = valued(TEXT, AAPL_USD="10")
    told = exposure(worth)
    assert AssetExposure("XBT", 1, None, None) in told.assets
    assert (told.gross, told.net) == (40, -20)
    assert [each.asset for each in told.unvalued] == ["XBT", "XBT/USD"]


def test_without_equity_there_is_no_percentage():
    _, worth = valued("2026-01-05T10:00:00Z sell 5 USDT @ 1 USD #k:0")
    assert worth.equity == 0
    assert exposure(worth).gross_pct is None


def test_an_example_from_the_readme():
    _, worth = valued(EXAMPLE, XBT_USD="60000")
    (xbt,) = exposure(worth).assets
    assert xbt.percentage_of_equity == worth.asset("XBT").share_pct
