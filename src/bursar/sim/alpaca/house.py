"""What the fake Alpaca answers at a moment: an account as far as it has happened, and the market.

Each public function answers one path; amounts of the account are texts, market data JSON numbers,
as at the venue. With open orders, `cash` leaves out what they hold and `equity` does not; what
positions are worth is rounded to cents.

Errors: `Refused` with a status and the venue's own words.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec

from bursar.ports import Clock
from bursar.sim.alpaca.account import DOLLAR, Account, Row, name_of
from bursar.sim.alpaca.market import (
    COINS,
    HOUR,
    SECOND,
    STOCKS,
    UNIT,
    WHOLE_ONLY,
    price,
    text,
    times,
)

PAGE_MAX: Final = 100
Asked = Mapping[str, str]
Json = object
_CENT: Final = UNIT // 100
_CATEGORIES: Final = {"trade_activity": True, "non_trade_activity": False}


class Refused(Exception):
    """The venue says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class House:
    """The venue's own view of one account. Each page but the first repeats `overlap` rows."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self.overlap = 0

    @property
    def now(self) -> int:
        """The venue's clock."""
        return self.clock.now()

    def price(self, symbol: str, at: int | None = None) -> int:
        """Return what a symbol costs at an instant, else now, in units."""
        return price(self.account.seed, symbol, self.now if at is None else at)

    def holdings(self) -> dict[str, int]:
        """Return what is held of each asset, in units."""
        held = dict(self.account.extra)
        for row in self.account.rows:
            for asset, amount in row.moved(self.now):
                held[asset] = held.get(asset, 0) + amount
        return {asset: amount for asset, amount in held.items() if amount}

    def rows(self, category: str) -> list[Row]:
        """Return what activities tell by now, in the order of their ids."""
        told = [
            row
            for row in self.account.rows
            if row.posted <= self.now and row.id not in self.account.hidden
        ]
        if category:
            told = [row for row in told if row.is_trade is _CATEGORIES[category]]
        return sorted(told, key=lambda row: row.id)


def account(house: House, _: Asked) -> Json:
    """Answer `account`."""
    held = house.holdings()
    cash = held.pop(DOLLAR, 0)
    worth = _rounded(sum(times_rounded(units, _worth(house, each)) for each, units in held.items()))
    holds = sum(times(each.quantity, each.price) for each in house.account.orders if each.is_buy)
    equity = text(_rounded(cash + worth))
    nothing = dict.fromkeys(
        ("accrued_fees", "initial_margin", "last_maintenance_margin", "maintenance_margin", "sma"),
        "0",
    )
    flags = ("account_blocked", "trade_suspended_by_user", "trading_blocked", "transfers_blocked")
    power = ("buying_power", "regt_buying_power", "non_marginable_buying_power")
    return {
        "id": _id("account", str(house.account.seed)),
        "account_number": f"PA{house.account.seed:010d}",
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": DOLLAR,
        "cash": text(cash - holds),
        "portfolio_value": equity,
        "equity": equity,
        "last_equity": equity,
        "long_market_value": text(worth),
        "short_market_value": "0",
        "multiplier": "1",
        "shorting_enabled": False,
        "created_at": "2025-01-02T00:00:00.123456Z",
        **dict.fromkeys(power, text(cash - holds)),
        **dict.fromkeys(flags, False),
        **nothing,
    }


def positions(house: House, _: Asked) -> Json:
    """Answer `positions`: what is held but cash, coins without a slash in their names."""
    sold = {each.symbol: each.quantity for each in house.account.orders if not each.is_buy}
    held = sorted(house.holdings().items())
    return [_position(house, *each, sold.get(each[0], 0)) for each in held if each[0] != DOLLAR]


def orders(house: House, _: Asked) -> Json:
    """Answer `orders`: those that are open."""
    return [
        {
            "id": each.id,
            "client_order_id": each.id,
            "created_at": "2025-01-02T00:00:00Z",
            "updated_at": "2025-01-02T00:00:00Z",
            "submitted_at": "2025-01-02T00:00:00Z",
            "asset_id": _id("asset", each.symbol),
            "symbol": each.symbol,
            "asset_class": "us_equity",
            "notional": None,
            "qty": text(each.quantity),
            "filled_qty": "0",
            "filled_avg_price": None,
            "order_class": "",
            "order_type": "limit",
            "type": "limit",
            "side": "buy" if each.is_buy else "sell",
            "time_in_force": "gtc",
            "limit_price": text(each.price),
            "stop_price": None,
            "status": "new",
            "extended_hours": False,
            "legs": None,
        }
        for each in house.account.orders
    ]


def activities(house: House, asked: Asked) -> Json:
    """Answer `account/activities`, a page of them by id."""
    category, types = asked.get("category", ""), asked.get("activity_types", "")
    if category not in {"", *_CATEGORIES} or (category and types):
        raise Refused(422, "category and activity_types cannot be used together")
    rows = house.rows(category)
    after = asked.get("after")
    if after:
        start = _instant(after)
        rows = [row for row in rows if row.at > start]
    if types:
        rows = [row for row in rows if row.told["activity_type"] in types.split(",")]
    size = int(asked.get("page_size", PAGE_MAX))
    if not 0 < size <= PAGE_MAX:
        raise Refused(422, "page_size is invalid")
    if asked.get("direction", "desc") != "asc":
        rows.reverse()
    first = _after(rows, asked.get("page_token", ""))
    first = max(first - house.overlap, 0) if first else 0
    return [row.said(house.now) for row in rows[first : first + size]]


def assets(_: House, asked: Asked) -> Json:
    """Answer `assets` of a class."""
    kind = asked.get("asset_class", "us_equity")
    return [_asset(symbol) for symbol in (COINS if kind == "crypto" else STOCKS)]


def asset(symbol: str) -> Json:
    """Answer `assets/SYMBOL`."""
    if symbol not in {*COINS, *STOCKS}:
        raise Refused(404, f"asset not found for {symbol}")
    return _asset(symbol)


def clock(house: House, _: Asked) -> Json:
    """Answer `clock`, in New York's time."""
    stamp = f"{_moment(house.now - 5 * HOUR):%Y-%m-%dT%H:%M:%S}-05:00"
    return {"timestamp": stamp, "is_open": True, "next_open": stamp, "next_close": stamp}


def latest_trades(house: House, asked: Asked) -> Json:
    """Answer the latest trade of each symbol that is known."""
    return {"trades": {name: _trade(house, name, house.now) for name in _known(asked)}}


def latest_quotes(house: House, asked: Asked) -> Json:
    """Answer the latest quote of each symbol that is known: a ten-thousandth around the price."""
    return {"quotes": {name: _quote(house, name) for name in _known(asked)}}


def past_trades(house: House, asked: Asked) -> Json:
    """Answer trades between two instants: one at the begin of each hour."""
    start, end = _instant(asked["start"]), min(_instant(asked["end"]), house.now)
    hours = range(-(-start // HOUR), end // HOUR + 1)
    found = list(hours) if asked.get("sort") != "desc" else list(hours)[::-1]
    limit = int(asked.get("limit", 1_000))
    told = {
        name: [_trade(house, name, hour * HOUR) for hour in found[:limit]] for name in _known(asked)
    }
    return {"trades": told, "next_page_token": None}


PATHS: Final[Mapping[str, Callable[[House, Asked], Json]]] = {
    "/v2/account": account,
    "/v2/positions": positions,
    "/v2/orders": orders,
    "/v2/account/activities": activities,
    "/v2/assets": assets,
    "/v2/clock": clock,
    "/v2/stocks/trades/latest": latest_trades,
    "/v2/stocks/quotes/latest": latest_quotes,
    "/v2/stocks/trades": past_trades,
    "/v1beta3/crypto/us/latest/trades": latest_trades,
    "/v1beta3/crypto/us/latest/quotes": latest_quotes,
    "/v1beta3/crypto/us/trades": past_trades,
}


def times_rounded(units: int, value: int) -> int:
    """Return a quantity times a price, to the unit below."""
    return units * value // UNIT


def _after(rows: Sequence[Row], token: str) -> int:
    """Return the place behind a row; behind all of them for one that is not there."""
    if not token:
        return 0
    return next((place for place, row in enumerate(rows, 1) if row.id == token), len(rows))


def _position(house: House, name: str, units: int, sold: int) -> Json:
    is_coin = name not in STOCKS
    value = _worth(house, name)
    worth = text(times_rounded(units, value))
    numbers = ("unrealized_pl", "unrealized_plpc", "unrealized_intraday_pl", "change_today")
    return {
        "asset_id": _id("asset", name),
        "symbol": f"{name}USD" if is_coin else name,
        "exchange": "CRYPTO" if is_coin else "NASDAQ",
        "asset_class": "crypto" if is_coin else "us_equity",
        "asset_marginable": not is_coin,
        "qty": text(units),
        "qty_available": text(units - sold),
        "avg_entry_price": text(value),
        "side": "long",
        "market_value": worth,
        "cost_basis": worth,
        **dict.fromkeys((*numbers, "unrealized_intraday_plpc"), "0"),
        "current_price": text(value),
        "lastday_price": text(value),
    }


def _asset(symbol: str) -> Json:
    is_coin = symbol in COINS
    said: dict[str, Json] = {
        "id": _id("asset", symbol.partition("/")[0]),
        "class": "crypto" if is_coin else "us_equity",
        "exchange": "CRYPTO" if is_coin else "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": not is_coin,
        "shortable": False,
        "easy_to_borrow": False,
        "fractionable": symbol not in WHOLE_ONLY,
        "attributes": [],
    }
    if is_coin:
        said |= {"min_order_size": "0.000000001", "min_trade_increment": "0.000000001"}
    return said


def _worth(house: House, name: str) -> int:
    return house.price(name if name in STOCKS else f"{name}/USD")


def _trade(house: House, symbol: str, at: int) -> Json:
    said = {"t": _stamp(at), "p": _number(house.price(symbol, at)), "s": _number(UNIT), "i": at}
    return said | ({"tks": "B"} if symbol in COINS else {"x": "V", "c": ["@"], "z": "C"})


def _quote(house: House, symbol: str) -> Json:
    value = house.price(symbol)
    off = UNIT // 10_000
    sides = {"bp": _number(value - off), "ap": _number(value + off)}
    sizes = {"bs": _number(UNIT), "as": _number(UNIT)}
    said = {"t": _stamp(house.now), **sides, **sizes}
    return said if symbol in COINS else said | {"bx": "V", "ax": "V", "c": ["R"], "z": "C"}


def _known(asked: Asked) -> list[str]:
    names = asked.get("symbols", "").split(",")
    for name in names:
        if not name.replace(".", "").replace("/", "").isalnum():
            raise Refused(400, f"invalid symbol: {name}")
    return [name for name in names if name in COINS or name in STOCKS]


def _number(units: int) -> msgspec.Raw:
    return msgspec.Raw(text(units).encode())


def _rounded(units: int) -> int:
    return (units + _CENT // 2) // _CENT * _CENT


def _id(kind: str, name: str) -> str:
    return name_of(sha256(f"{kind}/{name}".encode()).hexdigest()[:32])


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC)


def _stamp(at: int) -> str:
    return f"{_moment(at):%Y-%m-%dT%H:%M:%S}.{at % SECOND:09d}Z"


def _instant(said: str) -> int:
    """Read a time with up to nine decimals, or a day."""
    whole, _, part = said.removesuffix("Z").partition(".")
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        raise Refused(422, f"{said} is no time") from None
    digits = part.split("+")[0]
    return int(moment.replace(tzinfo=UTC).timestamp()) * SECOND + int(digits.ljust(9, "0")[:9] or 0)
