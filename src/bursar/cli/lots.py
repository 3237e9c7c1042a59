"""`bursar lots`: the open lots, with their cost and where they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bursar.cli.new import Method
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.cli.screen import Screen
    from bursar.ledger.lots import Lot

    Found = Mapping[tuple[str, str], Sequence[Lot]]


def lots(
    asset: str | None = None,
    *,
    method: Method | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show open lots, oldest first.

    Under wac an account has one lot of each asset: its pool, without a date.

    Args:
        asset: One asset, under any of its names.
        method: The cost rule to see them under, by default the portfolio's own.

    """
    from bursar.ledger.terms import Method as Rule

    asset = session.asset(asset)
    with session.open() as portfolio:
        rule = portfolio.terms.method if method is None else Rule(method)
        found = portfolio.lots(asset, rule=rule)
        base = portfolio.terms.base
    if session.wants_json:
        session.tell({"base": base, "method": rule, "lots": _told(found)})
    elif found:
        session.screen.title("Lots", f"cost in {base} · {rule.value}")
        _show(session.screen, found)
    else:
        session.screen.print("No open lots." if asset is None else f"No open lots of {asset}.")
    return 0


def _told(found: Found) -> list[dict[str, object]]:
    from bursar.ledger import instant

    return [
        {
            "account": account,
            "asset": asset,
            "quantity": lot.quantity,
            "cost": lot.cost,
            "acquired_at": instant.show(lot.acquired_at) if lot.acquired_at else None,
            "entry": lot.id,
        }
        for (account, asset), lots in found.items()
        for lot in lots
    ]


def _show(screen: Screen, found: Found) -> None:
    from bursar.cli.figures import NOTHING, minute
    from bursar.cli.screen import figure, name, units
    from bursar.exact import ratio18

    figures = screen.figures
    columns = (
        name("asset"),
        units("quantity"),
        figure("cost"),
        figure("cost of one", rank=2),
        name("acquired"),
        name("account", rank=3),
        name("entry", rank=4),
    )
    rows = [
        (
            asset,
            figures.quantity(lot.quantity),
            figures.money(lot.cost),
            figures.price(ratio18(lot.cost, type(lot.cost)(1), lot.quantity)),
            minute(lot.acquired_at) if lot.acquired_at else NOTHING,
            account,
            lot.id,
        )
        for (account, asset), lots in found.items()
        for lot in lots
    ]
    screen.table(columns, rows)
