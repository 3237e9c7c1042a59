"""Positions by pair, and balances by asset.

A position says what was done in one pair and what its asset cost. `base_size` is the signed sum of
the pair's fills, in units of now; `avg_entry_price` is the average of the asset's whole pool, in
the quote; realised PnL and fees are the pair's own; the unrealised PnL of an asset stands in its
pair with base currency alone, whether or not that was traded, so that positions never count it
twice. A closed pair stays, with size 0.

A balance counts what is owed as well (below zero if it must). Coins outside the main pocket
(staked, in transit) and coins in open orders are `reserved`.

Errors: `PositionNotFoundError`.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.errors import PositionNotFoundError
from bursar.exact import ZERO, money, ratio18
from bursar.ledger.book import POOL, Book
from bursar.ledger.records import AssetBalance, SpotPosition
from bursar.ledger.state import Cell, CellKey
from bursar.value.convert import Missing, Path, convert, find_path
from bursar.value.equity import Valuation
from bursar.value.holdings import known_sum
from bursar.value.marks import Marks, pair_names, spelled
from bursar.value.pnl import NONE, traded_pair, traded_pairs, valuation_pair
from bursar.value.worth import EVERYTHING, AssetWorth, MarginWorth, Options

Cells = Mapping[str, Sequence[tuple[str, Cell]]]
"""The cells of each pair, with their assets."""

_NOTHING: Final[Mapping[tuple[str, str], Decimal]] = MappingProxyType({})


class Traded(msgspec.Struct, frozen=True):
    """What the book alone says of a pair. `owns` are the assets, by their one names, whose
    unrealised PnL stands in it.
    """

    pair: str
    base: str
    quote: str = ""
    size: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    owns: tuple[str, ...] = ()


class Worths(msgspec.Struct, frozen=True):
    """What is held, by its one name, and what is leveraged, at marks."""

    assets: Mapping[str, AssetWorth]
    margins: Iterable[MarginWorth]
    marks: Marks


@money
def positions(book: Book, valuation: Valuation) -> list[SpotPosition]:
    """Return a position for each pair that was traded or that values a held asset, by name."""
    every = (*valuation.assets, *valuation.excluded)
    worths = Worths(
        {valuation.marks.name(each.asset): each for each in every},
        valuation.margins,
        valuation.marks,
    )
    pairs = traded(book, worths, options=valuation.options)
    return valued_pairs(book, pairs, worths, options=valuation.options)


@money
def traded(book: Book, worths: Worths, *, options: Options) -> list[Traded]:
    """Return what the book says of each pair to show: the same at any marks. O(keys)."""
    base, marks = book.terms.base, worths.marks
    cells, names = cells_by_pair(book.cells), traded_pairs(book)
    bases = {pair: found for pair in cells if (found := traded_base(pair, cells)) is not None}
    owns: dict[str, list[str]] = {}
    for name, worth in worths.assets.items():
        if options.shows(worth.asset, base, marks=marks):
            pair = valuation_pair(worth.asset, base, traded=names)
            owns.setdefault(pair, []).append(name)
            if not worth.is_cash:
                bases.setdefault(pair, worth.asset)
    lines = (
        Traded(pair, asset, owns=tuple(owns.get(pair, ())))
        for pair, asset in sorted(bases.items())
        if options.shows(asset, base, marks=marks)
    )
    return [added_up(book, each, cells, options=options, marks=marks) for each in lines]


def cells_by_pair(cells: Mapping[CellKey, Cell]) -> Cells:
    """Return the cells of each pair, with their assets."""
    found: dict[str, list[tuple[str, Cell]]] = {}
    for (_, asset, name, _, _), cell in cells.items():
        found.setdefault(traded_pair(name), []).append((asset, cell))
    return found


def traded_base(pair: str, cells: Cells) -> str | None:
    """Return the asset that was traded in a pair; `None` if it is no pair, or nothing was."""
    assets = [asset for asset, cell in cells.get(pair, ()) if _is_traded(cell)]
    return assets[-1] if assets and pair != NONE else None


@money
def added_up(book: Book, line: Traded, cells: Cells, *, options: Options, marks: Marks) -> Traded:
    """Return a pair's line with its quote and the sums of its cells."""
    size = realized = fees = ZERO
    for asset, cell in cells.get(line.pair, ()):
        if _is_traded(cell):
            size += cell.size
        if options.shows(asset, book.terms.base, marks=marks):
            realized += cell.realized
            fees += cell.fees
    quote = _quote(book, line.pair, line.base)
    return msgspec.structs.replace(line, quote=quote, size=size, realized=realized, fees=fees)


def _is_traded(cell: Cell) -> bool:
    return bool(cell.trades or cell.size)


@money
def valued_pairs(
    book: Book, pairs: Iterable[Traded], worths: Worths, *, options: Options
) -> list[SpotPosition]:
    """Return the positions in these pairs at marks. O(pairs)."""
    priced = priced_by(book, worths, options=options)
    return [position(priced, each) for each in pairs]


def priced_by(book: Book, worths: Worths, *, options: Options) -> "Priced":
    """Return what positions are read off."""
    leveraged: dict[str, list[MarginWorth]] = {}
    for margin in worths.margins:
        leveraged.setdefault(margin.pair, []).append(margin)
    return Priced(book, worths, options, leveraged, {})


class Priced(msgspec.Struct, frozen=True):
    """What positions are read off. `paths` are from base currency to the quotes seen so far."""

    book: Book
    worths: Worths
    options: Options
    leveraged: Mapping[str, list[MarginWorth]]
    paths: dict[str, Path | Missing]

    def worth_of(self, line: Traded) -> AssetWorth | None:
        """Return what a pair's asset is worth, if any of it is there."""
        return self.worths.assets.get(self.worths.marks.name(line.base))

    def margins_of(self, line: Traded) -> Sequence[MarginWorth]:
        """Return the leveraged positions in a pair."""
        return self.leveraged.get(line.pair, ())

    def path_to(self, quote: str) -> Path | Missing:
        """Return the path from base currency to a quote."""
        if quote not in self.paths:
            marks, cash = self.worths.marks, self.book.cash
            self.paths[quote] = find_path(self.book.terms.base, quote, marks=marks, cash=cash)
        return self.paths[quote]


@money
def position(frame: Priced, line: Traded) -> SpotPosition:
    """Return the position in a pair."""
    worth = frame.worth_of(line)
    return SpotPosition(
        pair=line.pair,
        base_asset=line.base,
        quote_asset=line.quote,
        base_size=line.size,
        avg_entry_price=_average(frame, worth, line.quote),
        realized_pnl_base=line.realized,
        fees_paid_base=line.fees,
        unrealized_pnl_base=_unrealized(frame, line),
        current_value_base=_value(frame, worth, line),
    )


def find_position(found: Iterable[SpotPosition], pair: str) -> SpotPosition:
    """Return the position of a pair under any of its names: `XBT/USD`, `XBTUSD`, `BTC-USD`.

    Raises:
        PositionNotFoundError: there is none.
    """
    for position in found:
        names = pair_names(position.base_asset, position.quote_asset)
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

    `reserved` is what open orders hold, by (account, asset), under any name of the asset. `marks`
    lend their aliases: over all accounts an asset stands under one name.
    """
    names = marks if marks is not None else Marks()
    orders: dict[tuple[str, str], Decimal] = {}
    for (account, asset), held in reserved.items():
        place = (account, names.name(asset))
        orders[place] = orders.get(place, ZERO) + held
    sums: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    spellings: dict[str, set[str]] = {}
    for (account, asset), total in _totals(book).items():
        if total and options.shows(asset, book.terms.base, marks=names):
            key = (account, asset) if by_account else ("", names.name(asset))
            spellings.setdefault(key[1], set()).add(asset)
            known = sums.get(key, (ZERO, ZERO))
            kept = _kept(book, account, asset) + orders.pop((account, names.name(asset)), ZERO)
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


def _unrealized(frame: Priced, line: Traded) -> Decimal | None:
    """Return the unrealised PnL that stands in a pair; `None` where a part is not known."""
    own = [frame.worths.assets[name].unrealized for name in line.owns]
    leveraged = [each.unrealized for each in frame.margins_of(line)]
    every = (*own, *leveraged)
    return None if None in every else known_sum(every)


def _quote(book: Book, pair: str, base: str) -> str:
    """Read the quote off a pair whose base is known; empty where its name does not say."""
    if "/" in pair:
        return pair.partition("/")[2]
    margins = [margin for key, margin in book.margins.items() if key[1] == pair]
    if margins:
        return margins[0].quote
    letters = spelled(pair)
    return letters.removeprefix(spelled(base)) if letters.startswith(spelled(base)) else ""


def _average(frame: Priced, worth: AssetWorth | None, quote: str) -> Decimal | None:
    if worth is None or not worth.quantity or not worth.is_cost_known:
        return None
    path = frame.path_to(quote)
    if not isinstance(path, Path):
        return None
    return ratio18(worth.cost, path.times, worth.quantity * path.over)


def _value(frame: Priced, worth: AssetWorth | None, line: Traded) -> Decimal | None:
    if not line.size:
        return ZERO
    path: Path | Missing | None = None if worth is None else worth.path
    if path is None:
        path = find_path(
            line.base,
            frame.book.terms.base,
            marks=frame.worths.marks,
            cash=frame.book.cash,
            pairs=frame.options.valuation_pairs,
        )
    return convert(line.size, path) if isinstance(path, Path) else None
