"""`bursar verify`: prove the book, check by check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.cli.screen import Screen
    from bursar.errors import StoreCorrupt
    from bursar.portfolio import Verification

FAILED = 1


def verify(*, session: Annotated[Session, HIDDEN]) -> int:
    """Read the journal anew, refold it and audit every identity. Exit 1 if anything is wrong."""
    from bursar.errors import StoreCorrupt

    session.require_present()
    try:
        with session.open() as portfolio:
            found = portfolio.verify()
    except StoreCorrupt as error:
        return _corrupt(session, error)
    if session.wants_json:
        session.tell(told(found))
    else:
        show(session.screen, found)
    return 0 if found.is_sound else FAILED


def told(found: Verification) -> dict[str, object]:
    """Return the proof as JSON has it."""
    return {
        "is_sound": found.is_sound,
        "faults": found.faults,
        "checks": found.checks,
        "rows": found.rows,
        "facts": found.facts,
        "lots": found.lots,
        "head": found.head,
        "digest": found.digest,
        "totals": found.totals,
    }


def show(screen: Screen, found: Verification) -> None:
    """Show every check with its verdict."""
    from rich.text import Text

    screen.list(
        (
            Text("✗", style="bold red") if check.faults else Text("✓", style="green"),
            check.name,
            "; ".join(check.faults) or check.seen,
        )
        for check in found.checks
    )
    if found.is_sound:
        screen.print("", f"Sound. Journal {found.head[:12]}, book {found.digest[:12]}.")
    else:
        count = len(found.faults)
        screen.print("", f"{count} fault{'' if count == 1 else 's'}. Nothing was changed.")


def _corrupt(session: Session, error: StoreCorrupt) -> int:
    """Tell of a journal that could not even be opened: the first check has failed."""
    if session.wants_json:
        check = {"name": "journal", "seen": "", "faults": [error.message]}
        session.tell({"is_sound": False, "faults": [error.message], "checks": [check]})
    else:
        session.screen.print(f"✗  journal  {error.message}", "", "1 fault. Nothing was changed.")
    return FAILED
