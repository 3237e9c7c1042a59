"""A commit whose answer was lost: the desk asks by id, and waits for a server that is away."""

from itertools import count

import pytest

from bursar.desk import Desk
from bursar.errors import OutcomeUnknown, StaleVersion, StoreBusy, StoreDown
from bursar.ledger import golden
from bursar.store import MemoryStore

BUY = "2026-01-05T10:00:00Z buy 2 XBT @ 40000 USD fee 8 USD #k:1"
OTHER = "2026-01-05T11:00:00Z deposit 5 USD #k:2"


class Ticks:
    def __init__(self):
        self.ticks = count(1)

    def now(self):
        return next(self.ticks)


class Away:
    """A store that loses a commit's answer, then cannot be reached for a number of questions."""

    def __init__(self, *, kept=True, questions=0, fault=StoreDown, another=None):
        self.store = MemoryStore()
        self._kept, self._left, self._fault, self._another = kept, questions, fault, another
        self._lost = False

    def __getattr__(self, name):
        return getattr(self.store, name)

    def commit(self, commit):
        if self._lost:
            return self.store.commit(commit)
        self._lost = True
        if self._kept:
            self.store.commit(commit)
        if self._another:
            Desk(self.store, Ticks()).submit(entries(self._another))
        raise OutcomeUnknown

    def records(self, after=0):
        if self._lost and self._left:
            self._left -= 1
            raise self._fault
        return self.store.records(after)


def entries(line):
    return list(golden.read([line]))


@pytest.mark.parametrize("fault", [StoreDown, StoreBusy])
@pytest.mark.parametrize("questions", [0, 1, 8])
def test_a_server_that_comes_back_tells_what_happened(questions, fault):
    store = Away(questions=questions, fault=fault)
    waited: list[int] = []
    desk = Desk(store, Ticks(), wait=waited.append)
    assert desk.submit(entries(BUY)).version == 1
    assert desk.head == store.head()
    assert len(waited) == questions
    assert 5_000 <= sum(waited) <= 8_000 or questions < 8
    assert desk.submit(entries(OTHER)).version == 2


def test_a_server_that_stays_away_leaves_the_outcome_unknown():
    store = Away(questions=9)
    waited: list[int] = []
    desk = Desk(store, Ticks(), wait=waited.append)
    with pytest.raises(OutcomeUnknown, match="stays away"):
        desk.submit(entries(BUY))
    # It did happen. What was planned without knowing cannot be written twice.
    with pytest.raises(StaleVersion):
        desk.submit(entries(BUY))
    desk.reload()
    assert desk.submit(entries(BUY)).review.duplicates == 1
    assert store.head().version == 1


def test_without_a_way_to_wait_the_desk_asks_once():
    desk = Desk(Away(questions=1), Ticks())
    with pytest.raises(OutcomeUnknown, match="stays away"):
        desk.submit(entries(BUY))


def test_a_commit_is_found_although_another_came_after_it():
    store = Away(another=OTHER)
    desk = Desk(store, Ticks())
    assert desk.submit(entries(BUY)).version == 1
    with pytest.raises(StaleVersion):
        desk.submit(entries(BUY.replace("k:1", "k:3")))
    desk.reload()
    assert sorted(desk.timeline.facts) == ["k:1", "k:2"]


def test_another_commit_in_its_place_is_not_taken_for_it():
    store = Away(kept=False, another=OTHER)
    desk = Desk(store, Ticks())
    with pytest.raises(OutcomeUnknown, match="not in the journal"):
        desk.submit(entries(BUY))
    desk.reload()
    assert sorted(desk.timeline.facts) == ["k:2"]
