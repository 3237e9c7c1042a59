"""Kraken's REST interface: what is asked of it, exactly one private request at a time.

Rules
- Only questions are asked; no order, no transfer, nothing that changes an account.
- A private request takes its nonce and is sent inside one lock (`nonce`), after the rate counter
  has room for it (`pace`).
- A refused nonce is tried once more, within the same lock. After that, or after a refused key or
  signature, the client asks nothing private again: more wrong requests would lock the account.
- Warnings do not hide a result; they are kept in `notices`, as are the waits the venue imposed.

Errors: as `http` and `answers`; `BadChoice` for a private question without keys.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bursar.errors import BadChoice, BursarError, VenueBusy, VenueDenied, VenueGarbled
from bursar.ledger import instant
from bursar.venue.http import Answer, HTTPClient, Outside
from bursar.venue.kraken.answers import INVALID_NONCE, NAME, opened
from bursar.venue.kraken.nonce import Nonce, Nonces
from bursar.venue.kraken.pace import Tier, cost
from bursar.venue.kraken.signing import Keys
from bursar.venue.notices import NOTICES_MAX, Notice
from bursar.venue.pace import Counter

URL: Final = "https://api.kraken.com"
IDS_MAX: Final = 20
_FATAL: Final = ("EAPI:Invalid key", "EAPI:Invalid signature", INVALID_NONCE)
Fields = Mapping[str, str | int | None]
Result = dict[str, object]
_NONE: Final[Fields] = {}


class KrakenRESTClient:
    """Asks Kraken. It belongs to one event loop; `close` it there.

    `state` is the directory in which the nonces of a key are remembered; it is needed with `keys`.
    `notices` holds the last hundred; each is told to `on_notice` too, if that is set.
    """

    def __init__(
        self,
        outside: Outside,
        keys: Keys | None = None,
        *,
        state: Path | None = None,
        url: str = URL,
        tier: Tier = Tier.STARTER,
    ) -> None:
        if keys is not None and state is None:
            raise BadChoice("keys need a directory in which their nonces are remembered")
        self.outside = outside
        self.notices: deque[Notice] = deque(maxlen=NOTICES_MAX)
        self.on_notice: Callable[[Notice], None] | None = None
        self.requests = 0
        self._http = HTTPClient(NAME, url, outside)
        self._keys = keys
        self._nonces = (
            None if keys is None or state is None else Nonces(state, keys.name, outside.clock)
        )
        self._counter = Counter(tier.value, outside.clock, outside.pause)
        self._lock = asyncio.Lock()
        self._stopped: BursarError | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def now(self) -> int:
        """Return the time at the venue, as its last answer tells it."""
        return self._http.now()

    async def time(self) -> int:
        """Return the venue's time, in whole seconds of an instant."""
        seconds = (await self.public("Time")).get("unixtime")
        if not isinstance(seconds, int) or isinstance(seconds, bool):
            raise VenueGarbled(f"{NAME}'s time is no whole number of seconds")
        return seconds * instant.SECOND

    async def system_status(self) -> Result:
        """Return whether the venue is in service: `status`, `timestamp`."""
        return await self.public("SystemStatus")

    async def assets(self) -> Result:
        """Return every asset by its code."""
        return await self.public("Assets")

    async def asset_pairs(self) -> Result:
        """Return every market by its key."""
        return await self.public("AssetPairs")

    async def ticker(self, pairs: Collection[str]) -> Result:
        """Return bid, ask and last of markets, in one request."""
        return await self.public("Ticker", {"pair": ",".join(pairs)})

    async def ohlc(self, pair: str, minutes: int, since: int | None = None) -> Result:
        """Return up to 720 candles, the last of them not closed. `since` is in unix seconds."""
        return await self.public("OHLC", {"pair": pair, "interval": minutes, "since": since})

    async def trades(self, pair: str, since: int, count: int) -> Result:
        """Return public trades after an instant."""
        return await self.public("Trades", {"pair": pair, "since": since, "count": count})

    async def balance(self) -> Result:
        """Return what lies under each code."""
        return await self.private("Balance")

    async def balance_ex(self) -> Result:
        """Return what lies under each code, and how much of it is on hold."""
        return await self.private("BalanceEx")

    async def trade_balance(self, asset: str) -> Result:
        """Return equity and margin figures in an asset."""
        return await self.private("TradeBalance", {"asset": asset})

    async def open_orders(self) -> Result:
        """Return open orders, each with the ids of its trades."""
        return await self.private("OpenOrders", {"trades": "true"})

    async def open_positions(self) -> Result:
        """Return what is open on margin, each position by the trade that opened it."""
        return await self.private("OpenPositions", {})

    async def closed_orders(self, start: int | None, end: int | None, ofs: int) -> Result:
        """Return a page of closed orders by closing time, each with the ids of its trades."""
        window = {"start": start, "end": end, "ofs": ofs, "closetime": "close"}
        return await self.private("ClosedOrders", {"trades": "true", **window})

    async def trades_history(self, start: int | None, end: int | None, ofs: int) -> Result:
        """Return a page of executions, each its own, with the ids of its ledger rows."""
        window = {"start": start, "end": end, "ofs": ofs}
        asked = {"consolidate_taker": "false", "ledgers": "true"}
        return await self.private("TradesHistory", {**asked, **window})

    async def ledgers(self, start: int | None, end: int | None, ofs: int) -> Result:
        """Return a page of the ledger. Unix seconds: `start` is exclusive, `end` inclusive."""
        return await self.private("Ledgers", {"start": start, "end": end, "ofs": ofs})

    async def query_ledgers(self, ids: Collection[str]) -> Result:
        """Return up to 20 ledger rows by their ids."""
        return await self.private("QueryLedgers", {"id": _joined(ids)})

    async def query_trades(self, ids: Collection[str]) -> Result:
        """Return up to 20 executions by their ids."""
        asked = {"consolidate_taker": "false", "ledgers": "true"}
        return await self.private("QueryTrades", {"txid": _joined(ids), **asked})

    async def api_key_info(self) -> Result:
        """Return what the key may do, and how far back it sees."""
        return await self.private("GetApiKeyInfo")

    async def websockets_token(self) -> str:
        """Return a token for the private WebSocket, good for a quarter of an hour."""
        token = (await self.private("GetWebSocketsToken")).get("token")
        if not isinstance(token, str) or not token:
            raise VenueGarbled(f"{NAME}'s answer to GetWebSocketsToken has no token")
        return token

    async def public(self, endpoint: str, fields: Fields = _NONE) -> Result:
        """Ask a public question."""
        query = urlencode(_stated(fields))
        path = f"/0/public/{endpoint}" + (f"?{query}" if query else "")

        async def once() -> Result:
            self.requests += 1
            answer = await self._http.send("GET", path)
            return self._result(endpoint, answer)

        return await self._http.persist(once)

    async def private(self, endpoint: str, fields: Fields = _NONE) -> Result:
        """Ask a private question."""
        if self._keys is None or self._nonces is None:
            raise BadChoice(f"{endpoint} needs an API key")
        async with self._lock:
            return await self._http.persist(lambda: self._in_turn(endpoint, fields))

    async def _in_turn(self, endpoint: str, fields: Fields) -> Result:
        assert self._nonces is not None, "asked for before"
        if self._stopped is not None:
            raise self._stopped
        await self._counter.pay(cost(endpoint))
        try:
            async with self._nonces.turn() as nonce:
                try:
                    return await self._once(endpoint, fields, nonce)
                except VenueDenied as error:
                    if error.context.get("said") != INVALID_NONCE:
                        raise
                await self._counter.pay(cost(endpoint))
                return await self._once(endpoint, fields, nonce)
        except VenueBusy as error:
            self.note(endpoint, error.message)
            if error.context.get("said") == "EAPI:Rate limit exceeded":
                self._counter.refused()
            raise
        except VenueDenied as error:
            if error.context.get("said") in _FATAL:
                self._stopped = _final(error)
                raise self._stopped from None
            raise

    async def _once(self, endpoint: str, fields: Fields, nonce: Nonce) -> Result:
        assert self._keys is not None, "asked for before"
        path, number = f"/0/private/{endpoint}", nonce.take()
        body = urlencode({"nonce": number, **_stated(fields)}).encode()
        self.requests += 1
        answer = await self._http.send(
            "POST", path, body=body, headers=self._keys.headers(path, number, body)
        )
        return self._result(endpoint, answer)

    def _result(self, endpoint: str, answer: Answer) -> Result:
        envelope = opened(endpoint, answer, self.outside.clock.now())
        for text in envelope.warnings:
            self.note(endpoint, text)
        if not isinstance(envelope.result, dict):
            raise VenueGarbled(f"{NAME}'s answer to {endpoint} is no object")
        return envelope.result

    def note(self, endpoint: str, text: str) -> None:
        """Keep a notice, and tell it."""
        notice = Notice(self.outside.clock.now(), endpoint, text)
        self.notices.append(notice)
        if self.on_notice is not None:
            self.on_notice(notice)


def _final(error: VenueDenied) -> VenueDenied:
    if error.context.get("said") != INVALID_NONCE:
        return error
    return VenueDenied(
        f"{error.message}, twice. Another program asks with the same key, or did so with higher"
        " nonces: make a key for bursar alone. Nothing more is asked until it is opened again",
        **error.context,
    )


def _stated(fields: Fields) -> dict[str, str | int]:
    return {name: value for name, value in fields.items() if value is not None}


def _joined(ids: Collection[str]) -> str:
    if not 0 < len(ids) <= IDS_MAX:
        raise BadChoice(f"{len(ids)} ids; one to {IDS_MAX} are asked for at a time")
    return ",".join(ids)
