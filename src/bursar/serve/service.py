"""The service: keeper, publisher, shelf, door and routes put together as one ASGI application.

    request → Front ┬→ shelf             cached routes, the very bytes
                    └→ router → keeper   one job after the other on the book
    keeper → publisher → shelf → WebSocket clients

`start` opens the book and makes the first publication, so whoever is answered at all is answered
with figures. `stop` is over in a few seconds, whatever happens.

Errors: `start` raises what opening raises.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from types import MappingProxyType
from typing import Final, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router, WebSocketRoute

import bursar
from bursar.app import SystemClock
from bursar.config import Settings
from bursar.errors import RouteNotFound, WrongMethod
from bursar.ledger import instant
from bursar.serve import exporting, health, openapi, pages, reporting
from bursar.serve.asking import Query, query_of, whole
from bursar.serve.carrying import Carrier
from bursar.serve.channel import Channel
from bursar.serve.door import Door
from bursar.serve.following import Follower, detection_of, profits_of, snapshots_of
from bursar.serve.front import Front, Message, Receive, Send
from bursar.serve.graph.endpoint import PATH as GRAPHQL
from bursar.serve.graph.endpoint import Endpoint
from bursar.serve.keeper import Keeper, Opened, Task
from bursar.serve.meter import Gauge, Histogram, Meter, exposition
from bursar.serve.opening import open_book, words_for
from bursar.serve.publishing import Publisher
from bursar.serve.reading import Room
from bursar.serve.routes import DECIMALS, PREVIEW, READS, ROOT, WRITES, Read, Write
from bursar.serve.shelf import Publication, Shelf
from bursar.serve.spelling import encode, etag, matches
from bursar.serve.tokens import Ring
from bursar.serve.transacted import figures
from bursar.serve.views import at_one
from bursar.serve.watching import Watcher
from bursar.serve.writing import Answered, Asked
from bursar.store import masked

STOP_WITHIN_S: Final = 3
_T = TypeVar("_T")
_METHOD: Final = 405
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Service:
    """One portfolio over HTTP and WebSocket. An ASGI application; `start` and `stop` it once."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: SystemClock | None = None,
        opening: Callable[[], Opened] | None = None,
        beside: tuple[Task, ...] = (),
    ) -> None:
        own = settings.portfolio.http
        self.clock = clock or SystemClock()
        self.shelf, self.meter = Shelf(), Meter()
        self.door = Door((own.host, *own.hosts), own.origins)
        interval = own.publish_every_ms * instant.MS
        self.publisher = Publisher(self._post, self._admit, interval=interval)
        self.follower = Follower(settings, self.publisher)
        self.carrier = Carrier(settings, self.publisher, self.follower.wake)
        self.publisher.listener = self.carrier.offer
        self.watcher = Watcher(settings)
        self.keeper = Keeper(
            opening or partial(open_book, settings, self.clock),
            (
                self.publisher.run,
                snapshots_of(settings, self.publisher),
                self.follower.run,
                self.carrier.run,
                self.watcher.run,
                *detection_of(settings),
                *profits_of(settings),
                *beside,
            ),
        )
        self.graph = Endpoint(
            self._looked, self.shelf, self.door, may_introspect=own.graphql_introspection
        )
        self._settings = settings
        self._room: Room | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._router = Router(list(self._routes()), lifespan=self._lifespan, redirect_slashes=False)
        self._front = Front(self._inner, shelf=self.shelf, door=self.door, meter=self.meter)

    def __repr__(self) -> str:
        return f"Service({masked(self._settings.portfolio.book)})"

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        await self._front(scope, receive, send)

    async def start(self) -> None:
        """Open the book and publish for the first time."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            await self.keeper.start()
            await self.keeper.ask(self._begin)
            await asyncio.sleep(0)  # what was handed over is on the shelf

    async def stop(self) -> bool:
        """Close the book, and tell whether it was closed in time."""
        return await self.keeper.stop(within_s=STOP_WITHIN_S)

    def health(self) -> health.Health:
        """Return how every part stands."""
        now, state = self.clock.now(), self.publisher.state
        parts = health.components(
            state,
            is_alive=self.keeper.is_alive,
            now=now,
            ended=self.keeper.ended,
            failed=None if self.keeper.failed is None else str(self.keeper.failed),
        )
        parts["bus"] = health.bus(self.carrier.trouble)
        parts |= health.venues(self.follower.synced_by)
        parts |= health.watching(self.watcher.policy, self.watcher.shut)
        return health.whole(
            parts, version=bursar.__version__, portfolio_version=state.version, now=now
        )

    def _begin(self, opened: Opened) -> None:
        own = words_for(self._settings.portfolio)
        self._room = Room(opened.service, self.carrier.trade_store, options=own)
        self.publisher.look(opened)
        self.publisher.publish(opened)

    def _post(self, made: Publication) -> None:
        """Hand a publication to the HTTP loop. Called in the keeper's thread."""
        assert self._loop is not None, "the keeper is started by the service"
        self._loop.call_soon_threadsafe(self.shelf.put, made)

    def _admit(self, ring: Ring) -> None:
        assert self._loop is not None, "the keeper is started by the service"
        self._loop.call_soon_threadsafe(self._take_ring, ring)

    def _take_ring(self, ring: Ring) -> None:
        self.door.ring = ring
        for client in self.shelf.clients:
            if (client.token is None and ring) or (client.token and not ring.has(client.token)):
                self.shelf.drop(client, 1008)

    @asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncIterator[None]:
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def _inner(self, scope: Message, receive: Receive, send: Send) -> None:
        scope["app"] = self._router  # so that what has no route is raised, not answered
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            if error.status_code == _METHOD:
                allow = self._allowed(scope["path"])
                raise WrongMethod(f"{scope['path']} answers {allow}", allow=allow) from None
            raise RouteNotFound(f"nothing is answered at {scope['path'][:256]!r}") from None

    def _allowed(self, path: str) -> str:
        """Name every method that a path answers: reading and writing are routes of their own."""
        routes = (each for each in self._router.routes if isinstance(each, Route))
        return ", ".join(sorted({m for r in routes if r.path == path for m in r.methods or ()}))

    def _routes(self) -> Iterator[Route | WebSocketRoute]:
        for path, (name, kind) in pages.FILES.items():
            yield Route(path, partial(_page, name, kind))
        yield Route("/health", self._health)
        yield Route("/metrics", self._metrics)
        yield Route("/openapi.json", self._document)
        yield Route(f"{ROOT}export", self._export)
        yield Route(f"{ROOT}report/file", self._report)
        yield WebSocketRoute("/ws/portfolio", Channel(self.shelf, self.door))
        yield Route(GRAPHQL, self.graph.post, methods=["POST"])
        yield WebSocketRoute(GRAPHQL, self.graph)
        writes = {each.name: each for each in WRITES}
        for read in READS:
            yield Route(ROOT + read.name, partial(self._read, read), methods=["GET"])
        for name, write in writes.items():
            yield Route(ROOT + name, partial(self._write, write), methods=["POST"])

    async def _read(self, route: Read, request: Request) -> Response:
        request.scope["route_name"] = ROOT + route.name
        query = query_of(request.query_params.multi_items(), (*route.params, DECIMALS))
        body, version = await self._looked(partial(self._answered, route, query))
        return _tagged(request, body, more={"x-portfolio-version": str(version)})

    def _answered(self, route: Read, query: Query, room: Room) -> tuple[bytes, int]:
        body = encode(route.read(room, query), as_text=query.text("decimals") == "string")
        return body, room.service.portfolio.desk.head.version

    async def _looked(self, job: Callable[[Room], _T]) -> _T:
        """Do a job on the book between two others, and return what comes of it: of the version
        that the store has, whoever wrote it.
        """

        def look(opened: Opened) -> _T:
            room = self._room
            assert room is not None, "the book is open"
            return at_one(opened.service.portfolio, lambda: job(room))

        return await self.keeper.ask(look)

    async def _write(self, route: Write, request: Request) -> Response:
        request.scope["route_name"] = ROOT + route.name
        params = (PREVIEW, DECIMALS) if route.writes else (DECIMALS,)
        query = query_of(request.query_params.multi_items(), params)
        is_preview = not route.writes or query.flag("preview")
        if not is_preview:
            request.scope["caller"].require_write()
        body = await whole(request.stream())
        asked = Asked(
            route=route.name,
            body=body,
            key=request.headers.get("idempotency-key"),
            is_preview=is_preview,
        )
        done = await self.keeper.ask(partial(self._done, route, asked))
        answer = encode(done.body, as_text=query.text("decimals") == "string")
        headers = {"cache-control": "no-store"}
        return Response(answer, done.status, headers, "application/json")

    def _done(self, route: Write, asked: Asked, opened: Opened) -> Answered:
        if asked.is_preview:
            return route.do(opened.service, asked)
        with self.publisher.writing(opened.service.portfolio.desk.clock):
            done = route.do(opened.service, asked)
        self.publisher.touch()
        return done

    async def _export(self, request: Request) -> Response:
        request.scope["route_name"] = f"{ROOT}export"
        query = query_of(request.query_params.multi_items(), exporting.PARAMS)
        kind = exporting.kind_of(query)
        made = await self.keeper.ask(
            lambda opened: exporting.written(opened.service.portfolio, query)
        )
        headers = {"content-type": kind, "cache-control": "no-store"}
        return StreamingResponse(exporting.chunks(made), headers=headers)

    async def _report(self, request: Request) -> Response:
        request.scope["route_name"] = f"{ROOT}report/file"
        params = (*reporting.PARAMS, reporting.FORMAT)
        query = query_of(request.query_params.multi_items(), params)
        made = await self._looked(lambda room: reporting.written(room, query))
        headers = {
            "content-disposition": f'attachment; filename="{made.name}"',
            "cache-control": "no-store",
        }
        return Response(made.content, media_type=made.kind, headers=headers)

    async def _health(self, request: Request) -> Response:
        request.scope["route_name"] = "/health"
        query_of(request.query_params.multi_items(), ())
        found, heard = self.health(), request.scope["heard"]
        may_look = bool(request.scope["caller"].token)
        if not may_look and not self.door.ring and not heard.bearer:
            may_look = self.door.is_here(heard.host, request.scope["client"])
        shown = found if may_look else health.for_strangers(found)
        status = 503 if found.status is health.Word.DOWN else 200
        headers = {"cache-control": "no-store"}
        return Response(encode(shown), status, headers, "application/json")

    async def _metrics(self, request: Request) -> Response:
        request.scope["route_name"] = "/metrics"
        query_of(request.query_params.multi_items(), ())
        body = exposition(self.meter, self._figures())
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _document(self, request: Request) -> Response:
        request.scope["route_name"] = "/openapi.json"
        query_of(request.query_params.multi_items(), ())
        return _tagged(request, _document())

    def _figures(self) -> Iterator[Gauge | Histogram]:
        state, found = self.publisher.state, self.health()
        up: dict[tuple[str, ...], float] = {
            (name, word.value): float(part.status is word)
            for name, part in found.components.items()
            for word in health.Word
        }
        yield Gauge("bursar_component", "1 for how a component stands", up, ("component", "status"))
        took_s, made_at_s = state.took / instant.SECOND, state.published_at / instant.SECOND
        for name, doc, value, is_counter in (
            ("bursar_portfolio_version", "Commits so far", state.version, False),
            ("bursar_publications", "Publications", state.count, True),
            ("bursar_publication_seconds", "Time the last took", took_s, False),
            ("bursar_publication_timestamp_seconds", "When the last was made", made_at_s, False),
            ("bursar_ws_clients", "WebSocket clients", len(self.shelf.clients), False),
            ("bursar_ws_dropped", "Clients dropped as too slow", self.shelf.dropped, True),
            ("bursar_jobs_waiting", "Requests that wait for the book", self.keeper.waiting, False),
        ):
            yield Gauge(name, doc, {(): float(value)}, is_counter=is_counter)
        yield from figures(state.counts)


async def _page(name: str, kind: str, request: Request) -> Response:
    request.scope["route_name"] = "/"
    return _tagged(request, pages.read(name), kind)


@cache
def _document() -> bytes:
    """Write the OpenAPI document, once: it takes a tenth of a second."""
    return encode(openapi.document())


def _tagged(
    request: Request,
    body: bytes,
    kind: str = "application/json",
    *,
    more: Mapping[str, str] = _NOTHING,
) -> Response:
    """Answer with a body, or with nothing where the asker has it."""
    tag = etag(body)
    headers = {"etag": tag, "cache-control": "no-cache", **more}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)
