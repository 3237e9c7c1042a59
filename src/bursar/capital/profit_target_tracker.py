"""How far a day, a week, a month is on its way to a profit target.

A target is in base currency or in percent of the equity the period began with. Progress is profit ÷
target; pace is progress ÷ the share of the period that is over, so 1 is on time. Days, weeks and
months are UTC; the week begins on Monday. Nothing is held between looks: the same figures give the
same answer.
"""

from decimal import Decimal
from enum import Enum

import msgspec

from bursar.errors import BadChoice
from bursar.exact import HUNDRED, ZERO, money, quotient18, ratio18


class TargetPeriod(Enum):
    """What a target is for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class ProfitTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target for a period: an amount in base currency, or percent of its opening equity."""

    period: TargetPeriod
    amount: Decimal | None = None
    percent: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse no target, and two."""
        given = [each for each in (self.amount, self.percent) if each is not None]
        if len(given) != 1 or given[0] <= 0:
            raise BadChoice(f"target of the {self.period.value}: one of amount and percent, > 0")


class PeriodSoFar(msgspec.Struct, frozen=True, kw_only=True):
    """A period so far: its ends and now (ns), the equity it began with, and profit since."""

    starts_at: int
    ends_at: int
    at: int
    opening_equity: Decimal
    profit: Decimal


class TargetProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a period stands. `pace` is None at its first instant; `target` where there is none."""

    period: TargetPeriod
    target: Decimal | None
    profit: Decimal
    progress: Decimal | None
    pace: Decimal | None
    left: Decimal | None
    is_reached: bool


class ProfitTargetTracker(msgspec.Struct, frozen=True):
    """The targets, at most one a period."""

    targets: tuple[ProfitTarget, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two targets for one period."""
        if len({target.period for target in self.targets}) < len(self.targets):
            raise BadChoice("profit targets: at most one a period")

    def look(self, periods: dict[TargetPeriod, PeriodSoFar]) -> list[TargetProgress]:
        """Return where each target stands, for the periods given."""
        return [
            _progress(target, periods[target.period])
            for target in self.targets
            if target.period in periods
        ]


@money
def _progress(target: ProfitTarget, period: PeriodSoFar) -> TargetProgress:
    wanted = target.amount
    if target.percent is not None and period.opening_equity > 0:
        wanted = ratio18(period.opening_equity, target.percent, HUNDRED)
    progress = None if wanted is None else quotient18(period.profit, wanted)
    return TargetProgress(
        period=target.period,
        target=wanted,
        profit=period.profit,
        progress=progress,
        pace=_pace(progress, period),
        left=None if wanted is None else max(wanted - period.profit, ZERO),
        is_reached=wanted is not None and period.profit >= wanted,
    )


def _pace(progress: Decimal | None, period: PeriodSoFar) -> Decimal | None:
    elapsed = min(period.at, period.ends_at) - period.starts_at
    if progress is None or elapsed <= 0:
        return None
    return ratio18(progress, Decimal(period.ends_at - period.starts_at), Decimal(elapsed))
