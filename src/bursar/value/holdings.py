"""Holdings at their marks: each asset over all accounts, and each leveraged position.

An asset's value is rounded once, over all its accounts; each account, in order of name, has what
the value grows by when its quantity joins. So the accounts add up to the asset, to the last digit,
and none is off by more than one unit of the 18th decimal. Of nothing the value is 0, with or
without a mark.

To be called inside the money context. Errors: none.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.ledger.book import POOL, Book
from bursar.ledger.state import Holding, HoldingKey, Margin
from bursar.value.convert import Missing, Path, Steps, convert, find_steps, path_over
from bursar.value.coverage import is_cost_known, may_owe, owed
from bursar.value.marks import Marks
from bursar.value.worth import AssetWorth, Frame, HoldingWorth, MarginWorth

_Row = tuple[str, str, Decimal, Decimal | None, Decimal]
Spots = Collection[HoldingKey]
"""The places where an asset lies, by (place, name)."""


def spots_of(book: Book, marks: Marks) -> dict[str, set[HoldingKey]]:
    """Return where the book has or had each asset, by its one name."""
    spots: dict[str, set[HoldingKey]] = {}
    for key in (*book.holdings, *book.balances):
        spots.setdefault(marks.name(key[1]), set()).add(key)
    return spots


def priced(book: Book) -> set[HoldingKey]:
    """Return where the book has or had what a price is needed for: assets, and what is leveraged.

    The coins of a leveraged position lie nowhere, and their price counts all the same.
    """
    return set(book.holdings) | {(place, each.base) for (place, _), each in book.margins.items()}


def leverage_of(book: Book, marks: Marks) -> dict[str, set[HoldingKey]]:
    """Return the leveraged positions that the book has or had in each asset, by its one name."""
    leverage: dict[str, set[HoldingKey]] = {}
    for key, margin in book.margins.items():
        leverage.setdefault(marks.name(margin.base), set()).add(key)
    return leverage


def shown_name(frame: Frame, name: str, spots: Spots, leverage: Spots) -> str:
    """Return the name to show an asset under: the book's own, unless it has several.

    Places and positions may be gone from the book, as what was taken back is.
    """
    used = _used(frame.book, spots, leverage)
    return used.pop() if len(used) == 1 else name


def _used(book: Book, spots: Spots, leverage: Spots) -> set[str]:
    """Return the names under which something of an asset is there."""
    margins = (book.margins.get(key) for key in leverage)
    open_ = {margin.base for margin in margins if margin is not None and margin.quantity}
    return open_ | {key[1] for key in spots if _has(book, key)}


def told_names(book: Book, marks: Marks) -> dict[str, str]:
    """Return the one name under which each asset that the book speaks of is told.

    It is the name it is held under; where nothing is held, the only name it had. Of several names
    it is the one that stands for all.
    """
    spots, leverage = spots_of(book, marks), leverage_of(book, marks)
    told = {key[1] for key in (*book.holdings, *book.balances, *book.cells)}
    told |= {key[2] for key in book.flows} | {each.base for each in book.margins.values()}
    called: dict[str, set[str]] = {}
    for each in sorted(told):
        called.setdefault(marks.name(each), set()).add(each)
    found: dict[str, str] = {}
    for name, every in called.items():
        used = _used(book, spots.get(name, ()), leverage.get(name, ())) or every
        found |= dict.fromkeys(every, next(iter(used)) if len(used) == 1 else name)
    return found


def _has(book: Book, key: HoldingKey) -> bool:
    """Tell whether there is anything in a place, by the name that its account has for it."""
    if book.is_pooled and key[1] not in book.cash:
        return bool(book.balances.get(key))
    return key in book.holdings and _is_open(book.holdings[key])


def _is_open(holding: Holding) -> bool:
    return bool(holding.quantity or holding.cost or holding.owed)


def path_of(frame: Frame, asset: str) -> Path | Missing:
    """Return the way from an asset to the base currency of a view."""
    return path_over(asset, frame.book.terms.base, steps_of(frame, asset))


def steps_of(frame: Frame, asset: str) -> Steps | Missing:
    """Return the steps of the way from an asset to the base currency of a view."""
    book = frame.book
    return find_steps(
        asset,
        book.terms.base,
        marks=frame.marks,
        cash=book.cash,
        pairs=frame.options.valuation_pairs,
    )


def value_asset(frame: Frame, asset: str, spots: Spots, path: Path | Missing) -> AssetWorth | None:
    """Value one asset where it lies; `None` where no place has anything of it."""
    book = frame.book
    places = [
        (key, holding)
        for key in sorted(spots)
        if (holding := book.holdings.get(key)) is not None and _is_open(holding)
    ]
    if not places:
        return None
    rows: list[_Row] = [
        (*key, holding.quantity, holding.cost, owed(holding))
        for key, holding in places
        if key[0] != POOL
    ]
    start = frame.before.get(frame.marks.name(asset), ZERO)
    valued = _valued(rows + _pooled(book, spots), path, start)
    cost = known_sum(holding.cost for _, holding in places)
    quantity = known_sum(holding.quantity for _, holding in places)
    value = None if any(row.value is None for row in valued) else known_sum(r.value for r in valued)
    worth = AssetWorth(
        asset=asset,
        quantity=quantity,
        cost=cost,
        value=value,
        unrealized=None if value is None else value - cost,
        path=path if isinstance(path, Path) else None,
        missing=path if isinstance(path, Missing) and value is None else None,
        holdings=valued,
        is_cash=frame.marks.name(asset) in frame.face,
        owed=known_sum(owed(holding) for _, holding in places),
        pending=known_sum(owed(held) for key, held in places if not may_owe(book, key[0])),
    )
    is_known = is_cost_known(cost, quantity, frame.gaps_of(asset))
    return worth if is_known else _unfounded(worth)


def _pooled(book: Book, spots: Spots) -> list[_Row]:
    """Return what each account has of an asset whose lots are in a pool of all accounts."""
    if not book.is_pooled:
        return []
    return [
        (*key, quantity, None, ZERO)
        for key in sorted(spots)
        if (quantity := book.balances.get(key, ZERO)) and key[1] not in book.cash
    ]


def _unfounded(worth: AssetWorth) -> AssetWorth:
    """Take the unrealised PnL for unknown, as the cost is; what is booked stays beside it."""
    replace = msgspec.structs.replace
    return replace(
        worth,
        unrealized=None,
        holdings=tuple(replace(row, cost=None, unrealized=None) for row in worth.holdings),
        is_cost_known=False,
        unfounded=ZERO if worth.unrealized is None else worth.unrealized,
    )


def _valued(rows: Iterable[_Row], path: Path | Missing, start: Decimal) -> tuple[HoldingWorth, ...]:
    """Value holdings in order, after `start` units of other books, so that all values together are
    the value of their sum.
    """
    running, valued = start, list[HoldingWorth]()
    told = convert(start, path) if isinstance(path, Path) else ZERO
    for account, asset, quantity, cost, debt in rows:
        value: Decimal | None = None if quantity else ZERO
        if isinstance(path, Path):
            running += quantity
            worth = convert(running, path)
            value, told = worth - told, worth
        unrealized = None if value is None or cost is None else value - cost
        valued.append(HoldingWorth(account, asset, quantity, cost, debt, value, unrealized))
    return tuple(valued)


def value_margin(frame: Frame, key: HoldingKey, margin: Margin, asset: str) -> MarginWorth:
    """Value one leveraged position."""
    entered = margin.notional if margin.quantity > 0 else -margin.notional
    paths: list[Path] = []
    worths: list[Decimal | None] = []
    missing: Missing | None = None
    for name, amount in ((margin.base, margin.quantity), (margin.quote, entered)):
        path = path_of(frame, name)
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
        leverage=margin.leverage,
    )


def known_sum(values: Iterable[Decimal | None]) -> Decimal:
    """Add up what is known."""
    total = ZERO
    for value in values:
        if value is not None:
            total += value
    return total
