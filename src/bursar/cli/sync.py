"""`bursar sync`: what the venues have had to tell since the last time, and whether they agree."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.app import SystemClock
    from bursar.app.live import Live
    from bursar.cli.screen import Screen
    from bursar.config import Settings
    from bursar.portfolio.summaries import AccountSync, SyncSummary
    from bursar.ports import Progress

DRIFT, AWAY = 1, 4


class Asked(msgspec.Struct, frozen=True):
    """How a sync is to be done."""

    is_full: bool = False
    is_anew: bool = False
    allows_breaks: bool = False
    allows_trade: bool = False


_PLAIN: Final = Asked()


def sync(
    *,
    full: bool = False,
    anew: bool = False,
    allow_breaks: bool = False,
    allow_trade: bool = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Fetch what is new from every venue of config.yaml, and compare it with their statements.

    The first time this is the whole history; when it is stopped it goes on where it was. Exit code
    1 says that books and venue do not agree, 4 that a venue could not be reached.

    Args:
        full: Account for every row, ask anew for past prices that are lacking, and certify the
            result, as the first sync does.
        anew: Read every history from its first row on, though it was read before. It finds rows
            that a venue told too late to be looked for, and takes as long as the first sync.
        allow_trade: Take a key that may do more than look. bursar itself never trades.
        allow_breaks: Go on where the venue's own rows do not follow from each other.

    """
    session.require_present()
    is_new = session.is_new
    done = asyncio.run(
        synced(session, session.chosen, Asked(full, anew, allow_breaks, allow_trade))
    )
    if session.wants_json:
        session.tell({"portfolio": session.portfolio, "created": is_new, **told(done)})
    else:
        show(session.screen, done)
    return code(done)


def code(done: SyncSummary) -> int:
    """Return the exit code that a sync comes to."""
    if not done.is_whole:
        return AWAY
    return DRIFT if done.drift_detected else 0


def told(done: SyncSummary) -> dict[str, object]:
    """Return a sync as JSON has it."""
    return {
        "new_trades_count": done.new_trades_count,
        "new_cash_flows_count": done.new_cash_flows_count,
        "updated_pairs": done.updated_pairs,
        "drift_detected": done.drift_detected,
        "is_whole": done.is_whole,
        "certificates": done.certificates,
        "notices": done.notices,
        "accounts": done.accounts,
    }


def show(screen: Screen, done: SyncSummary) -> None:
    """Show what a sync did, an account a line."""
    rows = [(each.account, *_line(each)) for each in done.accounts]
    screen.list(rows)
    for each in done.accounts:
        for what in (*each.conflicts, *each.restated):
            screen.print(f"  {what}")
    for line in done.certificates:
        screen.print(line)
    for line in done.notices:
        screen.print(f"! {line}")
    if done.drift_detected:
        screen.print("", "Books and venue do not agree: `bursar drift` says where.")


def _line(each: AccountSync) -> tuple[str, str]:
    if each.failure is not None:
        kept = f", {each.new_entries:,} entries kept" if each.new_entries else ""
        return "✗", f"not reached: {each.failure}{kept}"
    what = f"{each.new_trades:,} trades, {each.new_flows:,} flows"
    if not each.new_entries:
        what = "nothing new"
    if each.prices:
        what += f", {each.prices:,} past prices"
    agrees = "agrees" if not each.drift_detected else "DRIFT"
    return ("✓" if not each.drift_detected else "✗"), f"{what}; {agrees}"


async def synced(
    session: Session,
    settings: Settings,
    asked: Asked = _PLAIN,
    *,
    clock: SystemClock | None = None,
) -> SyncSummary:
    """Open what the settings name, sync it, and close it again."""
    from bursar.app.live import open_live

    tell = session.bar.tell
    with session.bar.running():
        is_new = not session.is_apart and session.is_new
        live = open_live(settings, clock=clock, progress=tell, allow_breaks=asked.allows_breaks)
        if is_new:
            session.screen.remark(session.made(live.service.portfolio.terms))
        try:
            done, remarks = await _run(live, tell, asked)
            return msgspec.structs.replace(done, notices=(*remarks, *live.notices()))
        finally:
            await live.close()


async def _run(live: Live, tell: Progress, asked: Asked) -> tuple[SyncSummary, list[str]]:
    service = live.service
    if asked.is_full or any(service.get_certificate(v.account) is None for v in service.venues):
        remarks = await live.check_keys(allow_trade=asked.allows_trade)
        return await service.initialize(
            tell, prices_anew=asked.is_full, rows_anew=asked.is_anew
        ), remarks
    done = await service.sync(tell, rows_anew=asked.is_anew)
    await service.refresh_marks()
    service.create_snapshot()
    service.prune_snapshots()
    return done, []
