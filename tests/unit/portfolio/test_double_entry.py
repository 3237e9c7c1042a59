"""Double entry: what a fact did as legs, and what it looks like in beancount and in hledger."""

from decimal import Decimal

import pytest
from beancount import loader
from beancount.core.data import Booking, Open, Price, Transaction

from bursar.app import open as open_portfolio
from bursar.errors import BrokenInvariant
from bursar.ledger import golden
from bursar.ledger.golden.words import quote
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method, Terms
from bursar.ledger.timeline import Timeline
from bursar.portfolio.exports import Asked, Ledger, beancount, hledger, ledger_of, legs
from bursar.portfolio.exports.following import Stake, stakes
from bursar.portfolio.exports.legs import Change, Face, Worth, closing, posted
from bursar.portfolio.exports.names import Names, commodity, component
from tests.auditor.test_hledger import check, read

TRADES = (
    "2026-01-05T10:00:00Z  buy   2    XBT @ 40000 USD  fee 8 USD   #k:1",
    "2026-02-01T09:30:00.5Z  sell  0.5  XBT @ 50000 USD  fee 5 USD   #k:2",
)


def timeline_of(*lines, terms=None):
    timeline = Timeline(terms or Terms(method=Method.FIFO))
    timeline.land(planned(timeline, golden.read(lines)))
    return timeline


def ledger(*lines, terms=None):
    timeline = timeline_of(*lines, terms=terms)
    return Ledger(timeline.terms, timeline, timeline.book)


def written(*lines, terms=None):
    return "".join(beancount(ledger(*lines, terms=terms)))


def loaded(text):
    entries, errors, _ = loader.load_string(text)
    assert [error.message for error in errors] == []
    return entries


def test_a_trade_is_what_came_what_went_and_what_it_made():
    timeline = timeline_of(*TRADES)
    bought, sold = posted(timeline.terms, timeline)
    lot = (1_767_607_200_000_000_000, "k", 0, 1, "k:1")
    assert set(bought.legs) == {
        Change("k", "XBT", lot, Stake(), Stake(Decimal(2), Decimal(80000))),
        Face("k", "USD", Decimal(-80008)),
        Worth(("Expenses", "Fees", "Trading"), Decimal(8)),
    }
    assert set(sold.legs) == {
        Change(
            "k",
            "XBT",
            lot,
            Stake(Decimal(2), Decimal(80000)),
            Stake(Decimal("1.5"), Decimal(60000)),
        ),
        Face("k", "USD", Decimal(24995)),
        Worth(("Income", "Realized", "XBT"), Decimal(-5000)),
        Worth(("Expenses", "Fees", "Trading"), Decimal(5)),
    }
    assert set(closing(timeline.book)) == {
        Worth(("Income", "Realized", "XBT"), Decimal(-5000)),
        Worth(("Expenses", "Fees", "Trading"), Decimal(13)),
    }


def test_legs_that_do_not_add_up_are_our_own_mistake(monkeypatch):
    monkeypatch.setattr(legs, "_realized", lambda _book, _fork: iter(()))
    timeline = timeline_of(*TRADES)
    with pytest.raises(BrokenInvariant, match="legs of k:1 are off by -8"):
        list(posted(timeline.terms, timeline))


def test_a_beancount_file_reads_as_its_page_says():
    text = written(*TRADES)
    assert (
        """
2026-02-01 * "k" "sell 0.5 XBT"
  id: "k:2"
  time: "2026-02-01T09:30:00.5Z"
"""
        in text
    )
    for line in (
        '  Assets:K  2 XBT {{80000 USD, 2026-01-05, "k:1"}}',
        '  Assets:K  -0.5 XBT {2026-01-05, "k:1"}',
        "  Income:Realized:XBT  -5000 USD",
        "2026-02-02 balance Assets:K  1.5 ~ 0 XBT",
        "2026-02-02 balance Expenses:Fees:Trading  13 ~ 0 USD",
        '2026-01-05 open Assets:K "FIFO"',
    ):
        assert line in text.splitlines()
    loaded(text)


def test_a_rebate_is_an_expense_below_zero():
    lines = (
        "2026-01-05T10:00:00Z  buy  2  XBT @ 40000 USD  fee -8 USD  #k:1",
        "2026-02-01T09:30:00Z  sell  2  XBT @ 50000 USD  fee -0.1 BNB worth -60  #k:2",
    )
    text = written(*lines)
    for line in (
        "  Expenses:Fees:Trading  -8 USD",
        "  Expenses:Fees:Trading  -60 USD",
        "  Income:Realized:XBT  -20000 USD",
        "2026-02-02 balance Expenses:Fees:Trading  -68 ~ 0 USD",
    ):
        assert line in text.splitlines()
    loaded(text)
    check(text_of(hledger, timeline_of(*lines)))


def test_a_wrong_figure_would_be_found_by_beancount():
    text = written(*TRADES)
    for right, wrong in (
        ("-5000 USD", "-5000.00000001 USD"),
        ("1.5 ~ 0", "1.500000000000000001 ~ 0"),
    ):
        assert right in text
        _, errors, _ = loader.load_string(text.replace(right, wrong, 1))
        assert errors


@pytest.mark.parametrize(
    "rule,booking",
    [("wac", "NONE"), ("fifo", "FIFO"), ("lifo", "LIFO"), ("hifo", "HIFO"), ("specific", "STRICT")],
)
def test_accounts_are_booked_by_the_rule(rule, booking):
    text = written(*TRADES, terms=Terms(method=Method(rule)))
    (opened,) = (
        each for each in loaded(text) if isinstance(each, Open) and each.account == "Assets:K"
    )
    assert opened.booking is Booking[booking]
    assert ("one pool" in text) is (rule == "wac")


def test_what_no_posting_can_say_stands_as_a_comment():
    lines = (
        "2026-01-05T10:00:00Z  deposit  1000 USD  #k:0",
        "2026-01-05T11:00:00Z  transfer  1 USD to k  #k:1  pocket=main  to_pocket=earn",
        "2026-01-05T12:00:00Z  sleeve  10  from a to b  #k:2",
        "2026-01-06T10:00:00Z  margin buy  2  XBT @ 40000 USD  fee 1 USD  #k:3  pair=XBT/USD",
    )
    timeline = timeline_of(*lines)
    for spell in (beancount, hledger):
        text = "".join(spell(Ledger(timeline.terms, timeline, timeline.book)))
        assert "pocket earn of k: 1 USD" in text
        assert "sleeve a: -10" in text
        assert "sleeve  10  from a to b" in text
        assert "leveraged position XBT/USD in k: 2, entered at 80000" in text
        for name in ("k:0", "k:1", "k:2", "k:3"):
            assert name in text
    loaded(text_of(beancount, timeline))
    read(text_of(hledger, timeline), "USD")


def text_of(spell, timeline):
    return "".join(spell(Ledger(timeline.terms, timeline, timeline.book)))


def test_what_is_not_the_last_word_is_flagged():
    text = written("2026-01-05T10:00:00Z  deposit  5 ADA  #k:1")
    (entry,) = (each for each in loaded(text) if isinstance(each, Transaction))
    assert (entry.flag, entry.meta["flags"]) == ("!", "unpriced")
    assert "! k | deposit 5 ADA" in "".join(
        hledger(ledger("2026-01-05T10:00:00Z  deposit  5 ADA  #k:1"))
    )


def test_a_lot_whose_cost_was_set_by_hand_is_exchanged():
    lines = (
        TRADES[0],
        "2026-01-06T10:00:00Z  staged  lot update XBT k:1 2 cost 70000  #k:9",
    )
    text = written(*lines)
    assert '  Assets:K  -2 XBT {2026-01-05, "k:1"}' in text
    assert '  Assets:K  2 XBT {{70000 USD, 2026-01-05, "k:1#2"}}' in text
    loaded(text)


def test_pegs_stand_at_face_beside_their_price():
    lines = ("2026-01-05T10:00:00Z  buy  100  USDT @ 0.998 USD  #k:1",)
    text = written(*lines)
    assert "2026-01-05 price USDT 1 USD" in text
    assert "  Assets:K  100 USDT @ 1 USD" in text
    assert "  Income:Realized:USDT  -0.2 USD" in text
    loaded(text)


def test_what_is_short_stands_on_an_account_of_its_own():
    lines = (
        "@ account a events short",
        "2026-01-05T10:00:00Z  sell  2  AAPL @ 100 USD  #a:1",
        "2026-01-06T10:00:00Z  buy  3  AAPL @ 90 USD  #a:2",
    )
    terms = golden.read_terms(lines)
    text = written(*lines, terms=terms)
    assert '  Assets:A:Owed  -2 AAPL {{200 USD, 2026-01-05, "a:1"}}' in text
    assert '  Assets:A:Owed  2 AAPL {2026-01-05, "a:1"}' in text
    loaded(text)


def test_an_empty_book_is_a_head_and_nothing_else():
    assert loaded(written()) == []
    assert read("".join(hledger(ledger())), "USD") == {}


HOSTILE = (
    *("1INCH", "usdc.e", "XBT", "xbt", "A B", "ÄÖ", '"', ";", "=", "{}", "x" * 40, "-", "$", "A:B"),
    *("0", "'", "\\", "A-", "#t", "@"),
)


def test_names_of_every_kind_are_told_apart_and_read():
    named = [(f"#k:{n}", quote(name)) for n, name in enumerate(HOSTILE)]
    lines = [
        f"2026-01-05T10:00:00Z  deposit  5  {name}  {number}  account={name}  value=1"
        for number, name in named
    ]
    timeline = timeline_of(*lines)
    entries = loaded(text_of(beancount, timeline))
    accounts = [each.account for each in entries if isinstance(each, Open)]
    assert len(accounts) == len(set(accounts)) == len(HOSTILE) + 1
    held = read(text_of(hledger, timeline), "USD")
    assert len([key for key in held if key[0].startswith("Assets:")]) == len(HOSTILE)
    check(text_of(hledger, timeline))


def test_two_names_are_never_spelled_alike():
    names = Names(commodity)
    assert [names(each) for each in ("usdc.e", "USDC.E", "USDC E", "usdc.e")] == [
        *("USDC.E", "USDC.E-2", "USDC-E", "USDC.E"),
    ]
    assert component("kraken") == "Kraken"
    assert component("-") == "X"
    assert commodity("1INCH") == "X1INCH"
    assert commodity("..") == "X"


def test_prices_go_along_and_present_marks_too():
    lines = (
        *TRADES,
        "2026-01-05T09:00:00Z  price  XBT 39000 USD  #p:1",
        "2026-01-06T09:00:00Z  price  XBT 1 USD  #p:2",
        "2026-01-06T10:00:00Z  void  p:2  #p:3",
    )
    with open_portfolio(":memory:") as portfolio:
        portfolio.record(*golden.read(lines))
        found = ledger_of(portfolio, Asked({"XBT": "65000"}, Method.LIFO))
        assert found.terms.method is Method.LIFO
        assert [mark.price for mark in found.prices] == [39000, 65000]
        prices = [each for each in loaded("".join(beancount(found))) if isinstance(each, Price)]
        assert [each.amount.number for each in prices] == [39000, 65000]
        assert "P 2026-01-05 XBT 39000 USD" in "".join(hledger(found))


def test_lots_that_a_fact_leaves_alone_are_not_looked_at(monkeypatch):
    """Else a history of n fills with n open lots would take n² steps."""
    looked_at: list = []

    def watched(lots):
        looked_at.extend(lots)
        return stakes(lots)

    monkeypatch.setattr(legs, "stakes", watched)
    lines = [f"2026-01-05T10:00:00.{n:03}Z  buy  1  XBT @ {n + 1} USD  #k:b{n}" for n in range(50)]
    lines += [f"2026-01-06T10:00:00.{n:03}Z  sell  1.5  XBT @ 0.1 USD  #k:s{n}" for n in range(20)]
    for rule in (Method.FIFO, Method.LIFO, Method.HIFO, Method.SPECIFIC):
        timeline = timeline_of(*lines, terms=Terms(method=rule))
        assert [len(each.legs) for each in posted(timeline.terms, timeline)][:50] == [2] * 50
    assert looked_at == []


def test_lots_that_were_moved_are_compared_one_by_one():
    lines = (
        *TRADES,
        "2026-02-03T10:00:00Z  transfer  1 XBT to cold  #k:3",
        "2026-02-04T10:00:00Z  transfer  0.25 XBT to k  #cold:4",
        "2026-02-05T10:00:00Z  split  XBT  2 for 1  #k:5  account=*",
    )
    text = written(*lines)
    assert '  Assets:K  0.25 XBT {{10000 USD, 2026-01-05, "k:1#2"}}' in text
    assert '  Assets:K  1.5 XBT {{30000 USD, 2026-01-05, "k:1#3"}}' in text
    loaded(text)
