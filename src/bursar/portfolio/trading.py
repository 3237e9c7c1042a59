"""Following the journal with a `TradeStore`: its trades are those of the book's own facts.

What only came at the end is folded on. Whatever may have changed an earlier fact (a late statement,
a correction, a tag, a price, rows of a ledger) makes all trades anew: O(facts). A store that was
lost or is of another layout is made anew too.

Errors: what the stores raise; `save` is all or nothing, so that the next call goes on.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant, journal
from bursar.ledger.entries import Fill, MarginFill
from bursar.ledger.facts import Fact
from bursar.ledger.order import order_key
from bursar.ledger.records import RealizedPnLRecord
from bursar.ledger.trades import Made, Trades
from bursar.portfolio.portfolio import Portfolio
from bursar.ports import TradeStore


class _State(msgspec.Struct, frozen=True):
    """What trades are of: version, last journal row, its hash, and the time of the last fact."""

    version: int
    seq: int
    hash: str
    time: int


RESTATED: Final = "portfolio.restated"
_ZERO: Final = Made()
_DECODER: Final = msgspec.json.Decoder(_State)


class TradeFollower:
    """Keeps a store's trades up to the journal. There should be one for a store."""

    def __init__(self, portfolio: Portfolio, store: TradeStore) -> None:
        self.store = store
        self._portfolio = portfolio
        self._at: _State | None = None
        self._trades: Trades | None = None

    def follow(self) -> bool:
        """Bring the trades up to the book, and tell whether anything had to change."""
        head, known = self._portfolio.desk.head, self._known()
        if known is not None and (known.version, known.hash) == (head.version, head.hash):
            return False
        fresh = None if known is None else self._fresh(known)
        if known is None or fresh is None:
            self._trades = Trades(self._shorts())
            facts: Iterable[Fact] = self._portfolio.timeline
            made = self._made(None)
        else:
            facts, made = fresh, self._made(instant.to_datetime(known.time))
        last = 0 if known is None else known.time
        trades = self._trades
        assert trades is not None, "what is known was read with its open trades"
        for fact in facts:
            trades.add(fact, made.get(fact.id, _ZERO))
            last = fact.executed_at
        at = _State(head.version, head.seq, head.hash, last)
        self._at = None  # until it is kept, nothing is known
        self.store.save(trades.changed(), _encode(at), anew=fresh is None)
        self._at = at
        return True

    def _known(self) -> _State | None:
        """Return what the stored trades are of, if that is a state of this very journal."""
        text = self.store.reached()
        if self._at is not None and text == _encode(self._at):
            return self._at
        self._at = _decode(text)
        if self._at is not None:
            row = next(iter(self._portfolio.desk.store.records(self._at.seq - 1)), None)
            if row is None or row.hash != self._at.hash:
                self._at = None
        if self._at is not None:
            self._trades = Trades(self._shorts(), self.store.open_trades())
        return self._at

    def _fresh(self, known: _State) -> list[Fact] | None:
        """Return the facts behind the last one folded, if nothing else has changed."""
        store, facts = self._portfolio.desk.store, self._portfolio.desk.timeline.facts
        if any(row.message.topic == RESTATED for row in store.outbox(known.version)):
            return None
        found: dict[str, Fact] = {}
        for row in store.records(known.seq):
            entry = row.entry()
            is_alone = isinstance(entry, Fill | MarginFill) and not (entry.group or entry.rows)
            is_first = row.key == journal.key(entry)
            if not (is_alone and is_first and entry.executed_at > known.time):
                return None
            fact = facts.get(entry.id)
            if fact is None or fact.executed_at != entry.executed_at:
                return None
            found[fact.id] = fact
        return sorted(found.values(), key=order_key)

    def _made(self, since: datetime | None) -> dict[str, Made]:
        """Return what each fact realised and was charged, as the book's records say."""
        made: dict[str, Made] = {}
        for each in self._portfolio.desk.store.get_trades(since=since):
            made[each.trade_id] = _plus(made.get(each.trade_id, _ZERO), each)
        return made

    def _shorts(self) -> Iterator[str]:
        return (each.name for each in self._portfolio.terms.accounts if each.may_short)


@money
def _plus(made: Made, record: RealizedPnLRecord) -> Made:
    """Add a record; a fee without a price is flagged, as its fact is."""
    return Made(
        made.realized + record.pnl_base,
        made.fees + (record.fee_base or ZERO),
        tuple(dict.fromkeys((*made.flags, *record.flags))),
    )


def _encode(state: _State) -> str:
    return msgspec.json.encode(state).decode()


def _decode(text: str) -> _State | None:
    return _DECODER.decode(text) if text else None
