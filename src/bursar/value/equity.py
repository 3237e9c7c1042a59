"""Equity: a book at its marks.

Every unit counts at its mark: what is held positive, what is owed negative, whether sold short or sold
before its acquisition is known (that is `pending`, and said). Base currency and pegs count at face. A
leveraged position counts as its unrealised PnL. What has no mark counts as nothing, is named in `unvalued`,
and keeps its cost in the identity.

Invariants
- Equity of priced holdings + cost of unpriced ones = contributed + realised + income − expenses +
  unrealised of priced holdings and leveraged positions, to the last digit (`valuation_gap` is zero).
- The accounts add up to the total: an asset's value is rounded once over all accounts, and each account
  in order of name has what the value grows by when its quantity joins.
- What the options leave out is valued all the same and carried as `excluded_value`.

Errors: none. What is not known is said.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money, ratio18
from bursar.ledger.audit import Totals
from bursar.ledger.book import POOL, Book
from bursar.ledger.state import Holding, Margin
from bursar.value.convert import Missing, Path, convert, find_path
from bursar.value.coverage import Coverage, cover, gaps_of, may_owe, owed
from bursar.value.marks import Marks, Standing, stale
from bursar.value.worth import (
    EVERYTHING,
    AccountWorth,
    AssetWorth,
    Frame,
    HoldingWorth,
    MarginWorth,
    Options,
)

_ALL: Final = Decimal(100)
_Places = list[tuple[str, str, Holding]]


class Valuation(msgspec.Struct, frozen=True):
    """A book at its marks, at one instant.

    `equity` is the value of the priced holdings shown plus the unrealised PnL of the leveraged positions
    shown; `unrealized` is that of both. `cash_base` is base currency, `cash` adds the pegs shown.
    `excluded_value` and `excluded_unrealized` are the same figures of what the options leave out, which
    `excluded` and `excluded_margins` list.
    """

    base: str
    at: int
    equity: Decimal
    cash_base: Decimal
    cash: Decimal
    unrealized: Decimal
    assets: tuple[AssetWorth, ...]
    margins: tuple[MarginWorth, ...]
    accounts: tuple[AccountWorth, ...]
    coverage: Coverage
    excluded_value: Decimal
    excluded_unrealized: Decimal
    excluded: tuple[AssetWorth, ...]
    excluded_margins: tuple[MarginWorth, ...]
    marks: Marks
    options: Options

    @property
    def unvalued(self) -> tuple[Missing, ...]:
        """What is shown and has no value, with the reasons."""
        return self.coverage.unvalued

    def asset(self, name: str) -> AssetWorth | None:
        """Return the worth of an asset, shown or not, under any of its names."""
        wanted = self.marks.name(name)
        every = (*self.assets, *self.excluded)
        return next((each for each in every if self.marks.name(each.asset) == wanted), None)


@money
def value_book(
    book: Book, marks: Marks, *, now: int, options: Options = EVERYTHING
) -> Valuation:
    """Value a book at its marks. `now` is the instant (nanoseconds) by which marks are old. O(keys)."""
    frame = Frame(book, marks, now, options)
    names = _names(frame)
    assets = _assets(frame, names)
    margins = _margins(frame, names)
    seen = {name for name in names.values() if options.shows(name, book.terms.base, marks)}
    shown = [each for each in assets if each.asset in seen]
    hidden = [each for each in assets if each.asset not in seen]
    open_ = tuple(each for each in margins if each.asset in seen)
    shut = tuple(each for each in margins if each.asset not in seen)
    equity = _equity(shown, open_)
    shown = [_finished(frame, each, equity) for each in shown]
    base = marks.name(book.terms.base)
    return Valuation(
        base=book.terms.base,
        at=now,
        equity=equity,
        cash_base=_sum(each.value for each in shown if marks.name(each.asset) == base),
        cash=_sum(each.value for each in shown if each.is_cash),
        unrealized=_unrealized(shown, open_),
        assets=tuple(shown),
        margins=open_,
        accounts=_accounts(shown, open_),
        coverage=cover(frame, shown, open_),
        excluded_value=_equity(hidden, shut),
        excluded_unrealized=_unrealized(hidden, shut),
        excluded=tuple(_finished(frame, each, ZERO) for each in hidden),
        excluded_margins=shut,
        marks=marks,
        options=options,
    )


@money
def valuation_gap(valuation: Valuation, totals: Totals) -> Decimal:
    """Return the left side of the identity at valuation less its right side: zero."""
    every = (*valuation.assets, *valuation.excluded)
    unpriced = _sum(each.cost for each in every if each.value is None)
    left = valuation.equity + valuation.excluded_value + unpriced
    unrealized = valuation.unrealized + valuation.excluded_unrealized
    booked = totals.contributed + totals.realized + totals.income - totals.expenses
    return left - (booked + unrealized)


def _names(frame: Frame) -> dict[str, str]:
    """Return the name to show an asset under: the book's own, or the one for all where it has several."""
    book, marks = frame.book, frame.marks
    used = [asset for (_, asset), holding in book.holdings.items() if _is_open(holding)]
    used += [margin.base for margin in book.margins.values() if margin.quantity]
    spellings: dict[str, set[str]] = {}
    for asset in used:
        spellings.setdefault(marks.name(asset), set()).add(asset)
    return {
        name: next(iter(known)) if len(known) == 1 else name for name, known in spellings.items()
    }


def _is_open(holding: Holding) -> bool:
    return bool(holding.quantity or holding.cost or holding.owed)


def _assets(frame: Frame, names: dict[str, str]) -> list[AssetWorth]:
    book, marks = frame.book, frame.marks
    places: dict[str, _Places] = {}
    for (place, asset), holding in sorted(book.holdings.items()):
        if _is_open(holding):
            places.setdefault(marks.name(asset), []).append((place, asset, holding))
    pooled: dict[str, list[HoldingWorth]] = {}
    for (account, asset), quantity in sorted(book.balances.items()):
        if quantity and asset not in book.cash:
            row = HoldingWorth(account, asset, quantity, None, ZERO)
            pooled.setdefault(marks.name(asset), []).append(row)
    return [
        _asset(frame, names[name], places[name], pooled.get(name, [])) for name in sorted(places)
    ]


def _asset(
    frame: Frame, asset: str, places: _Places, pooled: Sequence[HoldingWorth]
) -> AssetWorth:
    book, marks = frame.book, frame.marks
    path = find_path(
        asset,
        book.terms.base,
        marks=marks,
        cash=book.cash,
        pairs=frame.options.valuation_pairs,
    )
    rows = [
        HoldingWorth(place, name, holding.quantity, holding.cost, owed(holding))
        for place, name, holding in places
        if place != POOL
    ]
    valued = _valued([*rows, *pooled], path)
    cost = _sum(holding.cost for _, _, holding in places)
    value = None if any(row.value is None for row in valued) else _sum(r.value for r in valued)
    return AssetWorth(
        asset=asset,
        quantity=_sum(holding.quantity for _, _, holding in places),
        cost=cost,
        value=value,
        unrealized=None if value is None else value - cost,
        path=path if isinstance(path, Path) else None,
        missing=path if isinstance(path, Missing) and value is None else None,
        holdings=valued,
        is_cash=marks.name(asset) in {marks.name(each) for each in book.cash},
        owed=_sum(owed(holding) for _, _, holding in places),
        pending=_sum(owed(held) for place, _, held in places if not may_owe(book, place)),
    )


def _valued(rows: Iterable[HoldingWorth], path: Path | Missing) -> tuple[HoldingWorth, ...]:
    """Value holdings in order so that their values add up to that of their sum. Nothing is worth 0."""
    running, told, valued = ZERO, ZERO, []
    for row in rows:
        value: Decimal | None = None if row.quantity else ZERO
        if isinstance(path, Path):
            running += row.quantity
            value, told = convert(running, path) - told, convert(running, path)
        unrealized = None if value is None or row.cost is None else value - row.cost
        valued.append(msgspec.structs.replace(row, value=value, unrealized=unrealized))
    return tuple(valued)


def _margins(frame: Frame, names: dict[str, str]) -> list[MarginWorth]:
    return [
        _margin(frame, key, margin, names[frame.marks.name(margin.base)])
        for key, margin in sorted(frame.book.margins.items())
        if margin.quantity
    ]


def _margin(frame: Frame, key: tuple[str, str], margin: Margin, asset: str) -> MarginWorth:
    terms, pairs = frame.book.terms, frame.options.valuation_pairs
    entered = margin.notional if margin.quantity > 0 else -margin.notional
    paths, worths = [], []
    missing: Missing | None = None
    for name, amount in ((margin.base, margin.quantity), (margin.quote, entered)):
        path = find_path(name, terms.base, marks=frame.marks, cash=terms.cash, pairs=pairs)
        if isinstance(path, Missing):
            missing = missing or Missing(key[1], path.reason, f"{name} to {path.detail}")
            worths.append(None)
        else:
            paths.append(path)
            worths.append(convert(amount, path))
    value, entry = worths
    return MarginWorth(
        account=key[0],
        pair=key[1],
        asset=asset,
        quote=margin.quote,
        quantity=margin.quantity,
        notional=margin.notional,
        value=value,
        entry=entry,
        unrealized=None if value is None or entry is None else value - entry,
        paths=tuple(paths),
        missing=missing,
    )


def _finished(frame: Frame, worth: AssetWorth, equity: Decimal) -> AssetWorth:
    """Add what needs the whole view: the percentage of equity, and the flags."""
    limit, now = frame.options.stale_after, frame.now
    used = worth.path.marks if worth.path is not None else ()
    flags = {gap.flag for gap in gaps_of(frame, worth.asset)}
    own = {
        "pending": worth.pending > 0,
        "short": worth.owed > worth.pending,
        "unvalued": worth.value is None,
        "stale": any(stale(mark, now, limit=limit) for mark in used),
        "future": any(mark.is_ahead(now) for mark in used),
        "last_trade": any(mark.standing is Standing.TRADE for mark in used),
    }
    share = None
    if worth.value is not None and equity > 0:
        share = ratio18(_ALL, worth.value, equity)
    return msgspec.structs.replace(
        worth,
        share_pct=share,
        flags=(*sorted(flags), *(flag for flag, is_so in own.items() if is_so)),
    )


def _accounts(
    assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]
) -> tuple[AccountWorth, ...]:
    rows = [(each, row) for each in assets for row in each.holdings]
    open_ = list(margins)
    names = {row.account for _, row in rows} | {each.account for each in open_}
    worths = []
    for name in sorted(names):
        own = [(each, row) for each, row in rows if row.account == name]
        leveraged = [each for each in open_ if each.account == name]
        margin = _sum(each.unrealized for each in leveraged)
        unvalued = [row.asset for _, row in own if row.value is None]
        unvalued += [each.pair for each in leveraged if each.unrealized is None]
        worths.append(
            AccountWorth(
                account=name,
                equity=_sum(row.value for _, row in own) + margin,
                cash=_sum(row.value for each, row in own if each.is_cash),
                margin_unrealized=margin,
                unvalued=tuple(unvalued),
            )
        )
    return tuple(worths)


def _equity(assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> Decimal:
    return _sum(each.value for each in assets) + _sum(each.unrealized for each in margins)


def _unrealized(assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> Decimal:
    return _sum(each.unrealized for each in (*assets, *margins))


def _sum(values: Iterable[Decimal | None]) -> Decimal:
    """Add up what is known."""
    return sum((value for value in values if value is not None), ZERO)
