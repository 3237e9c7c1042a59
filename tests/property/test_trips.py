"""Round trips over any history: they account for all that was made, and for every coin."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import ZERO, money
from bursar.ledger import audit, describe
from bursar.ledger.entries import StagedChange
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
    timeline.land(timeline.plan(histories.history(chance, length, terms)))
    return timeline, describe.retold(terms, timeline)[0]


def fresh(book):
    pairs = sorted((key[2], key[1]) for key, cell in book.cells.items() if cell.trades or cell.size)
    assets = {pair: asset for pair, asset in reversed(pairs) if pair != NO_PAIR}
    return TripBook(assets, shorts=frozenset(book.shorts))


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
    if not book.is_pooled and not any(_edits_lots(fact) for fact in timeline):
        assert opened(trips, book.cash) == there(book)


def opened(trips, cash):
    return {place: size for place, size in trips.held.items() if size and place[1] not in cash}


def there(book):
    """As many coins as there are to be taken; less than none, where that may be."""
    due = {
        place: book.owned(*place) if place[0] in book.shorts else book.available(*place)
        for place in book.holdings
        if place[1] not in book.cash
    }
    return {place: size for place, size in due.items() if size}


def _edits_lots(fact):
    return isinstance(fact, StagedChange) and bool(fact.lots)


@money
def accounted(trips):
    found = trips.trips
    return sum((trip.pnl for trip in found.trips), ZERO) - found.open_fees + found.flowed


@money
def realised(records):
    return sum((each.pnl_base for each in records if not is_shift(each)), ZERO)
