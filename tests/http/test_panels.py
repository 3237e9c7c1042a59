"""What the page asks beside the contract's views: holdings, allocation, breaks."""

from decimal import Decimal

import bursar
from bursar.capital.deciding import Own, Rules
from bursar.capital.rebalancer import RebalancerSettings
from bursar.ledger import instant
from bursar.portfolio import agreement, allocating
from bursar.reconcile import Statement
from bursar.reconcile.statement import Holding
from bursar.serve import panels


def test_a_holding_tells_its_cost_its_mark_and_how_old_that_is(client):
    told = client.get("/api/portfolio/holdings", params={"decimals": "string"}).json()
    assert (told["portfolio"], told["base"]) == ("main", "USD")
    xbt, eth, usd = told["items"]  # the most valuable first, cash last
    assert (xbt["asset"], xbt["sector"], xbt["quantity"]) == ("XBT", "STORE_OF_VALUE", "1.5")
    assert (xbt["cost"], xbt["value"], xbt["unrealized"]) == ("60000", "75000", "15000")
    assert (xbt["mark"], xbt["mark_quote"]) == ("50000", "USD")
    assert xbt["marked_at"].startswith("2026-02-01T09:30")
    assert xbt["is_stale"]
    assert eth["quantity"] == "3.123456789012345678"
    assert usd["is_cash"]
    assert usd["marked_at"] is None
    assert Decimal(told["cash"]) == Decimal(usd["quantity"])


def test_strategies_are_told_before_any_capital_was_divided(client):
    told = client.get("/api/portfolio/allocation", params={"decimals": "string"}).json()
    assert (told["decided_at"], told["reserve"]) == (None, None)
    manual, trend = told["items"]
    assert (manual["strategy"], trend["strategy"]) == ("manual", "trend")
    assert (trend["weight"], trend["state"]) == (None, None)
    assert trend["made"] == "4987"  # 4,995 of the sale, less the 8 of the purchase


def test_whoever_has_a_weight_is_told_and_whoever_is_switched_off_has_no_state(place, client_of):
    first = Rules(strategies={"fresh": Own()})
    second = Rules(strategies={"fresh": Own(), "trend": Own(is_enabled=False)})
    with bursar.open(place) as portfolio:
        for rules in (first, second):
            never = allocating.Asked(moving=RebalancerSettings(transfer_min=Decimal(10**9)))
            allocating.apply(portfolio, allocating.propose(portfolio, rules, asked=never))
    told = client_of(None).get("/api/portfolio/allocation", params={"decimals": "string"}).json()
    fresh, manual, trend = told["items"]
    assert (fresh["strategy"], fresh["state"], fresh["equity"]) == ("fresh", "ACTIVE", "0")
    assert Decimal(fresh["weight"]) + Decimal(told["reserve"]) == 1
    assert (manual["state"], manual["weight"]) == (None, None)
    assert (trend["strategy"], trend["state"], trend["weight"]) == ("trend", None, None)


def test_a_strategy_tells_how_one_unit_of_its_capital_grew(client):
    told = client.get("/api/portfolio/allocation", params={"decimals": "string"}).json()
    _, trend = told["items"]
    assert trend["since"] == "2026-02-02"  # what it made on the day before is its first capital
    assert trend["growth"][0] == "1"
    assert trend["growth"][-1] == "4.007820333"  # 15,000 unrealised on 4,987
    assert trend["return_pct"] == "300.7820333"
    assert trend["unvalued"] == []
    assert len(trend["growth"]) <= panels.GROWTH_POINTS


def test_a_break_is_told_with_what_would_close_it(place, client_of):
    with bursar.open(place) as portfolio:
        held = {"XBT": "1.5", "ETH": "3.123456789012345678", "USD": "36747.08642197530864400"}
        stated = tuple(Holding(asset=n, code=n, total=Decimal(v)) for n, v in held.items())
        at = instant.parse("2026-02-04")
        agreement.remember(portfolio, Statement(account="m", as_of=at, holdings=stated))
        there = portfolio.book().holdings["m", "USD"].quantity
    asked = {"decimals": "string"}
    (found,) = client_of(None).get("/api/portfolio/breaks", params=asked).json()["items"]
    assert (found["account"], found["verdict"]) == ("m", "drift")
    (broken,) = found["breaks"]
    (shift,) = broken["shifts"]
    assert shift["asset"] == "USD"
    assert Decimal(shift["amount"]) == Decimal(held["USD"]) - there
    assert broken["proposal"]
    assert found["command"] == f"bursar drift --account m --book {place}"
