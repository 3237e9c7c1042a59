"""Validate rebalance plans by hand: make one of a sample, show it, and check every promise.

    python examples/validate_rebalance.py                       # the sample below
    python examples/validate_rebalance.py request.json          # a request of one's own
    python examples/validate_rebalance.py book.db weights.yaml  # a book, and weights for it

Exit code 0 says that the plan holds: every line derives again from its inputs, another order of the
inputs gives the same bytes, and after the plan there is nothing left to do.
"""

import sys
from decimal import Decimal
from pathlib import Path

import msgspec

import bursar
from bursar.plan import Action, read_request, write_plan
from bursar.portfolio import weights_file

SAMPLE = b"""{
  "target_weights": {"SPY": "0.45", "QQQ": "0.30", "BTC": "0.15"},
  "holdings": {
    "positions": {"SPY": "40", "QQQ": "50", "TSLA": "10", "GME": "0.0001"},
    "prices": {"SPY": "585.40", "QQQ": "502.15", "BTC": "98765.4321", "TSLA": "340", "GME": "27"},
    "cash": "1250.00",
    "as_of": "2026-01-05T10:00:00Z"
  },
  "constraints": {"reserve": "500", "band": "0.005"},
  "policy": {
    "rounding": "unit",
    "min_trade_amount": "25",
    "instruments": {"BTC": {"step": "1"}, "GME": {"min_notional": "1"}}
  },
  "correlation_id": "strategy-123"
}"""


def main(*arguments: str) -> int:
    """Make the plan, show it, and say what of it does not hold."""
    try:
        plan = planned(*arguments)
    except bursar.BursarError as error:
        print(f"Portfolio operation failed: {error.message}")
        print(f"Context: {error.context}")
        return 2
    for item in plan.items:
        print(
            f"{item.symbol:6}{item.action.value:5}{item.trade_amount:>14,.2f}"
            f"{item.quantity:>14f}  {item.reason.value}"
        )
    print(f"cash after {plan.totals.cash_after}, off target by {plan.totals.residual}")
    print(f"plan {plan.plan_id}")
    faults = checked(plan)
    print("\n".join(faults) or "The plan holds.")
    return 1 if faults else 0


def planned(*arguments: str) -> bursar.RebalancePlan:
    """Make a plan of what the arguments name."""
    if len(arguments) > 1:
        wanted = weights_file.read(Path(arguments[1]))
        with bursar.open(arguments[0], create=False) as portfolio:
            return portfolio.plan(wanted.allocation, policy=wanted.policy, correlation_id="by-hand")
    asked = read_request(Path(arguments[0]).read_bytes() if arguments else SAMPLE)
    service = bursar.RebalanceService(asked.holdings, asked.policy)
    return service.create_rebalance_plan(asked.allocation, "rebalance-456", deposit=asked.deposit)


def checked(plan: bursar.RebalancePlan) -> list[str]:
    """Return what of a plan does not hold."""
    faults = list(plan.verify())
    inputs = plan.inputs
    turned = msgspec.structs.replace(
        inputs.holdings,
        positions=dict(reversed(list(inputs.holdings.positions.items()))),
        prices=dict(reversed(list(inputs.holdings.prices.items()))),
    )
    again = bursar.make_plan(inputs.allocation, turned, inputs.policy)
    if write_plan(again.asked_by("")) != write_plan(_bare(plan)):
        faults.append("another order of the inputs gives another plan")
    if not inputs.policy.fee_rate and not done(plan).is_idle:
        faults.append("after its execution there is something left to do")
    return faults


def _bare(plan: bursar.RebalancePlan) -> bursar.RebalancePlan:
    return bursar.make_plan(
        plan.inputs.allocation, plan.inputs.holdings, plan.inputs.policy
    ).asked_by("")


def done(plan: bursar.RebalancePlan) -> bursar.RebalancePlan:
    """Plan again, of what is held after every trade went through at its price."""
    holdings = plan.inputs.holdings
    held = {symbol: Decimal(quantity) for symbol, quantity in holdings.positions.items()}
    for item in plan.items:
        if item.action is not Action.HOLD:
            held[item.symbol] = held.get(item.symbol, Decimal(0)) + item.quantity
    after = msgspec.structs.replace(holdings, positions=held, cash=plan.totals.cash_after)
    return bursar.make_plan(plan.inputs.allocation, after, plan.inputs.policy)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
