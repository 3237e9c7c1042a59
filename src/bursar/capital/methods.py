"""What each method makes of a strategy's results: the first factor of its wish.

- `profit_factor`: clamp(1 + slope × (PF − centre), 0.5, 1.5), 1 within the dead zone; PF is that
  of the rolling window, shrunk toward 1 while trades are few.
- `equal`: 1.
- `sharpe`: clamp(1 + Sharpe ÷ 4, 0.5, 1.5).
- `risk_parity`: one over volatility, as a multiple of the average of those that are known.
- `kelly`: a fraction of the Kelly bet, which is a weight of its own, not a proportion.

What a method cannot know of a strategy is neutral: it changes nothing for that strategy.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, assert_never

from bursar.capital.candidates import HALF, AllocatorSettings, Candidate, Method
from bursar.capital.trades import Tally
from bursar.exact import ONE, ZERO, money, quotient18, round18

LEAST: Final = HALF
MOST: Final = Decimal("1.5")
_FULL_SHARPE: Final = Decimal(4)


@money
def factors(settings: AllocatorSettings, named: Sequence[Candidate]) -> list[Decimal]:
    """Return the method's factor of each candidate, ≥ 0."""
    match settings.method:
        case Method.EQUAL:
            return [ONE] * len(named)
        case Method.PROFIT_FACTOR:
            return [_by_profit_factor(settings, candidate.results) for candidate in named]
        case Method.SHARPE:
            return [_by_sharpe(candidate.sharpe) for candidate in named]
        case Method.RISK_PARITY:
            return _by_volatility([candidate.volatility for candidate in named])
        case Method.KELLY:
            return [_by_kelly(settings, candidate.kelly, len(named)) for candidate in named]
        case _ as never:
            assert_never(never)


def _by_profit_factor(settings: AllocatorSettings, results: Tally) -> Decimal:
    factor = results.shrunk(settings.prior)
    least, most = settings.dead_zone
    if least <= factor <= most:
        return ONE
    return _clamped(ONE + settings.slope * (factor - settings.centre))


def _by_sharpe(sharpe: Decimal | None) -> Decimal:
    return ONE if sharpe is None else _clamped(ONE + quotient18(sharpe, _FULL_SHARPE))


def _by_volatility(volatilities: Sequence[Decimal | None]) -> list[Decimal]:
    calm = [quotient18(ONE, each) for each in volatilities if each]
    average = quotient18(sum(calm, ZERO), Decimal(len(calm) or 1))
    return [quotient18(ONE, each * average) if each and average else ONE for each in volatilities]


def _by_kelly(settings: AllocatorSettings, kelly: Decimal | None, count: int) -> Decimal:
    bet = quotient18(ONE, Decimal(count)) if kelly is None else max(kelly, ZERO)
    return round18(settings.kelly_fraction * bet)


def _clamped(factor: Decimal) -> Decimal:
    return round18(min(max(factor, LEAST), MOST))
