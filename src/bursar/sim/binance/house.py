"""What the fake Binance answers at a moment: an account as far as it has happened, and the market.

Each public function answers one path. Lists are told as the venue does: at most so many rows of at
most so many days, newest first, in the wrapping of each.

Errors: `Refused` with a status, and the venue's own code and words.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from bursar.ports import Clock
from bursar.sim.binance import account as told
from bursar.sim.binance.account import (
    EARN,
    FUNDING,
    FUTURES,
    FUTURES_TRADES,
    INCOME,
    MS,
    SPOT,
    TRADES,
    Account,
    Row,
)
from bursar.sim.binance.market import CLOSED, DAY, HOUR, MARKETS, UNIT, price, text

Asked = Mapping[str, str]
Json = object


class Refused(Exception):
    """The venue says no."""

    def __init__(self, status: int, code: int, message: str, *, wait_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.wait_s = wait_s


class House:
    """The venue's own view of one account."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self.account = account
        self.clock = clock

    @property
    def now(self) -> int:
        """The venue's clock."""
        return self.clock.now()

    def rows(self, path: str) -> list[Row]:
        """Return what stands in a list by now."""
        return [
            row
            for row in self.account.rows
            if row.path == path and row.at <= self.now and row.id not in self.account.hidden
        ]

    def wallets(self) -> dict[tuple[str, str], int]:
        """Return what lies in each wallet of each asset, in units."""
        held = {(SPOT, asset): units for asset, units in self.account.extra.items()}
        for row in self.account.rows:
            is_done = max(row.at, row.settled) <= self.now
            moves = row.moves if is_done else row.takes if row.at <= self.now else ()
            for wallet, asset, units in moves:
                held[wallet, asset] = held.get((wallet, asset), 0) + units
        return {place: units for place, units in held.items() if units}

    def price(self, symbol: str, at: int | None = None) -> int:
        """Return what a market costs at an instant, else now, in units."""
        return price(self.account.seed, symbol, self.now if at is None else at)


def time(house: House, _: Asked) -> Json:
    """Answer `time`."""
    return {"serverTime": house.now // MS}


def exchange_info(_: House, asked: Asked) -> Json:
    """Answer `exchangeInfo`, of the markets in a state."""
    state = asked.get("symbolStatus")
    names = json.loads(asked["symbols"]) if "symbols" in asked else sorted(MARKETS)
    symbols = [_market(name) for name in names]
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
    return {
        "timezone": "UTC",
        "serverTime": 0,
        "rateLimits": [{**limit, "limit": 6_000}],
        "exchangeFilters": [],
        "symbols": [each for each in symbols if state in (None, each["status"])],
    }


def account(house: House, _: Asked) -> Json:
    """Answer `account`: the spot wallet, with receipts of what lies in Simple Earn."""
    stated = house.account.stated
    if stated is not None:
        return stated
    found = []
    for (wallet, asset), units in sorted(house.wallets().items()):
        if wallet == SPOT:
            held = house.account.orders.get(asset, 0)
            found.append({"asset": asset, "free": text(units - held), "locked": text(held)})
        elif wallet == EARN:
            found.append({"asset": f"LD{asset}", "free": text(units), "locked": text(0)})
    rates = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00100000")
    names = ("makerCommission", "takerCommission", "buyerCommission", "sellerCommission")
    return {
        **dict.fromkeys(names, 10),
        "commissionRates": rates,
        **dict.fromkeys(("canTrade", "canDeposit"), True),
        **dict.fromkeys(("canWithdraw", "brokered", "requireSelfTradePrevention"), False),
        "preventSor": False,
        "updateTime": house.now // MS,
        "accountType": "SPOT",
        "balances": found,
        "permissions": ["SPOT"],
        "uid": 354_937_868,
    }


def funding_wallet(house: House, _: Asked) -> Json:
    """Answer `get-funding-asset`."""
    nothing = dict.fromkeys(("locked", "freeze", "withdrawing", "btcValuation"), "0")
    return [
        {"asset": asset, "free": text(units), **nothing}
        for (wallet, asset), units in sorted(house.wallets().items())
        if wallet == FUNDING
    ]


def flexible(house: House, asked: Asked) -> Json:
    """Answer the positions in flexible products."""
    rows = [
        {"asset": asset, "totalAmount": text(units), "productId": f"{asset}001", "canRedeem": True}
        for (wallet, asset), units in sorted(house.wallets().items())
        if wallet == EARN
    ]
    return _wrapped("rows", rows if asked.get("current", "1") == "1" else [])


def locked(_: House, __: Asked) -> Json:
    """Answer the positions in locked products: none."""
    return _wrapped("rows", [])


def rights(house: House, _: Asked) -> Json:
    """Answer what the key may do: look, unless the account says otherwise."""
    names = (
        "enableWithdrawals",
        "enableInternalTransfer",
        "permitsUniversalTransfer",
        "enableSpotAndMarginTrading",
        "enableFutures",
        "enableMargin",
        "enableVanillaOptions",
        "enablePortfolioMarginTrading",
    )
    given = house.account.rights
    said = {name: name in given for name in names}
    return {"ipRestrict": False, "createTime": 0, "enableReading": True, **said}


def trades(house: House, asked: Asked) -> Json:
    """Answer `myTrades` of a market: from a number on, or the newest."""
    symbol = asked.get("symbol", "")
    if symbol not in MARKETS and not any(row.symbol == symbol for row in house.account.rows):
        raise Refused(400, -1121, "Invalid symbol.")
    limit = _limit(asked, 500, 1_000)
    rows = [row.told for row in house.rows(TRADES) if row.symbol == symbol]
    rows.sort(key=_number)
    start, end = (int(asked[name]) if name in asked else None for name in ("startTime", "endTime"))
    if start is not None and end is not None and (end - start) * MS > DAY:
        raise Refused(400, -1127, "More than 24 hours between startTime and endTime.")
    if "fromId" in asked:
        first = int(asked["fromId"])
        return [row for row in rows if _number(row) >= first][:limit]
    rows = [row for row in rows if _is_within(row["time"], start, end)]
    return rows[:limit] if start is not None else rows[-limit:]


def futures_account(house: House, _: Asked) -> Json:
    """Answer the futures wallet: what positions would bring is outside its balance."""
    stated = house.account.stated_futures
    if stated is not None:
        return stated
    found = [
        {"asset": asset, "walletBalance": text(units), "unrealizedProfit": "1.00000000"}
        for (wallet, asset), units in sorted(house.wallets().items())
        if wallet == FUTURES
    ]
    return {"totalWalletBalance": "0", "assets": found, "positions": []}


def positions(house: House, _: Asked) -> Json:
    """Answer the open positions, long and short apart in hedge mode."""
    if house.account.stated_positions is not None:
        return house.account.stated_positions
    held: dict[tuple[str, str], int] = {}
    for row in house.rows(FUTURES_TRADES):
        place = row.symbol, str(row.told["positionSide"])
        units = _units(row.told["qty"])
        held[place] = held.get(place, 0) + (units if row.told["side"] == "BUY" else -units)
    return [
        {
            "symbol": symbol,
            "positionSide": side,
            "positionAmt": text(units),
            "entryPrice": "1",
            "markPrice": text(house.price(symbol)),
            "unRealizedProfit": "0",
            "marginAsset": "USDT",
        }
        for (symbol, side), units in sorted(held.items())
        if units
    ]


def leverages(_: House, __: Asked) -> Json:
    """Answer what leverage is set for each market."""
    return [
        {"symbol": name, "marginType": "CROSSED", "isAutoAddMargin": "false", "leverage": 21}
        for name in sorted(MARKETS)
    ]


def futures_trades(house: House, asked: Asked) -> Json:
    """Answer `userTrades` of a market: those of six months, from a number on, or the newest."""
    first, limit = int(asked.get("fromId", "0")), _limit(asked, 500, 1_000)
    rows = [
        row.told
        for row in house.rows(FUTURES_TRADES)
        if row.symbol == asked.get("symbol") and row.at > house.now - 180 * DAY
    ]
    rows.sort(key=_number)
    if "fromId" in asked:
        return [row for row in rows if _number(row) >= first][:limit]
    return rows[-limit:]


def income(house: House, asked: Asked) -> Json:
    """Answer `income`: of three months, oldest first."""
    start, end = int(asked.get("startTime", "0")), int(asked.get("endTime", str(house.now // MS)))
    found = [
        row.told
        for row in house.rows(INCOME)
        if start * MS <= row.at < (end + 1) * MS and row.at > house.now - 90 * DAY
    ]
    return found[: _limit(asked, 100, 1_000)]


def open_orders(_: House, __: Asked) -> Json:
    """Answer `openOrders`: nothing that anybody asks about."""
    return []


def book_tickers(house: House, asked: Asked) -> Json:
    """Answer best bid and best ask of all markets, or of one."""
    found = [
        _ticker(house, name) for name in sorted(MARKETS) if asked.get("symbol") in (None, name)
    ]
    return found[0] if "symbol" in asked else found


def prices(house: House, asked: Asked) -> Json:
    """Answer the last price of all markets, or of one."""
    found = [
        {"symbol": name, "price": text(house.price(name))}
        for name in sorted(MARKETS)
        if asked.get("symbol") in (None, name)
    ]
    return found[0] if "symbol" in asked else found


def public_trades(house: House, asked: Asked) -> Json:
    """Answer `aggTrades` of a market: one at the begin of each minute."""
    start, end = int(asked["startTime"]) * MS, min(int(asked["endTime"]) * MS, house.now)
    if end - start > HOUR:
        raise Refused(400, -1127, "More than 1 hour between startTime and endTime.")
    minute = HOUR // 60
    minutes = range(-(-start // minute), end // minute + 1)
    return [
        {
            "a": at,
            "p": text(house.price(asked["symbol"], at * minute)),
            "q": "1.00000000",
            "f": at,
            "l": at,
            "T": at * minute // MS,
            "m": False,
            "M": True,
        }
        for at in list(minutes)[: _limit(asked, 500, 1_000)]
    ]


class _List(msgspec.Struct, frozen=True):
    """How a list is told: in which field, at most how many rows by default and at all, of days."""

    field: str = "rows"
    usual: int = 10
    most: int = 100
    size: str = "size"
    days: int = 180
    time: str = "time"


LISTS: Final[Mapping[str, _List]] = {
    told.DEPOSITS: _List("", 1_000, 1_000, "limit", 90, "insertTime"),
    told.WITHDRAWALS: _List("", 1_000, 1_000, "limit", 90, "applyTime"),
    told.CONVERSIONS: _List("list", 100, 1_000, "limit", 30, "createTime"),
    told.DUST: _List("userAssetDribblets", 100, 100, "", 10_000, "operateTime"),
    told.DIVIDENDS: _List("rows", 20, 500, "limit", 180, "divTime"),
    told.TRANSFERS: _List(time="timestamp"),
    **{
        f"{root}/{kind}Record": _List(days=89)  # three months, as short as they get
        for root in (told.FLEXIBLE, told.LOCKED)
        for kind in ("subscription", "redemption", "rewards")
    },
}


def listed(house: House, path: str, asked: Asked) -> Json:
    """Answer one of the lists, newest first."""
    how = LISTS[path]
    start, end = int(asked.get("startTime", "0")), int(asked.get("endTime", str(house.now // MS)))
    if (end - start) * MS > how.days * DAY:
        raise Refused(400, -4047, f"Time interval must be within 0-{how.days} days")
    if path == told.TRANSFERS and start * MS < house.now - 190 * DAY:
        raise Refused(400, -9000, "Only the last 6 months can be queried")
    found = [row for row in house.rows(path) if start * MS <= row.at < (end + 1) * MS]
    if "type" in asked and path == told.TRANSFERS:
        found = [row for row in found if row.told["type"] == asked["type"]]
    size = _limit(asked, how.usual, how.most, how.size)
    page = int(asked.get("current", "1")) - 1
    skipped = page * size + int(asked.get("offset", "0"))
    rows = [_said(house, row) for row in reversed(found)][skipped : skipped + size]
    return _wrapped(how.field, rows, len(found)) if how.field else rows


PATHS: Final[Mapping[str, Callable[[House, Asked], Json]]] = {
    "/api/v3/time": time,
    "/api/v3/exchangeInfo": exchange_info,
    "/api/v3/account": account,
    TRADES: trades,
    "/api/v3/openOrders": open_orders,
    "/api/v3/ticker/bookTicker": book_tickers,
    "/api/v3/ticker/price": prices,
    "/api/v3/aggTrades": public_trades,
    "/sapi/v1/asset/get-funding-asset": funding_wallet,
    "/sapi/v1/simple-earn/flexible/position": flexible,
    "/sapi/v1/simple-earn/locked/position": locked,
    "/sapi/v1/account/apiRestrictions": rights,
    "/fapi/v3/account": futures_account,
    "/fapi/v3/positionRisk": positions,
    "/fapi/v1/symbolConfig": leverages,
    FUTURES_TRADES: futures_trades,
    INCOME: income,
}


def _said(house: House, row: Row) -> Mapping[str, object]:
    return {**row.told, **row.before} if house.now < row.settled else row.told


def _wrapped(field: str, rows: Sequence[object], total: int | None = None) -> dict[str, object]:
    return {"total": len(rows) if total is None else total, field: list(rows)}


def _limit(asked: Asked, usual: int, most: int, name: str = "limit") -> int:
    limit = int(asked.get(name, str(usual)))
    if not 0 < limit <= most:
        raise Refused(400, -1130, f"Data sent for parameter '{name}' is not valid.")
    return limit


def _number(row: Mapping[str, object]) -> int:
    number = row["id"]
    assert isinstance(number, int)
    return number


def _units(said: object) -> int:
    return int(str(said).replace(".", ""))


def _is_within(at: object, start: int | None, end: int | None) -> bool:
    assert isinstance(at, int)
    return (start is None or start <= at) and (end is None or at <= end)


def _market(name: str) -> dict[str, object]:
    if name not in MARKETS:
        raise Refused(400, -1121, "Invalid symbol.")
    base, quote, _ = MARKETS[name]
    filters = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "0.0001",
            "maxPrice": "1000000",
            "tickSize": "0.0001",
        },
        {"filterType": "LOT_SIZE", "minQty": "0.0001", "maxQty": "9000", "stepSize": "0.0001"},
        {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000"},
    ]
    precisions = ("baseAssetPrecision", "quotePrecision", "quoteAssetPrecision")
    more = ("baseCommissionPrecision", "quoteCommissionPrecision")
    flags = ("icebergAllowed", "ocoAllowed", "isSpotTradingAllowed")
    return {
        "symbol": name,
        "status": "BREAK" if name in CLOSED else "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        **dict.fromkeys((*precisions, *more), 8),
        "orderTypes": ["LIMIT", "MARKET"],
        **dict.fromkeys(flags, True),
        "isMarginTradingAllowed": False,
        "filters": filters,
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def _ticker(house: House, name: str) -> dict[str, object]:
    """Return a hundredth of a percent around the price; nothing of a market that is closed."""
    if name in CLOSED:
        sides = {"bidPrice": text(0), "askPrice": text(0)}
    else:
        value, off = house.price(name), UNIT // 10_000
        sides = {"bidPrice": text(value - off), "askPrice": text(value + off)}
    return {"symbol": name, **sides, "bidQty": "1.0", "askQty": "1.0"}
