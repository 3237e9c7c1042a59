"""How much of a profit goes back to work, and how much is kept.

The share falls in a straight line with the drawdown: `most` at or below `calm`, `least` at or above
`deep`. The upper half of the range has to be earned: without a profit factor of `profit_factor`
the share is at most half way between the two. While equity is below half of the initial capital
(`survival`) nothing is reinvested. The same profit is offered once only: the state keeps the
highest profit that was ever divided, and only what exceeds it is divided again.

`full`, `half` and `fixed` are the plain policies: all of a profit, half of it, none.
"""

from decimal import Decimal
from enum import Enum
from typing import assert_never

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ATOM, ONE, ZERO, Rounding, money, quantise, quotient18, ratio18


class Policy(Enum):
    """What becomes of a profit: by drawdown, or always the same part of it."""

    SMART = "smart"
    FULL = "full"
    HALF = "half"
    FIXED = "fixed"


class ReinvestSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares of a profit, drawdowns and survival as fractions."""

    policy: Policy = Policy.SMART
    least: Decimal = Decimal("0.30")
    most: Decimal = Decimal("0.90")
    calm: Decimal = Decimal("0.05")
    deep: Decimal = Decimal("0.12")
    profit_factor: Decimal = Decimal("1.2")
    survival: Decimal = Decimal("0.5")

    def __post_init__(self) -> None:
        """Refuse a line that does not fall."""
        if not (0 <= self.least <= self.most <= 1 and 0 <= self.calm < self.deep):
            raise BadChoice("reinvest: 0 ≤ least ≤ most ≤ 1 and 0 ≤ calm < deep are expected")
        if self.survival < 0 or self.profit_factor < 0:
            raise BadChoice("reinvest: survival and profit_factor are 0 or more")


class Reinvested(msgspec.Struct, frozen=True):
    """The highest profit divided so far, and what of it was reinvested and kept in reserve."""

    divided: Decimal = ZERO
    reinvested: Decimal = ZERO
    kept: Decimal = ZERO


class Division(msgspec.Struct, frozen=True):
    """A profit divided: its share to reinvest, the two amounts, and why."""

    share: Decimal
    reinvest: Decimal
    keep: Decimal
    reason: str


class SmartReinvestor(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of reinvesting. `initial` is the capital that survival is measured by."""

    initial: Decimal
    settings: ReinvestSettings = ReinvestSettings()

    @money
    def divide(
        self,
        state: Reinvested,
        profit: Decimal,
        *,
        equity: Decimal,
        drawdown: Decimal,
        profit_factor: Decimal | None,
    ) -> tuple[Reinvested, Division]:
        """Divide what a profit (realised, net, all of it so far) exceeds what was divided before.

        `profit_factor` is None where nothing was lost, or nothing is known.
        """
        fresh = max(profit - state.divided, ZERO)
        share, reason = self._share(equity, drawdown, profit_factor)
        reinvest = quantise(fresh * share, ATOM, Rounding.FLOOR)
        division = Division(share, reinvest, fresh - reinvest, reason)
        after = Reinvested(
            max(profit, state.divided),
            state.reinvested + reinvest,
            state.kept + division.keep,
        )
        return after, division

    def _share(
        self, equity: Decimal, drawdown: Decimal, profit_factor: Decimal | None
    ) -> tuple[Decimal, str]:
        if equity < self.settings.survival * self.initial:
            return ZERO, "equity is below the part of initial capital that must survive"
        match self.settings.policy:
            case Policy.SMART:
                return self._by_drawdown(drawdown, profit_factor)
            case Policy.FULL:
                return ONE, "all of it, by policy"
            case Policy.HALF:
                return Decimal("0.5"), "half of it, by policy"
            case Policy.FIXED:
                return ZERO, "capital stays fixed, by policy"
            case _ as never:
                assert_never(never)

    def _by_drawdown(self, drawdown: Decimal, profit_factor: Decimal | None) -> tuple[Decimal, str]:
        rules = self.settings
        is_earned = profit_factor is not None and profit_factor >= rules.profit_factor
        most = rules.most if is_earned else quotient18(rules.least + rules.most, Decimal(2))
        if drawdown <= rules.calm:
            return most, "calm" if is_earned else "calm, but too little profit for each loss"
        if drawdown >= rules.deep:
            return rules.least, "deep in drawdown"
        fall = ratio18(rules.most - rules.least, drawdown - rules.calm, rules.deep - rules.calm)
        return min(rules.most - fall, most), "between calm and deep drawdown"
