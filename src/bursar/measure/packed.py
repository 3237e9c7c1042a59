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

    def add(self, moment: Moment) -> bool:
        """Take in a moment, later than those before; tell whether it fills a block.

        O(1) on average.
        """
        _, self.last = linked(moment, self.last)
        self._tail.append(moment)
        if len(self._tail) < self.size:
            return False
        packed = zlib.compress(_ENCODER.encode(self._tail))
        self.blocks.append(Block(self._tail[0].at, self._before, packed))
        self._tail, self._before = [], self.last
        return True

    def curve(self, now: Moment, start: int | None = None, end: int | None = None) -> Curve:
        """Return the points from `start` until before `end`, with the opening before them; `now` is
        the last moment. O(moments of the part).
        """
        point, _ = linked(now, self.last)
        return window(Curve((*self._points(start, end), point)), start, end)

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
        block = self.blocks[place]
        moments = _DECODER.decode(zlib.decompress(block.packed))
        self.unpacked += len(moments)
        return _linked(moments, block.before)


def _first(block: Block) -> int:
    return block.first


def _has_opening(points: Iterable[Point], start: int) -> bool:
    return any(each.nav is not None and each.at < start for each in points)


def _linked(moments: Iterable[Moment], last: Link | None) -> Iterator[Point]:
    for moment in moments:
        point, last = linked(moment, last)
        yield point
