"""All commands by name, the options that every one of them takes, and how a line is run."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Group, Parameter

from bursar import __version__
from bursar.cli import faults
from bursar.cli.session import Session

_PURPOSE: Final = "Knows exactly what you own, what it cost and what it is worth."
_CODES: Final = (
    "Exit codes: 0 fine · 1 a check failed (verify) · 2 wrong usage or input, nothing written ·"
    " 3 not found or not known · 4 the store refuses or someone was first · 70 broken invariant."
)
_START: Final = Group("Start here", sort_key=1)
_ASK: Final = Group("Ask", sort_key=2)
_CHECK: Final = Group("Check and take away", sort_key=3)
_EVERY: Final = Group("Options of every command", sort_key=9)
_COMMANDS: Final[tuple[tuple[str, str, Group], ...]] = (
    ("demo", "demo:demo", _START),
    ("import", "importing:import_files", _START),
    ("new", "new:new", _START),
    ("status", "status:status", _ASK),
    ("positions", "positions:positions", _ASK),
    ("pnl", "pnl:pnl", _ASK),
    ("lots", "lots:lots", _ASK),
    ("fees", "fees:fees", _ASK),
    ("flows", "flows:flows", _ASK),
    ("trades", "trades:trades", _ASK),
    ("why", "why:why", _CHECK),
    ("verify", "verify:verify", _CHECK),
    ("journal", "journal:journal", _CHECK),
    ("export", "export:export", _CHECK),
)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. No error of the world leaves here."""
    wants_json = "--json" in arguments
    try:
        answer = _app().meta(list(arguments))
        sys.stdout.flush()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BrokenPipeError:  # `bursar journal | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except (*faults.EXPECTED, CycloptsError) as error:
        return faults.told(error, wants_json=wants_json)
    return answer if isinstance(answer, int) else 0


def _app() -> App:
    app = App(
        name="bursar",
        help=_PURPOSE,
        help_epilogue=_CODES,
        version=__version__,
        default_parameter=Parameter(negative="", show_default=False),
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
    )
    for name, place, group in _COMMANDS:
        app.command(f"bursar.cli.{place}", name=name, group=group)
    app.register_install_completion_command(add_to_startup=False)
    app.meta.group_parameters = _EVERY
    app.meta.default(_launcher(app))
    return app


def _launcher(app: App) -> Callable[..., object]:
    def launch(  # noqa: PLR0913 (each is an option that every command takes)
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        book: Annotated[str, Parameter(env_var="BURSAR_BOOK", show_default=True)] = "bursar.db",
        portfolio: Annotated[str, Parameter(show_default=True)] = "main",
        price: tuple[str, ...] = (),
        prices: Path | None = None,
        exact: bool = False,
        json: bool = False,
        quiet: bool = False,
    ) -> object:
        """Find the command and hand it the session.

        Args:
            book: The database: a file, or a URL.
            portfolio: The portfolio in it.
            price: A mark such as XBT=65000, in base currency, or ATOM/XBT=0.0002. Repeatable.
            prices: A prices file (asset, time, price, quote) to take marks from; nothing is booked.
            exact: Every digit, as in --json.
            json: One JSON document on stdout: decimals as strings, times in UTC.
            quiet: No remarks and no progress.

        """
        session = Session(
            book=book,
            portfolio=portfolio,
            price=price,
            prices=prices,
            is_exact=exact,
            wants_json=json,
            is_quiet=quiet,
        )
        command, bound, hidden = app.parse_args(tokens)
        return command(*bound.args, **bound.kwargs, **dict.fromkeys(hidden, session))

    return launch
