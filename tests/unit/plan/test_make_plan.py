"""Plans by hand: every figure here was worked out on paper."""

# The doors take whole numbers and texts too; only types would have decimals alone.
# mypy: disable-error-code="arg-type, comparison-overlap, dict-item, index"

from decimal import Decimal, localcontext

import msgspec
import pytest

from bursar.errors import BadChoice, MissingMark, NotExact
from bursar.plan import (
    SAYS,
    Action,
    Constraints,
    HoldingsSnapshot,
    Instrument,
    Reason,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    invest,
    make_plan,
)

D = Decimal
UNIT = SizingPolicy(rounding=RoundingMode.UNIT)


def there(positions=None, prices=None, cash="0", **more):
    return HoldingsSnapshot(positions=positions or {}, prices=prices or {}, cash=D(cash), **more)


def wish(weights, value=None, **limits):
    numbers = {symbol: D(weight) for symbol, weight in weights.items()}
    return StrategyAllocation(numbers, value, "c", Constraints(**limits))


def lines(plan):
    return [
        (e.symbol, e.action.value, str(e.trade_amount.normalize()), e.reason) for e in plan.items
    ]


def only(plan):
    (item,) = plan.items
    return item.action, item.reason, item.quantity


def test_the_contracts_sixty_forty():
    """6,000 and 4,000 wanted of 10,000: 3,000 too little of SPY and 2,000 of QQQ."""
    plan = make_plan(
        wish({"SPY": "0.6", "QQQ": "0.4"}),
        there({"SPY": 6, "QQQ": 5}, {"SPY": 500, "QQQ": 400}, "5000"),
    )
    assert lines(plan) == [
        ("SPY", "BUY", "3E+3", Reason.UNDERWEIGHT),
        ("QQQ", "BUY", "2E+3", Reason.UNDERWEIGHT),
    ]
    assert [item.weight_diff for item in plan.items] == [D("0.3"), D("0.2")]
    assert plan.totals.cash_after == 0
    assert plan.totals.turnover == D("0.25")
    assert plan.total_trade_value == 5000
    assert not plan.is_idle


def test_a_callers_own_context_changes_no_total():
    wanted, held = wish({"SPY": "0.6", "QQQ": "0.4"}), there({}, {"SPY": 500, "QQQ": 400}, "10010")
    with localcontext(prec=1):
        assert make_plan(wanted, held).total_trade_value == 10010


def test_sales_come_first_and_pay_for_purchases():
    plan = make_plan(wish({"A": "0.25", "B": "0.75"}), there({"A": 10}, {"A": 100, "B": 30}), UNIT)
    # 1,000 in all. A: 750 above, 7 of 7.5 units go. B: 750 wanted, 700 there, 23 of 23.33 units.
    assert lines(plan) == [
        ("A", "SELL", "-7E+2", Reason.OVERWEIGHT),
        ("B", "BUY", "6.9E+2", Reason.SCALED),
    ]
    assert plan.totals.cash_after == 10
    assert plan.totals.residual == 50 + 60
    assert plan.totals.drift == D("0.11")


def test_fees_are_paid_before_anything_is_bought():
    policy = SizingPolicy(fee_rate=D("0.01"))
    plan = make_plan(wish({"A": "1"}), there({}, {"A": 10}, "1010"), policy)
    assert plan.items[0].trade_amount == 1000
    assert plan.items[0].fee == 10
    assert plan.totals.cash_after == 0


def test_short_cash_is_shared_in_proportion_and_the_rest_goes_to_the_largest_gap():
    plan = make_plan(
        wish({"A": "0.5", "B": "0.5"}, reserve=D("100")),
        there({}, {"A": 30, "B": 40}, "500"),
        UNIT,
    )
    # 250 each wanted, 400 there: 200 each. A 6 × 30 = 180, B 5 × 40 = 200; 20 are left.
    assert [(e.symbol, e.quantity) for e in plan.items] == [("B", 5), ("A", 6)]
    assert plan.totals.cash_after == 120
    assert plan.totals.reserve == 100


def test_a_cap_of_one_symbol_binds_no_other():
    plan = make_plan(
        wish({"A": "0.6", "B": "0.4"}, caps={"A": D("0.3")}),
        there({}, {"A": 10, "B": 10}, "1000"),
    )
    assert [(e.symbol, e.quantity, e.target_weight) for e in plan.items] == [
        ("B", 40, D("0.4")),
        ("A", 30, D("0.3")),
    ]


def test_what_rounding_leaves_buys_one_more_where_it_can():
    plan = make_plan(
        wish({"A": "0.5", "B": "0.5"}, reserve=D("110")),
        there({}, {"A": 30, "B": 90}, "1010"),
        UNIT,
    )
    # 505 each wanted, 450 each there: A 15 × 30, B 5 × 90; nothing is left.
    assert {e.symbol: int(e.quantity) for e in plan.items} == {"A": 15, "B": 5}
    more = make_plan(
        wish({"A": "0.5", "B": "0.5"}, reserve=D("80")),
        there({}, {"A": 30, "B": 90}, "1010"),
        UNIT,
    )
    # 930: 465 each; A 15 (450), B 5 (450), and the 30 that are left buy one more A.
    assert {e.symbol: int(e.quantity) for e in more.items} == {"A": 16, "B": 5}


def test_no_cash_at_all_holds_every_purchase():
    plan = make_plan(wish({"A": "1"}, reserve_weight=D(1)), there({"A": 1}, {"A": 10}, "10"), UNIT)
    assert only(plan) == (Action.HOLD, Reason.CASH_SHORT, 0)


def test_a_scaled_purchase_that_is_too_small_is_held():
    policy = SizingPolicy(rounding=RoundingMode.UNIT, min_trade_amount=D(50))
    plan = make_plan(
        wish({"A": "0.9", "B": "0.1"}, reserve=D(600)),
        there({}, {"A": 10, "B": 10}, "1000"),
        policy,
    )
    # 400 for 900 and 100: 360 and 40; the 40 are below 50, so A takes them.
    assert [(e.symbol, e.quantity, e.reason) for e in plan.items] == [
        ("A", 40, Reason.SCALED),
        ("B", 0, Reason.CASH_SHORT),
    ]


@pytest.mark.parametrize(
    "positions, weights, limits, policy, expected",
    [
        ({"A": 10}, {"A": "1"}, {}, {}, (Action.HOLD, Reason.ON_TARGET, 0)),
        ({"A": 10}, {}, {}, {}, (Action.SELL, Reason.NOT_TARGETED, -10)),
        ({"A": 10}, {"A": "0"}, {}, {}, (Action.SELL, Reason.NOT_TARGETED, -10)),
        ({"A": 10}, {"A": "0.5"}, {}, {}, (Action.SELL, Reason.OVERWEIGHT, -5)),
        ({"A": 10}, {"A": "0.9"}, {"cap": D("0.5")}, {}, (Action.SELL, Reason.OVER_CAP, -5)),
        (
            {"A": 10},
            {"A": "0.9"},
            {"cap": D("0.1"), "caps": {"A": D("0.5")}},
            {},
            (Action.SELL, Reason.OVER_CAP, -5),
        ),
        ({"A": 10}, {"A": "0.4"}, {"cap": D("0.5")}, {}, (Action.SELL, Reason.OVERWEIGHT, -6)),
        ({"A": 10}, {"A": "0.9"}, {"band": D("0.1")}, {}, (Action.HOLD, Reason.WITHIN_BAND, 0)),
        ({"A": 10}, {"A": "0.8"}, {"band": D("0.1")}, {}, (Action.SELL, Reason.OVERWEIGHT, -2)),
        (
            {"A": 10},
            {"A": "0.8"},
            {"relative_band": D("0.25")},
            {},
            (Action.HOLD, Reason.WITHIN_BAND, 0),
        ),
        (
            {"A": 10},
            {"A": "0.8"},
            {"relative_band": D("0.25"), "band": D("0.1")},
            {},
            (Action.SELL, Reason.OVERWEIGHT, -2),
        ),
        ({"A": 10}, {}, {"band": D(1)}, {}, (Action.SELL, Reason.NOT_TARGETED, -10)),
        ({"A": 10}, {"A": "0.5"}, {"buys_only": True}, {}, (Action.HOLD, Reason.BUYS_ONLY, 0)),
        (
            {"A": 10},
            {"A": "0.9"},
            {},
            {"min_trade_amount": D(11)},
            (Action.HOLD, Reason.BELOW_MINIMUM, 0),
        ),
        (
            {"A": 10},
            {"A": "0.85"},
            {},
            {"min_trade_amount": D(15), "rounding": RoundingMode.UNIT},
            (Action.HOLD, Reason.BELOW_MINIMUM, 0),
        ),
        (
            {"A": 10},
            {},
            {},
            {"min_trade_amount": D(200)},
            (Action.SELL, Reason.NOT_TARGETED, -10),
        ),
        (
            {"A": 10},
            {"A": "0.95"},
            {},
            {"rounding": RoundingMode.UNIT},
            (Action.HOLD, Reason.BELOW_STEP, 0),
        ),
        (
            {"A": 10},
            {"A": "0.9"},
            {},
            {"instruments": {"A": Instrument(min_notional=D(11))}},
            (Action.HOLD, Reason.BELOW_VENUE, 0),
        ),
        (
            {"A": 10},
            {},
            {},
            {"instruments": {"A": Instrument(min_quantity=D(11))}},
            (Action.HOLD, Reason.DUST, 0),
        ),
        (
            {"A": 10},
            {},
            {},
            {"instruments": {"A": Instrument(step=D(20))}},
            (Action.HOLD, Reason.DUST, 0),
        ),
        (
            {"A": 10},
            {},
            {},
            {"instruments": {"A": Instrument(step=D(4))}, "rounding": RoundingMode.UNIT},
            (Action.SELL, Reason.NOT_TARGETED, -8),
        ),
        (
            {"A": 10},
            {"A": "0.5"},
            {},
            {"instruments": {"A": Instrument(step=D("0.3"))}, "rounding": RoundingMode.LOT},
            (Action.SELL, Reason.OVERWEIGHT, D("-4.8")),
        ),
        (
            {"A": 10},
            {"A": "0.5"},
            {},
            {"lot": D("0.4"), "rounding": RoundingMode.LOT},
            (Action.SELL, Reason.OVERWEIGHT, D("-4.8")),
        ),
        (
            {"A": 10},
            {"A": "0.5"},
            {},
            {"instruments": {"A": Instrument(step=D("0.3"))}},
            (Action.SELL, Reason.OVERWEIGHT, D("-4.8")),
        ),
    ],
)
def test_every_line_has_its_reason(positions, weights, limits, policy, expected):
    plan = make_plan(wish(weights, **limits), there(positions, {"A": 10}), SizingPolicy(**policy))
    assert only(plan) == expected
    assert plan.verify() == ()


@pytest.mark.parametrize(
    "weights, reserved, policy, expected",
    [
        ({}, "4", {}, (Action.SELL, Reason.NOT_ALL_FREE, -6)),
        ({}, "10", {}, (Action.HOLD, Reason.NONE_FREE, 0)),
        ({"A": "0.2"}, "4", {}, (Action.SELL, Reason.NOT_ALL_FREE, -6)),
        ({"A": "0.5"}, "4", {}, (Action.SELL, Reason.OVERWEIGHT, -5)),
        ({"A": "0.5"}, "10", {}, (Action.HOLD, Reason.NONE_FREE, 0)),
        (
            {"A": "0.2"},
            "4.5",
            {"rounding": RoundingMode.UNIT},
            (Action.SELL, Reason.NOT_ALL_FREE, -5),
        ),
        (
            {"A": "0.2"},
            "4.5",
            {"rounding": RoundingMode.OPTIMAL},
            (Action.SELL, Reason.NOT_ALL_FREE, -5),
        ),
        (
            {"A": "0.2"},
            "10",
            {"rounding": RoundingMode.OPTIMAL},
            (Action.HOLD, Reason.NONE_FREE, 0),
        ),
    ],
)
def test_what_is_in_open_orders_is_not_sold(weights, reserved, policy, expected):
    plan = make_plan(
        wish(weights),
        there({"A": 10}, {"A": 10}, reserved={"A": D(reserved)}),
        SizingPolicy(**policy),
    )
    assert only(plan) == expected
    assert plan.verify() == ()


def test_money_in_open_orders_is_counted_and_not_spent():
    holdings = there({}, {"A": 10}, "1000", reserved={"USD": D(700)})
    plan = make_plan(wish({"A": "0.5"}), holdings)
    assert plan.total_portfolio_value == 1000
    assert only(plan) == (Action.BUY, Reason.SCALED, 30)
    assert plan.verify() == ()
    deposited = invest(D(200), wish({"A": "0.5"}), holdings)
    assert deposited.totals.buys == 200
    with pytest.raises(BadChoice, match=r"reserved\.USD: 1001 of 1000 that are held"):
        there({}, {"A": 10}, "1000", reserved={"USD": D(1001)})
    # One account owes 900, and 1,200 of the other's 1,900 are in its orders.
    free = {"k": {"USD": D(700)}, "m": {"USD": D(0)}}
    owing = there({}, {"A": 10}, "1000", reserved={"USD": D(1200)}, free=free)
    assert make_plan(wish({"A": "0.5"}), owing).totals.buys == 0


def test_a_purchase_that_the_venue_finds_too_small_is_held():
    policy = SizingPolicy(instruments={"A": Instrument(min_notional=D(600))})
    plan = make_plan(wish({"A": "0.5"}), there({}, {"A": 10}, "1000"), policy)
    assert only(plan) == (Action.HOLD, Reason.BELOW_VENUE, 0)


def test_a_purchase_of_less_than_a_step_is_held():
    plan = make_plan(wish({"A": "0.5"}), there({}, {"A": 600}, "1000"), UNIT)
    assert only(plan) == (Action.HOLD, Reason.BELOW_STEP, 0)


def test_shorts_are_opened_and_covered_where_they_are_allowed():
    limits = {"shorts": ("A",)}
    opened = make_plan(
        wish({"A": "-0.3", "B": "1"}, **limits), there({"A": 1}, {"A": 100, "B": 10}, "900"), UNIT
    )
    # 1,000: short 300 of A from 100 long is 4 units, which pay for 1,000 of B with 900.
    assert lines(opened) == [
        ("A", "SELL", "-4E+2", Reason.OVERWEIGHT),
        ("B", "BUY", "1E+3", Reason.UNDERWEIGHT),
    ]
    assert opened.totals.cash_after == 300
    assert opened.verify() == ()
    closed = make_plan(
        wish({"B": "1"}), there({"A": -3, "B": 100}, {"A": 100, "B": 10}, "300"), UNIT
    )
    assert lines(closed) == [
        ("A", "BUY", "3E+2", Reason.UNDERWEIGHT),
        ("B", "HOLD", "0", Reason.ON_TARGET),
    ]


def test_a_portfolio_value_of_ones_own_is_what_weights_are_shares_of():
    plan = make_plan(wish({"A": "0.5"}, D(1000)), there({}, {"A": 10}, "5000"))
    assert plan.items[0].trade_amount == 500
    assert plan.totals.turnover == D("0.25")
    nothing = make_plan(wish({"A": "0.5"}, D(0)), there({"A": 1}, {"A": 10}, "5"))
    assert only(nothing) == (Action.SELL, Reason.NOT_TARGETED, -1)
    assert nothing.totals.drift == 0


def test_negative_cash_is_repaired_by_sales_and_never_deepened():
    plan = make_plan(
        wish({"A": "0.5", "B": "0.5"}),
        there({"A": 100}, {"A": 10, "B": 10}, "-200"),
    )
    # 800: A to 400 sells 600, of which 200 repay; 400 buy B.
    assert plan.totals.cash_after == 0
    assert plan.verify() == ()


def test_a_plan_needs_prices_and_a_worth():
    with pytest.raises(MissingMark, match="no price of B"):
        make_plan(wish({"B": "1"}), there({}, {}, "10"))
    with pytest.raises(BadChoice, match="less than nothing"):
        make_plan(wish({"A": "1"}), there({}, {"A": 10}, "-1"))
    with pytest.raises(BadChoice, match="cash is what the other weights leave"):
        make_plan(wish({"USD": "1"}), there({}, {"USD": 1}, "10"))


def test_a_deposit_is_invested_by_purchases_alone():
    plan = invest(
        D(600),
        wish({"A": "0.5", "B": "0.5"}),
        there({"A": 100, "B": 20}, {"A": 10, "B": 10}, "50"),
    )
    # 1,850: 925 wanted each. A is 75 above and stays; B is 725 below and gets the 600.
    assert lines(plan) == [
        ("B", "BUY", "6E+2", Reason.SCALED),
        ("A", "HOLD", "0", Reason.BUYS_ONLY),
    ]
    assert plan.totals.cash_after == 50
    assert plan.verify() == ()
    with pytest.raises(NotExact, match="deposit: NaN is not a finite number"):
        invest(D("NaN"), wish({"A": "1"}), there({}, {"A": 1}))
    with pytest.raises(BadChoice, match="deposit: 0 is not above zero"):
        invest(D(0), wish({"A": "1"}), there({}, {"A": 1}))


@pytest.mark.parametrize(
    "cash, limits, bought",
    [
        ("10000", {}, 1000),
        ("10000", {"reserve": D(2000)}, 1000),  # the other cash is more than that
        ("10000", {"reserve": D(2000), "reserve_weight": D("0.5")}, 1000),
        ("1500", {"reserve": D(2000)}, 500),  # 500 are missing to it
        ("1500", {"reserve": D(2000), "reserve_weight": D("0.05")}, 370),  # 130 of 2,600 more
        ("0", {"reserve": D(2000)}, 0),
    ],
)
@pytest.mark.parametrize("is_told", [False, True])
def test_other_cash_is_the_reserve_of_a_deposit_as_far_as_it_goes(cash, limits, bought, is_told):
    holdings = there({"A": 1}, {"A": 100}, cash)
    wanted = wish({"A": "1"}, **limits)
    if is_told:  # what it comes to of itself
        whole = D(cash) + 1000 + 100
        wanted = msgspec.structs.replace(wanted, portfolio_value=whole)
    plan = invest(D(1000), wanted, holdings)
    assert plan.totals.buys == bought
    assert plan.totals.cash_after >= plan.totals.reserve or not bought
    assert plan.verify() == ()


def test_the_id_is_that_of_the_inputs_and_of_nothing_else():
    one = make_plan(wish({"A": "0.50"}), there({}, {"A": 10}, "10.0"), timestamp="2026-01-05")
    two = make_plan(
        msgspec.structs.replace(wish({"A": "0.5"}), correlation_id="other"),
        there({}, {"A": 10}, "10", as_of="2026-01-05"),
    )
    assert one.plan_id == two.plan_id
    assert one.timestamp == "2026-01-05T00:00:00Z"
    assert make_plan(wish({"A": "0.5"}), there({}, {"A": 11}, "10")).plan_id != one.plan_id
    assert one.asked_by("x").plan_id == one.plan_id


def test_metadata_is_a_copy_and_adds_up():
    plan = make_plan(wish({"A": "0.5"}), there({}, {"A": 10}, "10"))
    shares = {"A": {"momentum_strategy": 0.6, "mean_reversion_strategy": 0.4}}
    told = plan.with_metadata({"strategy_attribution": shares, "by": "me"}, timestamp="2026-01-05")
    assert plan.metadata == {}
    assert told.metadata["strategy_attribution"]["A"]["momentum_strategy"] == D("0.6")
    assert told.metadata["by"] == "me"
    assert told.with_metadata().metadata == told.metadata
    assert told.verify() == ()
    with pytest.raises(BadChoice, match=r"add up to 0\.9, not 1"):
        plan.with_metadata({"strategy_attribution": {"A": {"m": D("0.9")}}})
    with pytest.raises(BadChoice, match=r"metadata\.by: a text is wanted"):
        plan.with_metadata({"by": {"A": {"m": D(1)}}})
    with pytest.raises(BadChoice, match="a text is wanted, or shares"):
        plan.with_metadata({"strategy_attribution": "all mine"})


def test_every_reason_has_its_words():
    assert set(SAYS) == set(Reason)


@pytest.mark.parametrize(
    "base, cash, weight, traded",
    [
        ("USD", "100", "0.0099", []),
        ("USD", "100", "0.010101", ["1.01"]),
        ("USDT", "100", "0.010101", ["1.01"]),
        ("JPY", "1000000", "0.0000099", []),
        ("JPY", "1000000", "0.0123456", ["12345"]),
        ("XBT", "0.5", "0.000009", []),
        ("XBT", "0.5", "0.0246913578", ["0.01234567"]),
        ("SHIB", "1000000000", "0.000009", []),
        ("SHIB", "1000000000", "0.5", ["500000000"]),
    ],
)
def test_what_is_left_open_fits_the_base(base, cash, weight, traded):
    holdings = HoldingsSnapshot(positions={}, prices={"A": "0.01"}, cash=cash, base=base)
    plan = make_plan(StrategyAllocation({"A": D(weight)}), holdings)
    assert [e.trade_amount for e in plan.items if e.priority] == [D(each) for each in traded]
    assert plan.inputs.policy == SizingPolicy()
    assert plan.verify() == ()


def test_what_is_said_as_it_would_be_unsaid_is_one_wish():
    def id_of(base, **policy):
        holdings = HoldingsSnapshot(positions={}, prices={"A": 1}, cash=100, base=base)
        return make_plan(StrategyAllocation({"A": 1}), holdings, SizingPolicy(**policy)).plan_id

    assert id_of("USD") == id_of("USD", min_trade_amount=1, money_step="0.01")
    assert id_of("XBT") == id_of("XBT", money_step="0.00000001")
    assert id_of("USD") == id_of("USD", instruments={"A": Instrument()}, lot="0.00000001")
    assert id_of("XBT") != id_of("XBT", min_trade_amount=1)
    assert id_of("XBT") != id_of("XBT", money_step="0.01")
