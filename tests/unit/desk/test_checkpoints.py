"""A desk that opens from a checkpoint: what it reads, what it refuses, when it reads it all."""

import sqlite3
from contextlib import closing

import msgspec
import pytest

from bursar.desk import Desk, desk, sketch, stage_over
from bursar.errors import StaleVersion, StoreBusy, StoreCorrupt, StoreDown
from bursar.ledger import checkpoint, copies, golden, planning, projection
from bursar.ledger.entries import Reversal
from bursar.store import MemoryStore, open_store
from tests.unit.desk.test_desk import Ticks

DAYS = 12


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Checkpoints after few facts."""
    monkeypatch.setattr(desk, "KEPT_AHEAD", 2)
    monkeypatch.setattr(planning, "SPACING", 1)
    monkeypatch.setattr(copies, "SPACING", 1)


def line(day, what="buy 1 XBT @ 100 USD", name=None):
    return f"2026-01-{day:02}T10:00:00Z {what} #k:main:{name or day}"


def entries(*lines):
    return list(golden.read(lines))


def filled(store):
    made = Desk(store, Ticks())
    for day in range(1, DAYS + 1):
        made.submit(entries(line(day)))
    return made


def reads(store):
    """Count the rows that opening reads."""
    seen = []

    class Counting:
        def __getattr__(self, name):
            return getattr(store, name)

        def records(self, after=0):
            for row in store.records(after):
                seen.append(row.seq)
                yield row

    opened = Desk(Counting(), Ticks())
    return opened, seen


def test_a_later_desk_reads_only_what_lies_ahead():
    store = MemoryStore()
    made = filled(store)
    opened, seen = reads(store)
    assert not opened.timeline.is_whole
    assert min(seen) >= DAYS - 5
    assert len(opened.timeline) == len(made.timeline)
    assert projection.digest(opened.timeline.book) == projection.digest(made.timeline.book)
    assert opened.timeline.last_trades() == made.timeline.last_trades()


def test_the_whole_timeline_is_read_when_it_is_asked_for():
    store = MemoryStore()
    made = filled(store)
    opened = Desk(store, Ticks())
    with pytest.raises(AssertionError, match="before the checkpoint"):
        list(opened.timeline)
    assert list(opened.whole()) == list(made.whole())
    assert opened.whole() is opened.timeline


def test_what_was_staged_before_the_whole_was_read_is_staged_again():
    store = MemoryStore()
    filled(store)
    opened = Desk(store, Ticks())
    staged = opened.stage(entries(line(20)))
    opened.whole()
    assert opened.commit(staged).version == DAYS + 1
    assert projection.digest(Desk(store, Ticks()).timeline.book) == projection.digest(
        opened.timeline.book
    )


@pytest.mark.parametrize("early", [False, True])
def test_what_is_sketched_may_reach_behind(early):
    store = MemoryStore()
    filled(store)
    made, _ = reads(store)
    behind, ahead = line(2, "sell 1 XBT @ 90 USD", "x"), line(DAYS + 1)
    first, more = (behind, ahead) if early else (ahead, behind)
    made.commit(stage_over(made, sketch(made, entries(first)), entries(more)))
    assert made.timeline.is_whole
    whole = Desk(MemoryStore(), Ticks())
    whole.submit(entries(*(line(day) for day in range(1, DAYS + 2)), behind))
    assert projection.cells(made.timeline.book) == projection.cells(whole.timeline.book)


@pytest.mark.parametrize("folding,landing", [(2, 2), (3, 3), (1_000, 3)])
def test_wherever_folds_are_kept_a_later_desk_goes_on_to_the_same_book(
    monkeypatch, folding, landing
):
    monkeypatch.setattr(planning, "SPACING", folding)
    monkeypatch.setattr(copies, "SPACING", landing)
    told = [
        line(day, f"{'sell' if day % 3 == 0 else 'buy'} 1 XBT @ 100 USD") for day in range(3, 28)
    ]
    told.insert(0, "2026-01-02T10:00:00Z row deposit 5 ADA balance 5 #k:main:row source=ledger")
    told.insert(12, "2026-01-13T11:00:00Z withdrawal 0.5 XBT #k:main:out")
    told.insert(14, "2026-01-14T11:00:00Z deposit 0.4 XBT #b:main:in")
    told.insert(15, "2026-01-14T12:00:00Z link k:main:out to b:main:in #u:1")
    store, whole = MemoryStore(), Desk(MemoryStore(), Ticks())
    made, checkpoints = Desk(store, Ticks()), set()
    for number, each in enumerate(told):
        if number % 4 == 0:
            made = Desk(store, Ticks())
        made.submit(entries(each))
        checkpoints.add(store.checkpoint())
    monkeypatch.setattr(desk, "KEPT_AHEAD", 10**9)
    whole.submit(entries(*told))
    opened = Desk(store, Ticks())
    assert not opened.timeline.is_whole
    assert len(checkpoints) > 2
    for each in (made, opened):
        assert projection.cells(each.timeline.book) == projection.cells(whole.timeline.book)


def test_another_writer_in_between_is_told_before_the_whole_is_read():
    store = MemoryStore()
    filled(store)
    one, other = Desk(store, Ticks()), Desk(store, Ticks())
    other.submit(entries(line(20)))
    with pytest.raises(StaleVersion, match=f"at version {DAYS + 1}, this desk is at {DAYS}"):
        one.whole()
    one.reload()
    assert list(one.whole()) == list(other.whole())


@pytest.mark.parametrize("question", ["checkpoint", "records", "load_state"])
@pytest.mark.parametrize("fault", [StoreDown, StoreCorrupt])
def test_a_desk_that_cannot_catch_up_writes_nothing_from_what_it_knew(monkeypatch, question, fault):
    store = MemoryStore()
    filled(store)
    one = Desk(store, Ticks())
    Desk(store, Ticks()).submit(entries(line(20)))
    with monkeypatch.context() as patch:

        def away(*_):
            raise fault("away")

        patch.setattr(store, question, away)
        with pytest.raises(fault):
            one.reload()
    before = store.head()
    with pytest.raises((StaleVersion, StoreCorrupt)):
        one.submit(entries(line(21)))
    assert store.head() == before


@pytest.mark.parametrize(
    "again",
    [line(2), line(2, "buy 2 XBT @ 100 USD"), line(2) + " strategy=trend"],
)
def test_a_fact_told_again_from_behind_is_judged_as_ever(again):
    whole, store = MemoryStore(), MemoryStore()
    one = filled(whole)
    one.whole()
    filled(store)
    for _ in range(2):
        other = Desk(store, Ticks())
        mine, theirs = one.submit(entries(again)), other.submit(entries(again))
        assert mine.review == theirs.review
    assert [row.body for row in store.records()] == [row.body for row in whole.records()]


def test_a_late_fact_takes_the_checkpoint_away_and_a_new_one_comes():
    store = MemoryStore()
    filled(store)
    before = store.checkpoint()
    opened = Desk(store, Ticks())
    opened.submit(entries(line(1, "buy 1 XBT @ 50 USD", "early")))
    assert opened.timeline.is_whole
    assert store.checkpoint() not in (None, before)
    assert Desk(store, Ticks()).timeline.book.held("k:main", "XBT").quantity == DAYS + 1


def test_a_note_that_waits_for_its_fact_makes_the_next_opening_read_everything():
    store = MemoryStore()
    made = filled(store)
    made.submit(entries("2026-01-25T00:00:00Z tag k:main:later #bot:1 strategy=trend"))
    opened = Desk(store, Ticks())
    assert opened.timeline.is_whole
    opened.submit(entries(line(26, name="later")))
    key = ("k:main", "XBT", "XBT/USD", "trend", "")
    assert opened.timeline.book.cells[key].size == 1


def test_a_link_whose_ends_are_not_known_yet_ties_no_seconds():
    store = MemoryStore()
    made = Desk(store, Ticks())
    made.submit(entries("2026-01-01T00:00:00Z link k:main:out to k:main:in #bot:1"))
    for day in range(1, DAYS + 1):
        made.submit(entries(line(day)))
    assert store.checkpoint() is not None


def test_a_checkpoint_that_cannot_be_written_is_no_failure(monkeypatch):
    store = MemoryStore()

    def busy(_checkpoint, _version):
        raise StoreBusy

    monkeypatch.setattr(store, "save_checkpoint", busy)
    assert filled(store).head.version == DAYS
    assert store.checkpoint() is None
    assert Desk(store, Ticks()).timeline.is_whole


@pytest.mark.parametrize("fault", [StoreDown, StoreCorrupt])
def test_a_commit_that_happened_never_fails_for_its_checkpoint(monkeypatch, fault):
    store = MemoryStore()

    def away(_time):
        raise fault

    monkeypatch.setattr(store, "row_before", away)
    made = filled(store)
    assert made.head == store.head()
    assert made.head.version == DAYS
    assert store.checkpoint() is None


def test_no_checkpoint_divides_a_second():
    store = MemoryStore()
    made = Desk(store, Ticks())
    for count in range(DAYS):
        made.submit(entries(line(1, name=f"n{count}")))
    assert store.checkpoint() is None


def changed(path, statement):
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE checkpoints SET body = replace(body, '100', '101')",
        "UPDATE checkpoints SET seq = seq - 1",
        "UPDATE journal SET body = replace(body, '100', '101') WHERE seq = 11",
        "UPDATE journal SET hash = 'x' WHERE seq = (SELECT seq FROM checkpoints)",
        "DELETE FROM journal WHERE seq = (SELECT seq FROM checkpoints)",
        "DELETE FROM journal WHERE seq = 12",
        "DELETE FROM cells WHERE name LIKE '%XBT%'",
    ],
)
def test_damage_to_the_checkpoint_or_what_lies_ahead_is_found_at_opening(tmp_path, damage):
    store = open_store(tmp_path / "book.db")
    filled(store)
    store.close()
    changed(tmp_path / "book.db", damage)
    store = open_store(tmp_path / "book.db")
    with pytest.raises(StoreCorrupt):
        Desk(store, Ticks())
    store.close()


def test_damage_that_lies_behind_is_found_when_the_whole_is_read(tmp_path):
    store = open_store(tmp_path / "book.db")
    filled(store)
    store.close()
    changed(tmp_path / "book.db", "UPDATE journal SET body = replace(body, '100', '9') WHERE seq=2")
    store = open_store(tmp_path / "book.db")
    opened = Desk(store, Ticks())
    with pytest.raises(StoreCorrupt, match="row 2"):
        opened.whole()
    with pytest.raises(StoreCorrupt, match="writing has stopped"):
        opened.submit(entries(line(20)))
    store.close()


def test_a_checkpoint_of_other_words_is_corrupt():
    store = MemoryStore()
    made = filled(store)
    kept = store.checkpoint()
    assert kept is not None
    store.save_checkpoint(
        msgspec.structs.replace(kept, body=f'{{"format": {checkpoint.FORMAT}, "time": 1}}'),
        made.head.version,
    )
    with pytest.raises(StoreCorrupt, match="cannot be read"):
        Desk(store, Ticks())


def test_a_checkpoint_of_another_fold_is_no_use():
    store = MemoryStore()
    made = filled(store)
    kept = store.checkpoint()
    assert kept is not None
    older = kept.body.replace(f'"format":{checkpoint.FORMAT}', '"format":0')
    assert older != kept.body
    store.save_checkpoint(msgspec.structs.replace(kept, body=older), made.head.version)
    assert Desk(store, Ticks()).timeline.is_whole


def test_a_note_told_in_other_words_stays_what_it_was_in_a_checkpoint_too():
    def taken_back(day):
        return Reversal(
            id="hand:r",
            executed_at=entries(line(DAYS + 9))[0].executed_at,
            account="bursar:hand",
            target=f"k:main:{day}",
            void=True,
        )

    store = MemoryStore()
    made = filled(store)
    made.submit([*entries(*(line(DAYS + more) for more in range(1, 7))), taken_back(DAYS + 6)])
    kept = store.checkpoint()
    assert kept is not None
    assert "hand:r" in kept.body
    assert made.submit([taken_back(DAYS + 5)]).review.conflicts
    opened = Desk(store, Ticks())
    assert not opened.timeline.is_whole
    assert projection.digest(opened.timeline.book) == projection.digest(made.timeline.book)
    assert len(opened.timeline.notes.told()) == 1
    assert not opened.submit([taken_back(DAYS + 5)]).review.recorded
