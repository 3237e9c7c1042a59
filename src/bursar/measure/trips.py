"""Round trips: what each closing trade made, from the trade records of a book and their shifts.

A round trip closes when something that was bought is sold again, a leveraged position is closed, or
a short is covered: one trip for each closing order and coin, whatever the number of its fills. Its
PnL is what the closing realised, less its part of the fees of the trades that opened it, so that a
trip that only won back less than it paid to get in is a loss. It belongs to the strategy, regime
and pair of the trade that closed. What becomes of coins and of their fees, `coins` says.

Invariant: Σ PnL of trips − fees of what is still open + `flowed` = realised PnL of the records, to
the last digit. `Trips` says the three parts.

What the book was not sure of in the closing trade, or in what brought the coins that were there
then, is among the trip's `flags`: `unpriced` says that a part was counted as worth nothing.

Errors: none.
"""

from collections.abc import Iterable, Mapping

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.entries import MANUAL
from bursar.ledger.records import RealizedPnLRecord
from bursar.measure.closed import ClosedTrips
from bursar.measure.coins import NOTHING, Closed, Coins, KeptCoins, Part, in_order
from bursar.measure.stake import Stake, joint
from bursar.measure.trip import Trip, Trips

_Name = tuple[str, str, str, str]
"""Account, asset, pair and order: venues count orders by pair."""


class TripBook:
    """Follows trade records and shifts in order of time and closes trips. O(1) for each of them;
    a split or a rename costs O(positions).

    What it is made with is for `Coins`.
    """

    def __init__(
        self,
        assets: Mapping[str, str],
        *,
        cash: frozenset[str] = NOTHING,
        shorts: frozenset[str] = NOTHING,
    ) -> None:
        self.coins = Coins(assets, cash=cash, shorts=shorts)
        self.closed = ClosedTrips()
        self._trips: dict[_Name, Trip] = {}
        self._before: dict[_Name, list[Trip]] = {}

    @money
    def follow(self, records: Iterable[RealizedPnLRecord]) -> None:
        """Take in records `in_order`. The records of one trade belong into one call."""
        for each in self.coins.follow(records):
            if type(each) is Closed:
                self._close(each.part, each.left)

    def back(self, coins: KeptCoins, end: int) -> None:
        """Go back to before an instant, when coins were as kept. O(trips since)."""
        self.coins.back(coins)
        self.closed.roll_anew()
        for trip in self.closed.after(end):
            name = _name(trip)
            earlier = self._before.get(name, [])
            while earlier and earlier[-1].closed_at >= end:
                earlier.pop()
            known = earlier.pop() if earlier else None
            self.closed.swap(trip, known)
            if known is None:
                del self._trips[name]
            else:
                self._trips[name] = known

    @property
    @money
    def trips(self) -> Trips:
        """What closed so far."""
        return Trips(tuple(self.closed), self.coins.open_fees, self.coins.flowed)

    def _close(self, part: Part, entries: Stake) -> None:
        """Close a trip; `entries` is what leaves, with its part of the fees."""
        record, opened_at = part.record, entries.opened_at
        order = record.order_id or record.trade_id
        name = record.account, part.asset, record.pair, order
        known, flags = self._trips.get(name), joint(entries.flags, part.flags)
        if known is not None:
            opened_at, flags = known.opened_at, joint(known.flags, flags)
            self._before.setdefault(name, []).append(known)
        made = self._trips[name] = Trip(
            id=order,
            account=record.account,
            asset=part.asset,
            pair=record.pair,
            strategy=record.strategy_tag or MANUAL,
            regime=record.regime or "",
            opened_at=opened_at,
            closed_at=instant.from_datetime(record.time),
            cost=part.cost + (ZERO if known is None else known.cost),
            pnl=part.pnl + entries.made + (ZERO if known is None else known.pnl),
            fees=part.fees + entries.fees + (ZERO if known is None else known.fees),
            fills=1 if known is None else known.fills + 1,
            flags=flags,
        )
        self.closed.swap(known, made)


def _name(trip: Trip) -> _Name:
    return trip.account, trip.asset, trip.pair, trip.id


@money
def round_trips(
    records: Iterable[RealizedPnLRecord],
    assets: Mapping[str, str],
    *,
    cash: frozenset[str] = NOTHING,
    shorts: frozenset[str] = NOTHING,
) -> Trips:
    """Return the round trips of records and shifts, which stand oldest first. O(records)."""
    book = TripBook(assets, cash=cash, shorts=shorts)
    book.follow(in_order(records))
    return book.trips
