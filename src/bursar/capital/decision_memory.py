"""Remembers in what circumstances decisions went wrong, so that they are not made again at once.

A context is regime × spread band × volatility band × hour band. `losses` losses in a row in one
context block it for `block_hours` (`is_blocked`, penalty 0); before that each loss in a row takes
its part off the penalty, which stays above 0. A win forgives the context. A strategy asks before it
enters, registers what it entered, and the trade's outcome finds the context again by its id.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from bursar.capital.strategy_memory import DAY, HOUR
from bursar.capital.trades import ClosedTrade
from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO, ratio18


class DecisionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Upper edges of the spread (basis points) and volatility (fraction a day) bands; the rest.

    `hours` is the width of an hour band and divides 24.
    """

    spreads: tuple[Decimal, ...] = (Decimal(5), Decimal(20))
    volatilities: tuple[Decimal, ...] = (Decimal("0.02"), Decimal("0.05"))
    hours: int = 6
    losses: int = 3
    block_hours: int = 24

    def __post_init__(self) -> None:
        """Refuse bands that are none."""
        if self.hours < 1 or 24 % self.hours or self.losses < 1 or self.block_hours < 0:
            raise BadChoice("decision memory: hours divides 24, losses ≥ 1, block_hours ≥ 0")
        for name, edges in (("spreads", self.spreads), ("volatilities", self.volatilities)):
            if list(edges) != sorted(set(edges)):
                raise BadChoice(f"decision memory: {name} must rise")


class ContextPast(msgspec.Struct, frozen=True):
    """What is known of one context: trades, losses in a row, and until when it is blocked (ns)."""

    trades: int = 0
    streak: int = 0
    blocked_until: int = 0


class DecisionsPast(msgspec.Struct, frozen=True):
    """Every context met so far, and the context of each entry that is still open, by its id."""

    contexts: Mapping[str, ContextPast] = {}
    entered: Mapping[str, str] = {}


class DecisionVerdict(msgspec.Struct, frozen=True):
    """May a strategy enter here? `penalty` is the factor on its size, 0 when blocked."""

    context: str
    penalty: Decimal
    blocked_until: int | None
    reason: str

    @property
    def is_blocked(self) -> bool:
        """Tell whether nothing is to be entered here for now."""
        return self.blocked_until is not None


class DecisionMemory(msgspec.Struct, frozen=True):
    """The rules of remembering decisions. Each takes a state and returns the next one."""

    settings: DecisionSettings = DecisionSettings()

    def context(self, regime: str, spread: Decimal, volatility: Decimal, at: int) -> str:
        """Return the name of the context: `NORMAL spread 1 volatility 0 hours 12-18`."""
        first = at % DAY // HOUR // self.settings.hours * self.settings.hours
        spread_band = _band(spread, self.settings.spreads)
        volatility_band = _band(volatility, self.settings.volatilities)
        hours = f"hours {first}-{first + self.settings.hours}"
        return f"{regime} spread {spread_band} volatility {volatility_band} {hours}"

    def enter(self, state: DecisionsPast, entry_id: str, context: str) -> DecisionsPast:
        """Register an entry; the same entry again changes nothing."""
        entered = dict(state.entered) | {entry_id: state.entered.get(entry_id, context)}
        return DecisionsPast(state.contexts, entered)

    def entered(self, state: DecisionsPast, trade: ClosedTrade) -> ClosedTrade:
        """Return a trade with the context in which it was entered, if that is known."""
        context = state.entered.get(trade.id, trade.context)
        return msgspec.structs.replace(trade, context=context)

    def after_trade(self, state: DecisionsPast, trade: ClosedTrade) -> DecisionsPast:
        """Keep how a trade ended in the context in which it was entered, if that is known."""
        context = self.entered(state, trade).context
        entered = {name: at for name, at in state.entered.items() if name != trade.id}
        if not context:
            return DecisionsPast(state.contexts, entered)
        met = self._after(state.contexts.get(context, ContextPast()), trade)
        return DecisionsPast(dict(state.contexts) | {context: met}, entered)

    def ask(self, state: DecisionsPast, context: str, at: int) -> DecisionVerdict:
        """Say whether to enter in a context, and with which part of the usual size."""
        met = state.contexts.get(context, ContextPast())
        if met.blocked_until > at:
            reason = f"{self.settings.losses} losses in a row"
            return DecisionVerdict(context, ZERO, met.blocked_until, reason)
        penalty = ratio18(
            ONE, Decimal(self.settings.losses - met.streak), Decimal(self.settings.losses)
        )
        reason = f"{met.streak} losses in a row" if met.streak else "nothing against it"
        return DecisionVerdict(context, penalty, None, reason)

    def _after(self, met: ContextPast, trade: ClosedTrade) -> ContextPast:
        if trade.pnl >= 0:
            return ContextPast(met.trades + 1, 0, met.blocked_until)
        if met.streak + 1 < self.settings.losses:
            return ContextPast(met.trades + 1, met.streak + 1, met.blocked_until)
        until = trade.at + self.settings.block_hours * HOUR
        return ContextPast(met.trades + 1, 0, max(met.blocked_until, until))


def _band(value: Decimal, edges: tuple[Decimal, ...]) -> int:
    """Return how many edges a value is at or above."""
    return sum(value >= edge for edge in edges)
