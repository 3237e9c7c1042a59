"""Conversion: from one asset to another over the marks there are.

A path is a chain of marks: direct, inverse, or across others, at most three. What a user gave goes
before what a venue says, and that before a trade: of several paths the one counts whose least mark
stands highest, of equal ones the shortest. Base currency and its pegs (`cash`) are worth each
other's face, which costs no step, so a mark between two of them is never used. Of equally short
paths the one with fewer names counts, then the one whose names sort first.

A path keeps its marks, so it can be shown: ATOM → XBT → EUR. Its prices are multiplied exactly,
those of inverse steps into the divisor, and an amount that takes the path is rounded once,
half-even, to 18 places.

What leads nowhere is a `Missing` with its reason: never zero.

Errors: `MissingMark` and `NoRatePath`, from `rate` alone.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from heapq import heappop, heappush
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.errors import MissingMark, NoRatePath
from bursar.exact import ONE, money, product18, ratio18
from bursar.value.marks import Mark, Marks, Standing

HOPS_MAX: Final = 3
DIGITS_MAX: Final = 90  # with a quantity this stays within what `exact` multiplies and divides
_NO_CASH: Final[frozenset[str]] = frozenset()
_NO_PAIRS: Final[Mapping[str, str]] = MappingProxyType({})


class Reason(Enum):
    """Why an asset has no value."""

    NO_MARK = "no mark"
    NO_PATH = "no path"
    NO_PAIR = "no mark of its valuation pair"


class Missing(msgspec.Struct, frozen=True, omit_defaults=True):
    """An asset without a value, and why; `detail` names the currency or pair that was sought."""

    asset: str
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.asset}: {self.reason.value} ({self.detail})"


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a path: at face without a mark; divided by the mark where it `is_inverse`."""

    asset: str
    quote: str
    mark: Mark | None = None
    is_inverse: bool = False


Steps = tuple[Step, ...]


class Path(msgspec.Struct, frozen=True):
    """A chain of steps: an amount of `asset` × `times` ÷ `over` is an amount of `quote`."""

    asset: str
    quote: str
    steps: Steps
    times: Decimal
    over: Decimal

    def __str__(self) -> str:
        return " → ".join((self.asset, *(step.quote for step in self.steps)))

    @property
    def rate(self) -> Decimal:
        """One unit of the asset in the quote, rounded to 18 places, for show."""
        return convert(ONE, self)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks that the path rests on, in order."""
        return tuple(step.mark for step in self.steps if step.mark is not None)

    @property
    def pair(self) -> str | None:
        """The pair, or chain of pairs, that gave the price; `None` at face."""
        return " → ".join(mark.pair for mark in self.marks) or None


def find_path(
    asset: str,
    quote: str,
    *,
    marks: Marks,
    cash: frozenset[str] = _NO_CASH,
    pairs: Mapping[str, str] = _NO_PAIRS,
) -> Path | Missing:
    """Return the path from an asset to a quote, or why there is none.

    `cash` names what is worth each other's face. `pairs` overrides with which pair an asset is
    priced: that pair's mark is then the first step, and there is no other way.
    """
    steps = find_steps(asset, quote, marks=marks, cash=cash, pairs=pairs)
    return path_over(asset, quote, steps)


def find_steps(
    asset: str,
    quote: str,
    *,
    marks: Marks,
    cash: frozenset[str],
    pairs: Mapping[str, str],
) -> Steps | Missing:
    """Return the steps of the path from an asset to a quote, or why there are none."""
    face = frozenset(map(marks.name, cash))
    start, goal = marks.name(asset), marks.name(quote)
    own = {marks.name(each): pair for each, pair in pairs.items()}.get(start) if pairs else None
    first: Steps = ()
    if own is not None and start != goal and start not in face:
        step = _by_pair(start, marks.named(own), marks)
        if step is None:
            return Missing(asset, Reason.NO_PAIR, own)
        first, start = (step,), marks.name(step.quote)
    names = _chain(start, goal, marks, face)
    if names is None:
        known = first or marks.neighbours(start) or start in face
        return Missing(asset, Reason.NO_PATH if known else Reason.NO_MARK, quote)
    return first + _steps(names, marks, face)


@money
def path_over(asset: str, quote: str, steps: Steps | Missing) -> Path | Missing:
    """Return the path over steps that were found, under the names that were asked for.

    It is `Missing` where its prices have so many digits that they cannot be multiplied exactly.
    """
    if isinstance(steps, Missing):
        return msgspec.structs.replace(steps, asset=asset)
    times, over, digits = ONE, ONE, 0
    for step in steps:
        if step.mark is None:
            continue
        digits += len(step.mark.price.as_tuple().digits)
        if digits > DIGITS_MAX:
            return Missing(asset, Reason.NO_PATH, f"{quote}: its prices have too many digits")
        if step.is_inverse:
            over *= step.mark.price
        else:
            times *= step.mark.price
    if steps and steps[-1].quote != quote:
        steps = (*steps[:-1], msgspec.structs.replace(steps[-1], quote=quote))
    return Path(asset, quote, steps, times, over)


def convert(amount: Decimal, path: Path) -> Decimal:
    """Return an amount of the path's asset in its quote, rounded once, half-even, to 18 places."""
    if path.over == ONE:
        return product18(amount, path.times)
    return ratio18(amount, path.times, path.over)


@money
def rate(
    asset: str,
    quote: str,
    *,
    marks: Marks,
    cash: frozenset[str] = _NO_CASH,
    pairs: Mapping[str, str] = _NO_PAIRS,
) -> Decimal:
    """Return one unit of an asset in a quote, for callers who want an error where there is none.

    Raises:
        MissingMark: no mark names the asset, or its valuation pair has none.
        NoRatePath: there are marks of the asset, but no way to the quote.
    """
    path = find_path(asset, quote, marks=marks, cash=cash, pairs=pairs)
    if isinstance(path, Path):
        return path.rate
    error = NoRatePath if path.reason is Reason.NO_PATH else MissingMark
    raise error(f"{path}; give a mark like {asset}/{quote}=PRICE", asset=asset, quote=quote)


def _by_pair(asset: str, mark: Mark | None, marks: Marks) -> Step | None:
    """Price an asset by a pair's mark; a pair of other assets lends it its price."""
    if mark is None:
        return None
    if marks.name(mark.quote) != asset:
        return Step(asset, mark.quote, mark)
    return Step(asset, mark.asset, mark, is_inverse=True) if mark.price else None


def _chain(start: str, goal: str, marks: Marks, face: frozenset[str]) -> tuple[str, ...] | None:
    """Return the names on the best path: over the highest marks that lead there, of these the
    fewest, then fewest names, then first by name.
    """
    if start == goal:
        return (start,)
    if start in face and goal in face:
        return start, goal
    if start not in face and not marks.neighbours(start):
        return None
    direct, known = marks.between(start, goal), marks.ways.chains
    for least in marks.ways.standings:
        if direct is not None and direct.standing >= least:
            return start, goal
        chains = known.get((goal, face, least))
        if chains is None:
            chains = known[goal, face, least] = _chains(goal, marks, face, least)
        if (found := chains.get(start)) is not None:
            return found
    return None


def _chains(
    goal: str, marks: Marks, face: frozenset[str], least: Standing
) -> dict[str, tuple[str, ...]]:
    """Return the best path from every asset that has one over marks of that standing or a higher
    one, working outward from the goal.
    """
    waiting: list[tuple[int, int, tuple[str, ...]]] = [(0, 0, (goal,))]
    best: dict[str, tuple[str, ...]] = {}
    while waiting:
        hops, length, names = heappop(waiting)
        here = names[0]
        if here in best:
            continue
        best[here] = names
        for other in marks.neighbours(here) | (face if here in face else _NO_CASH):
            at_face = here in face and other in face
            far = hops if at_face else hops + 1
            usable = at_face or _leads(marks.between(other, here), least)
            if other not in best and usable and far <= HOPS_MAX:
                heappush(waiting, (far, length + 1, (other, *names)))
    return best


def _leads(mark: Mark | None, least: Standing) -> bool:
    return mark is not None and mark.standing >= least


def _steps(names: tuple[str, ...], marks: Marks, face: frozenset[str]) -> Steps:
    steps = []
    for here, other in pairwise(names):
        mark = None if here in face and other in face else marks.between(here, other)
        steps.append(Step(here, other, mark, mark is not None and marks.name(mark.asset) != here))
    return tuple(steps)
