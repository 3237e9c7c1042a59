"""Positions by pair, and balances by asset.

A position says what was done in one pair and what its asset cost. `base_size` is the signed sum of
the pair's fills; `avg_entry_price` is the average of the asset's whole pool, in the quote; realised
PnL and fees are the pair's own; the unrealised PnL of an asset stands in its pair with base
currency alone, whether or not that was traded, so that positions never count it twice. A closed
pair stays, with size 0.

A balance counts what is owed as well (below zero if it must). Coins outside the main pocket
(staked, in transit) and coins in open orders are `reserved`.

Errors: `PositionNotFoundError`.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.errors import PositionNotFoundError
from bursar.exact import ZERO, money, ratio18
from bursar.ledger.book import POOL, Book
from bursar.ledger.names import ALIASES
from bursar.ledger.records import AssetBalance, SpotPosition
from bursar.value.convert import Path, convert, find_path
from bursar.value.equity import Valuation
from bursar.value.marks import Marks, pair_names, spelled
from bursar.value.pnl import (
    NONE,
    By,
    PnL,
    PnLLine,
    pnl,
    traded_pair,
    traded_pairs,
    valuation_pair,
)
from bursar.value.worth import EVERYTHING, AssetWorth, Options

_NOTHING: Final[Mapping[tuple[str, str], Decimal]] = MappingProxyType({})


class _Frame(msgspec.Struct, frozen=True):
    """What positions are read off."""

    book: Book
    valuation: Valuation
    by_pair: PnL
    traded: dict[str, str]

    def own_pair(self, asset: str) -> str:
        """Return the pair in which an asset's unrealised PnL stands."""
        return valuation_pair(asset, self.valuation.base, traded=self.traded)


@money
def positions(book: Book, valuation: Valuation) -> list[SpotPosition]:
    """Return a position for each pair that was traded or that values a held asset, by name."""
    frame = _Frame(book, valuation, pnl(book, valuation, by=By.PAIR), traded_pairs(book))
    sizes: dict[str, Decimal] = {}
    bases: dict[str, str] = {}
    for (_, asset, pair, _, _), cell in book.cells.items():
        if traded_pair(pair) != NONE and (cell.trades or cell.size):
            sizes[pair] = sizes.get(pair, ZERO) + cell.size
            bases[pair] = asset
    for worth in valuation.assets:
        if not worth.is_cash:
            bases.setdefault(frame.own_pair(worth.asset), worth.asset)
    shown = [
        pair
        for pair in sorted(bases)
        if valuation.options.shows(bases[pair], valuation.base, marks=valuation.marks)
    ]
    return [_position(frame, pair, base=bases[pair], size=sizes.get(pair, ZERO)) for pair in shown]


def find_position(
    found: Iterable[SpotPosition], pair: str, *, aliases: Mapping[str, str] = ALIASES
) -> SpotPosition:
    """Return the position of a pair under any of its names: `XBT/USD`, `XBTUSD`, `BTC-USD`.

    Raises:
        PositionNotFoundError: there is none.
    """
    for position in found:
        names = pair_names(position.base_asset, position.quote_asset, aliases=aliases)
        if spelled(pair) in (spelled(position.pair), *names):
            return position
    raise PositionNotFoundError(f"no position in {pair}", pair=pair)


@money
def balances(
    book: Book,
    *,
    marks: Marks | None = None,
    reserved: Mapping[tuple[str, str], Decimal] = _NOTHING,
    options: Options = EVERYTHING,
    by_account: bool = False,
) -> list[AssetBalance]:
    """Return what is held, by asset (and by account, if asked), without what is zero.

    `reserved` is what open orders hold, by (account, asset). `marks` lend their aliases: over all
    accounts an asset stands under one name.
    """
    names = marks if marks is not None else Marks()
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    spellings: dict[str, set[str]] = {}
    for (account, asset), total in _totals(book).items():
        if total and options.shows(asset, book.terms.base, marks=names):
            key = (account, asset) if by_account else ("", names.name(asset))
            spellings.setdefault(key[1], set()).add(asset)
            known = sums.get(key, (ZERO, ZERO))
            kept = _kept(book, account, asset) + reserved.get((account, asset), ZERO)
            sums[key] = (known[0] + total, known[1] + kept)
    result = []
    for (account, name), (total, kept) in sorted(sums.items()):
        asset = next(iter(spellings[name])) if len(spellings[name]) == 1 else name
        result.append(AssetBalance(asset, total - kept, kept, total, account or None))
    return result


def _totals(book: Book) -> dict[tuple[str, str], Decimal]:
    held = {key: holding.quantity for key, holding in book.holdings.items() if key[0] != POOL}
    pooled = {key: each for key, each in book.balances.items() if key[1] not in book.cash}
    return held | pooled


def _kept(book: Book, account: str, asset: str) -> Decimal:
    """Return what lies in other pockets than the main one."""
    pockets = (
        quantity
        for (place, name, _), quantity in book.pockets.items()
        if (place, name) == (account, asset)
    )
    return max(sum(pockets, ZERO), ZERO)


def _position(frame: _Frame, pair: str, *, base: str, size: Decimal) -> SpotPosition:
    quote = _quote(frame.book, pair, base)
    worth = frame.valuation.asset(base)
    line = frame.by_pair.lines.get(pair, PnLLine())
    unrealized: Decimal | None = line.unrealized
    if worth is not None and worth.unrealized is None and pair == frame.own_pair(worth.asset):
        unrealized = None
    return SpotPosition(
        pair=pair,
        base_asset=base,
        quote_asset=quote,
        base_size=size,
        avg_entry_price=_average(frame, worth, quote),
        realized_pnl_base=line.realized,
        fees_paid_base=line.fees,
        unrealized_pnl_base=unrealized,
        current_value_base=_value(frame, base, size),
    )


def _quote(book: Book, pair: str, base: str) -> str:
    """Read the quote off a pair whose base is known; empty where its name does not say."""
    if "/" in pair:
        return pair.partition("/")[2]
    margins = [margin for key, margin in book.margins.items() if key[1] == pair]
    if margins:
        return margins[0].quote
    letters = spelled(pair)
    return letters.removeprefix(spelled(base)) if letters.startswith(spelled(base)) else ""


def _average(frame: _Frame, worth: AssetWorth | None, quote: str) -> Decimal | None:
    if worth is None or not worth.quantity or not worth.is_cost_known:
        return None
    marks, cash = frame.valuation.marks, frame.book.cash
    path = find_path(frame.valuation.base, quote, marks=marks, cash=cash)
    if not isinstance(path, Path):
        return None
    return ratio18(worth.cost, path.times, worth.quantity * path.over)


def _value(frame: _Frame, base: str, size: Decimal) -> Decimal | None:
    if not size:
        return ZERO
    valuation = frame.valuation
    path = find_path(
        base,
        valuation.base,
        marks=valuation.marks,
        cash=frame.book.cash,
        pairs=valuation.options.valuation_pairs,
    )
    return convert(size, path) if isinstance(path, Path) else None
