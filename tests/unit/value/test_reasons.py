"""Why a figure is what it is: the parts of a sum add up, the marks are named."""

import pytest

from bursar.errors import FigureNotFound, MissingMark, ValueUnknown
from bursar.exact import money
from bursar.ledger import audit
from bursar.ledger.why import Amount, Why, render
from bursar.value import reasons
from tests.unit.value.books import EXAMPLE, D, loose, valued

why_cost = loose(reasons.why_cost)
why_equity = loose(reasons.why_equity)
why_fees = loose(reasons.why_fees)
why_identity = loose(reasons.why_identity)
why_unrealized = loose(reasons.why_unrealized)
why_value = loose(reasons.why_value)

TEXT = """
@ method fifo
@ account e events
2026-02-02T00:00:00Z  deposit 1000 USD                  #k:0
2026-02-02T00:00:01Z  buy 1 XBT @ 100 USD  fee 1 USD    #k:1  strategy=trend
2026-02-02T00:00:02Z  buy 1 BTC @ 120 USD               #b:1
2026-02-02T00:00:03Z  sell 0.5 XBT @ 150 USD            #k:2
2026-02-02T00:00:04Z  sell 1 ADA @ 3 USD                #e:1
2026-02-02T00:00:05Z  margin buy 1 ETH @ 10 USD         #k:3
2026-02-02T00:00:06Z  margin buy 1 SOL @ 10 USD         #k:4
2026-02-02T00:00:07Z  deposit 1 DOT                     #k:5  value=9
"""
PRICES = {"XBT_EUR": "100", "USD_EUR": "0.5", "ADA_USD": "4", "ETH_USD": "12"}


@pytest.fixture
def case():
    return valued(TEXT, **PRICES)


def summed(why):
    assert why.value == sum(part.value for part in why.parts if part.value is not None)
    return why


@money
def test_equity_is_the_sum_of_its_parts(case):
    why = summed(why_equity(case[1]))
    unknown = [part for part in why.parts if part.value is None]
    assert [part.name for part in unknown] == ["1 DOT", "1 SOL/USD, leveraged, in k"]
    assert "no mark (USD)" in unknown[0].source
    margin = why.parts[-2]
    assert margin.formula == "unrealised of 1 ETH/USD, leveraged, in k = value − entry"
    assert [part.value for part in summed(margin).parts] == [12, -10]
    assert [part.name for part in margin.parts[0].parts] == ["quantity of ETH", "mark ETH/USD"]


def test_the_example_reads_as_lines():
    _, worth = valued(EXAMPLE, XBT_USD="60000")
    assert render(why_equity(worth)) == [
        "134987  equity in USD = Σ value of assets + Σ unrealised of leveraged positions",
        "  44987  value of USD in USD at face",
        "    44987  quantity of USD",
        "  90000  value of XBT = quantity × mark, XBT → USD",
        "    1.5  quantity of XBT",
        "    60000  mark XBT/USD  (venue of 2026-03-01T12:00:00Z)",
    ]


def test_a_value_names_every_mark_on_its_path(case):
    why = why_value(case[1], "BTC")
    assert why.value == 300
    assert [part.name for part in why.parts] == ["quantity of XBT", "mark XBT/EUR", "mark USD/EUR"]
    assert why.parts[2].source.endswith("Z, inverted")


def test_a_step_at_face_has_no_mark():
    _, worth = valued(EXAMPLE, XBT_USDT="60000")
    why = why_value(worth, "XBT")
    assert why.formula.endswith("XBT → USDT → USD")
    assert [part.name for part in why.parts] == ["quantity of XBT", "mark XBT/USDT"]


@money
def test_unrealised_is_value_less_cost(case):
    assert summed(why_unrealized(case[1], "XBT")).value == 300 - 170


@money
def test_cost_is_the_sum_of_open_lots(case):
    book, worth = case
    own = summed(why_cost(book, worth, "XBT"))
    assert [(part.name, part.source) for part in own.parts] == [
        ("lot of 1 BTC", "b, b:1"),
        ("lot of 0.5 XBT", "k, k:1"),
    ]
    owed = summed(why_cost(book, worth, "ADA"))
    assert owed.parts == (Amount("owed of 1 ADA", D(-3), "e, e:1"),)
    assert summed(why_cost(book, worth, "USD")).value == worth.asset("USD").cost


@money
@money
def test_a_cost_that_nobody_priced_is_not_known():
    text = """
    @ method fifo
    2026-02-02T00:00:00Z  deposit 5 SGB          #k:1
    2026-02-02T00:00:01Z  buy 1 XBT @ 10 USD     #k:2
    2026-02-02T00:00:02Z  deposit 1 XBT          #k:3
    """
    book, worth = valued(text, SGB_USD="2", XBT_USD="30")
    with pytest.raises(ValueUnknown, match="SGB: cost unknown"):
        why_cost(book, worth, "SGB")
    with pytest.raises(ValueUnknown, match="SGB: cost unknown"):
        why_unrealized(worth, "SGB")
    own = summed(why_cost(book, worth, "XBT"))
    assert (own.value, [part.value for part in own.parts]) == (10, [10, None])
    why = summed(why_identity(worth, audit.totals(book)))
    assert why.value == 0
    assert why.parts[-1] == Amount("value without a known cost", D(-10))


def test_fees_and_the_identity(case):
    book, worth = case
    assert summed(why_fees(book)).value == 1
    why = summed(why_identity(worth, audit.totals(book)))
    assert why.value == 0
    assert why.parts[2] == Amount("cost of unpriced", D(9))


def test_what_is_not_there_or_not_known_is_an_error(case):
    with pytest.raises(FigureNotFound, match="LTC"):
        why_value(case[1], "LTC")
    with pytest.raises(FigureNotFound, match="LTC"):
        why_cost(*case, "LTC")
    with pytest.raises(MissingMark, match="DOT: no mark"):
        why_unrealized(case[1], "DOT")


def test_what_is_worth_nothing_needs_no_mark():
    text = """
    @ account e events
    2026-02-02T00:00:04Z  sell 1 ADA @ 3 USD    #e:1
    2026-02-02T00:00:05Z  buy 1 ADA @ 2 USD     #e:2
    """
    _, worth = valued(text)
    assert why_value(worth, "ADA") == Why(
        D(0), "value of ADA = 0, none is held", (Amount("quantity of ADA", D(0)),)
    )


def test_an_unknown_amount_is_said_to_be_unknown():
    assert render(Amount("1 DOT", None, "no mark")) == ["unknown  1 DOT  (no mark)"]
    assert render(Amount("lots", D("1.50"))) == ["1.5  lots"]
