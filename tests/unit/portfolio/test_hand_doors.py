"""What is entered by hand and could not be read back, or says nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import structs

from bursar.errors import BadChoice, InputError, Malformed, NotExact, OutOfBounds
from bursar.ledger.entries import Fee, Fill, Price, Side
from bursar.ledger.golden import read
from bursar.ledger.terms import Terms
from tests.unit.portfolio.places import opened


@pytest.fixture
def book():
    return opened(
        "2026-01-05T10:00:00Z deposit 50000 EUR #manual:main:1",
        "2026-01-06T10:00:00Z buy 1 XBT @ 30000 EUR #manual:main:2",
        terms=Terms(base="EUR"),
    )


SEVEN: Any = 7
UNREADABLE = Price(
    id="p", executed_at=0, account="manual:main", asset=SEVEN, quote="EUR", value=Decimal(1)
)


@pytest.mark.parametrize(
    "enter",
    [
        lambda book: book.add("deposit", "5", "EUR", note=7),
        lambda book: book.add("deposit", "5", "EUR", note="\ud800"),
        lambda book: book.add("deposit", "5", "EUR", strategy=7),
        lambda book: book.tag("manual:main:2", strategy=7),
        lambda book: book.reverse("manual:main:2", note=7),
        lambda book: book.record(UNREADABLE),
    ],
)
def test_what_could_not_be_read_back_is_not_written(book, enter):
    before = book.desk.head
    with pytest.raises(Malformed):
        enter(book)
    assert book.desk.head == before


@pytest.mark.parametrize("amount", ["0.0000000000000000005", "1E+30", "NaN", "Infinity"])
def test_what_an_export_could_not_give_back_is_not_written(book, amount):
    before, number = book.desk.head, Decimal(amount)
    fill = Fill(
        id="f",
        executed_at=0,
        account="manual:main",
        base="XBT",
        quote="EUR",
        side=Side.BUY,
        quantity=Decimal(1),
        price=Decimal(1),
    )
    for changed in ({"quantity": number}, {"fees": (Fee("EUR", number),)}):
        entry = msgspec.structs.replace(fill, **changed)
        with pytest.raises(NotExact if amount in ("NaN", "Infinity") else OutOfBounds, match="'f'"):
            book.record(entry)
    assert book.desk.head == before


@pytest.mark.parametrize(
    "details",
    [{"fees": "5"}, {"fee": 5}, {"id": 7}, {"account": 7}, {"time": date(2026, 1, 5)}],
)
def test_a_detail_that_says_nothing_is_refused(book, details):
    with pytest.raises(InputError):
        book.add("buy", "1", "XBT/EUR", **{"price": "1", **details})


@pytest.mark.parametrize("name", [" ", " trend", "trend\n", "a\nb", "x" * 101])
@pytest.mark.parametrize("field", ["strategy", "regime"])
def test_a_name_that_could_not_be_shown_or_told_apart_is_refused(book, field, name):
    before = book.desk.head
    with pytest.raises(BadChoice, match=f"^{field}: "):
        book.add("buy", "1", "XBT/EUR", price="1", **{field: name})
    with pytest.raises(BadChoice, match=f"^{field}: "):
        book.tag("manual:main:2", **{field: name})
    assert book.desk.head == before


def test_an_empty_name_is_none(book):
    book.tag("manual:main:2", strategy="trend")
    book.tag("manual:main:2", strategy="", regime="BULL")
    (trade,) = book.trades()
    assert (trade.strategy_tag, trade.regime) == ("trend", "BULL")


def test_a_number_longer_than_any_door_lets_in_is_not_recorded(book):
    (bought,) = read(["2026-01-07T10:00:00Z buy 1 XBT @ 5 EUR fee 1 EUR #k:1"])
    assert isinstance(bought, Fill)
    before, long = book.desk.head, Decimal("1.0000000000000000001")
    for field, entry in {
        "quantity": structs.replace(bought, quantity=long),
        "amount": structs.replace(bought, fees=(Fee("EUR", long),)),
        "value": structs.replace(bought, value=Decimal(10) ** 20),
    }.items():
        with pytest.raises(OutOfBounds, match=f"^{field} of .* has over 20 integer or 18 fract"):
            book.record(entry)
    assert book.desk.head == before


def test_seconds_are_not_taken_for_nanoseconds(book):
    with pytest.raises(Malformed, match=r"1970-01-01T00:00:01\.78"):
        book.add("deposit", "1", "EUR", time=1_780_000_000)
    with pytest.raises(Malformed, match="at: 1780000000 nanoseconds"):
        book.at(1_780_000_000)


def test_a_name_that_is_no_text_is_refused(book):
    with pytest.raises(BadChoice):
        book.add("deposit", "1", 7)


@pytest.mark.parametrize("own", ["hand-a", "drift-a", "tx-a"])
def test_an_id_of_ones_own_that_looks_like_a_part_is_taken_back_alone(book, own):
    for name, quantity in ((own, "5"), (f"{own}/2", "7")):
        book.add("deposit", quantity, "EUR", id=name)
    before = book.timeline.book.owned("manual:main", "EUR")
    assert book.reverse(f"{own}/2").review.recorded == 1
    assert book.reverse(own).review.recorded == 1
    assert book.timeline.book.owned("manual:main", "EUR") == before - 12


def test_what_money_is_worth_in_a_coin_tells_the_worth_of_the_coin(book):
    book.add("reward", "10", "USD", time="2026-01-12")
    book.price("EUR", "2026-01-12", "1.25", "USD")
    (lot,) = book.lots("USD").values()
    assert sum(each.cost for each in lot) == 8
    assert book.price("EUR", "2026-01-12", "1.25", "USD").review.duplicates == 1
    with pytest.raises(BadChoice, match=r"EUR is 1\.25 USD at that instant already"):
        book.price("USD", "2026-01-12", "0.9")
