"""`bursar trades`: what each trade did."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bursar.cli.counts import whole
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.cli.screen import Screen
    from bursar.ledger.records import RealizedPnLRecord


def trades(
    *,
    pair: str | None = None,
    limit: Annotated[int | None, Parameter(name=["--limit", "-n"], converter=whole)] = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show trades and whatever else realised PnL, newest first.

    Args:
        pair: Only of this pair, under any of its names: XBT/EUR, XBTEUR, BTC-EUR.
        limit: At most so many.

    """
    session.require_count("--limit", limit)
    with session.open() as portfolio:
        found, base = portfolio.each_trade(pair, limit), portfolio.terms.base
        if session.wants_json:
            session.tell({"base": base, "trades": found})
        elif (first := next(found, None)) is not None:
            session.screen.title("Trades", f"newest first · realised in {base}, fees taken off")
            _show(session.screen, chain((first,), found))
        elif limit != 0:
            session.screen.print("No trades." if pair is None else f"No trades in {pair}.")
    return 0


def _show(screen: Screen, found: Iterable[RealizedPnLRecord]) -> None:
    from bursar.cli.figures import grouped, minute, word
    from bursar.cli.screen import figure, name, units

    figures = screen.figures
    columns = (
        name("time (UTC)"),
        name("pair"),
        name("did"),
        units("quantity"),
        figure("price", rank=2),
        figure("fee", rank=3),
        figure("realised"),
        name("strategy", rank=4),
        name("flags", rank=5),
        name("entry", rank=6),
    )
    rows = (
        (
            minute(each.time),
            word(None if each.pair == "none" else each.pair.removeprefix("/")),
            each.kind if each.kind != "trade" else each.side,
            figures.quantity(each.base_delta),
            figures.price(each.price),
            f"{grouped(each.fee_amount)} {each.fee_asset}" if each.fee_asset else "—",
            figures.gain(each.pnl_base),
            word(each.strategy_tag),
            word(", ".join(each.flags)),
            each.trade_id,
        )
        for each in found
    )
    screen.table(columns, rows)
