"""How well a portfolio did: the curve of what was kept, its figures, and the contract's answers."""

import msgspec
import pytest

from bursar.desk import Desk
from bursar.errors import BadChoice, FigureNotFound, ValueUnknown
from bursar.ledger import golden, instant
from bursar.ledger.terms import Terms
from bursar.measure.drawdown import Basis
from bursar.measure.limits import Limits, Policy
from bursar.measure.sectors import read
from bursar.portfolio import Portfolio, kept, snapshots, views
from bursar.portfolio.earnings import Asked, summary
from bursar.portfolio.measures import Measuring
from bursar.portfolio.performance import remarks
from bursar.store import open_store
from bursar.value.equity import value_book
from bursar.value.marks import Marks
from bursar.value.worth import Options
from tests.unit.measure.samples import D, loose
from tests.unit.portfolio.places import Clock, opened


def begun(*lines, at="2026-01-01T00:00:01Z", **others):
    clock = Clock()
    clock.set(at)
    return opened("2026-01-01T00:00:00Z deposit 10000 EUR #k:1", *lines, clock=clock, **others)


def tell(portfolio, *lines):
    portfolio.record(*golden.read(list(lines)))


def keep(portfolio, at, **prices):
    """Move the clock and take a snapshot at these prices."""
    portfolio.desk.clock.set(at)
    told = {asset: str(price) for asset, price in prices.items()}
    return snapshots.take(portfolio, told)


def shown(valuation):
    made = views.Shown(base=valuation.base)
    made.see(valuation.assets, valuation.margins)
    return made.positions


def a_month(portfolio):
    """Thirty days of a price that goes up and down, with trades and a deposit on the way."""
    keep(portfolio, "2026-01-01T10:00:00Z")
    price = 0
    for day in range(2, 32):
        stamp = f"2026-01-{day:02d}"
        price = 100 + (day * 7) % 23
        if day % 3 == 0:
            tell(portfolio, f"{stamp}T09:00:00Z buy 10 XBT @ {price} EUR fee 1 EUR #k:b{day}")
        if day % 3 == 2 and day > 3:
            line = f"{stamp}T09:30:00Z sell 8 XBT @ {price} EUR fee 1 EUR #k:s{day} strategy=trend"
            tell(portfolio, line)
        if day == 15:
            tell(portfolio, f"{stamp}T09:45:00Z deposit 5000 EUR #k:d{day}")
        keep(portfolio, f"{stamp}T10:00:00Z", XBT=price)
    return {"XBT": str(price)}


# -------------------------------------------------------------------------------------- contract

CONTRACT = {
    "snapshot": """total_equity cash_balance total_exposure num_positions positions unrealized_pnl
        realized_pnl_today daily_pnl daily_drawdown_pct timestamp""",
    "pnl": """realized_pnl_total realized_pnl_today realized_pnl_week realized_pnl_month
        unrealized_pnl total_pnl best_trade_pnl worst_trade_pnl win_rate profit_factor timestamp""",
    "exposure": """total_exposure long_exposure short_exposure net_exposure exposure_by_symbol
        exposure_by_sector exposure_pct_of_equity timestamp""",
    "drawdown": """daily_drawdown_pct weekly_drawdown_pct max_drawdown_pct peak_equity
        current_equity days_since_peak recovery_progress_pct timestamp""",
}
UNPRICED = "something held has no price, or capital came or went at an unknown worth"
POSITION = """symbol side size entry_price current_price unrealized_pnl unrealized_pnl_pct exposure
    leverage"""


def test_the_answers_have_the_contracts_keys_and_no_others():
    portfolio = begun()
    made = msgspec.to_builtins(portfolio.views(a_month(portfolio)))
    assert {name: list(view) for name, view in made.items()} == {
        name: keys.split() for name, keys in CONTRACT.items()
    }
    assert [list(each) for each in made["snapshot"]["positions"]] == [POSITION.split()]


def test_the_answers_agree_with_each_other_and_with_the_books():
    portfolio = begun()
    prices = a_month(portfolio)
    made = loose(portfolio.views(prices))
    (position,) = made.snapshot.positions
    (whole,) = portfolio.pnl(prices=prices)
    assert made.pnl.realized_pnl_total == whole.pnl.total.realized
    assert made.pnl.total_pnl == whole.pnl.total.total
    assert made.snapshot.total_equity == made.drawdown.current_equity
    assert made.snapshot.total_exposure == made.exposure.total_exposure == position.exposure
    assert (position.symbol, position.side, position.leverage) == ("XBTEUR", "LONG", 1)
    assert position.size * position.current_price == position.exposure
    assert made.exposure.exposure_by_symbol == {"XBTEUR": position.exposure}
    assert made.exposure.exposure_by_sector == {"STORE_OF_VALUE": position.exposure}
    for period, told in (
        ("day", made.pnl.realized_pnl_today),
        ("week", made.pnl.realized_pnl_week),
        ("month", made.pnl.realized_pnl_month),
    ):
        assert summary(portfolio, Asked(period)).realized_pnl_base_total == told
    assert summary(portfolio, Asked("day"), prices).pnl_base == made.snapshot.daily_pnl
    trips = kept.trips(portfolio)
    assert sum(each.pnl for each in trips.trips) - trips.open_fees == whole.pnl.total.realized
    assert kept.trips(portfolio) is trips


def test_a_withdrawal_without_a_price_is_no_loss():
    portfolio = begun("2026-01-01T00:00:00Z buy 10 XBT @ 500 EUR #k:2", at="2026-01-01T23:50:00Z")
    keep(portfolio, "2026-01-01T23:50:00Z", XBT=800)
    portfolio.desk.clock.set("2026-01-02T10:00:00Z")
    tell(portfolio, "2026-01-02T09:00:00Z withdrawal 10 XBT #k:3")
    found = portfolio.performance("all")
    assert loose(portfolio.views()).snapshot.daily_pnl is None
    assert (found.made.value, found.twr_pct.value) == (None, None)
    tell(portfolio, "2026-01-02T09:00:00Z price XBT 800 EUR #p:1")
    assert loose(portfolio.views()).snapshot.daily_pnl == 0
    assert portfolio.performance("all").twr_pct.value == 0


def test_a_deposit_heard_of_late_is_no_profit_of_the_day():
    portfolio = begun(at="2026-01-01T23:50:00Z")
    keep(portfolio, "2026-01-01T23:50:00Z")
    portfolio.desk.clock.set("2026-01-02T10:00:00Z")
    tell(portfolio, "2026-01-01T20:00:00Z deposit 5000 EUR #k:2")
    day = summary(portfolio, Asked("day"))
    assert (day.net_flows_base, day.pnl_base) == (D(5000), D(0))
    assert loose(portfolio.views()).snapshot.daily_pnl == 0
    tell(portfolio, "2026-01-01T21:00:00Z deposit 1 ABC #k:3")
    day = summary(portfolio, Asked("day"), {"ABC": "7"})
    assert (day.net_flows_base, day.pnl_base, day.unpriced_flows) == (None, None, ("k:3",))


def test_capital_of_a_transaction_is_no_profit():
    portfolio = begun("2026-01-01T00:00:00Z staged cash 700 position 1 XBT @ 300 #k:2")
    for asked in (Asked(), Asked((None, "2026-01-02"))):
        assert summary(portfolio, asked).net_flows_base == 11000
    assert summary(portfolio, Asked(), {"XBT": "310"}).pnl_base == 10


def test_the_contracts_own_position():
    """The document's BTCUSDT: 0.2 at 42000, now 42741.13."""
    line = "2026-01-01T00:00:00Z buy 0.2 BTC @ 42000 USDT #k:2"
    portfolio = opened(line, terms=Terms(base="USDT"))
    (position,) = portfolio.views({"BTC": "42741.13"}).snapshot.positions
    assert position.symbol == "BTCUSDT"
    assert (position.entry_price, position.current_price) == (42000, D("42741.13"))
    assert position.unrealized_pnl == D("148.226")
    assert round(position.unrealized_pnl_pct or D(0), 2) == D("1.76")
    assert round(position.exposure or D(0), 2) == D("8548.23")


def test_what_has_no_price_is_null_and_not_zero():
    portfolio = begun("2026-01-01T00:00:00Z deposit 5 ABC #k:2 value=7", at="2026-01-01T12:00:00Z")
    made = loose(portfolio.views())
    (position,) = made.snapshot.positions
    assert (position.current_price, position.exposure, position.unrealized_pnl) == (None,) * 3
    assert position.entry_price == D("1.4")
    assert made.snapshot.daily_pnl is None
    assert made.snapshot.total_exposure == 0
    assert made.exposure.exposure_by_symbol == {"ABCEUR": None}
    assert made.pnl.win_rate is made.pnl.profit_factor is made.pnl.best_trade_pnl is None
    assert made.drawdown.peak_equity is made.drawdown.max_drawdown_pct is None


def test_a_leveraged_short():
    portfolio = begun(
        "2026-01-01T00:00:00Z margin sell 2 ETH @ 100 EUR #k:2 leverage=3",
        at="2026-01-01T12:00:00Z",
    )
    valuation = portfolio.valuation({"ETH": "90"})
    (position,) = shown(valuation)
    assert (position.symbol, position.side, position.size) == ("ETHEUR", "SHORT", 2)
    assert (position.entry_price, position.current_price, position.exposure) == (100, 90, 180)
    assert (position.unrealized_pnl, position.unrealized_pnl_pct) == (20, 10)
    assert position.leverage == 3
    assert loose(portfolio.views({"ETH": "90"})).snapshot.positions == (position,)
    (unknown,) = shown(value_book(portfolio.book(), Marks(), now=0))
    assert (unknown.current_price, unknown.exposure) == (None, None)


def test_a_symbol_is_spelled_as_it_is_traded():
    lines = (
        "2026-01-01T00:00:01Z buy 1 BTC @ 100 USDT #k:2",
        "2026-01-01T00:00:02Z buy 1 ETH @ 100 USDT #k:3",
        "2026-01-01T00:00:03Z buy 1 ETH @ 100 USD #k:4",
        "2026-01-01T00:00:04Z deposit 1 ADA #k:5",
    )
    clock = Clock()
    portfolio = opened(*lines, terms=Terms(base="USD"), clock=clock)
    assert kept.symbols_of(portfolio) == {"BTC": "BTCUSDT", "ETH": "ETHUSD"}
    assert views.symbol_of("ADA", "USD", {}) == "ADAUSD"


# --------------------------------------------------------------------------------- day and curve


def test_the_day_is_equity_now_less_midnight_less_what_came():
    portfolio = begun("2026-01-01T01:00:00Z buy 10 XBT @ 100 EUR fee 1 EUR #k:2")
    keep(portfolio, "2026-01-01T23:50:00Z", XBT=100)
    portfolio.desk.clock.set("2026-01-02T12:00:00Z")
    tell(portfolio, "2026-01-02T11:00:00Z deposit 500 EUR #k:3")
    made = portfolio.views({"XBT": "103"}).snapshot
    assert (made.total_equity, made.daily_pnl) == (10529, 30)


def test_a_deposit_that_was_heard_of_late_is_no_profit():
    portfolio = begun()
    keep(portfolio, "2026-01-01T23:50:00Z")
    portfolio.desk.clock.set("2026-01-02T12:00:00Z")
    tell(portfolio, "2026-01-01T23:00:00Z deposit 500 EUR #k:3")  # before the snapshot
    assert portfolio.views().snapshot.daily_pnl == 0
    assert portfolio.performance().twr_pct.value == 0


def test_on_the_first_day_everything_began_at_nothing():
    portfolio = begun("2026-01-01T01:00:00Z buy 10 XBT @ 100 EUR fee 1 EUR #k:2")
    portfolio.desk.clock.set("2026-01-01T12:00:00Z")
    assert portfolio.views({"XBT": "110"}).snapshot.daily_pnl == 99


def test_without_a_snapshot_of_midnight_the_day_is_not_known():
    portfolio = begun()
    portfolio.desk.clock.set("2026-01-09T12:00:00Z")
    assert portfolio.views().snapshot.daily_pnl is None
    assert "00:00" in kept.kept(portfolio, portfolio.valuation()).today.day_pnl.reason


def test_a_peak_outlives_its_snapshot_and_a_restart(tmp_path):
    clock = Clock()
    clock.set("2026-01-01T00:00:01Z")

    def opened_file(*, create):
        store = open_store(tmp_path / "b.db", "main", terms=Terms(base="EUR"), create=create)
        return Portfolio(Desk(store, clock), loose(None))

    with opened_file(create=True) as portfolio:
        tell(portfolio, "2026-01-01T00:00:00Z deposit 10000 EUR #k:1")
        tell(portfolio, "2026-01-01T00:00:00Z buy 10 XBT @ 100 EUR #k:2")
        for at, price in (("09", 100), ("10", 200), ("11", 50), ("12", 90)):
            keep(portfolio, f"2026-01-01T{at}:00:00Z", XBT=price)
        keep(portfolio, "2026-03-01T12:00:00Z", XBT=100)
        prices = {"XBT": "100"}
        before = portfolio.drawdown(prices=prices)
        assert (before.peak, before.current) == (11000, 10000)
        snapshots.prune(portfolio.desk.store, clock.now(), 30)
    with opened_file(create=False) as again:
        after = again.drawdown(prices=prices)
    assert len(after.falls) == 1
    assert (after.peak, after.peak_at, after.falls) == (before.peak, before.peak_at, before.falls)
    assert after.max_pct == before.max_pct


def test_the_past_has_the_curve_of_then():
    portfolio = begun()
    a_month(portfolio)
    portfolio.desk.clock.set("2026-06-01T12:00:00Z")
    snapshots.prune(portfolio.desk.store, portfolio.desk.clock.now(), 30)
    then = portfolio.at("2026-01-20T12:00:00Z")
    assert len(then.history().points) == 21  # twenty closes, and the moment that is asked of
    assert len(then.desk.store.memos("close ")) == 20
    assert len(portfolio.at(known_at="2026-01-20T12:00:00Z").desk.store.memos("close ")) == 20
    assert then.desk.store.memos("sync") == {}


@pytest.mark.parametrize("verb", ["performance", "history"])
def test_a_period_that_has_yet_to_begin_is_refused(verb):
    portfolio = begun(at="2026-01-05T00:00:00Z")
    said = "begins at 2026-01-05T00:00:01Z, and it is 2026-01-05T00:00:00Z"
    for end in (None, "2026-02-01"):
        with pytest.raises(BadChoice, match=said):
            getattr(portfolio, verb)(("2026-01-05T00:00:01Z", end))
    assert portfolio.performance(("2026-01-05", "2026-02-01")).moments


def test_an_old_mark_makes_a_moment_stale():
    portfolio = begun("2026-01-01T00:00:00Z buy 1 XBT @ 100 EUR #k:2")
    taken = keep(portfolio, "2026-01-02T10:00:00Z")  # the last trade is of a day ago
    assert taken.stale == ("XBT",)
    portfolio.desk.clock.set("2026-01-02T10:00:01Z")
    kept_points = portfolio.history(prices={"XBT": "1"}).points[2:]
    assert [each.is_stale for each in kept_points] == [
        True,
        False,
    ]


# ------------------------------------------------------------------------------------- the verbs


def test_performance_of_a_month():
    portfolio = begun()
    made = portfolio.performance("all", a_month(portfolio))
    assert (made.flows.value, made.moments) == (5000, 31)
    start, end = loose(made.equity_start.value), loose(made.equity_end.value)
    assert made.made.value == end - start - 5000
    assert made.ratios.returns == 30
    assert made.ratios.sharpe.value is not None
    assert made.by_strategy.keys() == {"trend"}
    assert made.by_asset["XBT"] == made.trades
    assert made.kelly_trades.full.reason == "9 round trips; it takes 20"
    assert made.mwr_pct.value is not None
    assert made.drawdown.basis is Basis.EQUITY
    assert made.nav_drawdown.current == made.curve.points[-1].nav


def test_a_book_that_was_only_imported_has_a_curve_of_its_trades():
    portfolio = begun(
        "2026-01-02T01:00:00Z buy 10 XBT @ 100 EUR #k:2",
        "2026-01-03T01:00:00Z sell 1 XBT @ 110 EUR #k:3",
        "2026-01-05T01:00:00Z deposit 500 EUR #k:4",
        "2026-01-06T01:00:00Z price XBT 90 EUR #k:5",
        at="2026-01-06T12:00:00Z",
    )
    points = portfolio.history().points
    assert [point.equity for point in points] == [0, 10000, 10000, 10100, 10600, 10420]
    made = portfolio.performance()
    assert made.is_rebuilt
    assert made.made.value == -80
    assert {point.is_stale for point in points} == {True}
    assert portfolio.views().drawdown.peak_equity == 10420  # what is told others is never rebuilt
    keep(portfolio, "2026-01-06T13:00:00Z")
    portfolio.desk.clock.set("2026-01-06T14:00:00Z")
    again = portfolio.performance()
    assert again.is_rebuilt, "what was before the first snapshot stays"
    assert again.made == made.made


def test_what_the_first_day_made_is_in_a_rebuilt_curve():
    lines = (
        "2026-01-01T01:00:00Z buy 10 XBT @ 100 EUR #k:2",
        "2026-01-01T02:00:00Z sell 5 XBT @ 120 EUR #k:3",
    )
    for at in ("2026-01-01T03:00:00Z", "2026-01-03T03:00:00Z"):
        made = begun(*lines, at=at).performance()
        assert (made.made.value, made.flows.value, made.twr_pct.value) == (200, 10000, 2)
        assert instant.show(made.opened_at) == "2025-12-31T23:59:59.999999999Z"
    late = begun("2026-01-01T04:00:00Z price XBT 100 EUR #k:4", at="2026-01-02T00:00:00Z")
    assert late.performance().made.value == 0


def test_a_range_holds_its_own_trips_and_the_moment_before_it():
    portfolio = begun()
    prices = a_month(portfolio)
    made = portfolio.performance("week", prices)
    assert made.trades.count == 2  # on the 26th, a Monday, and the 29th
    assert [point.at for point in made.curve.points] == sorted(p.at for p in made.curve.points)
    assert made.moments == 7
    assert portfolio.performance("30d", prices).moments == 31
    early = portfolio.performance(("2026-01-05", "2026-01-08"), prices)
    assert (early.moments, early.trades.count) == (4, 1)


def test_a_range_that_begins_long_after_a_moment_or_before_one_says_so():
    portfolio = begun("2026-01-02T01:00:00Z buy 10 XBT @ 100 EUR #k:2")
    portfolio.desk.clock.set("2026-03-01T12:00:00Z")
    said = {
        period: list(remarks(portfolio.performance(period, {"XBT": "200"})))[1:]
        for period in ("day", "all", ("2026-01-03", "2026-01-09"), ("2025-12-01", "2026-02-01"))
    }
    assert said["all"] == said["2026-01-03", "2026-01-09"] == []
    (carried,) = said["day"]
    assert carried.endswith("the range: it goes on from 2026-01-02T23:59:59.999999999Z")
    (late,) = said["2025-12-01", "2026-02-01"]
    assert late == "the curve is known from 2025-12-31T23:59:59.999999999Z on, not before"


def test_a_portfolio_without_a_past_says_what_it_lacks():
    portfolio = opened(clock=Clock())
    made = portfolio.performance()
    assert made.twr_pct.reason == "a return needs two complete moments"
    assert "two moments" in made.made.reason
    assert made.ratios.sharpe.reason == "0 daily returns; it takes 30"
    unpriced = "2026-01-01T00:00:00Z deposit 5 ABC #k:2"
    priced = "2026-01-02T00:00:00Z price ABC 1 EUR #k:3"
    late = begun(unpriced, priced, at="2026-01-04T00:00:00Z").performance()
    assert any(each.startswith("1 of 3 moments lack a price, or missed") for each in remarks(late))
    assert late.made.reason, "what came had no price"
    nothing = begun(unpriced).performance()
    assert nothing.equity_start.reason == "no complete moment was kept"
    assert nothing.opened_at is None


def test_across_equity_below_zero_no_ratio_is_known():
    portfolio = begun("2026-01-03T00:00:00Z fee 10001 EUR #k:2", at="2026-01-05T00:00:00Z")
    made = portfolio.performance()
    for figure in (made.ratios.sharpe, made.kelly_returns.full, made.nav_drawdown.max_pct):
        assert figure.reason.startswith("equity was not above zero")
    assert made.made.value == -10001
    assert made.ratios.returns == 1


def test_heatmaps_add_up_to_realised():
    portfolio = begun()
    a_month(portfolio)
    (whole,) = portfolio.pnl()
    for kind in ("month", "hour", "symbol", "day"):
        assert portfolio.heatmap(kind).total == whole.pnl.total.realized
    assert portfolio.heatmap("symbol").rows == ("XBT",)


def test_risk_names_what_passes_its_limit():
    portfolio = begun()
    prices = a_month(portfolio)
    portfolio.measuring = Measuring(
        policy=Policy(limits=Limits(symbol_exposure_pct_max=D(10), gross_exposure_pct_max=D(100))),
        table=read("XBT,OLD,EXPANSION"),
    )
    made = portfolio.risk(prices)
    assert [each.limit for each in made.breaches] == ["symbol_exposure_pct"]
    assert [each.sector for each in made.sectors] == ["OLD"]
    assert portfolio.sectors(prices) == list(made.sectors)
    assert [each.share_pct.value for each in made.buckets] == [0, 100, 0]
    assert loose(made.symbols.between("XBT", "XBT")).coefficient.value == 1
    assert loose(made.sector_correlations.between("OLD", "OLD")).coefficient.value == 1
    assert made.var_pct.value is not None


def test_risk_without_prices_is_unknown_and_said():
    portfolio = begun("2026-01-01T00:00:00Z deposit 5 ABC #k:2", at="2026-01-05T12:00:00Z")
    portfolio.measuring = Measuring(
        policy=Policy(
            limits=Limits(
                sector_exposure_pct_max=D(10), daily_loss_pct_max=D(5), positions_max=D(9)
            )
        )
    )
    assert [str(each) for each in portfolio.risk().breaches] == [
        "sector_exposure_pct of UNCLASSIFIED: unknown: ABC: no price (at most 10)",
        f"daily_loss_pct: unknown: {UNPRICED} (at most 5)",
    ]


def test_a_daily_loss_is_told_in_money_and_percent():
    portfolio = begun("2026-01-01T01:00:00Z buy 10 XBT @ 100 EUR #k:2")
    keep(portfolio, "2026-01-01T23:50:00Z", XBT=100)
    portfolio.desk.clock.set("2026-01-02T12:00:00Z")
    standing = portfolio.risk({"XBT": "80"}).standing
    assert (standing.daily_loss.value, standing.daily_loss_pct.value) == (200, 2)


def test_the_view_decides_what_realised_of_a_period_holds():
    portfolio = begun(
        "2026-01-01T01:00:00Z buy 1 XBT @ 100 EUR #k:2",
        "2026-01-01T02:00:00Z sell 1 XBT @ 150 EUR #k:3",
        "2026-01-01T02:00:00Z buy 1 ETH @ 10 EUR #k:4",
        "2026-01-01T03:00:00Z sell 1 ETH @ 11 EUR #k:5",
        at="2026-01-01T12:00:00Z",
    )
    portfolio.options = Options(exclude_assets=frozenset({"XBT"}))
    assert portfolio.views().pnl.realized_pnl_today == 1


def test_what_there_is_none_of():
    portfolio = begun()
    with pytest.raises(BadChoice, match="of equity or of nav"):
        portfolio.drawdown("cash")
    with pytest.raises(BadChoice, match="period"):
        portfolio.history("fortnight")


@pytest.mark.parametrize("figure", ["daily_pnl", "drawdown", "made", "profit_factor", "win_rate"])
def test_a_figure_is_explained_by_its_parts(figure):
    portfolio = begun()
    why = portfolio.why(figure, prices=a_month(portfolio))
    assert why.parts
    if figure == "daily_pnl":
        assert sum(loose(part.value) for part in why.parts) == why.value
        assert why.value == portfolio.views({"XBT": "110"}).snapshot.daily_pnl
    with pytest.raises(FigureNotFound, match="daily_pnl"):
        portfolio.why(figure, "XBT")


def test_what_is_not_known_cannot_be_explained_and_says_why():
    portfolio = begun("2026-01-01T00:00:00Z deposit 5 ABC #k:2", at="2026-01-05T12:00:00Z")
    for figure in ("daily_pnl", "drawdown", "made", "profit_factor", "win_rate"):
        with pytest.raises(ValueUnknown, match=f"{figure} is not known: "):
            portfolio.why(figure)
