"""Ranks: which rows of one instant came first, as far as their running balances tell.

Each asset code's balances put that code's rows in order. The rows of one reference are one event,
so what was first in one code was first in every other: an event's rows rank above all rows of the
events before it. What nothing puts in order ranks alike.

Ranks of two lists that tell of the same rows, with more or fewer others beside them, never
contradict each other, so of each row's ranks the larger may stand. Where codes tell of two events
in opposite orders, each code's own order is kept as far as the events allow.

Errors: none.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

import msgspec

from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.ledger_rows import tie
from bursar.venue.kraken.rows import LedgerRow


class _Event(msgspec.Struct):
    """The rows of one reference: how many of one code at most, where they begin, what follows."""

    name: str
    width: int = 1
    begin: int = 0
    later: set[str] = msgspec.field(default_factory=set)
    earlier: set[str] = msgspec.field(default_factory=set)


def ranks(rows: Sequence[LedgerRow], path: Iterable[int]) -> list[int]:
    """Rank rows, instant by instant. `path` has all their places, each code's in order."""
    found = [0] * len(rows)
    instants: dict[int, list[int]] = {}
    for place in path:
        instants.setdefault(rows[place].executed_at, []).append(place)
    for places in instants.values():
        if len(places) > 1:
            _rank(rows, places, found)
    return found


def _rank(rows: Sequence[LedgerRow], places: Sequence[int], found: list[int]) -> None:
    codes: dict[str, list[int]] = {}
    for place in places:
        codes.setdefault(coin(rows[place].code).code, []).append(place)
    if len(codes) == len(places):
        return
    events: dict[str, _Event] = {}
    for own in codes.values():
        counted: dict[str, int] = {}
        last: _Event | None = None
        for place in own:
            name = tie(rows[place])
            event = events.setdefault(name, _Event(name))
            found[place] = counted.get(name, 0)
            counted[name] = found[place] + 1
            event.width = max(event.width, counted[name])
            if last is not None and last is not event and name not in last.later:
                last.later.add(name)
                event.earlier.add(last.name)
            last = event
    _begin(events)
    for place in places:
        found[place] += events[tie(rows[place])].begin


def _begin(events: Mapping[str, _Event]) -> None:
    """Let each event begin where all that come before it have ended.

    Where they wait for each other in a circle, the one of it that waits for least goes first; what
    only follows a circle waits on.
    """
    heap = [_turn(event) for event in events.values()]
    heapify(heap)
    done: set[str] = set()
    while heap:
        waits, begin, name = heappop(heap)
        if name in done or (waits, begin) != _turn(events[name])[:2]:
            continue  # it went, or waits for less by now
        event = events[name]
        if waits:
            event = _first_of_circle(event, events)
            heappush(heap, _turn(events[name]))
        done.add(event.name)
        for each in event.later - done:
            after = events[each]
            after.begin = max(after.begin, event.begin + event.width)
            after.earlier.discard(event.name)
            heappush(heap, _turn(after))


def _first_of_circle(event: _Event, events: Mapping[str, _Event]) -> _Event:
    """Return the first to go of a circle that leads to an event which waits. O(events)."""
    way = [event]
    passed = {event.name: 0}
    while True:
        before = min((events[name] for name in way[-1].earlier), key=_turn)
        if before.name in passed:
            return min(way[passed[before.name] :], key=_turn)
        passed[before.name] = len(way)
        way.append(before)


def _turn(event: _Event) -> tuple[int, int, str]:
    return len(event.earlier), event.begin, event.name
