"""What to hold: target weights and what is there become a plan, and the plan is a proof.

`make_plan` is a pure function of an allocation, a snapshot of holdings and a sizing policy. It
reads no clock, asks nobody and keeps nothing. What comes of it is a `RebalancePlan`: lines in the
order of execution, each with its reason, their totals, what rounding left over, and the inputs.

Invariants
- The same inputs give the same bytes, whatever their order, in any process.
- No purchase is paid with money that is not there yet; no sale exceeds what is free.
- Σ (value + trade) + cash after + fees = value of all before, to the last digit.
- Once a plan is executed at its prices, the plan of what is then held is all HOLD.

Errors: `BadChoice`, `MissingMark`, `Malformed`, `NotExact`, `OutOfBounds`: what the inputs must
change.
"""

from bursar.plan.allocation import Constraints, StrategyAllocation, aggregate_allocations
from bursar.plan.effects import LotTouched, Term, WhatIf
from bursar.plan.holdings import HoldingsSnapshot
from bursar.plan.items import Coverage, PlanItem, Proof, Search, Totals
from bursar.plan.plan import RebalancePlan, invest, make_plan
from bursar.plan.policy import Instrument, RoundingMode, SizingPolicy
from bursar.plan.reasons import SAYS, Action, Reason
from bursar.plan.spelled import Request, answer, read_plan, read_request, write_plan

StrategyAllocationDTO = StrategyAllocation
RebalancePlanDTO = RebalancePlan
"""The contract's older names."""

__all__ = [
    "SAYS",
    "Action",
    "Constraints",
    "Coverage",
    "HoldingsSnapshot",
    "Instrument",
    "LotTouched",
    "PlanItem",
    "Proof",
    "Reason",
    "RebalancePlan",
    "RebalancePlanDTO",
    "Request",
    "RoundingMode",
    "Search",
    "SizingPolicy",
    "StrategyAllocation",
    "StrategyAllocationDTO",
    "Term",
    "Totals",
    "WhatIf",
    "aggregate_allocations",
    "answer",
    "invest",
    "make_plan",
    "read_plan",
    "read_request",
    "write_plan",
]
