"""`bursar demo`: a live page, or the main job in text, on a made-up account; nothing is left."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from cyclopts import Parameter, validators

from bursar.cli.counts import Real, Whole
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.cli.screen import Screen
    from bursar.portfolio import Portfolio

BASE: Final = "EUR"
METHODS: Final = ("wac", "fifo", "hifo")
Port = Annotated[Whole, Parameter(validator=validators.Number(gte=0, lte=65_535))]
Speed = Annotated[Real, Parameter(validator=validators.Number(gt=0, lte=100))]
Size = Annotated[Whole, Parameter(validator=validators.Number(gte=1_000, lte=1_000_000_000))]
Seconds = Annotated[Real, Parameter(validator=validators.Number(gt=0, lte=86_400))]
_STORY: Final = "kraken-story-a"
_FIRST: Final = ("ledgers.gen4-16col.csv", "trades.gen2-24col.csv", "prices.csv")
_AGAIN: Final = ("ledgers.gen1-10col.csv", "trades.gen1-13col.csv")


def demo(  # noqa: PLR0913 (the options of a command)
    what: Literal["page", "story", "files", "kraken"] = "page",
    *,
    keep: Path | None = None,
    seed: Whole = 7,
    speed: Speed = 1.0,
    portfolio_size: Size = 250_000,
    port: Port = 8004,
    seconds: Seconds | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Open a live page on a made-up account: three strategies and a person trade, no keys needed.

    `bursar demo story` tells the main job in text on made-up export files: import, status, PnL,
    why, verify. `bursar demo kraken` follows a made-up account live: init, sync, status, drift.

    Nothing it writes is yours: the book is a temporary one. Where no terminal is looked at, the
    page is up for a few seconds and the command ends by itself.

    Args:
        what: The page; the story from export files (`files` is its old name); or `kraken`.
        seed: Which account and market are invented.
        keep: `story`: keep the book in this file, to go on with; by default it is thrown away.
        speed: How fast the market moves; at 1 it lives a day in twenty minutes.
        portfolio_size: With how many dollars the account begins.
        port: Where the page is; 0 takes a free port, and so does a port that is taken.
        seconds: End by itself after so many seconds.

    """
    from bursar.errors import BadChoice

    session.require_present()
    if what == "page":
        if keep is not None:
            raise BadChoice("only the story's book can be kept: bursar demo story --keep FILE")
        from bursar.cli import demo_page

        wish = demo_page.Wish(seed, portfolio_size, speed, port, seconds)
        return demo_page.play(session, wish)
    if what == "kraken":
        from bursar.cli import demo_kraken

        demo_kraken.play(session, seed)
        return 0
    if keep is not None and keep.exists():
        raise BadChoice(f"{keep} is there already; the demo makes a book of its own")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bursar-"))
        book = Path(folder) / "demo.db" if keep is None else keep
        own = msgspec.structs.replace(session, book=str(book), portfolio="main")
        story = files("bursar.samples") / _STORY
        first = [stack.enter_context(as_file(story / name)) for name in _FIRST]
        again = [stack.enter_context(as_file(story / name)) for name in _AGAIN]
        if session.wants_json:
            own.tell(_told(own, first, again))
        else:
            _show(own, first, again, keep)
    return 0


def _told(session: Session, first: list[Path], again: list[Path]) -> dict[str, object]:
    from bursar.cli import importing, pnl, status, verify, why

    imported = importing.run(session, first, base=BASE)[0]
    repeated = importing.run(session, again)[0]
    with session.open() as portfolio:
        marks = session.marks(portfolio)
        return {
            "import": importing.told(imported),
            "again": importing.told(repeated),
            "status": status.told(portfolio, portfolio.equity(marks), name="main"),
            "pnl": [
                pnl.told(each) for each in portfolio.pnl("asset", methods=METHODS, prices=marks)
            ],
            "why": why.told(portfolio.why("realized", "XBT", marks)),
            "verify": verify.told(portfolio.verify()),
        }


def _show(session: Session, first: list[Path], again: list[Path], keep: Path | None) -> None:
    from bursar.cli import importing

    screen = session.screen
    _banner(screen)
    screen.section("1", "Import", "bursar import ledgers.csv trades.csv prices.csv --base EUR")
    importing.show(screen, importing.run(session, first, base=BASE)[0])
    screen.section("2", "Import an older export of the same account", "nothing is counted twice")
    importing.show(screen, importing.run(session, again)[0])
    with session.open() as portfolio:
        _show_book(session, portfolio)
    _next(screen, keep)


def _show_book(session: Session, portfolio: Portfolio) -> None:
    from bursar.cli import pnl, status, verify, why

    screen, marks = session.screen, session.marks(portfolio)
    screen.section("3", "What is there", "bursar status")
    status.show(screen, portfolio, portfolio.equity(marks), name="main")
    screen.section("4", "What was made", "bursar pnl --by asset --method wac,fifo,hifo")
    pnl.show(screen, portfolio.pnl("asset", methods=METHODS, prices=marks), portfolio.terms.base)
    screen.section("5", "Why", "bursar why realized XBT")
    why.show(screen, portfolio.why("realized", "XBT", marks))
    screen.section("6", "Is it right", "bursar verify")
    verify.show(screen, portfolio.verify())


def _banner(screen: Screen) -> None:
    from rich.text import Text

    line = Text("bursar", style="bold")
    line.append("  knows exactly what you own, what it cost and what it is worth", style="not bold")
    screen.console.print(line)
    screen.print("A made-up Kraken account of January 2024, every case its exports can hold.")


def _next(screen: Screen, keep: Path | None) -> None:
    screen.section("→", "Yours", "the same on your own files")
    screen.print(
        "  bursar import ledgers.csv trades.csv --base EUR",
        "  bursar status --price XBT=65000",
        "  bursar why equity",
    )
    if keep is not None:
        screen.print("", f"The demo's own book is in {keep}: bursar status --book {keep}")
