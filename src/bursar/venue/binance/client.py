"""Binance's REST interface: how it is asked, and what its refusals mean.

Rules
- Only questions are asked; no order, no transfer, nothing that changes an account.
- A question is signed with its time, which must be the venue's to within seconds. The venue's clock
  is asked for first, and once more where it says that a time was off.
- Spot and wallet are one host, futures another. Each lets an address ask for so much weight a
  minute: spot 6,000, wallet 12,000, futures 2,400, and an account 180,000 of another kind. We take
  at most half of it at once and then half of it a minute: never over the whole in any minute.
- An answer is read inside the attempt that brought it, so one that is cut or garbled is asked for
  again.

Errors: as `http`; `code` in the context of one is the venue's own; `VenueDenied` says what to look
at.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from bursar.errors import VenueBusy, VenueDenied, VenueDown, VenueError, VenueGarbled
from bursar.ledger import instant
from bursar.venue import record
from bursar.venue.binance.keys import Keys, encoded
from bursar.venue.http import Answer, HTTPClient, Outside, read_json, refuse
from bursar.venue.notices import NOTICES_MAX, Notice
from bursar.venue.pace import Counter, Pace

NAME: Final = "Binance"
URL: Final = "https://api.binance.com"
FUTURES_URL: Final = "https://fapi.binance.com"
WINDOW_MS: Final = 10_000
"""For so long after its time a question counts."""

BAD_TIME: Final = -1021
BAD_SYMBOL: Final = -1121
DENIED: Final = frozenset({-2014, -2015, -1022, -1002})
_BUSY: Final = frozenset({-1003, -1015})
_DOWN: Final = frozenset({-1000, -1001, -1006, -1007, -1008})
_PACES: Final = {
    "/api": Pace(2_900, 5_000),
    "/sapi": Pace(5_900, 10_000),
    "/fapi": Pace(1_150, 2_000),
}
_OF_ACCOUNTS: Final = Pace(89_000, 150_000)
_LOOK: Final = (
    "are key and secret right, may it be used from this address, and may it read (and futures, if"
    " asked for)?"
)
_SHOWN_MAX: Final = 200
_T = TypeVar("_T")
Query = Mapping[str, str | int | None]
_NONE: Final[Query] = {}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: a path, and what it weighs for the address and for the account."""

    path: str
    weight: int = 1
    account_weight: int = 0
    is_signed: bool = True
    method: str = "GET"


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: int


_TIME: Final = Question(path="/api/v3/time", is_signed=False)


class BinanceRESTClient:
    """Asks Binance. It belongs to one event loop; `close` it there."""

    def __init__(
        self, outside: Outside, keys: Keys, *, url: str = URL, futures_url: str = FUTURES_URL
    ) -> None:
        self.outside = outside
        self.notices: deque[Notice] = deque(maxlen=NOTICES_MAX)
        self.requests = 0
        self._keys = keys
        spot = HTTPClient(NAME, url, outside)
        futures = HTTPClient(f"{NAME}'s futures", futures_url, outside)
        self._hosts = {"/api": spot, "/sapi": spot, "/fapi": futures}
        self._counters = {
            name: Counter(pace, outside.clock, outside.pause) for name, pace in _PACES.items()
        }
        self._account = Counter(_OF_ACCOUNTS, outside.clock, outside.pause)
        self._ahead_ms: int | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._hosts["/api"].close()
        await self._hosts["/fapi"].close()

    async def now(self) -> int:
        """Ask for the venue's time; questions are signed by it from then on."""
        told = await self.one(_TIME, _NONE, _Time)
        self._ahead_ms = told.server_time - self.outside.clock.now() // instant.MS
        return told.server_time * instant.MS

    @property
    def time(self) -> int:
        """What time it is by the venue's clock, as it was last asked for."""
        return self._at() * instant.MS

    @property
    def second(self) -> int:
        """When, by the venue's clock, the second began that is going on."""
        at = self.time
        return at - at % instant.SECOND

    async def ask(self, question: Question, asked: Query, read: Callable[[object], _T]) -> _T:
        """Ask, again where what went wrong may pass, and read the answer."""
        if question.is_signed and self._ahead_ms is None:
            await self.now()
        try:
            return await self._persist(question, asked, read)
        except VenueError as error:
            if error.context.get("code") != BAD_TIME:
                raise
        await self.now()
        return await self._persist(question, asked, read)

    async def rows(self, question: Question, asked: Query, kind: type[_T]) -> list[_T]:
        """Ask for a list of records, wherever it stands in the answer."""
        name = _name(question)

        def read(said: object) -> list[_T]:
            return [record.read(NAME, name, kind, each) for each in _rows(name, said)]

        return await self.ask(question, asked, read)

    async def one(self, question: Question, asked: Query, kind: type[_T]) -> _T:
        """Ask for one record."""
        return await self.ask(
            question, asked, lambda said: record.read(NAME, _name(question), kind, said)
        )

    async def signed_params(self) -> dict[str, str | int]:
        """Return what asks for the stream of the account: who asks, when, and the signature."""
        await self.now()
        asked: dict[str, str | int] = {**self._keys.params(), "timestamp": self._at()}
        return {**asked, "signature": self._keys.signature(encoded(asked))}

    def _at(self) -> int:
        """Return the venue's time, in milliseconds."""
        return self.outside.clock.now() // instant.MS + (self._ahead_ms or 0)

    def note(self, endpoint: str, text: str) -> None:
        """Keep a notice."""
        self.notices.append(Notice(self.outside.clock.now(), endpoint, text))

    async def _persist(self, question: Question, asked: Query, read: Callable[[object], _T]) -> _T:
        root = f"/{question.path.split('/')[1]}"
        host, counter = self._hosts[root], self._counters[root]
        stated = {name: value for name, value in asked.items() if value is not None}

        async def once() -> _T:
            await counter.pay(question.weight)
            if question.account_weight:
                await self._account.pay(question.account_weight)
            self.requests += 1
            target = self._target(question, stated)
            answer = await host.send(question.method, target, headers=self._keys.headers())
            return read(self._opened(question, answer, counter))

        return await host.persist(once)

    def _target(self, question: Question, stated: Mapping[str, str | int]) -> str:
        if not question.is_signed:
            return f"{question.path}?{encoded(stated)}" if stated else question.path
        query = encoded({**stated, "recvWindow": WINDOW_MS, "timestamp": self._at()})
        return f"{question.path}?{self._keys.signed(query)}"

    def _opened(self, question: Question, answer: Answer, counter: Counter) -> object:
        """Return what an answer says, or raise what its status and its code mean."""
        code, words = _refusal(answer)
        try:
            refuse(NAME, answer)
        except VenueError as error:
            kind = _kind(type(error), code)
            if kind is VenueBusy:
                counter.refused()
                self.note(question.path, f"{error.message}{words}")
            said = f"{error.message}{words}"
            said += f": {_LOOK}" if kind is VenueDenied else ""
            raise kind(said, **error.context, code=code) from None
        return read_json(NAME, answer.body)


def _kind(met: type[VenueError], code: int | None) -> type[VenueError]:
    if code in _BUSY:
        return VenueBusy
    if code in DENIED:
        return VenueDenied
    return VenueDown if code in _DOWN else met


def _refusal(answer: Answer) -> tuple[int | None, str]:
    """Return the venue's code of a refusal, and its words, as far as they can be shown."""
    if answer.status == 200:  # noqa: PLR2004 (HTTP's own)
        return None, ""
    try:
        told = read_json(NAME, answer.body)
    except VenueGarbled:
        return None, ""
    if not isinstance(told, dict) or not isinstance(told.get("msg"), str):
        return None, ""
    code = told.get("code")
    shown = "".join(each for each in told["msg"][:_SHOWN_MAX] if each.isprintable())
    return (code if isinstance(code, int) else None), f" ({code}: {shown})"


def _rows(name: str, said: object) -> list[object]:
    """Return the list in an answer: the answer itself, or the one list among its fields."""
    values = said.values() if isinstance(said, dict) else [said]
    lists = [each for each in values if isinstance(each, list)]
    if len(lists) != 1:
        raise VenueGarbled(f"{NAME}'s {name} has no list in it", answer=name)
    return lists[0]


def _name(question: Question) -> str:
    return "/".join(question.path.split("/")[3:])
