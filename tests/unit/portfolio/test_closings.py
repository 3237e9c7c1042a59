"""Trade records are read once; a commit costs those it adds, another past costs all of them."""

from contextlib import suppress

from bursar.desk import Desk
from bursar.ledger import golden
from bursar.ledger.terms import Account, Terms
from bursar.measure.trips import round_trips
from bursar.portfolio import Portfolio, kept, reading
from bursar.portfolio.closings import Closings
from tests.unit.portfolio.places import opened

DAY = "2026-05-{:02}T10:00:00Z"


def begun(trades):
    lines = [f"{DAY.format(1)} deposit 100000 EUR #k:0"]
    for n in range(trades):
        side, price = ("sell", 12) if n % 2 else ("buy", 10)
        lines.append(f"{DAY.format(2 + n // 20)} {side} 1 XBT @ {price} EUR fee 1 EUR #k:a{n:03}")
    return opened(*lines)


def tell(portfolio, line):
    portfolio.record(*golden.read([line]))


def read(portfolio):
    """How many records a question has read; what it answers is what reading all would say."""
    before = portfolio.closings.read
    found = kept.trips(portfolio)
    records = portfolio.desk.store.get_shifted()[::-1]
    cash = portfolio.terms.cash
    assert found == round_trips(records, kept.asset_of_pairs(portfolio), cash=cash)
    assert kept.of_head(portfolio).statistics.count == len(found.trips)
    return portfolio.closings.read - before


def test_a_commit_costs_the_records_it_adds_however_many_there_are():
    for trades in (4, 200):
        portfolio = begun(trades)
        assert read(portfolio) == trades
        assert read(portfolio) == 0
        tell(portfolio, f"{DAY.format(15)} buy 2 ETH @ 5 EUR #k:e1")
        tell(portfolio, f"{DAY.format(15)} sell 1 ETH @ 6 EUR #k:e2")
        assert read(portfolio) == 2
        tell(portfolio, f"{DAY.format(15)} sell 1 ETH @ 7 EUR #k:e3")  # of the same instant
        assert read(portfolio) == 1
        tell(portfolio, f"{DAY.format(16)} deposit 5 EUR #k:d")
        assert read(portfolio) == 0


def test_what_moves_coins_beside_trades_is_followed_as_it_comes():
    for trades in (4, 200):
        portfolio = begun(trades)
        read(portfolio)
        for n, (words, rows) in enumerate(
            {
                "buy 9 ETH @ 5 EUR": 1,
                "buy 9 BNB @ 5 EUR": 1,
                "deposit 1 ETH": 1,
                "split ETH 2 for 1": 1,
                "transfer 4 ETH to b fee 1 BNB": 3,
                "buy 1 XBT @ 9 ETH fee 1 BNB": 3,
                "rename ETH to ETC": 1,
                "withdrawal 1 ETC": 1,
            }.items()
        ):
            tell(portfolio, f"{DAY.format(15 + n)} {words} #k:s{n}")
            assert read(portfolio) == rows, words


def test_a_past_that_has_changed_is_read_again():
    portfolio = begun(4)
    read(portfolio)
    tell(portfolio, "2026-05-01T12:00:00Z buy 1 XBT @ 9 EUR #k:late")
    assert read(portfolio) == 5
    tell(portfolio, f"{DAY.format(15)} void k:late #u:1")
    assert read(portfolio) == 4
    tell(portfolio, f"{DAY.format(15)} buy 1 XBT @ 9 EUR #k:z")
    assert read(portfolio) == 1
    tell(portfolio, f"{DAY.format(15)} buy 1 XBT @ 9 EUR #k:b")  # of the same instant, and before
    assert read(portfolio) == 6


def test_what_was_read_and_then_undone_is_read_again():
    portfolio = begun(4)
    read(portfolio)
    with suppress(ZeroDivisionError), portfolio.writer.together():
        tell(portfolio, f"{DAY.format(15)} buy 1 ETH @ 6 EUR #k:e1")
        assert read(portfolio) == 1
        raise ZeroDivisionError
    assert read(portfolio) == 4
    with portfolio.writer.together():
        tell(portfolio, f"{DAY.format(15)} buy 1 ETH @ 6 EUR #k:e2")
    assert read(portfolio) == 1


def test_what_another_process_commits_is_followed():
    portfolio = begun(4)
    read(portfolio)
    other = Portfolio(Desk(portfolio.desk.store, portfolio.desk.clock), opened)
    tell(other, f"{DAY.format(15)} buy 1 ETH @ 6 EUR #k:e1")
    portfolio.writer.catch_up()
    assert read(portfolio) == 1


def test_a_late_fact_costs_what_stands_behind_it_however_much_there_is_before(monkeypatch):
    monkeypatch.setattr(reading, "SPACING", 8)
    for trades in (60, 240):
        portfolio = begun(trades)
        read(portfolio)
        last = f"2026-05-{1 + trades // 20:02}T09:00:00Z"
        tell(portfolio, f"{last} buy 1 ETH @ 5 EUR #k:late")
        assert read(portfolio) <= 20 + 1 + 2 * 20
        tell(portfolio, f"{DAY.format(20)} buy 1 XBT @ 9 EUR #k:z")
        assert read(portfolio) == 1
        tell(portfolio, f"{DAY.format(20)} buy 1 XBT @ 9 EUR #k:b")  # of the same instant, before
        assert read(portfolio) <= 2 + 20 + 20


def test_of_one_microsecond_a_purchase_comes_first_also_if_it_came_last(monkeypatch):
    monkeypatch.setattr(reading, "SPACING", 8)
    portfolio = begun(61)
    read(portfolio)
    second = "2026-05-20T10:00:00.000000"
    tell(portfolio, f"{second}100Z sell 1 XBT @ 12 EUR #k:a")
    assert read(portfolio) == 1
    tell(portfolio, f"{second}200Z buy 1 XBT @ 10 EUR #k:b")
    assert 2 < read(portfolio) <= 2 + 2 * 20
    assert kept.trips(portfolio).trips[-1].id == "k:a"


def test_what_was_realised_lately_goes_back_too(monkeypatch):
    monkeypatch.setattr(reading, "SPACING", 2)
    portfolio = begun(12)
    now = portfolio.desk.clock.now()
    before = portfolio.closings.made(portfolio, now)
    assert read(portfolio) == 12
    assert kept.of_head(portfolio).made(now) == before
    for line in (
        "2026-05-02T12:00:00Z sell 1 XBT @ 30 EUR #k:late",
        f"{DAY.format(9)} void k:late #u:1",
    ):
        tell(portfolio, line)
        afresh = Closings()
        afresh.reach(portfolio, kept.asset_of_pairs(portfolio))
        assert kept.of_head(portfolio).made(now) == afresh.made(portfolio, now)


def test_shorts_of_an_account_that_may():
    portfolio = opened(
        "2026-01-01T01:00:00Z sell 1 XBT @ 150 EUR #k:2",
        "2026-01-01T02:00:00Z buy 1 XBT @ 100 EUR #k:3",
        terms=Terms(base="EUR", accounts=(Account("k", may_short=True),)),
    )
    (trip,) = kept.trips(portfolio).trips
    assert trip.pnl == 50
