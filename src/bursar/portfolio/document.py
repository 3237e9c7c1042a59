"""A JSON document as it was told: every number by its own text, and no name twice.

Errors: `Malformed` for what is no such document, the numbers' own errors.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import NoReturn, TypeVar

import msgspec

from bursar.errors import Malformed
from bursar.exact import parse, parse_venue
from bursar.ledger import expected

_T = TypeVar("_T")


def document(body: bytes, kind: type[_T], name: str) -> _T:
    """Read a JSON document of a kind, every number by its own text.

    Raises:
        Malformed: naming the place.
        NotExact, OutOfBounds: for a number, naming its place or what it says.
    """
    number = partial(parse_venue, field=name)
    try:
        told = json.loads(
            body,
            object_pairs_hook=once,
            parse_float=number,
            parse_int=number,
            parse_constant=_no_number,
        )
        made = msgspec.convert(told, kind)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Malformed(f"{name}: no JSON document at {place}: {error.msg}", file=name) from None
    except msgspec.ValidationError as error:
        field = expected.field(error)
        place = {"file": name} if field is None else {"file": name, "field": field}
        raise Malformed(f"{name}: {expected.told(error, kind)}", **place) from None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{name}: {error}", file=name) from None
    _require_plain(told, made, name)
    return made


def once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that comes twice: which of the two was meant nobody knows.

    Raises:
        ValueError: naming it, for whoever reads to tell with its place.
    """
    told = dict(pairs)
    if len(told) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} comes twice")
    return told


def _require_plain(told: object, made: object, place: str) -> None:
    """Refuse text that is a number to Python and to nobody else (`1_000`, ` 5`, other digits), and
    text that cannot be written (half a surrogate).
    """
    if isinstance(made, Decimal) and isinstance(told, str):
        parse(told, field=place)
    elif isinstance(told, str) and not told.isascii():
        try:
            told.encode()
        except UnicodeEncodeError:
            raise Malformed(f"{place}: {told!r} is no text", field=place) from None
    elif isinstance(told, dict):
        for name, each in told.items():
            inner = made.get(name) if isinstance(made, Mapping) else getattr(made, name)
            _require_plain(each, inner, f"{place}: {name}")
    elif isinstance(told, list) and isinstance(made, tuple):
        for each, inner in zip(told, made, strict=True):
            _require_plain(each, inner, place)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
