"""A plain fill folds in one go and makes the book that folding it leg by leg makes."""

import random
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bursar.exact import money
from bursar.ledger.book import Book
from bursar.ledger.entries import Fee, Fill, Flag, Side
from bursar.ledger.fold import fill as fills
from bursar.ledger.fold import fold, traced
from bursar.ledger.projection import digest
from bursar.ledger.terms import Account, Method, Scope, Terms

SHORTS = "alpaca:margin"
ACCOUNTS = ("kraken:main", "binance:spot", SHORTS)


def a_book(method=Method.WAC, scope=Scope.ACCOUNT):
    terms = Terms(method=method, scope=scope, accounts=(Account(SHORTS, may_short=True),))
    return Book(terms)


def a_fill(**changes):
    plain = Fill(
        id="kraken:1",
        executed_at=1,
        account="kraken:main",
        base="XBT",
        quote="USD",
        side=Side.BUY,
        quantity=Decimal(2),
        amount=Decimal(60000),
        value=Decimal(60000),
        fees=(Fee("USD", Decimal(8), Decimal(8)),),
    )
    return replace(plain, **changes)


def a_fee(rng, base, quote):
    asset = rng.choice([quote] * 6 + [base, "XBT"])
    amount = Decimal(rng.choice(["0", "0.5", "0.00000001", "3.25", "-0.75"]))
    return Fee(asset, amount, rng.choice([amount, amount, amount, amount * 2, None]))


def random_fills(seed, length=80):
    """Mostly plain, with everything that makes a fill less so now and then."""
    rng = random.Random(seed)
    for count in range(length):
        base, quote = rng.choice(["XBT", "ETH", "ADA"]), rng.choice(["USD"] * 6 + ["USDT", "DOT"])
        amount = Decimal(rng.choice([0, *[rng.randint(1, 10**9)] * 15])).scaleb(-4)
        yield a_fill(
            id=f"kraken:{count}",
            executed_at=count // 2,
            sequence=count,
            account=rng.choice(ACCOUNTS),
            base=rng.choice([base] * 20 + ["USDT"]),
            quote=quote,
            side=rng.choice(list(Side)),
            quantity=Decimal(rng.choice([0, *[rng.randint(1, 10**6)] * 15])).scaleb(-3),
            amount=amount,
            value=rng.choice([amount] * 12 + [amount * 3, None]),
            fees=tuple(a_fee(rng, base, quote) for _ in range(rng.choice([0, 1, 1, 1, 1, 2]))),
            pair=rng.choice([None, "XBT-USD"]),
            strategy=rng.choice([None, "momentum"]),
            regime=rng.choice([None, "calm"]),
            lots=rng.choice([(), (f"kraken:{rng.randint(0, length)}",)]),
            flags=rng.choice([(), (Flag.PROVISIONAL,)]),
        )


def leg_by_leg(facts, book):
    """Fold without the short way: (book, what each fact realised)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fills, "_plain_fill", lambda _book, _fill: False)
        lines = [traced(book, fact) for fact in facts]
    return book, lines


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("method", list(Method))
def test_both_ways_make_the_same_book_and_tell_the_same(method, scope):
    for seed in range(20):  # under each of ten pairs of rule and scope
        facts = list(random_fills(seed))
        slowly, lines = leg_by_leg(facts, a_book(method, scope))
        at_once, told = a_book(method, scope), a_book(method, scope)
        assert money(digest)(fold(facts, at_once)) == money(digest)(slowly), f"seed {seed}"
        assert [traced(told, fact) for fact in facts] == lines, f"seed {seed}"
        assert money(digest)(told) == money(digest)(slowly)


@pytest.mark.parametrize("method", list(Method))
def test_both_ways_make_the_same_book_on_a_fork(method):
    early, late = list(random_fills(1)), list(random_fills(2))
    fork = fold(early, a_book(method)).fork()
    slowly, _ = leg_by_leg([*early, *late], a_book(method))
    assert money(digest)(fold(late, fork)) == money(digest)(slowly)


@pytest.mark.parametrize("method", list(Method))
def test_plain_fills_do_not_take_the_long_way(method, monkeypatch):
    monkeypatch.setattr(fills, "_fill", lambda _book, fill: pytest.fail(f"{fill.id} was not plain"))
    sale = a_fill(id="kraken:2", side=Side.SELL, quantity=Decimal("0.5"), fees=())
    rebate = a_fill(id="kraken:3", quote="USDT", fees=(Fee("USDT", Decimal(-1), Decimal(-1)),))
    book = fold([a_fill(), sale, rebate], a_book(method))
    assert book.holdings["kraken:main", "XBT"].quantity == Decimal("3.5")


@pytest.mark.parametrize(
    "changes",
    [
        {"value": Decimal(59999)},
        {"value": None},
        {"amount": Decimal(0), "value": Decimal(0)},
        {"quantity": Decimal(0)},
        {"side": Side.SELL},
        {"base": "USDT"},
        {"quote": "ETH"},
        {"fees": (Fee("XBT", Decimal("0.1"), Decimal(3000)),)},
        {"fees": (Fee("USD", Decimal(8), Decimal(7)),)},
        {"fees": (Fee("USD", Decimal(8), None),)},
        {"fees": (Fee("USD", Decimal(8), Decimal(8)), Fee("USD", Decimal(1), Decimal(1)))},
    ],
)
def test_any_other_fill_takes_the_long_way(changes, monkeypatch):
    taken = []
    monkeypatch.setattr(fills, "_fill", lambda _book, fill: taken.append(fill))
    book = fold([a_fill(**changes)], a_book())
    assert len(taken) == 1
    assert not book.holdings
