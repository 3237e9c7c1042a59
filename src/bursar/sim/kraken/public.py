"""The public endpoints: the venue's time, what it lists, and what was traded.

Asked for `XBTEUR`, it answers for `XXBTZEUR`. The last row of `OHLC` is the candle that is still
open, and `last` names the one before. `Trades` are read on by the 19-digit id in `last`. A ticker
bears no time.

Errors: `Refused` for a pair, an asset, an interval or a count that there is none of.
"""

from datetime import UTC, datetime
from typing import Final

from bursar.sim.kraken import wire
from bursar.sim.kraken.history import nanoseconds
from bursar.sim.kraken.house import House
from bursar.sim.kraken.keys import Refused
from bursar.sim.kraken.listing import Pair, coded, coins, named, pairs, text
from bursar.sim.kraken.market import DAY, INTERVALS, MINUTE, SECOND, Candle, volume_text
from bursar.sim.kraken.wire import Json

CANDLES_MAX: Final = 720
TRADES_MAX: Final = 1000
_ID_LEAST: Final = 10**15  # a larger `since` is an id, a smaller one a unix time

Asked = dict[str, str]


def time(house: House, _: Asked) -> Json:
    """Answer `Time`: whole seconds."""
    now = house.now // SECOND
    said = datetime.fromtimestamp(now, UTC).strftime("%a, %d %b %y %H:%M:%S +0000")
    return {"unixtime": now, "rfc1123": said}


def system_status(house: House, _: Asked) -> Json:
    """Answer `SystemStatus`."""
    return {"status": "online", "timestamp": wire.iso(house.now)}


def assets(_: House, asked: Asked) -> Json:
    """Answer `Assets`: all of them, or those that are named."""
    names = _names(asked, "asset")
    chosen = [coded().get(name) for name in names] if names else list(coins().values())
    found = [coin for coin in chosen if coin is not None]
    if len(found) < len(chosen):
        raise Refused("EQuery:Unknown asset")
    return {coin.code: wire.asset(coin) for coin in found}


def asset_pairs(_: House, asked: Asked) -> Json:
    """Answer `AssetPairs`: all of them, or those that are named."""
    return {pair.key: wire.asset_pair(pair) for pair in _pairs(asked)}


def ticker(house: House, asked: Asked) -> Json:
    """Answer `Ticker` for some pairs, or for all."""
    return {pair.key: ticker_of(house, pair) for pair in _pairs(asked)}


def ticker_of(house: House, pair: Pair) -> dict[str, Json]:
    """Write what a pair trades at now: one tick either side of the last price."""
    now, market = house.now, house.market
    last = market.trade(pair, market.first_after(pair, now) - 1)
    price = market.price(pair, now)
    spans = (now // DAY * DAY, now - DAY)
    both = [market.candle(pair, start, now + 1) or _still(start, last.price) for start in spans]

    def shown(value: int) -> str:
        return wire.at_least(value, pair.price_decimals)

    return {
        "a": [shown(price + 1), "1", "1.000"],
        "b": [shown(max(price - 1, 1)), "1", "1.000"],
        "c": [shown(last.price), volume_text(pair, last.volume)],
        "v": [volume_text(pair, each.volume) for each in both],
        "p": [shown((each.high + each.low) // 2) for each in both],
        "t": [each.trades for each in both],
        "l": [shown(each.low) for each in both],
        "h": [shown(each.high) for each in both],
        "o": shown(both[0].open),
    }


def ohlc(house: House, asked: Asked) -> Json:
    """Answer `OHLC`: candles later than `since`, at most 720, the last of them still open."""
    pair, minutes = _one_pair(asked), asked.get("interval", "1")
    if minutes not in map(str, INTERVALS):
        raise Refused("EGeneral:Invalid arguments:interval")
    length = int(minutes) * MINUTE
    current = house.now // length * length
    since = nanoseconds(asked.get("since", "") or "0")
    if since is None:
        raise Refused("EGeneral:Invalid arguments:since")
    first = max(
        current - (CANDLES_MAX - 1) * length, (since // length + 1) * length if since else 0
    )
    rows = []
    for start in range(first, current + 1, length):
        candle = house.market.candle(pair, start, min(start + length, house.now + 1))
        if candle is not None:
            rows.append(_candle(pair, candle))
    return {pair.key: rows, "last": (current - length) // SECOND}


def trades(house: House, asked: Asked) -> Json:
    """Answer `Trades`: those after `since`, oldest first, or the newest thousand."""
    pair, market = _one_pair(asked), house.market
    said, count = asked.get("since", ""), asked.get("count", str(TRADES_MAX))
    if not count.isdigit() or not 1 <= int(count) <= TRADES_MAX:
        raise Refused("EGeneral:Invalid arguments:count")
    beyond = market.first_after(pair, house.now)
    first = max(beyond - int(count), 0)
    if said:
        first = market.first_after(pair, _since(said))
    found = [market.trade(pair, place) for place in range(first, min(first + int(count), beyond))]
    rows = [
        [
            wire.at_least(each.price, pair.price_decimals),
            volume_text(pair, each.volume),
            wire.seconds(each.time // 100 * 100),
            "b" if each.is_buy else "s",
            "m" if each.volume % 2 else "l",
            "",
            each.number,
        ]
        for each in found
    ]
    return {pair.key: rows, "last": str(found[-1].time) if found else said}


def _since(said: str) -> int:
    if said.isascii() and said.isdigit() and int(said) >= _ID_LEAST:
        return int(said)
    time = nanoseconds(said)
    if time is None:
        raise Refused("EGeneral:Invalid arguments:since")
    return time


def _candle(pair: Pair, candle: Candle) -> list[Json]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    mean = (candle.high + candle.low) // 2
    return [
        candle.time // SECOND,
        *(text(price, pair.price_decimals) for price in (*prices, mean)),
        volume_text(pair, candle.volume),
        candle.trades,
    ]


def _still(start: int, price: int) -> Candle:
    return Candle(start, price, price, price, price, 0, 0)


def _names(asked: Asked, field: str) -> list[str]:
    return [name for name in asked.get(field, "").split(",") if name]


def _pairs(asked: Asked) -> list[Pair]:
    names = _names(asked, "pair")
    if not names:
        return list(pairs().values())
    chosen = [named().get(name) for name in names]
    found = [pair for pair in chosen if pair is not None]
    if len(found) < len(chosen):
        raise Refused("EQuery:Unknown asset pair")
    return found


def _one_pair(asked: Asked) -> Pair:
    found = _pairs(asked) if asked.get("pair") else []
    if len(found) != 1:
        raise Refused("EGeneral:Invalid arguments" if not found else "EQuery:Unknown asset pair")
    return found[0]
