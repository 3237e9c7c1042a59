"""`AlpacaManager` over real sockets: what is asked one question at a time, and plans from it."""

from decimal import Decimal
from fractions import Fraction

import pytest

import bursar
from bursar.app.alpaca import AlpacaManager
from bursar.errors import MissingMark, VenueDenied
from bursar.sim.alpaca import FakeAlpaca, invent, truth
from tests.sim.kraken.places import Hands, running


@pytest.fixture
def place():
    account = invent(5, 120)
    fake = FakeAlpaca(account, clock=Hands(account.end, step=10**9))
    with (
        running(fake) as url,
        AlpacaManager(fake.key, fake.secret, url=url, data_url=url) as manager,
    ):
        yield fake, manager


def test_it_tells_account_positions_and_prices(place):
    fake, manager = place
    held = truth(fake.house.account, fake.house.now)
    found = {each.symbol.removesuffix("USD"): each.qty for each in manager.get_positions()}
    assert {name: Fraction(qty) for name, qty in found.items()} == {
        name: total for name, total in held.items() if name != "USD"
    }
    assert manager.get_portfolio_value() == manager.get_account().equity > 0
    assert not manager.get_asset("BRK.B").fractionable
    asked = len(fake.asked)
    prices = manager.get_current_prices(["AAPL", "KO", "SPY", "BTC", "ETH", "NONE"])
    assert set(prices) == {"AAPL", "KO", "SPY", "BTC", "ETH"}
    assert len(fake.asked) - asked == 3  # which coins there are, all stocks, all coins
    assert manager.get_current_price("AAPL") == prices["AAPL"]
    with pytest.raises(MissingMark, match="NONE has no price"):
        manager.get_current_price("NONE")


def test_a_plan_is_made_from_what_it_holds(place):
    fake, manager = place
    strategy = bursar.StrategyAllocation({"SPY": Decimal("0.5"), "BTC": Decimal("0.1")})
    plan = bursar.RebalanceService(manager).create_rebalance_plan(strategy, "rebalance-456")
    assert plan.verify() == ()
    holdings = plan.inputs.holdings
    assert holdings.source == "statement of alpaca:main"
    held = truth(fake.house.account, fake.house.now)
    bound = [Fraction(gap.split()[0]) for gap in holdings.gaps if "open orders" in gap]
    assert Fraction(holdings.cash) == held.pop("USD")
    assert Fraction(holdings.cash - holdings.spendable) == sum(bound) > 0
    assert {name: Fraction(total) for name, total in holdings.positions.items()} == held


def test_a_wrong_key_is_denied(place):
    fake, _ = place
    with (
        running(fake) as url,
        AlpacaManager("PK", "s", url=url, data_url=url) as manager,
        pytest.raises(VenueDenied, match=r"unauthorized.*paper account has keys"),
    ):
        manager.get_account()
