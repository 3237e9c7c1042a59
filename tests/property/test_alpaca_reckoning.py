"""The books of an account at Alpaca are what a small reckoning in fractions says, however told."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger.planning import planned
from bursar.ledger.terms import Account, Method, Terms
from bursar.ledger.timeline import Timeline
from bursar.venue.alpaca.statements import statements
from tests.property.alpaca_reckoning import Reckoning

CHANCE = st.randoms(use_true_random=False)
NAME = "alpaca:main"
CLOSE = Fraction(1, 10**12)


def told(chance, rows, terms):
    """Rows in any order, in parts, some of them told again."""
    line, rows = Timeline(terms), [*rows, *chance.sample(rows, len(rows) // 2)]
    chance.shuffle(rows)
    while rows:
        count = chance.randint(1, len(rows))
        said = [each for row in rows[:count] for each in statements(row)]
        line.land(planned(line, said))
        rows = rows[count:]
    return line


@pytest.mark.parametrize("rule", ["wac", "fifo", "lifo"])
@given(CHANCE)
def test_the_books_are_what_fractions_say(rule, chance):
    due = Reckoning(chance, rule)
    due.live(chance.randint(4, 16))
    short = (Account(NAME, may_short=True),)
    book = told(chance, due.rows, Terms(base="USD", method=Method(rule), accounts=short)).book
    assert book.owned(NAME, "USD") == due.cash
    names = {asset for _, asset in book.holdings} - {"USD"}
    for name in names | due.quantity.keys():
        held = book.held(NAME, name)
        assert held.quantity == due.quantity.get(name, 0)
        assert abs(Fraction(held.cost) - due.cost.get(name, 0)) < CLOSE
    realized = sum(Fraction(cell.realized) for cell in book.cells.values())
    assert abs(realized - due.realized) < CLOSE
    flows = {"income": Fraction(0), "fee": Fraction(0)}
    for (_, kind, _, _), flow in book.flows.items():
        flows["fee" if kind == "fee" else "income"] += (
            Fraction(flow.value) if kind in {"fee", "dividend", "interest"} else 0
        )
    assert flows == {"income": due.income, "fee": -due.fees}
