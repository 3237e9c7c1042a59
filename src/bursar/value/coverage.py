"""Coverage: what a total does not know, beside what it says.

A missing mark, an old one, a basis that was assumed, a sale without acquisition, a leveraged
position that was there before all that is known: each is named here, so that no figure looks better
founded than it is. Only what a view shows is spoken of.

Errors: none.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import HUNDRED, ONE, ZERO, money, percent18, quotient18, trimmed
from bursar.ledger import instant
from bursar.ledger.book import POOL, Book
from bursar.ledger.entries import Flag
from bursar.ledger.state import Holding
from bursar.value.convert import Missing, Path
from bursar.value.marks import AHEAD_MAX, LAST_TRADE, Mark, Marks, stale
from bursar.value.worth import (
    EVERYTHING,
    AssetWorth,
    Frame,
    Gap,
    MarginWorth,
    Options,
    framed,
)

DEPEG_MAX: Final = Decimal("0.005")
FACTS_AHEAD_MAX: Final = 2 * instant.DAY
"""Of a row that states its day alone a venue's reader takes the end, which is later elsewhere."""
UNPRICED: Final = Flag.UNPRICED.value


class Seen(msgspec.Struct, frozen=True):
    """A mark that an asset's value rests on, and its age in nanoseconds."""

    asset: str
    mark: Mark
    age: int


class Amiss(msgspec.Struct, frozen=True):
    """A quantity of an asset or a leveraged pair in one account that is not as it should be."""

    account: str
    asset: str
    quantity: Decimal

    def __str__(self) -> str:
        return f"{trimmed(self.quantity)} {self.asset} in {self.account}"


class Depeg(msgspec.Struct, frozen=True):
    """A peg whose own mark is away from 1. It still counts at face."""

    asset: str
    rate: Decimal
    mark: Mark


class Coverage(msgspec.Struct, frozen=True):
    """What is known of the assets shown.

    `valued_pct` is the percentage of held assets (cash apart) that have a value. `negative_cash`
    holds quantities below zero, `pending` quantities sold whose acquisition is not known (> 0),
    `unseen` what was closed of leveraged pairs and is not known to have been opened (> 0).
    `ahead` is the instant of the last fact where that is yet to come: all that was told counts.
    """

    assets: int = 0
    valued: int = 0
    valued_pct: Decimal = HUNDRED
    unvalued: tuple[Missing, ...] = ()
    gaps: tuple[Gap, ...] = ()
    stale: tuple[Seen, ...] = ()
    future: tuple[Seen, ...] = ()
    last_trade: tuple[Seen, ...] = ()
    negative_cash: tuple[Amiss, ...] = ()
    pending: tuple[Amiss, ...] = ()
    unseen: tuple[Amiss, ...] = ()
    depegs: tuple[Depeg, ...] = ()
    ahead: int | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether everything has a value, and a basis that is known."""
        return not (self.unvalued or self.gaps or self.pending or self.unseen)

    @property
    def unvalued_assets(self) -> tuple[str, ...]:
        """The names of what has no value."""
        return tuple(each.asset for each in self.unvalued)

    @property
    def stale_assets(self) -> tuple[str, ...]:
        """The names, each once, of what rests on an old mark."""
        return tuple(sorted({each.asset for each in self.stale}))

    @property
    def is_clean(self) -> bool:
        """Tell whether there is nothing at all to say."""
        return not self.lines()

    def lines(self, *, marks_max: int | None = None) -> list[str]:
        """Return one sentence for each thing to say, the gravest first.

        Of more than `marks_max` marks of one kind a single sentence names so many.
        """
        said = [f"not valued: {each}" for each in self.unvalued]
        said += [f"pending: {each} sold, acquisition unknown" for each in self.pending]
        said += [f"unseen: {each} closed, opening unknown" for each in self.unseen]
        said += [f"{gap.flag}: {gap.count} of {gap.asset}" for gap in self.gaps]
        said += [f"negative cash: {each}" for each in self.negative_cash]
        said += [
            f"depeg: {peg.asset} at {trimmed(peg.rate)} ({peg.mark.source})" for peg in self.depegs
        ]
        if self.ahead is not None:
            said.append(f"yet to come: facts of up to {instant.show(self.ahead)}, which count now")
        for kind, marks in (("from the future", self.future), ("stale", self.stale)):
            said += _all_told(kind, marks, marks_max)
        return said + _all_told("last trade", self.last_trade, marks_max)


@money
def cover(frame: Frame, assets: Sequence[AssetWorth], margins: Sequence[MarginWorth]) -> Coverage:
    """Say what is known of the assets and leveraged positions that a view shows."""
    held = [each for each in assets if not each.is_cash]
    valued = sum(each.value is not None for each in held)
    limit, now = frame.options.stale_after, frame.now
    eldest, latest = now - limit, now + AHEAD_MAX
    used = [
        (name, step.mark)
        for name, path in _paths(assets, margins)
        for step in path.steps
        if step.mark is not None
        and not (eldest <= step.mark.at <= latest and step.mark.source != LAST_TRADE)
    ]

    def seen(has: Callable[[Mark], bool]) -> tuple[Seen, ...]:
        return tuple(Seen(name, mark, mark.age(now)) for name, mark in used if has(mark))

    return Coverage(
        assets=len(held),
        valued=valued,
        valued_pct=percent18(Decimal(valued), Decimal(len(held))) if held else HUNDRED,
        unvalued=_unvalued(assets, margins),
        gaps=_gaps(frame),
        stale=seen(lambda mark: stale(mark, now, limit=limit)),
        future=seen(lambda mark: mark.is_ahead(now)),
        last_trade=seen(lambda mark: mark.source == LAST_TRADE),
        negative_cash=_negative_cash(assets),
        pending=_pending(frame),
        unseen=unseen(frame),
        depegs=_depegs(frame, assets, margins),
        ahead=reaches_ahead(frame.book, now),
    )


def reaches_ahead(book: Book, now: int) -> int | None:
    """Return the instant of a book's last fact if it lies so far ahead of `now` that a slip in a
    year or a month, or a clock that is wrong, must have put it there.
    """
    return book.latest if book.latest > now + FACTS_AHEAD_MAX else None


def book_gaps(
    book: Book, *, asset: str | None = None, options: Options = EVERYTHING
) -> tuple[Gap, ...]:
    """Return a book's gaps, whatever the marks: of one asset, or of all that the options show."""
    frame = framed(book, Marks(), now=0, options=options)
    return _gaps(frame) if asset is None else frame.gaps_of(asset)


def is_cost_known(cost: Decimal, quantity: Decimal, gaps: Iterable[Gap]) -> bool:
    """Tell whether anything of a cost is known: it is not where no part of it had a price.

    `gaps` are those of the asset.
    """
    return bool(cost) or not quantity or all(gap.flag != UNPRICED for gap in gaps)


def owed(holding: Holding) -> Decimal:
    """Return what was taken out of a holding without having been there."""
    return sum((lot.quantity for lot in holding.owed), ZERO) if holding.owed else ZERO


def may_owe(book: Book, place: str) -> bool:
    """Tell whether what a place owes is a short sale, not a sale that waits for its acquisition."""
    return bool(book.shorts) if place == POOL else place in book.shorts


def unseen(frame: Frame) -> tuple[Amiss, ...]:
    """Return what was closed of leveraged pairs that the view shows, and opened before all that is
    known, by account and pair.
    """
    found = (each for each in frame.book.margins.items() if each[1].unseen)
    return tuple(
        Amiss(account, pair, margin.unseen)
        for (account, pair), margin in sorted(found)
        if frame.shows(margin.base)
    )


def _gaps(frame: Frame) -> tuple[Gap, ...]:
    """Return the gaps of all that the view shows, by asset and flag."""
    shown = (gap for gaps in frame.gaps.values() for gap in gaps if frame.shows(gap.asset))
    return tuple(sorted(shown, key=lambda gap: (gap.asset, gap.flag)))


def _all_told(kind: str, marks: Sequence[Seen], most: int | None) -> list[str]:
    if most is None or len(marks) <= most:
        return [_told(kind, each) for each in marks]
    names = ", ".join(each.asset for each in marks[:most])
    return [f"{kind}: {names} and {len(marks) - most} more"]


def _told(kind: str, seen: Seen) -> str:
    mark = seen.mark
    price = f"{mark.pair} {trimmed(mark.price)} ({mark.source})"
    return f"{kind}: {seen.asset} by {price} of {instant.show(mark.at)}"


def _unvalued(assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> tuple[Missing, ...]:
    spot = [each.missing for each in assets]
    leveraged = [each.missing for each in margins]
    return tuple(missing for missing in spot + leveraged if missing is not None)


def _paths(assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> list[tuple[str, Path]]:
    own = [(each.asset, each.path) for each in assets if each.path is not None]
    return own + [(each.pair, path) for each in margins for path in each.paths]


def _negative_cash(assets: Iterable[AssetWorth]) -> tuple[Amiss, ...]:
    return tuple(
        Amiss(row.account, row.asset, row.quantity)
        for each in assets
        if each.is_cash
        for row in each.holdings
        if row.quantity < 0
    )


def _pending(frame: Frame) -> tuple[Amiss, ...]:
    book = frame.book
    owing = (each for each in book.holdings.items() if each[1].owed)
    return tuple(
        Amiss(place, asset, owed(holding))
        for (place, asset), holding in sorted(owing)
        if not may_owe(book, place) and frame.shows(asset)
    )


def _depegs(
    frame: Frame, assets: Sequence[AssetWorth], margins: Sequence[MarginWorth]
) -> tuple[Depeg, ...]:
    """Look at the pegs that are held, and at those through which something else is valued."""
    base, marks = frame.book.terms.base, frame.marks
    found = []
    for peg in sorted(frame.book.cash - {base}):
        mark = marks.between(peg, base)
        if mark is None:
            continue
        rate = mark.price
        if marks.name(mark.asset) != marks.name(peg):
            rate = quotient18(ONE, mark.price)
        if abs(rate - ONE) > DEPEG_MAX:
            found.append(Depeg(peg, rate, mark))
    touched = _touched(marks, assets, margins) if found else frozenset()
    return tuple(each for each in found if marks.name(each.asset) in touched)


def _touched(
    marks: Marks, assets: Sequence[AssetWorth], margins: Sequence[MarginWorth]
) -> frozenset[str]:
    """Return what is held, and all through which something is valued, by one names."""
    steps = [step for _, path in _paths(assets, margins) for step in path.steps]
    named = [each.asset for each in assets]
    named += [name for step in steps for name in (step.asset, step.quote)]
    return frozenset(map(marks.name, named))
