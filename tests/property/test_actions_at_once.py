"""Corporate actions of one day say by their names in which order they were, whatever their ids."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import describe, golden, instant, planning
from bursar.ledger.planning import planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline
from bursar.measure.coins import in_order
from bursar.measure.trips import TripBook
from bursar.venue.alpaca.rows import Row
from bursar.venue.alpaca.statements import statements

CHANCE = st.randoms(use_true_random=False)
TERMS = Terms(base="USD")
BOUGHT = instant.parse("2026-01-05T10:00:00Z")
DAY = instant.parse("2026-02-27T00:00:00Z")


def story(chance):
    """A purchase of OLD, a merger of its shares and a new name in either order, and what is paid
    for the fraction; with ids by chance: the statements, what is left, and what is realised.
    """
    held, ratio = chance.randint(10, 99), chance.randint(2, 20)
    left = Decimal(held) / ratio
    left = left.quantize(Decimal("1.000000001"))
    fraction, price = left % 1, Decimal(chance.randint(1, 300))
    is_split_first = chance.random() < 0.5
    name, units = ("OLD", left) if is_split_first else ("NEW", Decimal(held))
    rows = [
        ("SPLIT", name, -Decimal(held), Decimal(0)),
        ("SPLIT", name, left, Decimal(0)),
        ("NC", "OLD", -units, Decimal(0)),
        ("NC", "NEW", units, Decimal(0)),
    ]
    if fraction:
        rows.append(("CIL", "NEW", -fraction, fraction * price))
    ids = chance.sample(range(100, 999), len(rows))
    told = [
        *golden.read(
            [f"2026-01-05T10:00:00Z buy {held} OLD for {held} USD fee 1 USD #alpaca:main:b"]
        )
    ]
    for number, (kind, symbol, quantity, amount) in zip(ids, rows, strict=True):
        row = Row(
            id=f"{number}", type=kind, at=DAY, symbol=symbol, quantity=quantity, amount=amount
        )
        told += statements(row)
    return told, left - fraction, fraction * price - held * fraction / left


def taken_in(chance, told):
    line = Timeline(TERMS)
    chance.shuffle(told)
    while told:
        count = chance.randint(1, 3)
        batch, told = told[:count], told[count:]
        line.land(planned(line, batch))
    return line


@given(CHANCE)
def test_names_tell_the_order_of_a_day(chance):
    told, left, made = story(chance)
    whole = planning.folded(TERMS, told)
    line = taken_in(chance, list(told))
    assert dict(line.book.holdings) == dict(whole.book.holdings)
    assert list(line) == list(whole)
    held = whole.book.holdings["alpaca:main", "NEW"]
    assert held.quantity == left
    realized = sum(cell.realized for cell in whole.book.cells.values())
    assert abs(realized + 1 - made) < Decimal("1e-15")


@given(CHANCE)
def test_round_trips_follow_the_same_order(chance):
    told, left, _ = story(chance)
    if not left:
        return
    told += golden.read([f"2026-03-05T10:00:00Z sell {left} NEW for 1 USD #alpaca:main:s"])
    line = taken_in(chance, told)
    records, _ = describe.retold(TERMS, line)
    book = TripBook({"OLD/USD": "OLD", "NEW/USD": "NEW"}, cash=TERMS.cash)
    book.follow(in_order(sorted(records, key=lambda each: each.time)))
    assert book.trips.open_fees == 0, "nothing is open"
    assert {trip.opened_at for trip in book.trips.trips} == {BOUGHT}


ACTIONS = """2026-01-05T10:00:00Z  buy  33 AAA  for 330 USD  #k:01
2026-01-06T00:00:00Z  row  split   -33 BBB   #k:12  source=ledger  group=k:q
2026-01-06T00:00:00Z  row  split   1.65 BBB  #k:13  source=ledger  group=k:q
2026-01-06T00:00:00Z  row  rename  -33 AAA   #k:14  source=ledger  group=k:t
2026-01-06T00:00:00Z  row  rename  33 BBB    #k:15  source=ledger  group=k:t
"""
AGAIN = """2026-01-07T00:00:00Z  void  k:14  #u:1
2026-01-08T00:00:00Z  void  u:1   #u:2
"""
FINER = """2026-01-06T00:00:00.5Z  row  rename  -33 AAA  #k:14  source=ledger  group=k:t
2026-01-06T00:00:00.5Z  row  rename  33 BBB   #k:15  source=ledger  group=k:t
"""


@given(CHANCE)
def test_an_action_that_stands_again_is_in_its_place(chance):
    told = list(golden.read((ACTIONS + AGAIN).splitlines()))
    whole, line = planning.folded(TERMS, told), taken_in(chance, list(told))
    assert list(line) == list(whole)
    assert line.book.holdings["k", "BBB"].quantity == Decimal("1.65")


@given(CHANCE)
def test_an_action_whose_time_turns_out_finer_is_none_of_that_instant(chance):
    told = list(golden.read((ACTIONS + FINER).splitlines()))
    whole, line = planning.folded(TERMS, told), taken_in(chance, list(told))
    assert list(line) == list(whole)
