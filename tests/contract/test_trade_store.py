"""The contract of `ports.TradeStore`, asked of every implementation, and following the journal."""

from decimal import Decimal

import pytest

from bursar.errors import BadChoice, StoreDown
from bursar.ledger import golden
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.ledger.turns import BEGINNING
from bursar.measure.positions import Trade
from bursar.portfolio.trading import TradeFollower
from bursar.store.trades import MemoryTradeStore, open_sql_trades
from bursar.store.trades.redis import RedisTradeStore
from tests.servers import redis
from tests.unit.portfolio.events.told import hearing, trade_closed, trade_opened
from tests.unit.portfolio.places import MINUTE, NOON, opened


class MemoryPlace:
    def __init__(self, _request):
        self._stores: dict = {}

    def open(self, portfolio="main"):
        return self._stores.setdefault(portfolio, MemoryTradeStore())


class SqlPlace:
    def __init__(self, address):
        self._address = address

    def open(self, portfolio="main"):
        return open_sql_trades(self._address, portfolio)


class RedisPlace:
    def __init__(self, url):
        self._url, self._prefix = url, redis.prefix()

    def open(self, portfolio="main"):
        return RedisTradeStore(self._url, portfolio, prefix=self._prefix)


PLACES = {
    "memory": MemoryPlace,
    "sqlite": lambda fixture: SqlPlace(fixture("tmp_path") / "book.db"),
    "postgres": lambda fixture: SqlPlace(fixture("database")),
    "redis": lambda fixture: RedisPlace(fixture("redis_server")().url),
    "valkey": lambda fixture: RedisPlace(fixture("redis_server")("valkey").url),
}


class Opened:
    """A place whose stores are closed behind the test."""

    def __init__(self, place):
        self._place, self._stores = place, []

    def open(self, portfolio="main"):
        self._stores.append(self._place.open(portfolio))
        return self._stores[-1]

    def close(self):
        for store in self._stores:
            store.close()


@pytest.fixture(params=PLACES)
def place(request):
    place = Opened(PLACES[request.param](request.getfixturevalue))
    yield place
    place.close()


def trade(name, opened_at=1, closed_at=None, **parts):
    told = {"account": "k", "symbol": "XBT/USD", "side": "LONG", "quantity": Decimal("1.50")}
    told |= {"open_quantity": Decimal(0 if closed_at else 1), "entry_notional": Decimal("10.123")}
    return Trade(trade_id=name, opened_at=opened_at, closed_at=closed_at, **{**told, **parts})


def names(trades):
    return [each.trade_id for each in trades]


def test_there_is_nothing_at_first(place):
    store = place.open()
    assert (store.reached(), store.open_trades(), store.closed_trades()) == ("", [], [])
    assert store.trade("a") is None


def test_trades_come_back_digit_by_digit_in_order(place):
    store = place.open()
    kept = [
        trade("b", 2),
        trade("a", 2),
        trade("c", 1, symbol="ETH/USD"),
        trade("d", 1, 9),
        trade(
            "f", 1, 7, realized_pnl=Decimal("0.000000000000000001"), fills=("x", "ä"), regime="r"
        ),
        trade("e", 1, 7, symbol="ETH/USD", leverage=Decimal(5), is_margin=True),
    ]
    store.save(kept, "state 1")
    again = place.open()
    assert again.reached() == "state 1"
    assert again.open_trades() == [kept[2], kept[1], kept[0]]
    assert again.open_trades("XBT/USD") == [kept[1], kept[0]]
    assert again.closed_trades() == [kept[3], kept[4], kept[5]]
    assert names(again.closed_trades("ETH/USD")) == ["e"]
    assert names(again.closed_trades(since=8)) == ["d"]
    assert names(again.closed_trades(limit=2)) == ["d", "f"]
    assert (again.closed_trades(limit=0), again.trade("f")) == ([], kept[4])


def test_a_trade_that_closes_leaves_the_open_ones(place):
    store = place.open()
    store.save([trade("a"), trade("b")], "1")
    store.save([trade("a", 1, 5)], "2")
    assert (names(store.open_trades()), names(store.closed_trades())) == (["b"], ["a"])
    assert store.open_trades("XBT/USD") == [trade("b")]
    assert store.reached() == "2"


def test_made_anew_nothing_old_is_left(place):
    store = place.open()
    store.save([trade("a"), trade("b", 1, 2)], "1")
    store.save([trade("c")], "2", since=BEGINNING)
    assert (names(store.open_trades()), store.closed_trades()) == (["c"], [])
    assert store.trade("a") is None
    store.save([], "3", since=BEGINNING)
    assert (store.open_trades(), store.reached()) == ([], "3")


def test_what_was_open_at_an_instant_or_later_gives_way_to_what_is_known_now(place):
    store = place.open()
    kept = [trade("a", 1, 4), trade("b", 1, 5), trade("c", 1, 6, symbol="ETH/USD"), trade("d", 2)]
    store.save(kept, "1")
    store.save([trade("b", 1), trade("e", 5, 9)], "2", since=5)
    assert (names(store.open_trades()), names(store.closed_trades())) == (["b"], ["e", "a"])
    assert (store.closed_trades("ETH/USD"), store.trade("c"), store.trade("d")) == ([], None, None)
    store.save([], "3", since=10)
    assert (names(store.open_trades()), names(store.closed_trades())) == ([], ["e", "a"])


def test_a_bookmark_is_kept_until_there_is_another(place):
    store = place.open()
    assert store.bookmark() == ""
    store.save([], "1", bookmark="here")
    store.save([trade("a")], "2")
    assert (place.open().bookmark(), place.open("other").bookmark()) == ("here", "")
    store.save([], "3", since=BEGINNING, bookmark="")
    assert (store.bookmark(), store.reached()) == ("", "3")
    store.save([], "4", since=BEGINNING, bookmark="there")
    assert place.open().bookmark() == "there"


def test_portfolios_do_not_see_each_others_trades(place):
    one, other = place.open("one"), place.open("other")
    one.save([trade("a")], "1")
    other.save([], "1", since=BEGINNING)
    assert (names(one.open_trades()), other.open_trades()) == (["a"], [])


def test_many_trades(place):
    store = place.open()
    store.save([trade(f"{n:04}", n, n or None) for n in range(1_201)], "1")
    assert names(store.closed_trades(since=1_198)) == ["1200", "1199", "1198"]
    assert len(store.closed_trades()) == 1_200


def answers(store):
    return store.open_trades(), store.closed_trades()


def told(count):
    for n in range(count):
        own = {"quantity": 2, "at": NOON + n * MINUTE}
        yield trade_opened(n, entry_price=100, fee="0.5", leverage=5, strategy="trend", **own)
        if n % 3:
            yield trade_closed(n, exit_price=110, realized_pnl=20, **own | {"at": own["at"] + 1})
        else:
            part = {"quantity": 1, "realized_pnl": 10, "close_id": "x"}
            yield trade_closed(n, exit_price=110, **own | part | {"at": own["at"] + 1})


def test_trades_follow_events_and_are_the_same_made_anew(place):
    intake, store = hearing(), place.open()
    follower = TradeFollower(intake.portfolio, store)
    events = list(told(9))
    for each in events[:7]:
        intake.take([each])
        assert follower.follow()
        assert not follower.follow()
    restarted = TradeFollower(intake.portfolio, store)
    assert not restarted.follow()
    intake.take(events[7:])
    restarted.follow()
    afresh = MemoryTradeStore()
    TradeFollower(intake.portfolio, afresh).follow()
    assert answers(store) == answers(afresh)
    first = store.trade("events:main:trade:0")
    assert (first.is_open, first.open_quantity, first.entry_price, first.exit_price) == (
        *(True, 1, 100, 110),
    )
    last = store.closed_trades(limit=1)[0]
    assert (last.realized_pnl, last.fees, last.leverage) == (Decimal("19.5"), Decimal("0.5"), 5)
    assert (last.trade_id, last.symbol, last.side) == ("events:main:trade:8", "BTC/USDT", "LONG")
    assert (len(store.open_trades()), len(store.closed_trades())) == (3, 6)


def test_late_and_corrected_facts_make_the_trades_anew(place):
    late = "2026-01-01T00:00:00Z  buy   1  XBT @ 20 EUR  #k:1"
    portfolio = opened(
        "2026-01-02T00:00:00Z  buy   1  XBT @ 10 EUR  #k:2",
        "2026-01-03T00:00:00Z  sell  2  XBT @ 30 EUR  fee 1 EUR  #k:3",
        terms=Terms(base="EUR", accounts=(Account("k", FactSource.EVENTS),)),
    )
    store = place.open()
    follower = TradeFollower(portfolio, store)
    follower.follow()
    assert [(each.quantity, each.realized_pnl) for each in store.closed_trades()] == [(2, 19)]
    portfolio.record(*golden.read([late]))
    follower.follow()
    (trade,) = store.closed_trades()
    assert (trade.trade_id, trade.quantity, trade.realized_pnl) == ("k:1", 2, 29)
    portfolio.tag("k:1", strategy="trend")
    follower.follow()
    assert store.closed_trades()[0].strategy == "trend"
    store.save([], "", since=BEGINNING)
    TradeFollower(portfolio, store).follow()
    assert names(store.closed_trades()) == ["k:1"]


def test_a_fee_without_a_price_is_flagged_until_there_is_one(place):
    portfolio = opened(
        "2026-01-02T00:00:00Z  buy   1  XBT @ 10 EUR  #k:1",
        "2026-01-03T00:00:00Z  sell  1  XBT @ 30 EUR  fee 1 BNB  #k:2",
        terms=Terms(base="EUR", accounts=(Account("k", FactSource.EVENTS),)),
    )
    store = place.open()
    follower = TradeFollower(portfolio, store)
    follower.follow()
    (trade,) = store.closed_trades()
    assert (trade.fees, trade.flags) == (0, ("unpriced",))
    portfolio.price("BNB", "2026-01-03T00:00:00Z", "4")
    follower.follow()
    (trade,) = store.closed_trades()
    assert (trade.fees, trade.flags) == (4, ())


def test_trades_of_another_journal_are_not_believed(place):
    store = place.open()
    for count in (4, 2):
        intake = hearing()
        intake.take(list(told(count)))
        TradeFollower(intake.portfolio, store).follow()
        assert len(store.closed_trades()) + len(store.open_trades()) == count


def test_redis_that_is_away_is_a_store_that_is_down(tmp_path):
    store = RedisTradeStore(f"unix://:geheim@{tmp_path}/none", "main")
    with pytest.raises(StoreDown) as caught:
        store.reached()
    assert "geheim" not in f"{caught.value}{store!r}"
    with pytest.raises(BadChoice):
        RedisTradeStore("http://nowhere", "main")
