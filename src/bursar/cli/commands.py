"""All commands by name, the options that every one of them takes, and how a line is run."""

import codecs
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from errno import EBADF, EDQUOT, EFBIG, EIO, ENOSPC
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import App, Group, Parameter

from bursar import __version__
from bursar.cli import allocate, drift, faults, portfolios, token, tx
from bursar.cli.add import add
from bursar.cli.answers import plainly
from bursar.cli.backup import backup, restore
from bursar.cli.demo import demo
from bursar.cli.export import export
from bursar.cli.fees import fees
from bursar.cli.flows import flows
from bursar.cli.importing import import_files
from bursar.cli.init import init
from bursar.cli.journal import journal
from bursar.cli.lots import lots
from bursar.cli.new import new
from bursar.cli.notes import link, price, tag
from bursar.cli.performance import performance
from bursar.cli.plan import plan
from bursar.cli.pnl import pnl
from bursar.cli.positions import positions
from bursar.cli.profits import profits
from bursar.cli.report import report
from bursar.cli.reverse import reverse
from bursar.cli.serve import serve
from bursar.cli.session import Session, found_config, passed_over
from bursar.cli.sim import sim
from bursar.cli.status import status
from bursar.cli.sync import sync
from bursar.cli.trades import trades
from bursar.cli.verify import verify
from bursar.cli.watch import watch
from bursar.cli.why import why
from bursar.errors import BadChoice

_PURPOSE: Final = "Knows exactly what you own, what it cost and what it is worth."
_CODES: Final = (
    "Exit codes: 0 fine · 1 a check failed (verify), or there is work (plan) · 2 wrong usage or"
    " input, nothing written · 3 not found or not known · 4 store or venue refuses, or someone was"
    " first · 5 only shown, not written · 70 broken invariant · 74 stdout takes no answer."
)
_START: Final = Group("Start here", sort_key=1)
_ASK: Final = Group("Ask", sort_key=2)
_ENTER: Final = Group("Enter by hand", sort_key=3)
_CHECK: Final = Group("Check and take away", sort_key=4)
_DECIDE: Final = Group("Decide", sort_key=5)
_SERVE: Final = Group("Serve", sort_key=6)
_BESIDES: Final = Group("Besides", sort_key=7)
_EVERY: Final = Group("Options of every command", sort_key=9)
_COMMANDS: Final[dict[Group, tuple[Callable[..., int], ...]]] = {
    _START: (demo, init, sync, import_files, new),
    _ASK: (status, watch, positions, pnl, performance, report, lots, fees, flows, trades),
    _DECIDE: (plan, profits),
    _ENTER: (add, price, tag, link, reverse),
    _SERVE: (serve,),
    _CHECK: (why, verify, journal, export, backup, restore),
}
_NAMES: Final = {import_files: "import"}
_APART: Final = (("demo",), ("sim",))
_MUTE: Final = {ENOSPC, EDQUOT, EFBIG, EIO, EBADF}
_TRACE: Final = "BURSAR_TRACE"
_LOG: Final = "BURSAR_LOG"


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    No error leaves here, but with BURSAR_TRACE in the environment every one does, with its trace.
    """
    wants_json = "--json" in arguments
    if _LOG not in os.environ:  # what an operator has to know, a command says itself
        logging.getLogger("bursar").addHandler(logging.NullHandler())
        logging.getLogger("bursar").propagate = False
    _open_all()
    codecs.register_error("plainly", plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plainly")
    try:
        answer = _app().meta(list(arguments))
        sys.stdout.flush()
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # as rich leaves then
            return _unheard()
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BrokenPipeError:  # `bursar journal | head`
        return _unheard()
    except (KeyboardInterrupt, Exception) as error:
        if _TRACE in os.environ:
            raise
        return _told(error, wants_json=wants_json)
    return answer if isinstance(answer, int) else 0


def _told(error: BaseException, *, wants_json: bool) -> int:
    """Tell an error, also where what tells it fails."""
    try:
        if isinstance(error, OSError) and error.errno in _MUTE and error.filename is None:
            raise error  # all files but stdout are named
        code = faults.told(error, wants_json=wants_json)
        sys.stdout.flush()
    except OSError as worse:
        _silence()
        return faults.unsaid(worse)
    return code


def _unheard() -> int:
    """Say nothing more to somebody who has heard enough."""
    _silence()
    return 0


def _silence() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _open_all() -> None:
    """Give a stream that was closed before the start a place where nothing comes from and all goes:
    the next file that is opened, the book perhaps, would take its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


@cache  # a process that runs many command lines, as tests do, makes it once
def _app() -> App:
    app = App(
        name="bursar",
        help=_PURPOSE,
        help_epilogue=_CODES,
        version=__version__,
        group_commands=_BESIDES,
        default_parameter=Parameter(negative="", show_default=False),
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,  # `faults` tells of it
    )
    app.meta.suppress_keyboard_interrupt = False
    for group, commands in _COMMANDS.items():
        for rank, command in enumerate(commands):
            name = _NAMES.get(command, command.__name__)
            app.command(command, name=name, group=group, sort_key=rank)
    app.command(portfolios.made(_START))
    app.command(drift.app(_CHECK))
    app.command(allocate.app(_DECIDE))
    app.command(allocate.strategies, name="strategies", group=_DECIDE, sort_key=9)
    app.command(tx.app(_ENTER))
    app.command(token.app(_SERVE))
    app.command(sim, name="sim")
    app.register_install_completion_command(add_to_startup=False)
    app.meta.group_parameters = _EVERY
    app.meta.default(_launcher(app))
    return app


def _launcher(app: App) -> Callable[..., object]:
    def launch(  # noqa: PLR0913 (the options that every command takes)
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        config: Annotated[Path | None, Parameter(env_var="BURSAR_CONFIG")] = None,
        book: Annotated[str | None, Parameter(env_var="BURSAR_BOOK")] = None,
        portfolio: str | None = None,
        price: tuple[str, ...] = (),
        prices: Path | None = None,
        at: str | None = None,
        known_at: str | None = None,
        exact: bool = False,
        json: bool = False,
        quiet: bool = False,
    ) -> object:
        """Find the command and hand it the session.

        Args:
            config: The settings; by default config.yaml, if it is here and speaks of a portfolio.
            book: The database: a file, or a URL. By default what the settings say, or bursar.db.
            portfolio: The portfolio in it. By default what the settings say, or main.
            price: A mark such as XBT=65000, in base currency, or ATOM/XBT=0.0002. Repeatable.
            prices: A prices file (asset, time, price, quote) to take marks from; nothing is booked.
            at: Show the book as it was at a time: 2024-01-15, 2024-01-15T12:00:00Z. Looks only.
            known_at: Show what was known at a time, or at a row of the journal: '#120'. Looks only.
            exact: Every digit, as in --json.
            json: One JSON document on stdout: decimals as strings, times in UTC.
            quiet: No remarks and no progress.

        """
        named = ("--book", "BURSAR_BOOK", book), ("--config", "BURSAR_CONFIG", config)
        for option, variable, said in (*named, ("--portfolio", None, portfolio)):
            if said in {"", Path()}:  # an empty variable of a script must not mean the usual one
                where = option if variable is None else f"{option} (or {variable})"
                raise BadChoice(f"{where} is empty; leave it out, or say which", option=option)
        is_apart = tokens[:1] in _APART
        session = Session(
            book or "bursar.db",
            portfolio or "main",
            price,
            prices,
            is_exact=exact,
            wants_json=json,
            is_quiet=quiet,
            at=at,
            known_at=known_at,
            config=None if is_apart else found_config(config),
            is_apart=is_apart,
        )
        if session.config is None and not is_apart and (said := passed_over()) is not None:
            session.screen.remark(said)
        if session.is_told and not (book and portfolio):
            own = session.settings.portfolio
            chosen = {"book": book or own.book, "portfolio": portfolio or own.name}
            session = msgspec.structs.replace(session, **chosen)
        command, bound, hidden = app.parse_args(tokens)
        try:
            return command(*bound.args, **bound.kwargs, **dict.fromkeys(hidden, session))
        finally:
            session.rest()

    return launch
