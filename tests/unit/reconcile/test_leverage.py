"""Leveraged positions: what the venue says is open is held against what the fills come to."""

from decimal import Decimal

import pytest

from bursar.ledger.entries import Side
from bursar.reconcile import Kind, Leveraged, Verdict, certify, ours_of
from bursar.reconcile.alarm import size
from bursar.reconcile.certificate import sentence
from bursar.value.worth import Options
from tests.unit.ledger.samples import Pen
from tests.unit.reconcile.venues import (
    ACCOUNT,
    START,
    Venue,
    accepted,
    found,
    only,
    shifts,
    timeline_of,
)

D = Decimal
PAIR = "XBT/USD"
COMMON = {"account": ACCOUNT, "executed_at": START + 1}


def fills(*moves):
    """Fills on leverage: a side, a quantity, a price and a profit each."""
    pen = Pen()
    return [
        pen.margin(side, quantity, price, settled, **COMMON)
        for side, quantity, price, settled in moves
    ]


def told(*positions, at=0):
    """A statement of 1,000 dollars and of what is open: a pair, a quantity, what it was for."""
    venue = Venue()
    rows = [venue.deposit("USD", "1000.0000")]
    leveraged = tuple(
        Leveraged(
            pair=pair,
            base=pair.partition("/")[0],
            quote="USD",
            quantity=D(quantity),
            entered=None if entered is None else D(entered),
            since=since,
        )
        for pair, quantity, entered, *rest in positions
        for since in [rest[0] if rest else None]
    )
    stated = venue.statement()
    return rows, type(stated)(
        account=stated.account,
        as_of=stated.as_of,
        holdings=stated.holdings,
        leveraged=leveraged,
        leveraged_at=stated.as_of,
    )


def settled_by(rows, result, stated):
    """What is open once all is accepted, after which nothing must differ."""
    line = accepted(rows, result)
    again = found(stated, rows, line=line)
    assert again.is_clean, again.breaks
    position = line.book.margins[ACCOUNT, PAIR]
    assert line.book.balances == timeline_of(rows).book.balances  # no money moved
    return position.quantity, position.notional


def test_positions_that_are_the_same_on_both_sides_are_clean():
    rows, stated = told((PAIR, "2", "100"))
    result = found(stated, rows + fills(("buy", 2, 50, 0)))
    assert (result.is_clean, result.verdict) == (True, Verdict.EQUAL)
    (line,) = result.comparison.positions
    assert (line.booked, line.stated, line.difference) == (2, 2, 0)


def test_what_was_not_told_is_not_compared():
    rows, stated = told()
    result = found(stated, rows + fills(("buy", 2, 50, 0)))
    assert (result.is_clean, result.comparison.positions) == (True, ())


def test_a_position_that_no_fill_opened_is_a_break_and_is_opened_at_the_venues_entry():
    rows, stated = told((PAIR, "-2", "100", START))
    result = found(stated, rows)
    assert (result.verdict, result.is_clean) == (Verdict.DRIFT, False)
    one = only(result)
    assert (one.kind, shifts(one)) == (Kind.POSITION, {(PAIR, D(-2))})
    assert one.reason == (
        "the venue has 2 XBT short of XBT/USD open since 2026-01-01T00:00:00Z,"
        " the fills in the book come to nothing of XBT/USD"
    )
    assert str(one.place) == "not located: no row tells of positions"
    (offer,) = result.proposals
    assert offer.says == "sell 2 XBT of XBT/USD on leverage at 50"
    assert settled_by(rows, result, stated) == (-2, 100)


def test_what_is_missing_of_a_position_was_entered_for_what_is_left_of_the_venues_entry():
    rows, stated = told((PAIR, "3", "130"))
    rows += fills(("buy", 1, 50, 0))
    result = found(stated, rows)
    assert result.proposals[0].says == "buy 2 XBT of XBT/USD on leverage at 40"
    assert settled_by(rows, result, stated) == (3, 130)


def test_where_the_book_has_more_in_it_already_the_venues_average_counts():
    rows, stated = told((PAIR, "3", "90"))
    rows += fills(("buy", 1, 100, 0))
    result = found(stated, rows)
    assert settled_by(rows, result, stated) == (3, 160)


def test_a_closing_that_is_missing_leaves_what_the_venue_says_was_entered():
    rows, stated = told((PAIR, "1", "50"))
    rows += fills(("buy", 1, 50, 0), ("buy", 1, 100, 0))
    result = found(stated, rows)
    assert result.proposals[0].says == "sell 1 XBT of XBT/USD on leverage at 100"
    assert settled_by(rows, result, stated) == (1, 50)


@pytest.mark.parametrize("entered", [None, "200"])
def test_a_closing_of_which_that_cannot_be_said_takes_its_share(entered):
    rows, stated = told((PAIR, "1", entered))
    rows += fills(("buy", 1, 50, 0), ("buy", 1, 100, 0))
    result = found(stated, rows)
    assert result.proposals[0].says == "sell 1 XBT of XBT/USD on leverage"
    assert settled_by(rows, result, stated) == (1, 75)


def test_a_position_that_the_venue_has_no_more_is_closed():
    rows, stated = told((PAIR, "0", None))
    rows += fills(("sell", 2, 50, 0))
    result = found(stated, rows)
    assert only(result).reason.startswith("the venue has nothing of XBT/USD open, the fills")
    assert settled_by(rows, result, stated) == (0, 0)


def test_a_position_that_is_the_other_way_round_is_closed_and_opened():
    rows, stated = told((PAIR, "-3", "120"))
    rows += fills(("buy", 2, 50, 0))
    result = found(stated, rows)
    (offer,) = result.proposals
    assert [(each.side, each.quantity) for each in offer.entries] == [
        (Side.SELL, 2),
        (Side.SELL, 3),
    ]
    assert offer.entries[1].id == f"{offer.entries[0].id}/2"
    assert settled_by(rows, result, stated) == (-3, 120)


def test_nothing_is_proposed_where_the_venue_does_not_say_the_entry():
    rows, stated = told((PAIR, "3", None))
    result = found(stated, rows)
    assert (len(result.breaks), result.proposals) == (1, ())


def test_a_difference_is_weighed_at_the_mark_and_is_no_money():
    rows, stated = told((PAIR, "0.00001", "0.5"), ("SOL/USD", "0", None))
    result = found(stated, rows)
    comparison = result.comparison
    assert (comparison.verdict, comparison.worth) == (Verdict.WITHIN, 0)
    assert size(comparison) == D("0.5")
    assert not result.is_clean
    assert [line.pair for line in comparison.apart] == [PAIR]


def test_one_without_a_mark_is_out_and_named_and_one_left_out_raises_no_alarm():
    rows, stated = told(("ADA/USD", "1", "1"), (PAIR, "1", "50"))
    result = found(stated, rows, options=Options(exclude_assets=frozenset({"XBT"})))
    comparison = result.comparison
    assert (comparison.verdict, comparison.unpriced) == (Verdict.DRIFT, ("ADA/USD",))
    assert size(comparison) == 0


def test_the_certificate_names_the_position():
    rows, stated = told((PAIR, "1", "50"))
    certificate = certify(found(stated, rows), "d" * 64)
    assert "books differ from venue in XBT/USD as of" in sentence(certificate)
    assert [each.difference for each in certificate.positions] == ["1"]


def test_ours_is_of_one_account():
    rows, stated = told((PAIR, "2", "100"))
    others = [Pen().margin("buy", 2, 50, 0, account="kraken:b", executed_at=START + 1)]
    ours = ours_of(timeline_of(rows + others), ACCOUNT, stated.as_of)
    assert (ACCOUNT, PAIR) not in ours.book.margins
