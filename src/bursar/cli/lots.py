"""`bursar lots`: the open lots, with their cost and where they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bursar.cli.new import Method
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from bursar.cli.screen import Screen
    from bursar.ledger.lots import Lot
    from bursar.value.worth import Gap

    Found = Mapping[tuple[str, str], Sequence[Lot]]


def lots(
    asset: str | None = None,
    *,
    method: Method | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show open lots, oldest first.

    Under wac an account has one lot of each asset: its pool, without a date. What is short, or was
    sold before it was known, is a lot below zero at its proceeds.

    Args:
        asset: One asset, under any of its names.
        method: The cost rule to see them under, by default the portfolio's own.

    """
    from bursar.ledger.terms import Method as Rule

    asset = session.asset(asset)
    with session.open() as portfolio:
        rule = portfolio.terms.method if method is None else Rule(method)
        found = portfolio.lots(asset, rule=rule)
        base, gaps = portfolio.terms.base, portfolio.gaps(asset, rule=rule)
        nothing = session.none_of("open lots", asset, portfolio)
    if session.wants_json:
        lots = _told(found, gaps)
        session.tell({"base": base, "method": rule, "lots": lots, "gaps": gaps})
    elif found:
        session.screen.title("Lots", f"cost in {base} · {rule.value}")
        _show(session.screen, found, gaps)
    else:
        session.screen.print(nothing)
    return 0


def _cost(asset: str, lot: Lot, gaps: Sequence[Gap]) -> Decimal | None:
    """Return what a lot cost; `None` where no part of it had a price."""
    from bursar.value.coverage import is_cost_known

    own = [gap for gap in gaps if gap.asset == asset]
    return lot.cost if is_cost_known(lot.cost, lot.quantity, own) else None


def _told(found: Found, gaps: Sequence[Gap]) -> list[dict[str, object]]:
    from bursar.ledger import instant

    return [
        {
            "account": account,
            "asset": asset,
            "quantity": lot.quantity,
            "cost": _cost(asset, lot, gaps),
            "acquired_at": instant.show(lot.acquired_at) if lot.acquired_at else None,
            "entry": lot.id,
            "flags": sorted({gap.flag for gap in gaps if gap.asset == asset}),
        }
        for (account, asset), lots in found.items()
        for lot in lots
    ]


def _show(screen: Screen, found: Found, gaps: Sequence[Gap]) -> None:
    from bursar.cli.coverage import is_of, marked, show_gaps, unpriced
    from bursar.cli.figures import NOTHING, minute
    from bursar.cli.screen import figure, name, units

    figures, open_ = screen.figures, unpriced(gaps)
    columns = (
        *(name("asset"), units("quantity"), figure("cost"), figure("cost of one", rank=2)),
        *(name("acquired"), name("account", rank=3), name("entry", rank=4)),
    )
    rows = [
        (
            marked(asset, is_marked=is_of(asset, open_)),
            figures.quantity(lot.quantity),
            figures.money(_cost(asset, lot, gaps)),
            figures.price(_each(_cost(asset, lot, gaps), lot.quantity)),
            minute(lot.acquired_at) if lot.acquired_at else NOTHING,
            account,
            lot.id,
        )
        for (account, asset), lots in found.items()
        for lot in lots
    ]
    screen.table(columns, rows)
    show_gaps(screen, gaps)


def _each(cost: Decimal | None, quantity: Decimal) -> Decimal | None:
    from bursar.exact import quotient18

    return None if cost is None else quotient18(cost, quantity)
