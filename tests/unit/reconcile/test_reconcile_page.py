"""What docs/RECONCILE.md shows is what comes out."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from bursar.reconcile import Kind, certify
from bursar.reconcile.certificate import sentence
from tests.unit.reconcile.venues import Venue, busy, changed, closes, found, shifts, without

D = Decimal
PAGE = (Path(__file__).parents[3] / "docs" / "RECONCILE.md").read_text("utf-8")


@pytest.fixture
def account():
    venue = Venue()
    venue.deposit("USD", "10000.0000")
    venue.later().trade("XBT", "0.0200000000", "USD", "1000.0000", fee="2.6000")
    venue.later().trade("XBT", "0.0400000000", "USD", "2000.0000", fee="5.2000")
    venue.later().deposit("USD", "500.0000")
    venue.later().trade("XBT", "-0.0100000000", "USD", "505.0000", fee="1.3130")
    venue.later().withdraw("USD", "995.8870")
    return venue


def ours(account):
    """What is here of it: a trade and a fee are lost."""
    rows = without(account.rows, *account.rows[3:5])
    return changed(rows, account.rows[6], fee=D(0))


def test_the_rows_of_the_page_are_those_of_the_account(account):
    told = [line.split("|") for line in PAGE.splitlines() if line.startswith("| L000")]
    dollars = [row for row in account.rows if row.asset == "USD"]
    assert [cells[6].strip() for cells in told] == [f"{row.balance:f}" for row in dollars]
    assert [D(cells[4].strip().replace("−", "-")) for cells in told] == [r.amount for r in dollars]
    assert [D(cells[5].strip()) for cells in told] == [row.fee for row in dollars]


def test_the_worked_example(account):
    result = found(account.statement(XBT="0.01"), ours(account))
    lines = {line.asset: (line.stated, line.booked) for line in result.comparison.assets}
    assert lines == {"USD": (D(7000), D("9006.513")), "XBT": (D("0.06"), D("0.01"))}
    assert [(each.kind, shifts(each)) for each in result.breaks] == [
        (Kind.MISSING_FILL, {("USD", D("-2005.2")), ("XBT", D("0.04"))}),
        (Kind.FEE, {("USD", D("-1.313"))}),
        (Kind.UNKNOWN, {("XBT", D("0.01"))}),
    ]
    assert result.breaks[1].place.after.endswith("L0007")
    assert result.breaks[2].place.before.endswith("L0008")
    for each in result.proposals:
        assert f"`{each.says}`" in PAGE
    assert D("2005.2") / D("0.04") == 50130
    assert closes(ours(account), result, account.statement(XBT="0.01"))


def test_the_example_without_the_row_in_between(account):
    venue = Venue()
    venue.deposit("USD", "10000.0000")
    venue.later().trade("XBT", "0.0200000000", "USD", "1000.0000", fee="2.6000")
    gone = venue.later().trade("XBT", "0.0400000000", "USD", "2000.0000", fee="5.2000")
    sold = venue.later().trade("XBT", "-0.0100000000", "USD", "505.0000", fee="1.3130")
    rows = changed(without(venue.rows, *gone), sold[0], fee=D(0))
    (proposal,) = found(venue.statement(), rows).proposals
    assert proposal.says == "buy 0.04 XBT for 2006.513 USD"


def test_every_kind_is_on_the_page():
    told = set(re.findall(r"^\| (`[^|]*`) \|", PAGE, re.MULTILINE))
    assert {name for row in told for name in re.findall(r"`([^`]+)`", row)} == {
        kind.value for kind in Kind
    }


def test_the_certificate_of_the_page():
    venue = busy()
    said = sentence(certify(found(venue.statement(), venue.rows), "0" * 64))
    assert f"`{said}`" in PAGE
