"""`bursar serve`: the portfolio over HTTP and WebSocket, and a status page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

from bursar.cli.counts import Whole
from bursar.cli.loading import unbroken
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.config import Settings

Port = Annotated[Whole, Parameter(validator=validators.Number(gte=0, lte=65_535))]


def serve(
    *,
    host: str | None = None,
    port: Port | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Serve the portfolio: REST, WebSocket, metrics, and a status page at /. Stop it with Ctrl-C.

    Without settings it serves bursar.db on http://127.0.0.1:8004, to whoever sits at this machine.
    A book that is not there is made, since what is told over the bus or REST has to go somewhere.
    To let others in, make a token first: `bursar token new NAME`. See docs/OPERATIONS.md.

    Args:
        host: The address to listen on; by default 127.0.0.1.
        port: The port, by default 8004; 0 takes a free one.

    """
    with unbroken():
        from bursar.serve.running import run

    session.require_present()
    is_new = session.is_new
    run(_chosen(session, host, port), told=lambda url: _tell(session, url, is_new=is_new))
    return 0


def _chosen(session: Session, host: str | None, port: int | None) -> Settings:
    settings = session.chosen
    own = settings.portfolio
    flags = {"host": host, "port": port}
    http = own.http.model_copy(
        update={key: said for key, said in flags.items() if said is not None}
    )
    return settings.model_copy(update={"portfolio": own.model_copy(update={"http": http})})


def _tell(session: Session, url: str, *, is_new: bool) -> None:
    from bursar.app import terms_of

    if is_new:
        session.screen.remark(session.made(terms_of(session.settings.portfolio)))
    if session.wants_json:
        session.tell({"url": url})
    else:
        session.screen.print(f"{session.portfolio} of {session.place} is served at {url}")
