"""A list read from its oldest row on: every row once, whatever arrives, wherever it is cut off."""

import asyncio
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.errors import VenueIncomplete
from bursar.venue.kraken.place import OVERLAP, RECENT_MAX, ListPlace, rest, took
from bursar.venue.kraken.sweep import PAGE, Lost, Sweep
from bursar.venue.kraken.wire import Page

SECOND = 10**9
END = 10**6


class Row(NamedTuple):
    executed_at: int
    txid: str
    refid: str


class Venue:
    """A list at a venue; `arrivals` come, some at a time, before a page is told."""

    def __init__(self, rows=(), arrivals=()):
        self.rows = list(rows)
        self.arrivals = list(arrivals)
        self.asked = 0

    async def __call__(self, start, end, ofs):
        self.asked += 1
        if self.arrivals:
            self.rows += self.arrivals.pop(0)
        after = -1 if start is None else start * SECOND
        found = sorted(row for row in self.rows if after < row.executed_at <= end * SECOND)[::-1]
        return Page(tuple(found[ofs : ofs + PAGE]), len(found))


def rows(times, start=0):
    return [Row(at, f"R{number:06}", f"G{number}") for number, at in enumerate(times, start)]


def swept(venue, place=ListPlace(), *, stop=None):  # noqa: B008 (it is frozen)
    """The rows a sweep hands on, in their parts, and the place it leaves."""

    async def go():
        sweep = Sweep[Row]("rows", venue, place, END, reference=lambda row: row.refid)
        parts: list[list[Row]] = []
        while not sweep.is_empty and len(parts) != stop:
            if not sweep.is_finished:
                await sweep.fetch()
            ready = sweep.ready()
            if ready:
                parts.append(sweep.hand_on(ready))
        return parts, sweep.place if sweep.place.done < sweep.place.count else rest(sweep.place)

    return asyncio.run(go())


def flat(parts):
    return [row for part in parts for row in part]


times = st.lists(
    st.one_of(
        st.integers(0, 40).map(lambda second: second * SECOND),
        st.integers(0, 4 * 10**13),
        st.integers(0, 20_000).map(lambda second: second * SECOND // 2),
    ),
    max_size=260,
)


@given(times)
def test_every_row_once_oldest_first_and_no_instant_cut(when):
    here = rows(when)
    parts, place = swept(Venue(here))
    assert sorted(flat(parts)) == flat(parts) == sorted(here)
    for one, other in pairwise(parts):
        assert one[-1].executed_at < other[0].executed_at
    assert place.knows_all
    assert len(place.recent) <= RECENT_MAX


@given(times, st.integers(0, 6))
def test_a_sweep_that_was_cut_off_goes_on(when, stop):
    here = rows(when)
    first, place = swept(Venue(here), stop=stop)
    second, _ = swept(Venue(here), place)
    assert flat(first) + flat(second) == sorted(here)


@given(st.lists(times, min_size=1, max_size=4))
def test_sweep_after_sweep_tells_what_came_in_between(batches):
    """Each batch is later than what was before it, or late by less than an hour."""
    venue, place, told, latest = Venue(), ListPlace(), [], 0
    for batch in batches:
        fresh = rows([latest + at for at in batch], start=len(venue.rows))
        late = rows([max(latest - OVERLAP // 2, 0)], start=len(venue.rows) + len(fresh))
        venue.rows += fresh + late
        parts, place = swept(venue, place)
        told += flat(parts)
        latest = max(row.executed_at for row in venue.rows)
        asked = venue.asked
        assert swept(venue, place)[0] == []
        assert venue.asked == asked + 1
    assert sorted(told) == sorted(venue.rows)


@given(times, st.lists(st.lists(st.integers(0, 10**13), max_size=12), max_size=8))
def test_rows_that_arrive_anywhere_while_pages_are_read_are_told(when, coming):
    here = rows(when)
    arrivals, number = [], len(here)
    for batch in coming:
        arrivals.append(rows([at * 40 for at in batch], start=number))
        number += len(batch)
    venue = Venue(here, arrivals)
    try:
        parts, _ = swept(venue)
    except VenueIncomplete:
        return  # said, not hidden
    told = flat(parts)
    assert len(set(told)) == len(told)
    assert sorted(told) == sorted(venue.rows)


def test_an_old_row_that_comes_up_after_a_cut_is_not_passed_over():
    here = rows([at * 100 * SECOND for at in range(300)])
    _, place = swept(Venue(here), stop=3)
    late = Row(5 * SECOND, "late", "late")
    with pytest.raises(Lost):
        swept(Venue([*here, late]), place)


def test_pages_that_never_agree_with_the_count_are_an_error():
    class Boasting(Venue):
        async def __call__(self, start, end, ofs):
            page = await super().__call__(start, end, ofs)
            return Page(page.rows, page.count + 1)

    with pytest.raises(VenueIncomplete):
        swept(Boasting(rows(range(0, 10**12, 10**10))))


def test_a_list_that_shrinks_is_read_again():
    class Shrinking(Venue):
        async def __call__(self, start, end, ofs):
            page = await super().__call__(start, end, ofs)
            if self.asked == 3:
                self.rows = self.rows[100:]
            return page

    venue = Shrinking(rows(range(0, 200 * SECOND, SECOND)))
    parts, _ = swept(venue)
    assert {row.txid for row in venue.rows} <= {row.txid for row in flat(parts)}


def test_until_hands_on_what_happened_up_to_an_instant():
    here = rows([at * SECOND for at in range(180)])

    async def go():
        sweep = Sweep[Row]("rows", Venue(here), ListPlace(), END, reference=lambda row: row.refid)
        first = await sweep.until(70 * SECOND)
        second = await sweep.until(70 * SECOND)
        return first, second, await sweep.until(END * SECOND), sweep.is_empty

    first, second, third, is_empty = asyncio.run(go())
    assert (first, second, third) == (here[:71], [], here[71:])
    assert is_empty


# Where the next window starts


@given(times)
def test_the_next_window_is_known_whole(when):
    here = sorted(rows(when))
    place = rest(took(ListPlace(), [(row.executed_at, row.txid) for row in here]))
    start = -1 if place.start is None else place.start * SECOND
    assert {name for _, name in place.recent} == {
        row.txid for row in here if row.executed_at > start
    }
    assert place.done == place.count == len(place.recent)


def test_a_window_reaches_back_an_hour_and_starts_in_a_gap():
    place = took(ListPlace(), [(at * 600 * SECOND, f"R{at}") for at in range(20)])
    place = rest(place)
    assert [name for _, name in place.recent] == [f"R{at}" for at in range(14, 20)]
    assert place.start == 13 * 600 + 1


def test_of_a_crowded_hour_the_last_five_hundred_are_known():
    place = rest(took(ListPlace(), [(at * SECOND, f"R{at:04}") for at in range(2000)]))
    assert len(place.recent) in {RECENT_MAX, RECENT_MAX - 1}
