"""The verbs of a portfolio, on the shipped sample account."""

import json
from decimal import Context, Decimal, Inexact, localcontext
from importlib.resources import files

import msgspec
import pytest

import bursar
from bursar.errors import (
    BadChoice,
    FigureNotFound,
    Malformed,
    PortfolioNotFound,
    PositionNotFoundError,
    UnknownFormat,
)
from bursar.ledger import golden, projection
from bursar.ledger.terms import Account, Scope
from bursar.ledger.why import render

STORY = files("bursar") / "samples" / "kraken-story-a"
LEDGERS = str(STORY / "ledgers.gen4-16col.csv")
TRADES = str(STORY / "trades.gen2-24col.csv")
PRICES = str(STORY / "prices.csv")
EUR = bursar.Terms(base="EUR")


@pytest.fixture
def book(tmp_path):
    with bursar.open(tmp_path / "book.db", terms=EUR) as portfolio:
        portfolio.import_files(LEDGERS, TRADES, PRICES)
        yield portfolio


def test_the_public_names_are_these():
    assert bursar.__all__ == [
        "Account",
        "BrokenInvariant",
        "BursarError",
        "Constraints",
        "Equity",
        "FactSource",
        "HoldingsSnapshot",
        "ImportReport",
        "Instrument",
        "Mark",
        "Marks",
        "Method",
        "Options",
        "Portfolio",
        "PortfolioBatch",
        "PortfolioError",
        "PortfolioService",
        "PortfolioServiceV2",
        "PortfolioTransaction",
        "RebalancePlan",
        "RebalancePlanDTO",
        "RebalanceService",
        "RoundingMode",
        "Scope",
        "SizingPolicy",
        "StagedCash",
        "StagedLotBook",
        "StagedPosition",
        "StagedRealizedPnl",
        "StrategyAllocation",
        "StrategyAllocationDTO",
        "Terms",
        "TradingSession",
        "Why",
        "aggregate_allocations",
        "invest",
        "make_plan",
        "open",
        "portfolio_batch",
        "portfolio_transaction",
        "portfolios",
        "recover",
    ]
    assert all(getattr(bursar, name) is not None for name in dir(bursar))
    with pytest.raises(AttributeError, match="no attribute 'close'"):
        _ = bursar.close


def test_holdings_equal_the_venue(book):
    expected = json.loads((STORY / "expected.json").read_text())["expected"]
    wanted = {
        "XBT" if asset == "BTC" else asset: Decimal(amount)
        for asset, amount in expected["final_balance_by_asset"].items()
        if Decimal(amount)
    }
    assert {balance.asset: balance.total for balance in book.balances()} == wanted


def test_equity_explains_itself_and_the_books_close(book):
    equity = book.equity({"XBT": "58420.5", "ETH": "3100.25", "DOT": "6.1234"})
    assert str(equity).endswith(" EUR")
    assert equity.why().value == equity.value
    assert book.why("identity").value == 0
    assert book.verify().is_sound


def test_every_cost_rule_gives_the_same_equity(book):
    totals = {
        each.method: each.pnl.total.realized + each.pnl.total.unrealized
        for each in book.pnl("asset", methods=["wac", "fifo", "lifo", "hifo", "specific"])
    }
    assert len(totals) == 5
    # What the rules differ by left with a withdrawal at cost.
    withdrawn = {rule: book.book(bursar.Method(rule)) for rule in totals}
    carried = {
        rule: sum(flow.booked for key, flow in each.flows.items() if key[1] == "withdrawal")
        for rule, each in withdrawn.items()
    }
    assert len({totals[rule] + carried[rule] for rule in totals}) == 1


def test_one_rule_may_be_said_alone(book):
    assert [each.method for each in book.pnl(methods="fifo")] == ["fifo"]
    assert [each.method for each in book.pnl_by_month(methods="lifo")] == ["lifo"]


def test_months_add_up(book):
    (wac,) = book.pnl_by_month()
    (pair,) = book.pnl("pair")
    assert [line.month for line in wac.lines] == ["2024-01"]
    assert wac.total.realized == pair.pnl.total.realized
    assert wac.total.expenses == pair.pnl.total.expenses


def test_a_position_is_found_under_its_names(book):
    assert book.position("BTCEUR").base_asset == "XBT"
    with pytest.raises(PositionNotFoundError):
        book.position("LTC/EUR")


def test_lots_stand_by_account_and_asset(book):
    assert set(book.lots("BTC")) == {("kraken:main", "XBT")}
    fifo = book.lots(rule=bursar.Method.FIFO)
    quantities = {asset: sum(lot.quantity for lot in lots) for (_, asset), lots in fifo.items()}
    assert quantities["XBT"] == Decimal("0.0400899864")


def test_why_opens_a_figure(book):
    why = book.why("realized", "XBT")
    assert why.value == sum(part.value for part in why.parts)
    assert "TA0001-AAAAA-000001" in "\n".join(render(why))
    for figure in ("contributed", "income", "expenses", "fees", "equity", "identity"):
        assert book.why(figure).formula
    for figure in ("cost", "value", "unrealized"):
        assert book.why(figure, "ETH").formula
        with pytest.raises(FigureNotFound, match="of which asset"):
            book.why(figure)
    for figure in ("equity", "fees", "identity"):
        with pytest.raises(FigureNotFound, match="of the whole book"):
            book.why(figure, "XBT")
    with pytest.raises(FigureNotFound, match="no figure is called"):
        book.why("luck")


def test_importing_again_changes_nothing(book):
    version, digest = book.desk.head.version, projection.digest(book.timeline.book)
    report = book.import_files(TRADES, LEDGERS)
    assert report.receipt.review.recorded == 0
    assert (book.desk.head.version, projection.digest(book.timeline.book)) == (version, digest)


def test_a_bad_file_imports_none_of_them(tmp_path):
    bad = tmp_path / "ledgers.csv"
    text = (STORY / "ledgers.gen4-16col.csv").read_text()
    bad.write_text(text.replace("-2000.0000", "-2oo0.0000"))
    with bursar.open(tmp_path / "book.db", terms=EUR) as portfolio:
        with pytest.raises(Malformed, match=r"ledgers.csv, line 4, column amount"):
            portfolio.import_files(TRADES, bad)
        assert portfolio.desk.store.head().seq == 0
        with pytest.raises(BadChoice, match="no file"):
            portfolio.import_files()


def test_an_unknown_file_is_named(tmp_path):
    odd = tmp_path / "odd.csv"
    odd.write_text("a,b\n1,2\n")
    with bursar.open(":memory:") as portfolio, pytest.raises(UnknownFormat, match=r"odd.csv"):
        portfolio.import_files(odd)


def test_a_golden_journal_is_imported_in_its_own_currency_only(tmp_path):
    line = "2026-01-05T10:00:00Z buy 2 XBT @ 40000 USD fee 8 USD #k:1\n"
    dollars = tmp_path / "a.journal"
    dollars.write_text("@ base USD\n" + line)
    with bursar.open(":memory:") as portfolio:
        assert portfolio.import_files(dollars).files[0].format == "golden journal"
        assert portfolio.balances()[1].total == 2
    with bursar.open(":memory:", terms=EUR) as portfolio, pytest.raises(BadChoice, match="USD"):
        portfolio.import_files(dollars)


def test_a_price_entered_by_hand_prices_what_waited_for_it(tmp_path):
    lines = ["2026-01-02T00:00:00Z reward 1 XBT #k:1"]
    journal = tmp_path / "a.journal"
    journal.write_text("\n".join(lines))
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(journal)
        assert portfolio.timeline.book.gaps["XBT", "unpriced"] == 1
        (entry,) = golden.read(["2026-01-01T12:00:00Z price XBT 40000 USD #p:1"])
        portfolio.record(entry)
        assert not any(portfolio.timeline.book.gaps.values())
        assert portfolio.why("income").value == 40_000
        assert portfolio.equity().value == 40_000


def test_a_missing_mark_is_named_and_never_zero(tmp_path):
    journal = tmp_path / "a.journal"
    journal.write_text("2026-01-02T00:00:00Z deposit 1 ODD #k:1\n")
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(journal)
        equity = portfolio.equity()
        assert [each.asset for each in equity.valuation.unvalued] == ["ODD"]
        assert [each.value for each in equity.valuation.assets] == [None]


def test_opening_what_is_not_there(tmp_path):
    with pytest.raises(PortfolioNotFound):
        bursar.open(tmp_path / "none.db", create=False)


def test_another_base_currency_is_refused(tmp_path):
    bursar.open(tmp_path / "book.db", terms=EUR).close()
    with pytest.raises(BadChoice, match="EUR"):
        bursar.open(tmp_path / "book.db", terms=bursar.Terms(base="USD"))


def test_progress_is_told(tmp_path):
    told = []
    with bursar.open(tmp_path / "b.db", terms=EUR) as portfolio:
        portfolio.import_files(LEDGERS, progress=lambda *what: told.append(what[0]))
    assert told[-2:] == ["folding", "writing"]
    assert told[0] == "reading ledgers.gen4-16col.csv"


def test_records_follow_the_rule_they_are_asked_for(book):
    own = list(book.records_of())
    fifo = list(book.records_of(bursar.Method.FIFO))
    assert [each.trade_id for each in own] == [each.trade_id for each in fifo]
    stored = {(each.trade_id, each.kind): each for each in book.trades()}
    assert {(each.trade_id, each.kind): each for each in own} == stored
    assert len(book.flows(limit=3)) == 3
    assert sum(1 for _ in book.journal()) == book.desk.head.seq


def test_what_a_flow_cost_is_unknown_by_every_door_where_nothing_of_it_had_a_price():
    with bursar.open(":memory:", terms=EUR) as portfolio:
        portfolio.add("deposit", "2", "SGB", time="2026-01-01")
        portfolio.add("deposit", "7", "EUR", time="2026-01-02")
        portfolio.add("deposit", "1", "XBT", time="2026-01-03", cost="0.5")
        told = [(each.asset, each.cost_base) for each in portfolio.flows()]
        assert told == [("XBT", Decimal("0.5")), ("EUR", 7), ("SGB", None)]
        (found,) = portfolio.flows("SGB")
        assert (found.value_base, found.cost_base) == (None, None)
        table = portfolio.table("flows")
        place = [column.name for column in table.columns].index("cost_base")
        assert [row[place] for row in table.rows] == [Decimal("0.5"), 7, None]


def test_the_later_of_a_recorded_price_and_a_trade_is_the_mark(tmp_path):
    journal = tmp_path / "a.journal"
    lines = [
        "2024-01-02T00:00:00Z price XBT 40000 USD #p:1",
        "2024-01-05T00:00:00Z buy 1 XBT @ 80000 USD #k:1",
    ]
    journal.write_text("\n".join(lines))
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(journal)
        assert portfolio.equity().value == 0


def test_no_digit_is_lost_whatever_context_the_caller_has(tmp_path):
    many = "12345678901234567890.123456789012345678"
    journal = tmp_path / "a.journal"
    journal.write_text(
        f"2024-01-02T00:00:00Z deposit {many} SHIB fee 0.000000000000000001 USD #k:1 basis={many}\n"
        f"2024-01-03T00:00:00Z deposit {many} USD #k:2\n"
    )
    with bursar.open(":memory:") as portfolio, localcontext(Context(prec=5)) as mine:
        portfolio.import_files(journal)
        (lots,) = portfolio.lots().values()
        assert (str(lots[0].quantity), str(lots[0].cost)) == (many, many)
        rest = "12345678901234567890.123456789012345677"
        assert {str(each.total) for each in portfolio.balances()} == {many, rest}
        assert str(portfolio.equity({"SHIB": 1}).value) == "24691357802469135780.246913578024691355"
        assert portfolio.equity().totals.gap == 0
        assert str(portfolio.why("contributed").value) == "24691357802469135780.246913578024691356"
        assert str(portfolio.why("cost", "SHIB").value) == many
        assert portfolio.verify().is_sound
        assert not mine.flags[Inexact]


def test_records_that_were_changed_are_found(book):
    assert book.verify().is_sound
    store = book.desk.store
    trade, flow = book.trades()[0], book.flows()[0]
    store.append_trades([msgspec.structs.replace(trade, pnl_base=Decimal(12_345))])
    store.save_cash_flows([msgspec.structs.replace(flow, amount=Decimal(1))])
    assert book.verify().faults == (
        f"the stored trade records are not those of the facts: trade {trade.trade_id}",
        f"the stored flow records are not those of the facts: {flow.id}",
    )


@pytest.mark.parametrize("scope", list(Scope))
def test_lots_add_up_to_what_is_held_short(tmp_path, scope):
    journal = tmp_path / "a.journal"
    lines = [
        "2024-01-02T00:00:00Z buy 1 ACME @ 10 USD #x:a:1",
        "2024-01-03T00:00:00Z sell 3 ACME @ 12 USD #x:a:2",
        "2024-01-04T00:00:00Z sell 2 ACME @ 15 USD #x:a:3",
    ]
    journal.write_text("\n".join(lines))
    terms = bursar.Terms(scope=scope, accounts=(Account("x:a", may_short=True),))
    with bursar.open(":memory:", terms=terms) as portfolio:
        portfolio.import_files(journal)
        for rule in (bursar.Method.WAC, bursar.Method.FIFO):
            (lots,) = portfolio.lots(rule=rule).values()
            assert [lot.id for lot in lots] == ["x:a:2", "x:a:3"]
            assert [lot.quantity for lot in lots] == [-2, -2]
            assert [lot.cost for lot in lots] == [-24, -30]
        assets = portfolio.valuation({"ACME": 10}).assets
        (held,) = (each for each in assets if each.asset == "ACME")
        assert held.quantity == -4
        assert held.cost == -54
