"""`bursar new`: a portfolio made on purpose, with its terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.ledger.terms import Terms

Method = Literal["wac", "fifo", "lifo", "hifo", "specific"]
Scope = Literal["account", "pooled"]


def new(  # noqa: PLR0913 (the terms of a portfolio)
    name: str | None = None,
    *,
    base: str | None = None,
    method: Method | None = None,
    scope: Scope = "account",
    peg: tuple[str, ...] = (),
    short: tuple[str, ...] = (),
    session: Annotated[Session, HIDDEN],
) -> int:
    """Make an empty portfolio. `bursar import` makes one too.

    Args:
        name: Its name, by default that of --portfolio.
        base: The currency it counts in, fixed from here on; by default as the settings say, or USD.
        method: Which lots a sale takes its cost from; by default as the settings say, or wac.
        scope: Whether lots belong to each account, or to all of them as one pool.
        peg: An asset that counts as base currency, 1:1; repeatable. By default as the settings
            say, or USD's and EUR's own.
        short: An account that may sell short, such as alpaca:main; repeatable.

    """
    import bursar
    from bursar.errors import BadChoice, PortfolioNotFound
    from bursar.ledger.terms import Account
    from bursar.portfolio.hand.words import account_of

    session.require_present()
    may_short = tuple(Account(account_of(each), may_short=True) for each in short)
    if name is not None:
        session = msgspec.structs.replace(session, portfolio=name)
    try:
        session.open().close()
    except PortfolioNotFound:
        pass
    else:
        raise BadChoice(
            f"there is a portfolio {session.portfolio!r} in {session.place} already;"
            " --portfolio names another",
            portfolio=session.portfolio,
        )
    asked = session.terms
    terms = bursar.Terms(
        asked.base if base is None else base.upper(),
        tuple(each.upper() for each in peg) or asked.pegs,
        asked.method if method is None else bursar.Method(method),
        bursar.Scope(scope),
        (*asked.accounts, *may_short),
    )
    session.open(terms=terms, create=True).close()
    _tell(session, terms, is_stated=base is not None)
    return 0


def _tell(session: Session, made: Terms, *, is_stated: bool) -> None:
    if session.wants_json:
        session.tell(
            {
                "book": session.place,
                "portfolio": session.portfolio,
                "base": made.base,
                "method": made.method,
                "scope": made.scope,
                "pegs": sorted(made.cash - {made.base}),
                "short": sorted(each.name for each in made.accounts if each.may_short),
            }
        )
    elif not session.is_quiet:
        said = session.made(made, is_stated=is_stated).removesuffix(".")
        session.screen.print(f"{said}, lots by {made.scope.value}.")
