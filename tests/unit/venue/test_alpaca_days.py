"""When a day begins and ends at Alpaca."""

import pytest

from bursar.ledger.instant import parse, show
from bursar.venue.alpaca.days import closes, ends, starts


@pytest.mark.parametrize(
    "day,start,end",
    [
        # Five hours behind in winter
        ("2025-01-08", "2025-01-08T01:00:00Z", "2025-01-09T04:59:59.999999999Z"),
        # and four of them in the summer, when the clocks are forward
        ("2025-07-04", "2025-07-04T00:00:00Z", "2025-07-05T03:59:59.999999999Z"),
        # the night to Sunday, 9 March 2025, is the first with an hour less
        ("2025-03-08", "2025-03-08T01:00:00Z", "2025-03-09T04:59:59.999999999Z"),
        ("2025-03-09", "2025-03-09T01:00:00Z", "2025-03-10T03:59:59.999999999Z"),
        ("2025-03-10", "2025-03-10T00:00:00Z", "2025-03-11T03:59:59.999999999Z"),
        # the night to Sunday, 2 November 2025, is the first with an hour more
        ("2025-11-01", "2025-11-01T00:00:00Z", "2025-11-02T03:59:59.999999999Z"),
        ("2025-11-02", "2025-11-02T00:00:00Z", "2025-11-03T04:59:59.999999999Z"),
        ("2025-11-03", "2025-11-03T01:00:00Z", "2025-11-04T04:59:59.999999999Z"),
        # years whose first of March or November is a Sunday
        ("2026-03-08", "2026-03-08T01:00:00Z", "2026-03-09T03:59:59.999999999Z"),
        ("2026-11-01", "2026-11-01T00:00:00Z", "2026-11-02T04:59:59.999999999Z"),
        ("2024-02-29", "2024-02-29T01:00:00Z", "2024-03-01T04:59:59.999999999Z"),
        ("2025-01-01", "2025-01-01T01:00:00Z", "2025-01-02T04:59:59.999999999Z"),
    ],
)
def test_a_day_is_new_yorks(day, start, end):
    assert (show(starts(parse(day))), show(ends(parse(day)))) == (start, end)


def test_a_trading_day_ends_where_the_next_one_begins():
    for day, end in (
        ("2025-01-08", "2025-01-09T00:59:59.999999999Z"),
        ("2025-11-02", "2025-11-03T00:59:59.999999999Z"),
    ):
        assert show(closes(parse(day))) == end
    assert closes(parse("2025-07-04")) == starts(parse("2025-07-05")) - 1
