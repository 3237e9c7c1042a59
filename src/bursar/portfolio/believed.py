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
from bursar.ledger import instant
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
_DECODER: Final = msgspec.json.Decoder(list[Mark])
_ENCODER: Final = msgspec.json.Encoder()


class Believed:
    """The marks of one portfolio."""

    def __init__(self, desk: Desk | PastDesk) -> None:
        self._desk = desk
        self._seen = Marks()
        self._seen_count = 0
        self._latest = 0
        self._gave_way = False
        self._texts: dict[str, str] | None = None
        self._read: dict[str, tuple[str, list[Mark]]] = {}
        self._kept: tuple[tuple[Head, Mapping[str, str]], Marks] | None = None
        self._joined: tuple[Marks, int, Marks] | None = None
        self._told: tuple[Head, Marks] | None = None
        self._lasts: Beside[Fill | MarginFill, Mark] = {}
        self._splits: tuple[Head, Splits] | None = None

    def see(self, marks: Iterable[Mark]) -> None:
        """Take in marks for this process alone. O(marks)."""
        now = self._desk.clock.now()
        for mark in marks:
            self._seen.put(mark, now=now)
            self._latest = max(self._latest, mark.at)
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
            self._latest = max(_latest(kept), _latest(self._seen))
            self._gave_way = self._latest > now + AHEAD_MAX
        return self._joined[2]

    @property
    def reach_ahead(self) -> bool:
        """Whether some are from the future, or were when all were last joined. O(1)."""
        return self._gave_way or self._latest > self._desk.clock.now() + AHEAD_MAX

    def kept(self, *, looks: bool = True) -> Marks:
        """Return what every process would know; one object while nothing is new.

        It `looks` into the store for what others were told, or goes by the last look.
        """
        if looks or self._texts is None:
            self._texts = self._desk.store.memos(MEMO)
        texts, head = self._texts, self._desk.head
        if self._kept is None or self._kept[0] != (head, texts):
            known, now = self._traded(), self._desk.clock.now()
            for name, text in texts.items():
                if self._read.get(name, ("", []))[0] != text:
                    self._read[name] = text, _DECODER.decode(text)
                known = known.plus(self.of_now(self._read[name][1]), now=now)
            book = self._desk.timeline.book
            held = {asset for _, asset in book.holdings}
            credit = (fee_credit(e, book.terms.base, at=now) for e in FEE_CREDITS if e in held)
            self._kept = (head, texts), known.plus(credit)
        return self._kept[1]

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
            source = f"price of {instant.show(price.executed_at)}"
            # No better than a trade: of the two the later one counts.
            yield Mark(
                price.asset, price.quote, price.value, source, price.executed_at, Standing.TRADE
            )


def _latest(marks: Marks) -> int:
    """Return the instant of the latest that was told by somebody, and not in a trade."""
    told = marks.by_pair.values()
    return max((each.at for each in told if each.standing is Standing.VENUE), default=0)
