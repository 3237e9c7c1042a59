"""A prices file: what one unit of an asset was worth at a time, from any source the user trusts.

Columns `asset`, `time`, `price`, and `quote` unless the caller names one for the whole file.

Errors: as `table`; `Malformed` also for a price below zero, or where nobody names the quote.
"""

from typing import Final

from bursar.ledger import instant
from bursar.ledger.entries import Price, Source
from bursar.venue.files.reading import FileReading, Options
from bursar.venue.files.table import Table

PRICES: Final = "prices"
ACCOUNT: Final = "prices:file"


def read_prices(table: Table, account: str | None, options: Options) -> FileReading:
    """Read a prices file: one `Price` a row, known by asset, quote and time."""
    places = tuple(table.place(column) for column in ("asset", "time", "price"))
    quoted = table.place_if_any("quote") if options.quote else table.place("quote")
    said: dict[str, Price] = {}
    count = 0
    for line, cells in table:
        asset, time, price = (cells[place] for place in places)
        quote = (cells[quoted] if quoted is not None else "") or options.quote or ""
        for column, text in (("asset", asset), ("quote", quote)):
            if not text:
                raise table.fault(line, column, text, "a name like XBT")
        at = table.time(line, "time", time)
        value = table.unsigned(line, "price", price)
        entry = Price(
            id=f"price:{asset}:{quote}:{instant.show(at)}",
            executed_at=at,
            account=account or ACCOUNT,
            source=Source.CLAIM,
            asset=asset,
            quote=quote,
            value=value,
        )
        if said.setdefault(entry.id, entry).value != value:
            raise table.fault(
                line, "price", price, "the price that the file gave for that time before"
            )
        count += 1
    statements = tuple(said.values())
    return FileReading(
        format=PRICES, statements=statements, rows=count, repeated=count - len(statements)
    )
