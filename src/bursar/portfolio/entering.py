"""Asking before an entry whether it went wrong in the same circumstances before.

A strategy asks with what it sees (regime, spread, volatility); the answer is that of
`DecisionMemory`, with every trade that has closed by now, capital divided since or not.
`enter` registers the entry, so that the trade that comes of it finds its context when it closes (by
strategy and symbol, or by the entry's id if that is the closing trade's), and tells it as
`order.decision`; both in one transaction. The same entry again changes nothing and is told once.

Errors: `BadChoice` for an entry without an id or a strategy.
"""

from typing import Final

import msgspec

from bursar.capital.deciding import Rules
from bursar.capital.decision_memory import (
    DecisionMemory,
    DecisionsPast,
    DecisionVerdict,
    Entry,
)
from bursar.capital.trades import in_order
from bursar.errors import BadChoice
from bursar.events.outgoing import OrderDecision
from bursar.exact import number
from bursar.ledger import instant
from bursar.portfolio import allocating
from bursar.portfolio.events import saying
from bursar.portfolio.hand import Number
from bursar.portfolio.portfolio import Portfolio

_DECISION: Final = "order.decision"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy sees as it decides: spread in basis points, volatility as a fraction."""

    strategy: str
    symbol: str
    side: str
    spread: Number
    volatility: Number
    regime: str | None = None


def ask(portfolio: Portfolio, seen: Seen, rules: Rules | None = None) -> DecisionVerdict:
    """Say whether to enter, and with which part of the usual size. Nothing is written."""
    rules = rules or Rules()
    memory = DecisionMemory(rules.decisions)
    now = portfolio.desk.clock.now()
    return memory.ask(_known(portfolio, rules), _context(portfolio, memory, seen, now), now)


def enter(
    portfolio: Portfolio, entry_id: str, seen: Seen, rules: Rules | None = None
) -> DecisionVerdict:
    """Ask, and register the entry unless it is blocked. `entry_id` is the strategy's own."""
    if not entry_id or not seen.strategy:
        raise BadChoice("an entry has an id and a strategy")
    with portfolio.writer.store.grouped():  # nobody decides between what is read and written
        return _entered(portfolio, entry_id, seen, rules or Rules())


def _entered(portfolio: Portfolio, entry_id: str, seen: Seen, rules: Rules) -> DecisionVerdict:
    verdict = ask(portfolio, seen, rules)
    kept = allocating.kept(portfolio)
    if entry_id in kept.state.decisions.entries:
        return verdict
    now, store = portfolio.desk.clock.now(), portfolio.writer.store
    told = _told(entry_id, seen, verdict, allocating.regime(portfolio), now)
    memos = saying.memo_of(store, _DECISION, told, at=now)
    if not verdict.is_blocked:
        entered = DecisionMemory(rules.decisions).enter(
            kept.state.decisions, entry_id, Entry(verdict.context, seen.strategy, seen.symbol, now)
        )
        memos |= allocating.keeping(
            msgspec.structs.replace(
                kept, state=msgspec.structs.replace(kept.state, decisions=entered)
            )
        )
    store.save_memos(memos)
    return verdict


def _known(portfolio: Portfolio, rules: Rules) -> DecisionsPast:
    """Return what is remembered, with the trades that closed since capital was last divided."""
    known, memory = allocating.kept(portfolio).state.decisions, DecisionMemory(rules.decisions)
    for trade in in_order(allocating.lately(portfolio, rules).fresh):
        known = memory.after_trade(known, trade)
    return known


def _context(portfolio: Portfolio, memory: DecisionMemory, seen: Seen, now: int) -> str:
    return memory.context(
        seen.regime or allocating.regime(portfolio),
        number(seen.spread, field="spread"),
        number(seen.volatility, field="volatility"),
        now,
    )


def _told(
    entry_id: str, seen: Seen, verdict: DecisionVerdict, regime: str, now: int
) -> OrderDecision:
    return OrderDecision(
        decision_id=entry_id,
        strategy=seen.strategy,
        symbol=seen.symbol,
        side=seen.side,
        regime=seen.regime or regime,
        context=verdict.context,
        is_blocked=verdict.is_blocked,
        penalty=verdict.penalty,
        timestamp=instant.show(now),
    )
