"""Ctrl-C while modules load: heard, and heeded when they are there."""

import signal
from threading import Thread

import pytest

from bursar.cli import loading


@pytest.fixture(autouse=True)
def stops():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_loads_is_loaded_to_its_end_and_then_it_stops():
    done = []

    def stopped():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")

    with pytest.raises(KeyboardInterrupt), loading.unbroken():
        stopped()
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def refused():
    signal.raise_signal(signal.SIGINT)
    raise ImportError


def test_what_fails_is_told_before_the_stop():
    with pytest.raises(ImportError), loading.unbroken():
        refused()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_it_is_ignored_it_stays_so_and_other_threads_do_without():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with loading.unbroken():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)
    done = []

    def load():
        with loading.unbroken():
            done.append(signal.getsignal(signal.SIGINT))

    thread = Thread(target=load)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]
