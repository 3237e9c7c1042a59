"""Whatever decimal context the caller is in, every verb answers what it does in none of his own."""

import asyncio
import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import (
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
    Underflow,
    localcontext,
)
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

import bursar
from bursar.ledger import golden
from bursar.ledger.terms import Method, Terms
from bursar.portfolio import allocating, exports, gains, profits, snapshots
from bursar.portfolio.exports import TABLES, csv_lines, table
from bursar.portfolio.service import PortfolioService
from bursar.report import Asked, report
from bursar.report.sections import document
from tests.unit.portfolio.places import MINUTE, Clock, opened
from tests.unit.portfolio.venues import Told

SAMPLES = Path(bursar.__file__).parent / "samples"
STORIES = {
    "kraken": ("EUR", "kraken-story-a", ("ledgers.gen4-16col.csv", "trades.gen2-24col.csv")),
    "binance": ("USD", "binance-story-a", ("transaction-history.csv",)),
    "alpaca": ("USD", "alpaca-story-a", ("activities.csv",)),
}
ODD = "0.123456789012345678"
LIVED = (
    "2026-05-01T10:00:00Z deposit 123456.123456789012345678 EUR #k:1",
    f"2026-05-02T10:00:00Z buy 3.{ODD[2:]} XBT @ 7000.{ODD[2:]} EUR fee {ODD} EUR #k:2  strategy=a",
    f"2026-05-03T10:00:00Z sell 1.{ODD[2:]} XBT @ 8000.{ODD[2:]} EUR fee {ODD} EUR #k:3 strategy=a",
    "2026-05-04T10:00:00Z buy 77.123456789012345678 ETH @ 300.33333333 EUR #k:4  strategy=b",
    "2026-05-05T10:00:00Z sell 7.123456789012345 ETH @ 250.77 EUR fee 0.003 ETH #k:5  strategy=b",
    "2026-05-06T10:00:00Z withdrawal 0.333333333333333333 XBT #k:6  value=2345.678901234",
)
PRICES = {"XBT": "65432.123456789", "ETH": "1234.987654321", "BTC": "65432.123456789"}
TRAPS = [
    *(Clamped, DivisionByZero, Inexact, InvalidOperation),
    *(Overflow, Rounded, Subnormal, Underflow),
]
ADDRESS = re.compile(" at 0x[0-9a-f]+")
CONTEXTS = {
    "short": Context(prec=3, traps=[]),
    "trapping": Context(prec=7, Emax=9, Emin=-9, traps=TRAPS),
}


def imported(name):
    base, folder, files = STORIES[name]
    portfolio = opened(terms=Terms(base=base))
    yield "import", portfolio.import_files(*(SAMPLES / folder / each for each in files))
    yield "journal", list(portfolio.journal())
    yield "digest", portfolio.digest()
    yield "equity", portfolio.equity()
    yield "pnl", portfolio.pnl("asset", methods=[rule.value for rule in Method])
    yield "fees", portfolio.fees()


def lived():
    clock = Clock()
    portfolio = opened(clock=clock)
    portfolio.record(*golden.read(LIVED))
    for day in range(3):
        prices = PRICES | {"ETH": f"{1000 + 97 * day}.123456789"}
        snapshots.take(portfolio, prices)
        clock.at += 1440 * MINUTE
    yield "lots", portfolio.lots()
    for by in ("pair", "asset", "strategy", "account"):
        yield by, portfolio.pnl(by, methods=[rule.value for rule in Method], prices=PRICES)
    yield "months", portfolio.pnl_by_month()
    yield "equity", portfolio.equity(PRICES), portfolio.equity(PRICES).why(), portfolio.positions()
    yield "views", portfolio.views(PRICES)
    yield "performance", portfolio.performance(prices=PRICES)
    yield "risk", portfolio.risk(PRICES), portfolio.heatmap("month"), portfolio.drawdown()
    yield "why", [portfolio.why(name, prices=PRICES) for name in ("made", "daily_pnl", "realized")]
    yield "gains", gains.gains(portfolio, gains.GainsAsked())
    weights = {"XBT": Decimal("0.333333333"), "ETH": Decimal("0.444444444")}
    plan = portfolio.plan(weights, prices=PRICES)
    yield "plan", plan, plan.total_trade_value, plan.verify()
    yield "effects", plan.apply(portfolio.book())
    yield "strategies", allocating.strategies(portfolio, PRICES)
    proposal = allocating.propose(portfolio, prices=PRICES)
    allocating.apply(portfolio, proposal)
    yield "allocation", proposal, allocating.decision(portfolio)
    look = profits.look(portfolio, prices=PRICES)
    profits.apply(portfolio, look)
    yield "profits", look
    yield "report", document(report(portfolio, Asked(), PRICES))
    for name in TABLES:
        yield name, list(csv_lines(table(portfolio, name, exports.Asked(prices=PRICES))))
    ledger = exports.ledger_of(portfolio, exports.Asked(prices=PRICES))
    yield "beancount", list(exports.beancount(ledger))
    yield "hledger", list(exports.hledger(ledger))


def moved():
    portfolio = opened(LIVED[0])
    with portfolio.transaction(previous_equity=Decimal("123355.444444444444444445")) as tx:
        tx.stage_cash_delta("-100.123456789012345678", fees="0.555555555555555555")
        yield "committed", tx.commit({})
    portfolio.add("deposit", f"12345.{ODD[2:]}", "EUR", time=datetime(2026, 5, 9, tzinfo=UTC))
    portfolio.price("XBT", datetime(2026, 5, 9, tzinfo=UTC), f"12345.{ODD[2:]}")
    yield "state", portfolio.equity(), portfolio.verify().totals, portfolio.balances()


def followed():
    clock = Clock()
    venue = Told(clock, *LIVED)
    venue.holdings = {"EUR": Decimal("101234.5"), "XBT": Decimal("1.666666666666666667")}
    venue.worth = {"XBT": Decimal("65432.123456789"), "ETH": Decimal("1234.987654321")}
    service = PortfolioService(opened(clock=clock), (venue,))
    yield "sync", asyncio.run(service.sync())
    yield "equity", service.get_equity(), service.get_positions(), service.get_asset_exposure()
    yield "pnl", service.get_pnl_summary(), service.get_fee_summary(), service.get_balances()
    yield "drift", service.get_drift(), service.get_certificate("k")
    yield "snapshot", service.create_snapshot()


DOINGS: dict[str, Callable[[], Any]] = {
    **{name: partial(imported, name) for name in STORIES},
    "lived": lived,
    "moved": moved,
    "followed": followed,
}


def told(doing, context=None):
    with nullcontext() if context is None else localcontext(context):
        return {str(name): ADDRESS.sub("", repr(what)) for name, *what in DOINGS[doing]()}


@cache
def plainly(doing):
    return told(doing)


@pytest.mark.parametrize("doing", DOINGS)
@pytest.mark.parametrize("context", CONTEXTS)
def test_every_verb_answers_the_same(doing, context):
    answered = told(doing, CONTEXTS[context])
    for name, text in plainly(doing).items():
        assert answered[name] == text, name
