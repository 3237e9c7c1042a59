"""`bursar backup` and `bursar restore`: a book as one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.store.backup import Manifest


def backup(
    file: Path,
    *,
    only: bool = False,
    force: bool = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Write the whole book into one file, while others may write to it.

    The file is verified and folded as it is written. `bursar restore` reads it, into a file or a
    server.

    Args:
        file: The file to write, whole or not at all.
        only: Only the portfolio that --portfolio names, not all of them.
        force: Replace the file if it is there.

    """
    from bursar.store.backup import take_backup

    session.require_present()
    with session.bar.running():
        made = take_backup(
            session.book,
            file,
            portfolio=session.portfolio if only else None,
            replace=force,
            progress=session.bar.tell,
        )
    _tell(session, made, f"Wrote {file}", {"file": file})
    return 0


def restore(
    file: Path,
    to: str,
    *,
    refold: bool = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Make a new book of a backup, after proving it.

    Args:
        file: The backup.
        to: Where no book is yet: a file, or a URL. `:memory:` proves the backup and writes nothing.
        refold: Take journals that are whole but fold to other books than when they were backed up.
            Those of an older bursar are taken in any case.

    """
    from bursar.store import masked
    from bursar.store.backup import restore_backup

    session.require_present()
    with session.bar.running():
        made = restore_backup(file, to, refold=refold, progress=session.bar.tell)
    place = masked(to)
    said = "Proved, nothing written:" if place == ":memory:" else f"Restored to {place} from"
    _tell(session, made, f"{said} {file}", {"file": file, "to": place})
    return 0


def _tell(session: Session, made: Manifest, said: str, places: dict[str, object]) -> None:
    from bursar.ledger import instant

    taken = instant.show(made.taken_at)
    if session.wants_json:
        rest = {"bytes": made.size, "sha256": made.sha256, "made_by": made.made_by}
        session.tell(
            {
                **places,
                "taken_at": taken,
                **rest,
                "portfolios": made.portfolios,
                "refolded": made.refolded,
            }
        )
        return
    if session.is_quiet:
        return
    session.screen.raw(f"{said} ({made.size:,} bytes, taken {taken}).")
    session.screen.raw(f"SHA-256  {made.sha256}")
    for name in made.refolded:
        session.screen.remark(f"{name}: worked out anew, an older bursar had folded it otherwise")
    for each in made.portfolios:
        session.screen.raw("")
        session.screen.raw(f"{each.portfolio}: version {each.version:,}, {each.seq:,} rows")
        session.screen.raw(f"  journal  {each.hash}")
        session.screen.raw(f"  book     {each.digest}")
