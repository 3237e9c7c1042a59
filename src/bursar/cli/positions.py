"""`bursar positions`: what was done in each pair, and what its asset cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.cli.screen import Screen
    from bursar.ledger.records import SpotPosition
    from bursar.value.worth import Gap


def positions(*, by_account: bool = False, session: Annotated[Session, HIDDEN]) -> int:
    """Show a position for each traded pair.

    Size is the signed sum of the pair's fills; the average entry is that of the whole asset.

    Args:
        by_account: Each account's positions apart.

    """
    with session.open() as portfolio:
        marks = session.marks(portfolio)
        names = portfolio.accounts() if by_account else [None]
        found = [(name, portfolio.positions(marks, account=name)) for name in names]
        base, gaps = portfolio.terms.base, portfolio.gaps()
    if session.wants_json:
        told = [_told(name, each) for name, own in found for each in own]
        session.tell({"base": base, "positions": told, "gaps": gaps})
        return 0
    for name, own in found:
        if own:
            session.screen.title(
                "Positions", f"{name} · amounts in {base}" if name else f"amounts in {base}"
            )
            _show(session.screen, own, gaps)
    if not any(own for _, own in found):
        session.screen.print("No positions.")
    return 0


def _told(account: str | None, position: SpotPosition) -> dict[str, object]:
    fields = {name: getattr(position, name) for name in position.__struct_fields__}
    return fields if account is None else {"account": account, **fields}


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
