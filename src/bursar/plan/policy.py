"""How trades are sized: to what they are rounded, and what is too small to be one.

Rounding is toward no trade, so a trade never overshoots its target (`optimal` may, by less than one
step). Selling what no target wants takes the whole free quantity, as far as the steps allow.

    dollar    the amount is cut to `money_step`; the quantity is what that buys, to 9 decimals
    unit      whole units
    lot       multiples of the symbol's own step, or of `lot`
    optimal   whole units or steps, searched for the least Σ|residual| (at most 30 symbols)

A symbol's own `Instrument` says what its venue takes. Where it has a step, every rounding keeps it.

Amounts of money that a policy leaves open are those of the base currency: `money_step` is its
smallest amount (a cent, a yen, a satoshi). The least trade is 1 in dollars and in what one of is
about a dollar; in any other base, of which 1 may be a fortune or nothing, it is a
hundred-thousandth of the portfolio, cut to that step.

Errors: `BadChoice` for a step or minimum that cannot be.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO, truncate
from bursar.ledger.currencies import crumb, is_like_dollar, smallest
from bursar.plan.door import at_least_zero, named, put, share_of_one


class RoundingMode(Enum):
    """To what a trade is rounded."""

    DOLLAR = "dollar"
    UNIT = "unit"
    LOT = "lot"
    OPTIMAL = "optimal"


class Instrument(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What a venue takes of a symbol: multiples of a step, and not less than two minima."""

    step: Decimal = ZERO
    min_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO

    def __post_init__(self) -> None:
        """Take the numbers exactly."""
        put(
            self,
            step=at_least_zero(self.step, "step"),
            min_quantity=at_least_zero(self.min_quantity, "min_quantity"),
            min_notional=at_least_zero(self.min_notional, "min_notional"),
        )


ANY: Final = Instrument()
NINTH: Final = Decimal(1).scaleb(-9)
NODES: Final = 400_000
NODES_MAX: Final = 2_000_000


class SizingPolicy(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """How trades are rounded, what is too small to be one, and what they are thought to cost.

    `min_trade_amount` and `money_step` are in base currency, and `None` what fits it; `fee_rate` is
    a share of what is traded. `node_limit` bounds the search of `optimal`: it is counted in steps,
    never in seconds, and has a bound of its own, since a search keeps what it has seen (half a
    gigabyte at the most).
    """

    rounding: RoundingMode = RoundingMode.DOLLAR
    min_trade_amount: Decimal | None = None
    fee_rate: Decimal = ZERO
    money_step: Decimal | None = None
    lot: Decimal = Decimal("0.00000001")
    instruments: Mapping[str, Instrument] = {}
    node_limit: int = NODES

    def __post_init__(self) -> None:
        """Take the numbers exactly."""
        put(
            self,
            min_trade_amount=_if_told(self.min_trade_amount, "min_trade_amount"),
            fee_rate=share_of_one(self.fee_rate, "fee_rate"),
            money_step=_if_told(self.money_step, "money_step"),
            lot=at_least_zero(self.lot, "lot"),
            instruments={
                symbol: self.instruments[symbol]
                for symbol in named(self.instruments, "instruments")
                if self.instruments[symbol] != ANY
            },
        )
        if self.node_limit == NODES:  # a number that was read is another object than the default
            put(self, node_limit=NODES)
        if not 0 <= self.node_limit <= NODES_MAX:
            raise BadChoice(
                f"node_limit: {self.node_limit} is not in 0 to {NODES_MAX}", field="node_limit"
            )
        if self.money_step == ZERO or not self.lot:
            raise BadChoice("money_step and lot are above zero", field="money_step")
        if self.fee_rate == ONE:
            raise BadChoice("fee_rate: a fee of everything leaves nothing", field="fee_rate")

    @property
    def least(self) -> Decimal:
        """The least trade of a settled policy."""
        assert self.min_trade_amount is not None, "a policy is settled before anything is sized"
        return self.min_trade_amount

    @property
    def cent(self) -> Decimal:
        """The step of money of a settled policy."""
        assert self.money_step is not None, "a policy is settled before anything is sized"
        return self.money_step

    def settled(self, base: str, worth: Decimal) -> "SizingPolicy":
        """Return the policy with what it leaves open filled in, for a portfolio of that worth."""
        own, told = self.money_step, self.min_trade_amount
        step = smallest(base) if own is None else own
        least = crumb(base, worth) if told is None else told
        return msgspec.structs.replace(self, money_step=step, min_trade_amount=least)

    def unsaid(self, base: str) -> "SizingPolicy":
        """Return the policy without what is said as it would be unsaid: both are one wish."""
        usual = SizingPolicy().settled(base, ZERO)
        changed: dict[str, None] = {}
        if self.money_step == usual.money_step:
            changed["money_step"] = None
        if is_like_dollar(base) and self.min_trade_amount == usual.min_trade_amount:
            changed["min_trade_amount"] = None
        return msgspec.structs.replace(self, **changed)

    def step(self, symbol: str) -> Decimal:
        """Return the units that a trade is a multiple of; 0 where an amount of money is."""
        own = self.instruments.get(symbol, ANY).step
        if self.rounding is RoundingMode.DOLLAR:
            return own
        if self.rounding is RoundingMode.LOT:
            return own or self.lot
        if self.rounding is RoundingMode.OPTIMAL:
            return own or ONE
        return own if own and own == truncate(own, ONE) else ONE


def _if_told(value: object, field: str) -> Decimal | None:
    return None if value is None else at_least_zero(value, field)
