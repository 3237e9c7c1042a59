"""Transactions against a naive model: two dictionaries, a stack, and the rule as it is written.

Stage, nest, roll back, commit, come too late, fail at any step of the store, crash, recover: after
every step the book, the stored projection and the version are the model's.
"""

import logging
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bursar.desk import Desk
from bursar.desk.transactions import PortfolioTransaction, nesting, recover, rules_of
from bursar.errors import OutcomeUnknown, StaleVersion, StoreDown
from bursar.exact import money
from bursar.ledger import audit, projection
from bursar.ledger.terms import Method, Terms
from bursar.store import STEPS, MemoryStore
from tests import figures
from tests.unit.portfolio.places import Clock

SYMBOLS = ("AAA", "BBB", "CCC")
CENTS = st.integers(-20_000, 20_000).map(lambda n: Decimal(n) / 100)
UNITS = st.integers(-10, 30).filter(bool).map(lambda n: Decimal(n) / 10)
PRICES = st.integers(1, 900).map(lambda n: Decimal(n) / 10)
FEES = st.integers(-100, 300).map(lambda n: Decimal(n) / 100)
MARKS = st.fixed_dictionaries({}, optional=dict.fromkeys(SYMBOLS, PRICES))
RARELY = st.integers(0, 3)  # done only at zero, so that lives come to something between disasters
FULL = st.fixed_dictionaries(dict.fromkeys(SYMBOLS, PRICES))
# What is down has written nothing, so it is not down after a commit.
FAILURES = st.tuples(st.sampled_from(STEPS[:-1]), st.sampled_from((StoreDown, OutcomeUnknown))) | (
    st.just(("after_commit", OutcomeUnknown))
)


class Level:
    """What the model has staged in one block."""

    def __init__(self):
        self.cash, self.fees, self.lines = Decimal(0), Decimal(0), []

    def take(self, other):
        self.cash, self.fees = self.cash + other.cash, self.fees + other.fees
        self.lines += other.lines


class Model:
    """What a portfolio comes to, by arithmetic alone."""

    def __init__(self):
        self.cash, self.fees = Decimal(0), Decimal(0)
        self.held = dict.fromkeys(SYMBOLS, Decimal(0))
        self.version, self.total = 0, None
        self.levels: list[Level] = []

    def after(self):
        """The holdings if everything staged were so."""
        cash, held = self.cash, dict(self.held)
        for level in self.levels:
            cash += level.cash - level.fees
            for symbol, units, _ in level.lines:
                held[symbol] += units
        return cash, held

    def verdict(self, marks, previous, epsilon):
        """The reason to discard, or None, and the total where it is known."""
        lines = [line for level in self.levels for line in level.lines]
        if any(price is None and symbol not in marks for symbol, _, price in lines):
            return "missing_mark", None
        cash, held = self.after()
        if min(held.values()) < 0:
            return "oversold", None
        if any(units and symbol not in marks for symbol, units in held.items()):
            return "missing_mark", None
        total = cash + sum(units * marks[s] for s, units in held.items() if units)
        before = self.total if previous is None else previous
        if before is None:
            before = Decimal(0)
        allowed = max(Decimal(1), before / 10_000) if epsilon is None else epsilon
        return ("validation_failed" if abs(total - before) > allowed else None), total

    def land(self, total):
        is_staged = any(level.lines or level.cash or level.fees for level in self.levels)
        net = sum((level.cash for level in self.levels), Decimal(0))
        paid = sum((level.fees for level in self.levels), Decimal(0))
        moved = any(level.lines for level in self.levels)
        self.cash, self.held = self.after()
        self.fees += paid
        self.version += bool(is_staged and (net or paid or moved))
        self.total = total
        self.levels = []


class Life(RuleBasedStateMachine):
    """One portfolio, its transactions, another writer, and a store that may fail."""

    method = Method.WAC

    @initialize()
    def begin_life(self):
        self.failing = None
        self.store = MemoryStore(terms=Terms(method=self.method), steps=self.break_off)
        self.desk, self.other = (Desk(self.store, Clock()) for _ in range(2))
        self.model = Model()
        self.open: list[PortfolioTransaction] = []
        self.is_late = False
        self.unknown: set[str] = set()

    def break_off(self, name):
        if self.failing is not None and name == self.failing[0]:
            raise self.failing[1]("here")

    @precondition(lambda self: len(self.open) < 4)
    @rule()
    def begin(self):
        tx = self.open[-1].nested() if self.open else self.new(None, None)
        tx.__enter__()
        self.open.append(tx)
        self.model.levels.append(Level())

    @precondition(lambda self: self.open)
    @rule(delta=CENTS, fees=FEES)
    def stage_cash(self, delta, fees):
        self.open[-1].stage_cash_delta(delta, fees)
        self.model.levels[-1].cash += delta
        self.model.levels[-1].fees += fees

    @precondition(lambda self: self.open)
    @rule(symbol=st.sampled_from(SYMBOLS), units=UNITS, price=st.none() | PRICES)
    def stage_position(self, symbol, units, price):
        self.open[-1].stage_position_delta(f"{symbol}/USDT", units, price)
        self.model.levels[-1].lines.append((symbol, units, price))

    @precondition(lambda self: self.open)
    @rule(marks=MARKS)
    def look(self, marks):
        before = self.store.memos()
        if len(self.open) == 1 and not self.is_late:
            reason, total = self.model.verdict(marks, None, None)
            seen = self.open[-1].review(marks)
            assert (seen.reason and seen.reason.value, seen.total) == (reason, total)
        assert self.store.memos() == before

    @precondition(lambda self: self.open)
    @rule(raises=st.booleans(), rarely=RARELY)
    def roll_back(self, raises, rarely):
        if rarely:
            return
        tx = self.open.pop()
        tx.__exit__(LookupError if raises else None, None, None)
        self.model.levels.pop()
        if not self.open:
            self.over()

    @precondition(lambda self: len(self.open) > 1)
    @rule()
    def commit_inner(self):
        tx = self.open.pop()
        assert tx.commit()
        tx.__exit__(None, None, None)
        inner = self.model.levels.pop()
        self.model.levels[-1].take(inner)

    @precondition(lambda self: len(self.open) == 1)
    @rule(
        marks=MARKS,
        off=st.none() | st.decimals(-3, 3, places=2),
        epsilon=st.none() | st.decimals(0, 5, places=2),
        failing=st.none() | FAILURES,
    )
    def commit(self, marks, off, epsilon, failing):
        """Commit against an equity that is near, or the one before; the store may fail."""
        self.end(marks, off, epsilon, failing)

    @precondition(lambda self: self.open)
    @rule(marks=FULL, off=st.decimals("-0.9", "0.9", places=2))
    def commit_well(self, marks, off):
        """Commit all levels, what was sold short bought back: it holds unless another was first."""
        while len(self.open) > 1:
            self.commit_inner()
        for symbol, units in self.model.after()[1].items():
            if units < 0:
                self.stage_position(symbol, -units, None)
        self.end(marks, off, None, None)

    def end(self, marks, off, epsilon, failing):
        previous = self.near(marks, off)
        tx = self.open.pop()
        tx.rules = rules_of(previous, {"validation_epsilon": epsilon})
        reason, total = self.model.verdict(marks, previous, epsilon)
        levels, version = self.model.levels, self.model.version
        digest = projection.digest(self.desk.timeline.book)
        self.failing = failing
        try:
            is_done = tx.commit(marks)
        except (StaleVersion, StoreDown, OutcomeUnknown) as error:
            is_done, reason = False, error.code
        finally:
            self.failing = None
            tx.__exit__(None, None, None)
        if self.is_late:
            assert reason == "stale_version"
        elif failing is None:
            assert reason in {None, "missing_mark", "oversold", "validation_failed"}
        assert is_done is (reason is None)
        if reason == "outcome_unknown":
            assert tx.review_made is not None
            self.unknown.add(tx.review_made.id)
        self.model.levels, self.model.version = levels, version
        if is_done:
            assert total is not None
            self.model.land(total)
            assert tx.review_made is not None
            assert tx.review_made.total == total
        else:
            self.model.levels = []
            assert projection.digest(self.desk.timeline.book) == digest
        self.over()

    def over(self):
        """The outermost has ended; the next one takes up what another has done meanwhile."""
        self.desk.catch_up()
        self.is_late = False

    def near(self, marks, off):
        if off is None:
            return None
        with suppress(KeyError):
            cash, held = self.model.after()
            return cash + sum(u * marks[s] for s, u in held.items() if u) + off
        return off

    def new(self, previous, epsilon):
        return PortfolioTransaction(self.desk, rules_of(previous, {"validation_epsilon": epsilon}))

    @rule(delta=st.integers(1, 5), marks=FULL, rarely=RARELY)
    def another_writer(self, delta, marks, rarely):
        if rarely:
            return
        rules = rules_of(None, {"validation_epsilon": 10**9})
        with PortfolioTransaction(self.other, rules) as tx:
            tx.stage_cash_delta(delta)
            assert tx.commit(marks)
        self.model.cash += delta
        self.model.version += 1
        self.model.total = self.model.cash + sum(
            units * marks[symbol] for symbol, units in self.model.held.items()
        )
        self.is_late = bool(self.open)
        if not self.open:
            self.desk.catch_up()

    @rule(rarely=RARELY)
    def crash(self, rarely):
        """Everything in memory is gone; what is stored is what counts."""
        if rarely:
            return
        for tx in reversed(self.open):
            nesting.leave(tx)
        self.open, self.model.levels, self.is_late = [], [], False
        self.desk = Desk(self.store, Clock())

    @precondition(lambda self: not self.open)
    @rule()
    def ask_what_stands(self):
        found = recover(self.desk)
        assert (found.version, found.previous_equity) == (self.model.version, self.model.total)
        assert not any(each.has_landed for each in found.interrupted)
        assert len(found.interrupted) == len(self.unknown)
        self.unknown = set()

    @invariant()
    @money
    def the_book_is_the_model(self):
        if not hasattr(self, "store") or self.is_late:
            return
        book = self.desk.timeline.book
        held = {s: book.held("manual:main", s).quantity for s in SYMBOLS}
        assert held == self.model.held
        assert book.held("manual:main", "USD").quantity == self.model.cash
        assert sum((f.value for f in book.fees.values()), Decimal(0)) == self.model.fees
        assert self.store.head().version == self.desk.head.version == self.model.version
        assert not audit.breaches(book)
        assert self.store.load_state() == projection.cells(book)

    def teardown(self):
        if hasattr(self, "store"):
            for tx in reversed(self.open):
                nesting.leave(tx)
            again = Desk(self.store, Clock())
            self.desk.catch_up()
            assert projection.digest(again.timeline.book) == projection.digest(
                self.desk.timeline.book
            )


class FifoLife(Life):
    """The same with lots."""

    method = Method.FIFO


@pytest.mark.sweep
@pytest.mark.slow("some ten thousand steps of transactions, each checked against the model")
@pytest.mark.parametrize("life", [Life, FifoLife])
def test_transactions_are_what_a_naive_model_says(life, caplog):
    caplog.set_level(logging.CRITICAL, logger="bursar.transactions")
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=max(1, figures.TRANSACTIONS // 2),
            stateful_step_count=figures.TRANSACTION_STEPS,
        ),
    )
