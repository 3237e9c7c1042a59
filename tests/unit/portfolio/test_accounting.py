"""Many tasks, one book."""

import asyncio
from decimal import Decimal

import pytest

from bursar.desk import Desk
from bursar.errors import BadChoice, Conflicted, Malformed, NotExact
from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.portfolio.accounting import FilledOrder, PortfolioAccounting
from bursar.value.worth import Options
from tests.unit.portfolio.places import MINUTE, NOON, Clock, opened

USD = Terms(base="USD")


def accounting(clock=None):
    return PortfolioAccounting(opened(terms=USD, clock=clock))


def order(number, side="buy", **changes):
    told = {"quantity": "0.01", "price": "100", "fee": "0.001", "strategy": "trend"} | changes
    return FilledOrder(fill_id=f"f{number}", symbol="BTC/USDT", side=side, **told)


def test_a_thousand_tasks_make_the_book_that_one_makes():
    async def all_at_once():
        books = accounting()
        await books.begin()
        await asyncio.gather(*(books.record_fill(order(n, at=NOON + n)) for n in range(1000)))
        return books.portfolio.digest()

    async def one_by_one():
        books = accounting()
        await books.begin()
        for number in range(1000):
            await books.record_fill(order(number, at=NOON + number))
        return books.portfolio.digest()

    assert asyncio.run(all_at_once()) == asyncio.run(one_by_one())


def test_initial_capital_is_put_in_once_and_only_into_nothing():
    async def begin():
        books = accounting()
        assert await books.begin("300") is not None
        assert await books.begin("300") is None
        return await books.get_equity(), await books.get_cash_balance()

    assert asyncio.run(begin()) == (300, 300)


def test_a_fill_told_again_is_harmless_and_another_under_its_id_is_refused():
    async def told():
        books = accounting()
        await books.record_fill(order(1, at=0))
        await books.record_fill(order(1, at=0))
        with pytest.raises(Conflicted, match="f1 is another fill already"):
            await books.record_fill(order(1, at=0, quantity="5"))
        return await books.get_positions()

    (position,) = asyncio.run(told())
    assert position.base_size == Decimal("0.01")


@pytest.mark.parametrize(
    "wrong, error",
    [
        (FilledOrder(fill_id="1", symbol="BTCUSDT", side="buy", quantity=1, price=1), BadChoice),
        (order(1, side="long"), BadChoice),
        (order(1, quantity="a lot"), NotExact),
        (order(1, price=float("nan")), NotExact),
        (order(1, strategy=7), Malformed),
        (order(1, at="now"), Malformed),
    ],
)
def test_a_fill_that_is_none_is_refused_and_nothing_is_written(wrong, error):
    books = accounting()
    with pytest.raises(error):
        asyncio.run(books.record_fill(wrong))
    assert books.portfolio.desk.head.seq == 0


def test_metrics_by_strategy_and_regime():
    async def traded():
        books = accounting()
        await books.begin()
        for number, (side, price, regime) in enumerate(
            [
                ("buy", 100, "BULL"),
                ("sell", 110, "BULL"),
                ("buy", 100, "BEAR"),
                ("sell", 95, "BEAR"),
            ]
        ):
            await books.record_fill(
                order(number, side, price=price, regime=regime, quantity=1, fee=0)
            )
        return await books.get_strategy_metrics(), await books.get_total_fees()

    metrics, fees = asyncio.run(traded())
    trend = metrics["trend"]
    assert (trend.results.trades, trend.results.wins, trend.results.pnl) == (2, 1, 5)
    assert trend.by_regime["BULL"].pnl == 10
    assert trend.by_regime["BEAR"].losses == 1
    assert trend.realized_pnl == 5
    assert (trend.rolling.profit_factor.value, trend.rolling.losses_in_a_row) == (2, 1)
    assert metrics["manual"].rolling.count == 0
    assert metrics["manual"].equity + trend.equity == 305
    assert fees == 0


def test_what_is_kept_is_forgotten_at_any_write_and_after_five_seconds():
    async def asked():
        clock = Clock()
        books = accounting(clock)
        await books.begin()
        first = await books.get_strategy_metrics()
        assert await books.get_strategy_metrics() is first
        await books.record_fill(order(1))
        second = await books.get_strategy_metrics()
        assert second is not first
        clock.at += 5 * MINUTE // 60
        third = await books.get_strategy_metrics()
        assert third is not second
        clock.at -= MINUTE  # set right: what was kept is no age that can be told
        assert await books.get_strategy_metrics() is not third

    asyncio.run(asked())


def test_a_closed_trade_feeds_the_rolling_figures_once_and_leaves_them_after_thirty_days():
    async def months():
        clock = Clock()
        books = accounting(clock)
        await books.begin()
        told = []
        for number in range(0, 40, 2):
            for side, price in (("buy", 10), ("sell", 11)):
                number, at = number + 1, NOON + number  # noqa: PLW2901 (one fill after another)
                await books.record_fill(order(number, side, quantity=1, price=price, fee=0, at=at))
            told.append((await books.get_strategy_metrics())["trend"].rolling.count)
        rolling = books.portfolio.closings.book.closed.rolling("trend", 30 * 1_440 * MINUTE)
        clock.at += 31 * 1_440 * MINUTE
        gone = (await books.get_strategy_metrics())["trend"]
        return told, rolling.steps, gone

    told, steps, gone = asyncio.run(months())
    assert told == list(range(1, 21))
    assert steps == 20 + 20  # each came once and left once
    assert (gone.rolling.count, gone.results.trades) == (0, 20)


def test_the_day_is_measured_from_its_snapshot():
    async def day():
        clock = Clock()
        books = accounting(clock)
        await books.begin()
        snapshot = await books.take_snapshot()
        clock.at += MINUTE
        await books.record_fill(order(1, quantity=1, price=100, fee=3))
        drawdown = await books.get_drawdown()
        assert drawdown.max_drawdown_pct == 1
        assert await books.get_peak_equity() == drawdown.peak_equity == 300
        assert await books.get_daily_start_equity() == 0  # it began today
        today = await books.get_daily_pnl()
        clock.at += 1440 * MINUTE
        await books.take_snapshot()
        assert await books.get_daily_start_equity() == 300  # what was kept of yesterday
        return snapshot, today

    snapshot, pnl = asyncio.run(day())
    assert snapshot.equity_base == 300
    assert pnl == -3


def test_equity_and_what_the_day_began_with_are_of_all_that_is_owned():
    async def day():
        clock = Clock()
        books = accounting(clock)
        await books.begin()
        await books.record_fill(order(1, quantity=1, price=100, fee=0))
        books.portfolio.options = Options(exclude_assets=frozenset({"BTC", "USDT"}))
        await books.take_snapshot()
        clock.at += 1440 * MINUTE
        return (
            await books.get_equity(),
            await books.get_cash_balance(),
            await books.get_daily_start_equity(),
            await books.get_daily_pnl(),
        )

    assert asyncio.run(day()) == (300, 200, 300, 0)


def test_a_fill_without_a_time_told_again_later_is_the_same_fill():
    async def told():
        clock = Clock()
        books = accounting(clock)
        await books.record_fill(order(1))
        clock.at += MINUTE
        await books.record_fill(order(1))
        with pytest.raises(Conflicted, match="quantity differs"):
            await books.record_fill(order(1, quantity="5"))
        return books.portfolio.desk.head.seq, await books.get_positions()

    seq, (position,) = asyncio.run(told())
    assert seq == 1
    assert position.base_size == Decimal("0.01")


def test_what_another_desk_writes_is_seen_and_hinders_no_fill():
    async def told():
        books = accounting()
        await books.begin(300)
        before = await books.get_strategy_metrics()
        line = "2026-01-01T10:00:00Z deposit 500 USD #k:main:1"
        Desk(books.portfolio.desk.store, Clock()).submit(golden.read([line]))
        after = await books.get_strategy_metrics()
        await books.record_fill(order(1))
        return before["manual"].equity, after["manual"].equity, books.portfolio.desk.head.version

    assert asyncio.run(told()) == (300, 800, 3)


def test_accounting_over_the_past_answers_and_stands_still():
    books = accounting()
    asyncio.run(books.begin(300))
    past = PortfolioAccounting(books.portfolio.at(books.portfolio.desk.clock.now()))
    assert asyncio.run(past.get_equity()) == 300
