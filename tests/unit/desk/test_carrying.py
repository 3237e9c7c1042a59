"""A thread that is given one thing after another while its owner goes on."""

import threading
from contextlib import contextmanager
from functools import partial

import pytest

from bursar.desk.carrying import carrier


def test_it_does_all_in_its_thread_in_the_order_it_was_given():
    done: list[int] = []
    with carrier() as carried:
        for number in range(5):
            carried.hand(partial(done.append, number))
        assert carried.ask(lambda: list(done)) == [0, 1, 2, 3, 4]
        assert carried.ask(threading.get_ident) != threading.get_ident()


def test_the_owner_goes_on_while_one_is_under_way():
    held = threading.Event()
    with carrier() as carried:
        carried.hand(lambda: held.wait(5))
        held.set()  # else the next would wait in vain
        carried.settle()


def test_what_goes_wrong_is_raised_before_more_is_done():
    done: list[str] = []
    with carrier() as carried:
        carried.hand(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            carried.hand(lambda: done.append("more"))
        assert carried.ask(lambda: done) == []


@contextmanager
def heard(told, *, goes_on=False):
    told.append(("in", threading.get_ident()))
    try:
        yield
    except ZeroDivisionError as error:
        told.append((repr(error), threading.get_ident()))
        if not goes_on:
            raise
    else:
        told.append(("out", threading.get_ident()))


def test_a_block_is_entered_and_left_in_the_thread():
    told: list[tuple[str, int]] = []
    with carrier() as carried:
        there = carried.ask(threading.get_ident)
        with carried.within(heard(told)):
            carried.hand(lambda: told.append(("done", there)))
    assert told == [(what, there) for what in ("in", "done", "out")]


def hand(carried, told, deed, **how):
    with carried.within(heard(told, **how)):
        carried.hand(deed)


def test_what_goes_wrong_at_the_end_of_a_block_is_heard_by_it():
    told: list[tuple[str, int]] = []
    with carrier() as carried:
        with pytest.raises(ZeroDivisionError):
            hand(carried, told, lambda: 1 // 0)
        hand(carried, told, lambda: 1 // 0, goes_on=True)
    words = [word for word, _ in told]
    assert words == ["in", "ZeroDivisionError('integer division or modulo by zero')"] * 2
