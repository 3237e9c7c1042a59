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

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money, ratio18
from bursar.ledger.audit import Totals
from bursar.ledger.book import Book
from bursar.value.convert import Missing
from bursar.value.coverage import Coverage, cover, gaps_of
from bursar.value.holdings import known_sum, shown_names, value_assets, value_margins
from bursar.value.marks import LAST_TRADE, Marks, stale
from bursar.value.worth import EVERYTHING, AccountWorth, AssetWorth, Frame, MarginWorth, Options

_ALL: Final = Decimal(100)


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


@money
def value_book(book: Book, marks: Marks, *, now: int, options: Options = EVERYTHING) -> Valuation:
    """Value a book at its marks. O(keys).

    `now` is the instant, in nanoseconds, by which a mark is old or from the future.
    """
    frame = Frame(book, marks, now, options)
    names = shown_names(frame)
    assets = value_assets(frame, names)
    margins = value_margins(frame, names)
    seen = {name for name in names.values() if options.shows(name, book.terms.base, marks=marks)}
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
        cash_base=known_sum(each.value for each in shown if marks.name(each.asset) == base),
        cash=known_sum(each.value for each in shown if each.is_cash),
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
    unpriced = known_sum(each.cost for each in every if each.value is None)
    left = valuation.equity + valuation.excluded_value + unpriced
    unrealized = valuation.unrealized + valuation.excluded_unrealized + valuation.unfounded
    booked = totals.contributed + totals.realized + totals.income - totals.expenses
    return left - (booked + unrealized)


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
        "last_trade": any(mark.source == LAST_TRADE for mark in used),
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
        margin = known_sum(each.unrealized for each in leveraged)
        unvalued = [row.asset for _, row in own if row.value is None]
        unvalued += [each.pair for each in leveraged if each.unrealized is None]
        worths.append(
            AccountWorth(
                account=name,
                equity=known_sum(row.value for _, row in own) + margin,
                cash=known_sum(row.value for each, row in own if each.is_cash),
                margin_unrealized=margin,
                unvalued=tuple(unvalued),
            )
        )
    return tuple(worths)


def _equity(assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> Decimal:
    return known_sum(each.value for each in assets) + known_sum(each.unrealized for each in margins)


def _unrealized(assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> Decimal:
    return known_sum(each.unrealized for each in assets) + known_sum(
        each.unrealized for each in margins
    )
