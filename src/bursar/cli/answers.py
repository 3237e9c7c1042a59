"""Answers as text: JSON for programs, and what of a stranger's text may reach a terminal.

JSON: decimals are strings in plain notation without trailing zeros, times are RFC 3339 with `Z`
(a whole number is one where its name is `at`, `as_of` or ends in `_at`), an unknown value is
`null`, and keys stay what they are.
"""

import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec

from bursar.exact import trimmed
from bursar.ledger import instant

_PLAIN: Final = {
    **dict.fromkeys("−–—─·", "-"),
    **dict.fromkeys("│├└", "|"),
    "✓": "+",
    "✗": "x",
    "×": "x",
    "→": ">",
    "Σ": "sum",
    "…": ".",
}


def json_text(answer: object) -> str:
    """Write an answer as JSON."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    return json.dumps(told(answer), indent=2, ensure_ascii=encoding != "utf8")


def json_pieces(answer: Mapping[str, object]) -> Iterator[str]:
    """Write an answer as JSON, the items of what it has iterators of one by one: memory does not
    grow with them. Put together, the pieces are what `json_text` makes of lists.
    """
    between = "{"
    for name, value in answer.items():
        yield f"{between}\n  {json_text(name)}: "
        if isinstance(value, Iterator):
            yield from _listed(value)
        else:
            yield _indented(json_text(_field(name, value)), 2)
        between = ","
    yield "{}" if between == "{" else "\n}"


def _listed(items: Iterator[object]) -> Iterator[str]:
    between = "["
    for each in items:
        yield f"{between}\n    {_indented(json_text(each), 4)}"
        between = ","
    yield "[]" if between == "[" else "\n  ]"


def _indented(text: str, depth: int) -> str:
    return text.replace("\n", "\n" + " " * depth)  # no text of JSON has a break in it


def told(value: object) -> object:  # noqa: PLR0911 (one way a kind)
    """Turn a value into what JSON has."""
    match value:
        case Decimal():
            return trimmed(value)
        case datetime():
            return moment(value)
        case Enum():
            return told(value.value)
        case Path():
            return str(value)
        case Mapping():
            return {str(key): _field(str(key), each) for key, each in value.items()}
        case msgspec.Struct():
            return {name: _field(name, getattr(value, name)) for name in value.__struct_fields__}
        case str() | int() | None:
            return value
        case Sequence() | set() | frozenset():
            return [told(each) for each in value]
        case _:
            return str(value)


def _field(name: str, value: object) -> object:
    is_instant = name in {"at", "as_of"} or name.endswith("_at")
    return instant.show(value) if is_instant and isinstance(value, int) else told(value)


def dated(value: object) -> object:
    """Turn a value into what JSON has, and each `day`, which rules count from 1970, into a date."""
    match told(value):
        case dict() as fields:
            return {
                name: instant.day(each * instant.DAY)
                if name == "day" and isinstance(each, int)
                else dated(each)
                for name, each in fields.items()
            }
        case list() as several:
            return [dated(each) for each in several]
        case plain:
            return plain


def moment(at: datetime) -> str:
    """Write a time as RFC 3339 UTC."""
    return instant.show(instant.from_datetime(at.astimezone(UTC)))


def plainly(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks as the nearest plain character: a ? instead of ✓ would doubt."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each, "?") for each in lacking), error.end


def printable(text: str) -> str:
    r"""Escape what would steer a terminal: `\x1b`, other controls, turns of writing direction."""
    if text.isprintable():
        return text
    return "".join(each if _is_harmless(each) else ascii(each)[1:-1] for each in text)


def _is_harmless(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
