"""Two bookkeepers, one history: the book and the naive auditor agree to the last digit."""

import random
from fractions import Fraction

import msgspec
import pytest

from bursar.exact import money
from bursar.ledger import audit
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method, Scope
from bursar.ledger.timeline import Timeline
from tests import figures
from tests.auditor import histories
from tests.auditor.auditor import Auditor
from tests.auditor.founding import Founding

LENGTH = 40


def auditor_of(terms):
    return Auditor(
        base=terms.base,
        cash=terms.cash,
        method=terms.method.value,
        pooled=terms.scope is Scope.POOLED,
        shorts=[account.name for account in terms.accounts if account.may_short],
    )


def audited(terms, facts):
    return auditor_of(terms).read(facts)


def present(values):
    """Leave out what is zero everywhere: a key that never mattered is no disagreement."""
    return {key: value for key, value in values.items() if any(each != 0 for each in value)}


def fractions(*values):
    return tuple(Fraction(value) for value in values)


@money
def of_book(book):
    pooled = book.is_pooled
    cells = book.cells.items()
    return {
        "holdings": present({k: fractions(h.quantity, h.cost) for k, h in book.holdings.items()}),
        "balances": present({k: fractions(q) for k, q in book.balances.items()}) if pooled else {},
        "lots": {k: v for k in book.holdings if (v := lots_of(book, k))},
        "owed": {
            key: [fractions(lot.quantity, lot.cost) for lot in holding.owed]
            for key, holding in book.holdings.items()
            if holding.owed
        },
        "cells": present(
            {k: (*fractions(c.size, c.realized, c.fees, c.peg), c.trades) for k, c in cells}
        ),
        "fees": present({k: fractions(f.amount, f.value) for k, f in book.fees.items()}),
        "flows": present(
            {k: (*fractions(f.amount, f.booked, f.value), f.count) for k, f in book.flows.items()}
        ),
        "margins": present(
            {k: fractions(m.quantity, m.notional, m.unseen) for k, m in book.margins.items()}
        ),
        "pockets": present({k: fractions(q) for k, q in book.pockets.items()}),
        "sleeves": present({k: fractions(q) for k, q in book.sleeves.items()}),
        "gaps": {key: count for key, count in book.gaps.items() if count},
        "totals": fractions(*msgspec.structs.astuple(audit.totals(book))),
    }


def lots_of(book, key):
    if key[1] in book.cash:
        return []
    if book.is_wac:
        return [fractions(lot.quantity, lot.cost) for lot in book.lots(*key)]
    kept = book.rule.lots(book.holdings[key].pool)
    return [(lot.id, *fractions(lot.quantity, lot.cost)) for lot in kept]


def of_auditor(own):
    places = own.stock.places.items()
    keys = {*own.realized, *own.sizes, *own.charged, *own.trades, *own.pegged}
    return {
        "holdings": present({k: (p.quantity, p.cost) for k, p in places}),
        "balances": present({k: (q,) for k, q in own.stock.balances.items()})
        if own.stock.pooled
        else {},
        "lots": {
            k: [
                (lot.quantity, lot.cost)
                if own.method == "wac"
                else (lot.name, lot.quantity, lot.cost)
                for lot in p.lots
            ]
            for k, p in places
            if p.lots
        },
        "owed": {k: [(lot.quantity, lot.cost) for lot in p.debts] for k, p in places if p.debts},
        "cells": present(
            {
                k: (own.sizes[k], own.realized[k], own.charged[k], own.pegged[k], own.trades[k])
                for k in keys
            }
        ),
        "fees": present({k: tuple(v) for k, v in own.fees.items()}),
        "flows": present({k: tuple(v) for k, v in own.flows.items()}),
        "margins": present({k: tuple(v) for k, v in own.margins.items()}),
        "pockets": present({k: (v,) for k, v in own.pockets.items()}),
        "sleeves": present({k: (v,) for k, v in own.sleeves.items()}),
        "gaps": dict(own.gaps),
        "totals": own.totals(),
    }


def differences(book, own):
    ours, theirs = of_book(book), of_auditor(own)
    for part, value in ours.items():
        other = theirs[part]
        if isinstance(value, dict):
            keys = sorted({*value, *other}, key=str)
            yield from (
                (part, key, value.get(key), other.get(key))
                for key in keys
                if value.get(key) != other.get(key)
            )
        elif value != other:
            yield part, value, other


def judged(seed, *, method=None, scope=None, length=LENGTH):
    rng = random.Random(seed)
    terms = histories.terms(rng, method=method, scope=scope)
    timeline = Timeline(terms)
    entries = histories.history(rng, rng.randint(1, length), terms)
    timeline.land(planned(timeline, entries))
    replay = f"BURSAR_SWEEP_SEED={seed} BURSAR_SWEEP_HISTORIES=1"
    assert not audit.breaches(timeline.book), replay
    founding = Founding(auditor_of(terms), timeline.opens).read(timeline)
    found = list(differences(timeline.book, founding.auditor))
    assert not found, f"{replay}: {found[:3]}"
    stated = {(row.account, row.asset) for row in timeline.firsts.rows()}
    faults = [*founding.faults, *founding.too_large(stated)]
    assert not faults, f"{replay}: {faults[:3]}"


@pytest.mark.sweep
def test_book_and_auditor_agree_to_the_last_digit():
    for seed in range(figures.SEED, figures.SEED + figures.HISTORIES):
        judged(seed)


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("method", list(Method))
def test_they_agree_on_a_long_history(method, scope):
    judged(figures.SEED, method=method, scope=scope, length=250)
