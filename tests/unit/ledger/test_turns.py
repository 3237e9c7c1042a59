"""Since when more is other than before than what stands at the end."""

from bursar.ledger.turns import BEGINNING, REMEMBERED, Turns


def test_the_earliest_instant_since_a_turn_is_told():
    turns = Turns()
    first = turns.last
    assert turns.since(first) is None
    turns.turn(50)
    second = turns.last
    turns.turn(30)
    turns.turn(40)
    assert (turns.since(first), turns.since(second), turns.since(turns.last)) == (30, 30, None)


def test_what_nobody_remembers_is_everything():
    turns = Turns()
    first = turns.last
    assert (turns.since(None), Turns().since(first)) == (BEGINNING, BEGINNING)
    for at in range(REMEMBERED):
        turns.turn(at)
    assert turns.since(first) == BEGINNING
    turns.turn()
    assert turns.since(None) == BEGINNING


def test_copies_go_their_own_ways():
    turns = Turns()
    other, first = turns.copy(), turns.last
    turns.turn(5)
    assert (turns.since(first), other.since(first), other.since(turns.last)) == (5, None, BEGINNING)
