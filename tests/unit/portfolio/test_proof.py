"""The proof while others write, and what it stops where something is wrong."""

import pytest

import bursar
from bursar.errors import StoreBusy, StoreCorrupt
from bursar.ledger import golden, journal
from bursar.ports import Outbox
from tests.contract.samples import commit, snapshot


def deposit(number):
    return list(golden.read([f"2026-01-05T10:00:00Z deposit 1 USD #k:{number}"]))


@pytest.fixture(params=["memory", "sqlite"])
def book(request, tmp_path):
    place = ":memory:" if request.param == "memory" else tmp_path / "book.db"
    with bursar.open(place) as book:
        book.record(*deposit(1))
        yield book


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "book.db"
    with bursar.open(path) as book:
        book.record(*deposit(1))
    return path


def test_every_check_says_what_it_saw(book):
    book.desk.store.save_snapshot(snapshot())
    found = book.verify()
    assert found.is_sound
    seen = {check.name: check.seen for check in found.checks}
    assert list(seen) == [
        "journal",
        "projection",
        "memory",
        "records",
        "store",
        "books",
        "lots",
        "marks",
    ]
    assert seen["store"] == "as written: messages 1, snapshots 1, memos 1"


def test_a_commit_of_another_process_is_no_fault(path):
    with bursar.open(path) as book, bursar.open(path) as other:
        other.record(*deposit(2))
        found = book.verify()
        assert found.is_sound
        assert found.rows == 2
        assert book.record(*deposit(3)).version == 3


def test_a_commit_in_the_middle_of_a_proof_makes_it_look_again(path, monkeypatch):
    with bursar.open(path) as book, bursar.open(path) as other:
        real, left = book.desk.store.get_shifted, [2, 3]

        def meanwhile():
            if left:
                other.record(*deposit(left.pop()))
            return real()

        monkeypatch.setattr(book.desk.store, "get_shifted", meanwhile)
        found = book.verify()
        assert found.is_sound
        assert found.rows == 3


def test_a_proof_between_commits_without_end_gives_up_and_stops_nothing(path, monkeypatch):
    with bursar.open(path) as book, bursar.open(path) as other:
        real = book.desk.store.get_shifted

        def meanwhile():
            other.record(*deposit(other.desk.head.seq + 1))
            return real()

        monkeypatch.setattr(book.desk.store, "get_shifted", meanwhile)
        with pytest.raises(StoreBusy):
            book.verify()
        book.desk.reload()
        assert book.record(*deposit(99)).review.recorded == 1


def test_any_fault_stops_the_desk_and_no_reload_lifts_it(book):
    book.desk.store.save_state({**book.desk.store.load_state(), '["sleeves", "grid"]': '"1"'})
    found = book.verify()
    assert found.faults == (
        'the stored projection is not the fold of the journal: ["sleeves", "grid"]',
    )
    for _ in range(2):
        with pytest.raises(StoreCorrupt, match="writing has stopped"):
            book.record(*deposit(2))
        with pytest.raises(StoreCorrupt):
            book.desk.reload()
    assert book.desk.store.head().version == 1


def test_a_commit_that_left_no_message_is_found(path, monkeypatch):
    with bursar.open(path) as book:
        store = book.desk.store
        empty = commit(store.head(), outbox=Outbox("x", "portfolio.changed", "{}"))
        store.commit(empty)
        assert book.verify().is_sound  # a commit without rows is one, too
        book.desk.head = store.head()
        monkeypatch.setattr(store, "outbox", list)
        assert book.verify().faults == ("2 commits left 0 messages: one each was written",)


def test_a_journal_that_ends_elsewhere_than_its_head_says_is_found(book, monkeypatch):
    store = book.desk.store
    (row,) = store.records()
    told = [(journal.key(each), row.outcome, each) for each in deposit(2)]
    (more,) = journal.chain(told, head=row.hash, seq=row.seq, at=7)
    for rows, said in (
        ([], "ends at row 0, its head says row 1"),
        ([row, more], "ends at row 2, its head says row 1"),
        (list(journal.chain(told, head=journal.GENESIS, seq=0, at=7)), "of another hash"),
    ):
        monkeypatch.setattr(store, "records", lambda rows=rows: iter(rows))
        assert said in book.verify().faults[0]
