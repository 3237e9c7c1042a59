"""`bursar watch`: the status, live. Prices as they come, and what is new at a venue: every minute,
and at once where the venue says so.

On a terminal the picture is drawn anew; elsewhere, and with `--json`, each sync is one line. While
another keeps the book, as a big import does, or its server is away, it waits for the next sync.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Final, Protocol

from cyclopts import Parameter, validators

from bursar.cli import status, sync
from bursar.cli.counts import Whole
from bursar.cli.session import HIDDEN, Session
from bursar.errors import BursarError, StoreBusy, StoreDown

if TYPE_CHECKING:
    from bursar.app.following import Follower
    from bursar.app.live import Live
    from bursar.portfolio.summaries import SyncSummary

Times = Annotated[Whole, Parameter(validator=validators.Number(gte=1))]
_DRAWN_EVERY_S: Final = 0.5
_MINUTE: Final = 60 * 1_000_000_000


class Draw(Protocol):
    """Shows how things stand after a sync, or after prices have come as they are said to come."""

    def __call__(self, done: SyncSummary | None, *, prices: str | None) -> None:
        """Show it."""


def watch(*, times: Times | None = None, session: Annotated[Session, HIDDEN]) -> int:
    """Keep the status in the terminal: live prices, a sync every so often. Stop it with Ctrl-C.

    How often stands in config.yaml: sync_every_seconds, snapshot_every_minutes.

    Args:
        times: End after so many syncs.

    """
    session.require_present()
    try:
        return asyncio.run(_watched(session, times))
    except KeyboardInterrupt:
        return 0


async def _watched(session: Session, times: int | None) -> int:
    from bursar.app.live import open_live

    is_new = session.is_new
    live = open_live(session.chosen)
    if is_new:
        session.screen.remark(session.made(live.service.portfolio.terms))
    try:
        if session.wants_json or not session.screen.console.is_terminal:
            return await _Watch(live, session, times, _lines(session)).run()
        return await _drawn(live, session, times)
    finally:
        await live.close()


async def _drawn(live: Live, session: Session, times: int | None) -> int:
    from rich.live import Live as Picture
    from rich.text import Text

    from bursar.cli.screen import Screen

    sheet = Screen(is_exact=session.is_exact)

    def draw(done: SyncSummary | None, *, prices: str | None) -> None:
        portfolio = live.service.portfolio
        with sheet.console.capture() as drawn:
            status.show(sheet, portfolio, portfolio.equity(), name=session.portfolio)
            if done is not None:
                sheet.print("")
                sync.show(sheet, done)
            sheet.print("", "prices of the last sync" if prices is None else f"prices {prices}")
        picture.update(Text.from_ansi(drawn.get()), refresh=True)

    with Picture(console=session.screen.console, auto_refresh=False) as picture:
        return await _Watch(live, session, times, draw).run()


def _lines(session: Session) -> Draw:
    """Return what writes a line a sync, and nothing for a price."""
    from bursar.cli.answers import told

    def write(done: SyncSummary | None, *, prices: str | None) -> None:
        if prices is not None or done is None:
            return
        if session.wants_json:
            print(json.dumps(told(sync.told(done)), ensure_ascii=False), flush=True)
        else:
            sync.show(session.screen, done)

    return write


def _tell(session: Session, error: BursarError) -> None:
    """Say of a sync that could not be done why not, in a line as well."""
    from bursar.cli.answers import told

    if session.wants_json:
        line = {"error": {"code": error.code, "message": error.message, "context": error.context}}
        print(json.dumps(told(line), ensure_ascii=False), flush=True)
    else:
        session.screen.remark(f"{error.message}; it is tried again with the next sync")


class _Watch:
    """Hears what is followed: draws it, keeps snapshots, and has enough after so many syncs."""

    def __init__(self, live: Live, session: Session, times: int | None, draw: Draw) -> None:
        own = session.settings.portfolio
        self._live, self._times, self._draw = live, times, draw
        self._session = session
        self._every_s = own.sync_every_seconds
        self._shot_every = own.snapshot_every_minutes * _MINUTE
        self._shot_at: int | None = None
        self._drawn_at = 0.0
        self._done: SyncSummary | None = None
        self._error: BursarError | None = None
        self._count = 0
        self._follower: Follower

    async def run(self) -> int:
        """Watch until so many syncs are done, and return the exit code of the last."""
        from bursar.app import following

        self._follower = following.Follower(self._live, self, every_s=self._every_s)
        await self._follower.run()
        if self._error is not None:
            raise self._error
        assert self._done is not None, "it ends with a sync"
        return sync.code(self._done)

    def synced(self, done: SyncSummary) -> bool:
        """Draw a sync, and keep a snapshot where one is due."""
        self._done, service = done, self._live.service
        self._draw(done, prices=None)
        self._count += 1
        now = service.portfolio.desk.clock.now()
        if self._shot_at is None or now - self._shot_at >= self._shot_every:
            try:
                service.create_snapshot()
                service.prune_snapshots()
            except BursarError as error:
                return self.failed(error)
            self._shot_at = now
        return self._count != self._times

    def priced(self) -> None:
        """Draw what prices make of the book, but not too often."""
        now = asyncio.get_running_loop().time()
        if now - self._drawn_at >= _DRAWN_EVERY_S:
            self._draw(self._done, prices=self._said())
            self._drawn_at = now

    def failed(self, error: BursarError) -> bool:
        """End with the error, unless it passes and nobody waits for so many syncs."""
        if self._times is None and isinstance(error, StoreBusy | StoreDown):
            _tell(self._session, error)
            return True
        self._error = error
        return False

    def _said(self) -> str:
        """Say how prices come, in words; of several accounts each by its name."""
        states = self._follower.prices
        told = [
            (f"{account} " if len(states) > 1 else "")
            + f"{state.health.value}{f' ({state.reason})' if state.reason else ''}"
            for account, state in sorted(states.items())
        ]
        return ", ".join(told)
