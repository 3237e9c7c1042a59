"""Files: any export that a user has, told apart by what stands in it, read into statements.

`read` looks at the column names, never at the file's name, except that `*.journal` is the golden
language.

Errors: `UnknownFormat` for a file that no reader knows, `InputError` for one that cannot be opened;
what a reader finds wrong is `Malformed`, `OutOfBounds` or `UnknownAsset` and names file, line and
column. `BadChoice` for an account that is none, or is of another venue than the file.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from bursar.errors import BadChoice, InputError, Malformed, UnknownFormat
from bursar.ledger.entries import venue
from bursar.venue.files import binance
from bursar.venue.files.alpaca import FIELDS as ALPACA_FIELDS
from bursar.venue.files.alpaca import read_activities
from bursar.venue.files.blocks import Blocks
from bursar.venue.files.generic import KNOWN_BY as EVENTS_KNOWN_BY
from bursar.venue.files.generic import read_events
from bursar.venue.files.kraken import read_ledgers, read_trades
from bursar.venue.files.kraken_streams import stream_ledgers, stream_trades
from bursar.venue.files.objects import is_json, opened_objects
from bursar.venue.files.prices import read_prices
from bursar.venue.files.reading import AN_ACCOUNT, PLACE, FileReading, Options
from bursar.venue.files.table import Progress, Table, lines, opened, readable

__all__ = ["FileReading", "Options", "read"]

GOLDEN: Final = "golden journal"
_HEAD: Final = 64 * 1024
_GOLDEN_START: Final = re.compile(r"@|\d{4}-\d\d-\d\dT\d\d:\d\d")
_ARCHIVES: Final = {
    b"PK\x03\x04": "a zip archive or a spreadsheet; unpack the one, save the other as CSV",
    b"\x1f\x8b": "packed by gzip; unpack it first",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}
_DEFAULTS: Final = Options()
_KRAKEN, _BINANCE, _ALPACA = "kraken", "binance", "alpaca"

_Reader = Callable[[Table, str | None, Options], FileReading]

# The first whose columns are all there reads the file, for an account of its venue.
_READERS: Final[tuple[tuple[frozenset[str], _Reader, str | None], ...]] = (
    (frozenset({"txid", "refid"}), read_ledgers, _KRAKEN),
    (frozenset({"txid", "pair"}), read_trades, _KRAKEN),
    *((columns, reader, _BINANCE) for columns, reader in binance.READERS),
    (ALPACA_FIELDS.known_by, read_activities, _ALPACA),
    (EVENTS_KNOWN_BY, read_events, None),
    (frozenset({"asset", "time", "price"}), read_prices, None),
)


_Stream = Callable[[Table, Blocks, str | None, Progress | None], FileReading]

# Formats whose big files are streamed, where the file turns out to be plain.
_STREAMS: Final[dict[_Reader, _Stream]] = {read_ledgers: stream_ledgers, read_trades: stream_trades}


def read(
    path: str | os.PathLike[str],
    account: str | None = None,
    *,
    options: Options = _DEFAULTS,
    progress: Progress | None = None,
) -> FileReading:
    """Read a file into statements for `account`, by default its venue's main account."""
    place = Path(path)
    if _is_golden(place):
        return _read_golden(place, options, progress)
    if is_json(place):
        with opened_objects(place, ALPACA_FIELDS, progress=progress) as table:
            _check_account(account, _ALPACA, table)
            return read_activities(table, account, options)
    with opened(place, progress=progress) as table:
        reader, of = _reader(table)
        _check_account(account, of, table)
        stream = _STREAMS.get(reader)
        if stream is not None:
            with suppress(InputError):  # not plain, or faulty: the reader tells which, and where
                blocks = Blocks(place, len(table.columns))
                if blocks.size >= options.stream_from:
                    return stream(table, blocks, account, progress)
        return reader(table, account, options)


def _reader(table: Table) -> tuple[_Reader, str | None]:
    table.rename(binance.in_english(table.columns))
    for columns, reader, of in _READERS:
        if columns <= set(table.columns):
            return reader, of
    seen = ", ".join(table.columns)[:200]
    raise UnknownFormat(
        f"{table.name}, line 1: no reader knows the columns {seen!r}; known are"
        " Kraken's ledgers.csv and trades.csv, Binance's trade, transaction and futures histories,"
        " Alpaca's activities (id, activity_type, …), events (time, type, asset, quantity, …)"
        " and prices (asset, time, price, quote)",
        file=table.name,
    )


def _check_account(account: str | None, of: str | None, table: Table) -> None:
    """Refuse an account that is none, or another venue's: its rows would be nobody's."""
    if account is None:
        return
    if PLACE.fullmatch(account) is None:
        raise BadChoice(f"{account!r} is no account, expected {AN_ACCOUNT}", account=account)
    if of not in {None, venue(account)}:
        raise BadChoice(
            f"{table.name} is of {of}, and {account} is no account there; name one such as"
            f" {of}:main, and import files of several venues apart",
            account=account,
            file=table.name,
        )


def _is_golden(path: Path) -> bool:
    if path.suffix == ".journal":
        return True
    with readable(path) as file:
        head = file.read(_HEAD)
    for start, kind in _ARCHIVES.items():
        if head.startswith(start):
            raise UnknownFormat(f"{path.name}: {kind}", file=path.name)
    said = (line.strip() for line in head.decode("utf-8-sig", errors="replace").splitlines())
    first = next((line for line in said if line and not line.startswith("#")), "")
    return _GOLDEN_START.match(first) is not None


def _read_golden(path: Path, options: Options, progress: Progress | None) -> FileReading:
    if options.golden is None:
        raise UnknownFormat(f"{path.name}: a golden journal, and no reader for it", file=path.name)
    with readable(path) as file:
        try:
            statements = tuple(options.golden(lines(path, file, progress)))
        except Malformed as error:
            told = {"file": path.name, **error.context}
            raise Malformed(f"{path.name}, {error.message}", **told) from None
    return FileReading(format=GOLDEN, statements=statements, rows=len(statements))
