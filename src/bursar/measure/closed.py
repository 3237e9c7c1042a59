"""Closed trips in order, and what they come to, kept while others close.

A trip that closes comes last. One that a later fill of its order adds to moves there from wherever
it stood, so what was counted after it has to be counted again: from the last tally before it, of
which there is one for every `BLOCK` trips.

Invariant: `statistics` are those of all the trips in order, counted from nothing.

Rolling figures of a strategy (`rolling`) are followed from the first time they are asked for.

Errors: none.
"""

from bisect import bisect_left
from collections.abc import Iterator
from copy import copy
from typing import Final

from bursar.measure.rolling import RollingTrades
from bursar.measure.trades import Tally, TradeStatistics
from bursar.measure.trip import Trip

BLOCK: Final = 64
_Place = tuple[int, str, str, str]


class ClosedTrips:
    """Round trips by time of closing and id. `steps` counts trips counted so far."""

    def __init__(self) -> None:
        self.steps = 0
        self._places: list[_Place] = []
        self._trips: list[Trip] = []
        self._tallies = [Tally()]
        self._found: TradeStatistics | None = None
        self._rolling: dict[str, dict[int, RollingTrades]] = {}

    def __iter__(self) -> Iterator[Trip]:
        return iter(self._trips)

    def swap(self, gone: Trip | None, made: Trip | None) -> None:
        """Take in a trip, in the place of what it was before. O(log trips)."""
        self._roll(gone, made)
        if gone is not None:
            at = bisect_left(self._places, _place(gone))
            del self._places[at], self._trips[at]
            self._changed(at)
        if made is not None:
            at = bisect_left(self._places, _place(made))
            self._places.insert(at, _place(made))
            self._trips.insert(at, made)
            self._changed(at)

    def after(self, end: int) -> list[Trip]:
        """Return what closed at an instant or later, the latest first. O(log trips + those)."""
        return self._trips[bisect_left(self._places, (end,)) :][::-1]

    def rolling(self, strategy: str, span: int) -> RollingTrades:
        """Return the rolling figures of a strategy over `span` nanoseconds.

        O(trips of such a span) the first time; from then on each trip costs O(1) on average.
        """
        spans = self._rolling.setdefault(strategy, {})
        if span not in spans:
            spans[span] = RollingTrades(span)
            for trip in reversed(self._latest(strategy, span)):
                spans[span].add(trip.closed_at, trip.pnl, _place(trip)[1:])
        return spans[span]

    def roll_anew(self) -> None:
        """Follow rolling figures anew when they are asked for: what they let go of for a later trip
        may count again where that is gone.
        """
        self._rolling = {}

    @property
    def statistics(self) -> TradeStatistics:
        """What they come to. O(trips since the earliest change) + O(`BLOCK`)."""
        if self._found is None:
            tally, start = copy(self._tallies[-1]), (len(self._tallies) - 1) * BLOCK
            for count, trip in enumerate(self._trips[start:], start + 1):
                tally.add(trip)
                self.steps += 1
                if count % BLOCK == 0:
                    self._tallies.append(copy(tally))
            self._found = tally.statistics
        return self._found

    def _latest(self, strategy: str, span: int) -> list[Trip]:
        """Return a strategy's trips within a span of its last one, the latest first."""
        found: list[Trip] = []
        for trip in reversed(self._trips):
            if found and trip.closed_at <= found[0].closed_at - span:
                break
            if trip.strategy == strategy:
                found.append(trip)
        return found

    def _roll(self, gone: Trip | None, made: Trip | None) -> None:
        if gone is not None:
            for rolling in self._rolling.get(gone.strategy, {}).values():
                rolling.take_back(gone.closed_at, gone.pnl, _place(gone)[1:])
        if made is None:
            return
        for rolling in self._rolling.get(made.strategy, {}).values():
            rolling.add(made.closed_at, made.pnl, _place(made)[1:])

    def _changed(self, at: int) -> None:
        """Forget what was counted from a place on."""
        del self._tallies[at // BLOCK + 1 :]
        self._found = None


def _place(trip: Trip) -> _Place:
    return trip.closed_at, trip.id, trip.account, trip.asset
