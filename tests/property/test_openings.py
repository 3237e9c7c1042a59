"""Openings are the smallest that any order of what may be simultaneous still needs."""

from decimal import Decimal
from itertools import accumulate, groupby

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import openings
from bursar.ledger.terms import Method, Terms
from tests.unit.ledger.samples import MAIN, START, Pen, landed

MOVES = st.lists(
    st.tuples(
        st.integers(0, 3),  # instant
        st.integers(0, 2),  # the venue's sequence in it
        st.sampled_from(["buy", "sell", "deposit", "withdrawal"]),
        st.integers(1, 9),
        st.integers(0, 99),  # where its id sorts
    ),
    min_size=1,
    max_size=12,
)


def made(moves):
    pen, facts = Pen(), []
    for number, (at, sequence, deed, quantity, name) in enumerate(moves):
        common = {"executed_at": START + at, "sequence": sequence, "id": f"k:{name:02}-{number}"}
        if deed in {"buy", "sell"}:
            facts.append(getattr(pen, deed)(quantity, "XBT", quantity, **common))
        else:
            facts.append(pen.flow(deed, _signed(deed, quantity), "XBT", **common))
    return facts


def _signed(deed, quantity):
    return quantity if deed in {"buy", "deposit"} else -quantity


def needed(moves):
    """What must have been there: only the end of what may be simultaneous can prove it."""
    ordered = sorted(moves, key=lambda move: move[:2])
    ends = accumulate(
        sum(_signed(deed, quantity) for _, _, deed, quantity, _ in together)
        for _, together in groupby(ordered, key=lambda move: move[:2])
    )
    return Decimal(max(0, -min(ends)))


@given(MOVES, st.randoms(use_true_random=False), st.sampled_from(Method))
def test_an_opening_is_what_no_order_can_do_without(moves, chance, method):
    facts = made(moves)
    line = landed(
        *([fact] for fact in chance.sample(facts, len(facts))), under=Terms(method=method)
    )
    found = {fact.asset: fact.amount for fact in line if openings.is_opening(fact)}
    assert found.get("XBT", 0) == needed(moves)
    assert line.book.held(MAIN, "XBT").owed == ()
    assert landed(facts, under=Terms(method=method)).book.holdings == line.book.holdings
