"""How fast Kraken lets an account ask: what its tier allows, and what a question costs.

Errors: none.
"""

from enum import Enum
from typing import Final

from bursar.venue.pace import Pace

_HISTORY: Final = 2
_LISTS: Final = ("Ledgers", "QueryLedgers", "TradesHistory", "QueryTrades")
_COSTS: Final = dict.fromkeys(_LISTS, _HISTORY)


class Tier(Enum):
    """An account's verification level, which no answer tells."""

    STARTER = Pace(15, 33)
    INTERMEDIATE = Pace(20, 50)
    PRO = Pace(20, 100)


def cost(endpoint: str) -> int:
    """Return by how much a question raises the counter."""
    return _COSTS.get(endpoint, 1)
