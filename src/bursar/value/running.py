"""A book at its marks, kept while prices come and facts land: only what changed is valued anew.

What is kept of each asset and each leveraged position is its worth, the way that prices it, and
what it adds to each total. A new mark of a pair touches the assets whose way leads over that pair,
and nothing else; a total lets go of the old figure and takes in the new one. So a mark costs O(what
it prices), whatever else is held. Only a pair that had no mark, or a price of zero, may open or
close ways: then all ways are looked up, and what goes another one is valued anew.

Invariants
- Every figure equals the whole valuation of the same book at the same marks, to the last digit and
  in its very text, at every moment: `valuation` is what `value_book` returns.

Errors: none. What is not known is said.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger.book import Book
from bursar.ledger.state import HoldingKey
from bursar.value.convert import Missing, Steps, path_over
from bursar.value.coverage import Coverage, cover, unseen
from bursar.value.equity import Sums, Valuation, assembled, counted, is_missed
from bursar.value.figures import Figures
from bursar.value.holdings import (
    known_sum,
    shown_name,
    steps_of,
    value_asset,
    value_margin,
)
from bursar.value.marks import FEE_CREDIT, Mark, Marks
from bursar.value.positions import Worths
from bursar.value.sums import Sum
from bursar.value.worth import EVERYTHING, AssetWorth, MarginWorth, Options, framed

_Key = str | HoldingKey
"""An asset's one name, or a leveraged position's account and pair."""
_Worth = AssetWorth | MarginWorth
_Adds = tuple[Decimal | None, ...]
"""What a worth adds to each total: to those of `Sums`, to what is long and to what is short."""
_TOLD: Final = 6
_NOTHING: Final[_Adds] = (None,) * (_TOLD + 2)
_NOWHERE: Final[frozenset[HoldingKey]] = frozenset()
_K = TypeVar("_K")
_V = TypeVar("_V")


class Running:
    """What a book is worth while it and the marks change. `valued` counts valuations so far."""

    @money
    def __init__(self, book: Book, marks: Marks, *, options: Options = EVERYTHING) -> None:
        self.valued = 0
        self._order: list[_Key] | None = None
        self._frame = framed(book, marks.plus(()), now=0, options=options)
        self._start()

    @property
    def equity(self) -> Decimal:
        """What is shown and has a price is worth; of what is leveraged, its gain."""
        return self._sums[0].value

    @property
    def unrealized(self) -> Decimal:
        """The unrealised PnL of what is shown."""
        return self._sums[1].value

    @property
    def cash_base(self) -> Decimal:
        """The base currency held."""
        return self._sums[2].value

    @property
    def excluded_value(self) -> Decimal:
        """What the view leaves out is worth."""
        return self._sums[4].value

    @property
    @money
    def owned(self) -> Decimal:
        """What everything is worth, shown or not."""
        return self.equity + self.excluded_value

    @property
    def long(self) -> Decimal:
        """The notional that gains when prices rise; base currency and pegs do not count."""
        return self._sums[6].value

    @property
    @money
    def short(self) -> Decimal:
        """The notional (≥ 0) that gains when prices fall."""
        return -self._sums[7].value

    @property
    def unvalued(self) -> tuple[Missing, ...]:
        """What is shown and has no value: assets by name, then leveraged positions."""
        return tuple(self._missing[key] for key in sorted(self._missing, key=_place))

    @property
    def is_priced(self) -> bool:
        """Tell whether what is owned is known, as `Figures` tell it."""
        return not (self._missing or self._missed)

    @property
    def is_complete(self) -> bool:
        """Tell whether everything shown has a value, and a basis that is known."""
        frame = self._frame
        is_told = not any(map(frame.shows, frame.gaps)) and not unseen(frame)
        return is_told and not (self._missing or self._pending)

    @money
    def exposure(self, asset: str) -> Decimal | None:
        """Return an asset's net notional, spot and leveraged; `None` if a part has no value."""
        name = self._frame.marks.name(asset)
        keys: list[_Key] = [name, *self._leverage.get(name, ())]
        values = [self._worths[key].value for key in keys if key in self._worths]
        return None if None in values else known_sum(values)

    @property
    def worths(self) -> Worths:
        """What everything is worth, as positions are read off it. O(worths)."""
        every = self._worths.items()
        return Worths(
            {
                key: each
                for key, each in every
                if isinstance(key, str) and isinstance(each, AssetWorth)
            },
            self.margins,
            self._frame.marks,
        )

    @property
    def assets(self) -> list[AssetWorth]:
        """What each asset that is shown is worth, by its one name; its share and flags are not
        told. The same object for as long as nothing of it changes. O(worths).
        """
        return [each for each in self._shown if isinstance(each, AssetWorth)]

    @property
    def margins(self) -> list[MarginWorth]:
        """What each leveraged position that is shown is worth, by account and pair. O(worths)."""
        return [each for each in self._shown if isinstance(each, MarginWorth)]

    @money
    def figures(self, now: int) -> Figures:
        """Return the totals of the view at an instant. O(worths), to look for old marks."""
        return Figures(
            base=self._frame.book.terms.base,
            at=now,
            equity=self.equity,
            cash_base=self.cash_base,
            cash=self._sums[3].value,
            unrealized=self.unrealized,
            excluded_value=self.excluded_value,
            long=self.long,
            short=self.short,
            is_priced=self.is_priced,
            is_stale=bool(self._old(now)),
        )

    def coverage(self, now: int) -> Coverage:
        """Return what the totals do not know at an instant. O(worths)."""
        frame = msgspec.structs.replace(self._frame, now=now)
        return cover(frame, self.assets, self.margins)

    def is_cash(self, asset: str) -> bool:
        """Tell whether an asset counts at face."""
        return self._frame.marks.name(asset) in self._frame.face

    @money
    def mark(self, mark: Mark) -> frozenset[str]:
        """Take in a mark, and return the one names of what was valued anew.

        One that counts for less than what is known changes nothing.
        """
        marks = self._frame.marks
        ways = marks.ways
        if not marks.put(mark):
            return frozenset()
        if marks.ways is not ways:
            return self._find(self._steps)
        return self._find(self._over.get(_pair(mark, marks), ()))

    @money
    def take(self, marks: Marks) -> frozenset[str]:
        """Take these marks in the place of those before; return the one names of what was valued
        anew. O(marks), and what has changed.
        """
        known, marks = self._frame.marks, marks.plus(())
        self._frame = msgspec.structs.replace(self._frame, marks=marks)
        changed = marks.changed(known)
        if not marks.goes_as(known, changed):
            return self._find(self._steps)
        pairs = map(frozenset, changed)
        return self._find({name for pair in pairs for name in self._over.get(pair, ())})

    @money
    def land(self, book: Book) -> frozenset[str]:
        """Take the book as it is now; return the one names of what was valued anew.

        O(keys) to see what has changed, and O(that).
        """
        before, marks = self._frame, self._frame.marks
        frame = framed(book, marks, now=0, options=before.options)
        if book.terms != before.book.terms:
            self._frame = frame
            self._start()
            return frozenset(self._steps)
        places = _changed(self._holdings, book.holdings) | _changed(self._balances, book.balances)
        margins, gaps = _changed(self._margins, book.margins), _changed(self._gaps, book.gaps)
        self._frame = frame
        self._look(book, places, margins)
        touched = {key[1] for key in places} | {key[0] for key in gaps}
        bases = {each for each, keys in self._leverage.items() if keys & margins}
        return self._revalue({marks.name(each) for each in touched} | bases)

    def stale(self, now: int) -> tuple[str, ...]:
        """Return what is shown and rests on a mark that is too old, by name. O(worths)."""
        old = [self._worths[key] for key in self._old(now)]
        names = {each.asset if isinstance(each, AssetWorth) else each.pair for each in old}
        return tuple(sorted(names))

    @money
    def valuation(self, now: int) -> Valuation:
        """Return the whole valuation at an instant. O(keys)."""
        every = [self._worths[key] for key in self._ordered]
        return assembled(
            msgspec.structs.replace(self._frame, marks=self._frame.marks.plus(()), now=now),
            [each for each in every if isinstance(each, AssetWorth)],
            [each for each in every if isinstance(each, MarginWorth)],
            Sums(*(each.value for each in self._sums[:_TOLD])),
        )

    def _old(self, now: int) -> list[_Key]:
        limit = now - self._frame.options.stale_after
        return [key for key, oldest in self._oldest.items() if oldest < limit]

    @property
    def _shown(self) -> list[_Worth]:
        return [self._worths[key] for key in self._ordered if key not in self._hidden]

    @property
    def _ordered(self) -> list[_Key]:
        """All keys in their order, which stands while there are no others."""
        if self._order is None:
            self._order = sorted(self._worths, key=_place)
        return self._order

    def _start(self) -> None:
        """Value everything."""
        book = self._frame.book
        self._sums = tuple(Sum() for _ in _NOTHING)
        self._worths: dict[_Key, _Worth] = {}
        self._order = None
        self._hidden: set[_Key] = set()
        self._adds: dict[_Key, _Adds] = {}
        self._missing: dict[_Key, Missing] = {}
        self._missed: set[_Key] = set()
        self._pending: set[_Key] = set()
        self._oldest: dict[_Key, int] = {}
        self._steps: dict[str, Steps | Missing] = {}
        self._over: dict[frozenset[str], set[str]] = {}
        self._spots: dict[str, set[HoldingKey]] = {}
        self._leverage: dict[str, set[HoldingKey]] = {}
        self._entered: dict[str, set[HoldingKey]] = {}
        self._look(book, {*book.holdings, *book.balances}, set(book.margins))
        self._revalue(self._spots.keys() | self._leverage.keys())

    def _look(self, book: Book, places: set[HoldingKey], margins: set[HoldingKey]) -> None:
        """Remember the book as it is, to see later what has changed, and where its assets are."""
        self._holdings, self._balances = dict(book.holdings), dict(book.balances)
        self._margins, self._gaps = dict(book.margins), dict(book.gaps)
        name = self._frame.marks.name
        for key in sorted(places):
            self._spots.setdefault(name(key[1]), set()).add(key)
        for key in sorted(margins & book.margins.keys()):
            self._leverage.setdefault(name(book.margins[key].base), set()).add(key)
            self._entered.setdefault(name(book.margins[key].quote), set()).add(key)

    def _find(self, names: Iterable[str]) -> frozenset[str]:
        """Look up the ways of these assets, and value anew those whose marks are others."""
        return self._revalue([name for name in tuple(names) if self._route(name)])

    def _route(self, name: str) -> bool:
        """Look up the way of an asset; tell whether it is another one, or at other marks."""
        before, steps = self._steps.get(name), steps_of(self._frame, name)
        if _same(before, steps):
            return False
        marks = self._frame.marks
        for pair in _pairs(before, marks):
            self._over[pair].discard(name)
        for pair in _pairs(steps, marks):
            self._over.setdefault(pair, set()).add(name)
        self._steps[name] = steps
        return True

    def _revalue(self, names: Iterable[str]) -> frozenset[str]:
        """Value assets anew, and the leveraged positions that their prices touch."""
        names = frozenset(names)
        margins: set[HoldingKey] = set()
        for name in sorted(names):
            margins |= self._leverage.get(name, _NOWHERE) | self._entered.get(name, _NOWHERE)
            self._put(name, self._asset(name))
        for key in sorted(margins):
            self._put(key, self._margin(key))
        return names

    def _asset(self, name: str) -> AssetWorth | None:
        frame = self._frame
        spots = self._spots.get(name, _NOWHERE)
        shown = shown_name(frame, name, spots, self._leverage.get(name, _NOWHERE))
        path = path_over(shown, frame.book.terms.base, self._way(name))
        return value_asset(frame, shown, spots, path)

    def _margin(self, key: HoldingKey) -> MarginWorth | None:
        frame, margin = self._frame, self._margins.get(key)
        if margin is None or not margin.quantity:
            return None
        name = frame.marks.name(margin.base)
        self._way(frame.marks.name(margin.quote))  # so that its marks lead here
        spots = self._spots.get(name, _NOWHERE)
        shown = shown_name(frame, name, spots, self._leverage[name])
        return value_margin(frame, key, margin, shown)

    def _way(self, name: str) -> Steps | Missing:
        if name not in self._steps:
            self._route(name)
        return self._steps[name]

    def _put(self, key: _Key, worth: _Worth | None) -> None:
        """Let a worth count in the place of the one before."""
        self.valued += 1
        before, adds = self._adds.pop(key, _NOTHING), _NOTHING
        was_there = self._worths.pop(key, None) is not None
        if was_there is (worth is None):
            self._order = None
        self._missing.pop(key, None)
        self._missed.discard(key)
        self._pending.discard(key)
        self._oldest.pop(key, None)
        if worth is not None:
            adds = self._adds[key] = self._added(worth)
            self._worths[key] = worth
            if self._frame.shows(worth.asset):
                self._note(key, worth)
            else:
                self._hidden.add(key)  # for good: views go by one names, as keys do
                if is_missed(worth):
                    self._missed.add(key)
        for total, old, new in zip(self._sums, before, adds, strict=True):
            total.swap(old, new)

    def _note(self, key: _Key, worth: _Worth) -> None:
        """Remember what there is to say of a worth that is shown."""
        if worth.missing is not None:
            self._missing[key] = worth.missing
        if isinstance(worth, AssetWorth) and worth.pending > 0:
            self._pending.add(key)
        told = [mark.at for mark in _marks(worth) if mark.source != FEE_CREDIT]
        if told:
            self._oldest[key] = min(told)

    def _added(self, worth: _Worth) -> _Adds:
        """Return what a worth adds to each total."""
        marks, value = self._frame.marks, counted(worth)
        if not self._frame.shows(worth.asset):
            return None, None, None, None, value, worth.unrealized, None, None
        notionals: Iterable[Decimal | None] = (worth.value,)
        cash = cash_base = None
        if isinstance(worth, AssetWorth):
            notionals = (row.value for row in worth.holdings)
            if worth.is_cash:
                cash, notionals = value, ()
                is_base = marks.name(worth.asset) == marks.name(self._frame.book.terms.base)
                cash_base = value if is_base else None
        known = [each for each in notionals if each is not None]
        long = sum((each for each in known if each > 0), ZERO)
        short = sum((each for each in known if each < 0), ZERO)
        return value, worth.unrealized, cash_base, cash, None, None, long, short


def _changed(old: Mapping[_K, _V], new: Mapping[_K, _V]) -> set[_K]:
    """Return the keys under which something else is than before, or nothing any more.

    A refold gives new objects of old figures: they count as the same if they read the same.
    """
    gone = old.keys() - new.keys()
    return gone | {
        key
        for key, value in new.items()
        if (known := old.get(key)) is not value and (known != value or repr(known) != repr(value))
    }


def _same(one: Steps | Missing | None, other: Steps | Missing) -> bool:
    """Tell whether two ways are one, over the very same marks."""
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return one == other
    return len(one) == len(other) and all(
        (a.asset, a.quote) == (b.asset, b.quote) and a.mark is b.mark
        for a, b in zip(one, other, strict=True)
    )


def _pairs(steps: Steps | Missing | None, marks: Marks) -> list[frozenset[str]]:
    """Return the pairs over which a way leads."""
    if not isinstance(steps, tuple):
        return []
    return [_pair(step.mark, marks) for step in steps if step.mark is not None]


def _pair(mark: Mark, marks: Marks) -> frozenset[str]:
    return frozenset((marks.name(mark.asset), marks.name(mark.quote)))


def _marks(worth: _Worth) -> Iterable[Mark]:
    if isinstance(worth, AssetWorth):
        return worth.path.marks if worth.path is not None else ()
    return (mark for path in worth.paths for mark in path.marks)


def _place(key: _Key) -> tuple[bool, _Key]:
    """Put assets by name before leveraged positions by account and pair."""
    return isinstance(key, tuple), key
