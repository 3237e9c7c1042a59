"""What is remembered of a strategy: how it did in each regime, and where it is to rest.

`losses` losses in a row in one regime put that strategy and regime on a list for `list_days`; a
drawdown over `drawdown` starts a cool-down of `rest_hours`, and does so again only after the
drawdown was below it. The penalty is 0 for what is listed, `rest_penalty` for what cools down, else
1. Nothing stays listed or resting for ever: both end by the clock.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from bursar.capital.trades import ClosedTrade
from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO
from bursar.ledger import instant


class MemorySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Losses in a row, days on the list; drawdown (a fraction), hours of rest and its penalty."""

    losses: int = 3
    list_days: int = 3
    drawdown: Decimal = Decimal("0.15")
    rest_hours: int = 24
    rest_penalty: Decimal = Decimal("0.5")

    def __post_init__(self) -> None:
        """Refuse what could not be remembered."""
        if self.losses < 1 or self.list_days < 0 or self.rest_hours < 0:
            raise BadChoice("strategy memory: losses ≥ 1, list_days ≥ 0, rest_hours ≥ 0")
        if not (0 < self.drawdown < 1 and 0 <= self.rest_penalty <= 1):
            raise BadChoice("strategy memory: drawdown in (0, 1), rest_penalty in [0, 1]")


class StrategyPast(msgspec.Struct, frozen=True):
    """One strategy remembered: losses in a row and end of listing (ns) by regime; its rest."""

    streaks: Mapping[str, int] = {}
    listed_until: Mapping[str, int] = {}
    rests_until: int = 0
    is_fallen: bool = False


class StrategyMemory(msgspec.Struct, frozen=True):
    """The rules of remembering. Each takes a state and returns the next one."""

    settings: MemorySettings = MemorySettings()

    def after_trade(self, state: StrategyPast, trade: ClosedTrade) -> StrategyPast:
        """Count a loss in its regime and list the regime when there are too many in a row."""
        streaks = {name: count for name, count in state.streaks.items() if name != trade.regime}
        if trade.pnl >= 0:
            return msgspec.structs.replace(state, streaks=streaks)
        streak = state.streaks.get(trade.regime, 0) + 1
        if streak < self.settings.losses:
            return msgspec.structs.replace(state, streaks=streaks | {trade.regime: streak})
        until = trade.at + self.settings.list_days * instant.DAY
        listed = dict(state.listed_until)
        listed[trade.regime] = max(until, listed.get(trade.regime, until))  # it may come late
        return msgspec.structs.replace(state, streaks=streaks, listed_until=listed)

    def at_rebalance(self, state: StrategyPast, drawdown: Decimal, at: int) -> StrategyPast:
        """Start a cool-down when the drawdown passes its limit; drop listings that are over."""
        listed = {name: until for name, until in state.listed_until.items() if until > at}
        is_fallen = drawdown > self.settings.drawdown
        rests_until = state.rests_until
        if is_fallen and not state.is_fallen:
            rests_until = at + self.settings.rest_hours * instant.HOUR
        return StrategyPast(state.streaks, listed, rests_until, is_fallen)

    def penalty(self, state: StrategyPast, regime: str, at: int) -> Decimal:
        """Return the factor on the strategy's capital: 0 while listed, less than 1 at rest."""
        if self.is_listed(state, regime, at):
            return ZERO
        return self.settings.rest_penalty if state.rests_until > at else ONE

    def is_listed(self, state: StrategyPast, regime: str, at: int) -> bool:
        """Tell whether the strategy lost too often in a regime to have capital in it."""
        return state.listed_until.get(regime, 0) > at
