"""Closed trips that are kept: what they come to is what counting them from nothing would say."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bursar.measure import closed as module
from bursar.measure.closed import BLOCK
from bursar.measure.trades import statistics
from tests.unit.measure.samples import DAY, MONEY, loose, trip

ClosedTrips = loose(module.ClosedTrips)

ORDERS = st.lists(st.tuples(st.integers(0, 9), MONEY), max_size=10)
EARLIER = [trip(n + 1, n % 5 - 2) for n in range(BLOCK + 4)]


@given(ORDERS, st.integers(0, 3))
def test_what_is_kept_is_what_is_counted_from_nothing(orders, at_once):
    closed: Any = ClosedTrips()
    known: Any = {}
    for each in EARLIER:
        closed.swap(None, each)
    for turn, (order, pnl) in enumerate(orders):
        made = trip(BLOCK + turn // 2, pnl, id=f"order {order}")
        closed.swap(known.get(order), made)
        known[order] = made
        if turn % (at_once + 1) == 0:
            every = tuple(closed)
            assert [e.closed_at for e in every] == sorted(e.closed_at for e in every)
            assert repr(closed.statistics) == repr(statistics(every))
            anew = ClosedTrips()
            for each in every:
                anew.swap(None, each)
            now = every[-1].closed_at
            rolled, again = (e.rolling(each.strategy, 9 * DAY).at(now) for e in (closed, anew))
            assert rolled == again
            assert rolled.count == sum(e.closed_at > now - 9 * DAY for e in every)
    assert len(tuple(closed)) == BLOCK + 4 + len(known)


def test_a_trip_costs_the_same_however_many_closed_before():
    for count in (BLOCK, 20 * BLOCK):
        closed = ClosedTrips()
        for n in range(count):
            closed.swap(None, trip(n + 1, 1))
        assert closed.statistics.count == closed.steps == count
        last = trip(count + 1, 7, opened_at=None)
        closed.swap(None, last)
        assert (closed.statistics.net, closed.steps) == (count + 7, count + 1)
        assert (closed.statistics.net, closed.steps) == (count + 7, count + 1)
        more = msgspec.structs.replace(last, pnl=Decimal(9), closed_at=last.closed_at + DAY)
        closed.swap(last, more)
        assert (closed.statistics.net, closed.steps) == (count + 9, count + 2)


def test_rolling_figures_are_those_of_one_strategy():
    closed: Any = ClosedTrips()
    closed.swap(None, trip(1, 5))
    closed.swap(None, trip(2, -3, strategy="grid"))
    asked = [closed.rolling(name, 9 * DAY) for name in ("trend", "grid", "nobody")]
    last = trip(3, -4, strategy="grid")
    closed.swap(None, last)
    now = trip(3, 0).closed_at
    assert [each.at(now).net for each in asked] == [5, -7, 0]
    closed.swap(last, msgspec.structs.replace(last, pnl=Decimal(6)))
    assert [each.at(now).net for each in asked] == [5, 3, 0]


def test_rolling_figures_that_are_asked_for_late_look_at_their_span_alone():
    closed: Any = ClosedTrips()
    for n in range(1, 9):
        closed.swap(None, trip(n, n))
    closed.swap(None, trip(20, 100, strategy="grid"))
    assert closed.rolling("trend", 3 * DAY).at(trip(8, 0).closed_at).net == 8 + 7 + 6
    assert closed.rolling("trend", 3 * DAY).at(trip(10, 0).closed_at).net == 8
