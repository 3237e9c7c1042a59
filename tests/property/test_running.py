"""A valuation that is kept equals the whole one, in its very text, whatever comes in what order."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from bursar.value.equity import value_book
from bursar.value.exposure import asset_exposures, exposure
from bursar.value.figures import figures
from bursar.value.marks import FEE_CREDIT, Mark, Marks, Standing
from bursar.value.positions import positions, traded, valued_pairs
from bursar.value.running import Running
from bursar.value.running_positions import RunningPositions
from bursar.value.worth import Options
from tests.auditor import histories

NAMES = ("XBT", "BTC", "ETH", "ADA", "AAPL", "EUR", "USDT", "USD", "BNB", "GONE")
PRICES = (
    "0",
    "1",
    "1.10",
    "30000",
    "0.000012345678",
    "97.123456789012345678",
    "2E+3",
    "3." + "7" * 40,
)
VIEWS = (
    Options(),
    Options(),
    Options(exclude_assets=frozenset({"ETH", "USDT"})),
    Options(include_assets=frozenset({"BTC", "ADA"})),
    Options(valuation_pairs={"ADA": "ADA/XBT", "AAPL": "XBTEUR"}, stale_after=20),
)


def told(valuation):
    """All that a valuation says, as text: 1.0 and 1.00 are two."""
    return repr(msgspec.structs.replace(valuation, marks=None)), sorted(map(repr, valuation.marks))


def same(running, held, book, marks, now):
    options = running.valuation(now).options
    whole = value_book(book, marks, now=now, options=options)
    kept = running.valuation(now)
    assert told(kept) == told(whole)
    assert running.unvalued == whole.unvalued
    assert running.is_complete == whole.coverage.is_complete
    assert running.stale(now) == tuple(sorted({each.asset for each in whole.coverage.stale}))
    assert repr(running.figures(now)) == repr(figures(whole))
    assert repr(running.coverage(now)) == repr(whole.coverage)
    view = exposure(whole)
    pairs = traded(book, running.worths, options=options)
    anew = valued_pairs(book, pairs, running.worths, options=options)
    assert repr(held.of(book, running.worths)) == repr(anew) == repr(positions(book, whole))
    exposed = asset_exposures(running.assets, running.margins, running.equity)
    assert repr(exposed) == repr(exposure(whole, with_cash=True).assets)
    for each in view.assets:
        assert repr(running.exposure(each.asset)) == repr(each.value_base), each.asset


def mark_of(chance, at):
    asset, quote = chance.choice(NAMES), chance.choice((*NAMES, "USD", "USD", "XBT"))
    source = FEE_CREDIT if chance.random() < 0.05 else chance.choice(("a", "b"))
    price = Decimal(chance.choice(PRICES))
    return Mark(asset, quote, price, source, at, chance.choice((*Standing, Standing.VENUE)))


@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_kept_equals_whole(chance, length):
    terms = histories.terms(chance)
    timeline, options = Timeline(terms), chance.choice(VIEWS)
    batches = histories.batches(chance, histories.history(chance, length, terms))
    timeline.land(planned(timeline, batches.pop(0)))
    marks = Marks([mark_of(chance, n) for n in range(chance.randint(0, 9))])
    running = Running(timeline.book, marks, options=options)
    held = RunningPositions(options)
    same(running, held, timeline.book, marks, 10)
    for now in range(10, 10 + chance.randint(1, 25)):
        step = chance.random()
        if step < 0.2 and batches:
            timeline.land(planned(timeline, batches.pop(0)))
            running.land(timeline.book)
        elif step < 0.3:
            left = [mark for mark in marks if chance.random() < 0.8]
            marks = Marks(left).plus([mark_of(chance, now)])
            running.take(marks)
        else:
            mark = mark_of(chance, now - chance.choice((0, 0, 0, 3)))
            marks = marks.plus([mark])
            running.mark(mark)
        same(running, held, timeline.book, marks, now)
