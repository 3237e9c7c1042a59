"""The past: what had happened by an instant, given all that is known."""

from decimal import Decimal

from bursar.ledger.entries import Link
from bursar.ledger.past import until
from bursar.ledger.projection import digest
from bursar.ledger.timeline import Timeline
from tests.unit.ledger.samples import HOUR, MAIN, OTHER, START, Pen, booked, held, landed, terms

D = Decimal


def test_the_instant_itself_is_part_of_the_past():
    pen = Pen()
    one, two = pen.buy(1, "XBT", 10), pen.buy(1, "XBT", 30)
    line = landed([one, two], under=terms())
    assert held(until(line, one.executed_at).book, "XBT") == (D(1), D(10))
    assert held(until(line, one.executed_at - 1).book, "XBT") == (D(0), D(0))
    assert held(until(line, two.executed_at).book, "XBT") == (D(2), D(40))
    assert list(until(line, two.executed_at)) == list(line)


def test_before_everything_there_is_nothing():
    line = landed([Pen().buy(1, "XBT", 10)])
    past = until(line, START)
    assert (list(past), digest(past.book)) == ([], digest(Timeline(line.terms).book))


def test_a_flow_stands_until_it_is_reversed():
    pen = Pen()
    flow = pen.flow("deposit", 5, "USD")
    line = landed([flow, pen.reversal(flow.id, executed_at=START + 9 * HOUR)])
    past = until(line, START + 8 * HOUR)
    assert booked(past.book, "deposit") == 5
    assert getattr(past.facts[flow.id], "reversed_by", "") is None
    later = until(line, START + 9 * HOUR)
    assert booked(later.book, "deposit") == 0
    assert getattr(later.facts[flow.id], "reversed_by", None) is not None


def test_what_is_told_later_of_then_counts():
    pen = Pen()
    buy, wrong = pen.buy(2, "XBT", 20), pen.flow("deposit", 7, "USD")
    out, back = pen.flow("withdrawal", -1, "XBT"), pen.flow("deposit", 1, "XBT", account=OTHER)
    ends = {"withdrawal": out.id, "deposit": back.id}
    link = Link(id="l", executed_at=START + 90 * HOUR, account=MAIN, **ends)
    void = pen.reversal(wrong.id, executed_at=START + 99 * HOUR, void=True)
    past = until(landed([buy, wrong, out, back, link, void], under=terms()), out.executed_at)
    assert held(past.book, "XBT", OTHER) == (D(1), D(10))
    assert booked(past.book, "deposit") == 0


def test_an_opening_counts_from_its_own_time():
    pen = Pen()
    sale, later = pen.sell(3, "XBT", 30), pen.sell(1, "XBT", 10)
    line = landed([sale, later])
    past = until(line, sale.executed_at - 1)
    assert [held(past.book, "XBT")[0], len(past.openings)] == [D(4), 1]
    assert until(line, sale.executed_at - 2).openings == {}


def test_prices_of_later_are_not_there():
    pen = Pen()
    prices = [pen.price("XBT", "USD", 10), pen.price("XBT", "USD", 20)]
    past = until(landed(prices), prices[0].executed_at)
    assert [price.value for price in past.notes.prices.latest()] == [10]
