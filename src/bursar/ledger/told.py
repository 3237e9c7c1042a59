"""What was told in plain values, of JSON, YAML or CSV, as a record; or what is wrong with it.

One rule for numbers, whoever asks: text is a plain decimal, as people write it (`exact.parse`); a
number of JSON, which programs write, may have an exponent, which is written out. A whole number has
up to 18 digits. None passes through a float, `-0` is 0, and what only Python takes for a number
(`1_000`, ` 5`, `.5`, digits of other scripts) is refused by its place.

Errors: `NotExact`, `OutOfBounds`, `Malformed`, each naming the place.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from difflib import get_close_matches
from typing import Final, TypeVar

import msgspec
from msgspec import inspect

from bursar.errors import InputError, Malformed, NotExact
from bursar.exact import number, parse, parse_venue, parse_whole

Place = tuple[str, ...]
"""The names on the way to a value; an item of a list is `[0]`."""
Where = Callable[[Place], tuple[str, int | None]]
"""Tells the file, or another source, and the line of a place, as far as that is known."""
_T = TypeVar("_T")
_S = TypeVar("_S")

_WRONG: Final = re.compile(r"Invalid enum value (?P<word>.*)", re.DOTALL)
_ALIEN: Final = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_LACKING: Final = re.compile(r"Object missing required field `(?P<name>.*)`")
_STEP: Final = re.compile(r"\.(\w+)|(\[\d+\])")
_ALL_STEPS: Final = re.compile(r"\.(\w+)|(\[[^\]]*\])")


class Literal(msgspec.Struct, frozen=True):
    """A number of a JSON document, by its text."""

    text: str


class _Shape(msgspec.Struct, frozen=True):
    """What may stand at a place, as far as numbers and words are concerned."""

    is_number: bool = False
    is_whole: bool = False
    is_text: bool = False
    may_be_none: bool = True
    words: tuple[str, ...] = ()
    fields: Mapping[str, "_Shape"] = {}
    each: "_Shape | None" = None

    def within(self, step: str) -> "_Shape":
        return self.fields.get(step) or self.each or _ANY


_ANY: Final = _Shape()
_SHAPES: Final[dict[object, _Shape]] = {}


def dotted(place: Place) -> str:
    """Write a place as it is spoken of: `policy.instruments.XBT`, `lots[0].cost`."""
    return ".".join(place).replace(".[", "[")


def values(text: str | bytes) -> object:
    """Read JSON into plain values, every number by its own text.

    Raises:
        ValueError, RecursionError: it is no JSON, or says a name twice.
    """
    return json.loads(
        text,
        parse_float=Literal,
        parse_int=Literal,
        parse_constant=Literal,
        object_pairs_hook=once,
    )


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


def record(
    told: object,
    kind: type[_T],
    where: Where | None = None,
    *,
    strict: bool = True,
    text_number: Callable[[str], Decimal] = parse,
) -> _T:
    """Make a record of plain values. Unless `strict`, whole numbers and words such as `true` may
    be text. `text_number` reads a decimal that is text.

    Raises:
        NotExact, OutOfBounds: a number.
        Malformed: whatever else does not fit.
    """
    shape = _SHAPES.get(kind)
    if shape is None:
        shape = _SHAPES[kind] = _made([inspect.type_info(kind)])
    taken = _Reader(where, text_number, is_strict=strict).taken(told, shape, ())
    try:
        return msgspec.convert(taken, kind, strict=strict)
    except msgspec.ValidationError as error:
        said, _, steps = str(error).partition(" - at `$")
        place = tuple(name or item for name, item in _STEP.findall(steps))
        for name, item in _ALL_STEPS.findall(steps):
            shape = shape.within(name or item)
        name, expected = _expected(said, shape)
        raise _fault(Malformed, where, (*place, *name), expected) from None


def _fault(kind: type[InputError], where: Where | None, place: Place, said: str) -> InputError:
    """Make the error that names file, line and field, as far as they are known."""
    field = dotted(place)
    said = f"{field}: {said}" if field else said
    if where is None:
        return kind(said, field=field)
    file, line = where(place)
    if line is None:
        return kind(f"{file}: {said}", file=file, field=field)
    return kind(f"{file}, line {line}: {said}", file=file, line=line, field=field)


class _Reader:
    """Takes numbers and texts as they are to be; what else there is, the record judges."""

    def __init__(
        self, where: Where | None, decimal: Callable[[str], Decimal], *, is_strict: bool
    ) -> None:
        self._where = where
        self._decimal = decimal
        self._is_strict = is_strict

    def taken(self, told: object, shape: _Shape, place: Place) -> object:
        if shape.is_number:
            return self._number(told, shape, place)
        if isinstance(told, dict):
            return {
                name: self.taken(each, shape.within(name), (*place, name))
                for name, each in told.items()
            }
        if isinstance(told, list | tuple):
            items = ((f"[{item}]", each) for item, each in enumerate(told))
            return [self.taken(each, shape.within(at), (*place, at)) for at, each in items]
        return self._word(told, shape, place)

    def _word(self, told: object, shape: _Shape, place: Place) -> object:
        match told:
            case Literal() if shape.is_whole:
                return self._asked(parse_whole, told.text, place)
            case Literal():
                return self._asked(_native, told.text, place)
            case str() if shape.is_whole and not shape.is_text and not self._is_strict:
                return self._asked(parse_whole, told, place)
            case str() if not told.isascii() and not _is_unicode(told):
                raise _fault(Malformed, self._where, place, f"{told!r} is no text")
            case _:
                return told

    def _number(self, told: object, shape: _Shape, place: Place) -> Decimal | None:
        match told:
            case Literal():
                return self._asked(parse_venue, told.text, place)
            case str():
                return self._asked(self._decimal, told, place)
            case Decimal() | int() if not isinstance(told, bool):
                return self._asked(number, told, place)
            case None if shape.may_be_none:
                return None
            case _:
                raise _fault(Malformed, self._where, place, "expected a number")

    def _asked(self, read: Callable[[_S], _T], told: _S, place: Place) -> _T:
        try:
            return read(told)
        except InputError as error:
            said = error.message.removeprefix("number: ")
            raise _fault(type(error), self._where, place, said) from None


def _native(text: str) -> object:
    """Return a number of JSON where no decimal is wanted, for the record to judge."""
    with suppress(msgspec.MsgspecError):  # such as NaN, or one too large for its kind
        return msgspec.json.decode(text)
    raise NotExact(f"{text:.80} is no number that JSON has", value=text)


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be written: JSON may escape half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _expected(said: str, shape: _Shape) -> tuple[Place, str]:
    """Say what is wrong at a place in words that name what there is, and which field of it."""
    if (found := _WRONG.fullmatch(said)) and shape.words:
        return (), f"{found['word']} is none of {', '.join(shape.words)}"
    if found := _ALIEN.fullmatch(said):
        near = get_close_matches(found["name"], shape.fields, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return (found["name"],), f"there is no such field{hint}"
    if found := _LACKING.fullmatch(said):
        return (found["name"],), "is missing"
    return (), said


def _made(kinds: Iterable[inspect.Type]) -> _Shape:
    flat = [part for kind in kinds for part in _parts(kind)]
    types = {type(part) for part in flat}
    fields: dict[str, list[inspect.Type]] = {}
    each: list[inspect.Type] = []
    for part in flat:
        match part:
            case inspect.StructType(fields=named):
                for field in named:
                    fields.setdefault(field.encode_name, []).append(field.type)
            case inspect.DictType(value_type=value):
                each.append(value)
            case inspect.TupleType(item_types=items):
                each.extend(items)
            case inspect.CollectionType(item_type=item):
                each.append(item)
            case _:
                pass
    return _Shape(
        is_number=inspect.DecimalType in types,
        is_whole=inspect.IntType in types and inspect.FloatType not in types,
        is_text=inspect.StrType in types,
        may_be_none=bool(types & {inspect.NoneType, inspect.AnyType}),
        words=tuple({str(word): None for part in flat for word in _words(part)}),
        fields={name: _made(kinds) for name, kinds in fields.items()},
        each=_made(each) if each else None,
    )


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    match kind:
        case inspect.UnionType(types=types):
            for each in types:
                yield from _parts(each)
        case inspect.Metadata(type=inner):
            yield from _parts(inner)
        case _:
            yield kind


def _words(kind: inspect.Type) -> Iterable[object]:
    match kind:
        case inspect.EnumType(cls=cls):
            return [each.value for each in cls]
        case inspect.LiteralType(values=words):
            return words
        case _:
            return ()
