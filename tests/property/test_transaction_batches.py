"""A batch of transactions is what the same ones come to one by one.

Verdict by verdict, row by row, message by message, wherever in the batch somebody looks.
"""

import json
import logging
from decimal import Decimal
from typing import cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.desk import Desk
from bursar.desk.metrics import Distribution
from bursar.desk.transactions import PortfolioBatch, PortfolioTransaction, keeping, rules_of
from bursar.desk.transactions.rules import Options
from bursar.errors import BursarError
from bursar.ledger import audit, projection
from bursar.ledger.terms import Method, Scope, Terms
from bursar.store import MemoryStore
from tests.unit.portfolio.places import Clock

CENTS = st.integers(-20_000, 20_000).map(lambda n: Decimal(n) / 100)
UNITS = st.integers(-10, 30).map(lambda n: Decimal(n) / 10)
PRICES = st.integers(1, 900).map(lambda n: Decimal(n) / 10)
SYMBOLS = st.sampled_from(("AAA/USD", "AAA/EUR", "BBB", "BTC/USD", "XBT", "USDT", "EUR/USD"))
FULL = {"AAA": "3.7", "BBB": "11", "BTC": "50", "EUR/USD": "1.1", "XBT/EUR": "45"}
MARKS = st.just(FULL) | st.fixed_dictionaries({}, optional=dict.fromkeys(FULL, PRICES))
LINES = st.tuples(SYMBOLS, UNITS, st.none() | PRICES, st.sampled_from((None, "trend")))
DELTAS = st.fixed_dictionaries(
    {
        "cash": st.just(Decimal(0)) | CENTS,
        "fees": st.just(Decimal(0)) | CENTS,
        "lines": st.lists(LINES, max_size=3),
        "lot": st.none() | st.sampled_from((Decimal(1), Decimal(2))),
        "claim": st.none() | CENTS,
        "marks": MARKS,
        "looks": st.booleans(),
        "rules": st.fixed_dictionaries(
            {},
            optional={
                "previous": CENTS,
                "validation_epsilon": st.sampled_from((0, 5, 10**6)),
                "against": st.just("remarked"),
                "idempotency_key": st.sampled_from(("one", "two")),
                "account": st.just("manual:other"),
                "strict": st.booleans(),
            },
        ),
    }
)
TERMS = st.builds(
    Terms,
    base=st.just("USD"),
    method=st.sampled_from((Method.WAC, Method.FIFO)),
    scope=st.sampled_from(tuple(Scope)),
)


def attempt(tx, told):
    """Stage and commit what is told; return all that can be seen of it."""
    try:
        with tx:
            tx.stage_cash_delta(told["cash"], told["fees"])
            for symbol, units, price, strategy in told["lines"]:
                tx.stage_position_delta(symbol, units, price, strategy=strategy)
            if told["lot"] is not None:
                tx.stage_position_delta("BBB", told["lot"])
                tx.stage_lot_add("BBB", told["lot"], price=3)
            if told["claim"] is not None:
                tx.stage_realized_pnl_delta(told["claim"])
            done = tx.commit(told["marks"])
            if told["looks"]:
                assert tx.review_made is not None
                assert not done or tx.review_made.realized is not None
    except BursarError as error:
        return error.code, str(error), tx.state
    return done, tx.is_repeat, tx.state


def ruled(told):
    options = told["rules"]
    every = {"validation_epsilon": 10**5, **options}
    return rules_of(every.pop("previous", None), cast("Options", every))


def one_by_one(desk, every):
    """Commit them one after another."""
    made = [PortfolioTransaction(desk, ruled(told)) for told in every]
    return made, [attempt(tx, told) for tx, told in zip(made, every, strict=True)]


def together(desk, every):
    """Commit them in one batch, each by its own rules."""
    with PortfolioBatch(desk, rules_of(None, {})) as batch:
        answers = []
        for told in every:
            tx = batch.transaction()
            tx.rules = ruled(told)
            answers.append(attempt(tx, told))
    return batch.transactions, answers


def told(row):
    """A message without the positions that were opened or closed: a batch tells them once."""
    body = {name: said for name, said in json.loads(row.message.body).items() if name != "moved"}
    return row.number, row.version, row.message.id, row.message.topic, row.created_at, body


def kept(desk):
    store = desk.store
    answers = store.memos(keeping.KEY).values()
    counts = msgspec.structs.replace(keeping.counted(desk), latency_ms=Distribution())
    return {
        "head": store.head(),
        "rows": list(store.records()),
        "outbox": [told(row) for row in store.outbox()],
        "cells": store.load_state(),
        "trades": store.get_trades(),
        "flows": store.get_cash_flows(),
        "answers": [msgspec.json.decode(text, type=keeping.Answer) for text in answers],
        "equity": store.get_latest_cash_equity("main"),
        "book": projection.digest(desk.timeline.book),
        "counts": counts,
    }


@pytest.fixture(autouse=True, scope="module")
def _quiet():
    logger = logging.getLogger("bursar.transactions")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.mark.sweep
@settings(deadline=None)
@given(TERMS, st.lists(DELTAS, max_size=7), st.lists(DELTAS, min_size=1, max_size=12))
def test_a_batch_is_what_one_by_one_comes_to(terms, before, every):
    apart, joint = (Desk(MemoryStore(terms=terms), Clock()) for _ in range(2))
    for desk in (apart, joint):
        one_by_one(desk, before)
    singles, answers = one_by_one(apart, every)
    batched, answers_together = together(joint, every)
    assert answers_together == answers
    reviews = [tx.review_made for tx in singles]
    assert [tx.review_made for tx in batched] == reviews
    assert kept(joint) == kept(apart)
    assert not audit.breaches(joint.timeline.book)
    again = Desk(joint.store, Clock())
    assert projection.digest(again.timeline.book) == projection.digest(joint.timeline.book)
