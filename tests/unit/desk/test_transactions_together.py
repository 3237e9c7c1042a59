"""Transactions inside others, beside others, after others; what fails, what is found again."""

import json
import logging
from contextlib import nullcontext
from decimal import Decimal

import pytest

from bursar.desk import Desk
from bursar.desk.transactions import PortfolioTransaction, State, rules_of
from bursar.errors import (
    BadChoice,
    BrokenInvariant,
    KeyReused,
    OutcomeUnknown,
    OutOfBounds,
    StaleVersion,
    StoreBusy,
    StoreCorrupt,
    StoreDown,
    StoreFull,
    TransactionOver,
)
from bursar.portfolio.transacting import TradingSession, portfolio_transaction
from bursar.store import MemoryStore
from tests.unit.desk.cycles import (
    USD,
    book,
    broken_in,
    committed,
    over,
    overtaken,
    reviewed,
    state,
    two_lots,
)
from tests.unit.portfolio.places import Clock

# Nested


def test_an_inner_commit_lands_with_the_outermost():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("-500")
        with tx.nested() as inner:
            inner.stage_position_delta("BTC", "0.01", entry_price=50000)
            with inner.nested() as innermost:
                innermost.stage_cash_delta("-3")
                assert innermost.commit()
            assert inner.commit()
        assert portfolio.desk.head.version == 1
        assert tx.staged_cash.delta == -503
        assert tx.commit({"BTC": 50000})
    assert portfolio.desk.head.version == 2
    assert len(list(portfolio.journal())) == 2
    assert reviewed(tx).total == 99997


def test_an_inner_rollback_leaves_the_outer_alone():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        tx.stage_cash_delta("2")
        with tx.nested() as inner:
            inner.stage_cash_delta("-90000")
        with pytest.raises(LookupError):
            broken_in(tx.nested())
        assert tx.commit({})
    assert reviewed(tx).total == 100002


def test_an_outer_rollback_takes_the_inner_along():
    portfolio = book()
    before = state(portfolio)
    with portfolio.transaction("100000") as tx:
        with tx.nested() as inner:
            inner.stage_cash_delta("1")
            assert inner.commit()
        tx.rollback()
    assert state(portfolio) == before


def test_one_begun_inside_another_is_a_savepoint_with_its_own_equity():
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        with portfolio.transaction("100000") as inner:
            assert inner.depth == 2
            inner.stage_cash_delta("500")
            assert not inner.commit({})
        assert inner.reason == "validation_failed"
        with portfolio.transaction("100500") as inner:
            inner.stage_cash_delta("500")
            assert inner.commit({})
        tx.stage_cash_delta("-500")
        assert tx.commit({})
    assert portfolio.transaction_counts().commits == 2


@pytest.mark.parametrize("options", [{"account": "manual:other"}, {"idempotency_key": "k"}])
def test_a_savepoint_has_no_account_and_no_key_of_its_own(options):
    portfolio = book()
    with portfolio.transaction("100000") as tx:
        with pytest.raises(BadChoice):
            portfolio.transaction("100000", **options).__enter__()
        tx.stage_cash_delta(1)  # the outer one goes on
        assert tx.commit({})


def test_while_an_inner_one_is_open_the_outer_waits():
    with book().transaction("100000") as tx, tx.nested(), pytest.raises(TransactionOver):
        tx.stage_cash_delta("1")


def test_depth_is_bounded():
    portfolio = book()

    def deeper(depth):
        with portfolio.transaction("100000") as tx:
            assert tx.depth == depth
            deeper(depth + 1)

    with pytest.raises(OutOfBounds, match="over 16"):
        deeper(1)
    with portfolio.transaction("100000") as tx:
        assert tx.depth == 1


def test_another_portfolio_inside_is_no_savepoint():
    one, other = book(), book()
    with one.transaction("100000") as tx, other.transaction("100000") as apart:
        apart.stage_cash_delta(1)
        assert apart.depth == tx.depth == 1
        assert apart.commit({})
    assert (one.desk.head.version, other.desk.head.version) == (1, 2)


def test_inner_edits_of_lots_are_an_entry_of_their_own():
    portfolio, (_, second) = two_lots()
    with portfolio.transaction("100000", validation_epsilon=10**6) as tx:
        tx.stage_position_delta("BTC", "-1", entry_price=50000)
        with tx.nested() as inner:
            inner.stage_lot_update("BTC", second, cost="41000")
            assert inner.commit()
        tx.stage_cash_delta("50000")
        assert tx.commit({"BTC": 50000})
    names = [row.entry().id for row in portfolio.journal()][-3:]
    assert names == [reviewed(tx).id, f"{reviewed(tx).id}/2", f"{reviewed(tx).id}/3"]
    assert portfolio.desk.head.version == 4
    (lot,) = portfolio.book().lots("manual:main", "BTC")
    assert (lot.id, lot.cost) == (second, 41000)
    assert portfolio.verify().is_sound


# Others


@pytest.mark.parametrize("stages", [True, False])
def test_the_loser_hears_of_both_versions(stages):
    store = MemoryStore(terms=USD)
    one, other = Desk(store, Clock()), Desk(store, Clock())
    with pytest.raises(StaleVersion) as raised:
        overtaken(one, other, stages=stages)
    assert (raised.value.context["expected"], raised.value.context["actual"]) == (0, 1)
    assert one.uncounted.failures == {"stale_version": 1}
    with PortfolioTransaction(one, rules_of(1, {})) as tx:  # it begins where the other ended
        assert tx.version == 1


# The same twice


def test_the_same_body_under_a_key_has_one_effect_and_one_answer():
    portfolio = book()
    seen = []
    for _ in range(3):
        with portfolio.transaction("100000", idempotency_key="cycle-7") as tx:
            tx.stage_cash_delta("5")
            assert tx.commit({})
            seen.append(tx.review_made)
            assert tx.is_repeat is (len(seen) > 1)
    assert portfolio.desk.head.version == 2
    assert seen[0] == seen[1] == seen[2]
    with portfolio.transaction("100000", idempotency_key="cycle-7") as tx:
        tx.stage_cash_delta("5")
        assert tx.review({}) == seen[0]
    assert portfolio.transaction_counts().repeats == 2


def test_another_body_under_a_key_is_refused():
    portfolio = book()
    for delta in ("5", "6"):
        with portfolio.transaction("100000", idempotency_key="k") as tx:
            tx.stage_cash_delta(delta)
            if delta == "5":
                assert tx.commit({})
                continue
            before = state(portfolio)
            with pytest.raises(KeyReused):
                tx.review({})
            with pytest.raises(KeyReused):
                tx.commit({})
            assert state(portfolio) == before


def test_a_discard_leaves_its_key_free():
    portfolio = book()
    with portfolio.transaction("0", idempotency_key="k") as tx:
        tx.stage_cash_delta("5")
        assert not tx.commit({})
    with portfolio.transaction("100000", idempotency_key="k") as tx:
        tx.stage_cash_delta("5")
        assert tx.commit({})


def test_a_key_whose_memo_is_gone_is_still_refused_a_second_effect():
    portfolio = book()
    for number in range(2):
        with portfolio.transaction("100000", idempotency_key="k") as tx:
            tx.stage_cash_delta("5")
            if number == 0:
                assert tx.commit({})
                portfolio.desk.store.save_memos({"transaction key k": None})
                continue
            with pytest.raises(KeyReused):
                tx.commit({})
    assert portfolio.desk.head.version == 2


# Batches


def test_a_batch_lands_together_each_with_its_verdict(caplog):
    caplog.set_level(logging.INFO)
    portfolio = book()
    with portfolio.batch("100000") as batch:
        for delta in ("5", "5000", "-3"):
            with batch.transaction() as tx:
                tx.stage_cash_delta(delta)
                tx.commit({})
        assert not any("COMMIT" in line for line in caplog.messages[1:])
        assert not batch.is_durable
    assert batch.is_durable
    reasons = [seen.reason and seen.reason.value for seen in batch.verdicts]
    assert reasons == [None, "validation_failed", None]
    assert sum("COMMIT" in line for line in caplog.messages[1:]) == 2
    assert portfolio.equity().value == 100002
    assert portfolio.verify().is_sound


def test_a_batch_that_raises_has_not_happened():
    portfolio = book()
    before = state(portfolio)
    batch = portfolio.batch("100000")

    def broken():
        with batch:
            committed(batch.transaction())
            raise LookupError

    with pytest.raises(LookupError):
        broken()
    assert state(portfolio) == before
    assert [each.state for each in batch.transactions] == [State.DISCARDED]
    assert portfolio.transaction_counts().commits == 1
    with pytest.raises(TransactionOver), batch:
        pass


# What fails


@pytest.mark.parametrize(
    "error", [StoreBusy, StoreDown, StoreFull, StoreCorrupt, OutcomeUnknown, KeyReused]
)
@pytest.mark.parametrize("step", ["begin", "journal", "outbox", "before_commit"])
def test_a_store_that_refuses_leaves_everything_as_it_was(error, step):
    failing: list[bool] = []

    def break_off(name):
        if failing and name == step:
            raise error("here")

    store = MemoryStore(terms=USD, steps=break_off)
    portfolio = over(Desk(store, Clock()))
    before = state(portfolio)
    failing.append(True)
    tx = portfolio.transaction(0)
    with pytest.raises(error):
        committed(tx)
    failing.clear()
    assert state(portfolio) == before
    assert tx.state is (State.UNKNOWN if error is OutcomeUnknown else State.DISCARDED)
    assert portfolio.desk.uncounted.failures == {error.code: 1}
    assert store.get_latest_cash_equity("main") is None


def test_books_that_would_not_close_are_not_written(monkeypatch):
    portfolio = book()
    before = state(portfolio)

    def broken(staged, beside):
        raise BrokenInvariant("the books do not close")

    monkeypatch.setattr(portfolio.desk, "draft", broken)
    tx = portfolio.transaction("100000")
    with pytest.raises(BrokenInvariant):
        committed(tx)
    assert state(portfolio) == before
    assert tx.state is State.DISCARDED


# Afterwards


def test_recovery_restores_the_previous_equity_and_finds_what_was_cut_off():
    steps: list[str] = []

    def lost(name):
        if steps and name == steps[0]:
            raise OutcomeUnknown("lost")

    store = MemoryStore(terms=USD, steps=lost)
    portfolio = over(Desk(store, Clock()))
    for step, is_there in (("before_commit", False), ("after_commit", True)):
        steps[:] = [step]
        equity = portfolio.recover().previous_equity or 0
        with portfolio.transaction(equity, announced=True) as tx:
            tx.stage_cash_delta(1)
            if is_there:
                assert tx.commit({})  # the desk itself has asked the journal
            else:
                with pytest.raises(OutcomeUnknown):
                    tx.commit({})
        steps.clear()
        again = over(Desk(store, Clock()))  # another process
        found = again.recover("manual:main:tx-nobody")
        asked = {each.id: each.has_landed for each in found.interrupted}
        assert asked == {"manual:main:tx-nobody": False} | (
            {} if is_there else {reviewed(tx).id: False}
        )
        assert again.recover().interrupted == ()
    found = portfolio.recover()
    assert (found.previous_equity, found.version, found.session_id) == (1, 1, "main")


def test_what_recovery_has_called_lost_does_not_land_afterwards(monkeypatch):
    portfolio = book()
    store, send = portfolio.desk.store, portfolio.desk.send
    told: list[bool] = []

    def waited_meanwhile(drafted):
        if not told:
            told.extend(
                each.has_landed for each in over(Desk(store, Clock())).recover().interrupted
            )
        return send(drafted)

    monkeypatch.setattr(portfolio.desk, "send", waited_meanwhile)
    before = state(portfolio)
    with pytest.raises(StaleVersion, match="begin again"):
        committed(portfolio.transaction("100000"))
    assert (told, state(portfolio)) == ([False], before)
    committed(portfolio.transaction("100000"))
    assert portfolio.desk.head.version == 2


def test_an_announced_commit_that_has_landed_is_found():
    portfolio = book()
    store = portfolio.desk.store
    name = next(iter(portfolio.timeline.facts))
    body = f'{{"id":"{name}","version":0,"at":1}}'
    store.save_memos({f"transaction open {name}": body})
    (found,) = portfolio.recover().interrupted
    assert (found.id, found.has_landed, found.staged_at_version) == (name, True, 0)


def test_a_session_carries_its_equity_from_cycle_to_cycle():
    store = MemoryStore(terms=USD)
    session = TradingSession(over(Desk(store, Clock())), previous_equity=0)
    assert session.previous_equity is None
    with session.cycle(validation_epsilon=10**6) as tx:
        tx.stage_cash_delta("1000")
        assert tx.commit({})
    again = TradingSession(over(Desk(store, Clock())))  # after a restart
    assert again.previous_equity == 1000
    assert again.session_id == "main"
    with again.cycle() as tx:
        tx.stage_cash_delta("-0.5")
        assert tx.commit({})
    assert again.previous_equity == Decimal("999.5")
    assert not store.memos("transaction open ")


def test_parts_that_do_not_belong_together_are_refused():
    portfolio = book()
    for store, session in ((MemoryStore(terms=USD), "main"), (portfolio.desk.store, "other")):
        with pytest.raises(BadChoice):
            portfolio_transaction(
                state_store=store,
                portfolio_manager=portfolio,
                previous_equity=0,
                session_id=session,
            )


# What is told


def test_the_line_of_a_commit_is_the_contracts_and_the_fields_stand_beside_it(caplog):
    caplog.set_level(logging.INFO)
    portfolio = book(cash="105000")
    with portfolio.transaction("100000", correlation_id="run-1", validation_epsilon=60000) as tx:
        tx.stage_position_delta("BTC", 1, entry_price=50000)
        assert tx.commit({"BTC": 50000})
    assert caplog.messages[-1] == (
        "PORTFOLIO_COMMIT: cash=$105000.00, positions=$50000.00, total=$155000.00"
        " (Δ=$55000.00, ε=$60000.00)"
    )
    record = caplog.records[-1]
    told = {name: getattr(record, name) for name in ("correlation_id", "transaction", "version")}
    assert told == {"correlation_id": "run-1", "transaction": reviewed(tx).id, "version": 2}
    assert (record.name, record.levelname, record.total) == (
        "bursar.transactions",
        "INFO",
        "155000",
    )
    body = portfolio.desk.store.outbox()[-1].message.body
    assert json.loads(body)["transaction"]["correlation_id"] == "run-1"


def test_figures_are_counted_and_outlive_the_process():
    clock = Clock()
    store = MemoryStore(terms=USD)
    portfolio = over(Desk(store, clock))
    for delta in ("1", "0.5", "9000"):
        with portfolio.transaction(portfolio.recover().previous_equity or 1) as tx:
            tx.stage_cash_delta(delta)
            tx.commit({})
    seen = portfolio.transaction_counts()
    assert (seen.commits, seen.discards, sum(seen.latency_ms.counts)) == (
        *(2, {"validation_failed": 1}, 3),
    )
    assert seen.delta.counts == (1, 0, 0, 1, 0, 0, 0, 1, 0, 0)  # 0, 0.5 and 9,000
    kept = over(Desk(store, clock)).transaction_counts()
    assert (kept.commits, kept.discards, kept.delta) == (seen.commits, seen.discards, seen.delta)


LONG = "12345678901234567.123456789012345678"
"""More digits than a caller's decimal context holds."""


@pytest.mark.parametrize("is_batch", [False, True])
def test_amounts_of_many_digits_are_written_to_the_last(is_batch):
    portfolio = book()
    atom = Decimal("0.000000000000000001")
    deltas = (Decimal(LONG), atom, Decimal("-0.00000000000000001"))
    batch = portfolio.batch(against="remarked") if is_batch else None
    with batch or nullcontext():
        for delta in deltas:
            made = batch.transaction() if batch else portfolio.transaction(against="remarked")
            with made as tx:
                tx.stage_position_delta("PEPE", delta, entry_price=1)
                tx.stage_cash_delta(delta.copy_negate())
                assert tx.commit({"PEPE": 1})
    held = portfolio.book().held("manual:main", "PEPE")
    assert str(held.quantity) == "12345678901234567.123456789012345669"
    assert portfolio.verify().is_sound


def test_the_sum_over_accounts_is_exact_in_any_context():
    portfolio = book()
    for account in ("manual:one", "manual:two"):
        with portfolio.transaction(against="remarked", account=account) as tx:
            tx.stage_position_delta("PEPE", LONG, entry_price=1)
            tx.stage_cash_delta(f"-{LONG}")
            assert tx.commit({"PEPE": 1})
    again = Desk(portfolio.desk.store, Clock())
    with PortfolioTransaction(again, rules_of(None, {"against": "remarked"})) as tx:
        tx.stage_cash_delta("1", declared=True)
        assert tx.commit({"PEPE": 1})
    assert str(reviewed(tx).positions) == "24691357802469134.246913578024691356"
