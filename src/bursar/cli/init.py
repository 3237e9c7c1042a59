"""`bursar init`: a config.yaml to begin with, every setting in it explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from bursar.cli.session import HIDDEN, Session

DEFAULT: Final = Path("config.yaml")
_BASE: Final = 'base_currency: "{}"'


def init(
    file: Annotated[Path, Parameter(show_default=True)] = DEFAULT,
    *,
    base: str | None = None,
    force: bool = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Write a config.yaml with every setting and what it does. No key stands in it.

    Args:
        file: Where to write it.
        base: The currency it counts in; by default that of the book, if there is one, else USD.
        force: Replace the file if it is there.

    """
    from importlib.resources import files

    from bursar.store import whole

    session.require_present()
    chosen = _base(session, base)
    text = (files("bursar.samples") / "config.yaml").read_text(encoding="utf-8")
    with whole(file, replace=force) as out:
        out.write(text.replace(_BASE.format("USD"), _BASE.format(chosen), 1).encode())
    if session.wants_json:
        session.tell({"file": file, "base": chosen})
    elif not session.is_quiet:
        session.screen.print(
            f"Wrote {file}, base currency {chosen}.",
            "Next: export KRAKEN_API_KEY and KRAKEN_API_SECRET, a key that may only look;"
            " then `bursar sync`.",
        )
    return 0


def _base(session: Session, asked: str | None) -> str:
    """Return the base currency to write down: what is asked for, or what the book has.

    A book's is fixed, and a sync refuses settings that say another.

    Raises:
        BadChoice: the book has another than is asked for; or it is no name of a currency.
    """
    import bursar
    from bursar.errors import BadChoice, PortfolioNotFound, StoreError

    wanted = None if asked is None else bursar.Terms(asked.upper()).base
    try:
        there = {each.name: each.base for each in bursar.portfolios(session.book)}
    except PortfolioNotFound:
        there = {}
    except StoreError as error:
        session.screen.remark(f"The book was not asked for its base currency: {error.message}.")
        there = {}
    own = there.get(session.portfolio)
    if own is not None and wanted not in {None, own}:
        raise BadChoice(
            f"portfolio {session.portfolio!r} in {session.place} is kept in {own} and stays so",
            stored=own,
            asked=wanted,
        )
    return own or wanted or "USD"
