"""`bursar portfolio`: which portfolios a book holds, and a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from bursar.cli.new import new
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.store import Listed


def list_portfolios(*, session: Annotated[Session, HIDDEN]) -> int:
    """List the portfolios of the book, without opening any of them."""
    import bursar

    found = bursar.portfolios(session.book)
    if session.wants_json:
        session.tell({"book": session.place, "portfolios": [_told(each) for each in found]})
    elif found:
        _show(session, found)
    else:
        session.screen.print("No portfolio yet. `bursar portfolio new` makes one.")
    return 0


def _told(each: Listed) -> dict[str, object]:
    from bursar.ledger import instant

    last = each.committed_at
    return {
        "name": each.name,
        "base": each.base,
        "method": each.method,
        "scope": each.scope,
        "version": each.version,
        "entries": each.entries,
        "created_at": instant.show(each.created_at),
        "committed_at": None if last is None else instant.show(last),
    }


def _show(session: Session, found: Sequence[Listed]) -> None:
    from bursar.cli.figures import NOTHING, minute
    from bursar.cli.screen import figure, name

    columns = (
        *(name("portfolio"), name("base"), name("rule"), name("lots by", rank=2)),
        *(figure("commits", rank=1), figure("entries"), name("last commit (UTC)")),
    )
    rows = [
        (
            *(each.name, each.base, each.method, each.scope),
            *(f"{each.version:,}", f"{each.entries:,}"),
            NOTHING if each.committed_at is None else minute(each.committed_at),
        )
        for each in found
    ]
    session.screen.title("Portfolios", session.place)
    session.screen.table(columns, rows)


def made(group: Group) -> App:
    """Return `portfolio` with its commands; alone it lists."""
    app = App(
        name="portfolio",
        help="List the portfolios of the book, or make a new one.",
        group=group,
        sort_key=9,
        group_commands="Commands",
        default_parameter=Parameter(negative="", show_default=False),
    )
    app.default(list_portfolios)
    app.command(list_portfolios, name="list")
    app.command(new, name="new")
    return app
