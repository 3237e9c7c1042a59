"""Asking: what a request says, read strictly. Whatever is not understood is refused by name.

A route declares its parameters (`Param`); `Query` holds what was said of them. A cursor is where a
page ended: opaque, made by us, and refused if it is not.

Errors: `BadChoice` for a parameter that is unknown, said twice, or says nothing; `TooLarge` for a
body that is.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BinasciiError
from collections.abc import AsyncIterable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice, Malformed, TooLarge
from bursar.ledger import instant

TEXT_MAX: Final = 256
BODY_MAX: Final = 1 << 20
_COUNT_DIGITS: Final = 6


class Kind(Enum):
    """What a parameter says."""

    TEXT = "text"
    COUNT = "count"
    TIME = "time"
    FLAG = "flag"
    CURSOR = "cursor"


class Param(msgspec.Struct, frozen=True):
    """A parameter of a route. A count lies between 1 and `most`; a text may have to be a choice."""

    name: str
    doc: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    default: str | None = None
    most: int = 500
    is_required: bool = False


class Query:
    """What was said of a route's parameters."""

    def __init__(self, told: Mapping[str, str], params: Iterable[Param]) -> None:
        self._told = told
        self._params = {param.name: param for param in params}

    def text(self, name: str) -> str | None:
        """Return a text; `None` where nothing was said."""
        return self._told.get(name, self._params[name].default)

    def word(self, name: str) -> str:
        """Return a text that has a default, or must be said."""
        said = self.text(name)
        if said is None:
            raise BadChoice(f"{name} is missing: {self._params[name].doc}", field=name)
        return said

    def count(self, name: str) -> int:
        """Return a number of things."""
        said, most = self.word(name), self._params[name].most
        is_number = said.isascii() and said.isdigit() and len(said) <= _COUNT_DIGITS
        if not is_number or not 1 <= int(said) <= most:
            raise BadChoice(f"{name}: {said!r} is no number from 1 to {most}", field=name)
        return int(said)

    def time(self, name: str) -> datetime | None:
        """Return a UTC time."""
        at = self.instant(name)
        return None if at is None else instant.to_datetime(at)

    def instant(self, name: str) -> int | None:
        """Return a UTC time in nanoseconds, cut to the microsecond, as records tell their time."""
        said = self.text(name)
        at = None if said is None else instant.parse(said, field=name)
        return at and at - at % instant.MICROSECOND

    def flag(self, name: str) -> bool:
        """Return whether something is wanted."""
        return self.text(name) == "true"

    def cursor(self) -> tuple[int, str, str] | None:
        """Return where the last page ended."""
        said = self.text("cursor")
        return None if said is None else read_cursor(said)


def query_of(pairs: Iterable[tuple[str, str]], params: Iterable[Param]) -> Query:
    """Read a query string against what a route takes."""
    known, told = {param.name: param for param in params}, dict[str, str]()
    for name, value in pairs:
        param = known.get(name)
        if param is None:
            there = f"; there is {', '.join(known)}" if known else ""
            raise BadChoice(f"{name[:TEXT_MAX]!r} asks for nothing here{there}", field="query")
        if name in told:
            raise BadChoice(f"{name} is said twice", field=name)
        if not value or len(value) > TEXT_MAX or not value.isprintable():
            raise BadChoice(f"{name}: empty, too long or not printable", field=name)
        choices = ("true", "false") if param.kind is Kind.FLAG else param.choices
        if choices and value not in choices:
            raise BadChoice(f"{name}: {value!r} is none of {', '.join(choices)}", field=name)
        told[name] = value
    return Query(told, known.values())


def cursor(at: int, *names: str) -> str:
    """Write where a page ended: at an instant, and of several there by which names."""
    told = [at, *names]
    return urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[int, str, str]:
    """Read a cursor."""
    try:
        told = msgspec.json.decode(
            urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)), type=tuple[int, str, str]
        )
    except (msgspec.MsgspecError, BinasciiError, ValueError):
        raise BadChoice(f"cursor: {text!r} is none that a page gave", field="cursor") from None
    return told


async def whole(chunks: AsyncIterable[bytes]) -> bytes:
    """Read a body.

    Raises:
        TooLarge: it is over a megabyte; the rest of it is not read.
    """
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > BODY_MAX:
            raise TooLarge(f"the body is over {BODY_MAX} bytes", bytes=BODY_MAX)
    if not body:
        raise Malformed("the request has no body; send a JSON document", field="body")
    return body
