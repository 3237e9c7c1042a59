"""A portfolio as it was at a time, and as it was known then."""

import sqlite3
from contextlib import closing, suppress
from decimal import Decimal
from importlib.resources import files

import pytest

import bursar
from bursar.desk import desk
from bursar.errors import BadChoice, EntryNotFound, Malformed, StoreCorrupt
from bursar.exact import ONE
from bursar.ledger import copies, golden, instant, planning
from bursar.ledger.projection import digest
from bursar.ledger.timeline import Timeline
from bursar.portfolio.service import PortfolioService
from bursar.value.marks import FEE_CREDIT
from bursar.value.snapshot import snapshot
from tests.unit.portfolio.places import NOON, Clock, opened

STORY = files("bursar") / "samples" / "kraken-story-a"
EXPORTS = [str(STORY / "ledgers.gen4-16col.csv"), str(STORY / "trades.gen2-24col.csv")]
EUR = bursar.Terms(base="EUR")
D = Decimal
JANUARY = ("2024-01-05", "2024-01-12T08:00:00Z", "2024-01-22T12:00:00Z")
FIRST = (
    "2026-01-05T10:00:00Z buy 1 XBT @ 40000 EUR #k:1",
    "2026-01-07T10:00:00Z sell 1 XBT @ 50000 EUR #k:3",
)
LATE = "2026-01-06T10:00:00Z buy 1 XBT @ 30000 EUR #k:2"


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    place = tmp_path_factory.mktemp("past") / "book.db"
    with bursar.open(place, terms=EUR) as portfolio:
        portfolio.import_files(*EXPORTS, str(STORY / "prices.csv"))
        yield portfolio


def told_late():
    """A book that learns of a purchase after the sale that it changes."""
    clock = Clock()
    clock.set("2026-02-01T00:00:00Z")
    book = opened(*FIRST, clock=clock)
    clock.set("2026-03-01T00:00:00Z")
    book.record(*golden.read([LATE]))
    return book


def realized(portfolio):
    return portfolio.pnl()[0].pnl.total.realized


# ------------------------------------------------------------------------------------------ at


def test_now_is_the_plain_view(story):
    past = story.at("now")
    for ask in (
        lambda p: p.digest(),
        lambda p: p.balances(by_account=True),
        lambda p: p.positions(),
        lambda p: p.trades(),
        lambda p: p.trades("XBT/EUR", 1),
        lambda p: p.flows(),
        lambda p: p.flows("XBT", 2),
        lambda p: p.lots(rule=bursar.Method.FIFO),
        lambda p: p.fees(),
        lambda p: p.gaps(),
        lambda p: p.pnl("asset", methods=["wac", "hifo"]),
        lambda p: p.pnl_by_month(),
        lambda p: list(p.journal(3)),
        lambda p: list(p.records_of(bursar.Method.LIFO)),
        lambda p: p.why("realized", "XBT"),
        lambda p: p.equity().value,
        lambda p: p.desk.head,
        lambda p: p.desk.store.load_state(),
        lambda p: p.desk.store.outbox(),
        lambda p: [each for each in p.marks() if each.source != FEE_CREDIT],
    ):
        assert ask(past) == ask(story)
    assert past.terms is story.terms
    since = story.trades()[2].time
    store = story.desk.store
    assert past.desk.store.get_trades(since=since) == store.get_trades(since=since)
    assert past.desk.store.get_cash_flows(since=since) == store.get_cash_flows(since=since)


@pytest.mark.parametrize("time", JANUARY)
def test_the_books_close_at_any_time(story, time):
    past = story.at(time)
    equity = past.equity({"XBT": "40000"})
    assert equity.totals.gap == past.why("identity").value == 0
    at = instant.parse(time)
    assert equity.valuation.at == past.desk.clock.now() == at
    assert all(fact.executed_at <= at for fact in past.timeline)
    assert all(instant.from_datetime(each.time) <= at for each in past.trades() + past.flows())
    assert all(mark.at <= at for mark in past.marks())
    whole = [each for each in story.trades() if instant.from_datetime(each.time) <= at]
    assert past.trades() == whole


def test_where_a_history_is_whole_the_past_is_the_book_of_its_statements():
    lines = [
        "2026-01-05T10:00:00Z deposit 100000 EUR #manual:main:1",
        "2026-01-06T10:00:00Z buy 2 XBT @ 30000 EUR fee 7 EUR #manual:main:2",
        "2026-01-06T11:00:00Z price XBT 31000 EUR #p:1",
        "2026-01-07T10:00:00Z withdrawal 1 XBT #manual:main:3",
        "2026-01-07T11:00:00Z reward 0.1 XBT #manual:main:4",
        "2026-01-08T10:00:00Z reverse manual:main:3 #manual:main:5",
        "2026-01-09T10:00:00Z sell 1.5 XBT @ 50000 EUR fee 0.001 XBT #manual:main:6",
    ]
    whole = opened(*lines)
    for count, line in enumerate(lines, 1):
        at = line.split()[0]
        part = opened(*lines[:count], clock=Clock(instant.parse(at)))
        past = whole.at(at)
        assert past.digest() == part.digest()
        assert past.equity().value == part.equity().value
        assert list(past.marks()) == list(part.marks())
        assert [row.body for row in past.journal()] == [row.body for row in part.journal()]
        assert past.flows() == part.flows()


def test_marks_have_the_age_that_they_had(story):
    valuation = story.at("2024-01-02T12:10:00Z").valuation()
    xbt = valuation.asset("XBT")
    assert instant.show(xbt.mark.at) == "2024-01-02T11:50:00Z"
    assert xbt.mark.age(valuation.at) == 20 * 60 * instant.SECOND


def test_what_was_said_later_of_then_is_in_its_journal():
    book = opened(*FIRST)
    book.tag("k:1", strategy="trend")
    book.price("XBT", "2026-01-06", "41000")
    book.reverse("k:3")
    past = book.at("2026-01-05T10:00:00Z")
    assert [type(row.entry()).__name__ for row in past.journal()] == ["Fill", "Tag", "Reversal"]
    assert past.timeline.facts["k:1"].strategy == "trend"


def test_an_opening_is_there_from_its_own_time():
    book = opened("2026-01-05T10:00:00Z sell 1 XBT @ 50000 EUR #k:1")
    assert book.at("2026-01-05T09:59:59.999999999Z").balances()[0].total == 1
    assert book.at("2026-01-05T09:59:59Z").balances() == []
    assert [each.asset for each in book.at("2026-01-05T10:00:00Z").balances()] == ["EUR"]


def test_snapshots_of_later_are_not_there():
    book = opened(*FIRST)
    for day in ("2026-01-06", "2026-01-08"):
        view = book.at(day)
        book.desk.store.save_snapshot(snapshot(view.timeline.book, view.valuation()))
    kept = book.at("2026-01-07").desk.store.get_snapshots()
    assert [each.timestamp.day for each in kept] == [6]
    assert len(book.at(known_at="now").desk.store.get_snapshots(limit=1)) == 1
    told = book.at("2026-01-07").desk.store.snapshot_totals()
    assert [each.timestamp for each in told] == [each.timestamp for each in kept[::-1]]


# ------------------------------------------------------------------------------------- known at


def test_snapshots_and_closes_of_later_were_not_known():
    clock = Clock()
    clock.set("2026-01-07T12:00:00Z")
    book = opened(FIRST[0], clock=clock)
    service = PortfolioService(book)
    service.create_snapshot()
    clock.set("2026-01-07T18:00:00Z")
    book.record(*golden.read(FIRST[1:]))
    service.create_snapshot()
    for past in (book.at(known_at="#1"), book.at("2026-01-07T13:00:00Z")):
        seen = PortfolioService(past)
        assert [each.cash_base for each in seen.get_snapshots()] == [D(-40000)]
        assert seen.get_daily_closes() == [], "the day's close was kept at 18:00"
    assert len(PortfolioService(book.at("2026-01-07T18:00:00Z")).get_daily_closes()) == 1


def test_before_the_first_commit_nothing_was_known():
    book = told_late()
    past = book.at(known_at="2026-01-31T00:00:00Z")
    assert past.digest() == digest(Timeline(book.terms).book)
    assert (past.desk.head.version, past.desk.head.seq, list(past.journal())) == (0, 0, [])
    assert past.balances() == past.trades() == past.desk.store.outbox() == []
    assert book.at(known_at="#0").digest() == past.digest()


def test_the_old_figure_is_shown_as_it_was_known():
    book = told_late()
    assert realized(book) == 15_000
    for known_at in ("2026-02-01T00:00:00Z", "2026-02-28", "#2"):
        past = book.at(known_at=known_at)
        assert realized(past) == 10_000
        assert (past.desk.head.version, past.desk.head.seq) == (1, 2)
        assert [row.seq for row in past.journal()] == [1, 2]
        assert len(past.desk.store.outbox()) == 1
    assert realized(book.at(known_at="2026-03-01T00:00:00Z")) == 15_000
    assert book.at(known_at="#3").desk.head == book.desk.head


def test_a_row_that_there_is_not_is_refused():
    book = told_late()
    for row in ("#4", "#9999", f"#{10**17}"):
        with pytest.raises(EntryNotFound, match=f"no row {row}; there are #1 to #3"):
            book.at(known_at=row)
    with pytest.raises(EntryNotFound, match="no row #1; there is none yet"):
        opened().at(known_at="#1")


def test_what_is_yet_to_come_has_no_past():
    book = told_late()
    for asked in ({"time": "2026-03-01T00:00:01Z"}, {"known_at": "2026-03-01T00:00:01Z"}):
        with pytest.raises(BadChoice, match="is yet to come; it is 2026-03-01T00:00:00Z"):
            book.at(**asked)


def test_a_clock_that_went_back_hides_nothing_of_what_was_told():
    clock = Clock()
    book = opened(*FIRST, clock=clock)
    clock.set("1970-01-01")
    assert book.at("2026-01-06").balances()
    assert book.at(known_at=NOON).balances()
    with pytest.raises(BadChoice, match="yet to come"):
        book.at("2026-01-07T10:00:01Z")


def test_a_time_between_two_rows_is_known_whatever_the_clock_says_by_now():
    book = told_late()
    book.desk.clock.set("1970-01-01")
    assert book.at(known_at="2026-02-15").desk.head.seq == 2
    with pytest.raises(BadChoice, match="yet to come"):
        book.at(known_at="2026-03-02")


def test_both_questions_may_be_asked_together():
    book = told_late()
    past = book.at("2026-01-06T12:00:00Z", known_at="#2")
    assert [fact.id for fact in past.timeline] == ["k:1"]
    assert [fact.id for fact in book.at("2026-01-06T12:00:00Z").timeline] == ["k:1", "k:2"]
    assert past.desk.clock.now() == instant.parse("2026-01-06T12:00:00Z")
    assert book.at(known_at="2026-02-28").desk.clock.now() == instant.parse("2026-02-28")
    assert book.at(known_at="#1").desk.clock.now() == instant.parse("2026-02-01")


def test_a_row_in_the_middle_of_a_commit_belongs_to_its_version():
    past = told_late().at(known_at="#1")
    assert (past.desk.head.version, past.desk.head.seq) == (1, 1)
    assert [each.total for each in past.balances()] == [D(-40000), ONE]


def test_what_was_known_is_read_once_and_no_further_than_it_was_known(tmp_path, monkeypatch):
    monkeypatch.setattr(desk, "KEPT_AHEAD", 2)
    monkeypatch.setattr(planning, "SPACING", 1)
    monkeypatch.setattr(copies, "SPACING", 1)
    place = tmp_path / "book.db"
    with bursar.open(place, terms=EUR) as book:
        for day in range(1, 10):
            book.record(*golden.read([f"2026-01-0{day}T10:00:00Z buy 1 XBT @ 9 EUR #k:{day}"]))
    with bursar.open(place) as book:
        assert not book.desk.timeline.is_whole
        read = []
        records = book.desk.store.records

        def counting(after=0):
            for row in records(after):
                read.append(row.seq)
                yield row

        monkeypatch.setattr(book.desk.store, "records", counting)
        assert len(book.at(known_at="#4").timeline) == 4
        assert read == [1, 2, 3, 4, 5]
        assert not book.desk.timeline.is_whole


def test_a_changed_row_on_the_way_to_what_was_known_stops_all_writing(tmp_path):
    place = tmp_path / "book.db"
    with bursar.open(place, terms=EUR) as book:
        for told in FIRST:
            book.record(*golden.read([told]))
        with closing(sqlite3.connect(place)) as inside, inside:
            inside.execute("UPDATE journal SET body = replace(body, '40000', '41000')")
        with pytest.raises(StoreCorrupt, match="row 1 was changed after it was written"):
            book.at(known_at="#2")
        with pytest.raises(StoreCorrupt, match="row 1 was changed after it was written"):
            book.record(*golden.read([LATE]))


# ---------------------------------------------------------------------------------- for reading


def test_the_past_is_for_reading_only(tmp_path):
    book = told_late()
    past = book.at("2026-01-06")
    (entry,) = golden.read([LATE])
    before = book.desk.head
    journal = tmp_path / "a.journal"
    journal.write_text(LATE)
    for write in (
        lambda: past.record(entry),
        lambda: past.stage(entry),
        lambda: past.import_files(journal),
        lambda: past.add("deposit", "1", "EUR"),
        lambda: past.price("XBT", "now", "1"),
        lambda: past.tag("k:1", strategy="s"),
        lambda: past.link("k:1", "k:3"),
        lambda: past.reverse("k:1"),
        lambda: past.at("2026-01-05"),
        past.verify,
        lambda: past.desk.commit(None),
        lambda: past.desk.store.commit(None),
        lambda: past.desk.store.save_state({}),
        lambda: past.desk.store.append_trades([]),
        lambda: past.desk.store.save_cash_flows([]),
        lambda: past.desk.store.save_snapshot(None),
        lambda: past.desk.store.save_memos({}),
        lambda: past.desk.store.prune_snapshots(None),
    ):
        with pytest.raises(BadChoice, match="for reading only"):
            write()
    assert book.desk.head == before


def test_a_time_may_be_text_a_moment_or_nanoseconds():
    book = told_late()
    at = instant.parse("2026-01-06T12:00:00Z")
    for time in ("2026-01-06T12:00:00Z", "2026-01-06 12:00", at, instant.to_datetime(at)):
        assert [fact.id for fact in book.at(time).timeline] == ["k:1", "k:2"]
    assert realized(book.at(known_at=instant.to_datetime(at))) == 0


def test_a_negative_limit_is_refused_as_the_present_refuses_it():
    past = told_late().at("2026-02-28")
    for ask in (past.trades, past.flows):
        with pytest.raises(bursar.BursarError, match="limit -1 is negative"):
            ask(limit=-1)
    with pytest.raises(bursar.BursarError, match="limit -1 is negative"):
        past.desk.store.get_snapshots(limit=-1)


def test_no_time_is_no_time():
    book = told_late()
    with pytest.raises(Malformed, match=r"^at: 'soon'"):
        book.at("soon")
    with pytest.raises(Malformed, match=r"^known_at: '#x'"):
        book.at(known_at="#x")


def test_a_view_leaves_the_store_open_unless_told_otherwise(tmp_path):
    with bursar.open(tmp_path / "book.db", terms=EUR) as book:
        book.at("2026-01-01").close()
        assert book.flows() == []
        book.at("2026-01-01", is_closing=True).close()
        with pytest.raises(bursar.BursarError, match="was closed"):
            book.flows()
        with suppress(bursar.BursarError):
            book.close()
