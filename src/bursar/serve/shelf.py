"""The shelf: what is published, as bytes that are never changed.

The keeper's thread makes a `Publication`: the views of one instant, encoded once, and what changed
since the one before. The HTTP loop puts it on the shelf. From there cached routes are answered and
WebSocket clients are told, each at its own pace.

    {"type": "portfolio.snapshot", "seq": 7, "data": {view: {…}}}         all of it
    {"type": "portfolio.delta", "seq": 8, "data": {view: {"set": {…}, "gone": {…}}}}
    {"type": "portfolio.resumed", "seq": 8}                                nothing was missed

`set` has the fields that are other than before. Of a field that is a table (positions by symbol and
side, exposure by symbol) it has only the entries that are, and `gone` the names of those that are
no more. A snapshot with all deltas after it is the snapshot of the last one.

Invariants
- `seq` grows by one a publication, and goes on growing over a restart: it begins with the clock.
- A client gets every publication in order, or is dropped. Its queue holds `QUEUE_MAX`; one that is
  full drops the client (1013) instead of making anybody else wait.
- The last `KEPT` deltas stay, so a client that comes back says its last `seq` and misses nothing;
  one that was away for longer gets everything anew.

Errors: none.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.serve.headers import SECURE, Header
from bursar.serve.spelling import etag

KEPT: Final = 1024
QUEUE_MAX: Final = 256

View = Mapping[str, object]


class Listed:
    """A table that is told as a list. Its rows are told apart by name, the second by its turn."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[tuple[str, object]] = ()) -> None:
        self.rows: dict[str, object] = {}
        for stem, row in rows:
            name, turn = stem, 2
            while name in self.rows:
                name, turn = f"{stem} #{turn}", turn + 1
            self.rows[name] = row


def _as_list(table: object) -> object:
    assert isinstance(table, Listed), "the encoder knows all else"
    return list(table.rows.values())


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_as_list)


class Coverage(msgspec.Struct, frozen=True):
    """What the figures do not know, by asset and in words."""

    is_complete: bool
    unvalued: tuple[str, ...]
    stale: tuple[str, ...]
    excluded_value: Decimal
    remarks: tuple[str, ...]


class Held(msgspec.Struct, frozen=True, gc=False):
    """One view on the shelf: its bytes, its tag, and the headers of its answer; those `unchanged`
    are of one that says that the asker has it.
    """

    body: bytes
    tag: bytes
    headers: tuple[Header, ...]
    unchanged: tuple[Header, ...]


class Publication(msgspec.Struct, frozen=True):
    """The views of one instant by name, what they are all together, and what is new in them."""

    seq: int
    version: int
    views: Mapping[str, Held]
    whole: bytes
    delta: bytes | None
    coverage: Coverage | None = None


class Client:
    """One listener: what it has yet to be told, and whether it was too slow.

    One that is not fed takes what is newest when it has time (`Shelf.newer`), and misses the rest.
    """

    def __init__(self, name: str | None, *, is_fed: bool = True) -> None:
        self.token = name
        self.is_fed = is_fed
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        self.is_dropped = asyncio.Event()
        self.reason = 0


class Shelf:
    """What is published now, the last deltas, and who listens. It belongs to the HTTP loop."""

    def __init__(self) -> None:
        self.now: Publication | None = None
        self.held: dict[str, Held] = {}
        self.clients: set[Client] = set()
        self.dropped = 0
        self._deltas: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self._news = asyncio.Event()

    def put(self, made: Publication) -> None:
        """Publish."""
        self.now = made
        self.held = {f"/api/portfolio/{name}": held for name, held in made.views.items()}
        self._news.set()
        self._news = asyncio.Event()
        if made.delta is None:
            self._deltas.clear()
            return
        self._deltas.append((made.seq, made.delta))
        for client in self.clients:
            if not client.is_fed:
                continue
            try:
                client.queue.put_nowait(made.delta)
            except asyncio.QueueFull:
                self.drop(client, 1013)

    async def newer(self, seq: int) -> Publication:
        """Wait until there is something after a publication, and return the newest."""
        while self.now is None or self.now.seq <= seq:
            await self._news.wait()
        return self.now

    def drop(self, client: Client, reason: int) -> None:
        """Have a listener closed for a reason."""
        if not client.is_dropped.is_set():
            client.reason = reason
            client.is_dropped.set()
            self.dropped += reason == 1013  # noqa: PLR2004 (try again later)

    def enter(self, client: Client, after: int | None) -> list[bytes]:
        """Let somebody listen, and return what to tell first: all, or what was missed.

        A queue that starts with what was missed could be full at once, so that is told beside it.
        """
        self.clients.add(client)
        if self.now is None:
            return []
        missed = [(seq, delta) for seq, delta in self._deltas if after is not None and seq > after]
        oldest = self._deltas[0][0] if self._deltas else self.now.seq + 1
        if after is None or not oldest - 1 <= after <= self.now.seq:
            return [self.now.whole]
        resumed = _ENCODER.encode({"type": "portfolio.resumed", "seq": after})
        return [resumed, *(delta for _, delta in missed)]

    def leave(self, client: Client) -> None:
        """Forget a listener."""
        self.clients.discard(client)


def published(
    seq: int,
    version: int,
    views: Mapping[str, View],
    before: Mapping[str, View] | None,
    *,
    coverage: Coverage | None = None,
) -> Publication:
    """Encode the views of an instant, and what is new in them."""
    held = {name: _held(_ENCODER.encode(view), version) for name, view in views.items()}
    bodies = {name: msgspec.Raw(each.body) for name, each in held.items()}
    whole = {"type": "portfolio.snapshot", "seq": seq, "data": bodies}
    delta = None
    if before is not None:
        changes = {name: changed(before[name], view) for name, view in views.items()}
        told = {name: each for name, each in changes.items() if each["set"] or each["gone"]}
        delta = _ENCODER.encode({"type": "portfolio.delta", "seq": seq, "data": told})
    return Publication(seq, version, held, _ENCODER.encode(whole), delta, coverage)


def changed(before: View, after: View) -> dict[str, dict[str, object]]:
    """Return which fields of a view are other than before, and which entries of its tables."""
    fields: dict[str, object] = {}
    gone: dict[str, object] = {}
    for name, value in after.items():
        if value is before[name]:
            continue
        new, old = _table(value), _table(before[name])
        if new is None or old is None:
            if value != before[name]:
                fields[name] = value
            continue
        entries = {
            key: each for key, each in new.items() if key not in old or _differs(old[key], each)
        }
        lost = [key for key in old if key not in new]
        if entries or lost:
            fields[name] = list(entries.values()) if isinstance(value, Listed) else entries
        if lost:
            gone[name] = lost
    return {"set": fields, "gone": gone}


def _table(value: object) -> Mapping[str, object] | None:
    if isinstance(value, Listed):
        return value.rows
    return value if isinstance(value, dict) else None


def _differs(old: object, new: object) -> bool:
    return old is not new and old != new


def _held(body: bytes, version: int) -> Held:
    tag = etag(body).encode()
    unchanged = (
        (b"etag", tag),
        (b"cache-control", b"no-cache"),
        (b"x-portfolio-version", b"%d" % version),
        *SECURE,
    )
    kind = (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))
    return Held(body, tag, (*kind, *unchanged), unchanged)
