"""Instants: nanoseconds since 1970, read and written without loss."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from bursar.errors import BadChoice, Malformed
from bursar.ledger import instant
from bursar.ledger.entries import Rename, Split
from bursar.ledger.order import order_key
from bursar.ledger.terms import Account, FactSource, Method, Terms, method
from tests.unit.ledger.samples import Pen

NOON = 1_767_614_400_000_000_000


@pytest.mark.parametrize(
    "text, at",
    [
        ("2026-01-05T12:00:00Z", NOON),
        ("2026-01-05 12:00:00", NOON),
        ("2026-01-05T12:00", NOON),
        ("2026-01-05T12:00:00.25Z", NOON + 250_000_000),
        ("2026-01-05T12:00:00.123456789Z", NOON + 123_456_789),
        ("2026-01-05", NOON - 43_200_000_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_a_utc_time_is_read_to_the_nanosecond(text, at):
    assert instant.parse(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-01-05T24:00:00Z",
        "2026-01-05T12:00:00+01",
        "2026-01-05T12:00:00.1234567890Z",
        "2026-1-5",
        "٢٠٢٦-01-05",
    ],
)
def test_what_is_no_utc_time_is_refused(text):
    with pytest.raises(Malformed, match="opened_at"):
        instant.parse(text, field="opened_at")


@pytest.mark.parametrize("year", [-1, 1677, 2262, 2426, 9999, 33_658])
def test_a_clock_that_is_off_by_centuries_is_named(year):
    told = round((year - 1970) * 365.2425) * instant.DAY
    with pytest.raises(Malformed, match=f"says {told // instant.SECOND} seconds since 1970"):
        instant.of_clock(told)


@pytest.mark.parametrize("told", [0, -1, NOON, instant.parse("2261-12-31T23:59:59.999999999Z")])
def test_any_other_clock_is_taken_at_its_word(told):
    assert instant.of_clock(told) == told


@pytest.mark.parametrize(
    "said", [NOON, "2026-01-05T12:00:00Z", datetime(2026, 1, 5, 12, tzinfo=UTC)]
)
def test_a_time_is_text_a_datetime_or_nanoseconds(said):
    assert instant.read(said) == NOON


@pytest.mark.parametrize("said", [1_780_000_000, 1_780_000_000_000_000, True, 1.5, 2**63, None])
def test_a_number_of_another_unit_is_no_time(said):
    with pytest.raises(Malformed, match="nanoseconds"):
        instant.read(said)


@pytest.mark.parametrize("at", [0, NOON, NOON + 1, NOON + 250_000_000, -1])
def test_an_instant_is_written_and_read_back(at):
    assert instant.parse(instant.show(at)) == at


def test_an_instant_is_written_with_the_digits_it_has():
    assert instant.show(NOON) == "2026-01-05T12:00:00Z"
    assert instant.show(NOON + 250_000_000) == "2026-01-05T12:00:00.25Z"
    assert (instant.day(NOON), instant.month(NOON)) == ("2026-01-05", "2026-01")


def test_a_time_that_no_store_could_keep_is_refused():
    assert -instant.LONGEST < instant.parse("1678-01-01") < 0
    assert instant.parse("2261-12-31T23:59:59.999999999Z") < instant.LONGEST
    for text in ("1677-12-31T23:59:59", "2262-01-01", "9078-12-18"):
        with pytest.raises(Malformed, match="from 1678 to 2261"):
            instant.parse(text)
        with pytest.raises(Malformed, match="from 1678 to 2261"):
            instant.from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_an_aware_datetime_is_taken_and_a_naive_one_is_not():
    moment = datetime(2026, 1, 5, 13, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))
    assert instant.from_datetime(moment) == NOON + 1_000
    assert instant.to_datetime(NOON + 1_999) == datetime(2026, 1, 5, 12, 0, 0, 1, tzinfo=UTC)
    with pytest.raises(Malformed, match="zone"):
        instant.from_datetime(moment.replace(tzinfo=None))


def test_the_unit_of_an_instant_is_its_last_digit():
    assert instant.precision(NOON) == instant.SECOND
    assert instant.precision(NOON + 250_000_000) == 10_000_000
    assert instant.precision(NOON + 1) == 1


@pytest.mark.parametrize(
    "coarse, fine, refined",
    [
        (NOON, NOON + 250_000_000, NOON + 250_000_000),
        (NOON, NOON + instant.SECOND, NOON),
        (NOON + 250_000_000, NOON, NOON + 250_000_000),
        (NOON + 200_000_000, NOON + 250_000_000, NOON + 250_000_000),
        (NOON + 250_000_000, NOON + 260_000_000, NOON + 250_000_000),
        (NOON, NOON, NOON),
    ],
)
def test_a_finer_time_refines_only_what_it_agrees_with(coarse, fine, refined):
    assert instant.refine(coarse, fine) == refined


def test_canonical_order_is_time_venue_sequence_id():
    pen = Pen()
    facts = [
        pen.buy(1, "XBT", 1, executed_at=NOON, account="kraken:b", sequence=1, id="z"),
        pen.buy(1, "XBT", 1, executed_at=NOON, account="kraken:a", sequence=2, id="a"),
        pen.buy(1, "XBT", 1, executed_at=NOON, account="binance:x", sequence=9, id="y"),
        pen.buy(1, "XBT", 1, executed_at=NOON - 1, account="zebra", sequence=9, id="x"),
    ]
    assert [fact.id for fact in sorted(facts, key=order_key)] == ["x", "y", "z", "a"]


def test_what_brings_comes_before_what_takes_where_nothing_else_tells():
    pen = Pen()
    facts = [
        pen.flow("withdrawal", -1, "XBT", executed_at=NOON, id="kraken:1"),
        pen.sell(1, "XBT", 1, executed_at=NOON, id="kraken:2"),
        pen.convert([(1, "XBT")], [(1, "ETH")], executed_at=NOON, id="kraken:3"),
        pen.buy(1, "XBT", 1, executed_at=NOON, id="kraken:4"),
        pen.flow("deposit", 1, "XBT", executed_at=NOON, id="kraken:5"),
    ]
    facts += [
        Split(numerator=Decimal(2), denominator=Decimal(1), **common(id="kraken:7")),
        Rename(to_asset="ETH", **common(id="kraken:6")),
    ]
    found = [fact.id for fact in sorted(facts, key=order_key)]
    assert [int(name[-1]) for name in found] == [6, 7, 5, 4, 3, 2, 1]


def common(**more):
    return {"executed_at": NOON, "account": "kraken:main", "asset": "XBT", **more}


def test_terms_name_money_and_accounts():
    assert Terms().cash == {"USD", "USDT", "USDC"}
    assert Terms(base="EUR").cash == {"EUR", "EURC"}
    assert Terms(base="GBP").cash == {"GBP"}
    assert Terms(pegs=()).cash == {"USD"}
    known = Account("kraken:main", FactSource.EVENTS)
    assert Terms(accounts=(known,)).account("kraken:main") is known
    assert Terms().account("else").source is FactSource.VENUE


def test_a_cost_rule_is_known_by_its_name():
    assert method("hifo") is Method.HIFO
    with pytest.raises(BadChoice, match="wac, fifo"):
        method("guess")


@pytest.mark.parametrize(
    "moment, day, week, month",
    [
        ("2026-03-01T23:59:59Z", "2026-03-01", "2026-02-23", "2026-03-01"),  # a Sunday
        ("2026-03-02", "2026-03-02", "2026-03-02", "2026-03-01"),
        ("2024-02-29T00:00:00.000000001Z", "2024-02-29", "2024-02-26", "2024-02-01"),
        ("1970-01-01", "1970-01-01", "1969-12-29", "1970-01-01"),
        ("1969-12-31T12:00:00Z", "1969-12-31", "1969-12-29", "1969-12-01"),
    ],
)
def test_a_period_begins_at_midnight_and_a_week_on_monday(moment, day, week, month):
    at = instant.parse(moment)
    starts = instant.day_start(at), instant.week_start(at), instant.month_start(at)
    assert starts == tuple(map(instant.parse, (day, week, month)))
