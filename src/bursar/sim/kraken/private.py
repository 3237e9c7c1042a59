"""The private endpoints: balances, orders, trades, ledger, funding, and what a key may do.

All only read. Histories come fifty a page, newest first, with the number of all that fit; a query
by id takes twenty ids, of orders fifty. `TradesHistory` merges the taker fills of one order unless
`consolidate_taker` says no.

Errors: `Refused` in the venue's own words.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from bursar.sim.kraken import wire
from bursar.sim.kraken.history import PAGE, History, Page, Window
from bursar.sim.kraken.house import House
from bursar.sim.kraken.keys import Key, Refused
from bursar.sim.kraken.listing import coded, text
from bursar.sim.kraken.market import SECOND
from bursar.sim.kraken.rows import Order, Row, Trade
from bursar.sim.kraken.wire import Json

IDS_MAX: Final = 20
ORDER_IDS_MAX: Final = 50
_TRUE: Final = frozenset({"true", "1", "yes"})
_TRADE_TYPES: Final[Mapping[str, Callable[[Trade], bool]]] = {
    "any position": lambda each: each.opens or bool(each.position),
    "closed position": lambda each: bool(each.position),
    "closing position": lambda each: bool(each.position),
    "no position": lambda each: not (each.opens or each.position),
}

Asked = dict[str, str]
_T = TypeVar("_T", Row, Trade, Order)


class Deed(NamedTuple):
    """A private endpoint: what it does, what a key needs for it (one of them), what it costs."""

    answer: Callable[[House, Key, Asked], Json]
    permission: str
    cost: int = 1


def balance(house: House, _: Key, __: Asked) -> Json:
    """Answer `Balance`."""
    return {code: wire.amount(code, amount) for code, amount in house.balances().items()}


def balance_ex(house: House, _: Key, __: Asked) -> Json:
    """Answer `BalanceEx`: balances, and what open orders hold of them."""
    holds = house.holds()
    return {
        code: {
            "balance": wire.amount(code, amount),
            "hold_trade": wire.amount(code, holds.get(code, 0)),
        }
        for code, amount in house.balances().items()
    }


def trade_balance(house: House, _: Key, asked: Asked) -> Json:
    """Answer `TradeBalance`, in the asset that is asked for."""
    coin = coded().get(asked.get("asset", "ZUSD"))
    if coin is None:
        raise Refused("EQuery:Unknown asset")
    worth = text(house.worth(house.balances(), coin.code), 4)
    nothing = dict.fromkeys(("m", "n", "c", "v"), "0.0000")
    return {"eb": worth, "tb": worth, **nothing, "e": worth, "mf": worth}


def open_orders(house: House, _: Key, asked: Asked) -> Json:
    """Answer `OpenOrders`."""
    found = [order for order in house.open_orders() if _is_asked(order, asked)]
    return {"open": _orders(house, found, asked)}


def open_positions(house: House, _: Key, __: Asked) -> Json:
    """Answer `OpenPositions`: each by the trade that opened it. What closes one closes it whole."""
    return {each.id: wire.position(each) for each in house.open_positions()}


def closed_orders(house: House, key: Key, asked: Asked) -> Json:
    """Answer `ClosedOrders`, by the time of the close, or of the opening where asked for."""
    name = f"{asked.get('userref', '')}/{asked.get('cl_ord_id', '')}"
    history = house.closed
    if asked.get("closetime") == "open":  # what is closed by now is not settled by when it opened
        past = history.visible(Window(-1, house.seen))
        history = History(sorted(past, key=_opened_at), _opened_at)

    def wanted(order: Order) -> bool:
        return _is_asked(order, asked)

    choice = ("", None) if name == "/" else (name, wanted)
    page = history.page(asked, house.window(key), choice)
    said: dict[str, Json] = {"closed": _orders(house, page.rows, asked)}
    return _counted(said, page.total, asked)


def query_orders(house: House, key: Key, asked: Asked) -> Json:
    """Answer `QueryOrders`."""
    found = _by_ids(house.opened, house, key, asked, ORDER_IDS_MAX)
    if found is None:
        raise Refused("EOrder:Unknown order")
    return _orders(house, found, asked)


def trades_history(house: House, key: Key, asked: Asked) -> Json:
    """Answer `TradesHistory`."""
    history = house.merged if _says(asked, "consolidate_taker", default=True) else house.trades
    kind = asked.get("type", "all") or "all"
    if kind != "all" and kind not in _TRADE_TYPES:
        raise Refused("EGeneral:Invalid arguments:type")
    wanted = ("", None) if kind == "all" else (kind, _TRADE_TYPES[kind])
    page: Page[Trade] = history.page(asked, house.window(key), wanted)
    return _counted({"trades": _trades(house, page.rows, asked)}, page.total, asked)


def query_trades(house: House, key: Key, asked: Asked) -> Json:
    """Answer `QueryTrades`."""
    found = _by_ids(house.trades, house, key, asked, IDS_MAX)
    if found is None:
        raise Refused("EGeneral:Invalid arguments")
    return _trades(house, found, asked)


def ledgers(house: House, key: Key, asked: Asked) -> Json:
    """Answer `Ledgers`, all or of some type, class or assets."""
    kind, names = asked.get("type", "all") or "all", asked.get("asset", "all") or "all"
    aclass = asked.get("aclass", "")
    codes = [coded()[name].code for name in names.split(",") if name in coded()]
    if names != "all" and len(codes) < len(names.split(",")):
        raise Refused("EQuery:Unknown asset")

    def wanted(row: Row) -> bool:
        return (
            (kind in ("all", row.type))
            and (names == "all" or row.code in codes)
            and (not aclass or coded()[row.code].aclass == aclass)
        )

    is_all = kind == "all" and names == "all" and not aclass
    choice = ("", None) if is_all else (f"{kind}/{names}/{aclass}", wanted)
    page: Page[Row] = house.ledger.page(asked, house.window(key), choice)
    return _counted(
        {"ledger": {row.id: wire.ledger_row(row) for row in page.rows}}, page.total, asked
    )


def query_ledgers(house: House, key: Key, asked: Asked) -> Json:
    """Answer `QueryLedgers`."""
    found = _by_ids(house.ledger, house, key, asked, IDS_MAX)
    if found is None:
        raise Refused("EGeneral:Invalid arguments")
    return {row.id: wire.ledger_row(row) for row in found}


def api_key_info(_: House, key: Key, __: Asked) -> Json:
    """Answer `GetApiKeyInfo`."""
    return {
        "api_key_name": "fake",
        "api_key": key.name,
        "nonce": str(key.nonce),
        "nonce_window": str(key.nonce_window),
        "permissions": list(key.permissions),
        "iban": "AA11 N84G ABCD EF2H",
        "valid_until": "0",
        "query_from": str(key.query_from // SECOND),
        "query_to": str(key.query_to // SECOND),
        "created_time": "1672617600",
        "modified_time": "1672617600",
        "ip_allowlist": [],
        "last_used": "1672617600",
    }


def websockets_token(house: House, key: Key, _: Asked) -> Json:
    """Answer `GetWebSocketsToken`; the token is good for the key that asked."""
    return {"token": token(house, key), "expires": 900}


def token(house: House, key: Key) -> str:
    """Return the token of a key for the private channels."""
    return f"token-{house.account.seed}-{key.name}"


def deposit_status(house: House, key: Key, asked: Asked) -> Json:
    """Answer `DepositStatus`."""
    return _passages(house, key, asked, is_deposit=True)


def withdraw_status(house: House, key: Key, asked: Asked) -> Json:
    """Answer `WithdrawStatus`."""
    return _passages(house, key, asked, is_deposit=False)


ENDPOINTS: Final[Mapping[str, Deed]] = {
    "Balance": Deed(balance, "query-funds"),
    "BalanceEx": Deed(balance_ex, "query-funds"),
    "TradeBalance": Deed(trade_balance, "query-funds"),
    "OpenOrders": Deed(open_orders, "query-open-trades"),
    "OpenPositions": Deed(open_positions, "query-open-trades"),
    "ClosedOrders": Deed(closed_orders, "query-closed-trades"),
    "QueryOrders": Deed(query_orders, "query-open-trades|query-closed-trades"),
    "TradesHistory": Deed(trades_history, "query-closed-trades", 2),
    "QueryTrades": Deed(query_trades, "query-closed-trades"),
    "Ledgers": Deed(ledgers, "query-ledger", 2),
    "QueryLedgers": Deed(query_ledgers, "query-ledger", 2),
    "GetApiKeyInfo": Deed(api_key_info, ""),
    "GetWebSocketsToken": Deed(websockets_token, "create-ws-token"),
    "DepositStatus": Deed(deposit_status, "query-funds"),
    "WithdrawStatus": Deed(withdraw_status, "query-funds"),
}


def _orders(house: House, found: Sequence[Order], asked: Asked) -> Mapping[str, Json]:
    with_trades = _says(asked, "trades")
    return {each.id: wire.order(house, each, with_trades=with_trades) for each in found}


def _opened_at(order: Order) -> int:
    return order.opened


def _passages(house: House, key: Key, asked: Asked, *, is_deposit: bool) -> Json:
    window = house.window(key)
    coin = coded().get(asked["asset"]) if asked.get("asset") else None
    found = [
        each
        for each in house.account.passages
        if each.is_deposit is is_deposit
        and window.after < each.time <= window.until
        and (coin is None or each.code == coin.code)
    ]
    return [wire.passage(each) for each in found[::-1][:PAGE]]


def _trades(house: House, rows: Sequence[Trade], asked: Asked) -> Mapping[str, Json]:
    with_ledgers = _says(asked, "ledgers")
    return {each.id: wire.trade(house, each, with_ledgers=with_ledgers) for each in rows}


def _says(asked: Asked, field: str, *, default: bool = False) -> bool:
    said = asked.get(field)
    return default if said is None else said.lower() in _TRUE


def _is_asked(order: Order, asked: Asked) -> bool:
    userref, client = asked.get("userref"), asked.get("cl_ord_id")
    return (not userref or str(order.userref) == userref) and (
        not client or order.cl_ord_id == client
    )


def _counted(said: dict[str, Json], count: int, asked: Asked) -> Json:
    return said if _says(asked, "without_count") else said | {"count": count}


def _by_ids(
    history: History[_T], house: House, key: Key, asked: Asked, most: int
) -> list[_T] | None:
    """Return the rows that are named, or None where one is not there."""
    names = [name for name in asked.get("id", asked.get("txid", "")).split(",") if name]
    if not 0 < len(names) <= most:
        raise Refused("EGeneral:Invalid arguments")
    window = house.window(key)
    found = [history.get(name.strip(), window) for name in names]
    there = [row for row in found if row is not None]
    return there if len(there) == len(found) else None
