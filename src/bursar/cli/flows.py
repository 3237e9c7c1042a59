"""`bursar flows`: movements that are not trades."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from bursar.cli.counts import whole
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bursar.cli.screen import Cell, Screen
    from bursar.ledger.records import CashFlowRecord
    from bursar.portfolio import Portfolio
    from bursar.portfolio.journeys import Journey

_POINTED_OUT_MAX: Final = 5


def flows(
    *,
    asset: str | None = None,
    limit: Annotated[int | None, Parameter(name=["--limit", "-n"], converter=whole)] = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show deposits, withdrawals, rewards, charges and the like, newest first.

    A withdrawal and a deposit that look like two ends of one transfer are named below, with the
    `bursar link` that makes one of them.

    Args:
        asset: Only of this asset, under any of its names.
        limit: At most so many.

    """
    from bursar.portfolio.journeys import journeys
    from bursar.portfolio.taken_back import taken_back

    session.require_count("--limit", limit)
    asset = session.asset(asset)
    with session.open() as portfolio:
        undone = taken_back(portfolio, of_asset(portfolio, asset))
        gone = {*undone, *undone.values()}  # what was given back never came from elsewhere
        ends = journeys(each for each in of_asset(portfolio, asset) if each.id not in gone)
        base, gaps = portfolio.terms.base, portfolio.gaps(asset)
        found = islice(of_asset(portfolio, asset), limit)
        if session.wants_json:
            told_ = (told(each, undone.get(each.id)) for each in found)
            links = [{"withdrawal": e.withdrawal.id, "deposit": e.deposit.id} for e in ends]
            session.tell({"base": base, "flows": told_, "gaps": gaps, "links": links})
        elif (first := next(found, None)) is not None:
            from bursar.cli.coverage import show_gaps

            session.screen.title("Flows", f"newest first · value and cost in {base}")
            _show(session.screen, chain((first,), found), undone)
            _point_out(session.screen, ends)
            show_gaps(session.screen, gaps)
        elif limit != 0:
            session.screen.print(session.none_of("flows", asset, portfolio))
    return 0


def of_asset(portfolio: Portfolio, asset: str | None) -> Iterator[CashFlowRecord]:
    """Yield the flows of an asset under any of its names."""
    from bursar.value.marks import Marks

    name = Marks().name
    found = portfolio.each_flow()
    if asset is None:
        return found
    return (each for each in found if name(each.asset) == name(asset))


def told(record: CashFlowRecord, undone: str | None) -> dict[str, object]:
    """Return a flow as JSON has it."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return {**fields, "reversed_by": undone}


def _show(screen: Screen, found: Iterable[CashFlowRecord], undone: dict[str, str]) -> None:
    from bursar.cli.figures import minute, word
    from bursar.cli.screen import figure, name, units

    figures = screen.figures
    columns = (
        name("time (UTC)"),
        name("type"),
        name("asset"),
        units("amount"),
        units("fee", rank=1),
        figure("value"),
        figure("cost", rank=2),
        name("account", rank=4),
        name("note", rank=3),
    )
    shown = 0

    def rows() -> Iterator[Sequence[Cell]]:
        nonlocal shown
        for each in found:
            is_back = each.id in undone
            shown += is_back
            yield (
                minute(each.time),
                each.type,
                each.asset,
                figures.quantity(each.amount),
                figures.quantity(each.fee_amount),
                figures.money(each.value_base),
                figures.money(each.cost_base),
                each.account,
                word("taken back" if is_back else ", ".join(each.flags) or each.note),
            )

    screen.table(columns, rows())
    if shown:
        what = "it" if shown == 1 else "they"
        screen.print("", f"{shown} of them the venue took back: {what} moved nothing.")


def _point_out(screen: Screen, ends: Sequence[Journey]) -> None:
    """Name what looks like two ends of one transfer, the newest first, and how to say so."""
    from bursar.cli.figures import minute

    quantity = screen.figures.quantity
    for each in ends[: -_POINTED_OUT_MAX - 1 : -1]:
        gone, came = each.withdrawal, each.deposit
        screen.print("")
        screen.raw(
            f"? {quantity(-gone.amount)} {gone.asset} left {gone.account} on {minute(gone.time)},"
            f" and {quantity(came.amount)} {came.asset} came to {came.account}. One transfer?"
        )
        screen.raw(f"  bursar link '{gone.id}' '{came.id}'")
    if len(ends) > _POINTED_OUT_MAX:
        screen.print("", f"{len(ends) - _POINTED_OUT_MAX} more such pairs: --json names them all.")
