"""Kraken's exports: ledgers.csv and trades.csv of every generation, whatever columns were chosen.

Both are read oldest first, also where the file stands newest first. A ledger row with a reference
but neither id nor balance only announces a movement: it is counted as pending and left out. A row
that stands in the file twice in the same words is read once.

Errors: as `table`; `Malformed` also for the first row whose balance does not follow from the row
before it, and for an id told twice in different words; `UnknownAsset` for a pair that no table
names.
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from itertools import repeat
from operator import itemgetter
from typing import Final, TypeVar

from bursar.errors import Malformed, UnknownAsset
from bursar.exact import ZERO, money, parse_all, plain
from bursar.ledger.entries import Side
from bursar.venue.files.reading import FileReading, Options
from bursar.venue.files.table import Table
from bursar.venue.files.unique import UniqueRows
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.chain import Break, verify
from bursar.venue.kraken.ledger_rows import ACCOUNT, movements
from bursar.venue.kraken.pairs import pair
from bursar.venue.kraken.rows import LedgerRow, TradeRow
from bursar.venue.kraken.trade_rows import fills

LEDGERS: Final = "kraken ledgers"
TRADES: Final = "kraken trades"
_ABSENT: Final = frozenset({"", "-"})
_SIDES: Final = {side.value: side for side in Side}
_R = TypeVar("_R", LedgerRow, TradeRow)


def read_ledgers(table: Table, account: str | None, options: Options) -> FileReading:
    """Read ledgers.csv: one `Movement` a row."""
    cells = LedgerCells(table)
    kept = UniqueRows[LedgerRow](table, "txid")
    pending = 0
    for line, row in table:
        if cells.is_pending(row):
            pending += 1
        else:
            read = cells.read(line, row)
            kept.add(line, read, read.txid)
    _oldest_first(kept)
    chain = verify(kept.rows)
    breaks = [_fault(table, kept, each) for each in chain.breaks]
    if breaks and not options.allow_breaks:
        raise breaks[0]
    return FileReading(
        format=LEDGERS,
        statements=tuple(movements(kept.rows, chain.ranks, account=account or ACCOUNT)),
        rows=len(kept.rows) + kept.repeated + pending,
        pending=pending,
        repeated=kept.repeated,
        breaks=tuple(map(str, breaks)),
    )


def read_trades(table: Table, account: str | None, _: Options) -> FileReading:
    """Read trades.csv: one `Fill` or `MarginFill` a row."""
    cells = TradeCells(table)
    kept = UniqueRows[TradeRow](table, "txid")
    for line, row in table:
        read = cells.read(line, row)
        kept.add(line, read, read.txid)
    _oldest_first(kept)
    return FileReading(
        format=TRADES,
        statements=tuple(fills(kept.rows, account=account or ACCOUNT)),
        rows=len(kept.rows) + kept.repeated,
        repeated=kept.repeated,
    )


def _oldest_first(kept: UniqueRows[_R]) -> None:
    """Turn the rows round where they stand newest first."""
    if kept.rows and kept.rows[0].executed_at > kept.rows[-1].executed_at:
        kept.reverse()


class LedgerCells:
    """Where the cells of ledgers.csv stand, and how to read them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._txid = table.place("txid")
        self._refid = table.place("refid")
        self._time = table.place("time")
        self._type = table.place("type")
        self._asset = table.place("asset")
        self._amount = table.place("amount")
        self._fee = table.place("fee")
        self._subtype = table.place_if_any("subtype")
        self._wallet = table.place_if_any("wallet")
        self._balance = table.place_if_any("balance")
        self._usd = table.place_if_any("amountusd")
        self._fee_asset = table.place_if_any("feecurrency")

    def is_pending(self, cells: list[str]) -> bool:
        """Tell whether a row only announces a movement: it has a reference, no id, no balance."""
        if cells[self._txid] or not cells[self._refid]:
            return False
        return self._balance is None or not cells[self._balance]

    def told(self, rows: list[list[str]]) -> list[list[str]]:
        """Return the rows that do more than announce a movement."""
        if all(map(itemgetter(self._txid), rows)):
            return rows
        return [row for row in rows if not self.is_pending(row)]

    def read(self, line: int, cells: list[str]) -> LedgerRow:
        """Read one row."""
        table = self._table
        usd = "-" if self._usd is None else cells[self._usd]
        row = LedgerRow(
            txid=cells[self._txid],
            refid=cells[self._refid],
            executed_at=table.time(line, "time", cells[self._time]),
            type=cells[self._type],
            subtype=None if self._subtype is None else cells[self._subtype],
            code=cells[self._asset],
            wallet="" if self._wallet is None else cells[self._wallet],
            amount=table.number(line, "amount", cells[self._amount]),
            fee=table.number(line, "fee", cells[self._fee]),
            balance=None
            if self._balance is None
            else table.number(line, "balance", cells[self._balance]),
            amount_usd=None if usd in _ABSENT else table.number(line, "amountusd", usd),
        )
        self._check(line, cells, row)
        return row

    def read_all(self, rows: Sequence[list[str]]) -> list[LedgerRow]:
        """Read rows as `read` does each, none of them pending. O(cells), column by column."""
        if not rows:
            return []
        columns = list(zip(*rows, strict=True))
        amounts = self._numbers(columns, self._amount)
        fees = self._numbers(columns, self._fee)
        balances = self._numbers(columns, self._balance)
        worths = self._numbers(columns, self._usd, _ABSENT)
        if amounts is None or fees is None or balances is None or worths is None:
            return [self.read(0, row) for row in rows]
        read = list(
            map(
                LedgerRow,
                columns[self._txid],
                columns[self._refid],
                map(self._instants(columns[self._time]).__getitem__, columns[self._time]),
                columns[self._type],
                repeat(None) if self._subtype is None else columns[self._subtype],
                columns[self._asset],
                repeat("") if self._wallet is None else columns[self._wallet],
                amounts,
                fees,
                balances,
                worths,
            )
        )
        needed = (columns[place] for place in (self._txid, self._type, self._asset))
        if self._fee_asset is not None or any("" in column for column in needed):
            for cells, row in zip(rows, read, strict=True):
                self._check(0, cells, row)
        return read

    def _instants(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the times that a column's texts tell: the rows of a trade tell one."""
        return {text: self._table.time(0, "time", text) for text in dict.fromkeys(texts)}

    @staticmethod
    def _numbers(
        columns: Sequence[Sequence[str]], place: int | None, absent: Collection[str] = ()
    ) -> Iterable[Decimal | None] | None:
        """Return a column's numbers, `None` for what is absent; `None` if one is no plain number.

        A column that the export lacks has no numbers at all.
        """
        if place is None:
            return repeat(None)
        texts = columns[place]
        if not absent:
            return parse_all(texts)
        told = [text for text in texts if text not in absent]
        numbers = parse_all(told)
        if numbers is None or len(told) == len(texts):
            return numbers
        rest = iter(numbers)
        return [None if text in absent else next(rest) for text in texts]

    def _check(self, line: int, cells: list[str], row: LedgerRow) -> None:
        if not row.txid or not row.code or not row.type:
            empty = "txid" if not row.txid else "type" if not row.type else "asset"
            raise self._table.fault(line, empty, "", "a value")
        if self._fee_asset is not None and row.fee:
            stated = cells[self._fee_asset]
            if stated and coin(stated).asset != coin(row.code).asset:
                own = f"{row.code}, since amount, fee and balance are in the row's own asset"
                raise self._table.fault(line, "feecurrency", stated, own)


class TradeCells:
    """Where the cells of trades.csv stand, and how to read them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._txid = table.place("txid")
        self._pair = table.place("pair")
        self._time = table.place("time")
        self._type = table.place("type")
        self._cost = table.place("cost")
        self._fee = table.place("fee")
        self._volume = table.place("vol")
        # Without it a leveraged trade would look like a purchase.
        self._margin = table.place("margin")
        self._price = table.place_if_any("price")
        self._misc = table.place_if_any("misc")
        self._order_type = table.place_if_any("ordertype")
        self._position = _place_of_one(table, "posttxid", "postxid")
        self._status = _place_of_one(table, "posstatuscode", "posstatus")
        self._order = table.place_if_any("ordertxid")
        self._ledgers = table.place_if_any("ledgers")

    def read(self, line: int, cells: list[str]) -> TradeRow:
        """Read one row."""
        table = self._table
        if not cells[self._txid]:
            raise table.fault(line, "txid", "", "a value")
        side = _SIDES.get(cells[self._type])
        if side is None:
            raise table.fault(line, "type", cells[self._type], "buy or sell")
        price = "" if self._price is None else cells[self._price]
        margin = cells[self._margin]
        ledgers = "" if self._ledgers is None else cells[self._ledgers]
        return TradeRow(
            txid=cells[self._txid],
            pair=self._known_pair(line, cells[self._pair]),
            executed_at=table.time(line, "time", cells[self._time]),
            side=side,
            volume=table.unsigned(line, "vol", cells[self._volume]),
            cost=table.unsigned(line, "cost", cells[self._cost]),
            fee=table.number(line, "fee", cells[self._fee]),
            margin=None if margin in _ABSENT else table.number(line, "margin", margin),
            price=None if price in _ABSENT else table.unsigned(line, "price", price),
            misc="" if self._misc is None else cells[self._misc],
            order_type="" if self._order_type is None else cells[self._order_type],
            position="" if self._position is None else cells[self._position],
            position_status="" if self._status is None else cells[self._status],
            order_id=None if self._order is None else cells[self._order] or None,
            ledgers=tuple(txid.strip() for txid in ledgers.split(",") if txid.strip()),
        )

    def _known_pair(self, line: int, name: str) -> str:
        try:
            pair(name)
        except UnknownAsset:
            fault = self._table.fault(line, "pair", name, "a pair that Kraken lists, or BASE/QUOTE")
            raise UnknownAsset(fault.message, **fault.context) from None
        return name


def _place_of_one(table: Table, *names: str) -> int | None:
    """Find a column that older exports give another name."""
    places = (table.place_if_any(name) for name in names)
    return next((place for place in places if place is not None), None)


@money
def _fault(table: Table, kept: UniqueRows[LedgerRow], broken: Break) -> Malformed:
    row = kept.rows[broken.place]
    before = broken.expected - row.amount + row.fee
    expected = (
        f"{plain(broken.expected)}: the {row.code} row before left {plain(before)}, this one moves"
        f" {plain(row.amount)} less a fee of {plain(row.fee)}; a row is missing or changed"
    )
    balance = ZERO if row.balance is None else row.balance
    return table.fault(kept.lines[broken.place], "balance", plain(balance), expected)
