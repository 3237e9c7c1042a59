"""Round trips: which trades close one, what it made, and that nothing is lost on the way."""

from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bursar.errors import InputError, LedgerError
from bursar.exact import money
from bursar.ledger import audit, describe
from bursar.ledger.golden import read, read_terms
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from bursar.measure.trades import statistics
from bursar.measure.trips import round_trips
from tests.unit.measure.samples import HOUR, D, day, record

GOLDEN = Path(__file__).parents[2] / "golden"
ASSETS = {"XBT/EUR": "XBT", "XBT/USD": "XBT"}
SHORTS = frozenset({"k"})


def closed(*records, shorts=frozenset()):
    return round_trips(records, ASSETS, shorts=shorts)


def test_a_sale_closes_a_trip_and_bears_the_fees_of_its_entry():
    made = closed(
        record(1, 2, -8, fee_base=D(8)),
        record(3, "-0.5", 4995, fee_base=D(5), cost_base=D(20000), regime="calm"),
    )
    (trip,) = made.trips
    assert (trip.pnl, trip.fees, trip.cost) == (4993, 7, 20000)  # a quarter of 8, and 5
    assert (trip.asset, trip.strategy, trip.regime) == ("XBT", "trend", "calm")
    assert (trip.opened_at, trip.closed_at) == (day(1), day(3))
    assert trip.held == 48 * HOUR
    assert trip.return_pct.value == D("24.965")
    assert (made.open_fees, made.flowed) == (6, 0)


def test_a_fee_in_the_asset_itself_leaves_nothing_of_an_entry_behind():
    fee = {"fee_asset": "XBT", "fee_amount": D("0.001"), "fee_base": D(1)}
    made = closed(
        record(1, 1, -1, **fee),
        record(2, "-0.999", 10, cost_base=D(1)),
        record(3, 1),
        record(4, "-0.999", 9, cost_base=D(1), **fee),
        record(6, 1, -1, **fee),
        record(7, "-0.999", 10, cost_base=D(1)),
    )
    assert [trip.pnl for trip in made.trips] == [9, 9, 9]
    assert [trip.opened_at for trip in made.trips] == [day(1), day(3), day(6)]
    assert made.open_fees == 0


def test_fills_of_one_order_are_one_trip():
    made = closed(
        record(1, 2, -2),
        record(2, -1, 10, order_id="o"),
        record(3, -1, 20, order_id="o"),
    )
    (trip,) = made.trips
    assert (trip.id, trip.fills, trip.pnl) == ("o", 2, 28)
    assert trip.opened_at == day(1)


def test_orders_of_one_number_at_two_pairs_are_two_trips():
    made = closed(
        record(1, 2, -2),
        record(2, -1, 10, order_id="7"),
        record(3, -1, 20, order_id="7", pair="XBT/USD"),
    )
    assert [(trip.id, trip.pair, trip.pnl) for trip in made.trips] == [
        ("7", "XBT/EUR", 9),
        ("7", "XBT/USD", 19),
    ]


def test_a_trip_bears_the_flags_of_its_close_and_of_the_entries_that_were_open():
    unsure, told_twice = ("unpriced",), ("conflicted",)
    made = closed(
        record(1, 2, flags=unsure),
        record(2, -1, 10),
        record(3, -1, 10, flags=told_twice, order_id="o"),
        record(4, -1, 1, order_id="o"),
        record(5, 1),
        record(6, -1, 10),
    )
    assert [trip.flags for trip in made.trips] == [unsure, (*unsure, *told_twice), ()]
    assert statistics(made.trips).unpriced == 2
    (turned,) = closed(
        record(1, 1), record(2, -2, 9, flags=unsure), record(3, 1, 9), shorts=SHORTS
    ).trips[1:]
    assert turned.flags == unsure


def test_entries_are_averaged_by_quantity():
    made = closed(record(1, 1), record(5, 3), record(9, -4, 1, cost_base=D(1)), record(10, -1, 3))
    assert [trip.opened_at for trip in made.trips] == [day(4), None]
    assert made.trips[1].held is None
    assert made.trips[1].return_pct.value is None


def test_a_leveraged_position_opens_with_its_fee_and_closes_with_its_gain():
    made = closed(
        record(1, 0, -2, kind="margin", fee_base=D(2)),
        record(2, 0, 47, kind="margin", fee_base=D(3)),
        record(2, 0, "0.5", kind="rounding"),
    )
    (trip,) = made.trips
    assert (trip.pnl, trip.opened_at) == (D("45.5"), day(1))


def test_a_short_is_closed_by_buying_back_and_what_is_over_opens_again():
    made = closed(
        record(1, -2, -2),
        record(2, 3, 50, cost_base=D(100)),
        record(3, -1, 5),
        shorts=SHORTS,
    )
    assert [(trip.pnl, trip.opened_at) for trip in made.trips] == [(48, day(1)), (5, day(2))]


def test_a_short_that_grows_or_shrinks_stays_one_position():
    made = closed(
        record(1, -1, -1), record(2, -1, -1), record(3, 1, 9), record(4, 1, 8), shorts=SHORTS
    )
    assert [trip.pnl for trip in made.trips] == [8, 7]


def test_what_flows_realise_is_no_trip():
    made = closed(record(1, 0, "0.3", kind="flow", pair="none"))
    assert (made.trips, made.flowed) == ((), D("0.3"))


def test_a_peg_of_a_trade_belongs_to_it():
    made = closed(record(1, 1, -1), record(2, -1, 5), record(2, 0, "0.25", kind="peg"))
    assert [trip.pnl for trip in made.trips] == [D("4.25")]


def test_an_unknown_pair_stands_for_its_asset_and_nobody_is_manual():
    (trip,) = closed(record(1, -1, 5, pair="ADA/EUR", strategy_tag=None)).trips
    assert (trip.asset, trip.strategy) == ("ADA/EUR", "manual")


RECORDS = st.tuples(
    st.integers(-9, 9),
    st.decimals(D(-99), D(99), places=3),
    st.decimals(D(0), D(9), places=3),
    st.sampled_from(["trade", "margin", "flow", "peg"]),
    st.sampled_from(["XBT/EUR", "ETH/EUR"]),
    st.sampled_from([None, "o1", "o2"]),
)


@given(st.lists(RECORDS, max_size=25), st.booleans())
def test_trips_open_fees_and_flows_add_up_to_what_was_realised(told, may_short):
    made = [
        record(n, delta, pnl, fee_base=fee, kind=kind, pair=pair, order_id=order)
        for n, (delta, pnl, fee, kind, pair, order) in enumerate(told, 1)
    ]
    found = closed(*made, shorts=SHORTS if may_short else frozenset())
    assert realised(found) == sum((each.pnl_base for each in made), D(0))
    assert sum(trip.fills for trip in found.trips) <= len(made)


def test_in_every_golden_story_trips_account_for_all_that_was_realised():
    for path in sorted(GOLDEN.glob("*.journal")):
        told = played(path.read_text("utf-8"))
        trades, _ = describe.retold(told.terms, told)
        found = round_trips(trades, {}, cash=told.terms.cash, shorts=frozenset(told.book.shorts))
        assert realised(found) == audit.totals(told.book).realized, path.name


@money
def realised(found):
    return sum((trip.pnl for trip in found.trips), D(0)) - found.open_fees + found.flowed


def played(text):
    """The timeline of a golden story, without the lines that it wants refused."""
    lines = text.splitlines()
    made = Timeline(read_terms(lines))
    for entry in read(lines):
        with suppress(LedgerError, InputError):
            made.land(planned(made, [entry]))
    return made
