"""Shifts are kept with the trades of every store, and shown to those who ask for them."""

import pytest

from tests.contract.places import PLACES, opened
from tests.contract.samples import at, commit, trade


@pytest.fixture(params=PLACES)
def store(request):
    with opened(request.param, request) as place:
        yield place.open()


def test_shifts_stand_among_the_trades_for_those_who_ask_and_go_with_theirs(store):
    moved = trade("t1", 1, kind="shift0000", pair="XBT"), trade("t3", 3, kind="shift0001")
    store.append_trades([*(trade(f"t{n}", n) for n in range(3)), *moved])
    assert [t.trade_id for t in store.get_trades()] == ["t2", "t1", "t0"]
    assert [t.trade_id for t in store.get_trades(limit=2)] == ["t2", "t1"]
    assert store.get_trades(pair="XBT") == []
    kinds = [(t.trade_id, t.kind) for t in store.get_shifted(since=at(1))]
    assert kinds == [("t3", "shift0001"), ("t2", "trade"), ("t1", "trade"), ("t1", "shift0000")]
    store.commit(commit(store.head(), dropped_trades=("t1", "t3")))
    assert [t.trade_id for t in store.get_shifted()] == ["t2", "t0"]
