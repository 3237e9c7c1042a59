"""Orders: what a user asks of one desk, and how much of its fate the user knows.

Errors: none.
"""

from decimal import Decimal
from enum import Enum
from random import Random
from typing import Final

from bursar.ledger.entries import CashFlow, FlowKind, Rate
from bursar.sim.happening import HAND, START

_COUNTS: Final = (0, 2, 4, 6)
_TRIES_MAX: Final = 5
_LATEST_NS: Final = 10**15


class State(Enum):
    """How far an order has come, as its giver knows it."""

    WAITING = "waiting"
    UNKNOWN = "unknown"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"


class Order:
    """Something that the user wants recorded. It outlives the process that works on it."""

    def __init__(self, entry: CashFlow, due: float, tries_max: int) -> None:
        self.entry = entry
        self.due = due
        self.tries_max = tries_max
        self.tries = 0
        self.state = State.WAITING

    @property
    def is_done(self) -> bool:
        """Whether its giver knows what became of it."""
        return self.state in {State.ACKNOWLEDGED, State.REFUSED}


def orders(name: str, chance: Random, span: float) -> list[Order]:
    """Make what a user asks of one desk: coins in, and coins out that may not be there."""
    made = []
    for number in range(chance.choice(_COUNTS)):
        sign = chance.choice((1, 1, -1))
        entry = CashFlow(
            id=f"{HAND}:{name}-{number}",
            executed_at=START + chance.randint(1, _LATEST_NS),
            account=HAND,
            note=f"order {name}-{number}",
            kind=FlowKind.DEPOSIT if sign > 0 else FlowKind.WITHDRAWAL,
            asset="SOL",
            amount=Decimal(sign * chance.randint(1, 500)) / 100,
            rates=(Rate("SOL", "USD", Decimal(chance.randint(100, 20_000)) / 100, "user"),),
        )
        made.append(Order(entry, chance.uniform(0, span), chance.randint(1, _TRIES_MAX)))
    return made
