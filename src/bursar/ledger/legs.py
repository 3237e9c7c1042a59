"""Legs: rows of trades that no reference ties together, parted into what was one trade.

A venue's ledger may give the legs of its trades nothing in common but their time, several trades a
second, and its trade history may know no ids either. `parcels` takes the leg rows of a group and
the fills that a trade history tells of the same stretch of time, and says which belong together.
It is a function of the set.

Rules
- Times are compared by their second, and a leg may be a second off.
- A fill takes the rows that state its very amounts: base, quote, fee. Rows that state the same are
  alike, so it does not matter which of them it takes.
- A fill of which only some rows are here takes those; the rest of it is the trade history's word.
- Rows that no fill has taken are one parcel a second: what moved in it is exact, how it was spread
  over trades is unknown and not guessed. Two assets that went both ways are two parcels, one each
  way. A second in which not as many legs came as went is joined with the next if they then do;
  if it stays so, the parcel is not whole. Charges alone join the second beside them.
- Where rows are left that state in other amounts what a fill lacks, the two disagree: the ledger
  decides, for all fills it touches at once.

Errors: none.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.entries import Fill, Flag, Movement, Side

_NEAR: Final = 1
_BOTH: Final = 2
_Said = tuple[str, Decimal, Decimal]
_Spot = tuple[str, bool, bool, int]


class Parcel(msgspec.Struct, frozen=True):
    """Rows of one trade, and the fill they are of, if one is told.

    `is_part`: the rows are not all of the fill. `flags` say what is not known of the parcel.
    """

    rows: tuple[Movement, ...]
    fill: Fill | None = None
    is_part: bool = False
    flags: tuple[Flag, ...] = ()


def parcels(rows: Sequence[Movement], fills: Sequence[Fill]) -> list[Parcel]:
    """Part leg rows, and say of which fills they are. O(n log n)."""
    ordered = sorted(fills, key=lambda fill: (_second(fill), fill.id))
    whole, left, waiting = _taken(rows, ordered, partly=False)
    parts, left, _ = _taken(left, waiting, partly=True)
    seconds = _joined(left, _balances)
    places = _spots(seconds)
    touched: dict[int, list[Parcel]] = {}
    for part in parts:
        place = _place(places, part)
        touched.setdefault(-1 if place is None else place, []).append(part)
    made = [*whole, *touched.get(-1, [])]
    for place, second in enumerate(seconds):
        made += _decided(second, touched.get(place, []))
    return made


def bundles(rows: Sequence[Movement]) -> list[Parcel]:
    """Part the rows of conversions: what was given and taken in a second is one.

    Where all of them bear notes, and what bears the same note goes both ways, each note is one.
    """
    return [
        Parcel(tuple(own)) for second in _joined(rows, _goes_both_ways) for own in _noted(second)
    ]


def _noted(rows: list[Movement]) -> list[list[Movement]]:
    parts: dict[str | None, list[Movement]] = {}
    for row in rows:
        parts.setdefault(row.note, []).append(row)
    is_told = None not in parts and all(_goes_both_ways(own) for own in parts.values())
    return list(parts.values()) if is_told else [rows]


def when(row: Movement) -> tuple[int, int, str]:
    """Return a row's place in time."""
    return row.executed_at, row.sequence, row.id


def _taken(
    rows: Sequence[Movement], fills: Sequence[Fill], *, partly: bool
) -> tuple[list[Parcel], list[Movement], list[Fill]]:
    """Let fills, in order, take their rows: (parcels, rows left, fills that lack some)."""
    pool = _Pool(rows)
    made: list[Parcel] = []
    waiting: list[Fill] = []
    for fill in fills:
        wanted = _legs(fill)
        found = [row for leg in wanted if (row := pool.find(leg, _second(fill))) is not None]
        if not partly and len(found) < max(len(wanted), 1):
            waiting.append(fill)
            continue
        pool.taken.update(row.id for row in found)
        made.append(Parcel(tuple(sorted(found, key=when)), fill, is_part=partly))
    return made, [row for row in rows if row.id not in pool.taken], waiting


class _Pool:
    """Rows by what they state, the earliest first; asked for in the order of time."""

    def __init__(self, rows: Sequence[Movement]) -> None:
        self.taken: set[str] = set()
        self._rows: dict[_Said, list[Movement]] = {}
        for row in sorted(rows, key=when, reverse=True):
            self._rows.setdefault(_said(row), []).append(row)

    def find(self, leg: _Said, second: int) -> Movement | None:
        """Return the earliest row that states a leg, at most a second off."""
        rows = self._rows.get(leg, [])
        while rows and (rows[-1].id in self.taken or _second(rows[-1]) < second - _NEAR):
            rows.pop()
        return rows[-1] if rows and _second(rows[-1]) <= second + _NEAR else None


def _legs(fill: Fill) -> list[_Said]:
    """Return what a ledger says of a fill; what is nothing it may leave out."""
    sign = 1 if fill.side is Side.BUY else -1
    legs = [
        (fill.base, sign * fill.quantity, ZERO),
        (fill.quote, -sign * (fill.amount or ZERO), ZERO),
        *((fee.asset, ZERO, fee.amount) for fee in fill.fees),
    ]
    return [leg for leg in legs if leg[1] or leg[2]]


def _joined(
    rows: Sequence[Movement], is_whole: Callable[[Iterable[Movement]], bool]
) -> list[list[Movement]]:
    """Gather rows by second, two of them where only both together are whole."""
    seconds: dict[int, list[Movement]] = {}
    for row in sorted(rows, key=when):
        seconds.setdefault(_second(row), []).append(row)
    joined: list[list[Movement]] = []
    last = None
    for second, own in seconds.items():
        if last is not None and second - last <= _NEAR and _is_one(joined[-1], own, is_whole):
            joined[-1] += own
        else:
            joined.append(own)
        last = second
    return joined


def _is_one(
    before: list[Movement],
    own: list[Movement],
    is_whole: Callable[[Iterable[Movement]], bool],
) -> bool:
    if not _moves(before) or not _moves(own):
        return True
    return not is_whole(before) and not is_whole(own) and is_whole([*before, *own])


def _spots(seconds: Sequence[Sequence[Movement]]) -> dict[_Spot, int]:
    """Say in which of the gathered seconds an asset came, went or was charged, and when."""
    places: dict[_Spot, int] = {}
    for place, rows in enumerate(seconds):
        for row in rows:
            places.setdefault(_spot(_said(row), _second(row)), place)
    return places


def _place(places: dict[_Spot, int], part: Parcel) -> int | None:
    """Find where rows are left that may be what a fill lacks; its base must be among the rows."""
    assert part.fill is not None, "a part is of a fill"
    here = {_said(row) for row in part.rows}
    legs, at = _legs(part.fill), _second(part.fill)
    lacking = [leg for leg in legs if leg not in here]
    for second in (at, at + _NEAR, at - _NEAR):
        found = [leg for leg in lacking if _spot(leg, second) in places]
        if found and legs[0] in {*here, *found}:
            return places[_spot(found[0], second)]
    return None


def _decided(rows: Sequence[Movement], parts: Sequence[Parcel]) -> list[Parcel]:
    """Make one parcel, or two, of what is left of a second and of the fills it touches."""
    joint = sorted((*rows, *(row for part in parts for row in part.rows)), key=when)
    if parts and not _goes_both_ways(joint):
        return [Parcel(tuple(rows)), *parts]
    flags = () if _balances(joint) else (Flag.UNPAIRED,)
    came = {row.asset for row in joint if row.amount > 0}
    went = {row.asset for row in joint if row.amount < 0}
    if came == went and len(came) == _BOTH:
        sides = _sides(joint, max(came))
        return [Parcel(side, flags=(Flag.ASSUMED_SPLIT, *flags)) for side in sides]
    only = parts[0].fill if len(parts) == 1 else None
    return [Parcel(tuple(joint), only, flags=flags)]


def _sides(rows: Sequence[Movement], other: str) -> list[tuple[Movement, ...]]:
    """Part two assets that went both ways; a charge goes with what brought its asset."""
    sides: tuple[list[Movement], list[Movement]] = ([], [])
    for row in rows:
        brings_other = row.asset == other
        if row.amount:
            brings_other = (row.amount > 0) is (row.asset == other)
        sides[brings_other].append(row)
    return [tuple(side) for side in sides]


def _balances(rows: Iterable[Movement]) -> bool:
    moves = _moves(rows)
    return 2 * sum(row.amount > 0 for row in moves) == len(moves)


def _goes_both_ways(rows: Iterable[Movement]) -> bool:
    return len({row.amount > 0 for row in _moves(rows)}) == _BOTH


def _moves(rows: Iterable[Movement]) -> list[Movement]:
    return [row for row in rows if row.amount]


def _said(row: Movement) -> _Said:
    return row.asset, row.amount, row.fee


def _spot(leg: _Said, second: int) -> _Spot:
    asset, amount, _ = leg
    return asset, amount > 0, amount < 0, second


def _second(entry: Movement | Fill) -> int:
    return entry.executed_at // instant.SECOND
