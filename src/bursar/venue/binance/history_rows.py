"""Binance's transaction history and futures history: each row becomes one `Movement`.

Neither gives a row an id that the other knows, so a row is known by time, pocket, asset and amount,
and the same movement told by both is one. A row of the futures history that settles a position also
gives a `MarginFill` that names the market, which the transaction history does not know.

What a row becomes depends on that row alone, so files may be cut anywhere.

Errors: none; rows are read already.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Final

from bursar.errors import UnknownAsset
from bursar.exact import ZERO, money, trimmed
from bursar.ledger.entries import MarginFill, Movement, MovementKind, Source
from bursar.venue.binance.assets import coin
from bursar.venue.binance.identity import numbered, ranks, stamp
from bursar.venue.binance.rows import HistoryRow
from bursar.venue.binance.symbols import Pair, assets, pair
from bursar.venue.binance.trade_rows import ACCOUNT, SPOT, hour_of

_DOLLARS: Final = "USD"
_BUSD: Final = "BUSD_"
_PERPETUAL: Final = "PERP"
_COIN_MARGINED: Final = re.compile(
    rf"[A-Z0-9]+{_DOLLARS}_(?P<term>{_PERPETUAL}|[0-9]{{6}})", re.ASCII
)


def statements(
    rows: Sequence[HistoryRow], *, account: str = ACCOUNT
) -> list[Movement | MarginFill]:
    """Turn rows, oldest first, into statements: one each, and the market where it is named."""
    return [said for own in stated(rows, account=account) for said in own]


def stated(
    rows: Sequence[HistoryRow], *, account: str = ACCOUNT, late: Collection[int] = ()
) -> list[list[Movement | MarginFill]]:
    """Return what each of some rows, oldest first, states; the `late` were not told before."""
    ids = numbered(rows, _content, _order, late=late)
    places = ranks(row.executed_at for row in rows)
    said: list[list[Movement | MarginFill]] = []
    for row, name, place in zip(rows, ids, places, strict=True):
        moved = _movement(row, f"{account}:{name}", place, account)
        said.append([moved, *_market(row, moved)])
    return said


def unknown(rows: Iterable[HistoryRow]) -> tuple[str, ...]:
    """Name the operations that no table knows, and how often they come."""
    counted: dict[str, int] = {}
    for row in rows:
        if row.meaning.kind is MovementKind.UNCLASSIFIED:
            counted[row.operation] = counted.get(row.operation, 0) + 1
    return tuple(f"{name} {count}×" for name, count in sorted(counted.items()))


def _content(row: HistoryRow) -> str:
    of = coin(row.code)
    where = of.pocket or row.pocket or SPOT
    left = _left(row)
    return f"{stamp(row.executed_at)}/{where}/{of.asset}/{trimmed(left)}"


@money
def _left(row: HistoryRow) -> Decimal:
    """Return by how much the wallet changed, the fee included."""
    return row.change - (row.fee or ZERO)


def _order(row: HistoryRow) -> tuple[str, ...]:
    return row.meaning.kind.value, row.operation, row.symbol, row.reference, row.remark


def _movement(row: HistoryRow, name: str, place: int, account: str) -> Movement:
    of, meaning = coin(row.code), row.meaning
    where = of.pocket or row.pocket
    return Movement(
        id=name,
        group=_group(row, where, account),
        account=account,
        # A row that leaves the fee in its change gives way to one that parts them.
        source=Source.TRADES if row.fee is None else Source.LEDGER,
        executed_at=row.executed_at,
        sequence=place,
        note=row.remark or None,
        kind=meaning.kind,
        asset=of.asset,
        amount=ZERO if meaning.is_charge else row.change,
        fee=row.change.copy_negate() if meaning.is_charge and row.change else row.fee or ZERO,
        code=of.code,
        pocket=where,
        label=row.operation,
    )


def _group(row: HistoryRow, where: str | None, account: str) -> str | None:
    """Return where the partners of a row are to be found: trades never leave their wallet."""
    match row.meaning.kind:
        case MovementKind.LEG:
            return hour_of(account, f"{row.meaning.family}/{where or SPOT}", row.executed_at)
        case MovementKind.SWAP:
            return hour_of(account, row.meaning.family, row.executed_at)
        case MovementKind.MARGIN if row.trade:
            return trade_of(account, row.symbol, row.trade)
        case _:
            return None


def _market(row: HistoryRow, moved: Movement) -> list[MarginFill]:
    is_bare = moved.kind is MovementKind.MARGIN and not row.trade  # else the trade tells it
    market = contract(row.symbol) if is_bare else None
    if market is None:
        return []
    of, term = market
    return [
        MarginFill(
            id=f"{moved.id}/margin",
            group=moved.id,
            account=moved.account,
            source=Source.TRADES,
            executed_at=row.executed_at,
            sequence=moved.sequence,
            pair=f"{of}:{moved.asset}{term}",
            base=of.base,
            quote=moved.asset,
            pocket=moved.pocket,
        )
    ]


def trade_of(account: str, symbol: str, number: str) -> str:
    """Name the group of what one futures trade settled and was charged."""
    return f"{account}:{symbol}:{number}"


def is_coin_margined(symbol: str) -> bool:
    """Tell whether a contract is settled in its own coin: `BTCUSD_PERP`, `BTCUSD_250926`."""
    told = _COIN_MARGINED.fullmatch(symbol)
    if told is None:
        return False
    # BUSD had terms as well: BTCBUSD_210129 is in it. BNBUSD_210129 is not, as BN is no coin.
    return told["term"] == _PERPETUAL or symbol.partition(_BUSD)[0] not in assets()


def contract(symbol: str) -> tuple[Pair, str] | None:
    """Split the name of a contract, with its term of delivery: `BTCUSDT`, `BTCUSDT_250926`."""
    name, mark, term = symbol.partition("_")
    if is_coin_margined(symbol):
        of = Pair(name.removesuffix(_DOLLARS), _DOLLARS)
        return of, "" if term == _PERPETUAL else f"-{term}"
    try:
        return pair(name), f"-{term}" if mark else ""
    except UnknownAsset:
        return None
