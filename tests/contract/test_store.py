"""The contract of `ports.PortfolioStore`, asked of every implementation."""

import random
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from bursar.errors import (
    BadChoice,
    BrokenInvariant,
    KeyReused,
    Malformed,
    NotExact,
    StaleVersion,
)
from bursar.exact import plain
from bursar.ledger import journal
from bursar.ledger.terms import Method, Terms
from bursar.ports import Outbox
from bursar.store import STEPS
from tests.contract.places import PLACES, opened
from tests.contract.samples import (
    NUMBERS,
    at,
    commit,
    contents,
    flow,
    rows,
    snapshot,
    statement,
    trade,
)


@pytest.fixture(params=PLACES)
def place(request):
    with opened(request.param, request) as place:
        yield place


@pytest.fixture
def store(place):
    return place.open()


def filled(store):
    """Put something into every part of a portfolio."""
    head = store.commit(
        commit(
            store.head(),
            "a",
            "b",
            cells={"cash": "10.50", "lots/XBT": "[1]", "lots/ETH": "[2]"},
            trades=(trade("t1"), trade("t1", kind="peg"), trade("t2", 1, pair="ETH/USD")),
            flows=(flow("f1"), flow("f2", 1, asset="XBT")),
        )
    )
    store.save_snapshot(snapshot(0))
    store.save_snapshot(snapshot(60))
    store.save_memos({"mark": "7"})
    return head


def test_a_new_portfolio_stands_at_the_beginning(store):
    assert contents(store) == {
        "head": store.head(),
        "journal": [],
        "cells": {},
        "trades": [],
        "flows": [],
        "snapshots": [],
        "memos": {},
        "outbox": [],
    }
    assert (store.head().version, store.head().seq, store.head().hash) == (0, 0, journal.GENESIS)
    assert store.head().terms == Terms()


def test_the_terms_of_a_new_portfolio_are_kept(place):
    terms = Terms(base="EUR", pegs=("EURC", "EURI"), method=Method.FIFO, strict=True)
    place.open(terms=terms)
    assert place.open().head().terms == terms


def test_a_commit_returns_the_new_head_and_writes_every_part(store):
    planned = commit(
        store.head(), "a", "b", cells={"cash": "1"}, trades=(trade(),), flows=(flow(),)
    )
    head = store.commit(planned)
    assert head == store.head()
    assert (head.version, head.seq, head.hash) == (1, 2, planned.records[-1].hash)
    assert tuple(store.records()) == planned.records
    assert [record.entry() for record in store.records()] == [statement("a"), statement("b")]
    assert store.load_state() == {"cash": "1"}
    assert store.get_trades() == [trade()]
    assert store.get_cash_flows() == [flow()]
    (message,) = store.outbox()
    assert message.message == planned.outbox
    assert (message.number, message.version, message.created_at) == (1, 1, planned.recorded_at)


def test_a_commit_without_rows_moves_the_version_only(store):
    first = store.commit(commit(store.head(), "a"))
    second = store.commit(commit(first))
    assert (second.version, second.seq, second.hash) == (2, first.seq, first.hash)


def test_cells_are_put_changed_and_taken_out(store):
    head = store.commit(commit(store.head(), cells={"a": "1", "b": "2", "c": "3"}))
    store.commit(commit(head, cells={"a": "1.0", "b": None, "never there": None, "d": "4"}))
    assert store.load_state() == {"a": "1.0", "c": "3", "d": "4"}


def test_a_commit_of_several_versions_leaves_a_message_for_each(store):
    planned = commit(store.head(), "a", "b", "c")
    told = tuple((Outbox(name, "portfolio.changed", "{}"), n) for n, name in ((5, "x"), (6, "y")))
    head = store.commit(msgspec.structs.replace(planned, earlier=told))
    assert (head.version, head.seq) == (3, 3)
    assert head == store.head()
    seen = [(row.number, row.version, row.message.id, row.created_at) for row in store.outbox()]
    assert seen == [(1, 1, "x", 5), (2, 2, "y", 6), (3, 3, "message-1", 7)]
    again = commit(store.head(), "d", message="new")
    with pytest.raises(KeyReused):
        store.commit(msgspec.structs.replace(again, earlier=told))
    assert store.head() == head


def test_memos_that_need_not_last_are_seen_as_any(store):
    store.save_memos({"a": "1", "b": "2"}, is_lasting=False)
    store.save_memos({"a": None}, is_lasting=False)
    assert store.memos() == {"b": "2"}
    store.save_memos({"b": "3"})
    assert store.memo("b") == "3"


def test_a_commit_may_change_the_terms_but_not_the_base_currency(place):
    store = place.open()
    changed = Terms(method=Method.LIFO)
    head = store.commit(commit(store.head(), terms=changed))
    assert head.terms == place.open().head().terms == changed
    with pytest.raises(BadChoice, match="USD"):
        store.commit(commit(head, terms=Terms(base="EUR")))
    assert store.head() == head


def test_records_begin_after_the_asked_one(store):
    store.commit(commit(store.head(), "a", "b", "c"))
    assert [record.seq for record in store.records(after=1)] == [2, 3]
    assert list(store.records(after=3)) == []
    assert [record.seq for record in store.records(after=-1)] == [1, 2, 3]
    assert len(store.outbox(after=-1)) == 1


def test_records_stream_while_commits_go_on(store):
    store.commit(commit(store.head(), *"abc"))
    reading = store.records()
    assert next(reading).seq == 1
    store.commit(commit(store.head(), "d"))
    assert [record.seq for record in reading] == [2, 3]


def test_the_outbox_keeps_the_order_of_commits(store):
    for name in "abcde":
        store.commit(commit(store.head(), name))
    assert [row.number for row in store.outbox()] == [1, 2, 3, 4, 5]
    assert [row.version for row in store.outbox(after=3)] == [4, 5]
    assert [row.message.id for row in store.outbox(after=4)] == ["message-5"]


# Numbers


@pytest.mark.parametrize("number", NUMBERS, ids=plain)
def test_a_number_comes_back_with_every_digit(place, number):
    store = place.open()
    sold = trade(base_delta=number, price=number, fee_base=number, cost_base=number)
    moved = flow(amount=number, value_base=number, cost_base=number, fee_amount=number)
    worth = snapshot(equity_base=number, realized_pnl_base_by_pair={"a": number})
    store.commit(commit(store.head(), trades=(sold,), flows=(moved,)))
    store.save_snapshot(worth)
    again = place.open()
    assert str(again.get_trades()[0]) == str(sold)
    assert str(again.get_cash_flows()[0]) == str(moved)
    assert str(again.get_snapshots()[0]) == str(worth)


def test_unknown_stays_unknown_and_is_not_zero(place):
    place.open().append_trades([trade(pnl_quote=None, fee_base=None, price=None)])
    place.open().save_cash_flows([flow(value_base=None)])
    (sold,), (moved,) = place.open().get_trades(), place.open().get_cash_flows()
    assert (sold.pnl_quote, sold.fee_base, sold.price, moved.value_base) == (None,) * 4


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(store, number):
    bad = Decimal(number)
    with pytest.raises(NotExact):
        store.append_trades([trade("t1"), trade("t2", pnl_base=bad)])
    with pytest.raises(NotExact):
        store.save_cash_flows([flow(amount=bad)])
    with pytest.raises(NotExact):
        store.save_snapshot(snapshot(equity_base=bad))
    with pytest.raises(NotExact):
        store.commit(commit(store.head(), "a", trades=(trade(price=bad),)))
    assert store.get_trades() == store.get_cash_flows() == list(store.records()) == []


# All or nothing


def test_of_two_writers_at_one_version_the_second_loses(place):
    first, second = place.open(), place.open()
    head = first.head()
    assert second.head() == head
    after = first.commit(commit(head, "a", cells={"who": "first"}))
    before = contents(first)
    with pytest.raises(StaleVersion) as caught:
        second.commit(commit(head, "b", cells={"who": "second"}))
    assert caught.value.context == {"expected": 0, "actual": 1}
    assert contents(second) == before
    assert second.commit(commit(after, "b")).version == 2


def test_a_commit_from_the_future_is_stale_too(store):
    with pytest.raises(StaleVersion) as caught:
        store.commit(commit(store.head(), expected_version=3))
    assert caught.value.context == {"expected": 3, "actual": 0}


def test_a_key_that_is_there_leaves_nothing_of_its_commit(store):
    head = filled(store)
    before = contents(store)
    again = commit(head, "c", "a", "d", cells={"cash": None}, dropped_trades=("t1",))
    with pytest.raises(KeyReused) as caught:
        store.commit(again)
    assert caught.value.context["key"] == journal.key(statement("a"))
    assert contents(store) == before


def test_a_key_twice_in_one_commit_is_refused(store):
    before = contents(store)
    with pytest.raises(KeyReused):
        store.commit(commit(store.head(), "a", "b", "a"))
    assert contents(store) == before


def test_a_message_is_not_sent_twice(store):
    head = store.commit(commit(store.head(), "a", message="m"))
    with pytest.raises(KeyReused) as caught:
        store.commit(commit(head, "b", message="m"))
    assert caught.value.context["key"] == "m"
    assert store.head() == head


def test_rows_that_do_not_follow_are_our_own_mistake(store):
    head = store.commit(commit(store.head(), "a"))
    elsewhere = rows(store.head(), "bc")
    for wrong in (elsewhere[1:], elsewhere[::-1], (elsewhere[0], elsewhere[0])):
        with pytest.raises((BrokenInvariant, KeyReused)):
            store.commit(commit(head, records=wrong))
    with pytest.raises(BrokenInvariant):
        store.commit(commit(head, trades=(trade(), trade())))
    with pytest.raises(BrokenInvariant):
        store.commit(commit(head, flows=(flow(), flow())))
    assert store.head() == head


class BrokenOffError(Exception):
    pass


@pytest.mark.parametrize("step", STEPS)
def test_a_commit_broken_off_at_a_step_is_whole_or_absent(place, step):
    filled(place.open())
    before = contents(place.open())

    def break_off(name):
        if name == step:
            raise BrokenOffError

    store = place.open(steps=break_off)
    planned = commit(
        store.head(),
        "c",
        cells={"cash": "0", "lots/XBT": None},
        trades=(trade("t3"),),
        dropped_trades=("t1",),
        flows=(flow("f3"),),
        dropped_flows=("f1",),
        terms=Terms(method=Method.FIFO),
    )
    with pytest.raises(BrokenOffError):
        store.commit(planned)
    again = place.open()
    if step == "after_commit":
        assert again.head().version == before["head"].version + 1
        assert again.head().hash == planned.records[-1].hash
        assert len(again.outbox()) == again.head().version
    else:
        assert contents(store) == contents(again) == before
        assert again.commit(planned).version == before["head"].version + 1


def test_every_step_is_told_once_and_in_order(place):
    told: list[str] = []
    store = place.open(steps=told.append)
    store.commit(commit(store.head(), "a"))
    assert tuple(told) == STEPS


def test_the_journal_verifies_after_reopening_and_every_byte_is_there(place):
    store = place.open()
    for n in range(5):
        store.commit(commit(store.head(), f"é-{n}", f"名-{n}", f'"quoted"\n{n}'))
    filled(store)
    before = contents(store)
    store.close()
    again = place.open()
    assert contents(again) == before
    checked = list(journal.check(again.records()))
    assert (checked[-1].seq, checked[-1].hash) == (again.head().seq, again.head().hash)


def test_portfolios_do_not_see_each_other(place):
    one, two = place.open("one"), place.open("two", terms=Terms(base="EUR"))
    filled(one)
    assert contents(two)["journal"] == contents(two)["trades"] == contents(two)["outbox"] == []
    assert two.head().version == 0
    before = contents(one)
    filled(two)  # the same keys, ids and instants
    two.save_state({})
    two.prune_snapshots(at(1000))
    two.commit(commit(two.head(), dropped_trades=("t1",), dropped_flows=("f1",)))
    assert contents(one) == before
    assert (one.head().terms.base, two.head().terms.base) == ("USD", "EUR")


# The contract's own methods


def test_state_is_replaced_as_a_whole(place):
    store = place.open()
    head = filled(store)
    store.save_state({"b": "2", "a": "1"})
    assert list(place.open().load_state().items()) == [("a", "1"), ("b", "2")]
    assert place.open().head() == head


def test_trades_come_newest_first_and_can_be_narrowed(store):
    store.append_trades(trade(f"t{n}", n, pair="XBT/USD" if n % 2 else "ETH/USD") for n in range(6))
    assert [t.trade_id for t in store.get_trades()] == ["t5", "t4", "t3", "t2", "t1", "t0"]
    assert [t.trade_id for t in store.get_trades(pair="XBT/USD")] == ["t5", "t3", "t1"]
    assert [t.trade_id for t in store.get_trades(since=at(4))] == ["t5", "t4"]
    assert [t.trade_id for t in store.get_trades("ETH/USD", 1, at(1))] == ["t4"]
    assert store.get_trades(limit=0) == store.get_trades(pair="none") == []


def test_trades_of_one_instant_have_one_order(store):
    store.append_trades([trade("b"), trade("a", kind="peg"), trade("a"), trade("C")])
    told = [(t.trade_id, t.kind) for t in store.get_trades()]
    assert told == [("b", "trade"), ("a", "trade"), ("a", "peg"), ("C", "trade")]


def test_a_trade_record_takes_the_place_of_its_elder(store):
    store.append_trades([trade("t1"), trade("t1", kind="peg"), trade("t2")])
    later = trade("t1", 5, pair="XBTUSD", pnl_base=Decimal("7.10"), flags=("unpriced", "unpaired"))
    store.append_trades([later])
    assert store.get_trades() == [later, trade("t2"), trade("t1", kind="peg")]


def test_a_dropped_trade_loses_all_its_records_before_new_ones_come(store):
    head = filled(store)
    store.commit(commit(head, dropped_trades=("t1",), trades=(trade("t1", pair="XBT/EUR"),)))
    assert [(t.trade_id, t.pair) for t in store.get_trades()] == [
        ("t2", "ETH/USD"),
        ("t1", "XBT/EUR"),
    ]


def test_cash_flows_come_newest_first_and_can_be_narrowed(store):
    store.save_cash_flows(flow(f"f{n}", n, asset="USD" if n % 2 else "XBT") for n in range(6))
    assert [f.id for f in store.get_cash_flows()] == ["f5", "f4", "f3", "f2", "f1", "f0"]
    assert [f.id for f in store.get_cash_flows(asset="XBT", limit=2)] == ["f4", "f2"]
    assert [f.id for f in store.get_cash_flows(since=at(4))] == ["f5", "f4"]
    store.save_cash_flows([flow("f0", 9, note="late")])
    assert store.get_cash_flows(limit=1) == [flow("f0", 9, note="late")]


def test_snapshots_come_newest_first_and_one_instant_has_one(store):
    for minutes in (0, 60, 120):
        store.save_snapshot(snapshot(minutes))
    store.save_snapshot(snapshot(60, equity_base=Decimal("1.0")))
    assert [s.timestamp for s in store.get_snapshots()] == [at(120), at(60), at(0)]
    assert store.get_snapshots(since=at(60), limit=1) == [snapshot(120)]
    assert store.get_snapshots(since=at(60))[1].equity_base == Decimal("1.0")
    assert [s.timestamp for s in store.get_snapshots(at(0), until=at(120))] == [at(60), at(0)]
    assert store.get_snapshots(limit=1, until=at(60)) == [snapshot(0)]


def test_pruning_takes_old_snapshots_and_nothing_else(place):
    store = place.open()
    filled(store)
    before = contents(store)
    assert store.prune_snapshots(at(60)) == 1  # the one of 60 is not older than 60
    assert store.prune_snapshots(at(60)) == 0
    after = contents(place.open())
    assert after.pop("snapshots") == [snapshot(60)]
    del before["snapshots"]
    assert after == before


def test_memos_stand_beside_the_journal_by_name(place):
    store = place.open()
    before = contents(store)
    store.save_memos({"sync kraken:main": "at 7", "close 2026-01-01": "1", "close 2026-01-02": "2"})
    store.save_memos({"sync kraken:main": "at 8", "close 2026-01-01": None, "gone": None})
    assert store.memos("close ") == {"close 2026-01-02": "2"}
    assert place.open().memos() == {"close 2026-01-02": "2", "sync kraken:main": "at 8"}
    assert store.memos("close_") == {}, "no character stands for others"
    assert contents(store) == before | {"memos": store.memos()}


def test_memos_of_a_group_that_fails_are_not_kept(store):
    store.save_memos({"mark": "one"})
    with suppress(ZeroDivisionError), store.grouped():
        store.save_memos({"mark": "two", "other": "x"})
        assert 1 // 0
    assert store.memos() == {"mark": "one"}


def test_a_time_is_the_same_in_every_zone(store):
    there = at(30).astimezone(timezone(timedelta(hours=-5)))
    store.append_trades([trade(time=there)])
    store.save_snapshot(snapshot(timestamp=there))
    assert store.get_trades(since=there)[0].time == at(30)
    assert store.get_snapshots(since=at(30))[0].timestamp == at(30)


def test_a_time_without_a_zone_and_a_negative_limit_are_refused(store):
    naive = datetime(2026, 1, 5)  # noqa: DTZ001
    for ask in (store.get_trades, store.get_cash_flows, store.get_snapshots):
        with pytest.raises(Malformed):
            ask(since=naive)
        with pytest.raises(BadChoice):
            ask(limit=-1)
    with pytest.raises(Malformed):
        store.prune_snapshots(naive)
    with pytest.raises(Malformed):
        store.append_trades([trade(time=naive)])


# Contention


@pytest.mark.slow("eight writers must really get in each other's way, on a server too")
def test_no_increment_is_lost_between_eight_writers(place):
    place.open()
    acknowledged, failed = [], []

    def increment(who):
        store = place.open()
        wait = random.Random(who)
        for n in range(50):
            while True:
                head = store.head()  # before the rest: what comes after makes the plan stale
                count = int(store.load_state().get("count", "0"))
                planned = commit(
                    head, f"{who}-{n}", message=f"{who}-{n}", cells={"count": str(count + 1)}
                )
                try:
                    store.commit(planned)
                except StaleVersion:
                    threading.Event().wait(wait.random() / 100)
                else:
                    acknowledged.append((who, n))
                    break

    def guarded(who):
        try:
            increment(who)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    store = place.open()
    assert len(acknowledged) == len(set(acknowledged)) == 400
    assert store.head().version == store.head().seq == int(store.load_state()["count"]) == 400
    assert len(list(journal.check(store.records()))) == len(store.outbox()) == 400
