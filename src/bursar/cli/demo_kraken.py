"""`bursar demo kraken`: init, sync, status and drift against an invented account.

The account lives behind a server on this machine that speaks as Kraken does. Most of its history
has happened when the first sync begins, the rest before the second; one deposit is in its balances
and in no row of its ledger, to be found.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.cli import drift, status, sync
from bursar.cli.session import Session

if TYPE_CHECKING:
    from bursar.app import SystemClock
    from bursar.config import Settings
    from bursar.portfolio.summaries import SyncSummary
    from bursar.sim.kraken import Account, FakeKraken

ROWS: Final = 160
_ALL: Final = 2
_ASKED: Final = sync.Asked(allows_breaks=True)
_MINUTE: Final = 60 * 1_000_000_000
_BEHIND: Final = 4 * _MINUTE
_PACE: Final = 20
_KEY, _SECRET = "BURSAR_DEMO_KEY", "BURSAR_DEMO_SECRET"


def play(session: Session, seed: int) -> None:
    """Show what a first hour with bursar is like."""
    with tempfile.TemporaryDirectory(prefix="bursar-") as folder:
        own = msgspec.structs.replace(session, book=str(Path(folder) / "book.db"))
        asyncio.run(_play(own, Path(folder), seed))


async def _play(session: Session, folder: Path, seed: int) -> None:
    from bursar.app import SystemClock
    from bursar.cli import init

    clock = SystemClock(behind=_BEHIND, pace=_PACE)
    quiet = msgspec.structs.replace(session, is_quiet=True, wants_json=False)
    account = _account(clock, seed)
    init.init(folder / "config.yaml", session=quiet)
    async with _venue(account, clock, folder) as (fake, settings):
        scene = _Scene(session, fake, partial(sync.synced, session, settings, clock=clock))
        await (_tell(scene) if session.wants_json else _show(scene))


class _Scene(msgspec.Struct, frozen=True):
    """What the demonstration is played with. `sync` asks the venue and says what came of it."""

    session: Session
    fake: FakeKraken
    sync: Callable[..., Awaitable[SyncSummary]]

    def let_happen(self, part: int) -> None:
        """Let three quarters of the history have happened, or all of it."""
        rows = self.fake.house.account.rows
        self.fake.house.until = rows[len(rows) * 3 // 4].time if part < _ALL else None


async def _tell(scene: _Scene) -> None:
    from bursar.cli.answers import json_text

    told: dict[str, object] = {}
    for part in (1, _ALL):
        scene.let_happen(part)
        told["first" if part < _ALL else "later"] = sync.told(await scene.sync(_ASKED))
    with scene.session.open() as portfolio:
        told["status"] = status.told(portfolio, portfolio.equity(), name="main")
        told["drift"] = [drift.told(each) for each in drift.found(scene.session, portfolio)]
    print(json_text({**told, "requests": len(scene.fake.asked)}))


async def _show(scene: _Scene) -> None:
    session, screen = scene.session, scene.session.screen
    screen.print("An invented account behind a server that speaks as Kraken does; no keys needed.")
    screen.section("1", "Settings", "bursar init")
    screen.print("config.yaml: every setting, explained. Keys stay in the environment.")
    for part, title in ((1, "The whole history"), (_ALL, "Some weeks later")):
        asked = len(scene.fake.asked)
        scene.let_happen(part)
        screen.section(str(part + 1), title, "bursar sync")
        sync.show(screen, await scene.sync(_ASKED))
        screen.print(f"{len(scene.fake.asked) - asked} requests, no faster than the venue allows.")
    with session.open() as portfolio:
        screen.section("4", "What is there", "bursar status")
        status.show(screen, portfolio, portfolio.equity(), name="main")
    screen.section("5", "Does it agree", "bursar drift")
    drift.drift(session=session)
    screen.section("6", "Close what is open", "bursar drift accept 1")
    drift.accept(1, yes=True, session=session)
    screen.section("7", "Does it agree now", "bursar drift")
    drift.drift(session=session)


def _account(clock: SystemClock, seed: int) -> Account:
    """Invent an account that ends a minute ago, with one deposit missing in its ledger."""
    from bursar.sim.kraken import Planting, invent, plant

    span = invent(seed, ROWS).rows[-1].time - invent(seed, ROWS).rows[0].time
    account = invent(seed, ROWS, start=clock.now() - span - 2 * _MINUTE)
    return plant(account, Planting.MISSING_DEPOSIT, seed=seed).account


@asynccontextmanager
async def _venue(
    account: Account, clock: SystemClock, folder: Path
) -> AsyncIterator[tuple[FakeKraken, Settings]]:
    """Serve the account on this machine, and yield the settings that lead there."""
    from bursar.config import PREFIX, SecretName, load
    from bursar.sim.kraken import FakeKraken, Tier, serve

    fake = FakeKraken(account, clock=clock, tier=Tier.PRO)
    for name in [each for each in os.environ if each.startswith(PREFIX)]:
        del os.environ[name]  # the settings of this account are those of its own file
    os.environ |= {_KEY: fake.key, _SECRET: fake.secret, "XDG_STATE_HOME": str(folder)}
    told = load(folder / "config.yaml")
    async with serve(fake) as url:
        there = told.venues[0].model_copy(
            update={
                "url": url,
                "region": "GLOBAL",
                "tier": type(told.venues[0].tier).PRO,
                "key": SecretName(env=_KEY),
                "secret": SecretName(env=_SECRET),
            }
        )
        own = told.portfolio.model_copy(update={"book": str(folder / "book.db")})
        yield fake, told.model_copy(update={"venues": (there,), "portfolio": own})
