"""The generic CSV: a person's own list of events, one a row. docs/FILES.md describes it.

Columns `time`, `type`, `asset` and `quantity` tell the format; others are taken from a closed list,
and each type says which of them it needs and which it may have. A cell that its type has no use for
must be empty: what would be passed over is more likely a mistake.

Errors: as `table`; `Malformed` also for a column or type that is not on the list, a cell that is
missing, or has no meaning for its type, and an id told twice in different words.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.ledger.names import canonical
from bursar.venue.files.reading import AN_ACCOUNT, PLACE, FileReading, Options
from bursar.venue.files.table import Table, one_line
from bursar.venue.files.unique import UniqueRows
from bursar.venue.generic.rows import FLOWS, SIGNED, TRADES, Row, Type
from bursar.venue.generic.statements import ACCOUNT, statements

EVENTS: Final = "generic events"
KNOWN_BY: Final = frozenset({"time", "type", "asset", "quantity"})
_FEES: Final = frozenset({"fee", "fee_asset"})
_WORTH: Final = frozenset({"value", "value_asset"})
_ALWAYS: Final = frozenset({"time", "type", "asset", "account", "id", "sequence", "note"})
_LABEL_MAX: Final = 64
_TYPES: Final = {type_.value: type_ for type_ in Type}
_ASSET: Final = re.compile(r"[A-Z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
_NAME: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_AN_ASSET: Final = "a name like BTC, in the letters the venue uses"
_A_NAME: Final = "at most 128 characters without blanks"
_A_LABEL: Final = f"a name of at most {_LABEL_MAX} characters"
_EXPECTED: Final = {
    "account": AN_ACCOUNT,
    "to_account": AN_ACCOUNT,
    "asset": _AN_ASSET,
    "quote": _AN_ASSET,
    "fee_asset": _AN_ASSET,
    "id": _A_NAME,
    "order_id": _A_NAME,
    "strategy": _A_LABEL,
    "regime": _A_LABEL,
}
_RESHAPES: Final = frozenset({Type.SPLIT, Type.RENAME})
_BOTH_ABOVE_ZERO: Final = frozenset({Type.CONVERSION, Type.SPLIT})


class Needs(msgspec.Struct, frozen=True):
    """The columns, beside those of every row, that a type must have and those it may."""

    must: frozenset[str]
    may: frozenset[str] = frozenset()


_TRADE: Final = Needs(
    frozenset({"quantity", "quote"}),
    frozenset({"amount", "price", "order_id", "strategy", "regime"}) | _FEES | _WORTH,
)
_FLOW: Final = Needs(frozenset({"quantity"}), frozenset({"strategy"}) | _FEES | _WORTH)
_OTHERS: Final = {
    Type.DEPOSIT: Needs(_FLOW.must, _FLOW.may | {"basis"}),
    Type.FEE: Needs(_FLOW.must, _FLOW.may - _FEES),
    Type.TRANSFER: Needs(frozenset({"quantity", "to_account"}), _FEES),
    Type.CONVERSION: Needs(frozenset({"quantity", "quote", "amount"}), _FEES | _WORTH),
    Type.SPLIT: Needs(frozenset({"quantity", "amount"})),
    Type.RENAME: Needs(frozenset({"quote"})),
}
_NEEDS: Final = {
    **dict.fromkeys(TRADES, _TRADE),
    **dict.fromkeys(FLOWS, _FLOW),
    **_OTHERS,
}
COLUMNS: Final = _ALWAYS.union(*(needs.must | needs.may for needs in _NEEDS.values()))


def read_events(table: Table, account: str | None, options: Options) -> FileReading:
    """Read a generic CSV: one entry a row."""
    cells = _Cells(table, account or ACCOUNT, options)
    kept = UniqueRows[Row](table, "id")
    for line, given in table:
        row = cells.read(line, given)
        kept.add(line, row, row.id, row.account)
    cells.check_names()
    return FileReading(
        format=EVENTS,
        statements=tuple(statements(kept.rows)),
        rows=len(kept.rows) + kept.repeated,
        repeated=kept.repeated,
    )


class _Cells:
    """Where the cells of an event stand, and how to read them."""

    def __init__(self, table: Table, account: str, options: Options) -> None:
        self._table = table
        self._account = account
        self._base = options.quote
        self._money = options.money
        self._called: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
        self._renamed: set[tuple[str, str]] = set()
        self._nameless = [place for place, column in enumerate(table.columns) if not column]
        strange = [column for column in table.columns if column and column not in COLUMNS]
        if strange:
            known = ", ".join(sorted(COLUMNS))
            raise table.fault(1, strange[0][:_LABEL_MAX], strange[0], f"one of the columns {known}")

    def read(self, line: int, cells: list[str]) -> Row:
        """Read one row."""
        given = dict(zip(self._table.columns, map(str.strip, cells), strict=True))
        for place in self._nameless:
            if cells[place]:
                raise self._table.fault(line, "", cells[place], "a column with a name")
        type_ = self._type(line, given["type"])
        self._check_cells(line, type_, given)
        row = Row(
            type=type_,
            at=self._table.time(line, "time", given["time"]),
            account=self._text(line, given, "account", PLACE.fullmatch) or self._account,
            asset=self._text(line, given, "asset", _ASSET.fullmatch) or "",
            quantity=self._quantity(line, type_, given),
            quote=self._text(line, given, "quote", _ASSET.fullmatch),
            amount=self._not_negative(line, given, "amount"),
            price=self._not_negative(line, given, "price"),
            fee=self._number(line, given, "fee"),
            fee_asset=self._text(line, given, "fee_asset", _ASSET.fullmatch),
            value=self._not_negative(line, given, "value"),
            basis=self._not_negative(line, given, "basis"),
            to_account=self._text(line, given, "to_account", PLACE.fullmatch),
            id=self._text(line, given, "id", _NAME.fullmatch),
            sequence=self._sequence(line, given),
            order_id=self._text(line, given, "order_id", _NAME.fullmatch),
            strategy=self._text(line, given, "strategy", _is_label),
            regime=self._text(line, given, "regime", _is_label),
            note=one_line(given.get("note", "")) or None,
        )
        self._check(line, given, row)
        self._note_names(line, row)
        return row

    def _type(self, line: int, text: str) -> Type:
        type_ = _TYPES.get(text.casefold())
        if type_ is None:
            raise self._table.fault(line, "type", text, f"one of {', '.join(sorted(_TYPES))}")
        return type_

    def _check_cells(self, line: int, type_: Type, given: dict[str, str]) -> None:
        """Ask for every cell that the type needs, and for no others."""
        needs = _NEEDS[type_]
        for column in sorted(needs.must):
            self._table.place(column)
            if not given[column]:
                raise self._table.fault(line, column, "", f"a value: a {type_.value} needs one")
        for column, text in given.items():
            if text and column not in _ALWAYS | needs.must | needs.may:
                raise self._table.fault(line, column, text, f"nothing: a {type_.value} has none")

    def _check(self, line: int, given: dict[str, str], row: Row) -> None:
        if not row.asset:
            raise self._table.fault(line, "asset", "", _AN_ASSET)
        if row.type in TRADES and row.amount is None and row.price is None:
            raise self._table.fault(line, "amount", "", "what was paid or got, or else a price")
        if row.quote == row.asset:
            raise self._table.fault(line, "quote", given["quote"], "another asset")
        if row.type in _RESHAPES and self._money & {row.asset, row.quote}:
            column = "asset" if row.asset in self._money else "quote"
            raise self._table.fault(line, column, given[column], "no money: it keeps its name")
        if row.to_account == row.account:
            raise self._table.fault(line, "to_account", given["to_account"], "another account")
        if row.type in _BOTH_ABOVE_ZERO and not row.amount:
            raise self._table.fault(line, "amount", given["amount"], "a number above zero")
        if bool(row.fee) != (row.fee_asset is not None):
            column = "fee_asset" if row.fee else "fee"
            together = "both a fee and its fee_asset, or none"
            raise self._table.fault(line, column, given.get(column, ""), together)
        self._check_worth(line, given, row)

    def _note_names(self, line: int, row: Row) -> None:
        """Note by which names each account calls a coin, and where it does so first."""
        told = (
            (row.account, "asset", row.asset),
            (row.account, "quote", row.quote),
            (row.account, "fee_asset", row.fee_asset),
            (row.to_account, "asset", row.asset),
        )
        for account, column, name in told:
            if account and name and name not in self._money:
                names = self._called.setdefault((account, canonical(name)), {})
                names.setdefault(name, (line, column))
        if row.type is Type.RENAME and canonical(row.asset) == canonical(row.quote or ""):
            self._renamed.add((row.account, canonical(row.asset)))

    def check_names(self) -> None:
        """Refuse a coin that an account calls by two names: it would be two coins there."""
        for place, names in self._called.items():
            if len(names) > 1 and place not in self._renamed:
                (known, (first, _)), (name, (line, column)) = list(names.items())[:2]
                expected = f"{known}, as {place[0]} calls that coin in line {first}"
                raise self._table.fault(line, column, name, expected)

    def _check_worth(self, line: int, given: dict[str, str], row: Row) -> None:
        """Worth and basis are in the book's base currency, and the file says so."""
        currency = given.get("value_asset", "")
        told = row.value is not None or row.basis is not None
        wanted = self._base or currency
        if told != bool(currency) or currency != (wanted if told else ""):
            expected = f"{self._base or 'the currency of value and basis'}, and only beside them"
            raise self._table.fault(line, "value_asset", currency, expected)
        if told and currency in {row.asset, row.quote}:
            column = "value" if row.value is not None else "basis"
            raise self._table.fault(line, column, given[column], "nothing: money is worth its face")

    def _quantity(self, line: int, type_: Type, given: dict[str, str]) -> Decimal | None:
        if type_ is Type.RENAME:
            return None
        quantity = self._table.number(line, "quantity", given["quantity"])
        if type_ in SIGNED and not quantity:
            raise self._table.fault(line, "quantity", given["quantity"], "a number but zero")
        if type_ not in SIGNED and quantity <= 0:
            above = "a number above zero; the type says which way it went"
            raise self._table.fault(line, "quantity", given["quantity"], above)
        return quantity

    def _number(self, line: int, given: dict[str, str], column: str) -> Decimal | None:
        text = given.get(column, "")
        return self._table.number(line, column, text) if text else None

    def _not_negative(self, line: int, given: dict[str, str], column: str) -> Decimal | None:
        text = given.get(column, "")
        return self._table.unsigned(line, column, text) if text else None

    def _sequence(self, line: int, given: dict[str, str]) -> int | None:
        text = given.get("sequence", "")
        if text and _WHOLE.fullmatch(text) is None:
            raise self._table.fault(line, "sequence", text, "a whole number of at most 10 digits")
        return int(text) if text else None

    def _text(
        self, line: int, given: dict[str, str], column: str, allowed: Callable[[str], object]
    ) -> str | None:
        text = given.get(column, "")
        if text and not allowed(text):
            raise self._table.fault(line, column, text, _EXPECTED[column])
        return text or None


def _is_label(text: str) -> bool:
    return len(text) <= _LABEL_MAX and text.isprintable()
