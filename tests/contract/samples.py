"""Small, valid commits and records for tests of stores."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bursar.ledger import journal
from bursar.ledger.entries import CashFlow, FlowKind
from bursar.ledger.journal import Outcome
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ports import Commit, Outbox
from bursar.value.snapshot import AssetValuation, PortfolioSnapshot

START = datetime(2026, 1, 5, 10, tzinfo=UTC)

# Every digit counts: trailing zeros, 20 + 18 digits, the smallest atom, what a float cannot hold.
NUMBERS = tuple(
    Decimal(text)
    for text in (
        "0",
        "0.00",
        "1.2300",
        "-0.1",
        "0.1000000000000000055511151231257827",
        "12345678901234567890.123456789012345678",
        "-99999999999999999999.999999999999999999",
        "0.000000000000000001",
        "100000000000000000000",
    )
)


def at(minutes):
    return START + timedelta(minutes=minutes)


def statement(name):
    return CashFlow(
        id=f"kraken:main:{name}",
        executed_at=1_767_607_200_000_000_000,
        account="kraken:main",
        kind=FlowKind.DEPOSIT,
        asset="USD",
        amount=Decimal("10.50"),
    )


def rows(head, names):
    told = [(journal.key(e), Outcome.RECORDED, e) for e in map(statement, names)]
    return tuple(journal.chain(told, head=head.hash, seq=head.seq, at=7))


def commit(head, *names, message=None, **parts):
    """A commit that follows `head`, with one journal row for each name."""
    number = head.version + 1
    defaults = {
        "expected_version": head.version,
        "records": rows(head, names),
        "cells": {},
        "outbox": Outbox(message or f"message-{number}", "portfolio.changed", f'{{"n":{number}}}'),
        "recorded_at": 7,
    }
    return Commit(**{**defaults, **parts})


def trade(name="t1", minutes=0, **parts):
    defaults = {
        "trade_id": name,
        "order_id": None,
        "pair": "XBT/USD",
        "time": at(minutes),
        "side": "sell",
        "base_delta": Decimal("-0.50"),
        "quote_delta": Decimal("25000.00"),
        "fee_asset": "USD",
        "fee_amount": Decimal(5),
        "pnl_quote": Decimal("4995.00"),
        "strategy_tag": None,
        "account": "kraken:main",
    }
    return RealizedPnLRecord(**{**defaults, **parts})


def flow(name="f1", minutes=0, **parts):
    defaults = {
        "id": name,
        "time": at(minutes),
        "asset": "USD",
        "amount": Decimal("100.00"),
        "type": "deposit",
    }
    return CashFlowRecord(**{**defaults, **parts})


def snapshot(minutes=0, **parts):
    defaults = {
        "timestamp": at(minutes),
        "equity_base": Decimal("12345.6700"),
        "cash_base": Decimal("45.10"),
        "asset_valuations": (
            AssetValuation("XBT", Decimal("1.50"), Decimal("12300.5700"), "XBTUSD"),
        ),
        "realized_pnl_base_total": Decimal(4987),
        "unrealized_pnl_base_total": Decimal("-0.10"),
        "realized_pnl_base_by_pair": {"XBT/USD": Decimal(4987), "none": Decimal("0.00")},
        "unrealized_pnl_base_by_pair": {"XBT/USD": Decimal("-0.10")},
        "unvalued": ("XDG",),
    }
    return PortfolioSnapshot(**{**defaults, **parts})


def contents(store):
    """Everything a store tells, to be compared."""
    return {
        "head": store.head(),
        "journal": list(store.records()),
        "cells": store.load_state(),
        "trades": store.get_trades(),
        "flows": store.get_cash_flows(),
        "memos": store.memos(),
        "snapshots": store.get_snapshots(),
        "outbox": list(store.outbox()),
    }
