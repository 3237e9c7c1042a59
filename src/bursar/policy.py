"""The policy: limits that others set, read from a file or from the risk-safety service.

Nothing here is ever written to where it comes from, and nothing is enforced: limits are looked at.

    gross_exposure_pct_max: 150        a YAML or JSON file, or the service's JSON (there perhaps
    drawdown_pct_max: 12.5             under a key `limits`)

Invariants
- Numbers are taken from their text, digit for digit.
- What names an unknown limit, no limit at all, one twice, or no number, is refused whole: half of
  a policy would be an all-clear for the other half.
- What cannot be read leaves the last good policy in place, marked `stale`; where there never was
  one it is `missing`. The last good one is kept in the store, so that it outlives the process.

Errors: `Malformed`, naming source, line and field; the numbers' own errors. `refresh` raises none.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import yaml

from bursar.errors import BursarError, Malformed
from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.told import Where, record, values
from bursar.measure.limits import Freshness, Limits, Policy
from bursar.ports import Clock, Pause, PortfolioStore

PATH: Final = "/api/limits"
"""What the service is asked for where its address has no path of its own."""

TRIES: Final = 3
ANSWER_S: Final = 5
BODY_MAX: Final = 1 << 20
_FIRST_WAIT_MS: Final = 500
_OK: Final = 200
_SERVER_ERROR: Final = 500
_BUSY: Final = 429
_MEMO: Final = "policy"
_KNOWN: Final = Limits.__struct_fields__


class Unread(msgspec.Struct, frozen=True):
    """Why nothing could be read."""

    why: str


Read = Callable[[], Awaitable[bytes | Unread]]


class PolicyStore:
    """The policy of a portfolio; `refresh` it now and then. `state` is how it stands."""

    def __init__(
        self, source: str, read: Read, store: PortfolioStore, clock: Clock, *, every_s: int
    ) -> None:
        self._source = source
        self._read = read
        self._store = store
        self._clock = clock
        self._every = every_s * instant.SECOND
        self._tried_at: int | None = None
        self.state = last_good(store, source)

    async def refresh(self) -> bool:
        """Read the policy if that is due, and tell whether it was."""
        now = self._clock.now()
        if self._tried_at is not None and 0 <= now - self._tried_at < self._every:
            return False
        self._tried_at = now
        found = await self._read()
        if isinstance(found, Unread):
            self._fail(found.why)
            return True
        try:
            limits = read_limits(found, self._source)
        except BursarError as error:
            self._fail(error.message)
            return True
        self.state = Policy(
            limits=limits,
            freshness=Freshness.FRESH,
            source=self._source,
            read_at=self._clock.now(),
        )
        self._store.save_memos({_MEMO: _ENCODER.encode(self.state).decode()}, is_lasting=False)
        return True

    def _fail(self, why: str) -> None:
        was = Freshness.MISSING if self.state.read_at is None else Freshness.STALE
        self.state = msgspec.structs.replace(self.state, freshness=was, trouble=why)


def last_good(store: PortfolioStore, source: str) -> Policy:
    """Return the policy that was last read from a source: stale until it is read again."""
    text = store.memo(_MEMO)
    known = None if text is None else _DECODER.decode(text)
    why = "not read yet"
    if known is None or known.source != source:
        return Policy(freshness=Freshness.MISSING, source=source, trouble=why)
    return msgspec.structs.replace(known, freshness=Freshness.STALE, trouble=why)


def of_file(path: Path) -> Read:
    """Return what reads a file."""

    async def read() -> bytes | Unread:
        return _read(path)

    return read


def _read(path: Path) -> bytes | Unread:
    try:
        return path.read_bytes()
    except OSError as error:
        return Unread(f"{path.name} cannot be read: {error.strerror or error}")


def of_service(url: str, pause: Pause) -> Read:
    """Return what asks the risk-safety service, a few times where it is away or busy."""

    async def read() -> bytes | Unread:
        found: bytes | Unread = Unread("not asked")
        for number in range(TRIES):
            if number:
                await pause(_FIRST_WAIT_MS << number)
            found, may_pass = await _asked(url)
            if not may_pass:
                break
        return found

    return read


async def _asked(url: str) -> tuple[bytes | Unread, bool]:
    """Ask once: what was answered, and whether asking again may help."""
    import httpx2  # noqa: PLC0415 (only who has such a service waits for it to load)

    place = httpx2.URL(url)
    if place.path in {"", "/"}:
        place = place.copy_with(path=PATH)
    headers = {"User-Agent": "bursar", "Accept": "application/json", "Accept-Encoding": "identity"}
    body = bytearray()
    try:
        async with (
            httpx2.AsyncClient(timeout=ANSWER_S, trust_env=False) as client,
            client.stream("GET", place, headers=headers) as answer,
        ):
            if answer.status_code != _OK:
                said = Unread(f"the risk-safety service answered HTTP {answer.status_code}")
                return said, answer.status_code >= _SERVER_ERROR or answer.status_code == _BUSY
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > BODY_MAX:
                    return Unread("the risk-safety service sent more than 1 MiB"), False
    except httpx2.RequestError as error:
        return Unread(f"the risk-safety service was not reached ({type(error).__name__})"), True
    return bytes(body), False


def read_limits(text: bytes, source: str) -> Limits:
    """Read limits from YAML or JSON.

    Raises:
        Malformed: it is neither, or it names an unknown limit, none, or one twice.
        NotExact, OutOfBounds: a limit is no number.
    """
    try:
        written = text.decode("utf-8")
    except UnicodeError:
        raise Malformed(f"{source}: this is no UTF-8 text", file=source) from None
    is_json = written.lstrip()[:1] == "{"
    told, lines = (_of_json(written, source), {}) if is_json else _of_yaml(written, source)
    return _limits(told, lambda place: (source, lines.get(place[0]) if place else None))


def _limits(told: Mapping[str, object], where: Where) -> Limits:
    found = record(told, Limits, where)
    for name in told:
        source, line = where((name,))
        at = source if line is None else f"{source}, line {line}"
        if name not in _KNOWN:
            known = ", ".join(_KNOWN)
            raise Malformed(f"{at}: there is no limit {name}; there is {known}", field=name)
        value = getattr(found, name)
        if value is not None and value < ZERO:
            raise Malformed(f"{at}: {name}: expected zero or more, not {value}", field=name)
    if found == Limits():
        source, _ = where(())
        raise Malformed(f"{source} sets no limit; there is {', '.join(_KNOWN)}", file=source)
    return found


def _of_json(text: str, source: str) -> Mapping[str, object]:
    """Return the limits of a JSON object, or of the object under its key `limits`."""
    try:
        said = values(text)
    except json.JSONDecodeError:
        raise Malformed(f"{source}: this is no whole JSON", file=source) from None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{source}: {error}", file=source) from None
    assert isinstance(said, dict), "it began with a brace"
    told = said.get("limits", said)
    if not isinstance(told, dict):
        raise Malformed(f"{source}: expected one object of limits under limits", field="limits")
    return told


def _of_yaml(text: str, source: str) -> tuple[Mapping[str, object], Mapping[str, int]]:
    """Return the limits of a YAML mapping, and the line of each."""
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)  # which leaves every value as text
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}, line {mark.line + 1}" if isinstance(mark, yaml.Mark) else source
        raise Malformed(f"{where}: this is no YAML", file=source) from None
    if not isinstance(root, yaml.MappingNode):
        raise Malformed(f"{source}: expected limits by name", file=source)
    told: dict[str, object] = {}
    lines: dict[str, int] = {}
    for key, value in root.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in told:
            raise Malformed(f"{source}, line {line}: {name} stands there twice", field=name)
        told[name] = None if value.value in ("", "~", "null") else value.value
        lines[name] = line
    return told, lines


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Policy)
