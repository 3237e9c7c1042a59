"""What each strategy owns, folded like an account of its own."""

import random
from decimal import Decimal

import msgspec
import pytest

from bursar.exact import ZERO
from bursar.ledger import audit, golden
from bursar.ledger.entries import Fill, MarginFill, Side
from bursar.ledger.planning import planned
from bursar.ledger.sleeves import DayClose, Loan, strategy_books
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.ledger.timeline import Timeline
from tests.auditor import histories
from tests.property.test_sleeves import held, parts, together
from tests.unit.ledger.samples import Pen

D = Decimal
pen, K = Pen(), "k:main"
DAY = 86_400 * 10**9
START = 20454 * DAY  # 2026-01-01
TERMS = Terms(accounts=(Account("k:main", FactSource.EVENTS, may_short=True),))


def books(*lines, terms=None):
    """The strategies' books after lines, one an hour, which name no time of their own."""
    told = [
        line if line.startswith("2026") else f"2026-01-01T{hour:02}:00:00Z {line}"
        for hour, line in enumerate(lines)
    ]
    line = Timeline(terms or Terms())
    line.land(planned(line, list(golden.read(told))))
    made = strategy_books(line, line.terms)
    assert together(made) == held(line.book)
    assert audit.totals(made.book).gap == 0
    return made


def owned(made, strategy, asset="XBT", account="k:main"):
    holding = made.of(strategy).held(account, asset)
    return holding.quantity, holding.cost


def test_capital_moves_as_cash_and_is_no_profit():
    made = books(
        "deposit 1000 USD #k:main:1",
        "sleeve 400 from manual to trend #k:main:2",
        "buy 2 XBT @ 100 USD #k:main:3 strategy=trend",
        "sell 1 XBT @ 150 USD #k:main:4 strategy=trend",
    )
    assert owned(made, "trend") == (1, 100)
    assert owned(made, "trend", "USD") == (350, 350)
    assert (made.contributed("trend"), made.made("trend")) == (400, 50)
    assert (made.contributed("manual"), made.made("manual")) == (600, 0)
    assert made.strategies() == ["manual", "trend"]


def test_a_sleeve_short_of_coins_takes_them_from_manual_at_cost():
    made = books(
        "deposit 1000 USD #k:main:1",
        "buy 2 XBT @ 100 USD #k:main:2",
        "sell 1 XBT @ 150 USD #k:main:3 strategy=trend",
    )
    assert made.loans == [
        Loan(
            START + 2 * 3600 * 10**9,
            "k:main",
            "XBT",
            Decimal(1),
            Decimal(100),
            "manual",
            "trend",
            "k:main:3",
        )
    ]
    assert (made.contributed("trend"), made.made("trend")) == (100, 50)


def test_manual_short_of_coins_takes_them_from_strategies_by_name():
    made = books(
        "buy 1 XBT @ 100 USD #k:main:1 strategy=b",
        "buy 1 XBT @ 300 USD #k:main:2 strategy=a",
        "withdrawal 1.5 XBT #k:main:3",
    )
    assert [(loan.from_strategy, loan.quantity) for loan in made.loans] == [
        ("a", 1),
        ("b", Decimal("0.5")),
    ]
    assert owned(made, "b") == (Decimal("0.5"), 50)


def test_what_nobody_has_is_owed_by_who_gave_it():
    made = books("sell 1 XBT @ 100 USD #k:main:1 strategy=a", terms=TERMS)
    assert owned(made, "a")[0] == -1
    covered = books(
        "sell 1 XBT @ 100 USD #k:main:1 strategy=a",
        "buy 1 XBT @ 80 USD #k:main:2 strategy=a",
        terms=TERMS,
    )
    assert covered.made("a") == 20


def test_a_split_and_a_rename_meet_every_sleeve():
    made = books(
        "buy 1 XBT @ 100 USD #k:main:1 strategy=a",
        "buy 2 XBT @ 100 USD #k:main:2",
        "split XBT 10 for 1 #k:main:3",
        "rename XBT to NEW #k:main:4",
    )
    assert owned(made, "a", "NEW") == (10, 100)
    assert owned(made, "manual", "NEW") == (20, 200)


@pytest.mark.parametrize("bought, left", [((3, 3, 4), [2, 2, 1]), ((5, 5, 2), [2, 2, 2])])
def test_what_a_split_rounds_in_the_sleeves_manual_gives_or_takes(bought, left):
    names = ("a", "b", "manual")
    lines = [
        f"buy 0.{atoms:018} XBT @ 100 USD #k:main:{number} strategy={name}"
        for number, (atoms, name) in enumerate(zip(bought, names, strict=True))
    ]
    made = books(*lines, "split XBT 1 for 2 #k:main:4")
    assert [owned(made, name)[0].scaleb(18) for name in names] == left


def renamed(quantity, *bought, terms=None):
    """The strategies' books after purchases of a coin and a rename of so much of it."""
    line = Timeline(terms or Terms())
    line.land(planned(line, [*bought, pen.rename("XBT", "NEW", quantity=D(quantity), account=K)]))
    made = strategy_books(line, line.terms)
    assert together(made) == held(line.book)
    assert audit.totals(made.book).gap == 0
    assert audit.breaches(line.book) == []
    return made


def test_a_rename_of_a_part_takes_what_is_nobodys_first():
    bought = pen.buy(1, "XBT", 100, strategy="a", account=K), pen.buy(2, "XBT", 200, account=K)
    made = renamed("2.5", *bought)
    assert (owned(made, "manual", "NEW"), owned(made, "manual")) == ((2, 200), (0, 0))
    assert (owned(made, "a", "NEW"), owned(made, "a")) == ((D("0.5"), 50), (D("0.5"), 50))
    made = renamed("1", bought[0])
    assert (owned(made, "a", "NEW"), owned(made, "manual", "NEW")) == ((1, 100), (0, 0))


def test_a_rename_of_what_nobody_has_is_owed():
    made = renamed("3", pen.buy(1, "XBT", 100, strategy="a", account=K), terms=TERMS)
    assert owned(made, "a", "NEW") == (1, 100)
    assert owned(made, "manual", "NEW")[0] == 2


def leveraged(name, quantity, **changes):
    return MarginFill(
        id=name,
        executed_at=START + int(name) * DAY,
        account="k:main",
        base="XBT",
        quote="USD",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(100),
        quote_rate=Decimal(1),
        **changes,
    )


def test_a_leveraged_position_stays_with_who_opened_it_until_it_is_closed():
    facts = [
        leveraged("1", 2, strategy="a"),
        msgspec.structs.replace(
            leveraged("2", 1, strategy="b", pair="XBT/USD"), side=Side.SELL, price=Decimal(110)
        ),
    ]
    made = strategy_books(facts, Terms())
    assert made.made("a") == 10
    assert made.strategies() == ["a"]
    settled = Fill(
        id="3",
        executed_at=START + 3 * DAY,
        account="k:main",
        base="XBT",
        quote="USD",
        side=Side.BUY,
        quantity=Decimal(1),
        amount=Decimal(100),
        value=Decimal(100),
        strategy="b",
        delivers=True,
    )
    made = strategy_books([*facts, settled], Terms())
    assert made.book.margins["a\x1fk:main", "XBT/USD"].quantity == 0
    assert owned(made, "b") == (1, 100)
    assert owned(strategy_books([settled], Terms()), "b") == (1, 100)


def test_days_are_closed_with_what_was_given_and_made():
    made = books(
        "2026-01-01T10:00:00Z deposit 100 USD #k:main:1",
        "2026-01-01T11:00:00Z sleeve 100 from manual to a #k:main:2",
        "2026-01-02T10:00:00Z buy 1 XBT @ 100 USD #k:main:3 strategy=a",
        "2026-01-04T10:00:00Z sell 1 XBT @ 90 USD fee 1 USD #k:main:4 strategy=a",
    )
    assert made.closes == [
        DayClose("a", 20454, Decimal(100), ZERO),
        DayClose("manual", 20454, ZERO, ZERO),
        DayClose("a", 20455, Decimal(100), ZERO),
        DayClose("a", 20457, Decimal(100), Decimal(-11)),
    ]


def test_any_history_adds_up():
    """Every kind of fact, in accounts that may be short, pooled, and of every rule."""
    for seed in range(40):
        chance = random.Random(seed)
        terms = histories.terms(chance)
        line = Timeline(terms)
        line.land(planned(line, histories.history(chance, 40, terms)))
        made = strategy_books(line, terms)
        assert together(made) == held(line.book)
        assert parts(made) == audit.totals(made.book).cost


def test_a_strategy_of_any_name_keeps_its_own():
    fill = Fill(
        id="k:main:1",
        executed_at=START,
        account="k:main",
        base="XBT",
        quote="USD",
        side=Side.BUY,
        quantity=Decimal(2),
        price=Decimal(10),
        strategy="a\x1fb",
    )
    line = Timeline(Terms())
    line.land(planned(line, [fill]))
    assert owned(strategy_books(line, line.terms), "a\x1fb") == (2, 20)
