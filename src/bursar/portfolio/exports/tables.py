"""Tables: what a portfolio holds, row by row, with columns that say what they hold.

A cell is a text, an exact decimal, a whole number, an instant (UTC nanoseconds) or a tuple of
words; `None` where nothing is known.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.ledger import golden, instant
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord, SpotPosition
from bursar.ledger.terms import Method
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.portfolio.taken_back import taken_back
from bursar.value.coverage import is_cost_known

_Told = RealizedPnLRecord | CashFlowRecord | SpotPosition
Cell = str | int | Decimal | tuple[str, ...] | None


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    COUNT = "count"
    TIME = "time"
    WORDS = "words"


class Column(msgspec.Struct, frozen=True):
    """A column's name and what it holds."""

    name: str
    kind: Kind


class Table(msgspec.Struct, frozen=True):
    """Columns, and rows to be read once."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterator[tuple[Cell, ...]]


class Asked(msgspec.Struct, frozen=True):
    """What is asked for besides the name of a table."""

    prices: Prices = None
    method: Method | None = None


_NOTHING: Final = Asked()


def table(portfolio: Portfolio, name: str, asked: Asked = _NOTHING) -> Table:
    """Return a table: `journal`, `trades`, `flows`, `positions`, `holdings` or `lots`.

    Raises:
        BadChoice: there is no such table.
    """
    if name not in TABLES:
        raise BadChoice(f"no table is called {name!r}; there are {', '.join(TABLES)}", value=name)
    columns, rows = TABLES[name]
    return Table(name, columns, rows(portfolio, asked))


def _journal(portfolio: Portfolio, _asked: Asked) -> Iterator[tuple[Cell, ...]]:
    for record in portfolio.journal():
        entry = record.entry()
        yield (
            record.seq,
            record.outcome.value,
            str(entry.__struct_config__.tag),
            entry.id,
            entry.executed_at,
            record.recorded_at,
            golden.write_line(entry),
            record.hash,
        )


def _trades(portfolio: Portfolio, _asked: Asked) -> Iterator[tuple[Cell, ...]]:
    return (_cells(record) for record in portfolio.each_trade())


def _flows(portfolio: Portfolio, _asked: Asked) -> Iterator[tuple[Cell, ...]]:
    undone = taken_back(portfolio, portfolio.each_flow())
    for record in portfolio.each_flow():
        yield (*_cells(record), undone.get(record.id))


def _positions(portfolio: Portfolio, asked: Asked) -> Iterator[tuple[Cell, ...]]:
    return (_cells(record) for record in portfolio.positions(asked.prices))


def _holdings(portfolio: Portfolio, asked: Asked) -> Iterator[tuple[Cell, ...]]:
    for each in portfolio.valuation(asked.prices).assets:
        mark = each.mark
        yield (
            each.asset,
            each.quantity,
            each.known_cost,
            None if mark is None else mark.price,
            None if mark is None else mark.pair,
            None if mark is None else mark.source,
            None if mark is None else mark.at,
            each.value,
            each.unrealized,
            each.share_pct,
            tuple(each.flags),
        )


def _lots(portfolio: Portfolio, asked: Asked) -> Iterator[tuple[Cell, ...]]:
    rule = asked.method or portfolio.terms.method
    for (account, asset), lots in portfolio.lots(rule=rule).items():
        gaps = portfolio.gaps(asset, rule=rule)
        for lot in lots:
            is_known = is_cost_known(lot.cost, lot.quantity, gaps)
            yield (
                account,
                asset,
                lot.quantity,
                lot.cost if is_known else None,
                lot.acquired_at or None,
                lot.id,
                tuple(sorted({gap.flag for gap in gaps})),
            )


def _cells(record: _Told) -> tuple[Cell, ...]:
    values = (getattr(record, name) for name in record.__struct_fields__)
    return tuple(
        instant.from_datetime(value) if isinstance(value, datetime) else value for value in values
    )


def _columns(record: type[_Told]) -> tuple[Column, ...]:
    return tuple(Column(each.name, _kind(each.type)) for each in msgspec.structs.fields(record))


def _kind(annotation: object) -> Kind:
    for held, kind in ((Decimal, Kind.NUMBER), (datetime, Kind.TIME), (tuple, Kind.WORDS)):
        if held.__name__ in str(annotation):
            return kind
    return Kind.TEXT


def _typed(kinds: str) -> tuple[Column, ...]:
    """Read columns: `name` holds text, `name:number` numbers."""
    named = (word.partition(":") for word in kinds.split())
    return tuple(Column(name, Kind(kind or "text")) for name, _, kind in named)


_Rows = Callable[[Portfolio, Asked], Iterator[tuple[Cell, ...]]]
TABLES: Final[dict[str, tuple[tuple[Column, ...], _Rows]]] = {
    "journal": (
        _typed("seq:count verdict kind id executed_at:time recorded_at:time line hash"),
        _journal,
    ),
    "trades": (_columns(RealizedPnLRecord), _trades),
    "flows": ((*_columns(CashFlowRecord), Column("reversed_by", Kind.TEXT)), _flows),
    "positions": (_columns(SpotPosition), _positions),
    "holdings": (
        _typed(
            "asset quantity:number cost:number mark:number mark_pair mark_source mark_at:time"
            " value:number unrealized:number share_pct:number flags:words"
        ),
        _holdings,
    ),
    "lots": (
        _typed("account asset quantity:number cost:number acquired_at:time entry flags:words"),
        _lots,
    ),
}
