"""`bursar token`: who may ask the service, and who may write over it."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from bursar.cli.session import HIDDEN, Session

Scope = Literal["read", "write"]


def new(name: str, *, scope: Scope = "read", session: Annotated[Session, HIDDEN]) -> int:
    """Make a token and show it, this one time. Only its hash is kept.

    From the first token on, the service asks everybody for one. A book that is not there is made.

    Args:
        name: What you call it: the program or the person that will bear it.
        scope: read looks; write also commits transactions and corrections.

    """
    from bursar.serve import tokens

    session.require_present()
    is_new = session.is_new
    with session.open(terms=session.terms if is_new else None, create=True) as portfolio:
        is_first = not tokens.listed(portfolio.desk.store)
        made = tokens.new(portfolio.desk.store, portfolio.desk.clock, name, scope)
        terms = portfolio.terms
    if session.wants_json:
        session.tell({"name": name, "scope": scope, "token": made, "created": is_new})
    else:
        if is_new:
            session.screen.remark(session.made(terms))
        session.screen.raw(made)
        session.screen.remark("Keep it: it is not shown again. Authorization: Bearer TOKEN")
        if is_first:
            session.screen.remark("From now on everybody needs a token, also to look.")
    return 0


def list_(*, session: Annotated[Session, HIDDEN]) -> int:
    """List the tokens: names, scopes, since when. The tokens themselves nobody has kept."""
    from bursar.cli.answers import moment
    from bursar.serve import tokens

    with session.open() as portfolio:
        found = tokens.listed(portfolio.desk.store)
    if session.wants_json:
        session.tell({"tokens": found})
    elif not found:
        session.screen.print("No token yet: whoever sits at this machine may look.")
    else:
        session.screen.list([(t.name, t.scope.value, moment(t.created_at)) for t in found])
    return 0


def revoke(name: str, *, session: Annotated[Session, HIDDEN]) -> int:
    """Take a token away; a running service notices within two seconds.

    Args:
        name: What it is called.

    """
    from bursar.serve import tokens

    session.require_present()
    with session.open() as portfolio:
        tokens.revoke(portfolio.desk.store, name)
    if session.wants_json:
        session.tell({"name": name, "revoked": True})
    else:
        session.screen.print(f"{name} is no token any more.")
    return 0


def app(group: Group) -> App:
    """Return `token` with its commands."""
    made = App(
        name="token",
        help="Make, list and revoke the tokens of the service.",
        group=group,
        sort_key=2,
        group_commands="Commands",
        default_parameter=Parameter(negative="", show_default=False),
    )
    made.command(new)
    made.command(list_, name="list")
    made.command(revoke)
    return made
