"""`bursar fees`: what was charged, by asset and by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.cli.screen import Screen
    from bursar.value.pnl import FeeSummary
    from bursar.value.worth import Gap


def fees(*, session: Annotated[Session, HIDDEN]) -> int:
    """Show all fees: those of trades, which realised PnL has taken off, and all others.

    Worth is in base currency when charged. Fees outside trades stand under the pair `none`.
    """
    with session.open() as portfolio:
        found, base, gaps = portfolio.fees(), portfolio.terms.base, portfolio.gaps()
    if session.wants_json:
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        session.tell({"base": base, **fields, "gaps": gaps})
        return 0
    _show(session.screen, found, gaps, base)
    return 0


def _show(screen: Screen, found: FeeSummary, gaps: Sequence[Gap], base: str) -> None:
    from bursar.cli.coverage import marked, show_gaps, touches, unpriced
    from bursar.cli.screen import figure, name, units

    figures, open_ = screen.figures, unpriced(gaps)
    total = marked("total", is_marked=bool(open_))
    screen.title("Fees", f"worth in {base} when charged")
    screen.table(
        (name("charged in"), units("amount"), figure("worth")),
        [
            (
                marked(asset, is_marked=asset in found.unpriced),
                figures.quantity(fee.amount),
                figures.money(fee.value),
            )
            for asset, fee in found.by_asset.items()
        ],
        total=(total, "", figures.money(found.total)),
    )
    screen.print("")
    screen.table(
        (name("pair"), figure("worth")),
        [
            (marked(pair, is_marked=touches(pair, open_)), figures.money(worth))
            for pair, worth in found.by_pair.items()
        ],
        total=(total, figures.money(found.total)),
    )
    show_gaps(screen, gaps)
