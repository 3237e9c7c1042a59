"""`bursar positions`: what was done in each pair, and what its asset cost."""

from typing import Annotated

from bursar.cli.session import HIDDEN, Session


def positions(*, session: Annotated[Session, HIDDEN]) -> int:
    """Show a position for each traded pair.

    Size is the signed sum of the pair's fills; the average entry is that of the whole asset.
    """
    with session.open() as portfolio:
        found = portfolio.positions(session.marks(portfolio))
        base = portfolio.terms.base
    if session.wants_json:
        session.tell({"base": base, "positions": found})
        return 0
    from bursar.cli.screen import figure, name, units

    screen, figures = session.screen, session.screen.figures
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
            each.pair,
            figures.quantity(each.base_size),
            figures.price(each.avg_entry_price),
            figures.money(each.current_value_base),
            figures.gain(each.realized_pnl_base),
            figures.gain(each.unrealized_pnl_base),
            figures.money(each.fees_paid_base),
        )
        for each in found
    ]
    if not rows:
        screen.print("No positions.")
        return 0
    screen.title("Positions", f"amounts in {base}")
    screen.table(columns, rows)
    return 0
