"""A curve that is kept packed: a year of minutes takes some ten MiB, and a part is read alone.

Moments are kept in blocks, each its JSON made small, with the link to what came before it. A part
of the curve is unpacked from the block on in which it finds what stood at its start.

Invariant: `curve` says what `curve.curve` and `curve.window` say of all the moments, digit for
digit.

Errors: none.
"""

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from bursar.measure.curve import Curve, Link, Moment, Point, linked, window

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

    def __bool__(self) -> bool:
        return bool(self.blocks or self._tail)

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

    def curve(self, now: Moment, start: int | None = None, end: int | None = None) -> Curve:
        """Return the points from `start` until before `end`, with the opening before them; `now` is
        the last moment. O(moments of the part).
        """
        return window(Curve((*self._points(start, end), self.then(now))), start, end)

    def moments(self, start: int) -> Iterator[Moment]:
        """Yield the moments from `start` on. O(those, and a block)."""
        for place in range(max(self._place(start) - 1, 0), len(self.blocks)):
            yield from (each for each in self._unpacked(place) if each.at >= start)
        yield from (each for each in self._tail if each.at >= start)

    def _points(self, start: int | None, end: int | None) -> list[Point]:
        """Return the points of every block that has to do with a part of the curve."""
        until = end if end is None or start is None else max(start, end)  # or there is no opening
        last = len(self.blocks) if until is None else self._place(until)
        place = 0 if start is None else max(self._place(start) - 1, 0)
        points = [each for n in range(place, last) for each in self._block(n)]
        while place and start is not None and not _has_opening(points, start):
            place -= 1
            points = [*self._block(place), *points]
        return points + list(_linked(self._tail, self._before))

    def _place(self, at: int) -> int:
        return bisect_right(self.blocks, at, key=_first)

    def _block(self, place: int) -> Iterator[Point]:
        return _linked(self._unpacked(place), self.blocks[place].before)

    def _unpacked(self, place: int) -> list[Moment]:
        moments = _DECODER.decode(zlib.decompress(self.blocks[place].packed))
        self.unpacked += len(moments)
        return moments


def _first(block: Block) -> int:
    return block.first


def _has_opening(points: Iterable[Point], start: int) -> bool:
    return any(each.nav is not None and each.at < start for each in points)


def _linked(moments: Iterable[Moment], last: Link | None) -> Iterator[Point]:
    for moment in moments:
        point, last = linked(moment, last)
        yield point
