"""The walk over the kept moments: where it stands, and the curve it went along, packed.

What is asked of the past is small: the drawdown so far, the unit price now and at the end of each
day, what stood at 00:00 UTC. A walk knows that after every moment in O(1). Each full block of
moments is written down with where the walk stood behind it, so that the next process goes on from
there: it reads the packed blocks (a year of minutes: some eight MiB) and the snapshots since, never
the year.

What is written is a shortcut and never a source. It is of one epoch of the trail (`snapshots`),
which ends when a snapshot came late, was replaced, or went, and of the same doubts (`units`); of
another one it is not looked at.
`verify` walks the snapshots themselves and compares.

Errors: those of the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from bursar.exact import money
from bursar.ledger import instant
from bursar.measure.curve import Link, Moment
from bursar.measure.drawdown import RunningDrawdown
from bursar.measure.packed import BLOCK, Block, PackedCurve
from bursar.measure.returns import DayCloses
from bursar.portfolio import snapshots
from bursar.portfolio.units import Doubts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bursar.ports import PortfolioStore

NAME: Final = "moments"
"""How the memos are called; those of blocks have their number behind it."""

_FORM: Final = 4
"""Grows when a walk comes to know something else, or links moments in another way; what was written
before is then not looked at.
"""


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """Where a walk stands behind a full block: the last of `blocks`, each of `size` moments.

    `opening` is the last moment at or before 00:00 UTC of the day of `last`; `None`: there is none.
    """

    blocks: int
    size: int
    last: Moment
    opening: Moment | None
    link: Link | None
    running: RunningDrawdown
    closes: DayCloses


class Walk:
    """Goes along moments in order of time, from the first one or from a stand."""

    def __init__(
        self, stand: Stand | None = None, blocks: Iterable[Block] = (), *, block: int = BLOCK
    ) -> None:
        self.stand = stand
        self.last = None if stand is None else stand.last
        self.opening = None if stand is None else stand.opening
        self.running = RunningDrawdown() if stand is None else stand.running.twin()
        self.closes = DayCloses() if stand is None else stand.closes.twin()
        self._blocks = 0 if stand is None else stand.blocks
        self.packed = PackedCurve(blocks, None if stand is None else stand.link, block=block)

    @money
    def see(self, moment: Moment) -> None:
        """Take in a moment. O(1) on average."""
        start = instant.day_start(moment.at)
        if moment.at == start:
            self.opening = moment
        elif self.last is None or self.last.at < start:
            self.opening = self.last
        self.last = moment
        if moment.is_complete:
            self.running.see(moment.at, moment.equity)
            self.running.falls.clear()  # nobody asks for them here
        self.closes.see(self.packed.add(moment))
        if len(self.packed.blocks) != self._blocks:
            self._blocks = len(self.packed.blocks)
            self.stand = self._here(moment)

    def _here(self, last: Moment) -> Stand:
        return Stand(
            blocks=self._blocks,
            size=self.packed.size,
            last=last,
            opening=self.opening,
            link=self.packed.last,
            running=self.running.twin(),
            closes=self.closes.twin(),
        )

    def stood(self, start: int) -> Moment | None:
        """Return the last moment at or before 00:00 UTC of a day; none of the days after it may
        have been seen.
        """
        return self.last if self.last is not None and self.last.at <= start else self.opening


class _Head(msgspec.Struct, frozen=True):
    form: int
    epoch: int
    doubted: Doubts
    stand: Stand


class _Form(msgspec.Struct, frozen=True):
    """The part of a head that every form has, and by what it is of the same past."""

    form: int
    epoch: int
    doubted: Doubts = ()


_ENCODER: Final = msgspec.json.Encoder()
_FORMS: Final = msgspec.json.Decoder(_Form)
_HEADS: Final = msgspec.json.Decoder(_Head)
_BLOCKS: Final = msgspec.json.Decoder(Block)


def read(store: PortfolioStore, epoch: int, block: int = BLOCK, *, doubted: Doubts = ()) -> Walk:
    """Return the walk that was written down in this epoch with these doubts; a new one where none
    was, or where a block of it is gone. O(blocks).
    """
    told = store.memos(NAME)
    stand = _stand(told, epoch, doubted)
    names = [] if stand is None else [_name(n) for n in range(stand.blocks)]
    if stand is None or any(name not in told for name in names):
        return Walk(block=block)
    return Walk(stand, (_BLOCKS.decode(told[name]) for name in names), block=block)


def write(
    store: PortfolioStore, epoch: int, walk: Walk, *, known: int = 0, doubted: Doubts = ()
) -> None:
    """Write down where a walk of this epoch stands, and its blocks but for the first `known`, which
    are there. Nothing is written once the epoch is over.
    """
    assert walk.stand is not None, "it came to the end of a block"
    with store.grouped():
        trail = snapshots.trail(store)
        if trail is not None and trail.epoch == epoch:
            gone = {} if known else dict.fromkeys(store.memos(NAME))
            store.save_memos({**gone, **_told(epoch, doubted, walk, known)})


def check(store: PortfolioStore, doubted: Doubts = ()) -> Iterable[str]:
    """Tell of a walk that was written down and is not the one along the moments that are kept, some
    of them doubted.

    O(moments).
    """
    trail, told = snapshots.trail(store), store.memos(NAME)
    known = None if trail is None else _stand(told, trail.epoch, doubted)
    if trail is None or known is None:
        return
    walk = Walk(block=known.size)
    for moment in snapshots.moments(store, doubted=doubted):
        walk.see(moment)
        if len(walk.packed.blocks) == known.blocks:
            break
    due = {} if walk.stand is None else _told(trail.epoch, doubted, walk)
    is_so = due and all(told.get(name) == text for name, text in due.items())
    if not is_so and snapshots.trail(store) == trail:
        yield "the walk along the snapshots that is written down is not the one along those there"


def _stand(told: Mapping[str, str], epoch: int, doubted: Doubts) -> Stand | None:
    """Return the stand that memos tell of, if it is of this epoch, of these doubts, and form."""
    head = told.get(NAME)
    if head is None or _FORMS.decode(head) != _Form(_FORM, epoch, doubted):
        return None
    return _HEADS.decode(head).stand


def _name(number: int) -> str:
    return f"{NAME} {number:06}"


def _told(epoch: int, doubted: Doubts, walk: Walk, known: int = 0) -> dict[str, str]:
    assert walk.stand is not None, "it came to the end of a block"
    blocks = {_name(n): walk.packed.blocks[n] for n in range(known, walk.stand.blocks)}
    head = _Head(_FORM, epoch, doubted, walk.stand)
    return {name: _ENCODER.encode(each).decode() for name, each in {NAME: head, **blocks}.items()}
