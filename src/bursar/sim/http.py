"""What goes in and out of a fake venue: one request, one answer, and how it travels."""

from collections.abc import Mapping
from email.utils import formatdate
from typing import Protocol

import msgspec

from bursar.ledger.instant import SECOND


class Request(msgspec.Struct, frozen=True):
    """A request as it came: header names in lower case, body as sent."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def endpoint(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Manner(msgspec.Struct, frozen=True):
    """How a body goes over the wire: whole, never, broken off, or slowly. At most one is true."""

    is_never: bool = False
    is_reset: bool = False
    is_slow: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What goes back, and how it goes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    manner: Manner = Manner()


def dated(answer: Answer, now: int) -> Answer:
    """Return an answer with its date, as every server tells it: the whole second by its clock."""
    date = ("date", formatdate(now // SECOND, usegmt=True))
    return msgspec.structs.replace(answer, headers=(*answer.headers, date))


class Fake(Protocol):
    """A whole venue: one request in, one answer out, nothing awaited."""

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        ...
