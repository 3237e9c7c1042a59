"""Small parts of the service: pace, spelling, cursors, faults, tokens, health, logs."""

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar import errors
from bursar.desk.transactions import log as transactions
from bursar.errors import BadChoice, BrokenInvariant, BursarError, TokenNotFound
from bursar.portfolio.log import LOG
from bursar.serve import faults, logs, tokens
from bursar.serve.asking import Kind, Param, cursor, query_of, read_cursor
from bursar.serve.door import hear
from bursar.serve.health import Component, Word, components, for_strangers, whole
from bursar.serve.pace import Pace
from bursar.serve.publishing import State, Trouble
from bursar.serve.spelling import encode, etag, matches
from bursar.store import MemoryStore
from tests.unit.portfolio.places import Clock

MS = 1_000_000


# ------------------------------------------------------------------------------------------ pace


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=60))
def test_no_interval_has_two_publications_and_the_last_touch_is_never_lost(steps):
    pace, now, out, touched = Pace(250), 0, [], None
    for wait, is_touched in [*steps, (250, False), (250, False)]:
        due = pace.due_in(now)
        target = now + wait
        while due is not None and now + due <= target:  # it is published as soon as it is due
            now += due
            out.append(now)
            pace.published(now)
            due = pace.due_in(now)
        now = target
        if is_touched:
            pace.touch()
            touched = now
    assert all(later - earlier >= 250 for earlier, later in pairwise(out))
    assert touched is None or (out and out[-1] >= touched)


def test_the_first_touch_after_a_quiet_time_is_due_at_once():
    pace = Pace(250)
    assert pace.due_in(0) is None
    pace.touch()
    assert pace.due_in(5) == 0
    pace.published(5)
    assert pace.due_in(6) is None
    pace.touch()
    assert pace.due_in(105) == 150
    assert pace.due_in(10_000) == 0


def test_publishing_takes_no_more_than_a_tenth_of_the_time():
    pace = Pace(250)
    pace.touch()
    pace.published(0)
    pace.took(100)
    pace.touch()
    assert pace.due_in(100) == 900
    pace.published(1_000)
    for hours in (1, 8, -8):  # the machine slept, or its clock was set
        pace.took(hours * 3_600 * 10**9)
        pace.touch()
        assert pace.due_in(1_000) == (30 * 10**9 if hours > 0 else 250)
    pace.took(1)  # it is quick again
    pace.touch()
    assert pace.due_in(1_000) == 250


def test_a_clock_that_was_set_back_keeps_no_publication_waiting():
    pace = Pace(250)
    pace.touch()
    pace.published(3_600_000)
    pace.touch()
    assert pace.due_in(1_000) == 0
    pace.published(1_000)
    pace.touch()
    assert pace.due_in(1_000) == 250


# -------------------------------------------------------------------------------------- spelling


class Answer(msgspec.Struct, tag="answer"):
    value: Decimal | None
    made_at: int
    of: tuple[Decimal, ...] = ()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18, max_value=10**18))
def test_a_number_is_written_whole_and_without_an_exponent(value):
    text = encode({"value": value}).decode()
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == {"value": value}
    assert "e" not in text.replace("value", "").lower()


def test_a_record_is_written_with_its_tag_and_its_instants_as_times():
    made = Answer(Decimal("1E-8"), 1_700_000_000_000_000_000, (Decimal("2.50"),))
    assert encode(made) == (
        b'{"type":"answer","value":0.00000001,"made_at":"2023-11-14T22:13:20Z","of":[2.5]}'
    )
    assert b'"value":"0.00000001"' in encode(made, as_text=True)
    assert encode(datetime(2026, 1, 5, 10, tzinfo=UTC)) == b'"2026-01-05T10:00:00Z"'


def test_what_has_no_spelling_is_our_own_mistake():
    with pytest.raises(TypeError, match="float has no spelling"):
        encode({"value": 0.1})


def test_tags_are_of_the_bytes():
    assert etag(b"a") == etag(b"a") != etag(b"b")
    assert matches(f'"x", W/{etag(b"a")}', etag(b"a"))
    assert matches("*", etag(b"a"))
    assert not matches("", etag(b"a"))


# ---------------------------------------------------------------------------------------- asking


@given(st.integers(0, 2**62), st.text(max_size=20), st.text(max_size=20))
def test_a_cursor_comes_back_as_it_was(at, one, other):
    assert read_cursor(cursor(at, one, other)) == (at, one, other)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_cursors(text):
    try:
        found = read_cursor(text)
    except BadChoice:
        return
    assert len(found) == 3


def test_a_count_is_read_strictly():
    params = (Param("limit", "how many", Kind.COUNT, default="100"),)
    assert query_of([], params).count("limit") == 100
    assert query_of([("limit", "500")], params).count("limit") == 500
    for wrong in ("0", "501", "-1", "1.0", "²", "9" * 50):
        with pytest.raises(BadChoice, match="limit"):
            query_of([("limit", wrong)], params).count("limit")


def test_headers_are_heard_once():
    heard = hear([(b"host", b"h"), (b"origin", b"o"), (b"x-other", b"x"), (b"x-request-id", b"i")])
    assert (heard.host, heard.origin, heard.request_id, heard.bearer) == (b"h", b"o", b"i", b"")


# ---------------------------------------------------------------------------------------- faults


def kinds(kind=BursarError):
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from kinds(child)


@pytest.mark.parametrize("kind", [*kinds(), BrokenInvariant], ids=lambda kind: kind.code)
def test_every_error_has_a_status_and_a_body(kind):
    error = kind("what to do", place="here", amount=Decimal(1))
    status = faults.status(error)
    assert 400 <= status < 600
    told = json.loads(faults.answer(error))["error"]
    assert told == {
        "code": kind.code,
        "message": "what to do",
        "context": {"place": "here", "amount": "1"},
    }
    carried = errors.StoreError | errors.VenueError | errors.BusError | BrokenInvariant
    is_ours = isinstance(error, carried)
    assert (status >= 500) is (
        is_ours or kind in {BursarError, errors.NotInstalled, errors.ServiceBusy}
    )


def test_what_nobody_foresaw_tells_nothing():
    told = faults.answer(ValueError("password=hunter2"))
    assert faults.status(ValueError("x")) == 500
    assert b"hunter2" not in told


# ---------------------------------------------------------------------------------------- tokens


def test_a_token_is_shown_once_and_kept_as_its_hash():
    store, clock = MemoryStore(), Clock()
    told = tokens.new(store, clock, "bot", "read")
    assert told.startswith("bursar_")
    assert len(told) > 40
    (memo,) = store.memos("token ").values()
    assert told not in memo
    ring = tokens.ring(store)
    found = ring.bearer(b"Bearer " + told.encode())
    assert found is not None
    assert (found.name, found.scope) == ("bot", tokens.Scope.READ)
    assert ring.bearer(b"Bearer " + told.encode()[:-1]) is None
    assert told not in repr(ring)
    tokens.revoke(store, "bot")
    assert len(tokens.ring(store)) == 0
    with pytest.raises(TokenNotFound):
        tokens.revoke(store, "bot")


def test_a_token_needs_a_name_of_its_own_and_a_scope_that_there_is():
    store, clock = MemoryStore(), Clock()
    tokens.new(store, clock, "bot", "write")
    for name, scope in (("bot", "read"), ("a b", "read"), ("", "read"), ("other", "admin")):
        with pytest.raises(BadChoice):
            tokens.new(store, clock, name, scope)


# ---------------------------------------------------------------------------------------- health

FINE = State(published_at=1, version=3, seq=1)


def test_the_whole_is_as_its_worst_part():
    parts = {"a": Component(Word.OK), "b": Component(Word.DEGRADED, "old")}
    assert whole(parts, version="1", portfolio_version=1, now=1).status is Word.DEGRADED
    parts["c"] = Component(Word.DOWN, "gone")
    found = whole(parts, version="1", portfolio_version=1, now=1)
    assert found.status is Word.DOWN
    assert all(each.reason is None for each in for_strangers(found).components.values())


def test_strangers_hear_of_no_account():
    parts = {
        "store": Component(Word.OK),
        "kraken:main": Component(Word.DEGRADED, "books and venue do not agree"),
        "kraken:savings": Component(Word.OK),
        "alerts:mail": Component(Word.DEGRADED, "mail.example is away"),
        "alerts:webhook": Component(Word.OK),
    }
    found = for_strangers(whole(parts, version="1", portfolio_version=1, now=1))
    assert {name: (each.status, each.reason) for name, each in found.components.items()} == {
        "store": (Word.OK, None),
        "venues": (Word.DEGRADED, None),
        "alerts": (Word.DEGRADED, None),
    }
    assert (found.status, found.version) == (Word.DEGRADED, None)


@pytest.mark.parametrize(
    "state,part,word",
    [
        (State(), "publication", Word.DOWN),
        (FINE, "prices", Word.DOWN),
        (msgspec.structs.replace(FINE, halted="the books do not close"), "book", Word.DOWN),
        (msgspec.structs.replace(FINE, trouble=Trouble("store_down", "x", 1)), "store", Word.DOWN),
        (
            msgspec.structs.replace(FINE, trouble=Trouble("store_busy", "x", 1)),
            "store",
            Word.DEGRADED,
        ),
        (
            msgspec.structs.replace(FINE, trouble=Trouble("internal", "x", 1)),
            "publication",
            Word.DEGRADED,
        ),
    ],
)
def test_a_part_says_how_it_stands(state, part, word):
    assert components(state, is_alive=True, now=2)[part].status is word


def test_what_is_old_is_said():
    parts = components(FINE, is_alive=False, now=10**12)
    assert parts["publication"].status is Word.DEGRADED
    assert parts["keeper"].status is Word.DOWN


# ------------------------------------------------------------------------------------------ logs


def test_a_log_line_is_json_and_tells_no_secret():
    made = tokens.new(MemoryStore(), Clock(), "bot", "read")
    record = logging.LogRecord("x", logging.INFO, "", 0, f"asked with {made}", (), None)
    told = json.loads(logs.JsonLines().format(record))
    assert (told["logger"], told["level"], told["event"]) == ("x", "info", "asked with ***")
    record = logging.LogRecord("x", logging.INFO, "", 0, '{"event":"REQUEST","ms":1}', (), None)
    assert json.loads(logs.JsonLines().format(record))["event"] == "REQUEST"
    assert logs.hushed("postgresql://me:pass@db/x") == "postgresql://***db/x"


def test_a_money_event_has_its_fields_in_the_line(caplog):
    LOG.warning("PORTFOLIO_DRIFT", account="kraken:main", assets=2)
    transactions.LOG.warning("PORTFOLIO_DISCARD: reason=stale", transaction="t-1", version=3)
    drift, discard = (json.loads(logs.JsonLines().format(each)) for each in caplog.records)
    assert (drift["event"], drift["account"], drift["assets"]) == (
        "PORTFOLIO_DRIFT",
        "kraken:main",
        2,
    )
    assert drift["level"] == "warning"
    assert (discard["transaction"], discard["version"]) == ("t-1", 3)
    assert set(discard) == {"time", "logger", "level", "event", "transaction", "version"}
