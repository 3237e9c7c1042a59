"""`bursar watch`: the status, live. Prices as they come, and every minute what is new at a venue.

On a terminal the picture is drawn anew; elsewhere, and with `--json`, each sync is one line.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final, Protocol

from cyclopts import Parameter, validators

from bursar.cli import status, sync
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.app.live import Live
    from bursar.portfolio.summaries import SyncSummary

Times = Annotated[int, Parameter(validator=validators.Number(gte=1))]
_DRAWN_EVERY_S: Final = 0.5
_MINUTE_S: Final = 60


class Draw(Protocol):
    """Shows how things stand after a sync, or (`is_fresh`) after prices have come."""

    def __call__(self, done: SyncSummary | None, *, is_fresh: bool) -> None:
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

    live = open_live(session.chosen)
    try:
        if session.wants_json or not session.screen.console.is_terminal:
            return await _Watch(live, session, times).run(_lines(session))
        return await _drawn(live, session, times)
    finally:
        await live.close()


async def _drawn(live: Live, session: Session, times: int | None) -> int:
    from rich.live import Live as Picture
    from rich.text import Text

    from bursar.cli.screen import Screen

    sheet, watching = Screen(is_exact=session.is_exact), _Watch(live, session, times)

    def draw(done: SyncSummary | None, *, is_fresh: bool) -> None:
        portfolio = live.service.portfolio
        with sheet.console.capture() as drawn:
            status.show(sheet, portfolio, portfolio.equity(), name=session.portfolio)
            if done is not None:
                sheet.print("")
                sync.show(sheet, done)
            sheet.print("", f"prices {watching.prices}" if is_fresh else "prices of the last sync")
        picture.update(Text.from_ansi(drawn.get()), refresh=True)

    with Picture(console=session.screen.console, auto_refresh=False) as picture:
        return await watching.run(draw)


def _lines(session: Session) -> Draw:
    """Return what writes a line a sync, and nothing for a price."""
    from bursar.cli.answers import told

    def write(done: SyncSummary | None, *, is_fresh: bool) -> None:
        if is_fresh or done is None:
            return
        if session.wants_json:
            print(json.dumps(told(sync.told(done)), ensure_ascii=False), flush=True)
        else:
            sync.show(session.screen, done)

    return write


class _Watch:
    """Syncs every so often, and takes prices as they come in between."""

    def __init__(self, live: Live, session: Session, times: int | None) -> None:
        own = session.settings.portfolio
        self._live, self._times = live, times
        self._every_s = own.sync_every_seconds
        self._shot_every_s = own.snapshot_every_minutes * _MINUTE_S
        self._stream = live.stream()
        self._is_woken = False
        self._waiting: asyncio.Timeout | None = None

    @property
    def prices(self) -> str:
        """How prices come, in words."""
        state = self._stream.state
        return f"{state.health.value}{f' ({state.reason})' if state.reason else ''}"

    async def run(self, draw: Draw) -> int:
        """Watch until so many syncs are done, and return the exit code of the last."""
        service, count, unshot_s = self._live.service, 0, self._shot_every_s
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._live.listen(self._wake))
            running: asyncio.Task[None] | None = None
            while True:
                self._is_woken = False
                done = await service.sync()
                if running is None and done.is_whole:
                    await service.refresh_marks()
                    pairs = await self._live.priced_pairs()
                    running = group.create_task(self._stream.run(pairs))
                draw(done, is_fresh=False)
                count, unshot_s = count + 1, unshot_s + self._every_s
                if unshot_s >= self._shot_every_s:
                    service.create_snapshot()
                    service.prune_snapshots()
                    unshot_s = 0
                if count == self._times:
                    break
                await self._prices(done, draw)
            listening.cancel()
            if running is not None:
                running.cancel()
        return sync.code(done)

    async def _prices(self, done: SyncSummary, draw: Draw) -> None:
        """Draw what prices make of the book, until it is time for the next sync, or news come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self._is_woken else self._every_s) as self._waiting:
                while True:
                    self._live.service.portfolio.see(await self._stream.changed())
                    draw(done, is_fresh=True)
                    await asyncio.sleep(_DRAWN_EVERY_S)

    def _wake(self) -> None:
        """Let the next sync be now: an account has had doings."""
        self._is_woken = True
        if self._waiting is not None:
            with suppress(RuntimeError):  # it is over
                self._waiting.reschedule(asyncio.get_running_loop().time())
