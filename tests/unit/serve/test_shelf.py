"""The shelf: deltas that add up to the whole, resuming, and clients that are too slow."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bursar.serve.shelf import KEPT, QUEUE_MAX, Client, Listed, Shelf, changed, published

NAMES = st.sampled_from(["XBTUSD", "ETHUSD", "SOLUSD"])
POSITION = st.fixed_dictionaries(
    {"symbol": NAMES, "side": st.sampled_from(["LONG", "SHORT"]), "size": st.integers(0, 3)}
)
VIEW = st.fixed_dictionaries(
    {
        "total": st.none() | st.integers(0, 3),
        "positions": st.lists(POSITION, max_size=4),
        "by_symbol": st.dictionaries(NAMES, st.none() | st.integers(0, 3)),
    }
)


def named(rows):
    """Positions by symbol, side and turn, as a client keeps them."""
    found = {}
    for row in rows:
        key = stem = f"{row['symbol']} {row['side']}"
        turn = 2
        while key in found:
            key, turn = f"{stem} #{turn}", turn + 1
        found[key] = row
    return found


def follow(view, delta):
    """What a client makes of a view and a delta, by the words of docs/API.md."""
    made = {
        **view,
        **{k: v for k, v in delta["set"].items() if k not in {"positions", "by_symbol"}},
    }
    table = {**view["by_symbol"], **delta["set"].get("by_symbol", {})}
    made["by_symbol"] = {
        key: each for key, each in table.items() if key not in delta["gone"].get("by_symbol", [])
    }
    return made


def listed(view):
    """A view as it is published: its positions are told apart by symbol and side."""
    rows = ((f"{each['symbol']} {each['side']}", each) for each in view["positions"])
    return {**view, "positions": Listed(rows)}


@given(VIEW, VIEW)
def test_a_view_and_its_delta_are_the_next_view(before, after):
    delta: Any = changed(listed(before), listed(after))
    made = follow(before, delta)
    assert (made["total"], made["by_symbol"]) == (after["total"], after["by_symbol"])
    old, new = named(before["positions"]), named(after["positions"])
    told = delta["set"].get("positions", [])
    assert sorted(map(str, told)) == sorted(
        str(row) for key, row in new.items() if old.get(key) != row
    )
    assert set(delta["gone"].get("positions", [])) == set(old) - set(new)


def view(total):
    return {"snapshot": {"total": total}}


def shelf_with(*totals):
    shelf, before = Shelf(), None
    for seq, total in enumerate(totals, 10):
        shelf.put(published(seq, 1, view(total), before))
        before = view(total)
    return shelf


def told(messages):
    return [(each["type"], each["seq"]) for each in map(json.loads, messages)]


def test_a_new_client_is_told_everything_first():
    shelf = shelf_with(1, 2, 3)
    assert told(shelf.enter(Client(None), None)) == [("portfolio.snapshot", 12)]


def test_a_client_that_comes_back_misses_nothing():
    shelf = shelf_with(1, 2, 3)
    assert told(shelf.enter(Client(None), 10)) == [
        ("portfolio.resumed", 10),
        ("portfolio.delta", 11),
        ("portfolio.delta", 12),
    ]
    assert told(shelf.enter(Client(None), 12)) == [("portfolio.resumed", 12)]


def test_a_client_of_another_time_is_told_everything_anew():
    shelf = shelf_with(*range(KEPT + 5))
    last = 10 + KEPT + 4
    for seq in (0, 10, last + 1):
        assert told(shelf.enter(Client(None), seq)) == [("portfolio.snapshot", last)]
    oldest = last - KEPT
    assert len(shelf.enter(Client(None), oldest)) == KEPT + 1


def test_a_client_that_does_not_keep_up_is_dropped_and_the_others_are_not():
    shelf, slow, quick = shelf_with(0), Client(None), Client(None)
    shelf.enter(slow, None)
    shelf.enter(quick, None)
    before = view(0)
    for seq in range(QUEUE_MAX + 1):
        shelf.put(published(11 + seq, 1, view(seq + 1), before))
        before = view(seq + 1)
        quick.queue.get_nowait()
    assert (slow.is_dropped.is_set(), slow.reason) == (True, 1013)
    assert slow.queue.qsize() == QUEUE_MAX  # bounded
    assert not quick.is_dropped.is_set()
    assert shelf.dropped == 1


def test_what_is_published_is_found_by_its_path():
    shelf = shelf_with(7)
    held = shelf.held["/api/portfolio/snapshot"]
    assert held.body == b'{"total":7}'
    assert dict(held.headers)[b"content-length"] == b"11"
    assert dict(held.headers)[b"etag"] == held.tag
