"""The part of the store's contract that lets a portfolio open without its whole journal."""

from contextlib import suppress
from threading import Thread

import msgspec
import pytest
from sqlalchemy.exc import InvalidRequestError

from bursar.errors import KeyReused, StaleVersion
from bursar.ledger import journal
from bursar.ledger.journal import Outcome
from bursar.ledger.terms import Method, Terms
from bursar.ports import StoredCheckpoint
from tests.contract.places import PLACES, opened
from tests.contract.samples import commit, contents, statement


@pytest.fixture(params=PLACES)
def place(request):
    with opened(request.param, request) as place:
        yield place


@pytest.fixture
def store(place):
    return place.open()


def timed(name, at, **changes):
    return msgspec.structs.replace(statement(name), executed_at=at, **changes)


def told(store, *entries, outcome=Outcome.RECORDED, **parts):
    """Commit entries as one commit."""
    head = store.head()
    rows = [(journal.key(entry), outcome, entry) for entry in entries]
    chained = tuple(journal.chain(rows, head=head.hash, seq=head.seq, at=7))
    return store.commit(commit(head, records=chained, **parts))


def kept(store, time=10, body="{}"):
    return StoredCheckpoint(time, store.head().seq, store.head().hash, body)


def test_there_is_no_checkpoint_until_one_is_kept(store):
    assert store.checkpoint() is None
    head = told(store, timed("a", 1))
    assert store.save_checkpoint(kept(store), head.version)
    assert store.checkpoint() == kept(store)


def test_a_checkpoint_replaces_the_one_before(store):
    head = told(store, timed("a", 1))
    store.save_checkpoint(kept(store), head.version)
    store.save_checkpoint(kept(store, 11, '{"n": 1.2300}'), head.version)
    assert store.checkpoint() == kept(store, 11, '{"n": 1.2300}')


def test_a_checkpoint_of_another_version_is_not_kept(store):
    head = told(store, timed("a", 1))
    told(store, timed("b", 2))
    assert not store.save_checkpoint(kept(store), head.version)
    assert store.checkpoint() is None


@pytest.mark.parametrize("back, stays", [(None, True), (11, True), (10, False), (3, False)])
def test_a_commit_that_reaches_behind_a_checkpoint_takes_it_away(store, back, stays):
    head = told(store, timed("a", 1))
    store.save_checkpoint(kept(store, 10), head.version)
    told(store, timed("b", 2), reaches_back_to=back)
    assert (store.checkpoint() is not None) is stays


def test_new_terms_take_the_checkpoint_away(store):
    head = told(store, timed("a", 1))
    store.save_checkpoint(kept(store, 10), head.version)
    told(store, timed("b", 20), terms=Terms(method=Method.FIFO), reaches_back_to=20)
    assert store.checkpoint() is None


def test_a_refused_commit_leaves_the_checkpoint(store):
    head = told(store, timed("a", 1))
    store.save_checkpoint(kept(store, 10), head.version)
    stale = msgspec.structs.replace(commit(head, "b"), expected_version=0, reaches_back_to=1)
    with pytest.raises(StaleVersion):
        store.commit(stale)
    assert store.checkpoint() is not None


def test_portfolios_do_not_see_each_others_checkpoints(place):
    one, other = place.open("one"), place.open("other")
    head = told(one, timed("a", 1))
    one.save_checkpoint(kept(one), head.version)
    told(other, timed("a", 1), reaches_back_to=0)
    assert other.checkpoint() is None
    assert one.checkpoint() is not None


def test_rows_are_recalled_by_fact_by_group_and_by_the_group_of_their_own_id(store):
    grouped = timed("leg", 2, group="kraken:main:trade")
    told(store, timed("a", 1), grouped, timed("b", 3))
    told(store, timed("late", 4), outcome=Outcome.CONFLICT)
    ids = ["kraken:main:a", "kraken:main:leg", "kraken:main:b", "kraken:main:late"]
    assert [row.seq for row in store.recall([], [])] == []
    assert [row.seq for row in store.recall(ids[:1], [])] == [1]
    assert [row.seq for row in store.recall(ids, [])] == [1, 2, 3, 4]
    assert [row.seq for row in store.recall([], ["kraken:main:trade", "nobody's"])] == [2]
    assert [row.seq for row in store.recall([], ids[2:])] == [3, 4]
    assert store.recall(ids[1:2], ["kraken:main:trade"])[0].entry() == grouped


def test_many_rows_are_recalled_each_once(store):
    names = [f"n{count}" for count in range(1_200)]
    told(store, *(timed(name, count) for count, name in enumerate(names)))
    ids = [f"kraken:main:{name}" for name in names]
    assert [row.seq for row in store.recall(ids, ids)] == list(range(1, 1_201))


def test_the_row_before_a_later_time(store):
    first = told(store, timed("a", 1), timed("b", 5), timed("c", 3))
    rows = list(store.records())
    assert store.row_before(0) == (0, journal.GENESIS)
    assert store.row_before(1) == store.row_before(4) == (1, rows[0].hash)
    assert store.row_before(5) == (3, first.hash)
    store.save_checkpoint(StoredCheckpoint(1, 1, rows[0].hash, "{}"), first.version)
    assert store.row_before(0) == (0, journal.GENESIS)
    assert store.row_before(2) == (1, rows[0].hash)


def test_commits_of_a_group_stand_together(store):
    with store.grouped():
        told(store, timed("a", 1))
        head = told(store, timed("b", 2), cells={"cash": "1"})
        assert store.head() == head
        assert [row.seq for row in store.recall(["kraken:main:a"], [])] == [1]
    assert store.head() == head
    assert [row.version for row in store.outbox()] == [1, 2]


def broken_off(store, **how):
    with store.grouped(**how):
        head = told(store, timed("b", 2), cells={"cash": "2"})
        store.save_checkpoint(kept(store), head.version)
        told(store, timed("a", 1))


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_group_that_breaks_off_leaves_nothing(store, is_whole):
    told(store, timed("a", 1), cells={"cash": "1"})
    before = contents(store)
    with pytest.raises(KeyReused, match="main:a' is in the journal"):
        broken_off(store, is_whole=is_whole)
    assert contents(store) == before
    assert store.checkpoint() is None
    told(store, timed("c", 3))


def test_a_commit_that_is_refused_inside_a_group_is_taken_back_alone(store):
    told(store, timed("a", 1))
    with store.grouped():
        told(store, timed("b", 2))
        with pytest.raises(KeyReused):
            told(store, timed("c", 3), timed("a", 1), cells={"cash": "9"})
        head = told(store, timed("d", 4))
    assert store.head() == head
    assert [row.entry().id[-1] for row in store.records()] == ["a", "b", "d"]
    assert store.load_state() == {}


def go_on_after_a_refusal(store):
    with store.grouped(is_whole=True):
        told(store, timed("b", 2))
        with suppress(KeyReused):
            told(store, timed("a", 1))


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_a_whole_group_is_over_with_the_first_that_is_refused(store):
    told(store, timed("a", 1))
    before = contents(store)
    with pytest.raises(InvalidRequestError, match="inactive"):
        go_on_after_a_refusal(store)
    assert contents(store) == before
    told(store, timed("c", 3))


def test_a_group_inside_a_group_is_a_part_of_it(store):
    with store.grouped():
        told(store, timed("a", 1))
        with store.grouped():
            told(store, timed("b", 2))
        head = told(store, timed("c", 3))
    assert store.head() == head
    assert [row.entry().id[-1] for row in store.records()] == ["a", "b", "c"]


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_what_another_thread_commits_is_no_part_of_a_group(store):
    other = Thread(target=told, args=(store, timed("c", 2)))

    def breaking_off():
        with store.grouped():
            told(store, timed("a", 1))
            other.start()
            told(store, timed("a", 1))

    with pytest.raises(KeyReused):
        breaking_off()
    other.join(timeout=60)
    assert [row.entry().id[-1] for row in store.records()] == ["c"]
