"""What a valuation looks at, and its records of what everything is worth.

All amounts are in the book's base currency. `None` is a worth that is not known; it is in no total,
and the valuation's `unvalued` names it.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.value.convert import Missing, Path
from bursar.value.marks import Mark, Marks

STALE_AFTER: Final = 300 * instant.SECOND


class Options(msgspec.Struct, frozen=True):
    """Which assets a view shows, how it prices them, and when it calls a mark stale (nanoseconds).

    Base currency is always shown. An empty `include_assets` shows all. Names count under every
    alias. `valuation_pairs` says with which pair an asset is priced: `{"ATOM": "ATOM/XBT"}`.
    """

    include_assets: frozenset[str] = frozenset()
    exclude_assets: frozenset[str] = frozenset()
    valuation_pairs: Mapping[str, str] = MappingProxyType({})
    stale_after: int = STALE_AFTER

    def shows(self, asset: str, base: str, *, marks: Marks) -> bool:
        """Tell whether a view with these options shows the asset."""
        if not (self.exclude_assets or self.include_assets):
            return True
        name = marks.name(asset)
        if name == marks.name(base):
            return True
        if name in {marks.name(each) for each in self.exclude_assets}:
            return False
        return not self.include_assets or name in {marks.name(e) for e in self.include_assets}


EVERYTHING: Final = Options()
ALONE: Final[Mapping[str, Decimal]] = MappingProxyType({})
"""What is held before a book that is no part of another."""


class Gap(msgspec.Struct, frozen=True):
    """How many facts about an asset carry a flag such as `unpriced` or `assumed_basis`."""

    asset: str
    flag: str
    count: int


class Frame(msgspec.Struct, frozen=True):
    """What a valuation looks at: a book, marks, the instant, and how to look.

    `gaps` are those of the book by the one name of each asset, `face` the one names of its money.
    `before` is what books that are valued before this one, as parts of one whole, hold of each
    asset: a part has what the whole's value grows by when its quantity joins, as an account has.
    """

    book: Book
    marks: Marks
    now: int
    options: Options
    gaps: Mapping[str, tuple[Gap, ...]]
    face: frozenset[str]
    before: Mapping[str, Decimal] = ALONE

    def shows(self, asset: str) -> bool:
        """Tell whether the view shows an asset."""
        return self.options.shows(asset, self.book.terms.base, marks=self.marks)

    def gaps_of(self, asset: str) -> tuple[Gap, ...]:
        """Return the gaps of an asset under all its names."""
        return self.gaps.get(self.marks.name(asset), ())


def framed(
    book: Book,
    marks: Marks,
    *,
    now: int,
    options: Options = EVERYTHING,
    before: Mapping[str, Decimal] = ALONE,
) -> Frame:
    """Return what a valuation looks at. O(keys)."""
    gaps: dict[str, tuple[Gap, ...]] = {}
    for (asset, flag), count in sorted(book.gaps.items()):
        if count:
            name = marks.name(asset)
            gaps[name] = (*gaps.get(name, ()), Gap(asset, flag, count))
    face = frozenset(map(marks.name, book.cash))
    return Frame(book, marks, now, options, gaps, face, before)


class HoldingWorth(msgspec.Struct, frozen=True):
    """One account's holding of an asset, under the name the account has for it.

    `owed` (≥ 0) is what was sold without an acquisition; the quantity has it taken off. `cost` is
    `None` where lots are pooled over accounts: it belongs to no one account.
    """

    account: str
    asset: str
    quantity: Decimal
    cost: Decimal | None
    owed: Decimal
    value: Decimal | None = None
    unrealized: Decimal | None = None


class AssetWorth(msgspec.Struct, frozen=True):
    """One asset over all accounts. Base currency and pegs are worth their quantity.

    What is owed counts at the mark, as a negative quantity; `pending` is the part of it that an
    account sold without knowing where it came from. `share_pct` is the percentage of equity.
    `flags` names what is not the last word: gaps of the book, `pending`, `short`, `unvalued`,
    `stale`, `future`, `last_trade`.

    `cost` is what is booked, and that is nothing where no part of it had a price: then
    `is_cost_known` is false, `known_cost` and `unrealized` are `None`, and `unfounded` is what the
    books would call unrealised.
    """

    asset: str
    quantity: Decimal
    cost: Decimal
    value: Decimal | None
    unrealized: Decimal | None
    path: Path | None
    missing: Missing | None
    holdings: tuple[HoldingWorth, ...]
    is_cash: bool = False
    owed: Decimal = ZERO
    pending: Decimal = ZERO
    share_pct: Decimal | None = None
    flags: tuple[str, ...] = ()
    is_cost_known: bool = True
    unfounded: Decimal = ZERO

    @property
    def known_cost(self) -> Decimal | None:
        """What it cost; `None` where nothing of that is known."""
        return self.cost if self.is_cost_known else None

    @property
    def mark(self) -> Mark | None:
        """The mark of the asset itself: the first on its path."""
        return self.path.marks[0] if self.path is not None and self.path.marks else None


class MarginWorth(msgspec.Struct, frozen=True):
    """A leveraged position.

    `value` is its signed notional at the mark, `entry` that at which it was entered, each brought
    to base currency by the marks; `unrealized` is their difference, and all that equity counts.
    `leverage` is as it was told.
    """

    account: str
    pair: str
    asset: str
    quote: str
    quantity: Decimal
    notional: Decimal
    value: Decimal | None
    entry: Decimal | None
    unrealized: Decimal | None
    paths: tuple[Path, ...] = ()
    missing: Missing | None = None
    leverage: Decimal | None = None


class AccountWorth(msgspec.Struct, frozen=True):
    """One account's part of the totals. Over all accounts they add up to the valuation's."""

    account: str
    equity: Decimal
    cash: Decimal
    margin_unrealized: Decimal
    unvalued: tuple[str, ...] = ()
