"""Why: a difference is the sum of its breaks."""

from decimal import Decimal

import pytest

from bursar.errors import FigureNotFound
from bursar.ledger.why import Amount, render
from bursar.reconcile import why_difference
from tests.unit.reconcile.venues import K, Venue, busy, changed, found, without

D = Decimal


def test_a_difference_is_explained_by_its_breaks_under_any_name():
    venue = busy()
    gone = [row for row in venue.rows if row.kind is K.WITHDRAWAL][1]
    result = found(venue.statement(XBT="0.01"), without(venue.rows, gone))
    why = why_difference(result, "BTC")
    assert why == why_difference(result, "XBT")
    assert why.value == D("0.01") + gone.amount - gone.fee
    assert [part.value for part in why.parts] == [gone.amount - gone.fee, D("0.01")]
    lines = render(why)
    assert lines[0].startswith("0.00498  difference of XBT = stated ")
    assert lines[1].startswith("  -0.00502  missing flow between kraken:main:L")
    assert "drift-" in lines[2]


def test_no_difference_has_no_parts():
    venue = busy()
    why = why_difference(found(venue.statement(), venue.rows), "USD")
    assert (why.value, why.parts) == (D(0), ())


def test_what_an_opening_covers_is_said():
    venue = Venue()
    venue.deposit("XBT", "1.0000000000")
    row = venue.later().withdraw("XBT", "0.5000000000")
    venue.later().deposit("XBT", "0.1000000000")
    result = found(venue.statement(), changed(venue.rows, row, amount=row.amount * 10))
    why = why_difference(result, "XBT")
    assert why.value == D("0.5")
    assert [part.value for part in why.parts] == [D("4.5"), D(-4)]
    covered = why.parts[1]
    assert isinstance(covered, Amount)
    assert covered.source == "opening:kraken:main:XBT"


def test_an_asset_that_neither_side_names_has_no_figure():
    venue = busy()
    with pytest.raises(FigureNotFound, match="neither side names XMR"):
        why_difference(found(venue.statement(), venue.rows), "XMR")
