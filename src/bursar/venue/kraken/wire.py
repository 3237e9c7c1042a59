"""Kraken's JSON, read into the rows that its exports are read into.

Amounts are texts or numbers, times are numbers or texts of up to nine decimals; both are taken
digit for digit. A null counts as absent. What the rows rest on must be there.

Errors: `VenueGarbled`, naming the row and the field.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, Generic, TypeVar

import msgspec

from bursar import exact
from bursar.errors import NotExact, OutOfBounds, VenueGarbled
from bursar.exact import plain
from bursar.ledger.entries import Side
from bursar.venue.kraken.rows import LedgerRow, TradeRow, settles_position

_SIDES: Final = {side.value: side for side in Side}
_TIME: Final = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,9})0*)?", re.ASCII)
_R = TypeVar("_R")


class Order(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What an order says of who placed it, and which executions it led to."""

    txid: str
    executed_at: int
    opened_at: int
    userref: int | None
    client_id: str | None
    is_margin: bool
    trades: tuple[str, ...]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One position on margin, as it was opened, and how much of it is closed by now."""

    txid: str
    pair: str
    opened_at: int
    side: Side
    cost: Decimal
    volume: Decimal
    closed: Decimal


class Page(msgspec.Struct, Generic[_R], frozen=True):
    """Some of `count` rows, newest first."""

    rows: tuple[_R, ...]
    count: int


class Object:
    """An object of an answer; its fields are read with their names in every fault."""

    def __init__(self, name: str, value: object) -> None:
        self._name = name
        if not isinstance(value, dict):
            raise VenueGarbled(f"Kraken's {name} is no object", row=name)
        self._fields: dict[str, object] = value

    def fault(self, field: str, expected: str) -> VenueGarbled:
        """Make the error that names the row, the field and what should be in it."""
        return VenueGarbled(
            f"Kraken's {self._name}, field {field}: expected {expected}",
            row=self._name,
            field=field,
        )

    def text(self, field: str) -> str:
        """Read a text that must be there; it may be empty."""
        value = self._fields.get(field)
        if not isinstance(value, str):
            raise self.fault(field, "a text")
        return value

    def text_if_any(self, field: str) -> str:
        """Read a text; nothing, null and the text `None` are empty."""
        value = self._fields.get(field)
        if value is None or value == "None":
            return ""
        return value if isinstance(value, str) else self.text(field)

    def flag(self, field: str) -> bool:
        """Read a yes or no."""
        value = self._fields.get(field)
        if not isinstance(value, bool):
            raise self.fault(field, "true or false")
        return value

    def number(self, field: str) -> Decimal:
        """Read an amount."""
        value = self._fields.get(field)
        if value is None:
            raise self.fault(field, "a number")
        try:
            if isinstance(value, str):
                return exact.parse_venue(value)
            return exact.number(value, strict_numbers=True)
        except (NotExact, OutOfBounds):
            raise self.fault(field, "a number of at most 20 and 18 digits") from None

    def number_if_any(self, field: str) -> Decimal | None:
        """Read an amount that may be absent."""
        return None if self._fields.get(field) is None else self.number(field)

    def unsigned(self, field: str) -> Decimal:
        """Read an amount that is not below zero."""
        value = self.number(field)
        if value < 0:
            raise self.fault(field, "a number not below zero")
        return value

    def whole(self, field: str) -> int:
        """Read a count."""
        value = self.number(field)
        if value != value.to_integral_value() or value < 0:
            raise self.fault(field, "a whole number")
        return int(value)

    def time(self, field: str) -> int:
        """Read an instant in unix seconds."""
        return self.time_of(field, self._fields.get(field))

    def time_of(self, field: str, value: object) -> int:
        """Read an instant from a value of a field."""
        text = str(value)
        if isinstance(value, Decimal) and "E" in text:
            text = format(value, "f")
        match = _TIME.fullmatch(text)
        if match is None:
            raise self.fault(field, "a time in unix seconds, of at most nine decimals")
        seconds, fraction = match.groups("")
        return int(seconds + fraction.ljust(9, "0"))

    def texts(self, field: str) -> tuple[str, ...]:
        """Read a list of texts; nothing and null are none."""
        value = self._fields.get(field)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.fault(field, "a list of texts")
        return tuple(value)

    def first_number(self, field: str) -> Decimal:
        """Read the first of a list of amounts."""
        value = self._fields.get(field)
        if not isinstance(value, list) or not value:
            raise self.fault(field, "a list of numbers")
        return Object(f"{self._name}.{field}", {"0": value[0]}).number("0")

    def list_beside(self, field: str) -> list[object]:
        """Read the one list that stands beside a field."""
        lists = [value for key, value in self._fields.items() if key != field]
        if len(lists) != 1 or not isinstance(lists[0], list):
            raise self.fault(field, "one list beside it")
        return lists[0]

    def objects(self, field: str) -> tuple["Object", ...]:
        """Read a list of objects."""
        value = self._fields.get(field)
        if not isinstance(value, list):
            raise self.fault(field, "a list")
        return tuple(Object(f"{self._name}.{field}", each) for each in value)

    def child(self, field: str) -> "Object":
        """Read an object inside."""
        return Object(f"{self._name}.{field}", self._fields.get(field))

    def names(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(self._fields)

    def values(self) -> Iterator["Object"]:
        """Yield the objects inside."""
        return (each for _, each in self.items())

    def items(self) -> Iterator[tuple[str, "Object"]]:
        """Yield the objects inside, each named by its key."""
        for key, value in self._fields.items():
            yield key, Object(key, value)


def page(result: object, name: str, read: Callable[[str, Object], _R]) -> Page[_R]:
    """Read a page: its rows under `name`, and how many there are in all."""
    outer = Object(name, result)
    rows = tuple(read(key, each) for key, each in outer.child(name).items())
    count = outer.whole("count")
    if count < len(rows):
        raise outer.fault("count", f"at least the {len(rows)} rows beside it")
    return Page(rows, count)


def ledger_row(txid: str, said: Object) -> LedgerRow:
    """Read a row of the ledger. The API knows no wallets: its codes tell where coins lie."""
    row = LedgerRow(
        txid=txid,
        refid=said.text_if_any("refid"),
        executed_at=said.time("time"),
        type=said.text("type"),
        subtype=said.text_if_any("subtype"),
        code=said.text("asset"),
        wallet="",
        amount=said.number("amount"),
        fee=said.number("fee"),
        balance=said.number("balance"),
    )
    for field, text in (("type", row.type), ("asset", row.code)):
        if not text:
            raise said.fault(field, "a name")
    return row


def trade_row(txid: str, said: Object) -> TradeRow:
    """Read an execution."""
    return TradeRow(
        txid=txid,
        pair=said.text("pair"),
        executed_at=said.time("time"),
        side=_side(said),
        volume=said.unsigned("vol"),
        cost=said.unsigned("cost"),
        fee=said.number("fee"),
        margin=said.number_if_any("margin"),
        price=said.number_if_any("price"),
        misc=said.text_if_any("misc"),
        order_type=said.text_if_any("ordertype"),
        position=said.text_if_any("postxid"),
        position_status=said.text_if_any("posstatus"),
        order_id=said.text_if_any("ordertxid") or None,
        ledgers=said.texts("ledgers"),
    )


def open_position(txid: str, said: Object) -> Position:
    """Read a position that is open."""
    position = Position(
        txid=txid,
        pair=said.text("pair"),
        opened_at=said.time("time"),
        side=_side(said),
        cost=said.unsigned("cost"),
        volume=said.unsigned("vol"),
        closed=said.unsigned("vol_closed"),
    )
    if position.closed > position.volume:
        raise said.fault("vol_closed", f"at most the {plain(position.volume)} that was opened")
    return position


def closed_order(txid: str, said: Object) -> Order:
    """Read a closed order; it happened when it was closed."""
    return _order(txid, said, said.time("closetm"))


def open_order(txid: str, said: Object) -> Order:
    """Read an open order; it happened when it was opened."""
    return _order(txid, said, said.time("opentm"))


def _side(said: Object) -> Side:
    side = _SIDES.get(said.text("type"))
    if side is None:
        raise said.fault("type", "buy or sell")
    return side


def _order(txid: str, said: Object, at: int) -> Order:
    userref, descr = said.number_if_any("userref"), said.child("descr")
    is_lent = descr.text_if_any("leverage") not in {"", "none", "0"}
    if userref is not None and userref != userref.to_integral_value():
        raise said.fault("userref", "a whole number")
    return Order(
        txid=txid,
        executed_at=at,
        opened_at=said.time("opentm"),
        userref=int(userref) if userref else None,
        client_id=said.text_if_any("cl_ord_id") or None,
        is_margin=is_lent and not settles_position(descr.text_if_any("ordertype")),
        trades=said.texts("trades"),
    )
