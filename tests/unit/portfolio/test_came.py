"""What came and went within one link of the curve, by the times of the flows."""

from bursar.desk import Desk
from bursar.ledger import golden, instant
from bursar.portfolio import Portfolio, snapshots
from bursar.portfolio.kept import kept
from tests.unit.measure.samples import D, loose
from tests.unit.portfolio.places import Clock, opened

DAY_1 = "2026-01-01T00:00:00Z deposit 1000 EUR #k:begin"


class Story:
    """A book of euros, told of some lines a day; each gain is a reward."""

    def __init__(self, portfolio):
        self.portfolio, self.number = portfolio, 0

    def at(self, day, hour, told, more=""):
        """Tell of a line; it was on that day at that hour."""
        self.number += 1
        stamp = f"2026-01-{day:02}T{hour:02}:00:00Z"
        self.portfolio.record(*golden.read([f"{stamp} {told} #k:{self.number}{more}"]))

    def keep(self, day):
        """Keep a snapshot at the end of a day."""
        self.portfolio.desk.clock.set(f"2026-01-{day:02}T23:00:00Z")
        return snapshots.take(self.portfolio)

    @property
    def made(self):
        """How many percent were made since the first moment."""
        points = kept(self.portfolio, self.portfolio.valuation()).course()
        return loose([point.nav for point in points][-1]) - 100


def begun():
    clock = Clock()
    clock.set("2026-01-01T23:00:00Z")
    story = Story(opened(DAY_1, clock=clock))
    story.keep(1)
    return story


def test_what_came_and_went_between_two_snapshots_was_there_meanwhile():
    story = begun()
    story.at(2, 8, "deposit 9000 EUR")
    story.at(2, 12, "reward 1000 EUR")  # a tenth of what is there
    story.at(2, 18, "withdrawal 9000 EUR")
    story.portfolio.desk.clock.set("2026-01-02T20:00:00Z")
    assert story.made == 10  # of now
    assert story.keep(2).came_base == 9000
    assert story.made == 10  # as it was kept
    story.keep(3)
    assert story.made == 10


def test_what_goes_and_comes_back_lay_idle_and_counts_once():
    story = begun()
    for hour in range(1, 20, 2):
        story.at(2, hour, "withdrawal 900 EUR")
        story.at(2, hour + 1, "deposit 900 EUR")
    story.at(2, 22, "reward 100 EUR")
    assert story.keep(2).came_base == 0
    assert story.made == 10
    for hour in range(1, 20, 2):
        story.at(3, hour, "deposit 1100 EUR")
        story.at(3, hour + 1, "withdrawal 1100 EUR")
    story.at(3, 22, "reward 110 EUR")
    assert story.keep(3).came_base == 1100
    assert story.made == D("15.5")  # 110 of the 2,200 that were there at the most


def test_what_comes_and_goes_at_once_is_nothing():
    story = begun()
    story.at(2, 8, "deposit 9000 EUR")
    story.at(2, 8, "withdrawal 9000 EUR")
    story.at(2, 9, "reward 100 EUR")
    assert story.keep(2).came_base == 0
    assert story.made == 10


def test_a_snapshot_without_a_price_between_two_others_forgets_no_flow():
    story = begun()
    story.at(2, 8, "deposit 9000 EUR")
    story.at(2, 12, "deposit 1 XBT", " value=5000")
    story.keep(2)  # nobody knows what it is worth
    story.at(3, 8, "withdrawal 1 XBT", " value=5000")
    story.at(3, 9, "reward 1500 EUR")
    story.at(3, 18, "withdrawal 9000 EUR")
    story.keep(3)
    assert story.made == 10


def test_pruning_leaves_what_came():
    story = begun()
    story.at(2, 8, "deposit 9000 EUR")
    story.at(2, 12, "reward 1000 EUR")
    story.at(2, 18, "withdrawal 9000 EUR")
    story.keep(2)
    story.at(3, 8, "deposit 2000 EUR")
    story.keep(3)
    clock = story.portfolio.desk.clock
    clock.set("2026-01-20T00:00:00Z")
    assert snapshots.prune(story.portfolio.desk.store, clock.now(), 1) == 3
    assert story.made == 10
    assert story.keep(20).came_base == 11_000


def test_what_is_heard_of_late_comes_when_it_enters_equity():
    story = begun()
    story.at(2, 8, "reward 100 EUR")
    story.keep(2)
    story.at(1, 12, "deposit 900 EUR")  # it was there all the time, and nobody knew
    story.at(3, 8, "withdrawal 900 EUR")
    story.at(3, 9, "reward 100 EUR")
    assert story.keep(3).came_base == 900
    assert story.made == D("15.5")  # 10 %, and 100 of 2,000


def test_a_reversal_puts_back_what_went():
    story = begun()
    story.at(2, 8, "withdrawal 999 EUR")
    story.keep(2)
    story.at(3, 10, "reverse k:1")
    story.at(3, 12, "reward 100 EUR")
    assert story.keep(3).came_base == 999
    assert story.made == 10


def test_where_a_flow_has_no_worth_what_came_is_kept_when_it_has_one():
    story = begun()
    story.at(2, 8, "deposit 1 ABC")
    assert story.keep(2).came_base is None
    story.at(3, 6, "deposit 3000 EUR")
    story.at(3, 7, "withdrawal 3000 EUR")
    story.portfolio.price("ABC", "2026-01-02T08:00:00Z", "7")
    assert story.keep(3).came_base == 3007


def test_a_snapshot_that_comes_late_says_nothing_of_what_came():
    story = begun()
    story.at(2, 8, "deposit 100 EUR")
    assert story.keep(3).came_base == 100
    assert story.keep(2).came_base is None
    story.at(4, 8, "deposit 100 EUR")
    assert story.keep(4).came_base == 200
    assert story.made == 0


def test_of_a_book_that_is_behind_its_store_nobody_knows_what_came():
    story = begun()
    other = Portfolio(Desk(story.portfolio.desk.store, story.portfolio.desk.clock), loose(None))
    story.at(2, 8, "deposit 9000 EUR")
    story.at(2, 9, "withdrawal 9000 EUR")
    story.portfolio.desk.clock.set("2026-01-02T23:00:00Z")
    assert other.desk.head != other.desk.store.head()
    assert snapshots.take(other).came_base is None
    assert story.keep(3).came_base == 9000


def test_a_snapshot_of_an_older_program_tells_the_difference_alone():
    story = begun()
    store = story.portfolio.desk.store
    told = loose(snapshots.trail(store))
    older = {"epoch": told.epoch, "last": told.last}
    store.save_memos({"snapshots": snapshots._ENCODER.encode(older).decode()})
    story.at(2, 8, "deposit 9000 EUR")
    story.at(2, 12, "reward 1000 EUR")
    story.at(2, 18, "withdrawal 9000 EUR")
    assert story.keep(2).came_base == 0  # from here on it is counted
    story.at(3, 8, "deposit 18000 EUR")
    story.at(3, 12, "reward 2000 EUR")
    story.at(3, 18, "withdrawal 18000 EUR")
    assert story.keep(3).came_base == 18_000
    assert instant.from_datetime(snapshots.closes(store)[0].timestamp) == told.last


def test_a_flow_of_unknown_worth_that_was_taken_back_leaves_the_difference():
    story = begun()
    story.at(2, 8, "deposit 1 ABC")
    story.at(2, 8, "reverse k:1")
    story.at(2, 9, "deposit 9000 EUR")
    story.at(2, 12, "reward 1000 EUR")
    made = story.keep(2)
    assert (made.capital_base, made.came_base) == (10_000, None)
    assert story.made == 10
