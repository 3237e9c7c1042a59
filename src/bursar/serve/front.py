"""The front: every request comes by here first, and the cached routes go no further.

A cached route is answered from the shelf's bytes in a few dict look-ups, guard included. All others
go on to the router, with the caller and the request id in their scope. Whatever is answered bears
the request id and the headers that tell a browser to trust nothing.

Errors: none leave here; each becomes its answer (`faults`).
"""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from time import perf_counter_ns
from typing import Any, Final

import structlog

from bursar.errors import BursarError, WrongMethod
from bursar.serve import faults, pages
from bursar.serve.door import SOMEBODY, Caller, Door, Heard, hear
from bursar.serve.headers import SECURE, SECURE_PAGE, Header
from bursar.serve.logs import LOG
from bursar.serve.meter import Meter
from bursar.serve.shelf import Shelf
from bursar.serve.spelling import matches

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Message, Receive, Send], Awaitable[None]]

PAGES: Final = frozenset(pages.FILES)
OPEN: Final = frozenset({*PAGES, "/health"})
"""What anybody may ask for: the page has no figure in it, and health tells its words alone."""

LOOKS: Final = frozenset({"GET", "HEAD"})
_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_RUN: Final = secrets.token_hex(4)


class Front:
    """Answers what is cached, and guards the rest."""

    def __init__(self, inner: ASGI, *, shelf: Shelf, door: Door, meter: Meter) -> None:
        self._inner = inner
        self._shelf = shelf
        self._door = door
        self._meter = meter
        self._count = count(1)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on. What is cached costs no call that it can be without."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        begun = perf_counter_ns()
        path, method, heard = scope["path"], scope["method"], hear(scope["headers"])
        own = heard.request_id
        request_id = own if own and _ID.fullmatch(own) else f"{_RUN}-{next(self._count):x}".encode()
        try:
            self._door.require_place(heard, scope["scheme"])
            if method == "OPTIONS":
                await _preflight(send, heard, request_id, is_ours=self._door.allows_site(heard))
                self._meter.count("preflight", method, 204, _since(begun))
                return
            caller = SOMEBODY
            if path not in OPEN or heard.bearer:
                caller = self._door.caller(heard, scope["client"])
        except BursarError as error:
            await _refuse(send, error, request_id, self._site(heard))
            self._meter.count("refused", _known(method), faults.status(error), _since(begun))
            return
        held = self._shelf.held.get(path)
        if held is None or method not in LOOKS or scope["query_string"]:
            scope["caller"], scope["heard"] = caller, heard
            await self._routed(scope, receive, send, (request_id, begun))
            return
        status, headers, body = 200, held.headers, held.body
        if heard.tag and matches(heard.tag.decode("latin-1"), held.tag.decode()):
            status, headers, body = 304, held.unchanged, b""
        elif method == "HEAD":
            body = b""
        headers = (*headers, (b"x-request-id", request_id), *self._site(heard))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._meter.count(path, method, status, perf_counter_ns() - begun)

    async def _routed(
        self, scope: Message, receive: Receive, send: Send, asked: tuple[bytes, int]
    ) -> None:
        (request_id, begun), status = asked, 0
        secure = SECURE_PAGE if scope["path"] in PAGES else SECURE
        extra = (*secure, (b"x-request-id", request_id), *self._site(scope["heard"]))

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = (*message.get("headers", ()), *extra)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            try:
                await self._inner(scope, receive, told)
            except Exception as error:
                faults.log(error)
                if status:
                    raise
                status = faults.status(error)
                await _refuse(send, error, request_id, self._site(scope["heard"]))
            route = scope.get("route_name", "none")
            took = _since(begun)
            self._meter.count(route, _known(scope["method"]), status, took)
            LOG.info(
                "REQUEST",
                route=route,
                method=scope["method"],
                status=status,
                ms=round(took / 1e6, 2),
                token=_name(scope["caller"]),
            )

    def _site(self, heard: Heard) -> tuple[Header, ...]:
        """Let the pages of a site on the list read the answer."""
        if not heard.origin or not self._door.allows_site(heard):
            return ()
        exposed = b"etag, retry-after, x-request-id, x-portfolio-version"
        return (
            (b"access-control-allow-origin", heard.origin),
            (b"access-control-expose-headers", exposed),
            (b"vary", b"origin"),
        )


async def _preflight(send: Send, heard: Heard, request_id: bytes, *, is_ours: bool) -> None:
    headers: tuple[Header, ...] = (
        (b"allow", b"GET, POST, OPTIONS"),
        (b"x-request-id", request_id),
        *SECURE,
    )
    if is_ours:
        headers += (
            (b"access-control-allow-origin", heard.origin),
            (b"access-control-allow-methods", b"GET, POST"),
            (
                b"access-control-allow-headers",
                b"authorization, content-type, idempotency-key, if-none-match, x-request-id",
            ),
            (b"access-control-max-age", b"600"),
            (b"vary", b"origin"),
        )
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(
    send: Send, error: BaseException, request_id: bytes, site: tuple[Header, ...]
) -> None:
    body, status = faults.answer(error), faults.status(error)
    headers: list[Header] = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-request-id", request_id),
        *SECURE,
        *site,
    ]
    if status == 401:  # noqa: PLR2004 (it has to say how)
        headers.append((b"www-authenticate", b'Bearer realm="bursar"'))
    if isinstance(error, WrongMethod):
        headers.append((b"allow", str(error.context["allow"]).encode()))
    if faults.is_worth_retrying(error):
        headers.append((b"retry-after", b"%d" % faults.RETRY_AFTER_S))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _known(method: str) -> str:
    """Name a method for a metric: what strangers make up is one name."""
    return method if method in {"GET", "POST", "HEAD", "OPTIONS"} else "other"


def _name(caller: Caller) -> str | None:
    return None if caller.token is None else caller.token.name


def _since(begun: int) -> int:
    return perf_counter_ns() - begun
