"""The desk: stage, review, commit; what it refuses, and what it leaves behind."""

import inspect
import json
import sys
from itertools import count

import msgspec
import pytest

from bursar.desk import Desk, sketch, stage_over
from bursar.desk import desk as desk_module
from bursar.errors import (
    BrokenInvariant,
    OutcomeUnknown,
    Oversold,
    StaleVersion,
    StoreCorrupt,
    StoreDown,
    StoreFull,
)
from bursar.exact import ONE
from bursar.ledger import audit, golden, journal, projection, timeline
from bursar.ledger.journal import Outcome
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.store import MemoryStore, open_store

BUY = "2026-01-05T10:00:00Z buy 2 XBT @ 40000 USD fee 8 USD #k:1"
OTHER_BUY = "2026-01-05T10:00:00Z buy 3 XBT @ 40000 USD fee 8 USD #k:1"
SELL = "2026-02-01T09:30:00Z sell 0.5 XBT @ 50000 USD fee 5 USD #k:2"
LAST = "2026-03-01T00:00:00Z buy 1 XBT @ 30000 USD #k:4"
LATE = "2026-01-10T00:00:00Z buy 2 XBT @ 60000 USD #k:3"


class Ticks:
    """A clock that moves one nanosecond a look."""

    def __init__(self):
        self.ticks = count(1)

    def now(self):
        return next(self.ticks)


def entries(*lines):
    return list(golden.read(lines))


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    place = ":memory:" if request.param == "memory" else tmp_path / "book.db"
    with_terms = open_store(place, terms=Terms(accounts=(Account("k", FactSource.EVENTS),)))
    yield with_terms
    with_terms.close()


def test_a_commit_is_in_the_journal_the_records_and_the_outbox(store):
    desk = Desk(store, Ticks())
    receipt = desk.submit(entries(BUY, SELL))
    assert (receipt.version, receipt.review.recorded) == (1, 2)
    assert [row.outcome for row in store.records()] == [Outcome.RECORDED] * 2
    assert [trade.trade_id for trade in store.get_trades()] == ["k:2", "k:1"]
    (message,) = store.outbox()
    assert message.message.topic == "portfolio.committed"
    assert json.loads(message.message.body)["last_seq"] == 2
    assert store.load_state() == projection.cells(desk.timeline.book)


def test_staging_and_dropping_it_changes_nothing(store):
    desk = Desk(store, Ticks())
    desk.submit(entries(BUY))
    before = projection.digest(desk.timeline.book), store.head()
    staged = desk.stage(entries(SELL, LATE))
    assert staged.review.facts_added == 2
    assert (projection.digest(desk.timeline.book), store.head()) == before


def test_what_says_nothing_new_writes_nothing(store):
    desk = Desk(store, Ticks())
    desk.submit(entries(BUY))
    receipt = desk.submit(entries(BUY, BUY))
    assert (receipt.version, receipt.review.duplicates) == (1, 2)
    assert len(store.outbox()) == 1


def test_a_late_fact_says_what_it_restated_and_rewrites_the_records(store):
    desk = Desk(store, Ticks())
    desk.submit(entries(BUY, SELL))
    receipt = desk.submit(entries(LATE))
    assert receipt.review.restated == ("XBT in XBT/USD: 4987 → -13",)
    assert store.outbox()[-1].message.topic == "portfolio.restated"
    pnl = {trade.trade_id: trade.pnl_base for trade in store.get_trades()}
    assert pnl["k:2"] == -5
    assert store.load_state() == projection.cells(desk.timeline.book)


def test_a_conflict_is_kept_shown_and_counted_once(store):
    desk = Desk(store, Ticks())
    desk.submit(entries(BUY))
    for _ in range(2):
        review = desk.submit(entries(OTHER_BUY)).review
        assert review.conflicts == ("k:1: quantity differs from what was recorded",)
    assert [row.outcome for row in store.records()] == [Outcome.RECORDED, Outcome.CONFLICT]
    assert desk.timeline.book.gaps["XBT", "conflicted"] == 1
    again = Desk(store, Ticks())
    assert projection.digest(again.timeline.book) == projection.digest(desk.timeline.book)


def test_a_desk_that_opens_later_has_the_same_book(store):
    desk = Desk(store, Ticks())
    for line in (SELL, LATE, BUY):
        desk.submit(entries(line))
    again = Desk(store, Ticks())
    assert projection.digest(again.timeline.book) == projection.digest(desk.timeline.book)
    assert again.head == desk.head == store.head()


def test_the_second_of_two_writers_is_stale_and_may_try_again(store):
    first, second = Desk(store, Ticks()), Desk(store, Ticks())
    first.submit(entries(BUY))
    staged = second.stage(entries(SELL))
    with pytest.raises(StaleVersion):
        second.commit(staged)
    second.reload()
    assert second.submit(entries(SELL)).version == 2
    assert not audit.breaches(second.timeline.book)


@pytest.mark.parametrize("between", [(), (LATE,)])
def test_what_was_sketched_is_staged_with_more_whoever_wrote_in_between(store, between):
    desk = Desk(store, Ticks())
    made = sketch(desk, entries(BUY))
    if between:
        desk.submit(entries(*between))
    staged = stage_over(desk, made, entries(SELL))
    desk.commit(staged)
    at_once = Desk(MemoryStore(terms=store.head().terms), Ticks())
    at_once.submit(entries(BUY, SELL, *between))
    assert projection.cells(desk.timeline.book) == projection.cells(at_once.timeline.book)


def test_a_staged_change_of_another_version_is_stale(store):
    desk = Desk(store, Ticks())
    staged = desk.stage(entries(SELL))
    desk.submit(entries(BUY))
    with pytest.raises(StaleVersion):
        desk.commit(staged)


def test_of_two_staged_changes_the_second_is_stale_and_nothing_halts(store):
    desk = Desk(store, Ticks())
    desk.submit(entries(BUY))
    one = desk.stage(entries(SELL + " strategy=grid"))
    other = desk.stage(entries(SELL.replace("k:2", "k:4") + " strategy=trend"))
    desk.commit(one)
    with pytest.raises(StaleVersion, match="stage again"):
        desk.commit(other)
    assert desk.halted is None


def test_oversold_in_a_strict_account_changes_nothing():
    terms = Terms(accounts=(Account("k", FactSource.MANUAL),))
    desk = Desk(MemoryStore(terms=terms), Ticks())
    with pytest.raises(Oversold):
        desk.submit(entries(SELL))
    assert desk.store.head().version == 0
    assert desk.submit(entries(SELL, BUY)).version == 1


def test_books_that_do_not_close_are_not_written_and_stop_the_desk(store, monkeypatch):
    desk = Desk(store, Ticks())
    breach = audit.Breach("money", "this commit", ONE)
    monkeypatch.setattr(audit, "changes", lambda *_: [breach])
    with pytest.raises(BrokenInvariant, match="off by 1"):
        desk.submit(entries(BUY))
    monkeypatch.undo()
    with pytest.raises(BrokenInvariant, match="writing has stopped"):
        desk.submit(entries(BUY))
    assert store.head().version == 0
    desk.reload()
    assert desk.submit(entries(BUY)).version == 1


class Wrapped:
    """A store whose commit loses its answer, or fails."""

    def __init__(self, store, commit):
        self._store = store
        self.commit = commit

    def __getattr__(self, name):
        return getattr(self._store, name)


def test_a_lost_answer_is_asked_for_by_hash(store):
    def lost(commit):
        store.commit(commit)
        raise OutcomeUnknown

    desk = Desk(Wrapped(store, lost), Ticks())
    assert desk.submit(entries(BUY)).version == 1
    assert desk.head == store.head()
    assert len(desk.timeline.facts) == 1


def test_a_lost_answer_is_found_behind_the_commit_of_another_writer(store):
    other = Desk(store, Ticks())

    def lost(commit):
        store.commit(commit)
        other.reload()
        other.submit(entries(SELL))
        raise OutcomeUnknown

    desk = Desk(Wrapped(store, lost), Ticks())
    receipt = desk.submit(entries(BUY))
    assert (receipt.version, store.head().version) == (1, 2)
    with pytest.raises(StaleVersion):
        desk.submit(entries(LATE))
    desk.reload()
    assert [row.entry().id for row in store.records()] == ["k:1", "k:2"]


def test_a_lost_answer_to_a_commit_that_did_not_happen_is_told(store):
    def lost(_):
        raise OutcomeUnknown

    desk = Desk(Wrapped(store, lost), Ticks())
    with pytest.raises(OutcomeUnknown):
        desk.submit(entries(BUY))
    assert not desk.timeline.facts


def test_a_full_store_leaves_the_book_as_it_was(store):
    def full(_):
        raise StoreFull

    desk = Desk(Wrapped(store, full), Ticks())
    with pytest.raises(StoreFull):
        desk.submit(entries(BUY))
    assert not desk.timeline.facts


def test_a_changed_journal_row_is_not_opened(store):
    Desk(store, Ticks()).submit(entries(BUY, SELL))

    class Tampered(Wrapped):
        def records(self, after=0):
            for row in self._store.records(after):
                yield msgspec.structs.replace(row, body=row.body.replace("40000", "40001"))

    with pytest.raises(StoreCorrupt, match="row 1 was changed"):
        Desk(Tampered(store, store.commit), Ticks())


def test_a_journal_whose_tail_is_cut_is_not_opened(store):
    Desk(store, Ticks()).submit(entries(BUY, SELL))

    class Cut(Wrapped):
        def records(self, after=0):
            return iter(list(self._store.records(after))[:-1])

    with pytest.raises(StoreCorrupt, match="ends at row 1"):
        Desk(Cut(store, store.commit), Ticks())


def test_a_projection_that_is_not_the_fold_is_not_opened(store):
    Desk(store, Ticks()).submit(entries(BUY))
    store.save_state({"a": "b"})
    with pytest.raises(StoreCorrupt, match="projection"):
        Desk(store, Ticks())


def test_a_commit_between_two_looks_is_read_again(store):
    Desk(store, Ticks()).submit(entries(BUY))

    class Moving(Wrapped):
        moved = False

        def load_state(self):
            if not Moving.moved:
                Moving.moved = True
                Desk(self._store, Ticks()).submit(entries(SELL))
            return self._store.load_state()

    desk = Desk(Moving(store, store.commit), Ticks())
    assert desk.head.version == 2
    assert len(desk.timeline.facts) == 2


def test_progress_is_told_while_the_journal_is_read(store):
    lines = [f"2026-01-05T10:00:00Z deposit 1 USD #k:{n}" for n in range(1_001)]
    Desk(store, Ticks()).submit(entries(*lines))
    told = []
    Desk(store, Ticks(), progress=lambda *what: told.append(what))
    assert told == [("reading the journal", 1_000, 1_001)]


def test_the_chain_covers_every_row(store):
    Desk(store, Ticks()).submit(entries(BUY, SELL, LATE))
    rows = list(journal.check(store.records()))
    assert [row.seq for row in rows] == [1, 2, 3]
    assert rows[-1].hash == store.head().hash


def interrupting(line):
    """A trace that breaks in on a landing at that line of it, and how many lines it has seen."""
    seen = []

    def trace(frame, event, _):
        if frame.f_code.co_filename != timeline.__file__:
            return trace if frame.f_code.co_filename == desk_module.__file__ else None
        if event == "line" and is_landing(frame):
            seen.append(frame.f_lineno)
            if len(seen) == line:
                raise KeyboardInterrupt
        return trace

    return trace, seen


def is_landing(frame):
    while frame is not None:
        if frame.f_code is inspect.unwrap(timeline.Timeline.land).__code__:
            return True
        frame = frame.f_back
    return False


@pytest.mark.parametrize("told", [SELL, LATE], ids=["at the end", "before others"])
@pytest.mark.parametrize("is_ours", [True, False], ids=["own", "another's"])
def test_whatever_breaks_in_while_a_commit_is_taken_over_the_desk_goes_on_with_all_of_it(
    told, is_ours
):
    for line in count(1):
        store = open_store(":memory:", terms=Terms(accounts=(Account("k", FactSource.EVENTS),)))
        desk, other = Desk(store, Ticks()), Desk(store, Ticks())
        desk.submit(entries(BUY, *([SELL] if told == LATE else [])))
        other.catch_up()
        trace, seen = interrupting(line)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            desk.submit(entries(told))
            if not is_ours:
                other.catch_up()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)  # who counts what runs goes on counting
        if len(seen) < line:
            break
        for each in (desk, other):
            each.catch_up()
            assert projection.cells(each.timeline.book) == store.load_state(), seen[-1]
        desk.submit(entries(LAST))
        assert projection.cells(desk.timeline.book) == store.load_state(), seen[-1]
        assert Desk(store, Ticks()).head.version == 3
    assert line > 10


def test_a_desk_that_was_broken_in_on_reads_anew_before_it_stages(store, monkeypatch):
    desk = Desk(store, Ticks())
    staged = desk.stage(entries(BUY))

    def broken(_):
        raise MemoryError

    def away():
        raise StoreDown("away")

    with monkeypatch.context() as patch:
        patch.setattr(desk.timeline, "land", broken)
        patch.setattr(store, "load_state", away)
        with pytest.raises(MemoryError):
            desk.commit(staged)
    desk.submit(entries(SELL))
    assert projection.cells(desk.timeline.book) == store.load_state()
    assert desk.head == store.head()
