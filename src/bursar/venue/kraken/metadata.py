"""Kraken's markets as it lists them today: names, precision, minima, and whether they are open.

Names come from the venue's own `Assets` and `AssetPairs`, never from cutting letters. A market is
found under its key, its short name, its slashed name, or its two assets by any of their names. The
lists are kept for an hour.

Errors: as the client's; `VenueGarbled` where a market lacks what prices rest on.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import Precision
from bursar.ledger import instant
from bursar.venue.kraken.assets import KFEE, coin
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.pairs import Pair
from bursar.venue.kraken.wire import Object

KEPT_FOR: Final = instant.HOUR
_OPEN: Final = frozenset({"online", "post_only", "limit_only"})


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """A market; `cost_min` and `order_min` are absent where the venue states none."""

    key: str
    altname: str
    wsname: str | None
    pair: Pair
    precision: Precision
    status: str
    tick_size: Decimal | None = None
    order_min: Decimal | None = None
    cost_min: Decimal | None = None

    @property
    def is_open(self) -> bool:
        """Whether new prices are made there."""
        return self.status in _OPEN


class Markets:
    """All markets, asked for when they are first needed."""

    def __init__(self, client: KrakenRESTClient) -> None:
        self._client = client
        self._loaded_at: int | None = None
        self._markets: tuple[Market, ...] = ()
        self._names: dict[str, Market] = {}
        self._pairs: dict[Pair, Market] = {}

    async def every(self) -> tuple[Market, ...]:
        """Return all markets, by key."""
        await self._load()
        return self._markets

    async def named(self, name: str) -> Market | None:
        """Find a market under any of its names; `None` if there is none."""
        await self._load()
        base, slash, quote = name.partition("/")
        if slash:
            return self._pairs.get(Pair(coin(base).asset, coin(quote).asset))
        return self._names.get(name)

    async def between(self, base: str, quote: str) -> Market | None:
        """Find the open market of two assets that way round; `None` if there is none."""
        await self._load()
        found = self._pairs.get(Pair(coin(base).asset, coin(quote).asset))
        return found if found is not None and found.is_open else None

    async def _load(self) -> None:
        now = self._client.outside.clock.now()
        if self._loaded_at is not None and 0 <= now - self._loaded_at < KEPT_FOR:
            return
        assets = Object("Assets", await self._client.assets())
        pairs = Object("AssetPairs", await self._client.asset_pairs())
        names = {code: _short(code, said) for code, said in assets.items()}
        decimals = {code: said.whole("decimals") for code, said in assets.items()}
        found = [_market(key, said, names, decimals) for key, said in pairs.items()]
        self._markets = tuple(sorted(found, key=lambda market: market.key))
        # Of several markets of one pair, such as dark pools, the one that is listed openly counts.
        ranked = sorted(self._markets, key=lambda each: (each.wsname is not None, each.is_open))
        self._pairs = {market.pair: market for market in ranked}
        self._names = {f"{pair.base}{pair.quote}": each for pair, each in self._pairs.items()}
        for market in ranked:
            for name in (market.wsname, market.altname, market.key):
                if name is not None:
                    self._names[name] = market
        self._loaded_at = now


def _market(
    key: str, said: Object, names: Mapping[str, str], decimals: Mapping[str, int]
) -> Market:
    base, quote = said.text("base"), said.text("quote")
    price_decimals = said.whole("pair_decimals")
    cost_decimals = said.number_if_any("cost_decimals")
    return Market(
        key=key,
        altname=said.text("altname"),
        wsname=said.text_if_any("wsname") or None,
        pair=Pair(names.get(base) or coin(base).asset, names.get(quote) or coin(quote).asset),
        precision=Precision(
            price_decimals=price_decimals,
            volume_decimals=said.whole("lot_decimals"),
            cost_decimals=decimals.get(quote, price_decimals)
            if cost_decimals is None
            else int(cost_decimals),
        ),
        status=said.text_if_any("status") or "online",
        tick_size=said.number_if_any("tick_size"),
        order_min=said.number_if_any("ordermin"),
        cost_min=said.number_if_any("costmin"),
    )


def _short(code: str, said: Object) -> str:
    return KFEE if code == KFEE else coin(said.text("altname")).asset
