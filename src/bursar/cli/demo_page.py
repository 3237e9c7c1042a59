"""`bursar demo`: the page, live, over a made-up market. The book is temporary, and so is all else.

The account's past is written first (`sim.show`), then the service opens that book as it would any
other, and the show goes on as a task beside it. Without a terminal, or with `--seconds`, it ends by
itself and says what came to pass.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.cli.session import Session

if TYPE_CHECKING:
    from bursar.config import Settings
    from bursar.ports import Bus
    from bursar.sim.show import Present

UNWATCHED_S: Final = 6.0
NAME: Final = "demo"
_UNTOLD_S: Final = 30
"""When the venue begins to know of a trade that no bot has told."""


class Wish(msgspec.Struct, frozen=True):
    """What was asked for."""

    seed: int
    size: int
    speed: float
    port: int
    seconds: float | None


def play(session: Session, wish: Wish) -> int:
    """Write the past, serve the page, and go on until it is over."""
    from bursar.app import SystemClock
    from bursar.serve.running import run
    from bursar.serve.service import Service

    seconds = wish.seconds
    if seconds is None and (session.wants_json or not sys.stdout.isatty()):
        seconds = UNWATCHED_S
    with tempfile.TemporaryDirectory(prefix="bursar-demo-") as folder:
        book = Path(folder) / "demo.db"
        settings = _settings(book, _free(wish.port))

        async def going_on(opened: object) -> None:
            await present.run(opened)  # type: ignore[arg-type]  # the keeper's own

        service = Service(settings, beside=(going_on,))
        present = world(wish, book, lambda: service.carrier.bus, now=SystemClock().now())
        url: list[str] = []

        def told(address: str) -> None:
            url.append(address)
            _greet(session, address, book, seconds)

        run(settings, told=told, service=service, seconds=seconds, level="WARNING")
        _sum_up(session, book, present, url[0])
    return 0


def world(wish: Wish, book: Path, bus: Callable[[], Bus | None], *, now: int) -> Present:
    """Write the past of the world that was asked for, and return what goes on from there."""
    from bursar.sim.show import Present, Shape, prepare

    scene = prepare(book, Shape(wish.seed, Decimal(wish.size)), now=now)
    return Present(scene, bus, speed=wish.speed)


def _settings(book: Path, port: int) -> Settings:
    """Return settings of the demo's own: neither config.yaml nor the environment counts."""
    from bursar.config import EventFamily, HttpSettings, PortfolioSettings, Settings
    from bursar.sim.show.past import ACCOUNT

    own = PortfolioSettings.model_construct().model_copy(
        update={
            "book": str(book),
            "name": NAME,
            "http": HttpSettings(port=port),
            "event_accounts": {ACCOUNT: EventFamily.ORDER},
            "event_default_account": ACCOUNT,
        }
    )
    return Settings(portfolio=own)


def _free(port: int) -> int:
    """Return the port, or 0 (a free one) where somebody has it already."""
    import socket

    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _greet(session: Session, url: str, book: Path, seconds: float | None) -> None:
    if session.wants_json:
        return
    end = "Ctrl-C ends it." if seconds is None else f"It ends by itself in {seconds:g} seconds."
    session.screen.print(
        "Three strategies and a person trade in a made-up market. Nothing of it is yours.",
        "",
        f"  {url}",
        "",
        f"{end} In text instead: bursar demo story",
    )
    if seconds is None or seconds > _UNTOLD_S:
        session.screen.print(
            "After half a minute the venue knows of a trade that no bot has told. In another"
            " terminal:"
        )
        for deed in ("drift", "drift accept 1"):  # to be copied, so never on two lines
            session.screen.raw(f"  bursar {deed} --book {book} --portfolio {NAME}")
    sys.stdout.flush()


def _sum_up(session: Session, book: Path, present: Present, url: str) -> None:
    """Say what came to pass, from the book itself."""
    from bursar.cli.figures import count

    own = msgspec.structs.replace(session, book=str(book), portfolio=NAME)
    with own.open() as portfolio:
        equity, checked = portfolio.equity(), portfolio.verify()
        if session.wants_json:
            session.tell(
                {
                    "url": url,
                    "ticks": present.ticks,
                    "fills": present.fills,
                    "equity": equity.value,
                    "is_sound": checked.is_sound,
                }
            )
            return
        session.screen.print(
            "",
            f"{count(present.ticks, 'tick')} and {count(present.fills, 'fill')} came while it was"
            f" up; equity {equity}; the books {'close' if checked.is_sound else 'do NOT close'}.",
        )
