"""The plan: lines, what they add up to, and the inputs from which all of it can be derived again.

    plan = make_plan(allocation, holdings, policy)
    plan.verify()          # () : every line follows from the inputs
    plan.apply(book)       # the book after it, the lots it takes, what that realises

`plan_id` is the hash of the inputs: the same inputs give the same bytes, in any process. Metadata
(who asked, when, which strategies) is outside of it, and `with_metadata` gives a copy.

Errors: `BadChoice` for metadata that does not add up; those of `derive`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Self

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ZERO, money, show, trimmed
from bursar.ledger import markup
from bursar.ledger.book import Book
from bursar.ledger.currencies import places
from bursar.plan.allocation import Attribution, StrategyAllocation, attributed
from bursar.plan.checks import faults
from bursar.plan.derive import derive
from bursar.plan.door import exactly, moment
from bursar.plan.effects import WhatIf, executed
from bursar.plan.holdings import HoldingsSnapshot
from bursar.plan.inputs import Inputs, plan_id
from bursar.plan.items import Coverage, Derivation, PlanItem, Search, Totals
from bursar.plan.policy import SizingPolicy
from bursar.plan.reasons import Action

ATTRIBUTION = "strategy_attribution"
Metadata = dict[str, str | Attribution]


class RebalancePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to trade to reach a target, line by line, in the order of execution."""

    plan_id: str
    correlation_id: str
    timestamp: str
    total_portfolio_value: Decimal
    items: tuple[PlanItem, ...]
    totals: Totals
    coverage: Coverage
    search: Search | None
    metadata: Metadata
    inputs: Inputs

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do: every line is a HOLD."""
        return all(item.action is Action.HOLD for item in self.items)

    @property
    @money
    def total_trade_value(self) -> Decimal:
        """What is bought and sold in all."""
        return sum((abs(item.trade_amount) for item in self.items), Decimal(0))

    def _repr_html_(self) -> str:
        """Show the lines in a notebook."""
        digits = max(2, places(self.inputs.holdings.base))
        caption = (
            f"plan {self.plan_id[:8]}: {show(self.total_trade_value, places=digits)} to trade"
            f" of {show(self.total_portfolio_value, places=digits)}"
        )
        rows = [
            (
                each.symbol,
                each.action.value,
                each.reason.value,
                trimmed(each.trade_amount),
                trimmed(each.quantity),
                trimmed(each.price),
                show(each.current_weight, places=4),
                show(each.target_weight, places=4),
            )
            for each in self.items
        ]
        head = ("symbol", "action", "reason", "amount", "quantity", "price", "weight", "target")
        return markup.table(head, rows, numbers=range(3, 8), caption=caption) + markup.remarks(
            self.coverage.gaps
        )

    def verify(self) -> tuple[str, ...]:
        """Derive every line again and return what differs, one line each; none is the proof."""
        told = Derivation(
            self.total_portfolio_value, self.items, self.totals, self.coverage, self.search
        )
        return faults(self.inputs, told, self.plan_id)

    def apply(self, book: Book) -> WhatIf:
        """Return what a book would be after the plan, and the lots it takes. Nothing is changed."""
        return executed(self.inputs, self.items, book)

    def asked_by(self, correlation_id: str) -> Self:
        """Return a copy under another correlation id."""
        return msgspec.structs.replace(self, correlation_id=correlation_id)

    def with_metadata(
        self,
        metadata: Mapping[str, str | Mapping[str, Mapping[str, Decimal]]] | None = None,
        *,
        timestamp: str | None = None,
    ) -> Self:
        """Return a copy with metadata added; `strategy_attribution` adds up to 1 by symbol.

        Raises:
            BadChoice: it does not, or another name stands for anything but a text.
        """
        known: Metadata = dict(self.metadata)
        for name, value in sorted((metadata or {}).items()):
            known[name] = _metadata(name, value)
        at = self.timestamp if timestamp is None else moment(timestamp, "timestamp")
        return msgspec.structs.replace(self, metadata=known, timestamp=at)


def make_plan(
    allocation: StrategyAllocation,
    holdings: HoldingsSnapshot,
    policy: SizingPolicy | None = None,
    *,
    timestamp: str = "",
) -> RebalancePlan:
    """Work out a plan. The same inputs give the same plan, to the byte.

    >>> plan = make_plan(
    ...     StrategyAllocation({"SPY": Decimal("0.6"), "QQQ": Decimal("0.4")}),
    ...     HoldingsSnapshot(positions={"SPY": 10}, prices={"SPY": 500, "QQQ": 400}, cash=5000),
    ... )
    >>> [(item.symbol, item.action.value, str(item.trade_amount)) for item in plan.items]
    [('QQQ', 'BUY', '4000.00'), ('SPY', 'BUY', '1000.00')]

    Raises:
        MissingMark: a symbol that is held or targeted has no price.
        BadChoice: the portfolio is worth less than nothing.
    """
    inputs = Inputs(allocation, holdings, policy or SizingPolicy())
    found = derive(inputs)
    shares = allocation.attribution
    metadata: Metadata = {ATTRIBUTION: attributed(shares)} if shares else {}
    return RebalancePlan(
        plan_id=plan_id(inputs),
        correlation_id=allocation.correlation_id,
        timestamp=moment(timestamp, "timestamp"),
        total_portfolio_value=found.total_portfolio_value,
        items=found.items,
        totals=found.totals,
        coverage=found.coverage,
        search=found.search,
        metadata=metadata,
        inputs=inputs,
    )


def invest(
    deposit: Decimal,
    allocation: StrategyAllocation,
    holdings: HoldingsSnapshot,
    policy: SizingPolicy | None = None,
    *,
    timestamp: str = "",
) -> RebalancePlan:
    """Work out how to invest a deposit by purchases alone; cash that is there already stays.

    Targets are of the portfolio with the deposit in it. Money goes in proportion to what is missing
    to each target, so weights drift back and nothing is sold.

    Raises:
        BadChoice: the deposit is not above zero.
    """
    deposit = exactly(deposit, "deposit")
    if deposit <= 0:
        raise BadChoice(f"deposit: {deposit} is not above zero", field="deposit", value=deposit)
    with_it, kept = invested(deposit, allocation, holdings)
    return make_plan(kept, with_it, policy, timestamp=timestamp)


@money
def invested(
    deposit: Decimal, allocation: StrategyAllocation, holdings: HoldingsSnapshot
) -> tuple[HoldingsSnapshot, StrategyAllocation]:
    """Return holdings with a deposit in them, and weights that keep the other cash out of it.

    Other cash is the reserve as far as it goes: only what is missing to it comes from the deposit.
    """
    limits, there = allocation.constraints, holdings.cash + deposit
    base = allocation.portfolio_value
    if base is None:
        held = holdings.positions.items()
        base = sum((units * holdings.prices[symbol] for symbol, units in held), there)
    if limits.reserve + limits.reserve_weight * base < holdings.spendable:
        limits = msgspec.structs.replace(limits, reserve=holdings.spendable, reserve_weight=ZERO)
    limits = msgspec.structs.replace(limits, buys_only=True)
    return (
        msgspec.structs.replace(holdings, cash=there),
        msgspec.structs.replace(allocation, constraints=limits),
    )


def _metadata(name: str, value: str | Mapping[str, Mapping[str, Decimal]]) -> str | Attribution:
    if name == ATTRIBUTION and not isinstance(value, str):
        return attributed(value)
    if name == ATTRIBUTION or not isinstance(value, str):
        raise BadChoice(f"metadata.{name}: a text is wanted, or shares by symbol for {ATTRIBUTION}")
    return value
