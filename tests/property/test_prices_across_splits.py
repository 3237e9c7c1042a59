"""Recorded prices and splits in one window: what things were worth does not depend on the order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.errors import Behind
from bursar.ledger import copies, golden, planning
from bursar.ledger.cutting import checkpoint_behind
from bursar.ledger.draft import drafted
from bursar.ledger.planning import planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline

CHANCE = st.randoms(use_true_random=False)
TERMS = Terms(base="USD")


def at(chance, first, last):
    return f"2026-01-0{chance.randint(first, last)}T{chance.randint(0, 23):02}:00:00Z"


def told(chance):
    """Prices, splits (some taken back, some of those again), and gifts of few days and coins."""
    lines = [f"{at(chance, 1, 3)} price C {chance.randint(1, 90)} USD #p:9"]
    for name in range(chance.randint(1, 3)):
        value = f"{chance.randint(1, 90)} {chance.choice(['USD', 'USD', 'C'])}"
        lines.append(f"{at(chance, 1, 3)} price {chance.choice('AB')} {value} #p:{name}")
    for name in range(chance.randint(1, 2)):
        units = f"{chance.randint(2, 4)} for 1"
        lines.append(f"{at(chance, 1, 3)} split {chance.choice('ABC')} {units} #k:s{name}")
        if chance.random() < 0.4:
            lines.append(f"{at(chance, 5, 5)} void k:s{name} #u:{name}")
            if chance.random() < 0.4:
                lines.append(f"{at(chance, 6, 6)} void u:{name} #u:v{name}")
    for name in range(chance.randint(1, 4)):
        quantity = chance.randint(1, 9)
        lines.append(f"{at(chance, 1, 4)} reward {quantity} {chance.choice('ABC')} #k:g{name}")
    return list(golden.read(lines))


def worths(line):
    return {name: (getattr(fact, "value", None), fact.flags) for name, fact in line.facts.items()}


@given(CHANCE)
def test_worths_are_the_same_in_any_order_and_in_any_parts(chance):
    entries = told(chance)
    whole = planning.folded(TERMS, entries)
    chance.shuffle(entries)
    line = Timeline(TERMS)
    while entries:
        count = chance.randint(1, 3)
        batch, entries = entries[:count], entries[count:]
        if chance.random() < 0.3:
            draft = drafted(line, batch[:1])
            draft.lacking()
            line.land(planned(line, batch[1:], over=draft))
        else:
            line.land(planned(line, batch))
    assert worths(line) == worths(whole)
    assert dict(line.book.holdings) == dict(whole.book.holdings)


@given(CHANCE)
def test_a_line_that_begins_at_a_checkpoint_finds_the_same_worths(chance):
    entries = sorted(told(chance), key=lambda each: each.executed_at)
    cut = chance.randint(1, len(entries))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "SPACING", 1)
        line = Timeline(TERMS)
        for entry in entries[:cut]:
            line.land(planned(line, [entry]))
        start = checkpoint_behind(line, 1)
    if start is None:
        return
    rest = [each for each in entries if not start.is_behind(each.executed_at)]
    on = Timeline(TERMS, start)
    for entry in rest:
        try:
            plan = planned(on, [entry])
        except Behind:
            return
        on.land(plan)
    found, whole = worths(on), worths(planning.folded(TERMS, entries))
    assert found == {name: whole[name] for name in found}
