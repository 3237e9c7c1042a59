"""What a plan would do to a book: lots by the portfolio's own rule, nothing changed."""

# The doors take whole numbers and texts too; only types would have decimals alone.
# mypy: disable-error-code="arg-type, comparison-overlap, dict-item, index"

from decimal import Decimal

import pytest
from msgspec.structs import replace

import bursar
from bursar.errors import Oversold
from bursar.plan import (
    HoldingsSnapshot,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    Term,
    make_plan,
)
from bursar.portfolio import agreement
from bursar.reconcile import Holding, Statement

D = Decimal
PRICES = {"XBT": "5000", "ETH": "100"}


def book_of(method="fifo", *, scope="account"):
    """2 XBT at 2,000 long ago, 1 at 4,400 lately, 6,600 of cash; fees of 10 on each."""
    terms = bursar.Terms(method=bursar.Method(method), scope=bursar.Scope(scope))
    portfolio = bursar.open(":memory:", terms=terms)
    portfolio.add("deposit", "15000", "USD", time="2023-01-01")
    portfolio.add("buy", "2", "XBT/USD", price="2000", time="2024-01-05")
    portfolio.add("buy", "1", "XBT/USD", price="4400", time="2026-10-05")
    return portfolio


def plan_of(portfolio, weights, as_of="2026-11-20", **policy):
    holdings = portfolio.holdings(weights, PRICES)
    told = {name: getattr(holdings, name) for name in holdings.__struct_fields__}
    holdings = HoldingsSnapshot(**told | {"as_of": as_of})
    allocation = StrategyAllocation({name: D(each) for name, each in weights.items()})
    return make_plan(allocation, holdings, SizingPolicy(**policy))


def test_a_sale_takes_the_lots_of_the_rule_and_splits_them_by_term():
    with book_of() as portfolio:
        plan = plan_of(portfolio, {"ETH": "0.5"}, fee_rate=D("0.01"))
        after = plan.apply(portfolio.book())
        assert [(e.quantity, e.cost, e.term) for e in after.lots] == [
            (2, 4000, Term.LONG),
            (1, 4400, Term.SHORT),
        ]
        # 3 × 5,000 less 1 % are 14,850: 9,900 and 4,950.
        assert [each.realized for each in after.lots] == [5900, 550]
        assert after.realized_by(Term.LONG) == 5900
        assert after.realized_by(Term.UNKNOWN) == 0
        bought = plan.totals.buys
        assert after.realized == 6450 - bought / 100
        assert after.fees == 150 + bought / 100
        assert after.book.owned("manual:main", "XBT") == 0
        assert after.book.owned("manual:main", "ETH") == bought / 100
        assert after.book.owned("manual:main", "USD") == plan.totals.cash_after
        assert portfolio.book().owned("manual:main", "XBT") == 3


@pytest.mark.parametrize(
    "method, parts",
    [("lifo", [("2026", 1), ("2024", D("0.5"))]), ("hifo", [("2026", 1), ("2024", D("0.5"))])],
)
def test_another_rule_takes_other_lots(method, parts):
    with book_of(method) as portfolio:
        plan = plan_of(portfolio, {"XBT": "0.3472222222222222"}, rounding=RoundingMode.LOT)
        taken = plan.apply(portfolio.book()).lots
        assert [(each.acquired_at[:4], each.quantity) for each in taken] == parts


def test_under_wac_a_lot_has_no_term():
    with book_of("wac") as portfolio:
        (taken,) = plan_of(portfolio, {}).apply(portfolio.book()).lots
        assert (taken.lot, taken.acquired_at, taken.term) == ("pool", "", Term.UNKNOWN)
        assert taken.realized == 15000 - 8400


def test_without_a_time_no_lot_has_a_term():
    with book_of() as portfolio:
        taken = plan_of(portfolio, {}, as_of="").apply(portfolio.book()).lots
        assert {each.term for each in taken} == {Term.UNKNOWN}


@pytest.mark.parametrize("scope", ["account", "pooled"])
def test_a_sale_is_taken_from_the_accounts_that_hold_the_asset(scope):
    with book_of(scope=scope) as portfolio:
        portfolio.add("transfer", "1", "XBT", to="cold:wallet", time="2026-11-01")
        plan = plan_of(portfolio, {})
        after = plan.apply(portfolio.book())
        assert sorted({each.account for each in after.lots}) == ["cold:wallet", "manual:main"]
        assert sum(each.quantity for each in after.lots) == 3
        assert after.realized == 15000 - 8400
        partial = plan_of(portfolio, {"XBT": "0.5"}).apply(portfolio.book())
        assert {each.account for each in partial.lots} >= {"cold:wallet"}


def stated(portfolio, account, **reserved):
    """Let a venue state what lies in an account, so much of it in open orders."""
    book = portfolio.book()
    held = tuple(
        Holding(asset=name, code=name, total=book.owned(account, name), reserved=D(there))
        for name, there in reserved.items()
    )
    agreement.remember(portfolio, Statement(account=account, as_of=0, holdings=held))


def sold(after):
    return [(each.account, each.quantity) for each in after.lots]


@pytest.mark.parametrize("scope", ["account", "pooled"])
def test_a_sale_is_taken_from_where_coins_are_free(scope):
    with book_of("wac", scope=scope) as portfolio:
        portfolio.add("transfer", "2", "XBT", to="cold:wallet", time="2026-11-01")
        stated(portfolio, "cold:wallet", XBT="1.5")
        plan = plan_of(portfolio, {"XBT": "0.4"}, rounding=RoundingMode.UNIT)
        assert plan.inputs.holdings.free == {
            "cold:wallet": {"XBT": D("0.5")},
            "manual:main": {"XBT": D(1), "USD": D(6600)},
        }
        assert [item.quantity for item in plan.items] == [-1]
        after = plan.apply(portfolio.book())
        assert sold(after) == [("cold:wallet", D("0.5")), ("manual:main", D("0.5"))]
        stated(portfolio, "cold:wallet", XBT="2")
        after = plan_of(portfolio, {"XBT": "0.4"}, rounding=RoundingMode.UNIT).apply(
            portfolio.book()
        )
        assert sold(after) == [("manual:main", 1)]


@pytest.mark.parametrize(
    "pocket, taken", [("staked", [("manual:main", 1)]), ("auto-earn", [("cold:wallet", 1)])]
)
def test_what_is_staked_is_not_sold_and_what_may_be_traded_is(pocket, taken):
    with book_of("wac") as portfolio:
        portfolio.add("transfer", "2", "XBT", to="cold:wallet", time="2026-11-01")
        staked = replace(
            portfolio.desk.timeline.facts[portfolio.desk.timeline.order[-1][-1]],
            id="stake",
            account="cold:wallet",
            to_account="cold:wallet",
            to_pocket=pocket,
        )
        portfolio.record(staked)
        after = plan_of(portfolio, {"XBT": "0.4"}, rounding=RoundingMode.UNIT).apply(
            portfolio.book()
        )
        assert sold(after) == taken


def test_a_pooled_coin_is_sold_under_the_name_that_an_account_has_for_it():
    with book_of("wac", scope="pooled") as portfolio:
        portfolio.add("deposit", "4", "BTC", account="binance:main", time="2026-11-01")
        plan = plan_of(portfolio, {})
        after = plan.apply(portfolio.book())
        assert plan.items[0].quantity == -7
        assert after.book.owned("binance:main", "BTC") == 0
        assert after.book.owned("manual:main", "XBT") == 0


def over(portfolio, account, **free):
    """A plan over one venue, of what it says lies there, that sells all of its coins."""
    there = {name: D(each) for name, each in free.items()}
    holdings = HoldingsSnapshot(
        positions={"XBT": there["XBT"]},
        prices={"XBT": 5000},
        cash=there["USD"],
        source=f"statement of {account}",
        free={account: there},
    )
    return make_plan(StrategyAllocation({}), holdings).apply(portfolio.book())


def test_a_plan_over_a_venue_is_executed_there_or_says_that_it_cannot_be():
    with book_of("wac") as portfolio:
        portfolio.add("transfer", "2", "XBT", to="cold:wallet", time="2026-11-01")
        after = over(portfolio, "manual:main", XBT=1, USD=6600)
        assert sold(after) == [("manual:main", 1)]
        assert after.book.owned("manual:main", "USD") == 11_600
        said = r"of XBT, 1 are free .* plan sells them \(manual:main 1\); it sells 1.5"
        with pytest.raises(Oversold, match=said):
            over(portfolio, "manual:main", XBT="1.5", USD=6600)
        with pytest.raises(Oversold, match=r"0 are free .* \(nowhere\); it sells 1"):
            over(portfolio, "kraken:main", XBT=1, USD=0)


def test_a_purchase_spends_what_is_free_and_no_accounts_last_money():
    with book_of() as portfolio:
        portfolio.add("transfer", "3000", "USD", to="cold:wallet", time="2026-11-01")
        stated(portfolio, "manual:main", USD="2000")
        plan = plan_of(portfolio, {"XBT": "0.7", "ETH": "0.2"}, fee_rate=D("0.01"))
        (bought,) = [item for item in plan.items if item.symbol == "ETH"]
        after = plan.apply(portfolio.book()).book
        assert (bought.trade_amount, bought.fee) == (D(4320), D("43.2"))
        assert after.owned("cold:wallet", "USD") == 0
        assert after.owned("manual:main", "USD") == D("2115.6")
        assert after.owned("cold:wallet", "ETH") + after.owned("manual:main", "ETH") == D("43.2")
        assert plan.totals.cash_after == D("2115.6")


def test_what_is_owed_is_bought_where_it_is_owed():
    account = bursar.Account("manual:main", may_short=True)
    with bursar.open(":memory:", terms=bursar.Terms(accounts=(account,))) as portfolio:
        portfolio.add("deposit", "1000", "USD", time="2024-01-01")
        portfolio.add("sell", "10", "A/USD", price="10", time="2024-01-02")
        portfolio.add("transfer", "900", "USD", to="rich:main", time="2024-01-03")
        plan = portfolio.plan({}, prices={"A": "10"})
        after = plan.apply(portfolio.book()).book
        assert (after.owned("manual:main", "A"), after.owned("rich:main", "A")) == (0, 0)


def test_a_name_of_ones_own_is_the_books_asset():
    with book_of() as portfolio:
        plan = plan_of(portfolio, {"BTC": "0.1"})
        assert [item.symbol for item in plan.items] == ["BTC"]
        assert plan.apply(portfolio.book()).book.owned("manual:main", "XBT") < 1


def test_a_plan_of_other_holdings_is_not_the_books():
    other = make_plan(
        StrategyAllocation({}),
        HoldingsSnapshot(positions={"XBT": 4}, prices={"XBT": 5000}, cash=0),
    )
    with book_of() as portfolio, pytest.raises(Oversold, match="the book holds 3 XBT; the plan"):
        other.apply(portfolio.book())


def test_a_purchase_needs_no_account_to_begin_with():
    plan = make_plan(
        StrategyAllocation({"A": D(1)}),
        HoldingsSnapshot(positions={}, prices={"A": 10}, cash=100),
    )
    with bursar.open(":memory:") as portfolio:
        after = plan.apply(portfolio.book())
        assert after.book.owned("manual:main", "A") == 10


def test_an_account_that_may_short_sells_what_it_does_not_hold():
    account = bursar.Account("manual:main", may_short=True)
    with bursar.open(":memory:", terms=bursar.Terms(accounts=(account,))) as portfolio:
        portfolio.add("deposit", "1000", "USD", time="2024-01-01")
        plan = make_plan(
            StrategyAllocation({"A": D("-0.5")}, constraints=bursar.Constraints(shorts=["A"])),
            HoldingsSnapshot(positions={}, prices={"A": 10}, cash=1000),
        )
        after = plan.apply(portfolio.book())
        assert after.book.owned("manual:main", "A") == -50
        assert after.book.owned("manual:main", "USD") == 1500
        assert after.lots == ()


def test_what_is_held_is_left_alone():
    with book_of() as portfolio:
        plan = plan_of(portfolio, {"XBT": "0.6944444444444444"})
        assert plan.is_idle
        assert plan.apply(portfolio.book()).realized == 0
