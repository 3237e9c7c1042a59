"""What a portfolio values with when no prices are given: what trades tell, what venues told, and
what was seen in this process.

All of it is joined once and kept while nothing is new. The same object means the same marks. What
is from the future, as everything is that was told before a clock was set back, gives way to what is
told from then on.

Errors: those of the store.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from bursar.desk import Desk
from bursar.ledger.entries import Fill, MarginFill
from bursar.portfolio.beside import Beside, beside
from bursar.portfolio.past import PastDesk
from bursar.ports import Head
from bursar.value.marks import (
    AHEAD_MAX,
    FEE_CREDITS,
    Mark,
    Marks,
    Standing,
    fee_credit,
    mark_of,
)
from bursar.value.splits import Splits

MEMO: Final = "marks "
RECORDED: Final = "price on file"
_DECODER: Final = msgspec.json.Decoder(list[Mark])
_ENCODER: Final = msgspec.json.Encoder()
_Span = tuple[int, int]
"""From when until before when the same marks are from the future."""
_NEVER: Final = 1 << 63
_ALWAYS: Final[_Span] = 0, _NEVER


class Believed:
    """The marks of one portfolio."""

    def __init__(self, desk: Desk | PastDesk) -> None:
        self._desk = desk
        self._seen = Marks()
        self._seen_count = 0
        self._span = _ALWAYS
        self._texts: dict[str, str] | None = None
        self._read: dict[str, tuple[str, list[Mark]]] = {}
        self._kept: tuple[tuple[Head, Mapping[str, str]], Marks] | None = None
        self._joined: tuple[Marks, int, Marks] | None = None
        self._told: tuple[Head, Marks] | None = None
        self._lasts: Beside[Fill | MarginFill, Mark] = {}
        self._splits: tuple[Head, Splits] | None = None

    def see(self, marks: Iterable[Mark]) -> None:
        """Take in marks for this process alone. O(marks), and all while one is from the future."""
        now, marks = self._desk.clock.now(), tuple(marks)
        for mark in marks:
            self._seen.put(mark, now=now)
        if self.are_settled:
            self._span = _within(self._span, marks, now)
        else:
            self._turn(now)
        self._seen_count += 1

    def keep(self, marks: Iterable[Mark], source: str) -> None:
        """Keep what a venue said, in the place of what it said before. O(its marks)."""
        told = {f"{MEMO}{source}": _ENCODER.encode(list(marks)).decode()}
        self._desk.store.save_memos(told)
        if self._texts is not None:
            self._texts = dict(sorted({**self._texts, **told}.items()))

    def marks(self, *, looks: bool = True) -> Marks:
        """Return all of them; one object while nothing is new."""
        kept, count = self.kept(looks=looks), self._seen_count
        if self._joined is None or self._joined[0] is not kept or self._joined[1] != count:
            now = self._desk.clock.now()
            self._joined = kept, count, kept.plus(self.of_now(self._seen), now=now)
        return self._joined[2]

    @property
    def are_settled(self) -> bool:
        """Whether none is from the future, nor was when they were last joined. O(1)."""
        since, until = self._span
        return self._kept is not None and until == _NEVER and self._desk.clock.now() >= since

    def kept(self, *, looks: bool = True) -> Marks:
        """Return what every process would know; one object while nothing is new.

        It `looks` into the store for what others were told, or goes by the last look.
        """
        if looks or self._texts is None:
            self._texts = self._desk.store.memos(MEMO)
        texts, head, now = self._texts, self._desk.head, self._desk.clock.now()
        since, until = self._span
        if not since <= now < until:
            self._turn(now)
        if self._kept is None or self._kept[0] != (head, texts):
            known = self._traded()
            for name, text in texts.items():
                if self._read.get(name, ("", []))[0] != text:
                    self._read[name] = text, _DECODER.decode(text)
                    self._span = _within(self._span, self._read[name][1], now)
                known = known.plus(self.of_now(self._read[name][1]), now=now)
            book = self._desk.timeline.book
            held = {asset for _, asset in book.holdings}
            credit = (fee_credit(e, book.terms.base, at=now) for e in FEE_CREDITS if e in held)
            self._kept = (head, texts), known.plus(credit)
        return self._kept[1]

    def _turn(self, now: int) -> None:
        """Join anew what was joined while others than now were from the future. O(marks)."""
        told = (mark for _, marks in self._read.values() for mark in marks)
        self._span = _within(_within(_ALWAYS, told, now), self._seen, now)
        self._kept = None

    def of_now(self, marks: Iterable[Mark]) -> Iterable[Mark]:
        """Return marks as prices of the units that are held now, whatever was split since."""
        head, told = self._desk.head, self._desk.timeline.splits
        if self._splits is None or self._splits[0] is not head:
            self._splits = head, Splits(told.values())
        return self._splits[1].restated(marks) if told else marks

    def _traded(self) -> Marks:
        """Return what trades and recorded prices tell; looked for once while they stand."""
        head = self._desk.head
        if self._told is None or self._told[0] != head:
            self._lasts = beside(self._desk.timeline.last_trades(), self._lasts, mark_of)
            traded = Marks(self.of_now(mark for _, mark in self._lasts.values()))
            self._told = head, traded.plus(self.of_now(self._recorded_prices()))
        return self._told[1]

    def _recorded_prices(self) -> Iterator[Mark]:
        for price in self._desk.timeline.notes.prices.latest():
            # No better than a trade: of the two the later one counts.
            at, standing = price.executed_at, Standing.TRADE
            yield Mark(price.asset, price.quote, price.value, RECORDED, at, standing)


def _within(span: _Span, marks: Iterable[Mark], now: int) -> _Span:
    """Return the part of a span in which the same of these are from the future as now. O(marks)."""
    since, until = span
    for mark in marks:
        if mark.is_ahead(now):
            until = min(until, mark.at - AHEAD_MAX)
        else:
            since = max(since, mark.at - AHEAD_MAX)
    return since, until
