"""What went wrong, told in one block: message, code, what to do next. Never a traceback.

The block goes to stderr; with `--json` it is `{"error": {"code", "message", "context"}}` on stdout,
unless part of an answer is there already: then it goes to stderr, and
stdout ends where it broke off.
"""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from cyclopts import CycloptsError
from cyclopts.exceptions import (
    MissingArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from bursar.cli.answers import json_text, printable
from bursar.errors import (
    BrokenInvariant,
    BursarError,
    ConflictError,
    NotFound,
    PortfolioError,
    StoreError,
    ValueUnknown,
    VenueDenied,
    VenueError,
)

INPUT, ABSENT, STORE, BROKEN, UNSAID, STOPPED = 2, 3, 4, 70, 74, 130

COMMON: Final = (
    *("--config", "--book", "--portfolio", "--price", "--prices", "--at", "--known-at"),
    *("--exact", "--json", "--quiet"),
)
"""The options that every command takes; the library looks for a near one in the command's own."""

NEXT: Final = {
    "backup_damaged": "Nothing was restored. Use another backup, or take a new one.",
    "bad_choice": "Nothing was changed. Where the message names no way,"
    " `bursar COMMAND --help` does.",
    "broken_invariant": "Nothing was written. This is a mistake in bursar: keep the book as it is"
    " and report the message.",
    "conflicted": "Nothing was written. Remove the statement that is wrong, then import again.",
    "entry_not_found": "`bursar journal --grep TEXT` finds entries by their text.",
    "figure_not_found": "`bursar why equity` and `bursar why realized XBT` are two to start with.",
    "input": "Nothing was written. Look at the file, then run the command again.",
    "internal": "A mistake in bursar: please report it, with what BURSAR_TRACE=1 shows.",
    "key_reused": "Nothing was written. Choose another --id, or leave it out.",
    "malformed": "Nothing was written. Correct what the message names, then run it again.",
    "missing_mark": "Give a mark with --price ASSET=PRICE or --prices FILE.",
    "no_rate_path": "Give a mark with --price ASSET=PRICE or --prices FILE.",
    "not_installed": "Nothing was written. Install what the message names, then run it again.",
    "not_exact": "Nothing was changed. Write a plain decimal number such as 65000.5.",
    "outcome_unknown": "Run the same command again: what was written counts as duplicate.",
    "oversold": "Nothing was written. Import or enter what came in earlier first, or name the"
    " account that holds it (--account).",
    "portfolio": "Nothing was planned. Put right what the message names; --price ASSET=PRICE gives"
    " a price that is missing, and exclude_assets in the settings leaves out what no plan is to"
    " touch.",
    "portfolio_not_found": "`bursar new` or `bursar import FILE` makes one; --book and --portfolio"
    " choose another.",
    "schema_newer": "Upgrade bursar, then open the book again.",
    "stale_version": "Nothing was written. Run the command again.",
    "store": "Nothing was written. Put right what the message names, then run the command again.",
    "store_busy": "Nothing was written. Wait for the other writer, then run the command again.",
    "store_corrupt": "Nothing is written to this book any more. Restore a backup, or import the"
    " files into a new one.",
    "store_down": "Nothing was written. Look at the server and the address, then run it again.",
    "store_full": "Nothing was written. Make room, then run the command again.",
    "store_read_only": "Nothing was written. To write, open the file, its folder and what lies"
    " beside it (-wal, -shm) to yourself, or `bursar backup` and `restore` to where you may write.",
    "transaction_over": "Nothing was written. Begin another transaction.",
    "unknown_format": "Nothing was written. Export ledgers or trades as CSV and import that.",
    "venue_busy": "Nothing is lost. Wait until the venue lets you ask again, then run it again.",
    "venue_denied": "Look at the key and its rights; docs/KRAKEN.md says which it needs.",
    "venue_down": "Nothing is lost. Run the command again when the venue is back.",
    "venue_garbled": "Nothing is lost. Run it again; if it stays, report what the message says.",
    "venue_incomplete": "Nothing is lost. Run it again; `bursar sync --anew` reads every row again,"
    " and `--allow-breaks` goes on; `bursar drift` then says where.",
    "usage": "Nothing was done. `bursar --help` lists commands, `bursar COMMAND --help` what each"
    " takes.",
}


BROKEN_OFF: Final = "the JSON on stdout broke off; what came before it is no whole answer"


def told(error: BaseException, *, wants_json: bool) -> int:
    """Tell an error and return its exit code. What nobody foresaw is our own mistake."""
    if BROKEN_OFF in getattr(error, "__notes__", ()):
        sys.stdout.flush()
        print(f"\nbursar: {BROKEN_OFF}", file=sys.stderr)
        wants_json = False
    match error:
        case KeyboardInterrupt():
            print("\nbursar: stopped; what was not committed is not written", file=sys.stderr)
            return STOPPED
        case BursarError() | BrokenInvariant():
            _tell(error.code, error.message, error.context, wants_json=wants_json)
        case OSError():
            place = {"file": error.filename} if isinstance(error.filename, str) else {}
            named = f"{error.filename}: {error.strerror}" if place else str(error)
            _tell("input", named, place, wants_json=wants_json)
        case UnicodeEncodeError():  # bytes of the command line that are no text in its encoding
            lacking = repr(error.object[error.start : error.end])
            _tell("input", f"what was said is no text: {lacking}", {}, wants_json=wants_json)
        case UnusedCliTokensError(unused_tokens=[*rest]):
            _tell(
                "usage", f"more than the command takes: {' '.join(rest)}", {}, wants_json=wants_json
            )
        case CycloptsError():
            _tell("usage", _usage(error), {}, wants_json=wants_json)
        case _:
            _tell("internal", f"{type(error).__name__}: {error}", {}, wants_json=wants_json)
    return exit_code(error)


def _usage(error: CycloptsError) -> str:
    """Say what the library says, and of a name that is none also which option of all commands was
    meant; of one that lacks, that it does.
    """
    said = str(error)
    match error:
        case UnknownOptionError() if "Did you mean" not in said:
            near = get_close_matches(error.token.keyword or error.token.value, COMMON, 1)
            return f"{said} Did you mean {near[0]}?" if near else said
        case MissingArgumentError(argument=argument) if argument and not argument.tokens:
            if error.keyword is None:
                name = argument.name
                is_placed = argument.field_info.is_positional
                word = name.removeprefix("--").upper() if is_placed else name
                return f"{' '.join(error.command_chain or ())} needs {word}"
    return said


def unsaid(error: OSError) -> int:
    """Tell that the answer could not be written, and return the exit code of that. What a command
    has done by then is done: only its answer is lost.
    """
    print(
        f"bursar: the answer could not be written: {error.strerror or error}",
        "  code  unsaid",
        "  next  What the command did stands. Look (`bursar journal`) before you run it again.",
        sep="\n",
        file=sys.stderr,
    )
    return UNSAID


def exit_code(error: BaseException) -> int:
    """Return what the command line ends with after an error."""
    match error:
        case PortfolioError(__cause__=BursarError() as behind):
            return exit_code(behind)
        case NotFound() | ValueUnknown():
            return ABSENT
        case VenueDenied():
            return INPUT
        case StoreError() | ConflictError() | VenueError():
            return STORE
        case BursarError() | CycloptsError() | OSError() | UnicodeEncodeError():
            return INPUT
        case _:
            return BROKEN


def _tell(code: str, message: str, context: Mapping[str, object], *, wants_json: bool) -> None:
    if wants_json:
        found = {"code": code, "message": message, "context": dict(context)}
        print(json_text({"error": found}))
        return
    lines = [f"bursar: {printable(message)}", f"  code  {code}"]
    if code in NEXT:
        lines.append(f"  next  {NEXT[code]}")
    print("\n".join(lines), file=sys.stderr)
