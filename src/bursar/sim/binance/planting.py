"""One difference between what an account holds and what Binance tells of it, made on purpose.

Errors: `BadChoice` where the account has nothing of the kind.
"""

from enum import Enum
from fractions import Fraction

import msgspec

from bursar.errors import BadChoice
from bursar.sim.binance import account as told
from bursar.sim.binance.account import Account
from bursar.sim.binance.market import UNIT
from bursar.sim.chance import Streams


class Planting(Enum):
    """What is wrong. The value is the list of the row that is kept back, if one is."""

    MISSING_TRADE = told.TRADES
    MISSING_DEPOSIT = told.DEPOSITS
    MISSING_WITHDRAWAL = told.WITHDRAWALS
    MISSING_CONVERSION = told.CONVERSIONS
    MISSING_DUST = told.DUST
    MISSING_DIVIDEND = told.DIVIDENDS
    EXTRA = "extra"


class Planted(msgspec.Struct, frozen=True):
    """An account with a difference, and what it comes to: there, less told, of each asset."""

    account: Account
    differences: dict[str, Fraction]


def plant(account: Account, kind: Planting, *, seed: int) -> Planted:
    """Make one difference."""
    if kind is Planting.EXTRA:
        extra = {"BTC": 7 * UNIT // 8}
        return Planted(msgspec.structs.replace(account, extra=extra), _fractions(extra))
    fitting = [row for row in account.rows if row.path == kind.value and row.moves]
    if not fitting:
        raise BadChoice(f"the account has no row of {kind.value} that could be kept back")
    row = Streams(seed).named("binance", kind.name).choice(fitting[len(fitting) // 2 :])
    sums: dict[str, int] = {}
    for _, asset, units in row.moves:
        sums[asset] = sums.get(asset, 0) + units
    changed = msgspec.structs.replace(account, hidden=frozenset({row.id}))
    return Planted(changed, _fractions(sums))


def _fractions(units: dict[str, int]) -> dict[str, Fraction]:
    return {asset: Fraction(amount, UNIT) for asset, amount in units.items() if amount}
