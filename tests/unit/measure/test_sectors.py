"""Sectors, buckets, limits and heatmaps."""

from decimal import Decimal
from importlib.resources import files

import pytest

from bursar.errors import BadChoice, Malformed
from bursar.measure import limits as limits_module
from bursar.measure import sectors as module
from bursar.measure.heatmap import Kind, heatmap, kind
from bursar.measure.limits import Standing, Verdict, check
from bursar.measure.measured import known, unknown
from bursar.measure.sectors import Bucket, Place, read, sector_nets
from bursar.value.exposure import exposure
from tests.unit.measure.samples import D, loose, record
from tests.unit.value.books import valued

by_sector, by_bucket = loose(module.by_sector), loose(module.by_bucket)
Limits = loose(limits_module.Limits)
TEXT = "# mine\nsymbol,sector,bucket\n\nbtc, l1 ,core\nETH,L1,EXPANSION\n"
HELD = """
2026-01-05T10:00:00Z  deposit  1000 USD           #k:0
2026-01-05T10:00:01Z  buy   1  XBT @ 600 USD      #k:1
2026-01-05T10:00:02Z  buy   2  ETH @ 100 USD      #k:2
2026-01-05T10:00:03Z  deposit  5 ABC              #k:3 value=1
"""


def test_a_table_is_read_and_found_under_any_name():
    table = read(TEXT)
    assert table.of("XBT") == table.of("BTC") == Place("L1", Bucket.CORE)
    assert table.of("NOBODY") == Place("UNCLASSIFIED", Bucket.MONITORING)
    joined = table.plus(read("ETH,GAS,CORE"))
    assert joined.of("ETH").sector == "GAS"
    assert joined.of("XBT").sector == "L1"


@pytest.mark.parametrize(
    "text, said",
    [
        ("XBT,L1", "t.csv, line 1: symbol: expected symbol,sector,bucket"),
        ("# a\nXBT,,CORE", "t.csv, line 2: symbol: expected symbol,sector,bucket"),
        ("\nXBT,L1,BIG", "t.csv, line 2: bucket: expected one of CORE, EXPANSION, MONITORING"),
    ],
)
def test_a_line_that_is_none_is_named(text, said):
    with pytest.raises(Malformed, match=said):
        read(text, name="t.csv")


def test_the_shipped_table_reads_and_names_each_symbol_once():
    text = (files("bursar.measure") / "sectors.csv").read_text("utf-8")
    lines = [each for each in text.splitlines() if each and not each.startswith("#")]
    assert len(read(text).places) == len(lines) - 1
    assert read(text).of("BTC").bucket is Bucket.CORE


def test_exposure_by_sector_adds_up_and_names_what_has_no_value():
    _, valuation = valued(HELD, XBT_USD="600", ETH_USD="150")
    found = exposure(valuation)
    made = by_sector(found, read(TEXT), equity=valuation.equity)
    assert [(each.sector, each.net, each.unvalued) for each in made] == [
        ("L1", 900, ()),
        ("UNCLASSIFIED", 0, ("ABC",)),
    ]
    assert sum(each.net for each in made) == found.net
    assert made[0].assets == ("ETH", "XBT")
    assert made[0].pct_of_equity.value == D("81.818181818181818182")


def test_a_sector_of_which_nothing_has_a_value_is_no_zero():
    values = {"XBT": D(600), "ETH": None, "ABC": None}
    assert sector_nets(values, read(TEXT)) == {"L1": 600}


def test_buckets_stand_beside_their_targets():
    _, valuation = valued(HELD, XBT_USD="600", ETH_USD="150", ABC_USD="1")
    made = by_bucket(exposure(valuation), read(TEXT))
    abc = exposure(valuation).gross - 900
    assert [(each.bucket.value, each.gross) for each in made] == [
        ("CORE", 600),
        ("EXPANSION", 300),
        ("MONITORING", abc),
    ]
    assert abs(sum(each.deviation_pct.value for each in made)) <= D("0.000000000000000002")
    assert made[0].deviation_pct.value == made[0].share_pct.value - made[0].target_pct


def test_what_has_no_price_leaves_no_share_of_the_whole_known():
    _, valuation = valued(HELD, XBT_USD="600", ETH_USD="150")
    made = by_bucket(exposure(valuation), read(TEXT))
    assert [(each.gross, each.unvalued) for each in made] == [(600, ()), (300, ()), (0, ("ABC",))]
    assert {each.share_pct.reason for each in made} == {"ABC: no price"}
    assert {each.deviation_pct.value for each in made} == {None}


def test_nothing_held_has_no_shares():
    _, valuation = valued("2026-01-05T10:00:00Z deposit 1000 USD #k:0")
    assert by_bucket(exposure(valuation), read(TEXT))[0].deviation_pct.value is None


def test_targets_must_add_up():
    _, valuation = valued(HELD)
    with pytest.raises(BadChoice, match="100"):
        by_bucket(exposure(valuation), read(TEXT), targets={Bucket.CORE: Decimal(90)})


def test_a_limit_that_is_passed_is_a_breach_and_one_just_met_is_none():
    standing = Standing(
        drawdown_pct=known(D("10.01")),
        net_exposure_pct=known(D(-120)),
        daily_loss=known(D(-50)),
        symbol_exposure_pct={"XBT": known(D(61)), "ETH": known(D(60)), "ABC": unknown("no price")},
    )
    bounds = Limits(
        drawdown_pct_max=D(10),
        net_exposure_pct_max=D(100),
        daily_loss_max=D(40),
        symbol_exposure_pct_max=D(60),
        positions_max=D(3),
    )
    assert [str(each) for each in check(bounds, standing)] == [
        "net_exposure_pct: -120 (at most 100)",
        "symbol_exposure_pct of ABC: unknown: no price (at most 60)",
        "symbol_exposure_pct of XBT: 61 (at most 60)",
        "drawdown_pct: 10.01 (at most 10)",
        "positions: unknown: it was not measured (at most 3)",
    ]
    assert check(bounds, standing)[1].verdict is Verdict.UNKNOWN
    assert check(Limits(), standing) == ()


def test_every_heatmap_adds_up_to_what_was_realised():
    told = [record(1, 0, 5), record(5, 0, -2), record(40, 0, 4, pair="none"), record(400, 0, 1)]
    for chosen in Kind:
        made = heatmap(told, chosen, assets={"XBT/EUR": "XBT"})
        assert sum(cell.pnl for cell in made.cells) == made.total == 8
        assert sum(cell.records for cell in made.cells) == 4


def test_the_axes_of_heatmaps():
    told = [record(1, 0, 5), record(5, 0, -2), record(400, 0, 1)]
    assert heatmap(told, kind("month")).rows == ("2026", "2027")
    assert heatmap(told, kind("hour")).rows == ("Mon", "Thu")  # a week begins on Monday
    assert heatmap(told, kind("hour")).columns == ("12",)
    by_symbol = heatmap(told, kind("symbol"), assets={"XBT/EUR": "XBT"})
    assert (by_symbol.rows, by_symbol.columns) == (("XBT",), ("2026-01", "2027-02"))
    assert heatmap(told, kind("symbol"), assets={"XBT/EUR": ""}).rows == ("none",)
    assert heatmap(told, kind("day")).columns == ("01", "04", "05")
    assert heatmap([], Kind.DAY).cells == ()


def test_a_heatmap_that_there_is_none_of():
    with pytest.raises(BadChoice, match="one of month, hour, symbol, day"):
        kind("year")
