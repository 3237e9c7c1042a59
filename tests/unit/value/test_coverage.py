"""Coverage: every weakness of a total is named, and nothing else is."""

import pytest

from bursar.ledger.instant import DAY, SECOND
from bursar.value import equity
from bursar.value.accounts import account_book, accounts
from bursar.value.coverage import FACTS_AHEAD_MAX, Coverage, book_gaps
from bursar.value.marks import AHEAD_MAX, LAST_TRADE, Marks, Standing
from bursar.value.marks import Mark as StrictMark
from bursar.value.worth import STALE_AFTER, Options
from tests.unit.value.books import EXAMPLE, NOW, D, book_of, loose, valued

Mark, value_book = loose(StrictMark), loose(equity.value_book)


def coverage(text, *marks, **options):
    return value_book(book_of(text), Marks(marks), now=NOW, options=Options(**options)).coverage


def mark(pair, price, *, at=NOW, source="venue", standing=Standing.VENUE):
    return Mark(*pair.split("/"), D(price), source, at, standing)


def test_a_book_with_all_its_marks_has_nothing_to_say():
    covered = coverage(EXAMPLE, mark("XBT/USD", 1))
    assert covered.is_clean
    assert covered.lines() == []
    assert (covered.assets, covered.valued, covered.valued_pct) == (1, 1, 100)
    assert Coverage().is_clean


def test_the_share_of_assets_with_a_value():
    text = EXAMPLE + "2026-02-02T00:00:00Z deposit 1 ETH #k:8 value=3\n"
    text += "2026-02-02T00:00:00Z deposit 1 ADA #k:9 value=3\n"
    covered = coverage(text, mark("XBT/USD", 1))
    assert (covered.assets, covered.valued) == (3, 1)
    assert covered.valued_pct == D("33.333333333333333333")
    assert not covered.is_complete
    assert covered.lines() == ["not valued: ADA: no mark (USD)", "not valued: ETH: no mark (USD)"]


def test_old_marks_future_marks_and_last_trades_are_named():
    text = EXAMPLE + "2026-02-02T00:00:00Z deposit 1 ATOM #k:9 value=3\n"
    old = mark("XBT/USD", 9, at=NOW - STALE_AFTER - 1)
    ahead = mark("ATOM/XBT", 2, at=NOW + AHEAD_MAX + 1, source=LAST_TRADE, standing=Standing.TRADE)
    covered = coverage(text, old, ahead)
    assert [(each.asset, each.age) for each in covered.stale] == [
        ("ATOM", STALE_AFTER + 1),
        ("XBT", STALE_AFTER + 1),
    ]
    assert [each.asset for each in covered.future] == ["ATOM"]
    assert [each.mark for each in covered.last_trade] == [ahead]
    assert covered.lines() == [
        "from the future: ATOM by ATOM/XBT 2 (last trade) of 2026-03-01T12:00:05.000000001Z",
        "stale: ATOM by XBT/USD 9 (venue) of 2026-03-01T11:54:59.999999999Z",
        "stale: XBT by XBT/USD 9 (venue) of 2026-03-01T11:54:59.999999999Z",
        "last trade: ATOM by ATOM/XBT 2 (last trade) of 2026-03-01T12:00:05.000000001Z",
    ]
    assert "stale: ATOM and 1 more" in covered.lines(marks_max=1)
    assert covered.lines(marks_max=2) == covered.lines()
    assert covered.is_complete
    assert not covered.is_clean
    worth = value_book(book_of(text), Marks([old, ahead]), now=NOW)
    assert worth.asset("ATOM").flags == ("stale", "future", "last_trade")
    assert worth.asset("XBT").flags == ("stale",)


def test_a_book_that_reaches_beyond_now_says_how_far():
    text = EXAMPLE + "2027-03-01T12:00:05Z deposit 1 USD #k:9\n"
    last = NOW + 365 * DAY + 5 * SECOND
    book, marks = book_of(text), Marks([mark("XBT/USD", 1, at=last)])
    near = last - FACTS_AHEAD_MAX
    for now, ahead in ((near - 1, last), (near, None), (last, None)):
        assert value_book(book, marks, now=now).coverage.ahead == ahead
        own = account_book(book, *accounts(book))
        assert value_book(own, marks, now=now).coverage.ahead == ahead
    said = value_book(book, marks, now=NOW).coverage.lines()
    assert said[0] == "yet to come: facts of up to 2027-03-01T12:00:05Z, which count now"


def test_how_old_a_mark_may_be_is_for_the_view_to_say():
    old = mark("XBT/USD", 9, at=NOW - 100)
    assert coverage(EXAMPLE, old, stale_after=100).is_clean
    assert not coverage(EXAMPLE, old, stale_after=99).is_clean


def test_gaps_of_the_book_are_counted_by_asset_and_flag():
    text = """
    2026-01-05T10:00:00Z  deposit 1 XBT               #k:1
    2026-01-05T10:00:01Z  deposit 1 XBT               #k:2
    2026-01-05T10:00:02Z  sell 3 ETH @ 10 USD         #k:3
    """
    covered = coverage(text, mark("XBT/USD", 1))
    told = {(each.asset, each.flag, each.count) for each in covered.gaps}
    assert ("XBT", "unpriced", 2) in told
    assert ("ETH", "assumed_basis", 1) in told
    assert not covered.is_complete
    assert "unpriced: 2 of XBT" in covered.lines()
    _, worth = valued(text, XBT_USD="1")
    assert worth.asset("XBT").flags == ("unpriced",)


def test_a_leveraged_position_of_before_all_that_is_known_is_named_by_account_and_pair():
    text = """
    2026-01-05T10:00:00Z  margin sell 2 ETH @ 10 USD closes settled 5  #k:1
    2026-01-05T10:00:01Z  margin sell 1 ETH @ 10 USD closes            #j:1
    """
    covered = coverage(text)
    assert covered.lines() == [
        "unseen: 1 ETH/USD in j closed, opening unknown",
        "unseen: 2 ETH/USD in k closed, opening unknown",
        "unsettled: 1 of ETH",
    ]
    assert not covered.is_complete
    assert not coverage(text.partition("settled 5")[0] + " settled 5 #k:1").is_complete
    assert coverage(text, exclude_assets=frozenset({"ETH"})).is_clean


def test_a_gap_of_an_asset_no_longer_held_is_still_named():
    text = """
    2026-01-05T10:00:00Z  deposit 1 XBT               #k:1
    2026-01-05T10:00:01Z  sell 1 XBT @ 10 USD         #k:2
    """
    assert [each.flag for each in coverage(text).gaps] == ["unpriced"]


def test_money_that_moved_for_no_reason_known_is_a_gap_money_at_its_face_is_none():
    text = """
    2026-01-05T10:00:00Z  deposit 500 USD               #k:1
    2026-01-05T10:00:01Z  row trade -100 USD            #k:2  group=k:T1  source=ledger
    2026-01-05T10:00:02Z  row unclassified -20 USD      #k:3  source=ledger
    2026-01-05T10:00:03Z  sell 1 ETH @ 10 USD           #k:4  flag=conflicted
    """
    told = {(each.asset, each.flag) for each in coverage(text).gaps if each.asset == "USD"}
    assert told == {("USD", "unpaired"), ("USD", "unclassified")}


def test_what_the_view_leaves_out_is_not_spoken_of():
    text = """
    @ account e events
    2026-01-05T10:00:00Z  deposit 1 XBT               #e:1
    2026-01-05T10:00:02Z  sell 3 ETH @ 10 USD         #e:2
    """
    covered = coverage(text, exclude_assets=frozenset({"XBT", "ETH"}))
    assert covered.is_clean
    assert (covered.assets, covered.valued_pct) == (0, 100)


def test_negative_cash_is_named_by_account():
    text = """
    2026-01-05T10:00:00Z  deposit 100 USD             #a:1
    2026-01-05T10:00:01Z  buy 1 XBT @ 60 USD          #b:1
    2026-01-05T10:00:01Z  buy 1 XBT @ 60 USDT         #b:2
    """
    covered = coverage(text, mark("XBT/USD", 1))
    assert covered.lines() == ["negative cash: -60 USD in b", "negative cash: -60 USDT in b"]


def test_pooled_sales_are_pending_unless_some_account_may_short():
    sale = "2026-01-05T10:00:02Z  sell 3 ETH @ 10 USD  #e:1\n"
    scope = "@ scope pooled\n@ account e events\n"
    assert coverage(scope + sale, mark("ETH/USD", 1)).lines() == [
        "pending: 3 ETH in * sold, acquisition unknown"
    ]
    assert coverage(scope + "@ account s events short\n" + sale, mark("ETH/USD", 1)).is_clean


@pytest.mark.parametrize(
    "pair, price, rate",
    [
        ("USDT/USD", "0.9949", "0.9949"),
        ("USDT/USD", "1.0051", "1.0051"),
        ("USD/USDT", "1.25", "0.8"),
        ("USDT/USD", "0.995", None),
        ("USDT/USD", "1.005", None),
        ("USD/USDT", "1", None),
    ],
)
def test_a_peg_over_half_a_percent_away_is_named(pair, price, rate):
    text = "2026-01-05T10:00:00Z deposit 100 USDT #k:1"
    covered = coverage(text, mark(pair, price, source="kraken"))
    assert [each.rate for each in covered.depegs] == ([] if rate is None else [D(rate)])
    assert covered.is_complete
    assert covered.lines() == ([] if rate is None else [f"depeg: USDT at {rate} (kraken)"])


def test_a_peg_matters_where_something_is_valued_through_it():
    away = mark("USDT/USD", "0.9")
    assert coverage(EXAMPLE, away, mark("XBT/USD", 1)).depegs == ()
    assert len(coverage(EXAMPLE, away, mark("XBT/USDT", 1)).depegs) == 1
    text = EXAMPLE + "2026-02-02T00:00:00Z margin buy 2 ETH @ 10 USDT #k:9\n"
    marks = (away, mark("XBT/USD", 1), mark("ETH/USD", 1))
    assert len(coverage(text, *marks).depegs) == 1


def test_a_gap_that_was_closed_is_none():
    book = book_of("2026-01-05T10:00:00Z deposit 1 XBT #k:1")
    assert len(book_gaps(book)) == 1
    book.gaps["XBT", "unpriced"] = 0
    assert book_gaps(book) == ()
