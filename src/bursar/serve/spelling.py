"""How answers are spelled: exact JSON, times as RFC 3339, and an ETag for the very bytes.

A Decimal is written as a JSON number from its exact text, in plain notation: never through a float,
never with an exponent. With `as_text` it is a string instead, for readers whose JSON numbers are
floats. What is not known is `null`. An instant (`at`, `as_of`, `…_at`) is a time; a duration is
nanoseconds.

Errors: `TypeError` for what no answer holds, which is our own mistake.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from bursar.exact import trimmed
from bursar.ledger import instant
from bursar.measure.curve import Curve
from bursar.measure.packed import Course

_ENCODER: Final = msgspec.json.Encoder()


def encode(answer: object, *, as_text: bool = False) -> bytes:
    """Write an answer as JSON."""
    if isinstance(answer, Curve) and isinstance(answer.points, Course):
        return _written(answer.points, as_text=as_text)
    return _ENCODER.encode(spelled(answer, as_text=as_text))


def spelled(value: object, *, as_text: bool = False) -> object:  # noqa: PLR0911 (one way a kind)
    """Turn a value into what the encoder writes as it is."""
    match value:
        case Decimal():  # first, since most of what is told is money
            return _number(value, as_text=as_text)
        case None | str() | bool() | int():
            return value
        case msgspec.Struct():
            config, names = value.__struct_config__, value.__struct_fields__
            fields = {name: _field(name, getattr(value, name), as_text=as_text) for name in names}
            return {config.tag_field: config.tag, **fields} if config.tag_field else fields
        case Mapping():
            return {str(key): spelled(each, as_text=as_text) for key, each in value.items()}
        case tuple() | list() | Course():
            return [spelled(each, as_text=as_text) for each in value]
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Enum():
            return value.value
        case _:
            raise TypeError(f"{type(value).__name__} has no spelling in an answer")


def _written(points: Course, *, as_text: bool) -> bytes:
    """Write a curve while its points are made: never more than a block of them is spelled."""
    told = bytearray(b'{"points":[')
    for point in points:
        told += _ENCODER.encode(spelled(point, as_text=as_text)) + b","
    if told.endswith(b","):
        del told[-1]
    told += b"]}"
    return bytes(told)


def is_instant(name: str) -> bool:
    """Tell whether a whole number of that name is an instant in nanoseconds."""
    return name in {"at", "as_of"} or name.endswith("_at")


@lru_cache(maxsize=16)  # the views of an instant all tell it
def moment(at: datetime) -> str:
    """Write a time as RFC 3339 UTC."""
    return instant.show(instant.from_datetime(at.astimezone(UTC)))


def _field(name: str, value: object, *, as_text: bool) -> object:
    if isinstance(value, Decimal):
        return _number(value, as_text=as_text)
    if isinstance(value, int) and is_instant(name):
        return instant.show(value)
    return spelled(value, as_text=as_text)


def _number(value: Decimal, *, as_text: bool) -> object:
    return trimmed(value) if as_text else msgspec.Raw(trimmed(value).encode())


def etag(body: bytes) -> str:
    """Return the strong entity tag of a body: equal tags are equal bytes."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def matches(header: str, tag: str) -> bool:
    """Tell whether an `If-None-Match` header has a tag in it; `*` has every one."""
    told = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tag in told or "*" in told
