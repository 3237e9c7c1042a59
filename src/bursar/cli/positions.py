"""`bursar positions`: what was done in each pair, and what its asset cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.cli.screen import Screen
    from bursar.ledger.records import SpotPosition
    from bursar.value.coverage import Gap


def positions(*, session: Annotated[Session, HIDDEN]) -> int:
    """Show a position for each traded pair.

    Size is the signed sum of the pair's fills; the average entry is that of the whole asset.
    """
    with session.open() as portfolio:
        found = portfolio.positions(session.marks(portfolio))
        base, gaps = portfolio.terms.base, portfolio.gaps()
    if session.wants_json:
        session.tell({"base": base, "positions": found, "gaps": gaps})
        return 0
    if found:
        session.screen.title("Positions", f"amounts in {base}")
        _show(session.screen, found, gaps)
    else:
        session.screen.print("No positions.")
    return 0


def _show(screen: Screen, found: Sequence[SpotPosition], gaps: Sequence[Gap]) -> None:
    from bursar.cli.coverage import marked, show_gaps, touches, unpriced
    from bursar.cli.screen import figure, name, units

    figures, open_ = screen.figures, unpriced(gaps)
    columns = (
        name("pair"),
        units("size"),
        figure("average entry", rank=3),
        figure("value"),
        figure("realised"),
        figure("unrealised"),
        figure("fees", rank=2),
    )
    rows = [
        (
            marked(each.pair, is_marked=touches(f"{each.base_asset}/{each.quote_asset}", open_)),
            figures.quantity(each.base_size),
            figures.price(each.avg_entry_price),
            figures.money(each.current_value_base),
            figures.gain(each.realized_pnl_base),
            figures.gain(each.unrealized_pnl_base),
            figures.money(each.fees_paid_base),
        )
        for each in found
    ]
    screen.table(columns, rows)
    show_gaps(screen, gaps)
