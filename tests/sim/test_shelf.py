"""A line to a store fails only as stores do: whole, in a way that has a name, and never back in
time."""

from contextlib import suppress
from random import Random

import pytest

from bursar.errors import OutcomeUnknown, StoreBusy, StoreCorrupt, StoreError, StoreFull
from bursar.ledger import journal
from bursar.sim.faults import Fault, Weather
from bursar.sim.shelf import Crash, Line, Shelf
from bursar.store import MemoryStore
from tests.contract.samples import commit


@pytest.fixture
def shelf():
    return Shelf(lambda steps: MemoryStore(steps=steps), lambda *_: None)


def line(shelf, *faults, seed=1, rate=1.0):
    weather = Weather(Random(0))
    weather.rates = dict.fromkeys(Fault, 0.0) | dict.fromkeys(faults, rate)
    return Line(shelf, weather, Random(seed))


def write(on, *names):
    return on.commit(commit(on.shelf.heads[-1], *names, cells={"n": names[0]}))


def test_a_line_without_faults_is_the_store(shelf):
    plain = line(shelf)
    head = write(plain, "a", "b")
    assert (head.version, head.seq) == (1, 2)
    assert plain.head() == shelf.store.head() == shelf.heads[-1] == head
    assert list(plain.records(1)) == list(shelf.store.records(1))
    assert plain.load_state() == {"n": "a"}
    assert len(plain.outbox()) == 1


@pytest.mark.parametrize(
    "fault,error",
    [
        (Fault.BUSY, StoreBusy),
        (Fault.FAILED, StoreError),
        (Fault.LOST_REQUEST, OutcomeUnknown),
    ],
)
def test_what_fails_before_the_commit_writes_nothing(shelf, fault, error):
    broken = line(shelf, fault)
    for name in "abcdef":
        with pytest.raises(error):
            write(broken, name)
    assert shelf.store.head().version == 0
    assert not shelf.commits
    assert not broken.could_tell


def test_a_full_store_writes_nothing_until_there_is_room(shelf):
    plain = line(shelf)
    shelf.is_full = True
    with pytest.raises(StoreFull):
        write(plain, "a")
    shelf.is_full = False
    assert write(plain, "a").version == 1


def test_a_lost_reply_is_to_a_commit_that_landed(shelf):
    lossy = line(shelf, Fault.LOST_REPLY)
    with pytest.raises(OutcomeUnknown):
        write(lossy, "a")
    assert shelf.store.head().version == len(shelf.commits) == 1
    lossy.head()
    assert lossy.could_tell


def test_a_crash_leaves_all_of_a_commit_or_nothing(shelf):
    seen = set()
    for seed in range(20):
        before = shelf.store.head().version
        with pytest.raises(Crash):
            write(line(shelf, Fault.CRASH, seed=seed), f"n{seed}")
        landed = shelf.store.head().version - before
        assert len(list(shelf.store.records())) == shelf.store.head().seq == len(shelf.commits)
        seen.add(landed)
    assert seen == {0, 1}


def test_a_stale_reader_sees_one_older_version_whole_and_never_goes_back(shelf):
    plain, stale, seen, lagged = line(shelf), line(shelf, Fault.STALE, rate=0.5), 0, False
    for number in range(60):
        write(plain, f"n{number}")
        head = stale.head()
        assert head.version >= seen
        seen = head.version
        lagged |= seen <= number
        assert stale.shelf.cells_at(seen) == ({"n": f"n{seen - 1}"} if seen else {})
        assert len(list(stale.records())) >= head.seq
    assert lagged


def test_a_writer_sees_the_present_whatever_it_was_shown(shelf):
    plain, stale = line(shelf), line(shelf, Fault.STALE)
    write(plain, "a")
    assert stale.head().version == 0
    write(stale, "b")
    assert stale.head().version == 2


def test_a_garbled_row_does_not_verify_and_the_next_look_is_sound(shelf):
    garbling = line(shelf, Fault.GARBLED, rate=0.5)
    write(garbling, "a", "b")
    sound = 0
    for _ in range(20):
        garbling.has_garbled = False
        with suppress(StoreCorrupt):
            list(journal.check(garbling.records()))
            assert not garbling.has_garbled
            sound += 1
    assert 0 < sound < 20


def test_a_rival_is_let_in_between_two_looks(shelf):
    plain, overtaken = line(shelf), line(shelf, Fault.OVERTAKEN)
    names = iter("abcdef")
    overtaken.rival = lambda: write(plain, next(names))
    assert overtaken.head().version == 1
    assert len(list(overtaken.records())) == 2
    assert overtaken.load_state() == {"n": "c"}
