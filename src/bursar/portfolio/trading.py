"""Following the journal with a `TradeStore`: its trades are those of the book's own records.

Once all were read, a commit costs what it has added; whatever may have changed an earlier fact (a
late statement, a correction, a tag, a price) makes all trades anew: O(records). So does the first
change that a process sees, and a store that was lost or is of another layout.

Errors: what the stores raise; `save` is all or nothing, so that the next call goes on.
"""

from collections.abc import Mapping
from itertools import groupby

import msgspec

from bursar.exact import money
from bursar.ledger.facts import Fact
from bursar.ledger.order import order_key
from bursar.ledger.records import RealizedPnLRecord
from bursar.measure.coins import Coins
from bursar.measure.positions import Trades
from bursar.portfolio import kept
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.reading import Reading
from bursar.ports import TradeStore


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
        self._begin()

    def follow(self) -> bool:
        """Bring the trades up to the book, and tell whether anything had to change."""
        head, reached = self._portfolio.desk.head, self.store.reached()
        now = msgspec.json.encode(_State(head.version, head.seq, head.hash)).decode()
        if reached == now:
            return False
        if not self._at or reached != self._at:
            self._begin()
        self._at = ""  # until it is kept, nothing is known
        is_anew = self._read()
        self.store.save(self._trades.changed(), now, anew=is_anew)
        self._at = now
        return True

    def _begin(self) -> None:
        self._reading = Reading(self._in_order)
        self._coins, self._trades = Coins({}), Trades()

    @money
    def _read(self) -> bool:
        """Follow what is new, and tell whether that is everything."""
        portfolio = self._portfolio
        assets = kept.asset_of_pairs(portfolio)
        with self._reading.on(portfolio, assets) as new:
            if new.is_anew:
                cash = portfolio.terms.cash
                self._coins, self._trades = Coins({}, cash=cash, shorts=new.shorts), Trades()
            self._coins.assets = assets
            events = self._coins.follow(new.records)
            self._trades.follow(events, self._facts(new.records))
        return new.is_anew

    def _facts(self, records: list[RealizedPnLRecord]) -> Mapping[str, Fact]:
        """Return facts by id, those of the records among them; the older ones are read for it."""
        known = self._portfolio.desk.timeline.facts
        if all(each.trade_id in known for each in records):
            return known
        return self._portfolio.timeline.facts

    def _in_order(self, records: list[RealizedPnLRecord]) -> list[RealizedPnLRecord]:
        """Return records with those of one instant as the book took them, which its facts know.

        What another process has written and the book has yet to take up is left for then.
        """
        found: list[RealizedPnLRecord] = []
        facts = self._facts(records)
        known = [each for each in records if each.trade_id in facts]
        for _, at_once in groupby(known, key=lambda each: each.time):
            found += sorted(at_once, key=lambda each: order_key(facts[each.trade_id]))
        return found
