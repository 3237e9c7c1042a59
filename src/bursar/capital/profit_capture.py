"""Keeps profit that was made: when to take it, and how much of it to put to work again.

`ProfitCapture` watches a session: equity less capital flows, from a baseline. Once the profit
reaches a target (money or percent, whichever is first) it is armed; then the profit's peak trails,
and when `trail` of that peak is given back, an intent is emitted, once a session. With `trail` 0 it
is emitted at the target. A session that only falls is never armed, so a fall from the start
triggers nothing. We place no orders: the intent says what a strategy should do.

`IntraSessionCompounding` looks at each new step of gain over the baseline, counted by a high-water
mark, and reinvests a share of the realised net profit that no step has used before: the largest
realised sum ever used is remembered, so falling back and rising again uses nothing twice, and all
that is reinvested is never more than the share of the most that was ever realised.

Amounts are in base currency; `flows` are net capital flows since the session began.
"""

from decimal import Decimal
from enum import Enum

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ATOM, HUNDRED, ONE, ZERO, Rounding, money, quantise, quotient18, ratio18


class Intent(Enum):
    """What is to be done with a profit."""

    CLOSE_ALL = "close_all"
    CLOSE_WINNERS = "close_winners"
    PAUSE = "pause"
    RESET_BASELINE = "reset_baseline"


class CaptureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Targets in base currency and in percent of the baseline; what of the peak may be lost."""

    target: Decimal | None = None
    target_pct: Decimal | None = Decimal(5)
    trail: Decimal = Decimal("0.25")
    intent: Intent = Intent.CLOSE_ALL

    def __post_init__(self) -> None:
        """Refuse targets that are none."""
        given = [each for each in (self.target, self.target_pct) if each is not None]
        if not given or min(given) <= 0 or not 0 <= self.trail < 1:
            raise BadChoice("profit capture: a target > 0 and a trail in [0, 1) are expected")


class Session(msgspec.Struct, frozen=True):
    """A session: equity it began with, highest profit since, and whether it captured."""

    baseline: Decimal
    peak: Decimal = ZERO
    is_armed: bool = False
    is_captured: bool = False


class Capture(msgspec.Struct, frozen=True):
    """What to do and why: the profit now, its peak, and the target that armed it."""

    intent: Intent
    profit: Decimal
    peak: Decimal
    target: Decimal


class ProfitCapture(msgspec.Struct, frozen=True):
    """The rules of taking profit. `look` returns the next state and, once, a capture."""

    settings: CaptureSettings = CaptureSettings()

    @money
    def look(
        self, session: Session, equity: Decimal, *, flows: Decimal = ZERO
    ) -> tuple[Session, Capture | None]:
        """Look at equity at one instant."""
        profit = equity - session.baseline - flows
        target = self._target(session.baseline + flows)
        peak = max(session.peak, profit)
        is_armed = session.is_armed or profit >= target
        seen = Session(session.baseline, peak, is_armed, session.is_captured)
        if seen.is_captured or not is_armed or profit > peak * (ONE - self.settings.trail):
            return seen, None
        capture = Capture(self.settings.intent, profit, peak, target)
        if self.settings.intent is Intent.RESET_BASELINE:
            return Session(equity - flows), capture
        return msgspec.structs.replace(seen, is_captured=True), capture

    def _target(self, capital: Decimal) -> Decimal:
        """The lower of both targets; a percentage of nothing is no target."""
        targets = [] if self.settings.target is None else [self.settings.target]
        if self.settings.target_pct is not None and capital > 0:
            targets.append(ratio18(capital, self.settings.target_pct, HUNDRED))
        return min(targets, default=Decimal("Infinity"))


class CompoundingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gain that makes a step, in percent of the baseline; the share of profit to reinvest."""

    step_pct: Decimal = Decimal(5)
    share: Decimal = Decimal("0.5")

    def __post_init__(self) -> None:
        """Refuse steps of nothing."""
        if self.step_pct <= 0 or not 0 <= self.share <= 1:
            raise BadChoice("compounding: step_pct > 0 and a share in [0, 1] are expected")


class Compounded(msgspec.Struct, frozen=True):
    """A session's steps: equity it began with, steps reached, realised profit used, reinvested."""

    baseline: Decimal
    steps: int = 0
    used: Decimal = ZERO
    reinvested: Decimal = ZERO


class IntraSessionCompounding(msgspec.Struct, frozen=True):
    """The rules of compounding. `look` returns the next state and what to reinvest now (≥ 0)."""

    settings: CompoundingSettings = CompoundingSettings()

    @money
    def look(
        self, state: Compounded, equity: Decimal, realized: Decimal, *, flows: Decimal = ZERO
    ) -> tuple[Compounded, Decimal]:
        """Look at equity and at the net profit realised since the session began."""
        steps = self._steps(state.baseline, equity - flows)
        if steps <= state.steps:
            return state, ZERO
        fresh = max(realized - state.used, ZERO)
        amount = quantise(fresh * self.settings.share, ATOM, Rounding.FLOOR)
        used = max(realized, state.used)
        return Compounded(state.baseline, steps, used, state.reinvested + amount), amount

    def _steps(self, baseline: Decimal, equity: Decimal) -> int:
        if baseline <= 0:
            return 0
        gain = (equity - baseline) * HUNDRED
        return int(
            quantise(quotient18(gain, baseline * self.settings.step_pct), ONE, Rounding.FLOOR)
        )
