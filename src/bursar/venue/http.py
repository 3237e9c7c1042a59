"""One HTTP client for all venues: asks one host, keeps every digit, and gives up in words.

Rules
- Only the configured host is asked: over TLS, or without it on this machine. Redirects, proxies of
  the environment and compressed bodies are not followed, used or taken.
- A connection gets 5 seconds, an answer 30. A body has at most 8 MiB, its JSON a depth of 64.
- A JSON number becomes an int or a `Decimal`, digit for digit; an object that says a name twice,
  NaN and infinity are garbled.
- What may pass is tried again, at most 8 times in all: the wait grows, is drawn at random from
  nothing to its length (full jitter), and is never shorter than the venue asks. A wait of over five
  minutes is not sat out: the error says until when.
- After 8 failures in a row the venue is left alone for a minute (the breaker), by the loop's time,
  which goes on whatever becomes of the machine's clock.

Errors: `VenueDown`, `VenueBusy`, `VenueDenied`, `VenueGarbled`, `VenueError`; none holds a header,
a body that was sent, or what a library says about either. `BadChoice` for an address.
"""

import asyncio
import json
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from ipaddress import ip_address
from itertools import chain
from random import Random
from typing import Final, Never, TypeVar

import httpx2
import msgspec
import stamina

from bursar.errors import (
    BadChoice,
    Malformed,
    VenueBusy,
    VenueDenied,
    VenueDown,
    VenueError,
    VenueGarbled,
)
from bursar.ledger import instant
from bursar.ports import Clock, Pause

CONNECT_S: Final = 5
ANSWER_S: Final = 30
BODY_MAX: Final = 8 * 1024 * 1024
DEPTH_MAX: Final = 64
TRIES_MAX: Final = 8
GARBLED_MAX: Final = 3
REST_S: Final = 60
WAIT_MAX_MS: Final = 5 * 60_000
_FIRST_MS: Final = 500
_LONGEST_MS: Final = 30_000
_READER: Final = msgspec.json.Decoder(float_hook=Decimal)
_NESTED: Final = frozenset({dict, list})
_SPACED: Final = (b'" ', b'"\n', b'"\t', b'"\r')
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKET: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_NONE: Final[Mapping[str, str]] = {}
_HEADERS: Final = {"User-Agent": "bursar", "Accept": "*/*", "Accept-Encoding": "identity"}
_PATHS_MAX: Final = 64
_T = TypeVar("_T")

# By default each retry is a line on standard output, in the midst of what a command prints.
stamina.instrumentation.set_on_retry_hooks(())


class Outside(msgspec.Struct, frozen=True):
    """What a venue's client needs of the world: time, chance, time that passes, and a way there.

    Without a `way` requests go over the network.
    """

    clock: Clock
    chance: Random
    pause: Pause
    way: httpx2.AsyncBaseTransport | None = None


class Answer(msgspec.Struct, frozen=True):
    """What came back. `wait_ms` is how long the venue asks to be left alone, if it does."""

    status: int
    body: bytes
    wait_ms: int | None = None


class HTTPClient:
    """Connections to one venue's host. It belongs to one event loop; `close` it there."""

    def __init__(
        self,
        name: str,
        base: str,
        outside: Outside,
        *,
        answer_s: int = ANSWER_S,
        rest_s: int = REST_S,
    ) -> None:
        self.name = name
        url = checked_url(base)
        self._outside = outside
        self._answer_s = answer_s
        self._way = outside.way or httpx2.AsyncHTTPTransport(
            verify=ssl.create_default_context() if url.scheme == "https" else False,
            trust_env=False,
        )
        self._patience = {"timeout": httpx2.Timeout(answer_s, connect=CONNECT_S).as_dict()}
        self._url = lru_cache(maxsize=_PATHS_MAX)(partial(_joined, str(url).rstrip("/")))
        self._breaker = _Breaker(rest_s)

    async def close(self) -> None:
        """Close the connections."""
        await self._way.aclose()

    async def persist(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Make an attempt, again where what went wrong may pass, and return what it gives.

        Raises:
            VenueError: what the last attempt met.
        """
        patience = _Patience(self._outside)
        try:
            return await self._guarded(attempt)  # as a rule that is all
        except Exception as error:
            if patience.goes_on(error) is False:
                raise
        async for turn in stamina.retry_context(
            on=patience.goes_on, attempts=TRIES_MAX - 1, timeout=None
        ):
            with turn:
                await patience.wait()
                return await self._guarded(attempt)
        raise AssertionError("a retry either returns or raises")

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] = _NONE,
    ) -> Answer:
        """Ask once, for a path on the host (with its query).

        Raises:
            VenueDown: not reached, or no whole answer in time.
            VenueGarbled: more than 8 MiB, or compressed.
        """
        if not path.startswith("/") or path.startswith("//"):
            raise BadChoice(f"{path!r} is no path on the venue's host")
        request = httpx2.Request(
            method,
            self._url(path),
            headers={**_HEADERS, **headers},
            content=body,
            extensions=self._patience,
        )
        try:
            async with aclosing(await self._way.handle_async_request(request)) as response:
                return Answer(
                    response.status_code,
                    await self._read(response),
                    self._asked_wait(response.headers.get("retry-after")),
                )
        except httpx2.TimeoutException:
            said = f"{self.name} gave no answer within {self._answer_s} s"
            raise VenueDown(said) from None
        except httpx2.RequestError as error:
            kind = type(error).__name__
            raise VenueDown(f"{self.name} was not reached ({kind})", kind=kind) from None

    async def _read(self, response: httpx2.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise VenueGarbled(f"{self.name} sent a compressed answer that nobody asked for")
        body = bytearray()
        assert isinstance(response.stream, httpx2.AsyncByteStream), "its way is an async one"
        async for piece in response.stream:
            body += piece
            if len(body) > BODY_MAX:
                raise VenueGarbled(f"{self.name} sent more than {BODY_MAX >> 20} MiB")
        return bytes(body)

    async def _guarded(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        if self._breaker.is_open:
            raise VenueDown(
                f"{self.name} failed {TRIES_MAX} times in a row and is left alone for a minute",
                is_resting=True,
            )
        try:
            found = await attempt()
        except VenueDown:
            self._breaker.failed()
            raise
        except VenueError:  # it has answered
            self._breaker.passed()
            raise
        self._breaker.passed()
        return found

    def _asked_wait(self, header: str | None) -> int | None:
        """Read `Retry-After`: seconds, or a date."""
        if header is None:
            return None
        if _SECONDS.fullmatch(header):
            return int(header) * 1000
        try:
            until = instant.from_datetime(parsedate_to_datetime(header))
        except (ValueError, TypeError, Malformed):
            return None
        return max(until - self._outside.clock.now(), 0) // instant.MS


def checked_url(base: str) -> httpx2.URL:
    """Take the address of a venue: https, or http to this machine.

    Raises:
        BadChoice: anything else.
    """
    url = httpx2.URL(base)
    if not url.host or url.userinfo or url.query or url.scheme not in {"https", "http"}:
        raise BadChoice("a venue's address is https:// and a host")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise BadChoice(f"{url.host}: a venue is asked over https", host=url.host)
    return url


def refuse(name: str, answer: Answer) -> None:
    """Pass an answer of status 200, and raise what any other means.

    Raises:
        VenueError: or one of its kinds.
    """
    status, wait_ms = answer.status, answer.wait_ms
    if status == httpx2.codes.OK:
        return
    said = f"{name} answered HTTP {status}"
    if status in {418, 429}:
        raise VenueBusy(f"{said}: too many requests", status=status, wait_ms=wait_ms)
    if status == httpx2.codes.REQUEST_TIMEOUT or status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        raise VenueDown(said, status=status, wait_ms=wait_ms)
    if status in {401, 403}:
        raise VenueDenied(said, status=status)
    if status < httpx2.codes.BAD_REQUEST:
        raise VenueGarbled(
            f"{said}, which is no answer (redirects are not followed)", status=status
        )
    raise VenueError(said, status=status)


def read_json(name: str, body: bytes) -> object:
    """Read a JSON body with every digit kept: ints and Decimals, never a float.

    Raises:
        VenueGarbled: no JSON, or JSON that no venue should send.
    """
    if not body.strip():
        raise VenueGarbled(f"{name} sent an empty answer")
    with suppress(msgspec.DecodeError, ValueError, InvalidOperation, RecursionError):
        found = _READER.decode(body)
        if _is_plain(body, found):
            return found
    return _read_slowly(name, body)


def _is_plain(body: bytes, found: object) -> bool:
    """Tell whether a body that was read says no name twice, and does not go too deep.

    Each name ends in `":`, unless white space stands between. So where none follows a quote, there
    are as many of those as names were written, or more; as many as names were kept, if none was
    said twice. Once all names and all brackets are found, nothing lies deeper.
    """
    if len(body.split(None, 1)) > 1 and any(each in body for each in _SPACED):
        return False
    names, brackets, level = body.count(b'":'), body.count(b"["), [found]
    for _ in range(DEPTH_MAX - 1):
        objects = [each for each in level if isinstance(each, dict)]
        lists = [each for each in level if isinstance(each, list)]
        names -= sum(map(len, objects))
        brackets -= len(lists)
        if not (names or brackets):
            return True
        held = chain(*lists, *map(dict.values, objects))
        level = [value for value in held if type(value) in _NESTED]
    return not (names or level)


def _read_slowly(name: str, body: bytes) -> object:
    """Read JSON that is not written as venues write it, or say what is wrong with it."""
    if _too_deep(body):
        raise VenueGarbled(f"{name} sent JSON that is cut off, or over {DEPTH_MAX} levels deep")
    try:
        return json.loads(
            body,
            parse_float=Decimal,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except (ValueError, InvalidOperation, RecursionError):
        raise VenueGarbled(f"{name} sent what is no whole JSON ({len(body)} bytes)") from None


class _Breaker:
    """Counts failures in a row. Where it was open for its time, one more opens it again."""

    def __init__(self, rest_s: int) -> None:
        self._rest_s = rest_s
        self._failures = 0
        self._until: float = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing is to be asked now."""
        return self._failures >= TRIES_MAX and asyncio.get_running_loop().time() < self._until

    def failed(self) -> None:
        """Note that there was no answer."""
        self._failures += 1
        self._until = asyncio.get_running_loop().time() + self._rest_s

    def passed(self) -> None:
        """Note that there was one."""
        self._failures = 0


class _Patience:
    """How long to wait before the next try, as the last one's error says."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._tries = 0
        self._garbled = 0
        self._wait_ms = 0

    def goes_on(self, error: Exception) -> bool | int:
        """Decide whether to try again. The wait is ours, so that it runs on the clock given."""
        self._tries += 1
        asked = self._asked(error)
        if asked is None or asked > WAIT_MAX_MS:
            return False
        longest = min(_FIRST_MS << self._tries, _LONGEST_MS)
        self._wait_ms = asked + self._outside.chance.randrange(longest + 1)
        return 0

    async def wait(self) -> None:
        """Wait as long as was decided."""
        if self._wait_ms:
            await self._outside.pause(self._wait_ms)

    def _asked(self, error: Exception) -> int | None:
        """Say how long to wait at least; `None` where trying again is of no use."""
        match error:
            case VenueGarbled():
                self._garbled += 1
                return 0 if self._garbled < GARBLED_MAX else None
            case VenueDown() if "is_resting" not in error.context:
                return _wait_of(error)
            case VenueBusy():
                return _wait_of(error)
            case _:
                return None


def _joined(base: str, path: str) -> httpx2.URL:
    return httpx2.URL(base + path)


def _wait_of(error: VenueError) -> int:
    wait_ms = error.context.get("wait_ms")
    return wait_ms if isinstance(wait_ms, int) else 0


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _too_deep(body: bytes) -> bool:
    """Tell whether brackets go too deep, or do not close: each round takes the innermost away."""
    brackets = _STRINGS.sub(b"", body).translate(None, _NO_BRACKET)
    for _ in range(DEPTH_MAX):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _no_number(_: str) -> Never:
    raise ValueError("not a number")
