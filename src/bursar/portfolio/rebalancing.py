"""Rebalance plans over the book, or over what a venue says it holds.

`RebalanceService` is the contract's door: it reads what is there, once, hands it to the planner and
keeps nothing. The planner itself is in `bursar.plan`, and knows neither book nor venue.

What there is, is read in `plan_sources`.

Errors: `PortfolioError`, with `message` and `context`, around whatever went wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from bursar.errors import BadChoice, BursarError, PortfolioError
from bursar.ledger.names import canonical
from bursar.plan import (
    HoldingsSnapshot,
    RebalancePlan,
    SizingPolicy,
    StrategyAllocation,
    invest,
    make_plan,
)

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices
    from bursar.ports import HoldingsSource

MODULE: Final = "bursar.plan"


def _bracketed(_: object, __: str, event: structlog.typing.EventDict) -> str:
    """Write a line as the contract shows it: the event, then what belongs to it in brackets."""
    said = event.pop("event")
    return f"{said}{''.join(f' [{name}={value}]' for name, value in event.items())}"


LOG: Final[structlog.BoundLogger] = structlog.wrap_logger(
    logging.getLogger("bursar.portfolio.rebalance"), processors=[_bracketed]
)


class RebalanceService:
    """Turns target weights into plans, over a book, a snapshot, or anything that has holdings.

    >>> import bursar
    >>> service = bursar.RebalanceService(
    ...     bursar.HoldingsSnapshot(positions={}, prices={"SPY": 500}, cash=1000)
    ... )
    >>> strategy = bursar.StrategyAllocation({"SPY": Decimal("0.5")})
    >>> plan = service.create_rebalance_plan(strategy, "rebalance-456")
    >>> print(plan.items[0].action.value, plan.items[0].trade_amount)
    BUY 500.00
    """

    def __init__(self, source: HoldingsSource, policy: SizingPolicy | None = None) -> None:
        self.source = source
        self.policy = policy or SizingPolicy()

    def create_rebalance_plan(
        self,
        strategy: StrategyAllocation,
        correlation_id: str,
        *,
        deposit: Decimal | None = None,
        timestamp: str = "",
    ) -> RebalancePlan:
        """Make a plan. With a deposit, it is invested by purchases alone.

        Raises:
            PortfolioError: what is there, or what is wanted, allows no plan.
        """
        log = LOG.bind(correlation_id=correlation_id, module=MODULE)
        log.info("Building rebalance plan")
        try:
            holdings = self.source.holdings(strategy.target_weights.keys())
            _require_names(strategy, self.policy, holdings)
            plan = self._made(strategy, holdings, deposit, timestamp)
        except BursarError as error:
            log.error("Rebalance plan failed", reason=error.message)  # noqa: TRY400 (it is told on)
            context = {
                **error.context,
                "correlation_id": correlation_id,
                "module": MODULE,
                "reason": error.code,
            }
            raise PortfolioError(error.message, **context) from error
        log.info("Rebalance plan built", plan_id=plan.plan_id, trades=_trades(plan))
        return _told(plan, strategy, correlation_id)

    create_rebalance_plan_dto = create_rebalance_plan

    def _made(
        self,
        strategy: StrategyAllocation,
        holdings: HoldingsSnapshot,
        deposit: Decimal | None,
        timestamp: str,
    ) -> RebalancePlan:
        if deposit is None:
            return make_plan(strategy, holdings, self.policy, timestamp=timestamp)
        return invest(deposit, strategy, holdings, self.policy, timestamp=timestamp)


def planned(
    source: HoldingsSource,
    weights: StrategyAllocation | Mapping[str, Decimal],
    *,
    policy: SizingPolicy | None = None,
    correlation_id: str = "",
    timestamp: str = "",
) -> RebalancePlan:
    """Make a plan of weights, or of a whole allocation."""
    wanted = weights if isinstance(weights, StrategyAllocation) else StrategyAllocation(weights)
    service = RebalanceService(source, policy)
    return service.create_rebalance_plan(
        wanted, correlation_id or wanted.correlation_id, timestamp=timestamp
    )


PortfolioServiceV2 = RebalanceService
"""The contract's older name."""


class At(msgspec.Struct, frozen=True):
    """A portfolio at prices of one's own, as a source of holdings."""

    portfolio: Portfolio
    prices: Prices = None

    def holdings(self, wanted: Collection[str]) -> HoldingsSnapshot:
        """Return what the portfolio holds, at these prices."""
        return self.portfolio.holdings(wanted, self.prices)


def _told(plan: RebalancePlan, strategy: StrategyAllocation, correlation_id: str) -> RebalancePlan:
    """Name who asked; where that is another than the strategy's own id, keep that one too."""
    asked = plan.asked_by(correlation_id)
    if strategy.correlation_id in {"", correlation_id}:
        return asked
    return asked.with_metadata({"strategy_correlation_id": strategy.correlation_id})


def _trades(plan: RebalancePlan) -> int:
    return sum(1 for item in plan.items if item.priority)


def _require_names(
    strategy: StrategyAllocation, policy: SizingPolicy, holdings: HoldingsSnapshot
) -> None:
    """Refuse a bound of an asset under another name than the plan's: it would bound nothing.

    Raises:
        BadChoice: a cap, a short or an instrument names BTC where the plan has XBT.
    """
    there = holdings.positions.keys() | strategy.target_weights.keys()
    called = {canonical(symbol): symbol for symbol in there}
    limits = strategy.constraints
    told = {"caps": limits.caps, "shorts": limits.shorts, "instruments": policy.instruments}
    for field, names in told.items():
        for name in names:
            own = called.get(canonical(name), name)
            if name not in there and own not in names:
                raise BadChoice(
                    f"{field}.{name}: here it is called {own}; say it so", field=f"{field}.{name}"
                )
