"""Plans over a book and over a venue, the contract's errors and its log."""

# The doors take whole numbers and texts too; only types would have decimals alone.
# mypy: disable-error-code="arg-type, comparison-overlap, dict-item, index"

import asyncio
import logging
from decimal import Decimal

import pytest

import bursar
from bursar.errors import BadChoice, MissingMark, PortfolioError, VenueDown
from bursar.plan import Action, Instrument, make_plan
from bursar.portfolio import agreement
from bursar.portfolio.plan_sources import fetch_holdings
from bursar.portfolio.rebalancing import At, RebalanceService
from bursar.reconcile import Holding, Limits, Statement
from bursar.value.worth import Options
from tests.unit.portfolio.venues import Told

D = Decimal
PRICES = {"XBT": "5000", "ETH": "100", "KFEE": "0"}


class Now:
    def now(self):
        return 1_767_607_200_000_000_000  # 2026-01-05T10:00:00Z


@pytest.fixture
def book():
    with bursar.open(":memory:") as portfolio:
        portfolio.add("deposit", "10000", "USD", time="2024-01-01")
        portfolio.add("deposit", "500", "USDT", time="2024-01-01")
        portfolio.add("buy", "1", "XBT/USD", price="4000", time="2024-01-05")
        yield portfolio


def test_a_strategy_becomes_a_plan_of_the_book(book):
    service = bursar.PortfolioServiceV2(book)
    strategy = bursar.StrategyAllocationDTO(
        target_weights={"BTC": D("0.6"), "XBT2": D("0")}, correlation_id="strategy-123"
    )
    with pytest.raises(PortfolioError, match="no price of XBT2"):
        service.create_rebalance_plan_dto(strategy, "rebalance-456")
    strategy = bursar.StrategyAllocationDTO({"BTC": D("0.6")}, None, "strategy-123")
    plan = service.create_rebalance_plan_dto(strategy, "rebalance-456")
    # The last trade at 4,000: 10,500 in all, 6,300 wanted.
    assert [(e.symbol, e.action, e.trade_amount) for e in plan.items] == [("BTC", Action.BUY, 2300)]
    assert plan.correlation_id == "rebalance-456"
    assert plan.metadata == {"strategy_correlation_id": "strategy-123"}
    assert plan.inputs.holdings.source == "book main version 3"
    assert plan.coverage.gaps == ("USDT counts as cash, one USD each", "XBT: stale, last_trade")
    assert plan.verify() == ()


def test_the_portfolio_plans_at_prices_of_ones_own(book):
    plan = book.plan({"XBT": D("0.5"), "ETH": D("0.2")}, prices=PRICES, correlation_id="me")
    assert {e.symbol: e.trade_amount for e in plan.items} == {"XBT": 750, "ETH": 2300}
    assert plan.correlation_id == "me"
    assert plan.verify() == ()
    assert book.plan(bursar.StrategyAllocation({}, None, "own"), prices=PRICES).correlation_id == (
        "own"
    )


def test_what_is_no_money_and_what_is_leveraged_is_left_alone_and_said(book):
    book.add("deposit", "50", "KFEE", time="2024-01-06")
    holdings = book.holdings({"XBT"}, PRICES)
    assert set(holdings.positions) == {"XBT"}
    assert "KFEE is worth nothing and left alone" in holdings.gaps


def test_what_the_settings_exclude_is_left_alone_and_said(book):
    book.options = Options(exclude_assets=frozenset({"XBT"}))
    holdings = book.holdings(set(), PRICES)
    assert holdings.positions == {}
    assert holdings.gaps[-1] == "XBT: excluded by the settings, left alone"


def test_what_the_settings_exclude_is_not_wanted_and_not_sold_at_a_venue(book):
    no_xbt = Options(exclude_assets=frozenset({"BTC"}))
    said = r"target_weights.XBT: the settings leave XBT out \(exclude_assets"
    told = venue(XBT="2000", ETH="100")
    with pytest.raises(BadChoice, match=said):
        asyncio.run(fetch_holdings(told, {"XBT"}, bursar.Terms(), options=no_xbt))
    holdings = asyncio.run(fetch_holdings(told, {"ETH"}, bursar.Terms(), options=no_xbt))
    assert holdings.positions == {}
    assert holdings.free == {"k": {"USD": D(1040)}}
    assert holdings.gaps[-1] == "XBT: excluded by the settings, left alone"
    book.options = no_xbt
    with pytest.raises(PortfolioError, match=said):
        book.plan({"XBT": D("0.5")}, prices=PRICES)
    book.options = Options(include_assets=frozenset({"ETH"}))
    with pytest.raises(PortfolioError, match=said):
        book.plan({"XBT": D("0.5")}, prices=PRICES)


@pytest.mark.parametrize(
    "limits, policy",
    [
        (bursar.Constraints(caps={"XBT": D("0.1")}), bursar.SizingPolicy()),
        (bursar.Constraints(shorts=("XBT",)), bursar.SizingPolicy()),
        (bursar.Constraints(), bursar.SizingPolicy(instruments={"XBT": Instrument(step=D(1))})),
    ],
)
def test_a_bound_under_another_name_of_its_asset_is_refused(book, limits, policy):
    service = RebalanceService(At(book, PRICES), policy)
    wanted = bursar.StrategyAllocation({"BTC": D("0.5")}, None, "", limits)
    with pytest.raises(PortfolioError, match=r"\.XBT: here it is called BTC"):
        service.create_rebalance_plan(wanted, "x")
    own = bursar.StrategyAllocation({"XBT": D("0.5")}, None, "", limits)
    assert service.create_rebalance_plan(own, "x").verify() == ()


def test_what_makes_the_books_doubtful_is_said(book):
    account = next(account for account, _ in book.book().holdings)
    book.add("withdrawal", "7000", "USD", time="2024-01-07")
    said = Statement(account=account, as_of=Now().now(), holdings=(stated("XBT", 2),))
    agreement.remember(book, said)
    agreement.sound(book, agreement.compared(book, account, Limits()))
    plan = book.plan({"XBT": D("0.5")}, prices=PRICES | {"USDT": "0.9"})
    assert plan.coverage.gaps == (
        "USDT counts as cash, one USD each",
        f"{account} does not agree with its venue; `bursar drift` says where",
        f"negative cash: -1000 USD in {account}",
        "depeg: USDT at 0.9 (given)",
    )


def test_an_unpriced_holding_fails_the_plan(book):
    book.add("reward", "5", "ADA", time="2024-01-06")
    with pytest.raises(PortfolioError) as caught:
        book.plan({"XBT": D("0.5")}, correlation_id="abc")
    error = caught.value
    assert error.message == "no price of ADA, which the book holds"
    assert error.context["correlation_id"] == "abc"
    assert error.context["reason"] == "missing_mark"
    assert error.context["module"] == "bursar.plan"
    assert isinstance(error.__cause__, MissingMark)


def test_it_logs_as_the_contract_shows(book, caplog):
    with caplog.at_level(logging.INFO, logger="bursar.portfolio.rebalance"):
        plan = RebalanceService(At(book, PRICES)).create_rebalance_plan(
            bursar.StrategyAllocation({"XBT": D("0.5")}), "abc123"
        )
        with pytest.raises(PortfolioError):
            RebalanceService(book).create_rebalance_plan(
                bursar.StrategyAllocation({"ADA": D(1)}), "abc124"
            )
    brackets, others = (f"[correlation_id=abc{n}] [module=bursar.plan]" for n in (123, 124))
    assert [record.message for record in caplog.records] == [
        f"Building rebalance plan {brackets}",
        f"Rebalance plan built {brackets} [plan_id={plan.plan_id}] [trades=1]",
        f"Building rebalance plan {others}",
        f"Rebalance plan failed {others} [reason=no price of ADA: a plan would be a guess]",
    ]


def test_a_deposit_is_invested(book):
    service = RebalanceService(At(book, PRICES))
    strategy = bursar.StrategyAllocation({"XBT": D("0.5"), "ETH": D("0.5")})
    plan = service.create_rebalance_plan(strategy, "x", deposit=D(1000), timestamp="2026-01-05")
    assert plan.totals.buys == 1000
    assert plan.totals.sells == 0
    assert plan.timestamp == "2026-01-05T00:00:00Z"


@pytest.mark.parametrize(
    "weights, said",
    [
        ({"BTC": D("0.3"), "XBT": D("0.3")}, "XBT and BTC are one asset"),
        ({"XBT": D("0.3"), "USDT": D("0.3")}, "USDT counts as cash"),
        ({"XBT": D("0.3"), "USD": D("0.3")}, "cash is what the other weights leave"),
    ],
)
def test_what_is_wanted_is_one_name_each_and_no_money(book, weights, said):
    with pytest.raises(PortfolioError, match=said):
        book.plan(weights, prices=PRICES)
    told = venue(XBT="2000", BTC="2000", USDT="1", USD="1")
    with pytest.raises(BadChoice, match=said):
        make_plan(
            bursar.StrategyAllocation(weights),
            asyncio.run(fetch_holdings(told, weights, bursar.Terms())),
        )


def stated(asset, total, **more):
    return Holding(asset=asset, code=asset, total=D(total), **more)


def test_money_in_open_orders_is_the_portfolios_and_is_not_spent(book):
    account = next(account for account, _ in book.book().holdings)
    holdings = (
        stated("XBT", 1, reserved=D("0.25")),
        stated("USD", 6000, reserved=D(5500)),
        stated("USDT", 500, reserved=D(900)),
    )
    agreement.remember(book, Statement(account=account, as_of=Now().now(), holdings=holdings))
    plan = book.plan({"ETH": D("0.9")}, prices=PRICES)
    assert plan.total_portfolio_value == 11_500
    assert plan.inputs.holdings.reserved == {"USD": 6000, "XBT": D("0.25")}
    # 500 that no order holds, and three quarters of a coin at 5,000.
    assert {e.symbol: e.trade_amount for e in plan.items} == {"XBT": -3750, "ETH": 4250}
    assert plan.totals.cash_after == 6000
    assert "6000 USD is in open orders or in other pockets, and is not spent" in plan.coverage.gaps


def test_what_a_venue_says_is_staked_or_lent_is_not_free():
    told = venue(XBT="2000", ETH="100")
    told.reserved = {}

    async def statement():
        lent = (
            stated("XBT", "0.3", pocket="staked"),
            stated("XBT", "0.2", pocket="auto-earn", reserved=D("0.1")),
            stated("USD", 400, pocket="earn"),
        )
        owed = (stated("USDT", -20, pocket="futures"),)
        return Statement(
            account="k", as_of=Now().now(), holdings=(stated("USD", 1000), *lent, *owed)
        )

    told.statement = statement
    holdings = asyncio.run(fetch_holdings(told, set(), bursar.Terms()))
    assert (holdings.cash, holdings.spendable) == (1380, 980)
    assert (holdings.positions, holdings.reserved["XBT"]) == ({"XBT": D("0.5")}, D("0.4"))


def test_money_in_orders_is_not_spent_to_pay_what_another_purse_owes(book):
    account = next(account for account, _ in book.book().holdings)
    book.add("withdrawal", "6400", "USD", account="kraken:main", time="2024-01-07")
    told = Statement(
        account=account, as_of=Now().now(), holdings=(stated("USD", 6000, reserved=D(5500)),)
    )
    agreement.remember(book, told)
    plan = book.plan({"ETH": D("0.9")}, prices=PRICES)
    # 500 and 500 of USDT are free, and 6,400 are owed: a coin at 5,000 pays a part of that.
    assert plan.inputs.holdings.spendable == -5400
    assert {e.symbol: e.trade_amount for e in plan.items} == {"XBT": -5000, "ETH": 0}
    assert plan.verify() == ()

    async def statement():
        held = (stated("USD", 1000, reserved=D(900)), stated("USDT", -500))
        return Statement(account="k", as_of=Now().now(), holdings=held)

    owing = venue(XBT="2000")
    owing.statement = statement
    holdings = asyncio.run(fetch_holdings(owing, set(), bursar.Terms()))
    assert (holdings.cash, holdings.spendable) == (500, -400)


def venue(**worth):
    told = Told(Now())
    told.holdings = {"USD": D(1000), "USDT": D(50), "XBT": D("0.5"), "ETH": D(0), "KFEE": D(3)}
    told.worth = {name: D(price) for name, price in worth.items()}
    told.reserved = {"XBT": D("0.1"), "USD": D(10)}
    return told


def test_a_venue_is_asked_once_for_what_is_there():
    told = venue(XBT="2000", ETH="100", BTC="2000")
    holdings = asyncio.run(fetch_holdings(told, {"BTC", "ETH"}, bursar.Terms()))
    assert holdings.positions == {"BTC": D("0.5")}
    assert holdings.reserved == {"BTC": D("0.1"), "USD": 10}
    assert (holdings.cash, holdings.spendable) == (1050, 1040)
    assert holdings.prices == {"BTC": 2000, "ETH": 100}
    assert holdings.source == "statement of k"
    assert holdings.gaps == (
        "KFEE is worth nothing and left alone",
        "10 USD is in open orders or in other pockets, and is not spent",
    )
    assert holdings.as_of == "2026-01-05T10:00:00Z"
    assert told.asked == ["statement", "marks"]
    plan = RebalanceService(holdings).create_rebalance_plan(
        bursar.StrategyAllocation({"BTC": D("0.1"), "ETH": D("0.5")}), "x"
    )
    assert plan.verify() == ()


def test_a_venue_without_a_price_or_an_answer_gives_no_holdings():
    with pytest.raises(MissingMark, match="no price of ETH"):
        asyncio.run(fetch_holdings(venue(XBT="2000"), {"ETH"}, bursar.Terms()))
    told = venue()
    told.failing = {"statement": VenueDown()}
    with pytest.raises(VenueDown):
        asyncio.run(fetch_holdings(told, set(), bursar.Terms()))


def test_weights_that_no_portfolio_has_are_refused_at_once(book):
    with pytest.raises(BadChoice, match="above 1"):
        book.plan({"XBT": D(2)})
