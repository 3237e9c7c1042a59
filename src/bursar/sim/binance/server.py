"""The fake Binance: one account behind the venue's HTTP interface, with the venue's troubles.

    fake = FakeBinance(invent(7, 300), clock=clock)
    async with serve(fake) as base_url: ...     # or a transport for httpx2: carrier(fake)
    fake.script.add(Fault.STATUS, endpoint="myTrades", value=502)

Spot, wallet and futures answer at one address. `fake.key` and `fake.secret` are what a client signs
with; the futures wallet is listened to at an address that ends in `fake.listen_key`. An address
may ask for so much weight in any minute; who goes on asking after a refusal is banned for two
minutes. `asked` is what was asked so far, without keys.
"""

import hashlib
import hmac
from collections import deque
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from bursar.ports import Clock
from bursar.sim.binance.account import MS, Account
from bursar.sim.binance.house import LISTS, PATHS, House, Json, Refused, listed
from bursar.sim.binance.market import SECOND
from bursar.sim.http import Answer, Manner, Request, dated
from bursar.sim.kraken.faults import BEFORE, Fault, Script
from bursar.sim.kraken.spoiling import damaged, kept_away, spoiled

WEIGHTS_MAX: Final = {"/api": 6_000, "/sapi": 12_000, "/fapi": 2_400}
UID_MAX: Final = 180_000
BAN_S: Final = 120
BAN_AFTER: Final = 5
_WEIGHTS: Final = {
    "/api/v3/account": 20,
    "/api/v3/myTrades": 20,
    "/api/v3/exchangeInfo": 20,
    "/api/v3/ticker/bookTicker": 4,
    "/api/v3/aggTrades": 4,
    "/sapi/v1/asset/assetDividend": 10,
    "/fapi/v1/income": 30,
    "/fapi/v1/userTrades": 5,
    "/fapi/v3/account": 5,
    "/fapi/v3/positionRisk": 5,
}
_UID_WEIGHTS: Final = {
    "/sapi/v1/capital/withdraw/history": 18_000,
    "/sapi/v1/convert/tradeFlow": 3_000,
}
LISTEN_KEY: Final = "/fapi/v1/listenKey"
_POSTED: Final = ("get-funding-asset", "listenKey")
_EARN: Final = "/sapi/v1/simple-earn/"
_PUBLIC: Final = ("/api/v3/time", "/api/v3/exchangeInfo", "/api/v3/ticker", "/api/v3/aggTrades")
_MINUTE: Final = 60 * SECOND
_WINDOW_MS: Final = 5_000
_WINDOW_MAX_MS: Final = 60_000
_AHEAD_MS: Final = 1_000
_JSON: Final = (("content-type", "application/json;charset=UTF-8"),)


class Asked(msgspec.Struct, frozen=True):
    """One request that was made."""

    path: str
    fields: dict[str, str]
    at: int


class Meter:
    """How much was asked for in the last minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._paid: deque[tuple[int, int]] = deque()

    def pay(self, cost: int, now: int) -> int | None:
        """Take note of a request; return how many seconds it comes too early, if it does."""
        while self._paid and self._paid[0][0] <= now - _MINUTE:
            self._paid.popleft()
        if self.used + cost > self._most:
            return -(-(self._paid[0][0] + _MINUTE - now) // SECOND) if self._paid else 60
        self._paid.append((now, cost))
        return None

    @property
    def used(self) -> int:
        """What was asked for in the last minute."""
        return sum(cost for _, cost in self._paid)


class FakeBinance:
    """One account at the fake venue."""

    def __init__(self, account: Account, *, clock: Clock) -> None:
        self.key = f"fakekey{account.seed:057d}"
        self.secret = f"fakesecret{account.seed:054d}"
        self.listen_key = hashlib.sha256(self.key.encode()).hexdigest()
        self.house = House(account, clock)
        self.script = Script()
        self.asked: list[Asked] = []
        self.meters = {name: Meter(most) for name, most in WEIGHTS_MAX.items()}
        self.uid = Meter(UID_MAX)
        self.banned_until = 0
        self._refused = 0
        self._last: dict[str, Json] = {}

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        return dated(self._answered(request), self.house.now)

    def _answered(self, request: Request) -> Answer:
        endpoint = request.endpoint
        trouble = self.script.strikes(endpoint)
        fields = dict(parse_qsl(request.query, keep_blank_values=True))
        fields |= dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        shown = {name: said for name, said in fields.items() if name != "signature"}
        self.asked.append(Asked(request.path, shown, self.house.now))
        if trouble is not None and trouble.fault in BEFORE:
            return kept_away(trouble)
        try:
            self._enter(request, fields)
            result = self._result(request, fields)
        except Refused as refusal:
            return _refusal(refusal)
        if trouble is not None:
            result = spoiled(result, trouble, self._last.get(endpoint))
        self._last[endpoint] = result
        body_sent, manner = msgspec.json.encode(result), Manner()
        if trouble is not None:
            body_sent, manner = damaged(body_sent, trouble)
            if trouble.fault is Fault.ERROR:
                code, _, words = trouble.value.partition(" ")
                return _refusal(Refused(400, int(code), words))
        used = str(self.meters[_root(request.path)].used)
        return Answer(200, (*_JSON, ("x-mbx-used-weight-1m", used)), body_sent, manner)

    def _result(self, request: Request, fields: dict[str, str]) -> Json:
        path, house = request.path, self.house
        if path.startswith("/fapi") and not house.account.has_futures:
            raise Refused(401, -2015, "Invalid API-key, IP, or permissions for action.")
        is_asked = request.method == "POST" and path.endswith(_POSTED)
        if request.method != "GET" and not is_asked:
            raise Refused(400, -2010, "this fake takes no orders")
        if path == LISTEN_KEY:
            return {"listenKey": self.listen_key}
        if path in PATHS:
            return PATHS[path](house, fields)
        if path in LISTS:
            return listed(house, path, fields)
        raise Refused(404, -1, "Not found")

    def _enter(self, request: Request, fields: dict[str, str]) -> None:
        path, now = request.path, self.house.now
        if now < self.banned_until:
            until = self.banned_until // MS
            words = f"Way too much request weight used; IP banned until {until}."
            left = -(-(self.banned_until - now) // SECOND)
            raise Refused(418, -1003, words, wait_s=left)
        meter = self.meters.get(_root(path))
        if meter is None:
            raise Refused(404, -1, "Not found")
        wait = meter.pay(_weight(path), now)
        if wait is None and path in _UID_WEIGHTS:
            wait = self.uid.pay(_UID_WEIGHTS[path], now)
        if wait is not None:
            self._refused += 1
            if self._refused >= BAN_AFTER:
                self.banned_until, self._refused = now + BAN_S * SECOND, 0
            raise Refused(429, -1003, "Too many requests.", wait_s=wait)
        self._refused = 0
        if not path.startswith(_PUBLIC):
            key = request.headers.get("x-mbx-apikey", "")
            if path == LISTEN_KEY:  # it asks who, and for no signature
                self.require_key(key)
                return
            self.require_signed(key, request.query + request.body.decode(), fields)

    def require_key(self, key: str) -> None:
        """Let in who names the account's key.

        Raises:
            Refused: as the venue refuses it.
        """
        if len(key) != len(self.key):
            raise Refused(401, -2014, "API-key format invalid.")
        if key != self.key:
            raise Refused(401, -2015, "Invalid API-key, IP, or permissions for action.")

    def require_signed(self, key: str, query: str, fields: dict[str, str]) -> None:
        """Let in what is signed for the account, and of now.

        Raises:
            Refused: as the venue refuses it.
        """
        self.require_key(key)
        told, _, signature = query.rpartition("signature=")
        right = hmac.new(self.secret.encode(), told.rstrip("&").encode(), hashlib.sha256)
        if not hmac.compare_digest(signature, right.hexdigest()):
            raise Refused(400, -1022, "Signature for this request is not valid.")
        now, said = self.house.now // MS, int(fields.get("timestamp", "0"))
        window = int(fields.get("recvWindow", str(_WINDOW_MS)))
        if window > _WINDOW_MAX_MS:
            raise Refused(400, -1131, "recvWindow must be less than 60000")
        if not -window <= said - now < _AHEAD_MS:
            words = "Timestamp for this request is outside of the recvWindow."
            raise Refused(400, -1021, words)


def _refusal(refusal: Refused) -> Answer:
    waits = () if refusal.wait_s is None else (("retry-after", str(refusal.wait_s)),)
    body = {"code": refusal.code, "msg": str(refusal)}
    return Answer(refusal.status, (*_JSON, *waits), msgspec.json.encode(body))


def _weight(path: str) -> int:
    return 150 if path.startswith(_EARN) else _WEIGHTS.get(path, 1)


def _root(path: str) -> str:
    return f"/{path.split('/')[1]}"
