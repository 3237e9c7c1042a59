"""A JSON file of objects, read as a table: a field is a column, an object a row.

The objects may stand in one array, in several arrays one after the other (pages put together), in
an array of pages, or bare, one after the other. Numbers are taken by their text, so no digit is
lost; a field that is absent or null is an empty cell, and fields nobody asked for are passed over.
Objects are decoded one at a time.

Errors
- `Malformed`: no JSON, cut off, nested too deeply, a field that stands twice or holds another kind
  of value than it should; with line, and field where there is one.
- `OutOfBounds`: more bytes than the door lets in; rows and cells as `Table` limits them.
- `UnknownFormat`: JSON, but not objects with the fields that tell the format.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bursar.errors import Malformed, OutOfBounds, UnknownFormat
from bursar.venue.files import table
from bursar.venue.files.table import Progress, Table, readable

PAGES_DEEP: Final = 2
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_NAME_MAX: Final = 60
_HEAD: Final = 4096
_REPORT_EVERY: Final = 1024 * 1024


class Number(msgspec.Struct, frozen=True):
    """A number by its text, told apart from text in quotes."""

    text: str


class Twice(msgspec.Struct, frozen=True):
    """What stands for an object that names a field twice."""

    field: str


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What to read of each object: fields of text, fields of numbers, and those it is known by."""

    texts: frozenset[str]
    numbers: frozenset[str]
    known_by: frozenset[str]
    said: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Every field, in a fixed order."""
        return tuple(sorted(self.texts | self.numbers))


def is_json(path: Path) -> bool:
    """Tell by a file's beginning whether it is JSON."""
    with readable(path) as file:
        return file.read(_HEAD).lstrip(_BLANK)[:1] in {b"[", b"{"}


@contextmanager
def opened_objects(
    path: Path, fields: Fields, *, progress: Progress | None = None
) -> Iterator[Table]:
    """Open a JSON file as a table of the given fields."""
    text = _text(path)
    records = _records(path.name, text, fields, _told(len(text), progress))
    yield Table(path.name, fields.columns, records, cell="field")


def _text(path: Path) -> str:
    with readable(path) as file:
        raw = file.read(table.BYTES_MAX + 1)
    if len(raw) > table.BYTES_MAX:
        raise OutOfBounds(
            f"{path.name}: over {table.BYTES_MAX >> 20} MiB; split the file by date",
            file=path.name,
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Malformed(
            f"{path.name}, line {line}: a byte 0x{raw[error.start]:02x}, expected UTF-8 text",
            file=path.name,
            line=line,
        ) from None


def _records(
    name: str, text: str, fields: Fields, told: Callable[[int], None]
) -> Iterator[tuple[int, list[str]]]:
    columns = fields.columns
    faults = Table(name, columns, iter(()), cell="field")
    line, counted, is_known = 1, 0, False
    for start, found in _objects(name, text):
        line += text.count("\n", counted, start)
        counted = start
        told(start)
        if isinstance(found, Twice):
            named = found.field[:_NAME_MAX]
            raise faults.fault(line, named, found.field, "each field once")
        if not is_known and not fields.known_by <= found.keys():
            raise UnknownFormat(
                f"{name}, line {line}: JSON, but not {fields.said}: expected objects with"
                f" {' and '.join(sorted(fields.known_by))}",
                file=name,
                line=line,
            )
        is_known = True
        yield line, [_cell(faults, fields, line, column, found.get(column)) for column in columns]
    told(len(text))


def _cell(faults: Table, fields: Fields, line: int, column: str, value: object) -> str:
    """Return a value as the text of a cell, or say what it should be."""
    if value is None:
        return ""
    wants_number = column in fields.numbers
    if isinstance(value, Number) and wants_number:
        return value.text
    if isinstance(value, str) and "\0" not in value and _is_unicode(value):
        return value
    raise faults.fault(line, column, _shown(value), "a number" if wants_number else "text")


def _shown(value: object) -> str:
    """Write a value of the wrong kind, without looking into what may be nested deeply."""
    match value:
        case Number():
            return value.text
        case bool():
            return "true" if value else "false"
        case list():
            return "[…]"
        case str():
            return value
        case _:
            return "{…}"


def _is_unicode(text: str) -> bool:
    """Tell whether a text is whole: JSON may escape half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _objects(name: str, text: str) -> Iterator[tuple[int, dict[str, object] | Twice]]:
    """Yield each object with the place where it starts."""
    depth, is_open, needs_value = 0, True, False
    at = _after_blanks(text, 0)
    while at < len(text):
        mark, start = text[at], at
        at += 1
        if mark == "{" and is_open:
            found, at = _object(name, text, start)
            yield start, found
            is_open = needs_value = False
        elif mark == "[" and is_open and depth < PAGES_DEEP:
            depth, needs_value = depth + 1, False
        elif mark == "]" and depth and not needs_value:
            depth, is_open = depth - 1, False
        elif mark == "," and depth and not is_open:
            is_open = needs_value = True
        else:
            raise _wrong(name, text, start, repr(mark), "objects, separated by commas")
        is_open = is_open or not depth
        at = _after_blanks(text, at)
    if depth:
        raise _wrong(name, text, at, "the end", "the array to close; is the file cut off?")


def _object(name: str, text: str, start: int) -> tuple[dict[str, object] | Twice, int]:
    try:
        found, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        expected = "JSON; is the file cut off?"
        raise _wrong(name, text, min(error.pos, len(text)), error.msg, expected) from None
    except RecursionError:
        raise _wrong(name, text, start, "values in values", "a flat object") from None
    assert isinstance(found, dict | Twice), "an object stands here"
    return found, end


def _once(pairs: list[tuple[str, object]]) -> dict[str, object] | Twice:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    counted = Counter(name for name, _ in pairs)
    return Twice(next(name for name, times in counted.items() if times > 1))


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=Number, parse_int=Number, parse_constant=Number
)


def _after_blanks(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _wrong(name: str, text: str, at: int, found: str, expected: str) -> Malformed:
    line = text.count("\n", 0, at) + 1
    return Malformed(
        f"{name}, line {line}: {found}, expected {expected}", file=name, line=line, value=found
    )


def _told(total: int, progress: Progress | None) -> Callable[[int], None]:
    """Return what tells the progress, about once a megabyte and at the end."""
    reported = 0

    def tell(done: int) -> None:
        nonlocal reported
        if progress is not None and (done - reported >= _REPORT_EVERY or done == total):
            reported = done
            progress(done, total)

    return tell
