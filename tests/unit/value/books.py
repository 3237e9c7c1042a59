"""Books and marks for the tests of value: a few lines of the golden language, a few prices."""

from decimal import Decimal

from bursar.exact import money
from bursar.ledger import audit, instant
from bursar.ledger.golden import read, read_terms
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from bursar.value.equity import valuation_gap, value_book
from bursar.value.marks import Mark, Marks
from bursar.value.worth import EVERYTHING

NOW = instant.parse("2026-03-01T12:00:00Z")
DAY = instant.DAY
HOUR = 3_600 * instant.SECOND
D = Decimal

EXAMPLE = """
2026-01-05T10:00:00Z  deposit  100000 USD                         #k:0
2026-01-05T10:00:01Z  buy   2    XBT @ 40000 USD  fee 8 USD       #k:1  strategy=trend regime=calm
2026-02-01T09:30:00Z  sell  0.5  XBT @ 50000 USD  fee 5 USD       #k:2  strategy=trend
"""


def loose(thing):
    """The thing itself, its types forgotten: in a test 5 may stand for Decimal(5)."""
    return thing


def timeline(text):
    """A timeline of the statements in a text, each committed by itself."""
    lines = text.strip().splitlines()
    made = Timeline(read_terms(lines))
    for entry in read(lines):
        made.land(planned(made, [entry]))
    return made


def book_of(text):
    return timeline(text).book


def marks(*, at=NOW, source="venue", **prices):
    """Marks by keyword: `XBT_USD="50000"`."""
    told = loose(Mark)
    return Marks(told(*pair.split("_"), D(price), source, at) for pair, price in prices.items())


def valued(text, *, options=EVERYTHING, now=NOW, **prices):
    """A book and its valuation, whose identity holds."""
    book = book_of(text)
    valuation = value_book(book, marks(**prices), now=now, options=options)
    assert gap(book, valuation) == 0
    return book, valuation


@money
def gap(book, valuation):
    return valuation_gap(valuation, audit.totals(book))
