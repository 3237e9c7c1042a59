"""A valuation that is kept: what a mark or a commit touches, and that it is the whole one."""

from decimal import Decimal

from bursar.ledger import golden
from bursar.ledger.planning import folded, planned
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.ledger.timeline import Timeline
from bursar.value.marks import Mark, Marks
from bursar.value.positions import positions
from bursar.value.running import Running
from bursar.value.running_positions import RunningPositions
from bursar.value.worth import Options
from tests.property.test_running import same

TERMS = Terms(base="EUR", accounts=(Account("e", FactSource.EVENTS),))


class Kept:
    """A valuation and its positions, each step of which is held against the whole."""

    def __init__(self, *lines, marks=(), options=Options()):  # noqa: B008 (frozen)
        self.timeline = Timeline(TERMS)
        self.timeline.land(planned(self.timeline, golden.read(lines)))
        self.marks, self.now = Marks(marks), 10
        self.running = Running(self.timeline.book, self.marks, options=options)
        self.held = RunningPositions(options)
        self._compare()

    def land(self, *lines):
        self.timeline.land(planned(self.timeline, golden.read(lines)))
        self.running.land(self.timeline.book)
        self._compare()

    def mark(self, asset, quote, price):
        self.now += 1
        made = Mark(asset, quote, Decimal(price), "v", self.now)
        self.marks = self.marks.plus([made])
        self.running.mark(made)
        self._compare()

    def take(self, *marks):
        self.now += 1
        told = (Mark(asset, quote, Decimal(price), "v", self.now) for asset, quote, price in marks)
        self.marks = Marks(told)
        touched = self.running.take(self.marks)
        self._compare()
        return touched

    def _compare(self):
        same(self.running, self.held, self.timeline.book, self.marks, self.now)


def at(day, what, name=None):
    return f"2026-01-{day:02}T10:00:00Z {what} #k:{name or day}"


def test_other_marks_in_the_place_of_those_before():
    kept = Kept(at(2, "buy 5 ETH @ 10 EUR"), at(3, "buy 2 XBT @ 10 EUR"))
    assert kept.take(("ETH", "EUR", 11), ("XBT", "ETH", 3)) >= {"ETH", "XBT"}
    assert kept.take(("ETH", "EUR", 11), ("XBT", "ETH", 4)) == {"ETH", "XBT"}  # the same ways
    assert kept.running.equity == 5 * 11 + 2 * 44 - 70
    assert kept.take(("ETH", "EUR", 0), ("XBT", "ETH", 4)) >= {"XBT"}  # no way leads on
    assert [each.asset for each in kept.running.unvalued] == ["ETH", "XBT"]


def test_what_a_view_leaves_out_is_no_part_of_it_at_any_step():
    view = Options(exclude_assets=frozenset({"ETH"}))
    kept = Kept(at(2, "buy 5 ETH @ 10 EUR"), at(3, "buy 2 XBT @ 10 EUR"), options=view)
    kept.mark("ETH", "EUR", 11)
    kept.mark("XBT", "EUR", 12)
    kept.land(at(4, "sell 1 ETH @ 12 EUR"))
    kept.land(at(5, "buy 1 XBT @ 2 ETH"))
    kept.land(at(6, "buy 1 XBT @ 1 ETH"))
    assert kept.running.excluded_value == 11


def test_what_is_sold_before_it_is_known_is_pending_until_it_is():
    sold, bought = (
        f"2026-01-{day}T10:00:00Z {what} #e:{day}"
        for day, what in (("03", "sell 2 ETH @ 10 EUR"), ("02", "buy 2 ETH @ 9 EUR"))
    )
    kept = Kept(sold, marks=[Mark("ETH", "EUR", Decimal(11), "v", 1)])
    assert not kept.running.is_complete
    kept.land(bought)
    assert kept.running.is_complete


def test_positions_follow_what_happens_outside_of_every_pair():
    kept = Kept(at(2, "buy 5 ETH @ 10 EUR"), at(3, "deposit 1 ETH"))
    kept.mark("ETH", "EUR", 11)
    kept.land(at(4, "reward 1 ETH"))
    kept.land(at(5, "reward 2 ETH"))
    kept.land(at(6, "sell 9 ETH @ 12 EUR"))  # nothing is left of what the pair is about
    kept.land(at(7, "buy 1 ETH @ 12 EUR"))


def test_positions_rest_on_leverage_too():
    marks = [Mark("XBT", "EUR", Decimal(11), "v", 1), Mark("ETH", "EUR", Decimal(2), "v", 1)]
    bought = (at(1, "buy 1 XBT @ 10 EUR"), at(2, "margin buy 2 XBT @ 10 EUR"))
    kept = Kept(*bought, at(3, "buy 1 ETH @ 2 EUR"), marks=marks)
    kept.mark("ETH", "EUR", 3)
    kept.mark("XBT", "EUR", 12)
    kept.land(at(4, "margin sell 1 XBT @ 12 EUR settled 2"))
    assert kept.running.exposure("XBT") == 24


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
    timeline.land(planned(timeline, golden.read(lines)))
    running = Running(timeline.book, Marks())
    before = running.valued
    timeline.land(planned(timeline, golden.read(["2026-01-03T10:00:00Z sell 5 A7 @ 11 EUR #k:99"])))
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
        planned(timeline, golden.read(["2026-01-02T10:00:00Z margin buy 2 XBT @ 10 USD #k:1"]))
    )
    running = Running(timeline.book, Marks([Mark("XBT", "EUR", Decimal(11), "v", 1)]))
    assert [each.asset for each in running.unvalued] == ["XBT/USD"]
    # Its entry is in dollars, so their price touches it too.
    assert running.mark(Mark("USD", "EUR", Decimal("0.5"), "v", 2)) == {"USD"}
    assert [running.equity, running.long, running.exposure("BTC")] == [12, 22, 22]
    closing = "2026-01-03T10:00:00Z margin sell 2 XBT @ 10 USD settled 0 #k:2"
    timeline.land(planned(timeline, golden.read([closing])))
    assert "XBT" in running.land(timeline.book)
    assert [running.equity, running.long, running.unvalued] == [0, 0, ()]


def test_a_refold_that_takes_something_away_is_seen():
    lines = ["2026-01-02T10:00:00Z deposit 5 XBT #k:1", "2026-01-02T11:00:00Z deposit 7 ETH #k:2"]
    timeline = Timeline(Terms(base="EUR"))
    timeline.land(planned(timeline, golden.read(lines)))
    running = Running(timeline.book, Marks())
    assert len(running.unvalued) == 2
    timeline.land(planned(timeline, golden.read(["2026-01-03T10:00:00Z void k:1 #u:1"])))
    running.land(timeline.book)
    assert [each.asset for each in running.unvalued] == ["ETH"]
    same(running, RunningPositions(Options()), timeline.book, Marks(), 10)


def test_positions_are_made_anew_where_they_rest_on_others():
    for others in (3, 300):
        names = ["ETH", "XBT", *(f"A{n}" for n in range(others))]
        lines = [f"2026-01-02T10:00:00Z buy 5 {name} @ 10 EUR #k:{name}" for name in names]
        timeline = Timeline(Terms(base="EUR"))
        timeline.land(planned(timeline, golden.read(lines)))
        running = Running(timeline.book, Marks())
        held = RunningPositions(Options())
        assert len(held.of(timeline.book, running.worths)) == held.made == held.summed == others + 2

        running.mark(Mark("ETH", "EUR", Decimal(11), "v", 2))
        running.mark(Mark("XBT", "EUR", Decimal(11), "v", 2))
        held.of(timeline.book, running.worths)
        assert (held.made, held.summed) == (others + 4, others + 2)
        sale = golden.read(["2026-01-03T10:00:00Z sell 2 ETH @ 11 EUR #m:1"])
        timeline.land(planned(timeline, sale))
        running.land(timeline.book)
        made = held.of(timeline.book, running.worths)
        assert (held.made, held.summed) == (others + 5, others + 3)
        assert made == positions(timeline.book, running.valuation(3))
