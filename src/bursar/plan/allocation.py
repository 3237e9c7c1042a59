"""What is wanted: target weights with the constraints on reaching them.

Weights are shares of the portfolio, 0 or more, at most 1 in all; what is missing to 1 stays cash. A
weight below 0 is a short position and needs the symbol among `shorts`. A symbol that is held and
has no weight is wanted at 0.

Errors: `BadChoice` for weights outside these rules, those of `door` for what is no number.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ATOM, FRACTION_DIGITS, ONE, ZERO, money, split, truncate
from bursar.plan.door import (
    at_least_zero,
    by_symbol,
    named,
    put,
    share_of_one,
)

Attribution = dict[str, dict[str, Decimal]]
"""By symbol, each strategy's share of its target; the shares of a symbol add up to 1."""


class Constraints(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What a plan must keep to.

    `reserve` (money) and `reserve_weight` (share of the portfolio's value) add up to cash that
    buys leave alone. `cap` and `caps` bound the weight of one symbol; the excess stays cash. A
    symbol is held as it is while it is inside every band that is set: `band`, in weight, and
    `relative_band`, in shares of its target; neither keeps what no target wants. With `buys_only`
    nothing is sold.
    """

    reserve: Decimal = ZERO
    reserve_weight: Decimal = ZERO
    cap: Decimal | None = None
    caps: Mapping[str, Decimal] = {}
    band: Decimal | None = None
    relative_band: Decimal | None = None
    shorts: Sequence[str] = ()
    buys_only: bool = False

    def __post_init__(self) -> None:
        """Take the numbers exactly."""
        put(
            self,
            reserve=at_least_zero(self.reserve, "reserve"),
            reserve_weight=share_of_one(self.reserve_weight, "reserve_weight"),
            cap=None if self.cap is None else share_of_one(self.cap, "cap"),
            caps={
                symbol: share_of_one(cap, f"caps.{symbol}")
                for symbol, cap in by_symbol(self.caps, "caps").items()
            },
            band=None if self.band is None else share_of_one(self.band, "band"),
            relative_band=None
            if self.relative_band is None
            else at_least_zero(self.relative_band, "relative_band"),
            shorts=named(self.shorts, "shorts"),
        )


class StrategyAllocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The weights that a strategy wants.

    `portfolio_value` is what they are shares of; `None` takes what the holdings are worth.

    >>> StrategyAllocation({"SPY": Decimal("0.6"), "QQQ": Decimal("0.4")}).target_weights["SPY"]
    Decimal('0.6')
    """

    target_weights: Mapping[str, Decimal]
    portfolio_value: Decimal | None = None
    correlation_id: str = ""
    constraints: Constraints = Constraints()
    attribution: Mapping[str, Mapping[str, Decimal]] = {}

    def __post_init__(self) -> None:
        """Take the numbers exactly and refuse weights that no portfolio can have."""
        weights = by_symbol(self.target_weights, "target_weights")
        value = self.portfolio_value
        put(
            self,
            target_weights=weights,
            portfolio_value=None if value is None else at_least_zero(value, "portfolio_value"),
            attribution=attributed(self.attribution),
        )
        _judge(weights, self.constraints.shorts)


@money
def attributed(shares: Mapping[str, Mapping[str, Decimal]]) -> Attribution:
    """Take an attribution: by symbol, shares of strategies that add up to 1.

    Raises:
        BadChoice: the shares of a symbol do not.
    """
    taken: Attribution = {}
    for symbol in named(shares, "strategy_attribution"):
        field = f"strategy_attribution.{symbol}"
        parts = by_symbol(shares[symbol], field)
        total = sum(parts.values(), ZERO)
        if total != ONE:
            raise BadChoice(f"{field}: shares add up to {total}, not 1", field=field, value=total)
        taken[symbol] = parts
    return taken


@money
def aggregate_allocations(
    parts: Iterable[tuple[str, StrategyAllocation, Decimal]],
    *,
    correlation_id: str = "",
    portfolio_value: Decimal | None = None,
    constraints: Constraints | None = None,
) -> StrategyAllocation:
    """Add up strategies' weights, each times its share of the portfolio, and keep who wanted what.

    The attribution of a symbol is in proportion to the weights that the strategies bring (their
    sizes, where some are short), to 18 decimals, and adds up to 1. A weight of over 18 decimals is
    cut there. Constraints are the portfolio's
    own affair: those of the parts must be none.

    >>> one = StrategyAllocation({"AAPL": Decimal("0.6")})
    >>> two = StrategyAllocation({"AAPL": Decimal("0.4")})
    >>> both = aggregate_allocations([("m", one, Decimal("0.5")), ("r", two, Decimal("0.5"))])
    >>> both.target_weights["AAPL"], both.attribution["AAPL"]["m"]
    (Decimal('0.5'), Decimal('0.6'))
    """
    brought: dict[str, dict[str, Decimal]] = {}
    shares = ZERO
    for strategy, allocation, given in sorted(parts, key=lambda part: part[0]):
        _require_plain(strategy, allocation)
        share = share_of_one(given, f"share.{strategy}")
        shares += share
        for symbol, weight in allocation.target_weights.items():
            by_strategy = brought.setdefault(symbol, {})
            if strategy in by_strategy:
                raise BadChoice(f"strategy {strategy!r} comes twice", strategy=strategy)
            by_strategy[strategy] = truncate(weight * share, ATOM)
    if shares > ONE:
        raise BadChoice(f"the strategies' shares add up to {shares}, above 1", value=shares)
    return StrategyAllocation(
        {symbol: sum(each.values(), ZERO) for symbol, each in brought.items()},
        portfolio_value,
        correlation_id,
        constraints or Constraints(),
        {symbol: _parts(each) for symbol, each in brought.items() if any(each.values())},
    )


def _parts(brought: Mapping[str, Decimal]) -> dict[str, Decimal]:
    sizes = [abs(weight) for weight in brought.values()]
    return dict(zip(brought, split(ONE, sizes, places=FRACTION_DIGITS), strict=True))


def _require_plain(strategy: str, allocation: StrategyAllocation) -> None:
    """Refuse what adding up would silently lose."""
    shorts = Constraints(shorts=allocation.constraints.shorts)
    if allocation.constraints != shorts or allocation.portfolio_value is not None:
        raise BadChoice(
            f"strategy {strategy!r} has constraints or a portfolio value of its own; give them for"
            " the portfolio",
            strategy=strategy,
        )


@money
def _judge(weights: Mapping[str, Decimal], shorts: Sequence[str]) -> None:
    allowed = frozenset(shorts)
    for symbol, weight in weights.items():
        if weight < ZERO and symbol not in allowed:
            raise BadChoice(
                f"target_weights.{symbol}: {weight} is below 0 and {symbol} is not among the"
                " allowed shorts",
                field=f"target_weights.{symbol}",
                value=weight,
            )
    total = sum(weights.values(), ZERO)
    if total > ONE:
        raise BadChoice(
            f"target_weights add up to {total}, above 1", field="target_weights", value=total
        )
