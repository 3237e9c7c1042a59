"""Alpaca's account activities, as JSON of the API or as a CSV of the same fields.

A row is known by `id` and `activity_type`; which other fields it must have depends on its type.
Rows that are pending are counted and left out. A row that stands in the file twice in the same
words is read once, as where pages overlap; the same id with another status is told as well.

Errors: as `table` and `objects`; `Malformed` also for an id told twice in different words and for
rows of two accounts.
"""

import re
from decimal import Decimal
from typing import Final

from bursar.exact import ZERO
from bursar.ledger.entries import AnyEntry
from bursar.venue.alpaca.kinds import FILL, may_move_units
from bursar.venue.alpaca.rows import Row
from bursar.venue.alpaca.statements import (
    ACCOUNT,
    CANCELED,
    CORRECTED,
    OPENS_SHORT,
    PENDING,
    SIDES,
    statements,
)
from bursar.venue.alpaca.symbols import is_adjusted
from bursar.venue.files.objects import Fields
from bursar.venue.files.reading import FileReading, Options
from bursar.venue.files.table import Table, one_line
from bursar.venue.files.unique import UniqueRows

ACTIVITIES: Final = "alpaca activities"
FIELDS: Final = Fields(
    texts=frozenset(
        {
            "account_id",
            "activity_sub_type",
            "activity_type",
            "currency",
            "date",
            "description",
            "group_id",
            "id",
            "order_id",
            "side",
            "status",
            "symbol",
            "transaction_time",
            "type",
        }
    ),
    numbers=frozenset({"cum_qty", "net_amount", "per_share_amount", "price", "qty"}),
    known_by=frozenset({"id", "activity_type"}),
    said="Alpaca's account activities",
)
# What moved, what moved nothing, and what may yet move. Any other word is kept, and shown.
_STATUSES: Final = {
    **dict.fromkeys(("", "executed"), ""),
    **dict.fromkeys((CORRECTED, "corrected"), CORRECTED),
    **dict.fromkeys((CANCELED, "cancelled", "rejected", "refused", "failed"), CANCELED),
    **dict.fromkeys((PENDING, "queued", "sent_to_clearing", "processing"), PENDING),
}
_EXECUTIONS: Final = frozenset({"", "fill", "partial_fill"})
_A_NAME: Final = "a name without blanks"
_STANDARD: Final = "a stock, a pair like BTC/USD or an option of a hundred shares"
_NAME: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_SYMBOL: Final = re.compile(r"[A-Za-z0-9._-]{1,32}(?:/[A-Za-z0-9._-]{1,32})?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3,5}", re.ASCII)


def read_activities(table: Table, account: str | None, options: Options) -> FileReading:
    """Read account activities: for each row what it states."""
    account = account or ACCOUNT
    may_short = options.shorts is None or account in options.shorts
    cells = Cells(table)
    kept = UniqueRows[Row](table, "id")
    pending = 0
    for line, given in table:
        row = cells.read(line, given)
        if row.side in OPENS_SHORT and not may_short:
            expected = (
                f"a sale of what is held: {account} may not sell short in this book; `bursar new"
                f" --short {account}` makes one where it may"
            )
            raise table.fault(line, "side", row.side, expected)
        if row.status == PENDING:
            pending += 1
        else:
            kept.add(line, row, row.id, row.status)
    stated: list[AnyEntry] = []
    for row in kept.rows:
        stated += statements(row, account=account)
    return FileReading(
        format=ACTIVITIES,
        statements=tuple(stated),
        rows=len(kept.rows) + kept.repeated + pending,
        pending=pending,
        repeated=kept.repeated,
    )


class Cells:
    """Where the cells of an activity stand, and how to read them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._places = {column: table.place_if_any(column) for column in FIELDS.columns}
        self._account_id = ""

    def read(self, line: int, cells: list[str]) -> Row:
        """Read one row."""
        given = {
            column: "" if place is None else cells[place].strip()
            for column, place in self._places.items()
        }
        name, type_ = self._name(line, given, "id"), self._name(line, given, "activity_type")
        self._check_account(line, given["account_id"])
        row = Row(
            id=name,
            type=type_,
            at=self._time(line, given),
            sub_type=given["activity_sub_type"],
            status=_STATUSES.get(given["status"], given["status"]),
            symbol=self._matching(line, "symbol", given["symbol"], _SYMBOL, "a symbol like AAPL"),
            side=given["side"],
            quantity=self._number(line, given, "qty") or ZERO,
            price=self._number(line, given, "price"),
            amount=self._number(line, given, "net_amount") or ZERO,
            currency=self._matching(
                line, "currency", given["currency"], _CURRENCY, "a currency like USD"
            )
            or "USD",
            per_share=self._number(line, given, "per_share_amount"),
            filled=self._number(line, given, "cum_qty") or ZERO,
            order_id=self._matching(line, "order_id", given["order_id"], _NAME, _A_NAME) or None,
            group_id=self._matching(line, "group_id", given["group_id"], _NAME, _A_NAME),
            description=one_line(given["description"]),
        )
        self._check(line, given, row)
        return row

    def _check(self, line: int, given: dict[str, str], row: Row) -> None:
        if row.type == FILL:
            self._check_execution(line, given, row)
        elif is_adjusted(row.symbol) and row.quantity:
            raise self._table.fault(line, "symbol", row.symbol, _STANDARD)
        elif not given["net_amount"] and not (
            given["qty"] and may_move_units(row.type, row.sub_type)
        ):
            raise self._table.fault(line, "net_amount", "", "a number")

    def _check_execution(self, line: int, given: dict[str, str], row: Row) -> None:
        fault = self._table.fault
        if given["type"] not in _EXECUTIONS:
            raise fault(line, "type", given["type"], "fill or partial_fill")
        if row.side not in SIDES:
            raise fault(line, "side", row.side, "buy, sell or sell_short")
        if not row.symbol or is_adjusted(row.symbol):
            raise fault(line, "symbol", row.symbol, _STANDARD)
        if row.quantity <= 0:
            raise fault(line, "qty", given["qty"], "a number above zero")
        if row.price is None or row.price < 0:
            raise fault(line, "price", given["price"], "a number not below zero")
        if row.filled < 0:
            raise fault(line, "cum_qty", given["cum_qty"], "a number not below zero")

    def _check_account(self, line: int, account_id: str) -> None:
        if account_id and self._account_id not in {"", account_id}:
            expected = f"{self._account_id}, as before; bring each account as a file of its own"
            raise self._table.fault(line, "account_id", account_id, expected)
        self._account_id = self._account_id or account_id

    def _time(self, line: int, given: dict[str, str]) -> int:
        if given["activity_type"] != FILL and given["date"]:
            return self._table.time(line, "date", given["date"])
        if given["transaction_time"] or given["activity_type"] == FILL:
            return self._table.time(line, "transaction_time", given["transaction_time"])
        raise self._table.fault(line, "date", "", "a day like 2026-01-05")

    def _number(self, line: int, given: dict[str, str], column: str) -> Decimal | None:
        return self._table.number(line, column, given[column]) if given[column] else None

    def _name(self, line: int, given: dict[str, str], column: str) -> str:
        if not given[column]:
            raise self._table.fault(line, column, "", "a value")
        return self._matching(line, column, given[column], _NAME, _A_NAME)

    def _matching(
        self, line: int, column: str, text: str, pattern: re.Pattern[str], expected: str
    ) -> str:
        if text and pattern.fullmatch(text) is None:
            raise self._table.fault(line, column, text, expected)
        return text
