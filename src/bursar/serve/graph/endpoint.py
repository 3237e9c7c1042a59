"""The endpoint `/graphql`: loads what answers it when it is first asked, and not before.

Who asks was let in by `front`, or is by `socket`. Only POST is answered, with a JSON body, so no
page of another site can ask by a form or a link.

Errors: `NotInstalled` without the extra; `Malformed` for a body that is none.
"""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from bursar.errors import BadChoice, NotInstalled
from bursar.serve.asking import query_of, whole
from bursar.serve.door import Door
from bursar.serve.front import Message, Receive, Send
from bursar.serve.reading import Ask
from bursar.serve.shelf import Shelf

if TYPE_CHECKING:
    from bursar.serve.graph.operations import Operations

PATH: Final = "/graphql"


class Endpoint:
    """Answers GraphQL, over HTTP and over WebSocket."""

    def __init__(self, ask: Ask, shelf: Shelf, door: Door, *, may_introspect: bool) -> None:
        self._ask = ask
        self._shelf = shelf
        self._door = door
        self._may_introspect = may_introspect
        self._loading = asyncio.Lock()
        self._operations: Operations | None = None

    async def post(self, request: Request) -> Response:
        """Answer an operation over HTTP."""
        request.scope["route_name"] = PATH
        query_of(request.query_params.multi_items(), ())
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise BadChoice("send a body of application/json", field="content-type")
        operations = await self._loaded()
        headers = {"cache-control": "no-store"}
        asked = operations.heard(await whole(request.stream()))
        if isinstance(asked, bytes):
            return Response(asked, 400, headers, "application/json")
        body = await self._ask(partial(operations.written, asked))
        return Response(body, 200, headers, "application/json")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Talk over a WebSocket, as ASGI has it."""
        try:
            operations = await self._loaded()
        except NotInstalled:
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 1011})
            return
        from bursar.serve.graph.socket import Socket  # noqa: PLC0415 (the same)

        await Socket(operations, self._ask, self._shelf, self._door)(scope, receive, send)

    async def _loaded(self) -> "Operations":
        """Load what answers, in a thread, so that others are answered meanwhile."""
        async with self._loading:
            if self._operations is None:
                self._operations = await asyncio.to_thread(_load, self._may_introspect)
        return self._operations


def _load(may_introspect: bool) -> "Operations":  # noqa: FBT001 (for a thread)
    try:
        from bursar.serve.graph.operations import Operations  # noqa: PLC0415 (an extra)
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "graphql":
            raise
        raise NotInstalled('GraphQL is an extra: pip install "bursar[graphql]"') from None
    return Operations(may_introspect=may_introspect)
