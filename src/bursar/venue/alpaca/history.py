"""An account's whole history, as chunks that can be resumed after each.

Alpaca's activities are the truth; what they state is read by the same functions that read its
exports, so both come under the same ids. Executions and everything else are two lists, read side
by side from their oldest rows on, and merged by time.

Rows may be told late: executions stand up to an hour out of order where New York sets its clock
back, a fee is told a day or more after the day it is of, and a transfer may be canceled for weeks.
So each sync looks back, three hours upon executions and 31 days upon everything else, and further
where a row is still pending. What it knows already is not told again.

A page that is cut short or empty ends a sweep early, and loses nothing: the next one goes on from
the last row that was seen. A page that says again what the sweep has read, or that is of
the other list, is garbled.

Errors: `VenueError` as the client's; `VenueGarbled` names the row and the field; `Malformed` for a
mark that is none.
"""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import Malformed, VenueError, VenueGarbled
from bursar.exact import plain
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry
from bursar.ports import Chunk
from bursar.venue.alpaca import place as marks
from bursar.venue.alpaca.client import NAME, PAGE, AlpacaRESTClient
from bursar.venue.alpaca.kinds import FILL
from bursar.venue.alpaca.place import ListPlace, Place
from bursar.venue.alpaca.rows import Row
from bursar.venue.alpaca.statements import ACCOUNT, OPENS_SHORT, PENDING, statements
from bursar.venue.files.alpaca import FIELDS, Cells
from bursar.venue.files.table import Table

WHAT: Final = "activities"


class Category(Enum):
    """One of the two lists, and how far each sync looks back upon it."""

    TRADES = ("trade_activity", 3 * instant.HOUR)
    OTHERS = ("non_trade_activity", 31 * instant.DAY)

    @property
    def reach(self) -> int:
        """How far a sync looks back, in nanoseconds."""
        return self.value[1]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How an account is read. `may_short` is whether the book lets it sell what it does not own."""

    account: str = ACCOUNT
    may_short: bool = False


class History:
    """Reads an account's history."""

    def __init__(self, client: AlpacaRESTClient, options: Options) -> None:
        self._client = client
        self._options = options

    async def read(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark, oldest first."""
        place = marks.read(mark, self._options.account)
        trades = _List(self._client, Category.TRADES, place.trades)
        others = _List(self._client, Category.OTHERS, place.others)
        told = 0
        while unread := [each for each in (trades, others) if not each.is_finished]:
            await min(unread, key=_reached).fetch()
            left = [_reached(each) for each in (trades, others) if not each.is_finished]
            rows = [row for each in (others, trades) for row in each.until(min(left, default=None))]
            told += len(rows)
            if rows:
                now = marks.write(self._place(trades.place, others.place))
                yield Chunk(self._stated(rows), now, WHAT, told, told)
        resting = marks.write(self._place(trades.rest(), others.rest()))
        if resting != mark:
            yield Chunk((), resting, WHAT, told, told)

    def _stated(self, rows: Sequence[Row]) -> tuple[AnyEntry, ...]:
        account = self._options.account
        said: list[AnyEntry] = []
        for row in rows:
            if row.side in OPENS_SHORT and not self._options.may_short:
                raise VenueError(
                    f"{account} sells {row.symbol} short ({row.id}), and may not in this book:"
                    f" `bursar new --short {account}` makes one where it may",
                    row=row.id,
                )
            if row.status != PENDING:
                said += statements(row, account=account)
        return tuple(said)

    def _place(self, trades: ListPlace, others: ListPlace) -> Place:
        return Place(account=self._options.account, trades=trades, others=others)


class _List:
    """One list being read. `place` says how far it was handed on."""

    def __init__(self, client: AlpacaRESTClient, category: Category, place: ListPlace) -> None:
        self.place = place
        self.is_finished = False
        self.reached: int | None = None
        self._client = client
        self._category = category
        self._is_of_trades = category is Category.TRADES
        self._token = place.token
        self._known = {digest for _, digest in place.recent}
        self._ids: set[str] = set()
        self._held: list[Row] = []
        table = Table(NAME, FIELDS.columns, iter(()), cell="field")
        self._cells = Cells(table)

    async def fetch(self) -> None:
        """Read the next page."""
        name = self._category.value[0]
        rows = await self._client.activities(name, self.place.after, self._token, self._page)
        self.is_finished = len(rows) < PAGE
        fresh = [row for row in rows if row.id not in self._ids]
        self._ids |= {row.id for row in fresh}
        self._held += fresh
        if rows:
            self._token = rows[-1].id
            self.reached = max(self.reached or 0, *(row.at for row in rows))

    def until(self, at: int | None) -> list[Row]:
        """Hand on what happened up to an instant, or everything; return what of it is news."""
        end = len(self._held)
        if at is not None:
            later = (place for place, row in enumerate(self._held) if row.at > at)
            end = next(later, end)
        rows, self._held = self._held[:end], self._held[end:]
        self.place = marks.took(self.place, rows, self._category.reach)
        return [row for row in rows if marks.known(row)[1] not in self._known]

    def rest(self) -> ListPlace:
        """Return where the next sweep begins."""
        return marks.rest(self.place, self._category.reach)

    def _page(self, said: object) -> list[Row]:
        """Read a page; one that says nothing new is none."""
        if not isinstance(said, list):
            raise VenueGarbled(f"{NAME}'s activities are no list", answer=WHAT)
        rows = [self._row(number, each) for number, each in enumerate(said, 1)]
        strays = [row for row in rows if (row.type == FILL) is not self._is_of_trades]
        if strays:
            raise VenueGarbled(f"{NAME} told {strays[0].id} in the wrong list", answer=WHAT)
        if rows and all(row.id in self._ids for row in rows):
            raise VenueGarbled(f"{NAME} told a page of activities again", answer=WHAT)
        return rows

    def _row(self, number: int, said: object) -> Row:
        if not isinstance(said, dict):
            raise VenueGarbled(f"{NAME}'s activity {number} of a page is no object", answer=WHAT)
        try:
            return self._cells.read(number, [_cell(said.get(name)) for name in FIELDS.columns])
        except Malformed as error:
            told = {name: error.context[name] for name in ("column", "value", "expected")}
            raise VenueGarbled(
                f"{NAME}'s activity {said.get('id')}, field {told['column']}: {told['value']},"
                f" expected {told['expected']}",
                **told,
            ) from None


def _reached(each: _List) -> int:
    return each.reached or 0


def _cell(said: object) -> str:
    """Return a value as the text it was written with; what is no text and no number is not read."""
    match said:
        case None:
            return ""
        case str():
            return said
        case Decimal():
            return plain(said)
        case int() if not isinstance(said, bool):
            return str(said)
        case _:
            raise VenueGarbled(f"{NAME}'s activities have a field that is no text", answer=WHAT)
