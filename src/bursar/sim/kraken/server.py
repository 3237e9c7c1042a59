"""The fake Kraken: one account behind the venue's HTTP interface, with the venue's troubles.

    fake = FakeKraken(invent(7, 1_000), clock=clock)
    async with serve(fake) as base_url: ...     # or a transport for httpx2: carrier(fake)
    fake.script.add(Fault.STATUS, endpoint="Ledgers", value=502)

`fake.key` and `fake.secret` are what a client signs with. `answer` is the whole venue: one request
in, one answer out, nothing awaited; the socket server and the in-process carrier only bring it
there. Time comes from the clock alone. `asked` is what was asked so far, without keys or
signatures.

As the venue does, it answers every known path with status 200 and an envelope; form and JSON bodies
are both taken, and public endpoints by GET or POST.
"""

from base64 import b64encode
from hashlib import sha512
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from bursar.ports import Clock
from bursar.sim.http import Answer, Manner, Request, dated
from bursar.sim.kraken import private, public
from bursar.sim.kraken.account import Account
from bursar.sim.kraken.faults import BEFORE, INSTEAD, Fault, Script, Trouble
from bursar.sim.kraken.house import House
from bursar.sim.kraken.keys import Counter, Door, Key, Refused, Tier
from bursar.sim.kraken.market import SECOND
from bursar.sim.kraken.spoiling import damaged, kept_away, spoiled
from bursar.sim.kraken.wire import Json

PUBLIC: Final = {
    "Time": public.time,
    "SystemStatus": public.system_status,
    "Assets": public.assets,
    "AssetPairs": public.asset_pairs,
    "Ticker": public.ticker,
    "OHLC": public.ohlc,
    "Trades": public.trades,
}
_JSON: Final = "application/json"


class Asked(msgspec.Struct, frozen=True):
    """One request that was made."""

    endpoint: str
    fields: dict[str, str]
    at: int


class FakeKraken:
    """One account at the fake venue. With `until` (ns) nothing later has happened yet.

    `house.arrive` lets more happen, `house.forgets_before` (ns) takes the older history away, and
    `has_balance_ex` says whether the account has extended balances.
    """

    def __init__(  # noqa: PLR0913 (each has its default)
        self,
        account: Account,
        *,
        clock: Clock,
        key: str = "",
        secret: str = "",
        tier: Tier = Tier.STARTER,
        until: int | None = None,
    ) -> None:
        self.key = key or f"fake-{account.seed}"
        self.secret = secret or b64encode(sha512(self.key.encode()).digest()).decode()
        self.house = House(account, clock, until)
        self.script = Script()
        self.asked: list[Asked] = []
        self.has_balance_ex = True
        self.counter = Counter(tier, clock)
        self.door = Door(clock, self.counter)
        self.admit(Key(self.key, self.secret))
        self._last: dict[str, Json] = {}

    def admit(self, key: Key) -> None:
        """Take one more key of the account, or another form of a known one."""
        self.door.keys[key.name] = key

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        return dated(self._answered(request), self.house.now)

    def _answered(self, request: Request) -> Answer:
        trouble = self.script.strikes(request.endpoint)
        fields = _fields(request)
        said = {name: value for name, value in fields.items() if name not in {"nonce", "otp"}}
        self.asked.append(Asked(request.endpoint, said, self.house.now))
        if trouble is not None and trouble.fault in BEFORE:
            return kept_away(trouble)
        try:
            result = self._result(request, fields, trouble)
            if trouble is not None:
                result = spoiled(result, trouble, self._last.get(request.endpoint))
            self._last[request.endpoint] = result
        except Refused as refusal:
            return _enveloped({"error": [str(refusal)]}, None)
        envelope: dict[str, Json] = {"error": [], "result": result}
        if trouble is not None and trouble.fault is Fault.WARNING:
            envelope["error"] = [trouble.value or "WDatabase:replica lag"]
        if trouble is not None and trouble.fault is Fault.NO_RESULT:
            del envelope["result"]
        return _enveloped(envelope, trouble)

    def _result(self, request: Request, fields: dict[str, str], trouble: Trouble | None) -> Json:
        _, _, place = request.path.partition("/0/")
        kind, _, endpoint = place.partition("/")
        if kind == "public" and endpoint in PUBLIC:
            self._strike(trouble)
            return PUBLIC[endpoint](self.house, fields)
        deed = private.ENDPOINTS.get(endpoint) if kind == "private" else None
        if deed is None:
            raise Refused("EGeneral:Unknown method")
        if request.method != "POST":
            raise Refused("EGeneral:Invalid arguments")
        nonce = fields.get("nonce", "")
        key = self.door.enter(dict(request.headers), request.path, request.body, nonce)
        self.door.allow(key, deed.permission, deed.cost)
        if endpoint == "BalanceEx" and not self.has_balance_ex:
            raise Refused("EAccount:Invalid permissions")
        self._strike(trouble)
        return deed.answer(self.house, key, fields)

    def _strike(self, trouble: Trouble | None) -> None:
        """Let happen what a fault does before the answer is made."""
        if trouble is None:
            return
        if trouble.fault is Fault.ARRIVALS:
            self.house.arrive(int(trouble.value or 1))
        if trouble.fault is Fault.THROTTLED:
            until = self.house.now // SECOND + int(trouble.value or 5)
            raise Refused(f"EService:Throttled: {until}")
        if trouble.fault in INSTEAD:
            raise Refused(trouble.value)


def _fields(request: Request) -> dict[str, str]:
    """Read query and body, whichever form it has; what cannot be read has no fields."""
    found = dict(parse_qsl(request.query))
    if request.headers.get("content-type", "").startswith(_JSON):
        try:
            told = msgspec.json.decode(request.body, type=dict[str, object])
        except msgspec.MsgspecError:
            return found
        return found | {name: _text(value) for name, value in told.items()}
    return found | dict(parse_qsl(request.body.decode("utf-8", "replace")))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _enveloped(envelope: dict[str, Json], trouble: Trouble | None) -> Answer:
    body = msgspec.json.encode(envelope)
    manner = Manner()
    if trouble is not None:
        body, manner = damaged(body, trouble)
    return Answer(200, (("content-type", _JSON),), body, manner)
