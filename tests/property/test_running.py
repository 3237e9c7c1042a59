"""A valuation that is kept equals the whole one, in its very text, whatever comes in what order."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline, folded
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
    timeline.land(timeline.plan(batches.pop(0)))
    marks = Marks([mark_of(chance, n) for n in range(chance.randint(0, 9))])
    running = Running(timeline.book, marks, options=options)
    held = RunningPositions(options)
    same(running, held, timeline.book, marks, 10)
    for now in range(10, 10 + chance.randint(1, 25)):
        step = chance.random()
        if step < 0.2 and batches:
            timeline.land(timeline.plan(batches.pop(0)))
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


def test_a_mark_touches_what_it_prices_however_much_else_is_held():
    for others in (3, 300):
        names = ["ETH", "ICX", *(f"A{n}" for n in range(others))]
        lines = [f"2026-01-02T10:00:00Z buy 5 {name} @ 10 EUR #k:{name}" for name in names]
        lines += [
            f"2026-01-02T10:00:00Z buy 2 {name} @ 10 EUR #{name}:1" for name in ("XBT", "BTC")
        ]
        book = folded(Terms(base="EUR"), golden.read(lines)).book
        direct = [Mark(name, "EUR", Decimal(10), "v", 1) for name in ("XBT", *names)]
        marks = [each for each in direct if each.asset != "ICX"]
        running = Running(book, Marks([*marks, Mark("ICX", "XBT", Decimal(2), "v", 1)]))
        before, equity = running.valued, running.equity

        assert running.mark(Mark("ETH", "EUR", Decimal(11), "v", 2)) == {"ETH"}
        assert (running.valued, running.equity) == (before + 1, equity + 5)
        # XBT under two names in two accounts, and ICX, whose way leads over it, once.
        assert running.mark(Mark("BTC", "EUR", Decimal(11), "v", 3)) == {"XBT", "ICX"}
        assert (running.valued, running.equity) == (before + 3, equity + 5 + 4 + 10)
        assert running.mark(Mark("BTC", "EUR", Decimal(99), "v", 2)) == frozenset()  # older
        assert running.mark(Mark("DOT", "EUR", Decimal(99), "v", 4)) == frozenset()  # a new pair
        assert (running.valued, running.equity) == (before + 3, equity + 5 + 4 + 10)


def test_a_commit_touches_what_it_changed():
    lines = [f"2026-01-02T10:00:00Z buy 5 A{n} @ 10 EUR #k:{n}" for n in range(50)]
    timeline = Timeline(Terms(base="EUR"))
    timeline.land(timeline.plan(golden.read(lines)))
    running = Running(timeline.book, Marks())
    before = running.valued
    timeline.land(timeline.plan(golden.read(["2026-01-03T10:00:00Z sell 5 A7 @ 11 EUR #k:99"])))
    assert running.land(timeline.book) == {"A7", "EUR"}
    assert running.valued == before + 2
    assert running.land(timeline.book) == frozenset()
    assert [each.asset for each in running.unvalued] == sorted(f"A{n}" for n in range(50) if n != 7)


def test_other_terms_are_another_book():
    book = folded(Terms(base="EUR"), golden.read(["2026-01-02T10:00:00Z deposit 5 USDT #k:1"])).book
    running = Running(book, Marks())
    assert running.equity == 0
    terms = Terms(base="EUR", pegs=("USDT",))
    pegged = folded(terms, golden.read(["2026-01-02T10:00:00Z deposit 5 USDT #k:1"])).book
    assert running.land(pegged) == {"USDT"}
    assert running.equity == 5


def test_a_leveraged_position_counts_until_it_is_closed():
    timeline = Timeline(Terms(base="EUR"))
    timeline.land(
        timeline.plan(golden.read(["2026-01-02T10:00:00Z margin buy 2 XBT @ 10 USD #k:1"]))
    )
    running = Running(timeline.book, Marks([Mark("XBT", "EUR", Decimal(11), "v", 1)]))
    assert [each.asset for each in running.unvalued] == ["XBT/USD"]
    # Its entry is in dollars, so their price touches it too.
    assert running.mark(Mark("USD", "EUR", Decimal("0.5"), "v", 2)) == {"USD"}
    assert [running.equity, running.long, running.exposure("BTC")] == [12, 22, 22]
    closing = "2026-01-03T10:00:00Z margin sell 2 XBT @ 10 USD settled 0 #k:2"
    timeline.land(timeline.plan(golden.read([closing])))
    assert "XBT" in running.land(timeline.book)
    assert [running.equity, running.long, running.unvalued] == [0, 0, ()]


def test_a_refold_that_takes_something_away_is_seen():
    lines = ["2026-01-02T10:00:00Z deposit 5 XBT #k:1", "2026-01-02T11:00:00Z deposit 7 ETH #k:2"]
    timeline = Timeline(Terms(base="EUR"))
    timeline.land(timeline.plan(golden.read(lines)))
    running = Running(timeline.book, Marks())
    assert len(running.unvalued) == 2
    timeline.land(timeline.plan(golden.read(["2026-01-03T10:00:00Z void k:1 #u:1"])))
    running.land(timeline.book)
    assert [each.asset for each in running.unvalued] == ["ETH"]
    same(running, RunningPositions(Options()), timeline.book, Marks(), 10)


def test_positions_are_made_anew_where_they_rest_on_others():
    for others in (3, 300):
        names = ["ETH", "XBT", *(f"A{n}" for n in range(others))]
        lines = [f"2026-01-02T10:00:00Z buy 5 {name} @ 10 EUR #k:{name}" for name in names]
        timeline = Timeline(Terms(base="EUR"))
        timeline.land(timeline.plan(golden.read(lines)))
        running = Running(timeline.book, Marks())
        held = RunningPositions(Options())
        assert len(held.of(timeline.book, running.worths)) == held.made == held.summed == others + 2

        running.mark(Mark("ETH", "EUR", Decimal(11), "v", 2))
        running.mark(Mark("XBT", "EUR", Decimal(11), "v", 2))
        held.of(timeline.book, running.worths)
        assert (held.made, held.summed) == (others + 4, others + 2)
        sale = golden.read(["2026-01-03T10:00:00Z sell 2 ETH @ 11 EUR #m:1"])
        timeline.land(timeline.plan(sale))
        running.land(timeline.book)
        made = held.of(timeline.book, running.worths)
        assert (held.made, held.summed) == (others + 5, others + 3)
        assert made == positions(timeline.book, running.valuation(3))
