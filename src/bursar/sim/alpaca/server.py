"""The fake Alpaca: one account behind the venue's HTTP interface, with the venue's troubles.

    fake = FakeAlpaca(invent(7, 300), clock=clock)
    async with serve(fake) as base_url: ...     # or a transport for httpx2: carrier(fake)
    fake.script.add(Fault.STATUS, endpoint="activities", value=502)

Trading and data answer at one address. `fake.key` and `fake.secret` are what a client says; a key
may ask 200 times in any minute. `asked` is what was asked so far, without keys.
"""

from collections import deque
from typing import Final
from urllib.parse import parse_qsl, unquote

import msgspec

from bursar.ports import Clock
from bursar.sim.alpaca.account import Account
from bursar.sim.alpaca.house import PATHS, House, Json, Refused, asset
from bursar.sim.alpaca.market import SECOND
from bursar.sim.http import Answer, Manner, Request, dated
from bursar.sim.kraken.faults import BEFORE, Fault, Script
from bursar.sim.kraken.spoiling import damaged, kept_away, spoiled

RATE_MAX: Final = 200
_MINUTE: Final = 60 * SECOND
_JSON: Final = (("content-type", "application/json"),)
_ASSET: Final = "/v2/assets/"
_ACTIVITIES: Final = "/v2/account/activities/"


class Asked(msgspec.Struct, frozen=True):
    """One request that was made."""

    path: str
    fields: dict[str, str]
    at: int


class FakeAlpaca:
    """One account at the fake venue. `house.overlap` makes pages repeat rows."""

    def __init__(self, account: Account, *, clock: Clock) -> None:
        self.key = f"PK{account.seed:018d}"
        self.secret = f"fake-{account.seed}"
        self.house = House(account, clock)
        self.script = Script()
        self.asked: list[Asked] = []
        self._times: deque[int] = deque()
        self._last: dict[str, Json] = {}

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        return dated(self._answered(request), self.house.now)

    def _answered(self, request: Request) -> Answer:
        endpoint = request.endpoint
        trouble = self.script.strikes(endpoint)
        fields = dict(parse_qsl(request.query))
        self.asked.append(Asked(request.path, fields, self.house.now))
        if trouble is not None and trouble.fault in BEFORE:
            return kept_away(trouble)
        try:
            self._enter(request)
            result = _result(self.house, unquote(request.path), fields)
        except Refused as refusal:
            body = {"code": refusal.status * 100_000, "message": str(refusal)}
            return Answer(refusal.status, _JSON, msgspec.json.encode(body))
        if trouble is not None:
            result = spoiled(result, trouble, self._last.get(endpoint))
        self._last[endpoint] = result
        body_sent, manner = msgspec.json.encode(result), Manner()
        if trouble is not None:
            body_sent, manner = damaged(body_sent, trouble)
            if trouble.fault is Fault.ERROR:
                said = msgspec.json.encode({"message": trouble.value})
                return Answer(500, _JSON, said)
        return Answer(200, _JSON, body_sent, manner)

    def _enter(self, request: Request) -> None:
        said = [request.headers.get(f"apca-api-{name}") for name in ("key-id", "secret-key")]
        if said != [self.key, self.secret]:
            raise Refused(401, "unauthorized.")
        now = self.house.now
        while self._times and self._times[0] <= now - _MINUTE:
            self._times.popleft()
        if len(self._times) >= RATE_MAX:
            raise Refused(429, "rate limit exceeded")
        self._times.append(now)
        if request.method != "GET":
            raise Refused(403, "this fake takes no orders")


def _result(house: House, path: str, fields: dict[str, str]) -> Json:
    if path in PATHS:
        return PATHS[path](house, fields)
    if path.startswith(_ASSET):
        return asset(path.removeprefix(_ASSET))
    if path.startswith(_ACTIVITIES):
        one = {"activity_types": path.removeprefix(_ACTIVITIES)}
        return PATHS[_ACTIVITIES.rstrip("/")](house, fields | one)
    raise Refused(404, "endpoint not found")
