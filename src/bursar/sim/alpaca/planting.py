"""One difference between what an account holds and what its activities tell, made on purpose.

Errors: `BadChoice` where the account has nothing of the kind.
"""

from enum import Enum
from fractions import Fraction

import msgspec

from bursar.errors import BadChoice
from bursar.sim.alpaca.account import DOLLAR, Account
from bursar.sim.alpaca.market import UNIT
from bursar.sim.chance import Streams


class Planting(Enum):
    """What is wrong. The value is the type of the row that is kept back, if one is."""

    MISSING_FILL = "FILL"
    MISSING_DEPOSIT = "CSD"
    MISSING_WITHDRAWAL = "CSW"
    MISSING_DIVIDEND = "DIV"
    MISSING_COIN_FEE = "CFEE"
    MISSING_INTEREST = "INT"
    EXTRA_CASH = "extra cash"
    EXTRA_SHARES = "extra shares"


class Planted(msgspec.Struct, frozen=True):
    """An account with a difference, and what it comes to: there, less told, of each asset."""

    account: Account
    differences: dict[str, Fraction]


def plant(account: Account, kind: Planting, *, seed: int) -> Planted:
    """Make one difference."""
    if kind in {Planting.EXTRA_CASH, Planting.EXTRA_SHARES}:
        asset = DOLLAR if kind is Planting.EXTRA_CASH else "MSFT"
        extra = {asset: 7 * UNIT + UNIT // 8}
        return Planted(msgspec.structs.replace(account, extra=extra), _fractions(extra))
    fitting = [
        row
        for row in account.rows
        if row.told["activity_type"] == kind.value and row.status(account.end) == "executed"
    ]
    if not fitting:
        raise BadChoice(f"the account has no {kind.value} that could be kept back")
    chance = Streams(seed).named("alpaca", kind.name)
    row = chance.choice(sorted(fitting, key=lambda each: each.at)[len(fitting) // 2 :])
    changed = msgspec.structs.replace(account, hidden=frozenset({row.id}))
    return Planted(changed, _fractions(dict(row.moves)))


def _fractions(units: dict[str, int]) -> dict[str, Fraction]:
    return {asset: Fraction(amount, UNIT) for asset, amount in units.items() if amount}
