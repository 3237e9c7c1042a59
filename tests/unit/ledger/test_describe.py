"""Records of facts: one per kind of line, and they add up to what the fact realised."""

from decimal import Decimal

from bursar.ledger import describe, golden
from bursar.ledger.book import Book
from bursar.ledger.fold import traced
from bursar.ledger.planning import planned
from bursar.ledger.records import is_shift
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline
from tests.unit.portfolio.places import opened

D = Decimal
AT = "2026-01-05T10:00:00Z"


def records(*lines):
    line = Timeline(Terms())
    line.land(planned(line, golden.read(lines)))
    book, trades, flows = Book(line.terms), [], []
    for fact in line:
        made = traced(book, fact)
        own, moved = describe.records([(fact, made)], line.terms)
        own = [each for each in own if not is_shift(each)]
        assert own == describe.trade_records(fact, made, book.cash)
        assert sum(each.pnl_base for each in own) == sum(each.realized for each in made)
        trades += own
        flows += moved
    return trades, flows


def test_a_peg_away_from_one_has_a_record_of_its_own_without_the_fee():
    bought = f"{AT} buy 1000 USDT @ 0.99 USD fee 1 USD #k:1"
    trade, peg = records(bought)[0]
    assert (trade.kind, trade.pnl_base, trade.fee_amount, trade.quote_delta) == (
        "trade",
        -1,
        1,
        -991,
    )
    assert (peg.kind, peg.pnl_base, peg.fee_amount, peg.base_delta, peg.quote_delta) == (
        "peg",
        10,
        0,
        0,
        0,
    )


def test_a_staged_change_counts_its_fees_in_what_it_realised():
    (record,), _ = records(f"{AT} staged cash -100 fees 5 position 1 XBT @ 100 #k:1")
    assert (record.kind, record.pnl_base) == ("staged", -5)
    assert (record.fee_amount, record.fee_asset, record.fee_base) == (5, "USD", 5)
    assert record.strategy_tag == "transaction"


def test_fees_of_a_staged_change_are_told_by_the_record_of_where_they_were_charged():
    line = f"{AT} staged cash 35 fees 5 position -1 XBT @ 15 position -1 ETH @ 20 #k:3"
    bought = f"{AT} buy 1 XBT @ 10 USD #k:1", f"{AT} buy 1 ETH @ 20 USD #k:2"
    trades, _ = records(*bought, line)
    told = {each.pair: (each.fee_amount, each.fee_base) for each in trades}
    assert told == {"XBT/USD": (0, 0), "ETH/USD": (0, 0), "none": (5, 5)}


def test_a_staged_change_has_a_record_of_each_pair_that_it_made_something_in():
    trades, _ = records(
        f"{AT} staged cash -30 position 1 XBT @ 10 position 1 ETH @ 20 #k:1",
        "2026-01-06T10:00:00Z staged cash 40 fees 1 position -1 XBT @ 15 position -1 ETH @ 25 #k:2",
        "2026-01-07T10:00:00Z staged fees 1 position 1 XBT @ 10 #k:3",
    )
    assert [(each.trade_id, each.kind, each.pair, each.pnl_base) for each in trades] == [
        ("k:1", "staged", "none", 0),
        ("k:2", "staged", "XBT/USD", 5),
        ("k:2", "staged ETH/USD", "ETH/USD", 5),
        ("k:2", "staged none", "none", -1),
        ("k:3", "staged", "XBT/USD", -1),
    ]


def test_a_staged_change_is_tagged_by_whom_its_lines_name():
    told = "position 1 XBT @ 100 by trend position 1 ETH @ 10"
    (record,), _ = records(f"{AT} staged cash -110 {told} #k:1")
    assert record.strategy_tag == "trend"


def test_what_the_positions_do_not_explain_is_a_flow():
    _, (flow,) = records(f"{AT} staged cash -60 fees 5 position 1 XBT @ 100 #k:1")
    assert (flow.type, flow.asset, flow.amount, flow.value_base) == ("staged_flow", "USD", 40, 40)
    _, flows = records(f"{AT} staged cash -100 position 1 XBT @ 100 #k:2")
    assert not [each for each in flows if each]


def test_each_account_that_a_transfer_made_something_in_has_its_record():
    rate = "rate=XBT|USD|30|x|2026-01-05T10:00:00Z"
    trades, _ = records(
        f"{AT} deposit 2 XBT #a:1 value=20",
        f"2026-01-06T10:00:00Z transfer 1 XBT to b fee 0.1 XBT to-fee 0.2 XBT #a:2 {rate}",
    )
    assert [(each.trade_id, each.kind, each.account, each.pnl_base) for each in trades] == [
        ("a:2", "flow", "a", 2),
        ("a:2", "flow b", "b", 4),
    ]


def test_a_margin_trade_that_rounds_has_two_records():
    opened = f"{AT} margin buy 3 XBT @ 10 USD #k:1"
    closed = "2026-01-06T10:00:00Z margin sell 3 XBT @ 11 USD settled 3.01 fee 1 USD #k:2"
    kinds = {each.kind: each.pnl_base for each in records(opened, closed)[0] if each.pnl_base}
    assert kinds == {"margin": Decimal(2), "rounding": Decimal("0.01")}


def test_what_a_margin_trade_settled_is_in_its_record_also_where_only_the_book_says():
    opened = f"{AT} margin buy 3 XBT @ 10 USD #k:1"
    closed = "2026-01-06T10:00:00Z margin sell 2 XBT @ 11 USD fee 1 USD #k:2"
    (first, last) = records(opened, closed)[0]
    assert (first.quote_delta, last.quote_delta) == (0, 1)  # 2 × (11 − 10) − 1


def test_a_conversion_and_what_a_flow_realised():
    trades, flows = records(
        f"{AT} deposit 2 XBT #k:1 basis=10 value=20",
        "2026-01-06T10:00:00Z convert 1 XBT into 30 USD #k:2",
        "2026-01-07T10:00:00Z fee 1 XBT #k:3 value=7",
    )
    assert [(each.kind, each.pnl_base, each.quote_delta) for each in trades] == [
        ("conversion", 25, 30),
        ("flow", 2, 0),
    ]
    assert [(each.type, each.amount, each.cost_base) for each in flows] == [
        ("deposit", 2, 10),
        ("fee", -1, -5),
    ]


GROUPED = "source=ledger group=k:R"
RATED = "rate=XBT|USD|50000|candle|2026-01-06T10:00:00Z"
BACK = (
    f"{AT} buy 1 XBT @ 40000 USD #k:1",
    f"2026-01-06T10:00:00Z row withdrawal -0.5 XBT fee 0.01 #k:L1 {GROUPED} {RATED}",
    f"2026-01-07T10:00:00Z row withdrawal 0.5 XBT fee -0.01 #k:L2 {GROUPED}",
)


def test_a_flow_that_is_given_back_has_two_records_that_cancel():
    went, came = records(*BACK)[1]
    assert (went.id, went.amount, went.value_base, went.cost_base) == (
        "k:L1",
        D("-0.5"),
        -25000,
        -20000,
    )
    assert (came.id, came.amount, came.value_base, came.cost_base) == (
        "k:L2",
        D("0.5"),
        25000,
        20000,
    )
    assert (went.fee_amount, came.fee_amount) == (D("0.01"), D("-0.01"))
    assert (went.type, came.type, came.flags) == ("withdrawal", "withdrawal", ("reversal",))


def test_income_that_is_taken_back_has_two_records_that_cancel():
    given = "2026-01-06T10:00:00Z row reward 1 DOT #k:L1 source=ledger group=k:R"
    taken = "2026-01-07T10:00:00Z row reward -1 DOT #k:L2 source=ledger group=k:R"
    rate = " rate=DOT|USD|10|candle|2026-01-06T10:00:00Z"
    flows = records(given + rate, taken)[1]
    assert [(flow.amount, flow.value_base, flow.cost_base) for flow in flows] == [
        (1, 10, 10),
        (-1, -10, -10),
    ]


def test_what_comes_late_between_a_flow_and_its_return_loses_neither():
    with opened(*BACK, terms=Terms(base="USD")) as portfolio:
        portfolio.record(*golden.read(["2026-01-06T20:00:00Z deposit 5 USD #k:late"]))
        assert [flow.id for flow in portfolio.flows()] == ["k:L2", "k:late", "k:L1"]
        assert portfolio.verify().is_sound
