"""Remembers in what circumstances decisions went wrong, so that they are not made again at once.

A context is regime × spread band × volatility band × hour band. `losses` losses in a row in one
context block it for `block_hours` (`is_blocked`, penalty 0); before that each loss in a row takes
its part off the penalty, which stays above 0. A win forgives the context. A strategy asks before it
enters and registers what it entered. A trade that closes is the outcome of the entry of its id, or
else of the last one of its strategy and symbol before it was opened; else it has no context.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.capital.trades import ClosedTrade
from bursar.errors import BadChoice
from bursar.exact import ZERO, quotient18
from bursar.ledger import instant
from bursar.value.marks import is_pair

ENTRIES_MAX: Final = 1_000
"""How many entries without an outcome are remembered."""


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


class Entry(msgspec.Struct, frozen=True):
    """An entry whose outcome is not known yet: its context, whose it is, of what, since when."""

    context: str
    strategy: str = ""
    symbol: str = ""
    at: int = 0


class DecisionsPast(msgspec.Struct, frozen=True):
    """Every context met so far, and the newest entries that are still open, by their ids."""

    contexts: Mapping[str, ContextPast] = {}
    entries: Mapping[str, Entry] = {}


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
        first = at % instant.DAY // instant.HOUR // self.settings.hours * self.settings.hours
        spread_band = _band(spread, self.settings.spreads)
        volatility_band = _band(volatility, self.settings.volatilities)
        hours = f"hours {first}-{first + self.settings.hours}"
        return f"{regime} spread {spread_band} volatility {volatility_band} {hours}"

    def enter(self, state: DecisionsPast, entry_id: str, entry: Entry) -> DecisionsPast:
        """Register an entry; the same entry again changes nothing."""
        if entry_id in state.entries:
            return state
        known = sorted(state.entries.items(), key=lambda each: (each[1].at, each[0]))
        newest = known[max(len(known) - ENTRIES_MAX + 1, 0) :]
        return DecisionsPast(state.contexts, dict(newest) | {entry_id: entry})

    def entry_of(self, state: DecisionsPast, trade: ClosedTrade) -> str | None:
        """Return the id of the entry that a trade is the outcome of, if one was registered."""
        if trade.id in state.entries:
            return trade.id
        since = trade.at if trade.opened_at is None else trade.opened_at
        own = sorted(
            (entry.at, name)
            for name, entry in state.entries.items()
            if entry.strategy == trade.strategy and entry.at <= trade.at
            if trade.symbol and is_pair(trade.symbol, entry.symbol)
        )
        before = [each for each in own if each[0] <= since]
        return before[-1][1] if before else own[0][1] if own else None

    def entered(self, state: DecisionsPast, trade: ClosedTrade) -> ClosedTrade:
        """Return a trade with the context in which it was entered, if that is known."""
        name = self.entry_of(state, trade)
        if name is None:
            return trade
        return msgspec.structs.replace(trade, context=state.entries[name].context)

    def after_trade(self, state: DecisionsPast, trade: ClosedTrade) -> DecisionsPast:
        """Keep how a trade ended in the context in which it was entered, if that is known."""
        context, over = self.entered(state, trade).context, self.entry_of(state, trade)
        entries = {name: entry for name, entry in state.entries.items() if name != over}
        if not context:
            return DecisionsPast(state.contexts, entries)
        met = self._after(state.contexts.get(context, ContextPast()), trade)
        return DecisionsPast(dict(state.contexts) | {context: met}, entries)

    def ask(self, state: DecisionsPast, context: str, at: int) -> DecisionVerdict:
        """Say whether to enter in a context, and with which part of the usual size."""
        met = state.contexts.get(context, ContextPast())
        if met.blocked_until > at:
            reason = f"{self.settings.losses} losses in a row"
            return DecisionVerdict(context, ZERO, met.blocked_until, reason)
        most = self.settings.losses
        penalty = quotient18(Decimal(most - met.streak), Decimal(most))
        reason = f"{met.streak} losses in a row" if met.streak else "nothing against it"
        return DecisionVerdict(context, penalty, None, reason)

    def _after(self, met: ContextPast, trade: ClosedTrade) -> ContextPast:
        if trade.pnl >= 0:
            return ContextPast(met.trades + 1, 0, met.blocked_until)
        if met.streak + 1 < self.settings.losses:
            return ContextPast(met.trades + 1, met.streak + 1, met.blocked_until)
        until = trade.at + self.settings.block_hours * instant.HOUR
        return ContextPast(met.trades + 1, 0, max(met.blocked_until, until))


def _band(value: Decimal, edges: tuple[Decimal, ...]) -> int:
    """Return how many edges a value is at or above."""
    return sum(value >= edge for edge in edges)
