"""What a transaction asks before it commits, and what it notes down, in every kind of store."""

from contextlib import suppress

import pytest

from bursar.errors import StaleVersion
from tests.contract.places import PLACES, opened
from tests.contract.samples import commit, contents


@pytest.fixture(params=PLACES)
def store(request):
    with opened(request.param, request) as place:
        yield place.open()


def test_where_it_stands_is_told_with_memos_and_announced_to_only_there(store):
    store.save_memos({"a": "1", "b": "2", "c": "3"})
    head = store.commit(commit(store.head(), "x"))
    assert store.standing([]) == (head, {})
    assert store.standing(["b", "none", "a"]) == (head, {"a": "1", "b": "2"})
    assert store.announce("a", "7", head.version)
    assert not store.announce("b", "8", head.version - 1)
    assert store.announce("new", "9", head.version)
    assert store.memos() == {"a": "7", "b": "2", "c": "3", "new": "9"}


def test_what_stands_inside_a_group_is_told_there_and_goes_with_it(store):
    head = store.head()
    with suppress(KeyError), store.grouped():
        now = store.commit(commit(head, "y"))
        store.save_memos({"a": "1"})
        assert store.announce("b", "1", now.version)
        assert store.standing(["a"]) == (now, {"a": "1"})
        raise KeyError
    assert store.standing(["a", "b"]) == (head, {})


def test_a_commit_that_was_given_up_for_lost_comes_no_more(store):
    announced = {"announced": "open a", "memos": {"open a": None}}
    store.announce("open a", "at 0", 0)
    head = store.commit(commit(store.head(), "a", **announced))
    assert store.memos() == {}
    before = contents(store)
    with pytest.raises(StaleVersion, match="given this commit up for lost"):
        store.commit(commit(head, "b", **announced))
    with pytest.raises(StaleVersion) as caught:
        store.commit(commit(head, "b", expected_version=0, **announced))
    assert caught.value.context == {"expected": 0, "actual": 1}
    assert contents(store) == before


def test_in_a_group_nobody_can_give_a_commit_up_for_lost(store):
    with store.grouped():
        store.announce("open a", "at 0", 0)
        head = store.commit(commit(store.head(), "a", announced="open a", memos={"open a": None}))
    assert (store.head(), store.memos()) == (head, {})
