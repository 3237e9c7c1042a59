"""The order of arrival does not matter, and neither does how often a statement arrives."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import checkpoint, copies, planning
from bursar.ledger.draft import drafted
from bursar.ledger.entries import CashFlow, Fill, Movement
from bursar.ledger.journal import Outcome
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from tests.auditor import histories
from tests.auditor.picture import digest, picture

CHANCE = st.randoms(use_true_random=False)
LENGTH = st.integers(1, 12)


def landed(terms, batches):
    line = Timeline(terms)
    for batch in batches:
        line.land(planned(line, batch))
        line.last_trades()  # kept from now on
    return line


def landed_in_steps(terms, batches, chance):
    """Land each batch in two steps: what the first part lacks is asked for before the second."""
    line = Timeline(terms)
    for batch in batches:
        cut = chance.randint(0, len(batch))
        draft = drafted(line, batch[:cut])
        draft.lacking()
        line.land(planned(line, batch[cut:], over=draft))
    return line


def assert_same(one, other):
    assert list(one) == list(other)
    assert one.last_trades() == other.last_trades() == checkpoint.last_trades(one)
    if digest(one.book) != digest(other.book):
        assert picture(one.book) == picture(other.book)


def coarser(entry):
    """The same statement as an export tells it: whole seconds, nothing beside the amounts."""
    changes = {"executed_at": entry.executed_at - entry.executed_at % histories.SECOND}
    if isinstance(entry, Fill):
        changes |= {"strategy": None, "regime": None, "order_id": None}
    if isinstance(entry, Movement):
        changes |= {"balance": None}
    return msgspec.structs.replace(entry, **changes)


@given(CHANCE, LENGTH)
def test_any_permutation_in_any_batches_gives_the_same_facts_and_book(chance, length):
    terms = histories.terms(chance)
    entries = histories.history(chance, length, terms)
    direct = landed(terms, [entries])
    shuffled = list(entries)
    chance.shuffle(shuffled)
    with pytest.MonkeyPatch.context() as patch:
        for module in (planning, copies):
            patch.setattr(module, "SPACING", chance.choice([1, 2, 3, 1_000]))
        batches = histories.batches(chance, shuffled)
        in_steps = chance.random() < 1 / 2
        line = landed_in_steps(terms, batches, chance) if in_steps else landed(terms, batches)
        assert_same(direct, line)


@given(CHANCE, LENGTH)
def test_two_sources_of_unlike_precision_may_come_in_either_order(chance, length):
    terms = histories.terms(chance)
    fine = histories.history(chance, length, terms)
    coarse = [coarser(each) for each in fine if isinstance(each, Movement | Fill | CashFlow)]
    mixed = fine + coarse
    chance.shuffle(mixed)
    direct = landed(terms, [fine])
    assert_same(direct, landed(terms, [fine, coarse]))
    assert_same(direct, landed(terms, [coarse, fine]))
    assert_same(direct, landed(terms, histories.batches(chance, mixed)))


@given(CHANCE, LENGTH, st.integers(1, 20))
def test_delivered_k_times_is_delivered_once(chance, length, times):
    terms = histories.terms(chance)
    entries = histories.history(chance, length, terms)
    repeated = entries * times if len(entries) * times <= 200 else entries * 2
    chance.shuffle(repeated)
    once = landed(terms, [entries])
    line, recorded = Timeline(terms), []
    for batch in histories.batches(chance, repeated):
        plan = planned(line, batch)
        recorded += plan.recorded
        line.land(plan)
    assert_same(once, line)
    keys = [key for key, _, _ in recorded]
    assert len(keys) == len(set(keys)) == len(entries)
    assert {outcome for _, outcome, _ in recorded} == {Outcome.RECORDED}


@given(CHANCE, LENGTH)
def test_the_journal_alone_rebuilds_the_book(chance, length):
    terms = histories.terms(chance)
    entries = histories.history(chance, length, terms)
    chance.shuffle(entries)
    line, recorded = Timeline(terms), []
    for batch in histories.batches(chance, entries):
        plan = planned(line, batch)
        recorded += plan.recorded
        line.land(plan)
    assert_same(line, landed(terms, [[entry for _, _, entry in recorded]]))
