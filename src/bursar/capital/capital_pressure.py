"""Transient pressure on a strategy's capital: losses in a row press it down, a good run lifts it.

The multiplier stays in [least, most], 1 is no pressure. Every `losses` losses in a row in one
context cut it; each rebalance lets it go `decay` of the way back to 1, and then, if the short
window earned at least `profit_factor` and the drawdown did not grow, lifts it by `lift`. So nothing
here lasts: without trades the multiplier tends to 1.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from bursar.capital.trades import ClosedTrade, Tally
from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO, money, round18


class PressureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the multiplier and what moves it; all are factors, `losses` is a count."""

    least: Decimal = Decimal("0.3")
    most: Decimal = Decimal("1.3")
    decay: Decimal = Decimal("0.3")
    losses: int = 2
    cut: Decimal = Decimal("0.5")
    profit_factor: Decimal = Decimal("1.2")
    lift: Decimal = Decimal("1.2")

    def __post_init__(self) -> None:
        """Refuse what would make no pressure."""
        if not 0 < self.least <= 1 <= self.most:
            raise BadChoice("pressure: 0 < least ≤ 1 ≤ most is expected")
        if not (0 <= self.decay <= 1 and 0 < self.cut <= 1 <= self.lift and self.losses > 0):
            raise BadChoice("pressure: decay in [0, 1], cut in (0, 1], lift ≥ 1, losses ≥ 1")


class Pressure(msgspec.Struct, frozen=True):
    """One strategy under pressure: multiplier, losses in a row by context, drawdown last seen."""

    multiplier: Decimal = ONE
    streaks: Mapping[str, int] = {}
    drawdown: Decimal | None = None


class CapitalPressure(msgspec.Struct, frozen=True):
    """The rules of pressure. Each takes a state and returns the next one."""

    settings: PressureSettings = PressureSettings()

    @money
    def after_trade(self, state: Pressure, trade: ClosedTrade) -> Pressure:
        """Count a loss in its context, or forget that context's losses."""
        streaks = {name: count for name, count in state.streaks.items() if name != trade.context}
        if trade.pnl >= 0:
            return msgspec.structs.replace(state, streaks=streaks)
        streak = state.streaks.get(trade.context, 0) + 1
        if streak < self.settings.losses:
            return msgspec.structs.replace(state, streaks=streaks | {trade.context: streak})
        pressed = self._bounded(state.multiplier * self.settings.cut)
        return msgspec.structs.replace(state, streaks=streaks, multiplier=pressed)

    @money
    def at_rebalance(self, state: Pressure, recent: Tally, drawdown: Decimal) -> Pressure:
        """Let pressure decay, then lift what earns without falling deeper.

        `drawdown` is the strategy's fall from its peak, as a fraction of it.
        """
        multiplier = state.multiplier + (ONE - state.multiplier) * self.settings.decay
        before = ZERO if state.drawdown is None else state.drawdown
        if recent.is_at_least(self.settings.profit_factor) and drawdown <= before:
            multiplier *= self.settings.lift
        return Pressure(self._bounded(multiplier), state.streaks, drawdown)

    def _bounded(self, multiplier: Decimal) -> Decimal:
        return round18(min(max(multiplier, self.settings.least), self.settings.most))
