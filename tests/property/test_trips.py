"""Round trips over any history: they account for all that was made, and for every coin."""

from collections import defaultdict
from decimal import Decimal
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import ZERO, money
from bursar.ledger import audit, describe
from bursar.ledger.planning import planned
from bursar.ledger.records import is_shift
from bursar.ledger.state import NO_PAIR
from bursar.ledger.timeline import Timeline
from bursar.measure.trips import TripBook
from tests.auditor import histories

CHANCE = st.randoms(use_true_random=False)
LENGTH = st.integers(1, 15)


def told(chance, length):
    """A random history, and its records with shifts."""
    terms = histories.terms(chance)
    timeline = Timeline(terms)
    timeline.land(planned(timeline, histories.history(chance, length, terms)))
    return timeline, describe.retold(terms, timeline)[0]


def fresh(book):
    pairs = sorted((key[2], key[1]) for key, cell in book.cells.items() if cell.trades or cell.size)
    assets = {pair: asset for pair, asset in reversed(pairs) if pair != NO_PAIR}
    return TripBook(assets, cash=frozenset(book.cash), shorts=frozenset(book.shorts))


@given(CHANCE, LENGTH)
def test_trips_and_what_is_open_are_what_was_realised_at_any_time(chance, length):
    timeline, records = told(chance, length)
    book = timeline.book
    trips, sofar = fresh(book), []
    for _, at_once in groupby(records, key=lambda each: (each.time, each.trade_id)):
        own = list(at_once)
        sofar += own
        trips.follow(own)
        assert accounted(trips) == realised(sofar)
    assert accounted(trips) == audit.totals(book).realized
    assert leveraged(trips) == {
        (account, pair): margin.quantity
        for (account, pair), margin in book.margins.items()
        if margin.quantity
    }
    if not book.is_pooled:
        assert opened(trips, book) == there(book)


@given(CHANCE, LENGTH)
def test_records_add_up_by_account_to_what_each_account_realised(chance, length):
    timeline, records = told(chance, length)
    assert by_account(records) == booked(timeline.book)


@money
def by_account(records):
    made: dict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        if not is_shift(record):
            made[record.account] += record.pnl_base
    return {account: pnl for account, pnl in made.items() if pnl}


@money
def booked(book):
    made: dict[str, Decimal] = defaultdict(Decimal)
    for key, cell in book.cells.items():
        made[key[0]] += cell.realized
    return {account: pnl for account, pnl in made.items() if pnl}


def opened(trips, book):
    coins = {place[:2]: x.quantity for place, x in trips.coins.open.items() if not place[2]}
    return {place: size for place, size in coins.items() if size and _is_known(book, place)}


def leveraged(trips):
    places = trips.coins.open.items()
    return {(place[0], place[2]): x.quantity for place, x in places if place[2] and x.quantity}


def there(book):
    """What is held of each coin, less than none where that may be."""
    held = {place: book.owned(*place) for place in book.holdings if _is_known(book, place)}
    return {place: size for place, size in held.items() if size}


def _is_known(book, place):
    """Money has no trips; and what was sold that nobody knew of is short by no trip."""
    lacks = book.held(*place).owed and place[0] not in book.shorts
    return place[1] not in book.cash and not lacks


@money
def accounted(trips):
    found = trips.trips
    return sum((trip.pnl for trip in found.trips), ZERO) - found.open_fees + found.flowed


@money
def realised(records):
    return sum((each.pnl_base for each in records if not is_shift(each)), ZERO)
