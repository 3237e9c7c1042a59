"""`bursar fees`: what was charged, by asset and by pair."""

from typing import Annotated

from bursar.cli.session import HIDDEN, Session


def fees(*, session: Annotated[Session, HIDDEN]) -> int:
    """Show all fees: those of trades, which realised PnL has taken off, and all others.

    Worth is in base currency when charged. Fees outside trades stand under the pair `none`.
    """
    with session.open() as portfolio:
        found, base = portfolio.fees(), portfolio.terms.base
    if session.wants_json:
        session.tell({"base": base, **{k: getattr(found, k) for k in found.__struct_fields__}})
        return 0
    from bursar.cli.screen import figure, name, units

    screen, figures = session.screen, session.screen.figures
    screen.title("Fees", f"worth in {base} when charged")
    screen.table(
        (name("charged in"), units("amount"), figure("worth")),
        [
            (asset, figures.quantity(fee.amount), figures.money(fee.value))
            for asset, fee in found.by_asset.items()
        ],
        total=("total", "", figures.money(found.total)),
    )
    screen.print("")
    screen.table(
        (name("pair"), figure("worth")),
        [(pair, figures.money(worth)) for pair, worth in found.by_pair.items()],
        total=("total", figures.money(found.total)),
    )
    return 0
