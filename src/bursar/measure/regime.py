"""Regime: which way a market goes and how wildly, told from closed candles.

For each closed candle, from the logarithms of closing prices over the last `span` candles:

    volatility   v = sd of the span's returns
    trend        t = sum of the span's returns ÷ (v × √span)      0 where v is 0

so a trend is how many of its own deviations a price has gone. The trend is `up` from `enter` on and
until it falls below `leave`, `down` likewise below zero, else `flat`. Volatility is placed among
its own last `history` values: `wild` from the upper quantile on, `calm` up to the lower, `normal`
between; a state is left only past its quantile by `slack`. A new state must hold for `patience`
candles before it counts. So a market at a threshold does not flicker.

Invariants
- Only candles that have closed by `now` count; the same closed candles give the same regime.
- The detector looks back alone: a later candle never changes an earlier verdict.
- Over a gap there is no return: what the market did meanwhile is not known.

Errors: none. With fewer candles than `span` + `warmup` the regime is not known, and says so.
"""

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.measure.measured import Measured, measured, unknown
from bursar.measure.ratios import deviation

_EVEN: Final = 1e-12


class Trend(Enum):
    """Which way a market goes."""

    UP = "up"
    FLAT = "flat"
    DOWN = "down"


class Volatility(Enum):
    """How wildly a market moves, among its own past."""

    CALM = "calm"
    NORMAL = "normal"
    WILD = "wild"


class Close(msgspec.Struct, frozen=True, gc=False):
    """The closing price of a candle, and the instant at which it closed."""

    at: int
    price: Decimal


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How a regime is told; counts are of candles, `enter` and `leave` of deviations."""

    span: int = 20
    warmup: int = 30
    history: int = 250
    enter: float = 1.0
    leave: float = 0.5
    low: float = 0.25
    high: float = 0.75
    slack: float = 0.05
    patience: int = 2


USUAL: Final = Rules()


class Regime(msgspec.Struct, frozen=True):
    """The regime at `at`, where it stands since `since`. `None` is not known, for the reason."""

    trend: Trend | None
    volatility: Volatility | None
    since: int | None
    at: int | None
    trend_score: Measured
    volatility_share: Measured
    reason: str = ""

    @property
    def name(self) -> str:
        """Name it in a word: `up-calm`."""
        if self.trend is None or self.volatility is None:
            return "unknown"
        return f"{self.trend.value}-{self.volatility.value}"


class Detector:
    """Follows the closes of one market, oldest first. O(span + log history) for each."""

    def __init__(self, rules: Rules = USUAL) -> None:
        self._rules = rules
        self._last: Close | None = None
        self._returns: deque[float] = deque(maxlen=rules.span)
        self._spreads: deque[float] = deque()
        self._ordered: list[float] = []
        self._state: tuple[Trend, Volatility] | None = None
        self._since: int | None = None
        self._wanted: tuple[Trend, Volatility] | None = None
        self._wanted_for = 0
        self._figures: tuple[float, float] | None = None

    def see(self, close: Close, *, step: int | None = None) -> None:
        """Take in a closed candle. One that is not later than the last is left out.

        `step` is how long a candle lasts; a close further from the last than that follows a gap.
        """
        last = self._last
        if close.price <= 0 or (last is not None and close.at <= last.at):
            return
        self._last = close
        if last is None or (step is not None and close.at - last.at > step):
            return
        self._returns.append(math.log(float(close.price) / float(last.price)))
        if len(self._returns) < self._rules.span:
            return
        spread = deviation(list(self._returns))
        share = self._place(spread)
        if len(self._ordered) < self._rules.warmup:
            return
        score = self._score(spread)
        self._figures = score, share
        self._move((self._trend(score), self._volatility(share)), close.at)

    @property
    def regime(self) -> Regime:
        """The regime as it stands."""
        at = None if self._last is None else self._last.at
        if self._state is None or self._figures is None:
            least = self._rules.span + self._rules.warmup
            reason = f"it takes {least} closed candles"
            none = unknown(reason)
            return Regime(None, None, None, at, none, none, reason)
        score, share = map(measured, self._figures)
        return Regime(*self._state, self._since, at, score, share)

    def _score(self, spread: float) -> float:
        if spread < _EVEN:
            return 0.0
        return math.fsum(self._returns) / (spread * math.sqrt(self._rules.span))

    def _place(self, spread: float) -> float:
        """Put a volatility among its past, and return the share of them that are below."""
        insort(self._ordered, spread)
        self._spreads.append(spread)
        if len(self._spreads) > self._rules.history:
            gone = self._spreads.popleft()
            del self._ordered[bisect_left(self._ordered, gone)]
        return bisect_left(self._ordered, spread) / len(self._ordered)

    def _trend(self, score: float) -> Trend:
        """Return the trend of a score; the one that stands is left only below `leave`."""
        standing = self._state[0] if self._state is not None else Trend.FLAT
        rules = self._rules
        if score >= (rules.leave if standing is Trend.UP else rules.enter):
            return Trend.UP
        if score <= -(rules.leave if standing is Trend.DOWN else rules.enter):
            return Trend.DOWN
        return Trend.FLAT

    def _volatility(self, share: float) -> Volatility:
        standing = self._state[1] if self._state is not None else Volatility.NORMAL
        rules = self._rules
        if share >= rules.high - (rules.slack if standing is Volatility.WILD else 0.0):
            return Volatility.WILD
        if share <= rules.low + (rules.slack if standing is Volatility.CALM else 0.0):
            return Volatility.CALM
        return Volatility.NORMAL

    def _move(self, wanted: tuple[Trend, Volatility], at: int) -> None:
        """Change the state once the new one has held for long enough."""
        if wanted != self._wanted:
            self._wanted, self._wanted_for = wanted, 0
        self._wanted_for += 1
        is_due = self._state is None or self._wanted_for >= self._rules.patience
        if is_due and wanted != self._state:
            self._state, self._since = wanted, at


def detect(
    closes: Iterable[Close], *, now: int, rules: Rules = USUAL, step: int | None = None
) -> Regime:
    """Return the regime at `now`, of the candles that have closed by then, in any order.

    With `step` there is no return from one close to another that is further away.
    """
    detector = Detector(rules)
    for close in sorted(closes, key=lambda each: each.at):
        if close.at <= now:
            detector.see(close, step=step)
    return detector.regime
