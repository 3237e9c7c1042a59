"""A curve that is kept packed: a year of minutes takes some ten MiB, and a part is read alone.

Moments are kept in blocks, each its JSON made small, with the link to what came before it. A part
of the curve is unpacked from the block on in which it finds what stood at its start.

Invariant: `curve` says what `curve.curve` and `curve.window` say of all the moments, digit for
digit.

Errors: none.
"""

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final, overload

import msgspec

from bursar.exact import money
from bursar.measure.curve import Link, Moment, Point, linked, windows
from bursar.measure.joined import Prelude

if TYPE_CHECKING:
    _Slice = slice[int | None, int | None, int | None]

BLOCK: Final = 1024
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[Moment])


class Block(msgspec.Struct, frozen=True):
    """Moments, the first instant of them, and the link to the last one before them."""

    first: int
    before: Link | None
    packed: bytes


class PackedCurve:
    """The moments of a curve in order of time; it may go on after `blocks`, whose last moment has
    the link `last`. `unpacked` counts moments unpacked so far.
    """

    def __init__(
        self, blocks: Iterable[Block] = (), last: Link | None = None, *, block: int = BLOCK
    ) -> None:
        self.unpacked = 0
        self.blocks = list(blocks)
        self.last = last
        self.size = block
        self._tail: list[Moment] = []
        self._before = last

    @property
    def weight(self) -> int:
        """How many bytes the packed blocks take."""
        return sum(len(block.packed) for block in self.blocks)

    def add(self, moment: Moment) -> Point:
        """Take in a moment, later than those before, and return its point. O(1) on average."""
        point, self.last = linked(moment, self.last)
        self._tail.append(moment)
        if len(self._tail) == self.size:
            self._pack()
        return point

    def then(self, now: Moment) -> Point:
        """Return the point that a moment would be, without taking it in. O(1)."""
        return linked(now, self.last)[0]

    def _pack(self) -> None:
        packed = zlib.compress(_ENCODER.encode(self._tail))
        self.blocks.append(Block(self._tail[0].at, self._before, packed))
        self._tail, self._before = [], self.last

    def course(
        self,
        now: Moment,
        start: int | None = None,
        end: int | None = None,
        prelude: Prelude | None = None,
    ) -> "Course":
        """Return the points from `start` until before `end`, with the opening before them, to be
        walked; `now` is the last moment. O(1), and a walk O(moments of the part), or with a prelude
        O(moments until its end).
        """
        until = end if end is None or start is None else max(start, end)  # or there is no opening
        first = 0 if start is None or prelude is not None else max(self._place(start) - 1, 0)
        last = len(self.blocks) if until is None else self._place(until)
        tail = (*_linked(self._tail, self._before), self.then(now))
        return Course(self, range(first, last), tail, (start, end), prelude)

    def moments(self, start: int) -> Iterator[Moment]:
        """Yield the moments from `start` on. O(those, and a block)."""
        for place in range(max(self._place(start) - 1, 0), len(self.blocks)):
            yield from (each for each in self._unpacked(place) if each.at >= start)
        yield from (each for each in self._tail if each.at >= start)

    def _place(self, at: int) -> int:
        return bisect_right(self.blocks, at, key=_first)

    def points(self, place: int) -> list[Point]:
        """Return the points of a block."""
        return _linked(self._unpacked(place), self.blocks[place].before)

    def _unpacked(self, place: int) -> list[Moment]:
        moments = _DECODER.decode(zlib.decompress(self.blocks[place].packed))
        self.unpacked += len(moments)
        return moments


class Course(Sequence[Point]):
    """The points of a part of a packed curve, as it was when it was asked for.

    Walking them makes them, a block at a time, as often as they are walked. Who asks for one by its
    place, or for their number, has all of them made and kept: some 300 bytes each.
    """

    def __init__(
        self,
        packed: PackedCurve,
        blocks: range,
        tail: Sequence[Point],
        part: tuple[int | None, int | None],
        prelude: Prelude | None = None,
    ) -> None:
        self._packed, self._numbers, self._tail = packed, blocks, tail
        self._start, self._end = part
        self._prelude = prelude

    def __repr__(self) -> str:
        return repr(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # it is compared, never a key

    def __iter__(self) -> Iterator[Point]:
        return chain.from_iterable(self.chunks())

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, place: int) -> Point: ...

    @overload
    def __getitem__(self, place: "_Slice") -> Sequence[Point]: ...

    def __getitem__(self, place: "int | _Slice") -> Point | Sequence[Point]:
        return self._all[place]

    def chunks(self) -> Iterator[Sequence[Point]]:
        """Yield the points, some at a time."""
        return windows(self._joined(), self._start, self._end)

    def _joined(self) -> Iterator[Sequence[Point]]:
        prelude = self._prelude
        if prelude is None:
            return self._blocks()
        return chain((prelude.points,), map(prelude.then, self._blocks()))

    @cached_property
    def _all(self) -> tuple[Point, ...]:
        return tuple(iter(self))

    def _blocks(self) -> Iterator[Sequence[Point]]:
        """Yield the points of every block that has to do with it, and those that are in none."""
        place, start = self._numbers.start, self._start  # with a prelude, the first block is there
        points = self._packed.points(place) if self._numbers else []
        while place and start is not None and not _has_opening(points, start):
            place -= 1
            points = [*self._packed.points(place), *points]
        yield points
        yield from map(self._packed.points, self._numbers[1:])
        yield self._tail


def _first(block: Block) -> int:
    return block.first


def _has_opening(points: Iterable[Point], start: int) -> bool:
    return any(each.nav is not None and each.at < start for each in points)


@money
def _linked(moments: Iterable[Moment], last: Link | None) -> list[Point]:
    points = []
    for moment in moments:
        point, last = linked(moment, last)
        points.append(point)
    return points
