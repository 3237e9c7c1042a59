"""Trades and trips, followed there and back again."""

from bursar.ledger import instant
from bursar.measure.coins import Coins
from bursar.measure.positions import Trades
from bursar.measure.trips import TripBook


class Followed:
    """Trades and trips that go back to where they were before an instant, and on from there."""

    def __init__(self, facts, rules):
        self.facts = facts
        self.coins, self.trades, self.trips = Coins(**rules), Trades(), TripBook(**rules)

    def follow(self, records):
        self.trips.follow(records)
        self.trades.follow(self.coins.follow(records), self.facts)
        return {each.trade_id: each for each in self.trades.changed()}

    def there_and_back(self, records, cut):
        end = instant.from_datetime(cut)
        before = [each for each in records if each.time < cut]
        known = self.follow(before)
        kept = self.coins.kept(), self.trades.kept(), self.trips.coins.kept()
        self.follow(records[len(before) :])
        now: dict = {}
        for _ in range(2):
            self.coins.back(kept[0])
            self.trades.back(kept[1])
            self.trips.back(kept[2], end)
            now = self.follow(records[len(before) :])
        return {
            name: each
            for name, each in known.items()
            if each.closed_at is not None and each.closed_at < end
        } | now
