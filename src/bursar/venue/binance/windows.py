"""Reading a list in windows of time, so that every row of it is seen once it is told.

A window ends where a second ends, and the second that is still going on is left for the next time:
rows have no ids, so those of a second must be seen together. An answer that is full is not taken
for whole; its window is asked for in halves.

Errors: the client's; `VenueGarbled` where a second alone fills an answer.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from bursar.errors import VenueGarbled
from bursar.ledger import instant
from bursar.venue import recent
from bursar.venue.binance.client import NAME, BinanceRESTClient
from bursar.venue.binance.items import Item
from bursar.venue.binance.lists import Listing
from bursar.venue.binance.place import ListPlace
from bursar.venue.recent import Known

REACH: Final = 3 * instant.DAY
"""So far each look goes back: rows may be told late."""


class Page(msgspec.Struct, frozen=True):
    """The rows of a window, oldest first, which of them are news, and the place behind it."""

    items: tuple[Item, ...]
    news: frozenset[int]
    place: ListPlace


async def pages(
    client: BinanceRESTClient, listing: Listing, place: ListPlace | None, now: int, since: int
) -> AsyncIterator[Page]:
    """Yield what a list tells from a place on, window by window, up to now."""
    end = now - now % instant.SECOND
    start = _start(listing, place, now, since)
    place = place or ListPlace(start)
    while start < end:
        stop = min(start + listing.days * instant.DAY, end)
        items = await _window(client, listing, start, stop)
        place, news = _took(place, items, stop, is_last=stop == end)
        yield Page(tuple(items), news, place)
        start = stop


def _start(listing: Listing, place: ListPlace | None, now: int, since: int) -> int:
    told_from = 0 if listing.reach is None else now - listing.reach
    if place is None:
        start = max(listing.began, since, told_from)
    else:
        open_ = place.upto if place.pending is None else min(place.upto, place.pending)
        start = max(open_ - REACH, listing.began, told_from, _forgotten(place))
    return start - start % instant.SECOND


def _forgotten(place: ListPlace) -> int:
    """Return when the first second begins of which every row that was told is remembered."""
    if len(place.recent) < recent.RECENT_MAX:
        return 0
    at, _ = place.recent[0]
    return at - at % instant.SECOND + instant.SECOND


async def _window(client: BinanceRESTClient, listing: Listing, start: int, stop: int) -> list[Item]:
    """Return the rows of a window, oldest first, those of an instant in the order told."""
    size = {} if listing.size is None else {listing.size: listing.full}
    span = {"startTime": start // instant.MS, "endTime": stop // instant.MS - 1}
    asked = {**listing.asked, **span, **size}
    items = [listing.read(each) for each in await client.rows(listing.question, asked, object)]
    if len(items) >= listing.full:
        middle = (start + stop) // 2
        middle -= middle % instant.SECOND
        if middle <= start:
            raise VenueGarbled(
                f"{NAME} tells {len(items)} {listing.name} of one second, and no more",
                answer=listing.name,
            )
        early = await _window(client, listing, start, middle)
        return [*early, *await _window(client, listing, middle, stop)]
    return sorted(items, key=lambda each: each.at)


def _took(
    place: ListPlace, items: Sequence[Item], stop: int, *, is_last: bool
) -> tuple[ListPlace, frozenset[int]]:
    """Return the place behind a window, and which of its rows are news.

    Without news the place of the last window stays, as long as the next look reaches behind it.
    """
    told = _told(items)
    before = {*place.recent}
    news = frozenset(number for number, each in enumerate(told) if each not in before)
    open_ = [each.at for each in items if each.is_pending]
    pending = min(open_, default=None)
    if is_last and not news and pending == place.pending and stop - place.upto < REACH:
        return place, news
    start = (stop if pending is None else min(stop, pending)) - REACH
    return ListPlace(stop, pending, recent.kept((*place.recent, *told), start)), news


def _told(items: Sequence[Item]) -> list[Known]:
    """Return what each row is known by. Rows that say the same are counted: they are several."""
    counted: Counter[Known] = Counter()
    found: list[Known] = []
    for each in items:
        at, digest = same = recent.known(each.at, each)
        counted[same] += 1
        number = counted[same]
        found.append((at, digest if number == 1 else f"{digest}#{number}"))
    return found
