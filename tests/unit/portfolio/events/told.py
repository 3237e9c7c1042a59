"""Events as other programs send them, and a portfolio that hears them."""

import msgspec

from bursar.events import Envelope
from bursar.ledger.terms import Terms
from bursar.portfolio.events import Intake
from bursar.venue.binance.symbols import pair
from tests.unit.portfolio.places import NOON, opened


def pairs(symbol):
    found = pair(symbol)
    return found.base, found.quote


def event(kind, name="1", *, source="execution", at=NOON, **data):
    """One event; what `data` names with an underscore in front is the envelope's."""
    own = {key[1:]: value for key, value in data.items() if key.startswith("_")}
    told = {key: value for key, value in data.items() if not key.startswith("_")}
    body = msgspec.json.encode(told).decode()
    return Envelope(id=name, type=kind, source=source, time=at, data=body, **own)


def trade_opened(trade=1, name=None, **data):
    told = {"trade_id": trade, "symbol": "BTCUSDT", "side": "LONG", "entry_price": 42000.0}
    return event("trade.opened", name or f"o{trade}", **{**told, "quantity": 0.2, **data})


def trade_closed(trade=1, name=None, **data):
    told = {"trade_id": trade, "symbol": "BTCUSDT", "side": "LONG", "exit_price": 42741.13}
    told |= {"quantity": 0.2, "realized_pnl": 148.23}
    return event("trade.closed", name or f"c{trade}", **{**told, **data})


def order_filled(order=1, name=None, **data):
    told = {"order_id": order, "symbol": "ETHUSDT", "side": "BUY", "quantity": "2"}
    return event("order.filled", name or f"f{order}", **{**told, "price": "1000", **data})


def hearing(*, terms=None, **options):
    """An intake over a portfolio in memory, in dollars."""
    return Intake(opened(terms=terms or Terms()), pairs, **options)
