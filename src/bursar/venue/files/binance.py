"""Binance's exports: spot trade history, old and new, transaction history, futures history.

No row has an id that another export knows; what a row says is its identity (`binance.identity`). So
a row that stands twice in a file is two rows, except in the futures history, where a transaction id
of the same type, asset and market is one row. All are read oldest first, also where the file stands
newest first. Numbers may have separators of thousands, and amounts of the newer trade history are
glued to their coin. The year may have two digits.

Times are UTC where their column says so. In the newest exports it is called `Time`, and they are in
the zone that the exporter had chosen, which stands in the file's name alone: `…(UTC+3)….csv`. Those
also name their columns in the exporter's language, and only them: what stands in the rows stays
English.

Errors: as `table`; `Malformed` also for an amount without its coin, and for a `Time` in a file
whose name tells no zone; `UnknownAsset` for a pair that cannot be split.
"""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bursar.errors import UnknownAsset
from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.entries import Side
from bursar.venue.binance.assets import COIN_FUTURES, FUTURES, is_futures, pocket
from bursar.venue.binance.history_rows import is_coin_margined, statements, unknown
from bursar.venue.binance.operations import income, is_told_again, operation
from bursar.venue.binance.rows import HistoryRow, TradeRow
from bursar.venue.binance.symbols import Pair, glued, pair, unglued
from bursar.venue.binance.trade_rows import ACCOUNT, fills
from bursar.venue.files.reading import FileReading, Options
from bursar.venue.files.table import Table

TRADES: Final = "binance trades"
HISTORY: Final = "binance transactions"
FUTURES_HISTORY: Final = "binance futures"
_INCLUDED: Final = "fee is included"
_ABSENT: Final = frozenset({"", "-"})
_SIDES: Final = {side.value: side for side in Side}
_GROUPED: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)
_SHORT_YEAR: Final = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{2}[ T].*", re.ASCII)
_IN_UTC: Final = ("utc_time", "date(utc)")
_IN_A_ZONE: Final = "time"
# Binance writes six hours behind as `UTC--6`.
_ZONE: Final = re.compile(
    r"\(UTC(?:(?P<sign>\+|--?)(?P<hours>[01]?[0-9])(?::?(?P<minutes>[0-5][0-9]))?)?\)", re.ASCII
)
_NEW: Final = ("pair", "side", "price", "executed", "amount", "fee")
_OLD: Final = ("market", "type", "price", "amount", "total", "fee")
# Columns that an export has in the language of who made it: French, Spanish, Portuguese.
_HISTORY_NAMES: Final = ("account", "operation", "coin", "change", "remark", _IN_A_ZONE)
_TRADE_NAMES: Final = (*_NEW, _IN_A_ZONE)
_ELSEWHERE: Final = tuple(
    dict(zip(said.split(","), names, strict=True))
    for said, names in (
        ("compte,opération,jeton,change,remarque,durée", _HISTORY_NAMES),
        ("cuenta,operación,moneda,cambio,observación,tiempo", _HISTORY_NAMES),
        ("conta,operação,moeda,alterar,observação,tempo", _HISTORY_NAMES),
        ("paire,côté,prix,exécuté,montant,frais,durée", _TRADE_NAMES),
        ("par,lado,precio,ejecutado,cantidad,tarifa,tiempo", _TRADE_NAMES),
    )
)
_Cell = tuple[str, str]
_Amounts = tuple[Pair, _Cell, _Cell]
_R = TypeVar("_R", HistoryRow, TradeRow)


def in_english(columns: Collection[str]) -> dict[str, str]:
    """Return what columns are called in English, where they are in a language that is known.

    The column of times may have been called `UTC_Time` by hand, as a file without a zone asks for.
    """
    for own in _ELSEWHERE:
        if {said for said, name in own.items() if name != _IN_A_ZONE} <= set(columns):
            return own
    return {}


def read_trades(table: Table, account: str | None, _: Options) -> FileReading:
    """Read the newer trade history (Pair, Side, Executed, Amount, Fee): one `Fill` a row."""
    return _trades(table, account, _TradeCells(table, is_new=True))


def read_old_trades(table: Table, account: str | None, _: Options) -> FileReading:
    """Read the older trade history (Market, Type, Amount, Total, Fee Coin): one `Fill` a row.

    The spreadsheets of today have the same columns, and call the market a pair.
    """
    return _trades(table, account, _TradeCells(table, is_new=False))


def read_history(table: Table, account: str | None, _: Options) -> FileReading:
    """Read the transaction history of all wallets: one `Movement` a row.

    What Simple Earn earned stands in it twice: where it was earned, and where it was paid.
    """
    cells = _HistoryCells(table)
    told = [cells.read(line, row) for line, row in table]
    rows = [row for row in told if not is_told_again(row.operation, row.pocket)]
    return _history(HISTORY, _oldest_first(rows), account, repeated=len(told) - len(rows))


def read_futures(table: Table, account: str | None, _: Options) -> FileReading:
    """Read the transaction history of futures: a `Movement` a row, and its market.

    A file is of one wallet, which the names of its markets tell. Without any it is that of USD-M.
    """
    cells = _FuturesCells(table)
    told = _in_wallets([cells.read(line, row) for line, row in table])
    seen: set[HistoryRow] = set()
    rows = []
    for row in told:
        if not row.reference or row not in seen:
            rows.append(row)
            seen.add(row)
    repeated = len(told) - len(rows)
    return _history(FUTURES_HISTORY, _oldest_first(rows), account, repeated=repeated)


# The columns that tell each of them, for the registry of readers.
READERS: Final = (
    (frozenset({"date(utc)", "pair", "executed"}), read_trades),
    (frozenset({"time", "pair", "executed"}), read_trades),
    (frozenset({"utc_time", "pair", "executed"}), read_trades),
    (frozenset({"date(utc)", "market", "fee coin"}), read_old_trades),
    (frozenset({"date(utc)", "pair", "fee coin"}), read_old_trades),
    (frozenset({"utc_time", "operation", "change"}), read_history),
    (frozenset({"time", "operation", "change"}), read_history),
    (frozenset({"date(utc)", "symbol", "transaction id"}), read_futures),
    (frozenset({"time", "symbol", "transaction id"}), read_futures),
    (frozenset({"utc_time", "symbol", "transaction id"}), read_futures),
)


def _trades(table: Table, account: str | None, cells: "_TradeCells") -> FileReading:
    rows = _oldest_first([cells.read(line, row) for line, row in table])
    said = tuple(fills(rows, account=account or ACCOUNT))
    return FileReading(format=TRADES, statements=said, rows=len(rows))


def _history(
    name: str, rows: list[HistoryRow], account: str | None, *, repeated: int = 0
) -> FileReading:
    return FileReading(
        format=name,
        statements=tuple(statements(rows, account=account or ACCOUNT)),
        rows=len(rows) + repeated,
        repeated=repeated,
        unknown=unknown(rows),
    )


def _in_wallets(rows: list[HistoryRow]) -> list[HistoryRow]:
    """Put rows into the wallet that their market is of, and those without one with the others."""
    markets = {row.symbol for row in rows if row.symbol}
    is_of_coins = bool(markets) and all(map(is_coin_margined, markets))
    return [
        msgspec.structs.replace(row, pocket=COIN_FUTURES)
        if is_of_coins or is_coin_margined(row.symbol)
        else row
        for row in rows
    ]


def _oldest_first(rows: list[_R]) -> list[_R]:
    if rows and rows[0].executed_at > rows[-1].executed_at:
        rows.reverse()
    return rows


class _TradeCells:
    """Where the cells of a trade history stand, and how to read them; `is_new` glues amounts."""

    def __init__(self, table: Table, *, is_new: bool) -> None:
        self._table = table
        self._times = _Times(table)
        self._is_new = is_new
        columns = _NEW if is_new else _OLD
        if "market" not in table.columns:
            columns = ("pair", *columns[1:])
        self._places = [(name, table.place(name)) for name in columns]
        self._coin = None if is_new else table.place("fee coin")

    def read(self, line: int, cells: list[str]) -> TradeRow:
        """Read one row."""
        table = self._table
        market, side, price, base, quote, fee = (
            (name, cells[place]) for name, place in self._places
        )
        of, quantity, amount = self._amounts(line, market, base, quote)
        known = _SIDES.get(side[1].casefold())
        if known is None:
            raise table.fault(line, *side, "BUY or SELL")
        charged, charged_in = self._fee(line, cells, fee, of)
        return TradeRow(
            executed_at=self._times.read(line, cells),
            pair=of,
            side=known,
            price=_unsigned(table, line, price),
            quantity=_unsigned(table, line, quantity),
            amount=_unsigned(table, line, amount),
            fee=charged,
            fee_asset=charged_in,
        )

    def _amounts(self, line: int, market: _Cell, base: _Cell, quote: _Cell) -> _Amounts:
        """Return the pair and its two amounts, without their coins."""
        name = market[1]
        if self._is_new:
            parted = unglued(name, base[1], quote[1])
            if parted is not None:
                return parted[0], (base[0], parted[1]), (quote[0], parted[2])
            both = f"an amount of each coin of {name!r}, such as 0.01BTC and 600USDT for BTCUSDT"
            wrong = base if _is_of(quote[1], name) else quote
            raise self._table.fault(line, *wrong, both)
        try:
            return pair(name), base, quote
        except UnknownAsset:
            fault = self._table.fault(line, *market, "a pair that Binance lists, or BASE/QUOTE")
            raise UnknownAsset(fault.message, **fault.context) from None

    def _fee(self, line: int, cells: list[str], fee: _Cell, of: Pair) -> tuple[Decimal, str]:
        column, text = fee
        if text in _ABSENT:
            return ZERO, ""
        if self._coin is None:
            parted = glued(text, (of.base, of.quote))
            if parted is None:
                raise self._table.fault(line, column, text, "an amount with its coin: 0.0001BNB")
            return _number(self._table, line, (column, parted[0])), parted[1]
        charged, unit = _number(self._table, line, fee), cells[self._coin]
        if charged and unit in _ABSENT:
            raise self._table.fault(line, "fee coin", unit, "the coin of the fee")
        return charged, unit if charged else ""


class _HistoryCells:
    """Where the cells of the transaction history stand, and how to read them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._times = _Times(table)
        self._account = table.place("account")
        self._operation = table.place("operation")
        self._coin = table.place("coin")
        self._change = table.place("change")
        self._remark = table.place_if_any("remark")

    def read(self, line: int, cells: list[str]) -> HistoryRow:
        """Read one row."""
        wallet, name, code = cells[self._account], cells[self._operation], cells[self._coin]
        _stated(self._table, line, {"account": wallet, "operation": name, "coin": code})
        where = pocket(wallet)
        remark = "" if self._remark is None else cells[self._remark]
        return HistoryRow(
            executed_at=self._times.read(line, cells),
            pocket=where,
            operation=name,
            meaning=operation(name, is_futures=is_futures(where)),
            code=code,
            change=_number(self._table, line, ("change", cells[self._change])),
            remark=remark,
            fee=None if _INCLUDED in remark.casefold() else ZERO,
        )


class _FuturesCells:
    """Where the cells of the futures history stand, and how to read them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._times = _Times(table)
        self._type = table.place("type")
        self._amount = table.place("amount")
        self._asset = table.place("asset")
        self._symbol = table.place("symbol")
        self._reference = table.place("transaction id")

    def read(self, line: int, cells: list[str]) -> HistoryRow:
        """Read one row."""
        name, code = cells[self._type], cells[self._asset]
        _stated(self._table, line, {"type": name, "asset": code})
        return HistoryRow(
            executed_at=self._times.read(line, cells),
            pocket=FUTURES,
            operation=name,
            meaning=income(name),
            code=code,
            change=_number(self._table, line, ("amount", cells[self._amount])),
            symbol=cells[self._symbol],
            reference=cells[self._reference],
        )


class _Times:
    """Where the times of an export stand, and by how much they are ahead of UTC."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._column = next((name for name in _IN_UTC if name in table.columns), _IN_A_ZONE)
        self._place = table.place(self._column)
        self._ahead = _ahead(table) if self._column == _IN_A_ZONE else 0

    def read(self, line: int, cells: list[str]) -> int:
        """Read a time; `25-03-01 10:00:00` is of the year 2025."""
        text = cells[self._place]
        if _SHORT_YEAR.fullmatch(text):
            text = f"20{text}"
        return self._table.time(line, self._column, text) - self._ahead


def _ahead(table: Table) -> int:
    """Return by how many nanoseconds the zone in a file's name is ahead of UTC."""
    zones = list(_ZONE.finditer(table.name))
    if len(zones) != 1:
        wanted = (
            "a file's name that tells the zone of its times, as in …(UTC+3)….csv: keep the one that"
            " Binance gave it, or call the column UTC_Time if they are UTC"
        )
        raise table.fault(1, _IN_A_ZONE, table.name, wanted)
    sign, hours, minutes = zones[0].group("sign", "hours", "minutes")
    ahead = (int(hours or 0) * 60 + int(minutes or 0)) * 60 * instant.SECOND
    return ahead if sign == "+" else -ahead


def _number(table: Table, line: int, cell: _Cell) -> Decimal:
    """Read a number; separators of thousands are left out where they stand right."""
    column, text = cell
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    return table.number(line, column, text)


def _unsigned(table: Table, line: int, cell: _Cell) -> Decimal:
    value = _number(table, line, cell)
    if value < 0:
        raise table.fault(line, *cell, "a number not below zero")
    return value


def _stated(table: Table, line: int, cells: Mapping[str, str]) -> None:
    for column, text in cells.items():
        if not text.strip():
            raise table.fault(line, column, text, "a value")


def _is_of(text: str, market: str) -> bool:
    """Tell whether an amount is glued to the end of a market's name."""
    parted = glued(text)
    return parted is not None and market.endswith(parted[1])
