"""What an allocation is decided from: the rules' figures and the strategies that stand for it."""

from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.capital.trades import Tally
from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO

HALF: Final = Decimal("0.5")


class Method(Enum):
    """What a strategy's results are judged by."""

    PROFIT_FACTOR = "profit_factor"
    EQUAL = "equal"
    SHARPE = "sharpe"
    RISK_PARITY = "risk_parity"
    KELLY = "kelly"


class AllocatorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fractions of all capital, and what the methods need; `prior` is in trades."""

    method: Method = Method.PROFIT_FACTOR
    cap: Decimal = HALF
    floor: Decimal = Decimal("0.05")
    change: Decimal = Decimal("0.20")
    reserve: Decimal = ZERO
    window_days: int = 30
    recent_days: int = 7
    prior: int = 10
    centre: Decimal = Decimal("1.15")
    slope: Decimal = HALF
    dead_zone: tuple[Decimal, Decimal] = (ONE, Decimal("1.3"))
    kelly_fraction: Decimal = HALF

    def __post_init__(self) -> None:
        """Refuse bounds that cannot hold."""
        parts = (self.floor, self.cap, self.change, self.reserve, self.kelly_fraction)
        if not all(0 <= part <= 1 for part in parts) or self.floor > self.cap:
            raise BadChoice("allocator: 0 ≤ floor ≤ cap ≤ 1; change, reserve and kelly in [0, 1]")
        if self.prior < 1 or not 0 < self.recent_days <= self.window_days:
            raise BadChoice("allocator: prior ≥ 1, 0 < recent_days ≤ window_days")
        if self.slope < 0 or not 0 <= self.dead_zone[0] <= self.dead_zone[1]:
            raise BadChoice("allocator: slope ≥ 0 and a dead_zone that rises are expected")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision knows of one strategy.

    `results` are its closed trades in the rolling window; `fit` is in [0, 1], 0.5 neutral; `memory`
    and `share` are in [0, 1], `is_resting` says that `memory` is that of a rest; statistics are
    None while they cannot be told.
    """

    name: str
    results: Tally = Tally()
    fit: Decimal = HALF
    memory: Decimal = ONE
    pressure: Decimal = ONE
    share: Decimal = ONE
    sharpe: Decimal | None = None
    volatility: Decimal | None = None
    kelly: Decimal | None = None
    is_resting: bool = False
    is_frozen: bool = False
    least: Decimal | None = None
    most: Decimal | None = None
