"""How the venue writes things down: amounts as strings, times and counts as JSON numbers.

A time has four decimals at least, and as many as it needs. Prices, costs and fees of a trade have
five or the pair's own, whichever is more; what the ledger says has the coin's.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from bursar.sim.kraken.house import House
from bursar.sim.kraken.listing import Coin, Pair, coins, pairs, ten, text
from bursar.sim.kraken.market import SECOND
from bursar.sim.kraken.rows import Order, Passage, Row, Trade

Json = object
"""What msgspec can write."""

_SHOWN: Final = 5
_OLD: Final = "None"
_NO_POSITION: Final = "TKH2SE-M7IF5-CFI7LT"


def number(said: str) -> msgspec.Raw:
    """Write a JSON number, digit for digit."""
    return msgspec.Raw(said.encode())


def seconds(time: int) -> msgspec.Raw:
    """Write a time as the venue does: unix seconds with four decimals or more."""
    whole, part = divmod(time, SECOND)
    decimals = f"{part:09d}"
    return number(f"{whole}.{decimals[:4]}{decimals[4:].rstrip('0')}")


def iso(time: int, *, is_fine: bool = False) -> str:
    """Write a time with its date, to the second or to the microsecond."""
    said = datetime.fromtimestamp(time // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{said}.{time % SECOND // 1000:06d}Z" if is_fine else f"{said}Z"


def amount(code: str, value: int) -> str:
    """Write an amount with its coin's decimals."""
    return text(value, coins()[code].decimals)


def at_least(value: int, decimals: int, least: int = _SHOWN) -> str:
    """Write a number with at least so many decimals."""
    more = max(least - decimals, 0)
    return text(value * ten(more), decimals + more)


def asset(coin: Coin) -> dict[str, Json]:
    """Write a coin as `Assets` does."""
    return {
        "aclass": coin.aclass,
        "altname": coin.altname,
        "decimals": coin.decimals,
        "display_decimals": coin.display,
        "status": "enabled",
    }


def asset_pair(pair: Pair) -> dict[str, Json]:
    """Write a pair as `AssetPairs` does."""
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": pair.base.aclass,
        "base": pair.base.code,
        "aclass_quote": pair.quote.aclass,
        "quote": pair.quote.code,
        "lot": "unit",
        "cost_decimals": pair.cost_decimals,
        "pair_decimals": pair.price_decimals,
        "lot_decimals": pair.lot_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, number("0.4")], [10000, number("0.35")]],
        "fees_maker": [[0, number("0.25")], [10000, number("0.2")]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": pair.ordermin,
        "costmin": "0.5",
        "tick_size": text(1, pair.price_decimals),
        "status": "online",
    }


def ledger_row(row: Row) -> dict[str, Json]:
    """Write a row of the ledger."""
    return {
        "refid": row.refid,
        "time": seconds(row.time),
        "type": row.type,
        "subtype": row.subtype,
        "aclass": coins()[row.code].aclass,
        "asset": row.code,
        "amount": amount(row.code, row.amount),
        "fee": amount(row.code, row.fee),
        "balance": amount(row.code, row.balance),
    }


def trade(house: House, each: Trade, *, with_ledgers: bool) -> dict[str, Json]:
    """Write a trade; its fee is the venue's estimate in the quote."""
    pair = pairs()[each.pair]
    words = ["" if each.is_maker else "initiated", "closing" if each.position else ""]
    said: dict[str, Json] = {
        "ordertxid": each.order,
        "postxid": each.position or _NO_POSITION,
        "pair": each.pair,
        "aclass": "forex",
        "time": seconds(each.time),
        "type": "buy" if each.is_buy else "sell",
        "ordertype": each.ordertype,
        "price": at_least(each.price, pair.price_decimals),
        "cost": at_least(each.cost, pair.cost_decimals),
        "fee": at_least(each.fee, pair.cost_decimals),
        "vol": at_least(each.volume, pair.lot_decimals, 8),
        "margin": at_least(each.margin, pair.cost_decimals),
        "leverage": "2" if each.margin else "0",
        "misc": ",".join(filter(None, words)),
        "trade_id": each.number,
        "maker": each.is_maker,
    }
    if each.opens:
        said["posstatus"] = house.position_status(each)
    return said | {"ledgers": list(each.rows)} if with_ledgers else said


def position(opened: Trade) -> dict[str, Json]:
    """Write an open position, of which nothing is closed yet."""
    pair = pairs()[opened.pair]
    return {
        "ordertxid": opened.order,
        "posstatus": "open",
        "pair": opened.pair,
        "time": seconds(opened.time),
        "type": "buy" if opened.is_buy else "sell",
        "ordertype": opened.ordertype,
        "cost": at_least(opened.cost, pair.cost_decimals),
        "fee": at_least(opened.fee, pair.cost_decimals),
        "vol": at_least(opened.volume, pair.lot_decimals, 8),
        "vol_closed": at_least(0, pair.lot_decimals, 8),
        "margin": at_least(opened.margin, pair.cost_decimals),
        "terms": "0.0100% per 4 hours",
        "rollovertm": str(opened.time // SECOND + 14_400),
        "misc": "",
        "oflags": "",
    }


def order(house: House, each: Order, *, with_trades: bool) -> dict[str, Json]:
    """Write an order as it stands now; volumes of a `viqc` order are in the quote."""
    pair, done = pairs()[each.pair], house.filled(each)
    is_open = each.closed is None or each.closed > house.seen
    side, altname = "buy" if each.is_buy else "sell", pair.altname
    limit = text(each.price, pair.price_decimals)
    price = {"limit": limit, "take-profit": "+50.0000%"}.get(each.ordertype, "0")
    volume = at_least(each.volume, pair.lot_decimals, 8)
    executed = at_least(done.volume, pair.lot_decimals, 8)
    average = done.cost * ten(pair.lot_decimals) // done.volume if done.volume else 0
    if each.is_viqc:
        volume = executed = at_least(done.cost, pair.cost_decimals, 8)
    is_old = (each.opened // SECOND) % 2 == 0
    said: dict[str, Json] = {
        "refid": _OLD if is_old else None,
        "userref": each.userref if each.userref is not None else 0 if is_old else None,
        "status": "open" if is_open else each.status,
        "opentm": seconds(each.opened),
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": altname,
            "aclass": "forex",
            "type": side,
            "ordertype": each.ordertype,
            "price": price,
            "price2": "0",
            "leverage": "none",
            "order": f"{side} {volume} {altname} @ {each.ordertype} {price}",
            "close": "",
        },
        "vol": volume,
        "vol_exec": executed,
        "cost": at_least(done.cost, pair.cost_decimals),
        "fee": at_least(done.fee, pair.cost_decimals),
        "price": at_least(average, pair.cost_decimals),
        "stopprice": "0.00000",
        "limitprice": "0.00000",
        "misc": "",
        "oflags": "viqc,fciq" if each.is_viqc else "fciq",
    }
    if each.cl_ord_id is not None:
        said["cl_ord_id"] = each.cl_ord_id
    if with_trades:
        said["trades"] = [trade.id for trade in done.trades]
    if not is_open:
        said |= {"closetm": seconds(each.closed or 0), "reason": _reason(each)}
    return said


def passage(each: Passage) -> dict[str, Json]:
    """Write a deposit or a withdrawal as the funding endpoints do."""
    said: dict[str, Json] = {
        "method": "Bitcoin" if each.code == "XXBT" else "Wire",
        "aclass": "currency",
        "asset": coins()[each.code].altname,
        "refid": each.refid,
        "txid": None,
        "info": "",
        "amount": amount(each.code, each.amount),
        "fee": amount(each.code, each.fee),
        "time": each.time // SECOND,
        "status": each.status,
    }
    return said | {"status-prop": each.prop} if each.prop else said


def _reason(each: Order) -> Json:
    return {"canceled": "User requested", "expired": "Order expired"}.get(each.status)
