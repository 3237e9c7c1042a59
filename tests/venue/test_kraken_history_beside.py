"""What stands beside the ledger in a history: tags of orders, late trades, regions, pairs."""

import asyncio
from decimal import Decimal

import pytest

from bursar.errors import RegionDenied
from bursar.ledger.entries import Fill, Tag
from bursar.venue.region import US_CA
from tests.venue.kraken_accounts import made
from tests.venue.kraken_model import account, synced
from tests.venue.kraken_runs import RULES, rows_of, run, told


def test_orders_name_the_strategy_of_their_trades(tmp_path):
    model, _ = made(53, 150, tag="KRKKD:trend_v1-17")
    said = told(run(tmp_path, model, rules=RULES))
    found = {each.target: each.strategy for each in said if isinstance(each, Tag)}
    assert found == {f"kraken:main:{txid}": "trend_v1" for txid in model.trades}
    assert "ClosedOrders" in model.asked


def test_userrefs_name_it_too_and_what_no_rule_knows_has_no_tag(tmp_path):
    model, _ = made(59, 150)
    said = told(run(tmp_path, model, rules=RULES))
    found = {each.target for each in said if isinstance(each, Tag)}
    right = {
        f"kraken:main:{trade}"
        for order in model.closed.values()
        if order["userref"] == 7
        for trade in order["trades"]
    }
    assert found == right
    assert right


def test_without_rules_no_order_is_asked_for_and_rules_may_come_later(tmp_path):
    model, _ = made(61, 150)
    first = run(tmp_path, model)
    assert "ClosedOrders" not in model.asked
    later = told(run(tmp_path, model, first[-1].mark, rules=RULES))
    assert {type(each) for each in later} == {Tag}


def test_a_trade_that_the_list_tells_later_is_asked_for_again(tmp_path):
    model, teller = made(67, 30)
    first = run(tmp_path, model)
    teller.at += 10
    teller.trade()
    teller.settle()
    (name, hidden) = model.trades.popitem()
    second = run(tmp_path, model, first[-1].mark)
    assert not [each for each in told(second) if isinstance(each, Fill)]
    model.trades[name] = hidden
    third = run(tmp_path, model, second[-1].mark)
    assert [each.id for each in told(third)] == [f"kraken:main:{name}"]


def test_a_region_without_margin_refuses_its_entries_by_name(tmp_path):
    for kind in ("margin", "rollover", "settled"):
        model, teller = made(71, 10)
        name = teller.row("TX", kind, "ZUSD", Decimal(-1))
        teller.settle()
        with pytest.raises(RegionDenied, match=name):
            run(tmp_path, model, region=US_CA)
        assert name in rows_of(told(run(tmp_path, model)))


def test_a_region_without_futures_refuses_moves_there(tmp_path):
    model, teller = made(73, 10)
    name = teller.row("TX", "transfer", "ZUSD", Decimal(-1), subtype="spottofutures")
    teller.settle()
    with pytest.raises(RegionDenied, match=name):
        run(tmp_path, model, region=US_CA)


def test_a_pair_that_nobody_names_leaves_the_trade_to_the_ledger(tmp_path):
    model, _ = made(79, 40)
    name = next(iter(model.trades))
    model.trades[name]["pair"] = "NEWCOINUSD"
    model.results = {"Assets": {}, "AssetPairs": {}}

    async def go():
        async with account(model, tmp_path) as there:
            return told(await synced(there)), [each.text for each in there.client.notices]

    said, notices = asyncio.run(go())
    assert rows_of(said) == sorted(model.ledger)
    assert [name in text for text in notices] == [True]


def test_a_pair_of_today_is_named_by_the_venue(tmp_path):
    model, _ = made(79, 40)
    name = next(iter(model.trades))
    model.trades[name]["pair"] = "NEWCOINUSD"
    model.results = {
        "Assets": {"ZUSD": {"altname": "USD", "decimals": 4}},
        "AssetPairs": {
            "NEWCOINUSD": {
                "altname": "NEWCOINUSD",
                "wsname": "NEWCOIN/USD",
                "base": "NEWCOIN",
                "quote": "ZUSD",
                "pair_decimals": 5,
                "lot_decimals": 8,
            }
        },
    }
    said = {each.id: each for each in told(run(tmp_path, model))}
    assert said[f"kraken:main:{name}"].pair == "NEWCOIN/USD"
