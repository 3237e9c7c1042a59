"""A desk that goes on from a checkpoint does what one does that has read the whole journal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.desk import Desk, desk
from bursar.errors import Oversold
from bursar.ledger import copies, planning, projection
from bursar.store import MemoryStore
from tests.auditor import histories
from tests.auditor.picture import digest, picture

CHANCE = st.randoms(use_true_random=False)
LENGTH = st.integers(1, 25)


class Ticks:
    """A clock that moves on by one each time it is asked."""

    def __init__(self):
        self.at = 0

    def now(self):
        self.at += 1
        return self.at


def told(desk_, batch):
    """Commit a batch and return all that was answered, or the refusal."""
    try:
        receipt = desk_.submit(batch)
    except Oversold as refusal:
        return type(refusal)
    return receipt


def nearly_in_order(chance, entries):
    """Mostly as things happened, with some of them late, some again."""
    late = [(at + chance.choice([0, 0, 0, 0, 1, 2, 9]), entry) for at, entry in enumerate(entries)]
    ordered = [entry for _, entry in sorted(late, key=lambda each: each[0])]
    again = [each for each in ordered if chance.random() < 0.2]
    for each in again:
        ordered.insert(chance.randint(0, len(ordered)), each)
    return ordered


@pytest.mark.slow("two desks for every example, asked everything")
@given(CHANCE, LENGTH)
def test_a_desk_from_a_checkpoint_answers_as_one_from_the_whole_journal(chance, length):
    terms = histories.terms(chance)
    entries = nearly_in_order(chance, histories.history(chance, length, terms))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "KEPT_AHEAD", 10**9)
        whole = Desk(MemoryStore(terms=terms), Ticks())
        spacing = chance.choice([1, 2, 3, 5])
        patch.setattr(planning, "SPACING", spacing)
        patch.setattr(copies, "SPACING", spacing)
        store = MemoryStore(terms=terms)
        other = Desk(store, Ticks())
        for batch in histories.batches(chance, entries):
            patch.setattr(desk, "KEPT_AHEAD", 10**9)
            answer = told(whole, batch)
            patch.setattr(desk, "KEPT_AHEAD", chance.choice([1, 2, 3]))
            assert told(other, batch) == answer
            assert store.load_state() == projection.cells(whole.timeline.book)
            if digest(other.timeline.book) != digest(whole.timeline.book):
                assert picture(other.timeline.book) == picture(whole.timeline.book)
            if chance.random() < 0.5:
                other = Desk(store, other.clock)
    assert list(store.records()) == list(whole.store.records())
    assert store.get_shifted() == whole.store.get_shifted()
    assert store.get_cash_flows() == whole.store.get_cash_flows()
    assert list(other.whole()) == list(whole.timeline)
