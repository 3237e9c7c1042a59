"""Curves and trade records for the tests of measure, and numbers to draw."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from bursar.ledger import instant
from bursar.ledger.records import RealizedPnLRecord
from bursar.measure.curve import Moment, curve
from bursar.measure.trip import Trip

D = Decimal
DAY, HOUR = instant.DAY, 3_600 * instant.SECOND
START = instant.parse("2026-01-01T00:00:00Z")  # a Thursday
MONEY = st.decimals(D(-1000), D(1000), places=2)
POSITIVE = st.decimals(D("0.01"), D(100000), places=2)


def loose(thing):
    """The thing itself, its types forgotten: in a test 5 may stand for Decimal(5)."""
    return thing


def day(number, hour=12):
    """An instant of a day, the first of January being day 1."""
    return START + (number - 1) * DAY + hour * HOUR


def moment(at, equity, capital=0, *, is_complete=True):
    return Moment(at, D(equity), None if capital is None else D(capital), is_complete)


def curve_of(*equities, capital=0):
    """A curve of one moment a day, at noon."""
    return curve(moment(day(n), equity, capital) for n, equity in enumerate(equities, 1))


def record(number, delta=0, pnl=0, **others):
    """A trade record of day `number`; pnl has the fee taken off."""
    fields = {
        "trade_id": f"t{number}",
        "order_id": None,
        "pair": "XBT/EUR",
        "time": datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number - 1),
        "side": "",
        "base_delta": D(delta),
        "quote_delta": D(0),
        "fee_asset": "EUR",
        "fee_amount": D(0),
        "pnl_quote": None,
        "strategy_tag": "trend",
        "pnl_base": D(pnl),
        "account": "k",
    }
    return RealizedPnLRecord(**(fields | others))


def trip(number, pnl, **others):
    fields = {
        "id": f"t{number}",
        "account": "k",
        "asset": "XBT",
        "pair": "XBT/EUR",
        "strategy": "trend",
        "regime": "",
        "opened_at": day(number, 0),
        "closed_at": day(number),
        "cost": D(100),
        "pnl": D(pnl),
        "fees": D(1),
    }
    return Trip(**(fields | others))


def trips(*pnls):
    return [trip(number, pnl) for number, pnl in enumerate(pnls, 1)]
