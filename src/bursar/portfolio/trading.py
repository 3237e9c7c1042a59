"""Following the journal with a `TradeStore`: its trades are those of the book's own records.

Once all were read, a commit costs what it has added; what changes an earlier fact (a late
statement, a correction, a tag, a price) makes the trades anew that were open then or later
(`reading`). A bookmark beside the trades lets a process go on from where the one before it was, if
nobody has written in between; otherwise its first change costs O(records), as a store does that was
lost or is of another layout.

Errors: what the stores raise; `save` is all or nothing, so that the next call goes on.
"""

from collections.abc import Callable, Mapping
from itertools import groupby

import msgspec

from bursar.exact import money
from bursar.ledger.facts import Fact
from bursar.ledger.order import order_key
from bursar.ledger.turns import BEGINNING
from bursar.measure.coins import Coins, KeptCoins
from bursar.measure.positions import KeptTrades, Trades
from bursar.portfolio import kept
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.reading import Bookmark, Copy, Reading, Records
from bursar.ports import TradeStore

_Kept = tuple[KeptCoins, KeptTrades]
_Bookmark = Bookmark[_Kept]
_FactsOf = Callable[[Records], Mapping[str, Fact]]


class _State(msgspec.Struct, frozen=True):
    """What trades are of: version, last journal row, and its hash."""

    version: int
    seq: int
    hash: str


class TradeFollower:
    """Keeps a store's trades up to the journal. There should be one for a store."""

    def __init__(self, portfolio: Portfolio, store: TradeStore) -> None:
        self.store = store
        self._portfolio = portfolio
        self._at = ""
        self._marked: Copy[_Kept] | None = None
        self._followed = _Followed(portfolio.terms.cash, self._facts)
        self._reading = Reading(self._followed, self._in_order)

    def follow(self) -> bool:
        """Bring the trades up to the book, and tell whether anything had to change."""
        head, reached = self._portfolio.desk.head, self.store.reached()
        now = msgspec.json.encode(_State(head.version, head.seq, head.hash)).decode()
        if reached == now:
            self._resume(now)
            return False
        if not self._at or reached != self._at:
            self._reading.forget()
        self._at = ""  # until it is kept, nothing is known
        since = self._reading.reach(self._portfolio, kept.asset_of_pairs(self._portfolio))
        bookmark = self._reading.bookmark
        copy = None if bookmark is None else bookmark.copy
        is_kept = copy is self._marked and since != BEGINNING
        text = None if is_kept else _written(bookmark)
        self.store.save(self._followed.trades.changed(), now, since=since, bookmark=text)
        self._at, self._marked = now, copy
        return True

    def _resume(self, now: str) -> None:
        """Go on from the bookmark, if it was another process that told the trades of now."""
        text = "" if self._at == now else self.store.bookmark()
        if text:
            bookmark = msgspec.json.decode(text, type=_Bookmark)
            self._reading.resume(bookmark, self._portfolio)
            self._at, self._marked = now, bookmark.copy

    def _facts(self, records: Records) -> Mapping[str, Fact]:
        """Return facts by id, those of the records among them; the older ones are read for it."""
        known = self._portfolio.desk.timeline.facts
        if all(each.trade_id in known for each in records):
            return known
        return self._portfolio.timeline.facts

    def _in_order(self, records: Records) -> Records:
        """Return records with those of one instant as the book took them, which its facts know.

        What another process has written and the book has yet to take up is left for then.
        """
        found: Records = []
        facts = self._facts(records)
        known = [each for each in records if each.trade_id in facts]
        for _, at_once in groupby(known, key=lambda each: each.time):
            found += sorted(at_once, key=lambda each: order_key(facts[each.trade_id]))
        return found


class _Followed:
    """Coins, and their trades, as records are read."""

    def __init__(self, cash: frozenset[str], facts: _FactsOf) -> None:
        self.trades = Trades()
        self._coins = Coins({})
        self._cash = cash
        self._facts = facts

    def begin(self, shorts: frozenset[str]) -> None:
        """Forget everything."""
        self._coins, self.trades = Coins({}, cash=self._cash, shorts=shorts), Trades()

    @money
    def follow(self, records: Records, assets: Mapping[str, str]) -> None:
        """Take in records."""
        self._coins.assets = assets
        self.trades.follow(self._coins.follow(records), self._facts(records))

    def kept(self) -> _Kept:
        """Return what going back to here takes."""
        return self._coins.kept(), self.trades.kept()

    def back(self, kept: _Kept, _end: int) -> None:
        """Be as it was."""
        coins, trades = kept
        self._coins.back(coins)
        self.trades.back(trades)


def _written(bookmark: _Bookmark | None) -> str:
    return "" if bookmark is None else msgspec.json.encode(bookmark).decode()
