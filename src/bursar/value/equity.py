"""Equity: a book at its marks.

Every unit counts at its mark: what is held positive, what is owed negative, whether sold short or
sold before its acquisition is known (that is `pending`, and said). Base currency and pegs count at
face. A leveraged position counts as its unrealised PnL. What has no mark counts as nothing, is
named in `unvalued`, and keeps its cost in the identity.

Invariants
- Equity of priced holdings + cost of unpriced ones = contributed + realised + income − expenses +
  unrealised of priced holdings and leveraged positions, to the last digit (`valuation_gap` is
  zero). What has a value and no known cost is booked at nothing; its gain, all of its value, is
  `unfounded`, counts on the right side too, and is never called unrealised.
- The accounts add up to the total: an asset's value is rounded once over all accounts, and each
  account in order of name has what the value grows by when its quantity joins.
- What the options leave out is valued all the same and carried as `excluded_value`.

Errors: none. What is not known is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money, percent18
from bursar.ledger.audit import Totals
from bursar.ledger.book import Book
from bursar.value.convert import Missing
from bursar.value.coverage import Coverage, cover
from bursar.value.holdings import (
    known_sum,
    leverage_of,
    path_of,
    shown_name,
    spots_of,
    value_asset,
    value_margin,
)
from bursar.value.marks import LAST_TRADE, Marks, stale
from bursar.value.worth import (
    ALONE,
    EVERYTHING,
    AccountWorth,
    AssetWorth,
    Frame,
    HoldingWorth,
    MarginWorth,
    Options,
    framed,
)


class Valuation(msgspec.Struct, frozen=True):
    """A book at its marks, at one instant.

    `equity` is the value of the priced holdings shown plus the unrealised PnL of the leveraged
    positions shown; `unrealized` is that of both. `cash_base` is base currency, `cash` adds the
    pegs shown. `excluded_value` and `excluded_unrealized` are the same figures of what the options
    leave out, which `excluded` and `excluded_margins` list.
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
    @money
    def owned(self) -> Decimal:
        """What everything is worth, shown or not."""
        return self.equity + self.excluded_value

    @property
    @money
    def owned_cash(self) -> Decimal:
        """Base currency and pegs, shown or not."""
        return known_sum(each.value for each in (*self.assets, *self.excluded) if each.is_cash)

    @property
    @money
    def owned_unrealized(self) -> Decimal:
        """The unrealised PnL of everything, shown or not."""
        return self.unrealized + self.excluded_unrealized

    @property
    def left_out(self) -> tuple[AssetWorth | MarginWorth, ...]:
        """What the options leave out, held or leveraged."""
        return (*self.excluded, *self.excluded_margins)

    @property
    def excluded_unvalued(self) -> tuple[str, ...]:
        """What is left out, has no value, and is not free: without it, what is owned is unknown."""
        return tuple(sorted({named(each) for each in self.left_out if is_missed(each)}))

    @property
    def lacking(self) -> tuple[str, ...]:
        """What a figure of all that is owned lacks."""
        return (*self.coverage.unvalued_assets, *self.excluded_unvalued)

    @property
    @money
    def unvalued_cost(self) -> Decimal:
        """What everything without a value cost, shown or not."""
        every = (*self.assets, *self.excluded)
        return known_sum(each.cost for each in every if each.value is None)

    @property
    @money
    def unfounded(self) -> Decimal:
        """What the books gain by what is valued and has no known cost, shown or not."""
        return known_sum(each.unfounded for each in (*self.assets, *self.excluded))

    @property
    def unvalued(self) -> tuple[Missing, ...]:
        """What is shown and has no value, with the reasons."""
        return self.coverage.unvalued

    def asset(self, name: str) -> AssetWorth | None:
        """Return the worth of an asset, shown or not, under any of its names."""
        wanted = self.marks.name(name)
        every = (*self.assets, *self.excluded)
        return next((each for each in every if self.marks.name(each.asset) == wanted), None)


class Sums(msgspec.Struct, frozen=True):
    """The totals of a valuation, as it has them."""

    equity: Decimal
    unrealized: Decimal
    cash_base: Decimal
    cash: Decimal
    excluded_value: Decimal
    excluded_unrealized: Decimal


@money
def value_book(
    book: Book,
    marks: Marks,
    *,
    now: int,
    options: Options = EVERYTHING,
    before: Mapping[str, Decimal] = ALONE,
) -> Valuation:
    """Value a book at its marks. O(keys).

    `now` is the instant, in nanoseconds, by which a mark is old or from the future; `before` is
    what other books of the same whole hold, where this one is to add up with them.
    """
    frame = framed(book, marks, now=now, options=options, before=before)
    spots, leverage = spots_of(book, marks), leverage_of(book, marks)
    names = {
        name: shown_name(frame, name, spots.get(name, ()), leverage.get(name, ()))
        for name in spots.keys() | leverage.keys()
    }
    worths = [
        value_asset(frame, names[name], spots[name], path_of(frame, names[name]))
        for name in sorted(spots)
    ]
    margins = [
        value_margin(frame, key, margin, names[marks.name(margin.base)])
        for key, margin in sorted(book.margins.items())
        if margin.quantity
    ]
    assets = [each for each in worths if each is not None]
    return assembled(frame, assets, margins, _summed(frame, assets, margins))


@money
def assembled(
    frame: Frame, assets: Sequence[AssetWorth], margins: Sequence[MarginWorth], sums: Sums
) -> Valuation:
    """Put a valuation together from its parts, each in order of name, and their totals."""
    shown = [_finished(frame, each, sums.equity) for each in assets if frame.shows(each.asset)]
    hidden = [_finished(frame, each, ZERO) for each in assets if not frame.shows(each.asset)]
    open_ = tuple(each for each in margins if frame.shows(each.asset))
    shut = tuple(each for each in margins if not frame.shows(each.asset))
    return Valuation(
        base=frame.book.terms.base,
        at=frame.now,
        equity=sums.equity,
        cash_base=sums.cash_base,
        cash=sums.cash,
        unrealized=sums.unrealized,
        assets=tuple(shown),
        margins=open_,
        accounts=_accounts(shown, open_),
        coverage=cover(frame, shown, open_),
        excluded_value=sums.excluded_value,
        excluded_unrealized=sums.excluded_unrealized,
        excluded=tuple(hidden),
        excluded_margins=shut,
        marks=frame.marks,
        options=frame.options,
    )


@money
def valuation_gap(valuation: Valuation, totals: Totals) -> Decimal:
    """Return the left side of the identity at valuation less its right side: zero."""
    left = valuation.owned + valuation.unvalued_cost
    unrealized = valuation.owned_unrealized + valuation.unfounded
    return left - (totals.contributed + totals.made + unrealized)


def _summed(frame: Frame, assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> Sums:
    """Add up what everything is worth."""
    every: list[AssetWorth | MarginWorth] = [*assets, *margins]
    shown = [each for each in every if frame.shows(each.asset)]
    hidden = [each for each in every if not frame.shows(each.asset)]
    cash = [each for each in shown if isinstance(each, AssetWorth) and each.is_cash]
    base = frame.marks.name(frame.book.terms.base)
    return Sums(
        equity=known_sum(map(counted, shown)),
        unrealized=known_sum(each.unrealized for each in shown),
        cash_base=known_sum(c.value for c in cash if frame.marks.name(c.asset) == base),
        cash=known_sum(each.value for each in cash),
        excluded_value=known_sum(map(counted, hidden)),
        excluded_unrealized=known_sum(each.unrealized for each in hidden),
    )


def counted(worth: AssetWorth | MarginWorth) -> Decimal | None:
    """Return what counts in equity: the value of what is held, the gain of what is leveraged."""
    return worth.value if isinstance(worth, AssetWorth) else worth.unrealized


def is_missed(worth: AssetWorth | MarginWorth) -> bool:
    """Tell whether what has no value took something from equity when it came, or may yet: what
    cost nothing, and is not owed, can be left out and is no loss.
    """
    if counted(worth) is not None:
        return False
    return not isinstance(worth, AssetWorth) or bool(worth.cost or worth.owed)


def named(worth: AssetWorth | MarginWorth) -> str:
    """Return the name of what is worth it: an asset, or a leveraged pair."""
    return worth.asset if isinstance(worth, AssetWorth) else worth.pair


def _finished(frame: Frame, worth: AssetWorth, equity: Decimal) -> AssetWorth:
    """Add what needs the whole view: the percentage of equity, and the flags."""
    share = None
    if worth.value is not None and equity > 0:
        share = percent18(worth.value, equity)
    return msgspec.structs.replace(worth, share_pct=share, flags=_flags(frame, worth))


def _flags(frame: Frame, worth: AssetWorth) -> tuple[str, ...]:
    limit, now = frame.options.stale_after, frame.now
    used = worth.path.marks if worth.path is not None else ()
    flags = sorted({gap.flag for gap in frame.gaps_of(worth.asset)})
    if worth.pending > 0:
        flags.append("pending")
    if worth.owed > worth.pending:
        flags.append("short")
    if worth.value is None:
        flags.append("unvalued")
    if any(stale(mark, now, limit=limit) for mark in used):
        flags.append("stale")
    if any(mark.is_ahead(now) for mark in used):
        flags.append("future")
    if any(mark.source == LAST_TRADE for mark in used):
        flags.append("last_trade")
    return tuple(flags)


def _accounts(
    assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]
) -> tuple[AccountWorth, ...]:
    rows: dict[str, list[tuple[AssetWorth, HoldingWorth]]] = {}
    leveraged: dict[str, list[MarginWorth]] = {}
    for each in assets:
        for row in each.holdings:
            rows.setdefault(row.account, []).append((each, row))
    for margin in margins:
        leveraged.setdefault(margin.account, []).append(margin)
    return tuple(
        _account(name, rows.get(name, []), leveraged.get(name, []))
        for name in sorted(rows.keys() | leveraged.keys())
    )


def _account(
    name: str, rows: list[tuple[AssetWorth, HoldingWorth]], leveraged: list[MarginWorth]
) -> AccountWorth:
    margin = known_sum(each.unrealized for each in leveraged)
    unvalued = [row.asset for _, row in rows if row.value is None]
    unvalued += [each.pair for each in leveraged if each.unrealized is None]
    return AccountWorth(
        account=name,
        equity=known_sum(row.value for _, row in rows) + margin,
        cash=known_sum(row.value for each, row in rows if each.is_cash),
        margin_unrealized=margin,
        unvalued=tuple(unvalued),
    )
