"""`bursar plan`: what to trade to reach target weights, a table to act on. Nothing is written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.text import Text

    from bursar.cli.screen import Screen
    from bursar.plan import (
        HoldingsSnapshot,
        PlanItem,
        RebalancePlan,
        SizingPolicy,
        StrategyAllocation,
        WhatIf,
    )
    from bursar.portfolio import Portfolio

TRADES: Final = 1
_STYLES: Final = {"BUY": "green", "SELL": "red", "HOLD": "dim"}
Rounding = Literal["dollar", "unit", "lot", "optimal"]


def plan(  # noqa: PLR0913 (each is one choice, and all but the file may be left out)
    file: Path,
    *,
    venue: str | None = None,
    rounding: Rounding | None = None,
    invest: str | None = None,
    lots: bool = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Turn target weights into trades: what, how much, why, and what is left.

    Exit code 0 says that nothing is to be done, 1 that something is.

    Args:
        file: The weights: .yaml, .json or .csv; docs/PLANS.md has their form.
        venue: Plan over what this account says it holds now, such as kraken:main; else the book.
        rounding: To what trades are rounded; by default what the file says, or dollar.
        invest: Invest this deposit by purchases alone.
        lots: Show the lots that each sale would take, and what that realises.

    """
    from bursar.plan import write_plan

    wanted, policy = _asked(file, rounding)
    with session.open() as portfolio:
        source = _At(session, portfolio, venue)
        made = _made(source, wanted, policy, invest)
        after = made.apply(portfolio.book()) if lots else None
    if session.wants_json:
        session.tell(_told(write_plan(made), after))
    else:
        show(session.screen, made)
        if after is not None:
            show_lots(session.screen, after, made.inputs.holdings.base)
    return 0 if made.is_idle else TRADES


class _At:
    """Where the holdings come from: the book at the session's marks, or a venue asked now."""

    def __init__(self, session: Session, portfolio: Portfolio, venue: str | None) -> None:
        self.session, self.portfolio, self.venue = session, portfolio, venue

    def holdings(self, wanted: Collection[str]) -> HoldingsSnapshot:
        """Return what is there."""
        if self.venue is None:
            return self.portfolio.holdings(wanted, self.session.marks(self.portfolio, wanted))
        self.session.require_present()
        return asyncio.run(_fetched(self.session, self.venue, wanted))


async def _fetched(session: Session, venue: str, wanted: Collection[str]) -> HoldingsSnapshot:
    from bursar.app.live import open_live
    from bursar.errors import BadChoice
    from bursar.portfolio.plan_sources import fetch_holdings

    live = open_live(session.chosen)
    try:
        named = {account.account: account for account in live.accounts}
        if venue not in named:
            there = ", ".join(sorted(named))
            raise BadChoice(f"the settings name no venue {venue!r}; there are {there}", value=venue)
        book = live.service.portfolio
        return await fetch_holdings(named[venue], wanted, book.terms, options=book.options)
    finally:
        await live.close()


def _asked(file: Path, rounding: Rounding | None) -> tuple[StrategyAllocation, SizingPolicy]:
    import msgspec

    from bursar.plan import RoundingMode
    from bursar.portfolio import weights_file

    wanted = weights_file.read(file)
    policy = wanted.policy
    if rounding is not None:
        policy = msgspec.structs.replace(policy, rounding=RoundingMode(rounding))
    return wanted.allocation, policy


def _made(
    source: _At, wanted: StrategyAllocation, policy: SizingPolicy, invest: str | None
) -> RebalancePlan:
    from bursar.exact import parse
    from bursar.ledger import instant
    from bursar.portfolio.rebalancing import RebalanceService

    service = RebalanceService(source, policy)
    return service.create_rebalance_plan(
        wanted,
        wanted.correlation_id,
        deposit=None if invest is None else parse(invest, field="--invest"),
        timestamp=instant.show(source.portfolio.desk.clock.now()),
    )


def _told(plan: bytes, after: WhatIf | None) -> dict[str, object]:
    import msgspec

    told: dict[str, object] = msgspec.json.decode(plan)
    if after is not None:
        told |= {"realized": after.realized, "lots": after.lots}
    return told


def show(screen: Screen, plan: RebalancePlan) -> None:
    """Show a plan: a line a symbol in the order of execution, and what is left."""
    from bursar.cli.screen import figure, name, units

    base, figures = plan.inputs.holdings.base, screen.figures
    worth = figures.money(plan.total_portfolio_value).plain
    source = plan.inputs.holdings.source or "holdings"
    screen.title("Plan", f"{worth} {base} · {source} · {plan.plan_id[:12]}")
    screen.print("")
    screen.table(
        (
            *(name(""), name("symbol"), figure("amount"), units("quantity")),
            *(figure("price", rank=3), figure("now", rank=1), figure("target", rank=1)),
            *(figure("left", rank=2), name("why")),
        ),
        [_row(screen, item) for item in plan.items],
    )
    screen.print("")
    screen.list(_besides(screen, plan))
    for gap in plan.coverage.gaps:
        screen.print(f"! {gap}")
    if plan.is_idle:
        screen.print("Nothing to do.")


def _row(screen: Screen, item: PlanItem) -> tuple[Text | str, ...]:
    from rich.text import Text

    from bursar.plan import SAYS

    figures, action = screen.figures, item.action.value
    return (
        Text(action, style=_STYLES[action]),
        item.symbol,
        figures.money(abs(item.trade_amount)),
        figures.quantity(abs(item.quantity)),
        figures.price(item.price),
        figures.percent(item.current_weight * 100),
        figures.percent(item.target_weight * 100),
        figures.money(item.residual),
        SAYS[item.reason],
    )


def _besides(screen: Screen, plan: RebalancePlan) -> list[tuple[str, Text, str]]:
    totals, money = plan.totals, screen.figures.money
    moved = totals.buys + totals.sells
    percent = screen.figures.percent
    rows = [
        ("cash", money(totals.cash), ""),
        ("sales", money(totals.sells), ""),
        ("purchases", money(totals.buys), ""),
        ("fees, estimated", money(totals.fees), ""),
        ("cash after", money(totals.cash_after), f"reserve {money(totals.reserve).plain}"),
        ("off target after", money(totals.residual), percent(totals.drift * 100).plain),
        ("turnover", money(moved / 2), percent(totals.turnover * 100).plain),
    ]
    if plan.search is not None:
        rows.append(("least possible", money(plan.search.least), plan.search.proof.value))
    widest = max(len(figure.plain) for _, figure, _ in rows)
    for _, figure, _ in rows:
        figure.pad_left(widest - len(figure.plain))
    return rows


def show_lots(screen: Screen, after: WhatIf, base: str) -> None:
    """Show the lots that sales take, with the split of what they realise by term."""
    from bursar.cli.screen import figure, name, units
    from bursar.plan import Term

    figures = screen.figures
    screen.print("")
    if not after.lots:
        screen.print("No sale touches a lot.")
        return
    screen.title("Lots taken", f"cost and gain in {base}")
    screen.table(
        (
            *(name("symbol"), units("quantity"), figure("cost"), figure("gain")),
            *(name("term"), name("acquired", rank=1), name("account", rank=2)),
            name("lot", rank=3),
        ),
        [
            (
                *(each.symbol, figures.quantity(each.quantity), figures.money(each.cost)),
                *(figures.gain(each.realized), each.term.value),
                *(each.acquired_at[:10] or "—", each.account, each.lot),
            )
            for each in after.lots
        ],
    )
    parts = [f"{term.value} {figures.gain(after.realized_by(term)).plain}" for term in Term]
    screen.print("", f"Realised: {figures.gain(after.realized).plain} {base} ({', '.join(parts)})")
