"""PnL: realised, unrealised, fees and income, by pair, asset, strategy, regime or account.

Realised PnL has the fees of its trades taken off; fees are reported again as a memo. Income and
expenses are beside it: `total` of a line is realised + unrealised.

Where a figure has no place under a heading, it stands under the key `none`, so the lines add up to
the total, to the last digit: open lots belong to no strategy and no regime; income belongs to no
pair. By pair, realised goes to the traded pair, the unrealised PnL of an asset to its pair with
base currency, that of a leveraged position to its own pair.

What a view leaves out is in `excluded`: total + excluded is the book's.

Errors: `BadChoice` for a heading that there is none of.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ZERO, money
from bursar.ledger.audit import SIDES, Side
from bursar.ledger.book import Book
from bursar.ledger.state import NO_PAIR, Cell, CellKey, FeeTotal, FlowTotal
from bursar.value.convert import Missing
from bursar.value.equity import Valuation
from bursar.value.holdings import told_names
from bursar.value.marks import spelled
from bursar.value.worth import AssetWorth, Gap, MarginWorth

NONE: Final = NO_PAIR
_NOBODY: Final[frozenset[str]] = frozenset()


class By(Enum):
    """The headings under which PnL can be read."""

    PAIR = "pair"
    ASSET = "asset"
    STRATEGY = "strategy"
    REGIME = "regime"
    ACCOUNT = "account"


class PnLLine(msgspec.Struct, frozen=True):
    """What was made under one heading, in base currency. `trades` counts executions."""

    realized: Decimal = ZERO
    unrealized: Decimal = ZERO
    fees: Decimal = ZERO
    income: Decimal = ZERO
    expenses: Decimal = ZERO
    trades: int = 0

    @property
    def total(self) -> Decimal:
        """Realised and unrealised PnL together."""
        return _total(self)


class PnL(msgspec.Struct, frozen=True):
    """PnL by heading. The lines add up to `total`.

    `unvalued` has no unrealised PnL in it, nor has `unfounded`, assets whose cost is not known;
    `unknown` are the lines of a pair or an asset, in which it would stand. What `gaps` names rests
    on something unknown.
    """

    by: By
    lines: dict[str, PnLLine]
    total: PnLLine
    excluded: PnLLine
    unvalued: tuple[Missing, ...] = ()
    gaps: tuple[Gap, ...] = ()
    unfounded: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def unrealized(self, key: str) -> Decimal | None:
        """Return the unrealised PnL of a line; `None` where it is not known."""
        return None if key in self.unknown else self.lines.get(key, PnLLine()).unrealized


class AssetFees(msgspec.Struct, frozen=True):
    """What was charged in one asset, and its worth in base currency: `None` where none is known.

    `unknown` counts those whose worth nobody knows: it is not in `value`.
    """

    amount: Decimal
    value: Decimal | None
    unknown: int


class FeeSummary(msgspec.Struct, frozen=True):
    """All fees: of trades (inside realised) and of the rest (expenses, under the pair `none`).

    `unpriced` names the assets in which something was charged whose worth nobody knows; it is in
    none of the figures.
    """

    by_asset: dict[str, AssetFees]
    by_pair: dict[str, Decimal]
    total: Decimal
    unpriced: tuple[str, ...] = ()


class _Piece(msgspec.Struct, frozen=True):
    """A piece of PnL with its headings."""

    asset: str
    headings: dict[By, str]
    line: PnLLine


def heading(name: str) -> By:
    """Return the heading of that name."""
    try:
        return By(name)
    except ValueError:
        known = ", ".join(each.value for each in By)
        raise BadChoice(f"PnL cannot be read by {name!r}; by one of {known}", value=name) from None


@money
def pnl(
    book: Book, valuation: Valuation, *, by: By = By.PAIR, without: frozenset[str] = _NOBODY
) -> PnL:
    """Return PnL by heading. `valuation` is of the same book.

    `without` names strategies whose trades are left out (`manual`, say): their realised PnL, fees
    and counts. Open lots belong to no strategy, so unrealised PnL stays.
    """
    pieces = _traded(book, without) + _flowed(book) + _open(book, valuation)
    base, marks = valuation.base, valuation.marks
    assets = {piece.asset for piece in pieces}
    shown = {each for each in assets if valuation.options.shows(each, base, marks=marks)}
    names = told_names(book, marks) if by is By.ASSET else {}

    def named(key: str) -> str:
        return names.get(key, key)

    unknown = sorted(set(map(named, _unknown(book, valuation, by))))
    lines: dict[str, PnLLine] = {key: PnLLine() for key in unknown}
    total, excluded = PnLLine(), PnLLine()
    for piece in pieces:
        if piece.asset not in shown:
            excluded = _plus(excluded, piece.line)
            continue
        key = named(piece.headings.get(by) or NONE)
        lines[key] = _plus(lines.get(key, PnLLine()), piece.line)
        total = _plus(total, piece.line)
    return PnL(
        by,
        {key: lines[key] for key in sorted(lines)},
        total,
        excluded,
        valuation.unvalued,
        valuation.coverage.gaps,
        tuple(e.asset for e in valuation.assets if e.value is not None and not e.is_cost_known),
        tuple(unknown),
    )


@money
def fees(book: Book) -> FeeSummary:
    """Return all fees the book has, by the asset and the pair in which they were charged.

    Fees of trades come from the fee totals by pair; fees of everything else, and rows that are
    nothing but a fee, are the expenses.
    """
    by_asset: dict[str, FeeTotal] = {}
    by_pair: dict[str, Decimal] = {}
    for asset, pair, fee in _charged(book):
        known = by_asset.get(asset, FeeTotal())
        by_asset[asset] = FeeTotal(
            known.amount + fee.amount, known.value + fee.value, known.unknown + fee.unknown
        )
        by_pair[pair] = by_pair.get(pair, ZERO) + fee.value
    return FeeSummary(
        {asset: _known(by_asset[asset]) for asset in sorted(by_asset)},
        {pair: by_pair[pair] for pair in sorted(by_pair)},
        sum(by_pair.values(), ZERO),
        tuple(sorted(asset for asset, fee in by_asset.items() if fee.unknown)),
    )


def _known(fee: FeeTotal) -> AssetFees:
    value = None if fee.unknown and not fee.value else fee.value
    return AssetFees(fee.amount, value, fee.unknown)


def traded_pairs(book: Book) -> dict[str, str]:
    """Return the names of the traded pairs by their letters: `XBTUSD` → `XBT/USD`."""
    names: dict[str, str] = {}
    for pair in sorted({cell[2] for cell in book.cells}):
        names.setdefault(spelled(pair), pair)
    return names


def valuation_pair(asset: str, base: str, *, traded: Mapping[str, str]) -> str:
    """Return the pair of an asset with base currency, spelled as it was traded if it was."""
    pair = f"{asset}/{base}"
    return traded.get(spelled(pair), pair)


def traded_pair(pair: str) -> str:
    """Return a pair's heading: `none` where a settlement named its quote alone."""
    return NONE if pair.startswith("/") else pair


def _traded(book: Book, without: frozenset[str]) -> list[_Piece]:
    return [
        _Piece(key[1], _headings(key), _line(cell))
        for key, cell in book.cells.items()
        if key[3] not in without
    ]


def _headings(key: CellKey) -> dict[By, str]:
    account, asset, pair, strategy, regime = key
    return {
        By.ACCOUNT: account,
        By.ASSET: asset,
        By.PAIR: traded_pair(pair),
        By.STRATEGY: strategy,
        By.REGIME: regime,
    }


def _line(cell: Cell) -> PnLLine:
    return PnLLine(realized=cell.realized, fees=cell.fees, trades=cell.trades)


def _flowed(book: Book) -> list[_Piece]:
    pieces = []
    for (account, kind, asset, strategy), flow in book.flows.items():
        side = SIDES[kind]
        if side is not Side.CAPITAL:
            headings = {By.ACCOUNT: account, By.ASSET: asset, By.STRATEGY: strategy}
            pieces.append(_Piece(asset, headings, _booked(side, flow)))
    return pieces


def _booked(side: Side, flow: FlowTotal) -> PnLLine:
    is_income = side is Side.INCOME
    return PnLLine(income=flow.booked) if is_income else PnLLine(expenses=flow.booked)


def _open(book: Book, valuation: Valuation) -> list[_Piece]:
    """Return the unrealised PnL: an asset's by account where its lots are, else in one piece."""
    pieces, traded = [], traded_pairs(book)
    for each in (*valuation.assets, *valuation.excluded):
        if each.unrealized is None or (each.is_cash and not each.unrealized):
            continue
        common = _where(each, valuation.base, traded)
        parts = [(row.account, row.unrealized) for row in each.holdings]
        if not parts or any(part is None for _, part in parts):
            parts = [(NONE, each.unrealized)]
        pieces += [
            _Piece(each.asset, {**common, By.ACCOUNT: name}, PnLLine(unrealized=part or ZERO))
            for name, part in parts
        ]
    for margin in (*valuation.margins, *valuation.excluded_margins):
        if margin.unrealized is not None:
            common = {**_where(margin, valuation.base, traded), By.ACCOUNT: margin.account}
            pieces.append(_Piece(margin.asset, common, PnLLine(unrealized=margin.unrealized)))
    return pieces


def _unknown(book: Book, valuation: Valuation, by: By) -> set[str]:
    """Return the pairs or assets shown, whichever are asked for, whose unrealised PnL is not known.

    Under another heading a line is of many assets, as the total is, and has what is known.
    """
    traded = traded_pairs(book)
    every: list[AssetWorth | MarginWorth] = [*valuation.assets, *valuation.margins]
    places = (_where(each, valuation.base, traded) for each in every if each.unrealized is None)
    return {place[by] for place in places if by in place}


def _where(worth: AssetWorth | MarginWorth, base: str, traded: Mapping[str, str]) -> dict[By, str]:
    """Return the asset and the pair under which an unrealised PnL stands."""
    if isinstance(worth, MarginWorth):
        return {By.ASSET: worth.asset, By.PAIR: worth.pair}
    return {By.ASSET: worth.asset, By.PAIR: valuation_pair(worth.asset, base, traded=traded)}


def _charged(book: Book) -> Iterable[tuple[str, str, FeeTotal]]:
    found = [
        (asset, traded_pair(pair), fee)
        for (_, pair, asset), fee in book.fees.items()
        if pair != NO_PAIR
    ]
    found += [
        (asset, NO_PAIR, FeeTotal(cell.fees, cell.fees))
        for (_, asset, pair, _, _), cell in book.cells.items()
        if pair == NO_PAIR and cell.fees
    ]
    found += [
        (asset, NO_PAIR, FeeTotal(-flow.amount, flow.booked, flow.unknown))
        for (_, kind, asset, _), flow in book.flows.items()
        if SIDES[kind] is Side.EXPENSE
    ]
    return found


def _plus(one: PnLLine, other: PnLLine) -> PnLLine:
    return PnLLine(
        one.realized + other.realized,
        one.unrealized + other.unrealized,
        one.fees + other.fees,
        one.income + other.income,
        one.expenses + other.expenses,
        one.trades + other.trades,
    )


@money
def _total(line: PnLLine) -> Decimal:
    return line.realized + line.unrealized
