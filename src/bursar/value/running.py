"""Equity that follows marks one at a time: only what a mark prices is valued anew.

It equals the whole valuation of the same book at the same marks, to the last digit, at every
moment. A new mark of a pair that is known, of the same standing, costs one look-up and the assets
that it prices; any other mark may open a new way between assets, and then all is valued anew.

Errors: none.
"""

from decimal import Decimal

from bursar.exact import ZERO, money
from bursar.ledger.book import Book
from bursar.value.convert import Missing, Path, remarked
from bursar.value.equity import value_book
from bursar.value.holdings import Held, places_of, value_asset
from bursar.value.marks import Mark, Marks, stale
from bursar.value.worth import EVERYTHING, AssetWorth, Frame, Options


class RunningEquity:
    """What a book is worth while prices come. The book itself must not change meanwhile.

    `valued` counts the assets that were valued so far.
    """

    def __init__(
        self, book: Book, marks: Marks, *, now: int, options: Options = EVERYTHING
    ) -> None:
        self.marks = marks
        self.equity = self.unrealized = ZERO
        self.valued = 0
        self._book = book
        self._options = options
        self._is_plain = False
        self._worths: dict[str, AssetWorth] = {}
        self._places: dict[str, Held] = {}
        self._priced: dict[tuple[str, str], list[str]] = {}
        self._start(marks, now)

    @money
    def see(self, mark: Mark) -> None:
        """Take in a mark. One that counts for less than what is known changes nothing."""
        known = self.marks.get(mark.asset, mark.quote)
        marks = self.marks.plus((mark,))
        if known is not None and marks.get(mark.asset, mark.quote) is known:
            return
        if not (self._is_plain and known is not None and _keeps_ways(known, mark)):
            self._start(marks, mark.at)
            return
        names = self._priced.get(_pair(mark, marks), [])
        paths = {name: self._remarked(name, mark, marks) for name in names}
        if any(isinstance(path, Missing) for path in paths.values()):
            self._start(marks, mark.at)  # so many digits that there is no way any more
            return
        self.marks = marks
        frame = Frame(self._book, marks, mark.at, self._options)
        for name, path in paths.items():
            self._revalue(frame, name, path)

    def stale(self, now: int) -> tuple[str, ...]:
        """Return the assets whose worth rests on a mark that is too old, by name."""
        limit = self._options.stale_after
        return tuple(
            sorted(
                worth.asset
                for worth in self._worths.values()
                if worth.path is not None
                and any(stale(mark, now, limit=limit) for mark in worth.path.marks)
            )
        )

    def _start(self, marks: Marks, now: int) -> None:
        """Value everything."""
        whole = value_book(self._book, marks, now=now, options=self._options)
        self.marks, self.equity, self.unrealized = marks, whole.equity, whole.unrealized
        # Leveraged positions rest on two ways each, and pairs that the user chose on a third.
        every = (*whole.margins, *whole.excluded_margins)
        is_missing = any(each.missing for each in (*whole.assets, *whole.excluded))
        self._is_plain = not (every or is_missing or self._options.valuation_pairs)
        self._worths = {marks.name(each.asset): each for each in whole.assets}
        self._places, self._priced = {}, {}
        if self._is_plain:
            self._places = places_of(Frame(self._book, marks, now, self._options))
            for name, worth in self._worths.items():
                for mark in worth.path.marks if worth.path is not None else ():
                    self._priced.setdefault(_pair(mark, marks), []).append(name)
        self.valued += len(self._worths)

    def _remarked(self, name: str, mark: Mark, marks: Marks) -> Path | Missing:
        path = self._worths[name].path
        assert path is not None, "what a mark prices has a way"
        return remarked(path, mark, marks=marks)

    def _revalue(self, frame: Frame, name: str, path: Path | Missing) -> None:
        old = self._worths[name]
        new = value_asset(frame, old.asset, self._places[name], path)
        self._worths[name] = new
        self.equity += _known(new.value) - _known(old.value)
        self.unrealized += _known(new.unrealized) - _known(old.unrealized)
        self.valued += 1


def _keeps_ways(known: Mark, mark: Mark) -> bool:
    """Tell whether the same ways lead over a pair at its new mark."""
    return known.standing is mark.standing and bool(known.price) is bool(mark.price)


def _pair(mark: Mark, marks: Marks) -> tuple[str, str]:
    return marks.name(mark.asset), marks.name(mark.quote)


def _known(value: Decimal | None) -> Decimal:
    return ZERO if value is None else value
