"""Holdings at their marks: each asset over all accounts, and each leveraged position.

An asset's value is rounded once, over all its accounts; each account, in order of name, has what
the value grows by when its quantity joins. So the accounts add up to the asset, to the last digit,
and none is off by more than one unit of the 18th decimal. Of nothing the value is 0, with or
without a mark.

To be called inside the money context. Errors: none.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.ledger.book import POOL
from bursar.ledger.state import Holding, Margin
from bursar.value.convert import Missing, Path, convert, find_path
from bursar.value.coverage import gaps_of, is_cost_known, may_owe, owed
from bursar.value.worth import AssetWorth, Frame, HoldingWorth, MarginWorth

_Places = list[tuple[str, str, Holding]]
Held = tuple[_Places, list[HoldingWorth]]
"""Where an asset lies, and what of it is in pools of all accounts."""


def shown_names(frame: Frame) -> dict[str, str]:
    """Return the name to show each asset under: the book's own, unless it has several."""
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


def value_assets(frame: Frame, names: dict[str, str]) -> list[AssetWorth]:
    """Return each asset of the book at its mark, by name. `names` is from `shown_names`."""
    return [value_asset(frame, names[name], held) for name, held in places_of(frame).items()]


def places_of(frame: Frame) -> dict[str, Held]:
    """Return where each asset lies, by its one name, in order."""
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
    return {name: (places[name], pooled.get(name, [])) for name in sorted(places)}


def path_of(frame: Frame, asset: str) -> Path | Missing:
    """Return the way from an asset to the base currency of a view."""
    book = frame.book
    return find_path(
        asset,
        book.terms.base,
        marks=frame.marks,
        cash=book.cash,
        pairs=frame.options.valuation_pairs,
    )


def value_asset(
    frame: Frame, asset: str, held: Held, path: Path | Missing | None = None
) -> AssetWorth:
    """Value one asset where it lies, on the way given or on its own."""
    book, marks = frame.book, frame.marks
    places, pooled = held
    path = path_of(frame, asset) if path is None else path
    rows = [
        HoldingWorth(place, name, holding.quantity, holding.cost, owed(holding))
        for place, name, holding in places
        if place != POOL
    ]
    valued = _valued([*rows, *pooled], path)
    quantity = known_sum(holding.quantity for _, _, holding in places)
    cost = known_sum(holding.cost for _, _, holding in places)
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
        is_cash=marks.name(asset) in {marks.name(each) for each in book.cash},
        owed=known_sum(owed(holding) for _, _, holding in places),
        pending=known_sum(owed(held) for place, _, held in places if not may_owe(book, place)),
    )
    is_known = is_cost_known(cost, quantity, gaps_of(frame, asset))
    return worth if is_known else _unfounded(worth)


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


def _valued(rows: Iterable[HoldingWorth], path: Path | Missing) -> tuple[HoldingWorth, ...]:
    """Value holdings in order, so that their values add up to the value of their sum."""
    running, told, valued = ZERO, ZERO, []
    for row in rows:
        value: Decimal | None = None if row.quantity else ZERO
        if isinstance(path, Path):
            running += row.quantity
            value, told = convert(running, path) - told, convert(running, path)
        unrealized = None if value is None or row.cost is None else value - row.cost
        valued.append(msgspec.structs.replace(row, value=value, unrealized=unrealized))
    return tuple(valued)


def value_margins(frame: Frame, names: dict[str, str]) -> list[MarginWorth]:
    """Return each open leveraged position at its mark, by account and pair."""
    return [
        value_margin(frame, key, margin, names[frame.marks.name(margin.base)])
        for key, margin in sorted(frame.book.margins.items())
        if margin.quantity
    ]


def value_margin(frame: Frame, key: tuple[str, str], margin: Margin, asset: str) -> MarginWorth:
    """Value one leveraged position."""
    terms, pairs = frame.book.terms, frame.options.valuation_pairs
    entered = margin.notional if margin.quantity > 0 else -margin.notional
    paths: list[Path] = []
    worths: list[Decimal | None] = []
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


def known_sum(values: Iterable[Decimal | None]) -> Decimal:
    """Add up what is known."""
    return sum((value for value in values if value is not None), ZERO)
