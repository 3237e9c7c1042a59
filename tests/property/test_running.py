"""Equity that runs with the marks equals the whole valuation, whatever comes in what order."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import folded
from bursar.value.equity import value_book
from bursar.value.marks import Mark, Marks, Standing
from bursar.value.running import RunningEquity
from bursar.value.worth import Options

NAMES = ("XBT", "BTC", "ETH", "ATOM", "ICX", "EUR", "USDT")
BOOK = folded(
    Terms(base="EUR"),
    golden.read(
        [
            "2026-01-01T10:00:00Z deposit 100000 EUR #k:1",
            "2026-01-02T10:00:00Z buy 2 XBT @ 20000 EUR #k:2",
            "2026-01-03T10:00:00Z buy 3 BTC @ 21000.7 EUR #b:3",
            "2026-01-04T10:00:00Z buy 7 ETH @ 1000 EUR #k:4",
            "2026-01-05T10:00:00Z buy 11 ATOM @ 9 EUR #k:5",
            "2026-01-06T10:00:00Z deposit 40 USDT #k:6",
            "2026-01-07T10:00:00Z reward 5 ICX #k:7",
        ]
    ),
).book

prices = st.decimals(0, 10**6, places=4) | st.decimals("0.000000000000000001", 1, places=18)
marks = st.builds(
    Mark,
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    prices,
    st.just("venue"),
    st.integers(1, 50),
    st.sampled_from(Standing),
)
views = st.sampled_from(
    [
        Options(),
        Options(exclude_assets=frozenset({"ETH"})),
        Options(include_assets=frozenset({"XBT", "ATOM"})),
        Options(valuation_pairs={"ATOM": "ATOM/XBT"}),
    ]
)


@given(st.lists(marks, max_size=12), st.lists(marks, max_size=30), views)
def test_running_equals_whole(first, later, options):
    running = RunningEquity(BOOK, Marks(first), now=1, options=options)
    for count, mark in enumerate(later, 1):
        running.see(mark)
        whole = value_book(BOOK, Marks([*first, *later[:count]]), now=mark.at, options=options)
        assert running.equity == whole.equity
        assert running.unrealized == whole.unrealized


def test_a_mark_of_a_known_pair_values_what_it_prices_and_nothing_else():
    base = [Mark(name, "EUR", Decimal(10), "v", 1) for name in ("XBT", "ETH", "ATOM", "USDT")]
    running = RunningEquity(BOOK, Marks([*base, Mark("ICX", "XBT", Decimal(2), "v", 1)]), now=1)
    before, equity = running.valued, running.equity
    running.see(Mark("ETH", "EUR", Decimal(11), "v", 2))
    assert running.valued == before + 1
    assert running.equity == equity + 7
    running.see(Mark("BTC", "EUR", Decimal(11), "v", 3))  # XBT of two accounts, and ICX over it
    assert running.valued == before + 3
    assert running.equity == equity + 7 + 5 + 10
    running.see(Mark("BTC", "EUR", Decimal(99), "v", 2))  # older
    assert running.valued == before + 3
    assert running.equity == equity + 7 + 5 + 10


def test_a_price_of_too_many_digits_leaves_no_way_and_another_finds_it_again():
    digits = Decimal("1." + "3" * 50)
    names = ("XBT", "ETH", "ATOM", "USDT")
    base = [Mark(name, "EUR", Decimal(10), "v", 1) for name in names]
    first = [*base, Mark("ICX", "XBT", digits, "v", 1)]
    running = RunningEquity(BOOK, Marks(first), now=1)
    later = [Mark("XBT", "EUR", digits, "v", 2), Mark("XBT", "EUR", Decimal(12), "v", 3)]
    for count, mark in enumerate(later, 1):
        running.see(mark)
        whole = value_book(BOOK, Marks([*first, *later[:count]]), now=mark.at)
        assert (running.equity, running.unrealized) == (whole.equity, whole.unrealized)


def test_what_is_old_is_told_by_name():
    running = RunningEquity(BOOK, Marks([Mark("ETH", "EUR", Decimal(10), "v", 1)]), now=1)
    assert running.stale(1) == ()
    assert running.stale(1 + Options().stale_after + 1) == ("ETH",)
