"""Dividing capital among strategies: looks at how they did, proposes, and posts what is accepted.

A proposal is worked out from the journal, the marks and what was kept of the last decision; it
writes nothing. `apply` writes it in one transaction: the transfers between sleeves as facts, the
decision with everything it was made from, and the state to go on from. So a restart at any point
goes on as if it had not been, and `decision` read back makes the same weights again.

standing    each strategy's sleeves at the marks
window      the trades that closed lately, and those no decision has looked at yet
proposing   a look at all of it becomes a proposal; `apply` writes it
decided     what was decided, and what is kept to go on from
moving      capital moved between sleeves, as facts

Errors: `Doubtful` where figures cannot be trusted; `BadChoice` where there is no strategy;
`StaleVersion` when another writer came between proposal and apply.
"""

from bursar.portfolio.allocating.decided import Kept, decision, decisions, keeping, kept, shadow
from bursar.portfolio.allocating.moving import post, require_version, transfers
from bursar.portfolio.allocating.proposing import Asked, Proposal, apply, propose
from bursar.portfolio.allocating.standing import StrategyNow, books, strategies
from bursar.portfolio.allocating.window import lately, regime_of
from bursar.portfolio.regimes import regime, tell_regime

__all__ = [
    "Asked",
    "Kept",
    "Proposal",
    "StrategyNow",
    "apply",
    "books",
    "decision",
    "decisions",
    "keeping",
    "kept",
    "lately",
    "post",
    "propose",
    "regime",
    "regime_of",
    "require_version",
    "shadow",
    "strategies",
    "tell_regime",
    "transfers",
]
