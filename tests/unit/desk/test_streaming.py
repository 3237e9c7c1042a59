"""Statements in order of time, committed as a stream: bounded memory, all of it or nothing."""

import gc
import json
from contextlib import contextmanager, suppress
from decimal import Decimal

import msgspec
import pytest

from bursar.desk import Desk, desk, streaming, submit_in_order
from bursar.errors import Behind, OutcomeUnknown, StoreFull
from bursar.ledger import copies, instant, planning
from bursar.ledger.entries import Movement, MovementKind, Source
from bursar.ledger.fold import traced
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Expected
from bursar.store import MemoryStore, open_store
from tests.auditor.picture import picture
from tests.unit.desk.test_desk import Ticks

TERMS = Terms(base="EUR")
START = instant.parse("2024-01-01T00:00:00Z")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Ten statements a chunk, five facts kept ahead of a checkpoint."""
    monkeypatch.setattr(streaming, "CHUNK", 10)
    monkeypatch.setattr(desk, "KEPT_AHEAD", 5)
    monkeypatch.setattr(planning, "SPACING", 4)
    monkeypatch.setattr(copies, "SPACING", 4)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    store = open_store(":memory:" if request.param == "memory" else tmp_path / "a.db", terms=TERMS)
    yield store
    store.close()


DEPOSIT = Movement(
    id="",
    account="kraken:main",
    source=Source.LEDGER,
    executed_at=START,
    kind=MovementKind.DEPOSIT,
    asset="EUR",
    amount=Decimal(1),
)


def row(number, at, asset="EUR", amount="1", **told):
    """A ledger row of second `at`."""
    told["executed_at"] = START + at * instant.SECOND
    told["id"] = f"kraken:main:L{number}"
    return msgspec.structs.replace(DEPOSIT, asset=asset, amount=Decimal(amount), **told)


def trades(count, first=0):
    """A deposit, then purchases of two rows each, one a minute."""
    rows = [row("D", 0, amount="100000")] if not first else []
    for number in range(first, first + count):
        told = {"kind": MovementKind.TRADE, "group": f"kraken:main:T{number}"}
        rows.append(row(f"{number}a", 60 + 60 * number, amount="-2", **told))
        rows.append(row(f"{number}b", 60 + 60 * number, "XBT", "0.5", **told))
    return rows


def state(desk_):
    store = desk_.store
    records = list(store.records()), store.get_trades(), store.get_cash_flows()
    return desk_.head, picture(desk_.timeline.book), records, store.load_state(), store.outbox()


@pytest.mark.parametrize("spacing,ahead", [(4, 5), (3, 4), (5, 7)])
def test_a_stream_leaves_the_book_of_one_commit_and_little_in_memory(
    store, monkeypatch, spacing, ahead
):
    monkeypatch.setattr(desk, "KEPT_AHEAD", ahead)
    for kept in (planning, copies):
        monkeypatch.setattr(kept, "SPACING", spacing)
    whole, desk_ = Desk(MemoryStore(terms=TERMS), Ticks()), Desk(store, Ticks())
    once = whole.submit(trades(100))
    done: list[int] = []
    receipt = submit_in_order(desk_, trades(100), progress=done.append)
    assert receipt.review == once.review
    assert (receipt.version, done[-1]) == (len(done), 201)
    assert picture(desk_.timeline.book) == picture(whole.timeline.book)
    assert store.load_state() == whole.store.load_state()
    assert store.get_trades() == whole.store.get_trades()
    assert len(desk_.timeline) == len(whole.timeline) == 101
    assert len(desk_.timeline.facts) < 20
    assert list(desk_.whole()) == list(whole.timeline)


def test_a_stream_again_is_all_duplicates(store):
    desk_ = Desk(store, Ticks())
    submit_in_order(desk_, trades(50))
    before = state(desk_)
    review = submit_in_order(desk_, trades(50)).review
    assert (review.recorded, review.duplicates, review.facts_added) == (0, 101, 0)
    assert state(desk_) == before


def test_folding_and_memory_do_not_grow_with_what_came_before(monkeypatch):
    folded, most = 0, 0
    apply = traced

    def counted(book, fact):
        nonlocal folded
        folded += 1
        return apply(book, fact)

    monkeypatch.setattr("bursar.ledger.planning.traced_within", counted)
    for count in (100, 400):
        desk_, folded, most = Desk(MemoryStore(terms=TERMS), Ticks()), 0, 0

        def seen(_done, desk_=desk_):
            nonlocal most
            held = desk_.timeline
            parts = (held.order, held.facts, held.groups, held.homes, held.raw, held.raised)
            most = max(most, *map(len, parts))

        submit_in_order(desk_, trades(count), progress=seen)
        assert folded == count + 1
        assert most < 30


def test_chunks_end_where_a_second_ends():
    rows = [row(number, number // 4) for number in range(30)]
    cut = list(streaming.chunks(rows, 10))
    assert [len(chunk) for chunk in cut] == [12, 12, 6]
    assert [each for chunk in cut for each in chunk] == rows


@pytest.mark.parametrize("again", [row(7, 5), row(8, 100_000)], ids=["early", "of a new source"])
def test_what_reaches_back_leaves_everything_as_it_was(store, again):
    desk_ = Desk(store, Ticks())
    desk_.submit(trades(30))
    told = [*trades(30, first=30), msgspec.structs.replace(again, group="kraken:main:T1")]
    held, before = desk_.timeline, state(desk_)
    with pytest.raises(Behind):
        submit_in_order(desk_, told)
    assert state(desk_) == before
    assert desk_.timeline is held
    assert desk_.submit(told).review.recorded == 61  # the whole of it can be taken


def test_a_conflict_and_a_refinement_are_for_the_whole(store):
    desk_ = Desk(store, Ticks())
    desk_.submit(trades(3))
    before = state(desk_)
    for change in ({"amount": Decimal(5)}, {"label": "trade"}):
        last = msgspec.structs.replace(trades(3)[-1], **change)
        with pytest.raises(Behind):
            submit_in_order(desk_, [last, *trades(30, first=3)])
    assert state(desk_) == before


def test_an_error_in_the_middle_leaves_everything_as_it_was(store):
    desk_ = Desk(store, Ticks())
    desk_.submit(trades(20))
    before = state(desk_)

    def told():
        yield from trades(40, first=20)
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="gone"):
        submit_in_order(desk_, told())
    assert state(desk_) == before
    assert Desk(store, Ticks()).head == desk_.head
    assert submit_in_order(desk_, trades(40, first=20)).review.recorded == 80


def test_what_is_expected_is_opened_with_before_it_comes(store):
    rows = [*trades(40), row("S", 9000, "SOL", "1", balance=Decimal(6))]
    whole, desk_ = Desk(MemoryStore(terms=TERMS), Ticks()), Desk(store, Ticks())
    once = whole.submit(rows)
    with pytest.raises(Behind):  # the opening stands before all that is behind
        submit_in_order(desk_, rows)
    receipt = submit_in_order(desk_, rows, expected=Expected(firsts=(rows[-1],)))
    assert receipt.review == once.review
    assert receipt.review.flags["assumed_basis"] == 1
    assert picture(desk_.timeline.book) == picture(whole.timeline.book)


def test_what_was_expected_and_does_not_come_refuses_the_stream(store):
    desk_ = Desk(store, Ticks())
    before = state(desk_)
    first = row("S", 9000, "SOL", "1", balance=Decimal(6))
    with pytest.raises(Behind, match="LS was expected"):
        submit_in_order(desk_, trades(40), expected=Expected(firsts=(first,)))
    assert state(desk_) == before


def test_a_group_that_is_known_to_span_time_stays_in_memory_until_it_is_whole(store):
    out = row("W", 70, amount="-5", kind=MovementKind.WITHDRAWAL, group="kraken:main:Q")
    back = row("B", 2000, amount="5", kind=MovementKind.WITHDRAWAL, group="kraken:main:Q")
    rows = sorted([*trades(60), out, back], key=lambda each: each.executed_at)
    span = tuple(each.executed_at // instant.SECOND for each in (out, back))
    desk_, whole = Desk(store, Ticks()), Desk(MemoryStore(terms=TERMS), Ticks())
    with pytest.raises(Behind):
        submit_in_order(desk_, rows)
    assert submit_in_order(desk_, rows, expected=Expected(spans=(span,))).review == (
        whole.submit(rows).review
    )
    assert picture(desk_.timeline.book) == picture(whole.timeline.book)
    topics = {json.loads(each.message.body)["restated"] != [] for each in store.outbox()}
    assert topics == {False}  # nobody was told what the first row alone came to


class Cut:
    """A store whose group ends in silence, after it was written or before."""

    def __init__(self, store, *, is_written):
        self._store = store
        self._is_written = is_written

    def __getattr__(self, name):
        return getattr(self._store, name)

    @contextmanager
    def grouped(self, **how):
        if self._is_written:
            with self._store.grouped(**how):
                yield
            raise OutcomeUnknown
        with self._store.grouped(**how):
            yield
            raise OutcomeUnknown


@pytest.mark.parametrize("is_written", [True, False])
def test_a_lost_answer_is_looked_for_in_the_journal(store, is_written):
    desk_ = Desk(Cut(store, is_written=is_written), Ticks())
    before = state(desk_)
    if is_written:
        assert submit_in_order(desk_, trades(40)).review.recorded == 81
        assert desk_.head == store.head()
        return
    with pytest.raises(OutcomeUnknown):
        submit_in_order(desk_, trades(40))
    assert state(desk_) == before


def test_a_full_disk_leaves_everything_as_it_was(store):
    class Full(Cut):
        @contextmanager
        def grouped(self, **how):
            with self._store.grouped(**how):
                yield
                raise StoreFull

    desk_ = Desk(Full(store, is_written=False), Ticks())
    before = state(desk_)
    with pytest.raises(StoreFull):
        submit_in_order(desk_, trades(40))
    assert state(desk_) == before


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was(was_on):
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with suppress(ZeroDivisionError), streaming.unswept():
            assert not gc.isenabled()
            raise ZeroDivisionError
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()


def test_a_stream_keeps_the_last_checkpoint_alone(store):
    kept = []
    save, desk_ = store.save_checkpoint, Desk(store, Ticks())

    def heard(checkpoint, version):
        kept.append(checkpoint)
        return save(checkpoint, version)

    store.save_checkpoint = heard
    submit_in_order(desk_, trades(60), expected=Expected(are_distinct=True))
    assert len(kept) == 1
    assert store.checkpoint() == kept[0]
    again = Desk(store, Ticks())
    assert not again.timeline.is_whole
    assert again.timeline.behind == desk_.timeline.behind
    assert picture(again.timeline.book) == picture(desk_.timeline.book)


def test_of_distinct_statements_only_those_of_known_groups_are_recalled(store):
    desk_, asked = Desk(store, Ticks()), []
    recall = store.recall

    def heard(facts, homes):
        asked.append(set(homes))
        return recall(facts, homes)

    store.recall = heard
    far = row("Z", 60 * 61, "XBT", "1", kind=MovementKind.TRADE, group="kraken:main:T1")
    with pytest.raises(Behind):
        submit_in_order(desk_, [*trades(60), far], expected=Expected(are_distinct=True))
    assert any("kraken:main:T1" in homes for homes in asked)
