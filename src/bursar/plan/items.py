"""The lines of a plan and what they add up to."""

from decimal import Decimal
from enum import Enum

import msgspec

from bursar.plan.reasons import Action, Reason


class PlanItem(msgspec.Struct, frozen=True, gc=False):
    """What to do with one symbol.

    `trade_amount` (base currency) and `quantity` (units) are above 0 for a BUY, below 0 for a SELL.
    Values are at the snapshot's price, before fees. `residual` is target value less the value after
    the trade. `priority` is the place in the order of execution, from 1; a HOLD has 0.
    """

    symbol: str
    action: Action
    reason: Reason
    priority: int
    trade_amount: Decimal
    quantity: Decimal
    price: Decimal
    current_weight: Decimal
    target_weight: Decimal
    weight_diff: Decimal
    current_value: Decimal
    target_value: Decimal
    residual: Decimal
    fee: Decimal


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines add up to, in base currency unless a name says otherwise.

    `cash` + `sells` − `buys` − `fees` = `cash_after`. `residual` is Σ|residual|, `drift` the same
    as a share of the targets' portfolio value, `turnover` (buys + sells) ÷ 2 as such a share.
    """

    holdings: Decimal
    cash: Decimal
    reserve: Decimal
    buys: Decimal
    sells: Decimal
    fees: Decimal
    cash_after: Decimal
    residual: Decimal
    drift: Decimal
    turnover: Decimal


class Proof(Enum):
    """How much is known of how good a searched plan is."""

    EXACT = "exact"  # no plan of whole units has a smaller Σ|residual|
    LIMITED = "node_limit"  # the best that was found before the limit
    NEAREST = "nearest"  # too many symbols to search: nearest units, then what the cash allows


class Search(msgspec.Struct, frozen=True):
    """What a search for whole units came to: `least` is the Σ|residual| that none can go below."""

    proof: Proof
    least: Decimal
    nodes: int


class Coverage(msgspec.Struct, frozen=True):
    """What the plan rests on: how many symbols, all of them priced, and what is not known."""

    symbols: int
    priced: int
    gaps: tuple[str, ...]


class Derivation(msgspec.Struct, frozen=True):
    """All that follows from a plan's inputs."""

    total_portfolio_value: Decimal
    items: tuple[PlanItem, ...]
    totals: Totals
    coverage: Coverage
    search: Search | None
