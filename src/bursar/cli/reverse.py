"""`bursar reverse`: taking back what was entered, by a new entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bursar.cli.correcting import correct
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.portfolio import Portfolio
    from bursar.portfolio.hand import Correction


def reverse(
    id: str,  # noqa: A002 (the word of all commands)
    *,
    time: str | None = None,
    note: str | None = None,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Take back a deed, a price, a tag, a link, or an earlier reversal, by a new entry.

    It then counts as never having happened. A flow of which --time is said stood until then.

    Args:
        id: What to take back: its whole id, or the end of it.
        time: Until when a flow stood, UTC.
        note: Who says so, and why.
        yes: Write it without asking.

    """

    def made(portfolio: Portfolio) -> Correction:
        from bursar.portfolio import hand

        return hand.reversed_(portfolio.corrector, id, time=time, note=note)

    return correct(session, made, is_yes=yes)
