"""USD-M futures: what the wallet's own list does not tell, and whether wallet and positions close.

No coin changes hands when a position is opened or closed. What was settled, charged and paid for
funding stands in the list of income; a trade says which position moved, by how much and at which
price, and ties what it settled to what it was charged. In one-way mode a market has one position,
in hedge mode one long and one short: two, under names of their own.

The list of income reaches back three months, trades six. What trades from before the list settled
and were charged is told by themselves. What the wallet holds is stated once, when it is first seen
at rest; the ledger opens it with what no row of before explains, and late rows of the list, as
exports, may tell more of that at any time.

Errors: as the client's.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import VenueGarbled
from bursar.exact import ZERO, money, negated, product18, unsigned
from bursar.ledger import instant
from bursar.ledger.entries import Fee, MarginFill, Movement, MovementKind, Side, Source
from bursar.reconcile.statement import Leveraged
from bursar.venue.binance.assets import FUTURES
from bursar.venue.binance.client import NAME, BinanceRESTClient, Query, Question
from bursar.venue.binance.history_rows import contract, trade_of
from bursar.venue.binance.operations import income
from bursar.venue.binance.rows import HistoryRow
from bursar.venue.binance.wire import Position, position_name

TRADES: Final = Question(path="/fapi/v1/userTrades", weight=5)
PAGE: Final = 1_000
_INCOME: Final = ("REALIZED_PNL", "COMMISSION")


class Trade(msgspec.Struct, frozen=True, rename="camel"):
    """One execution. `commission` is what was charged, told with either sign."""

    symbol: str
    id: int
    order_id: int
    side: str
    price: Decimal
    qty: Decimal
    time: int
    realized_pnl: Decimal = ZERO
    commission: Decimal = ZERO
    commission_asset: str = ""
    position_side: str = "BOTH"
    margin_asset: str = ""

    @property
    def at(self) -> int:
        """When it was made."""
        return self.time * instant.MS

    @property
    def second(self) -> int:
        """When the second began that it was made in."""
        return self.at - self.at % instant.SECOND

    @property
    def name(self) -> str:
        """The position that it moved."""
        return position_name(self.symbol, self.position_side)

    @property
    def moved(self) -> Decimal:
        """By how much, below zero for a sale."""
        return self.qty if self.side == "BUY" else negated(self.qty)

    def money(self) -> Iterator[tuple[str, Decimal]]:
        """Yield what it settled and what it was charged."""
        yield market(self.symbol, self.position_side, self.margin_asset)[1], self.realized_pnl
        yield self.commission_asset, negated(unsigned(self.commission))


async def trades(
    client: BinanceRESTClient, symbol: str, last: int | None
) -> AsyncIterator[list[Trade]]:
    """Yield the trades of a market behind a number, whole seconds at a time: those of a second
    must be seen together, as far as no list tells what they settled.
    """
    held: list[Trade] = []
    first = 0 if last is None else last + 1
    while True:
        asked: Query = {"symbol": symbol, "fromId": first, "limit": PAGE}
        page = sorted(await client.rows(TRADES, asked, Trade), key=lambda each: each.id)
        if any(each.symbol != symbol or each.id < first for each in page):
            raise VenueGarbled(f"{NAME} told other trades than of {symbol}", answer="userTrades")
        held += page
        is_full = len(page) >= PAGE
        edge = held[-1].second if is_full else None
        whole = [each for each in held if each.second != edge]
        held = held[len(whole) :]
        if whole:
            yield whole
        if not is_full:
            return
        first = page[-1].id + 1


def fill(said: Trade, *, account: str) -> MarginFill:
    """Turn a trade into a statement, under the group of its income."""
    pair, quote, base = market(said.symbol, said.position_side, said.margin_asset)
    group = trade_of(account, said.symbol, str(said.id))
    charged = unsigned(said.commission)
    return MarginFill(
        id=f"{group}/margin",
        group=group,
        account=account,
        source=Source.TRADES,
        executed_at=said.at,
        pair=pair,
        base=base,
        quote=quote,
        side=Side(said.side.casefold()),
        quantity=said.qty,
        price=said.price,
        settled=said.realized_pnl,
        fees=(Fee(said.commission_asset, charged),) if charged else (),
        pocket=FUTURES,
        order_id=str(said.order_id),
    )


def early(told: Sequence[Trade], since: int) -> list[HistoryRow]:
    """Return what trades from before the list settled and were charged, in the words of the list.

    An export of that time tells the same rows, so both come under the same ids.
    """
    return [
        HistoryRow(
            executed_at=each.at,
            pocket=FUTURES,
            operation=name,
            meaning=income(name),
            code=code,
            change=change,
            symbol=each.symbol,
            trade=str(each.id),
        )
        for each in told
        for name, (code, change) in zip(_INCOME, each.money(), strict=True)
        if each.at < since and change
    ]


def beginning(asset: str, held: Decimal, at: int, *, account: str, since: int) -> Movement:
    """State what the wallet held at an instant, after all that happened in its millisecond.

    What no row of before explains is opened, whenever that row is told.
    """
    return Movement(
        id=f"{account}:futures opening/{asset}/{instant.show(at)}",
        account=account,
        executed_at=at + instant.MS - 1,
        kind=MovementKind.OPENING,
        asset=asset,
        amount=ZERO,
        balance=held,
        pocket=FUTURES,
        label="in the futures wallet when it was first seen at rest; of what came before"
        f" {instant.day(since)} Binance tells nothing any more",
    )


def leveraged(open_: Sequence[Position], known: Collection[str]) -> list[Leveraged]:
    """Return what is open, and of the `known` pairs those that are not, with nothing in them.

    Of contracts that are settled in their own coin nothing was asked, and nothing is said.
    """
    found = {each.pair: each for each in map(_leveraged, open_)}
    for name in known:
        pair, colon, money_ = name.partition(":")
        base, _, quote = pair.partition("/")
        if name not in found and colon and money_.partition("-")[0] != base:
            found[name] = Leveraged(pair=name, base=base, quote=quote, quantity=ZERO)
    return [found[name] for name in sorted(found)]


@money
def _leveraged(said: Position) -> Leveraged:
    pair, quote, base = market(said.symbol, said.position_side, said.margin_asset)
    entered = product18(abs(said.position_amt), said.entry_price)
    return Leveraged(
        pair=pair, base=base, quote=quote, quantity=said.position_amt, entered=entered or None
    )


def moves(told: Sequence[Trade]) -> Iterator[tuple[str, Decimal]]:
    """Yield by how much trades moved each position."""
    for each in told:
        yield each.name, each.moved


def market(symbol: str, position_side: str, margin_asset: str) -> tuple[str, str, str]:
    """Return the name of a position's pair, as exports name it, its money, and its coin.

    Raises:
        VenueGarbled: there is no such market.
    """
    known = contract(symbol)
    if known is None:
        raise VenueGarbled(f"{NAME} spoke of {symbol!r}, which is no market")
    of, term = known
    quote = margin_asset or of.quote
    side = "" if position_side == "BOTH" else f"-{position_side}"
    return f"{of}:{quote}{term}{side}", quote, of.base
