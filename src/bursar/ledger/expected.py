"""What a place expects that has a closed set of words, where a reader says only that one is wrong.

Errors: none.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import inspect

_WRONG: Final = re.compile(
    r"Invalid enum value (?P<word>.*?)(?: - at `\$(?P<place>.*)`)?", re.DOTALL
)
_FIELD: Final = re.compile(r"Object (?:missing required|contains unknown) field `(.*?)`")
_PLACE: Final = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.(\w+)|\[(.*?)\]")


def told(error: msgspec.ValidationError, kind: object) -> str:
    """Return what an error of reading a `kind` says; of a word that is none, which there are."""
    said = str(error)
    found = _WRONG.fullmatch(said)
    if found is None:
        return said
    place = found["place"] or ""
    kinds = [inspect.type_info(kind)]
    for field, _ in _STEP.findall(place):
        kinds = [inner for each in kinds for inner in _within(each, field)]
    words = ", ".join({str(word): None for each in kinds for word in _words(each)})
    at = f" - at `${place}`" if place else ""
    return f"{found['word']} is none of {words}{at}" if words else said


def field(error: msgspec.ValidationError) -> str | None:
    """Return the field that an error of reading is about, such as `constraints.band`, if any."""
    said = str(error)
    place, name = _PLACE.search(said), _FIELD.match(said)
    named = [found[1] for found in (place, name) if found is not None and found[1]]
    return ".".join(named) or None


def _within(kind: inspect.Type, field: str) -> Iterable[inspect.Type]:
    """Yield what may stand under a field, or, without one, as an item or under any name."""
    match kind:
        case inspect.UnionType(types=types):
            for each in types:
                yield from _within(each, field)
        case inspect.StructType(fields=fields):
            yield from (each.type for each in fields if each.encode_name == field)
        case inspect.DictType(value_type=value):
            yield value
        case inspect.TupleType(item_types=items):
            yield from items
        case inspect.CollectionType(item_type=item):
            yield item
        case _:
            pass


def _words(kind: inspect.Type) -> Iterable[object]:
    match kind:
        case inspect.UnionType(types=types):
            for each in types:
                yield from _words(each)
        case inspect.EnumType(cls=cls):
            yield from (each.value for each in cls)
        case inspect.LiteralType(values=values):
            yield from values
        case _:
            pass
