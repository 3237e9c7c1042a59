"""A plan that was tampered with is found out; an honest one survives JSON."""

# The doors take whole numbers and texts too; only types would have decimals alone.
# mypy: disable-error-code="arg-type, comparison-overlap, dict-item, index"

from decimal import Decimal

import msgspec
import pytest

from bursar.errors import Malformed, NotExact
from bursar.plan import (
    Action,
    HoldingsSnapshot,
    Request,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    answer,
    make_plan,
    read_plan,
    read_request,
    write_plan,
)
from bursar.plan.spelled import _told

D = Decimal
NOTHING = b'{"positions": {}, "prices": {}, "cash": 0}'
PLAN = make_plan(
    StrategyAllocation({"A": D("0.5"), "B": D("0.3")}, correlation_id="c"),
    HoldingsSnapshot(positions={"A": 8, "C": 1}, prices={"A": 10, "B": 7, "C": 20}, cash=0),
    SizingPolicy(rounding=RoundingMode.UNIT),
)


def with_item(place, **changes):
    items = list(PLAN.items)
    items[place] = msgspec.structs.replace(items[place], **changes)
    return msgspec.structs.replace(PLAN, items=tuple(items))


def test_an_honest_plan_has_no_faults():
    # 100: A sells 3, C goes, B has 30 of 50: 4 units.
    assert [(e.symbol, e.quantity) for e in PLAN.items] == [("A", -3), ("C", -1), ("B", 4)]
    assert PLAN.verify() == ()


@pytest.mark.parametrize(
    "tampered, says",
    [
        (with_item(0, quantity=D(-9)), "A: sells 9, free are 8"),
        (with_item(0, quantity=D(-4)), "A.quantity: -4, derived -3"),
        (with_item(2, trade_amount=D(99)), "B: -49 of cash is left when it is bought"),
        (with_item(2, trade_amount=D(29)), "totals: 100 before, 101 after"),
        (with_item(2, priority=7), "B.priority: 7, in place 3"),
        (with_item(2, action=Action.HOLD), "B: holds and trades"),
        (with_item(0, action=Action.BUY), "A: BUY of -30"),
        (with_item(0, quantity=D(3)), "A: SELL of -30"),
        (msgspec.structs.replace(PLAN, plan_id="0"), "plan_id: it is not the hash"),
        (msgspec.structs.replace(PLAN, items=PLAN.items[:-1]), "items: no line of B"),
        (msgspec.structs.replace(PLAN, items=PLAN.items[:-1]), "items: 2, derived 3"),
        (
            msgspec.structs.replace(PLAN, total_portfolio_value=D(1)),
            "total_portfolio_value: 1, derived 100",
        ),
        (
            msgspec.structs.replace(
                PLAN, totals=msgspec.structs.replace(PLAN.totals, turnover=D(0))
            ),
            "totals.turnover: 0, derived 0.39",
        ),
        (
            msgspec.structs.replace(
                PLAN, coverage=msgspec.structs.replace(PLAN.coverage, priced=1)
            ),
            "coverage: ",
        ),
    ],
)
def test_what_was_changed_is_named(tampered, says):
    assert any(fault.startswith(says) for fault in tampered.verify()), tampered.verify()


def test_json_keeps_every_digit_in_plain_notation():
    tiny = make_plan(
        StrategyAllocation({"A": D("0.0000001")}),
        HoldingsSnapshot(positions={}, prices={"A": D("0.00000001")}, cash=D("1E+9")),
    ).with_metadata({"strategy_attribution": {"A": {"s": D(1)}}, "by": "me"})
    text = write_plan(tiny)
    assert b'"target_weight":"0.0000001"' in text
    assert b'"cash":"1000000000"' in text
    assert b"E" not in text.replace(b"BUY", b"").replace(b"HOLD", b"").replace(b"USD", b"")
    again = read_plan(text)
    assert again.verify() == ()
    assert again.metadata == tiny.metadata


def test_a_plan_of_many_digits_is_read_back():
    allocation = StrategyAllocation({"A": D("0.123456789012345678")})
    holdings = HoldingsSnapshot(positions={}, prices={"A": "3.1234567891"}, cash="1000.123456789")
    policy = SizingPolicy(rounding=RoundingMode.LOT, fee_rate=D("0.00255555555"))
    plan = make_plan(allocation, holdings, policy)
    assert len(str(plan.items[0].fee).partition(".")[2]) > 18
    assert read_plan(write_plan(plan)).verify() == ()


def test_a_request_is_answered_with_its_plan():
    asked = b"""{
      "target_weights": {"SPY": 0.6, "QQQ": "0.4"},
      "holdings": {"positions": {"SPY": "2"}, "prices": {"SPY": 500, "QQQ": 100.10}, "cash": 1000},
      "policy": {"rounding": "optimal"}, "constraints": {"reserve_weight": "0.01"},
      "correlation_id": "strategy-123", "timestamp": "2026-01-05T10:00:00Z"
    }"""
    plan = read_plan(answer(asked))
    assert plan.correlation_id == "strategy-123"
    assert plan.timestamp == "2026-01-05T10:00:00Z"
    assert plan.inputs.holdings.prices["QQQ"] == D("100.10")
    assert plan.verify() == ()


def test_a_deposit_may_be_asked_for():
    asked = Request(
        target_weights={"A": D(1)},
        holdings=HoldingsSnapshot(positions={}, prices={"A": 10}, cash=100),
        deposit=D(50),
    )
    plan = asked.plan()
    assert plan.totals.buys == 50
    assert plan.totals.cash_after == 100


@pytest.mark.parametrize(
    "text, error, says",
    [
        (b"{", Malformed, "Request: "),
        (b"{}", Malformed, "target_weights"),
        (b"\xff", Malformed, "Request: "),
        (b'{"target_weights": {}, "holdings": 1}', Malformed, "Request: holdings: "),
        (b'{"target_weights": {}, "what": 1}', Malformed, "what"),
        (
            b'{"target_weights": {"A": "NaN"}, "holdings": ' + NOTHING + b"}",
            NotExact,
            "target_weights.A",
        ),
        (
            b'{"target_weights": {"A": "0_1"}, "holdings": ' + NOTHING + b"}",
            NotExact,
            "Request: target_weights.A: '0_1'",
        ),
        (
            b'{"target_weights": {}, "holdings": ' + NOTHING + b', "policy": {"lot": " 1"}}',
            NotExact,
            "Request: policy.lot: ' 1'",
        ),
        (
            b'{"target_weights": {"A": -1}, "holdings": {"positions": {}, "cash": "x"}}',
            NotExact,
            "Request: holdings.cash: 'x'",
        ),
    ],
)
def test_what_is_no_request_is_refused_with_its_place(text, error, says):
    with pytest.raises(error, match=says):
        read_request(text).plan()


def test_what_json_does_not_have_is_our_own_mistake():
    with pytest.raises(TypeError, match="set has no place in a plan"):
        _told({"a": {1, 2}})
