"""Openings of a pocket and of the whole, against a reckoning in fractions, told in any pieces."""

from fractions import Fraction
from random import Random

import pytest

from bursar.ledger import openings
from bursar.ledger.entries import CashFlow, Split, Transfer
from bursar.ledger.order import order_key
from tests.unit.ledger.samples import HOUR, MAIN, START, Pen, held, landed


def invented(rng, pen):
    """A few moves into and out of the account and its pocket, some in one instant."""
    facts = []
    for _ in range(rng.randint(2, 9)):
        quantity = rng.randint(1, 9)
        at = {"executed_at": START + rng.randint(0, 6) * HOUR}
        facts.append(
            rng.choice(
                [
                    lambda q=quantity, at=at: pen.flow("deposit", q, "XBT", **at),
                    lambda q=quantity, at=at: pen.flow("withdrawal", -q, "XBT", **at),
                    lambda q=quantity, at=at: pen.move(q, "XBT", MAIN, to_pocket="earn", **at),
                    lambda q=quantity, at=at: pen.move(q, "XBT", MAIN, pocket="earn", **at),
                    lambda q=quantity, at=at: pen.flow("reward", q, "XBT", pocket="earn", **at),
                    lambda q=quantity, at=at: pen.sell(q, "XBT", q, **at),
                ]
            )()
        )
    if rng.random() < 0.3:
        facts.append(pen.split("XBT", 2, 1, executed_at=START + 3 * HOUR + 1))
    rng.shuffle(facts)
    return facts


def reckoned(facts):
    """What pocket and rest lacked at the lowest, in first units; what is there, and the scale."""
    scale, total, inside = Fraction(1), Fraction(0), Fraction(0)
    low, low_inside = Fraction(0), Fraction(0)
    for place, fact in enumerate(facts, 1):
        if isinstance(fact, Split):
            scale, total, inside = scale * 2, total * 2, inside * 2
        elif isinstance(fact, Transfer):
            inside += Fraction(fact.quantity) * (1 if fact.to_pocket == "earn" else -1)
        elif isinstance(fact, CashFlow):
            total += Fraction(fact.amount)
            inside += Fraction(fact.amount) if fact.pocket == "earn" else 0
        else:
            total -= Fraction(fact.quantity)
        low = min(low, total / scale)
        if place == len(facts) or facts[place].executed_at != fact.executed_at:
            low_inside = min(low_inside, inside / scale)
    lacked = -low_inside
    return lacked, max(Fraction(0), -low - lacked), total, scale


@pytest.mark.parametrize("seed", range(200))
def test_each_is_opened_by_what_it_lacked_and_nothing_twice(seed):
    rng = Random(seed)
    facts = invented(rng, Pen())
    cut = rng.randint(0, len(facts))
    line = landed(*(part for part in (facts[:cut], facts[cut:]) if part))
    opened = {fact.id: Fraction(fact.amount) for fact in line if openings.is_opening(fact)}
    real = sorted((fact for fact in line if not openings.is_opening(fact)), key=order_key)
    pocket, rest, total, scale = reckoned(real)
    wanted = {f"opening:{MAIN}:earn:XBT": pocket, f"opening:{MAIN}:XBT": rest}
    assert opened == {name: each for name, each in wanted.items() if each}
    assert Fraction(held(line.book, "XBT")[0]) == total + (pocket + rest) * scale
