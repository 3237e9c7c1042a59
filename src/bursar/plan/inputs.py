"""A plan's inputs and the id that follows from them."""

from hashlib import sha256
from typing import Final

import msgspec

from bursar.plan.allocation import StrategyAllocation
from bursar.plan.holdings import HoldingsSnapshot
from bursar.plan.policy import SizingPolicy

_ENCODER: Final = msgspec.json.Encoder()


class Inputs(msgspec.Struct, frozen=True):
    """Everything that a plan's lines follow from."""

    allocation: StrategyAllocation
    holdings: HoldingsSnapshot
    policy: SizingPolicy


def plan_id(inputs: Inputs) -> str:
    """Return the hash of what the lines follow from; who asked, when, and where is no part of it.

    Mappings are kept sorted and numbers without trailing zeros, so equal inputs have equal bytes.
    """
    wanted, there = inputs.allocation, inputs.holdings
    told = (
        wanted.target_weights,
        wanted.portfolio_value,
        wanted.constraints,
        there.positions,
        there.prices,
        there.cash,
        there.reserved,
        there.base,
        inputs.policy.unsaid(there.base),
    )
    return sha256(_ENCODER.encode(told)).hexdigest()
