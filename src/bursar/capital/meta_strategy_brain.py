"""Which strategies run at full size, which at less, and which not at all.

Fitness is in [0, 1]: Sharpe, regime fit, resistance to drawdown and staying power (one minus alpha
decay), weighed; 0.5 for a strategy with too few trades to judge. A strategy moves one state at a
time: down below `demote`, up above `promote`, never before `hours_min` in its state, never more
than `moves_max` times a UTC day, and never so that fewer than `active_min` are active while that
many exist. What is terminated earns nothing that could promote it, so after `parole_days` it
hibernates again and may show what it can do. What is hibernated or reduced may trade too little to
be judged, and stands between both thresholds then: after `parole_days` there it goes up a step, as
long as the little that it traded did not lose more than it won. With `parole_days` None nothing
goes up but by its fitness, and only a person revives what is terminated.

Strategies are looked at from the least fit (ties by rank, then by name) when moving down and from
the fittest when moving up: the same figures make the same moves, in whatever order they come.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO, money, quotient18, round18
from bursar.ledger import instant

HALF: Final = Decimal("0.5")


class StrategyState(Enum):
    """How much of its allocation a strategy may use; each is one step from the next."""

    ACTIVE = "ACTIVE"
    REDUCED = "REDUCED"
    HIBERNATED = "HIBERNATED"
    TERMINATED = "TERMINATED"


_STEPS: Final = tuple(StrategyState)


class BrainSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights of fitness, the Sharpe ratio that counts as full, thresholds, pace, shares."""

    sharpe_weight: Decimal = Decimal("0.4")
    fit_weight: Decimal = Decimal("0.3")
    drawdown_weight: Decimal = Decimal("0.2")
    decay_weight: Decimal = Decimal("0.1")
    sharpe_full: Decimal = Decimal(3)
    demote: Decimal = Decimal("0.30")
    promote: Decimal = Decimal("0.60")
    trades_min: int = 10
    hours_min: int = 2
    moves_max: int = 3
    active_min: int = 2
    parole_days: int | None = 30
    shares: tuple[Decimal, Decimal, Decimal, Decimal] = (ONE, HALF, Decimal("0.05"), ZERO)

    def __post_init__(self) -> None:
        """Refuse weights that do not add up and thresholds that cross."""
        weights = (self.sharpe_weight, self.fit_weight, self.drawdown_weight, self.decay_weight)
        if min(weights) < 0 or sum(weights, ZERO) != 1 or self.sharpe_full <= 0:
            raise BadChoice("brain: the four weights are ≥ 0 and sum to 1; sharpe_full > 0")
        if not 0 <= self.demote <= self.promote <= 1:
            raise BadChoice("brain: 0 ≤ demote ≤ promote ≤ 1 is expected")
        counts = (self.trades_min, self.hours_min, self.moves_max, self.active_min)
        if min(*counts, self.parole_days or 0) < 0:
            raise BadChoice("brain: trades, hours, moves, active and parole are 0 or more")
        falling = (ONE, *self.shares)
        if list(falling) != sorted(falling, reverse=True) or self.shares[3] != 0:
            raise BadChoice("brain: shares fall from ACTIVE, at most 1, to TERMINATED, which is 0")


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """What fitness is made of; `sharpe` is None while it cannot be told.

    `fit`, `alpha_decay` and `edge` are in [0, 1]; `drawdown` is a fraction of the peak, `edge` what
    winners are of all that was won and lost. Of two that are as fit the one of the smaller `rank`
    is less so.
    """

    trades: int
    sharpe: Decimal | None
    fit: Decimal
    drawdown: Decimal
    alpha_decay: Decimal
    edge: Decimal = HALF
    rank: tuple[Decimal, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """A strategy's state, since when (ns), and its moves on the UTC day numbered `day`."""

    state: StrategyState = StrategyState.ACTIVE
    since: int | None = None
    day: int = 0
    moves: int = 0


class MetaStrategyBrain(msgspec.Struct, frozen=True):
    """The rules of states. `decide` takes every strategy's standing and returns the next ones."""

    settings: BrainSettings = BrainSettings()

    @money
    def fitness(self, vitals: Vitals) -> Decimal:
        """Return fitness in [0, 1]; 0.5 where there is too little to judge by."""
        rules = self.settings
        if vitals.sharpe is None or vitals.trades < rules.trades_min:
            return HALF
        parts = (
            (rules.sharpe_weight, quotient18(vitals.sharpe, rules.sharpe_full)),
            (rules.fit_weight, vitals.fit),
            (rules.drawdown_weight, ONE - vitals.drawdown),
            (rules.decay_weight, ONE - vitals.alpha_decay),
        )
        return round18(sum((weight * min(max(part, ZERO), ONE) for weight, part in parts), ZERO))

    def share(self, state: StrategyState) -> Decimal:
        """Return the part of its allocation that a strategy in this state may use."""
        return self.settings.shares[_STEPS.index(state)]

    def decide(
        self, standings: Mapping[str, Standing], vitals: Mapping[str, Vitals], at: int
    ) -> dict[str, Standing]:
        """Return every strategy's standing after one look; those without vitals stay as they are.

        O(n log n).
        """
        now = {name: _dated(standing, at) for name, standing in standings.items()}
        fitness = {name: self.fitness(vitals[name]) for name in now if name in vitals}
        climbing = sorted(fitness, key=lambda name: (fitness[name], vitals[name].rank, name))
        for name in reversed(climbing):
            if self._may_move(now[name], at) and self._rises(now[name], vitals[name], at):
                now[name] = _moved(now[name], -1, at)
        active = sum(standing.state is StrategyState.ACTIVE for standing in now.values())
        for name in climbing:
            standing = now[name]
            if fitness[name] >= self.settings.demote or not self._may_move(standing, at):
                continue
            if standing.state is StrategyState.ACTIVE:
                if active <= self.settings.active_min:
                    continue
                active -= 1
            if standing.state is not StrategyState.TERMINATED:
                now[name] = _moved(standing, 1, at)
        return now

    def _may_move(self, standing: Standing, at: int) -> bool:
        waited = at - (standing.since or 0) >= self.settings.hours_min * instant.HOUR
        return waited and standing.moves < self.settings.moves_max

    def _is_judged(self, vitals: Vitals) -> bool:
        return vitals.trades >= self.settings.trades_min and vitals.sharpe is not None

    def _rises(self, standing: Standing, vitals: Vitals, at: int) -> bool:
        parole = self.settings.parole_days
        is_out = parole is not None and at - (standing.since or 0) >= parole * instant.DAY
        if standing.state is StrategyState.TERMINATED:
            return is_out
        if standing.state is StrategyState.ACTIVE:
            return False
        if not self._is_judged(vitals):
            return is_out and vitals.edge >= HALF
        return self.fitness(vitals) > self.settings.promote


def revived(standing: Standing, at: int) -> Standing:
    """Return the standing of a strategy that a person set to work again."""
    return Standing(StrategyState.ACTIVE, at, standing.day, standing.moves)


def _dated(standing: Standing, at: int) -> Standing:
    """A strategy first seen now is in its state since now; a new day has no moves yet."""
    today = at // instant.DAY
    moves = standing.moves if standing.day == today else 0
    return Standing(standing.state, at if standing.since is None else standing.since, today, moves)


def _moved(standing: Standing, step: int, at: int) -> Standing:
    state = _STEPS[_STEPS.index(standing.state) + step]
    return Standing(state, at, standing.day, standing.moves + 1)
