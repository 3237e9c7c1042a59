"""The projection: a book as named cells of canonical text, and its digest.

A cell holds one key of one of the book's mappings. Numbers are written without trailing zeros, so
that one value has one text, `unknown` and `unseen` only where there is any, and `leverage` where it
was told; lots are left out of the cells, being derived from the journal, and are part of the
digest. Two books with equal digests are equal in everything a reader can ask.

Errors: none.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256

import msgspec

from bursar.exact import trimmed
from bursar.ledger.book import STATE, Book, own_changes
from bursar.ledger.lots import Lot

_View = Callable[[Mapping[object, object]], Mapping[object, object]]
_JSON = json.JSONEncoder(ensure_ascii=False).encode  # made once: each use of `dumps` makes one
_SECTIONS = tuple(name for name in STATE if name != "undo")


def cells(book: Book) -> dict[str, str]:
    """Return the whole projection: cell name → text. O(keys)."""
    return dict(_cells(book, lambda mapping: mapping))


def touched(fork: Book) -> dict[str, str]:
    """Return the cells that a fork has changed. O(keys changed)."""
    return dict(_cells(fork, own_changes))


def difference(before: Book, after: Book) -> dict[str, str | None]:
    """Return what turns one book's projection into another's; `None` where a cell is gone.

    O(keys), and writing out what differs: equal values have equal texts.
    """
    changed: dict[str, str | None] = {}
    for section in _SECTIONS:
        old, new = getattr(before, section), getattr(after, section)
        for key, value in new.items():
            known = old.get(key)
            if known is not value and (known is None or known != value):
                changed[_name(section, key)] = _text(value)
        changed.update(dict.fromkeys(_name(section, key) for key in old if key not in new))
    return changed


def digest(book: Book) -> str:
    """Return a hash of everything in the book, lots included."""
    state = cells(book)
    for place in sorted(book.holdings):
        lots = [_lot(lot) for lot in book.lots(*place)]
        state[json.dumps(["lots", *place])] = json.dumps(lots)
    return sha256(json.dumps(sorted(state.items())).encode()).hexdigest()


def _cells(book: Book, layer: _View) -> Iterator[tuple[str, str]]:
    for section in _SECTIONS:
        for key, value in layer(getattr(book, section)).items():
            yield _name(section, key), _text(value)


@lru_cache(maxsize=4_096)
def _name(section: str, key: object) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return _JSON([section, *parts])


def _text(value: object) -> str:
    """Return the text of a value. The keys of a record are names and its numbers digits, so the
    encoder has nothing to look for in them.
    """
    if not isinstance(value, msgspec.Struct) or isinstance(value, Lot):
        return _part(value)
    parts = [(name, getattr(value, name)) for name in value.__struct_fields__]
    told = [f'"{name}": {_part(part)}' for name, part in parts if _is_told(name, part)]
    return "{" + ", ".join(told) + "}"


def _part(value: object) -> str:
    if isinstance(value, Decimal):
        return f'"{trimmed(value)}"'
    if type(value) is int:
        return str(value)
    return "[]" if value == () else _JSON(_plain(value))


def _is_told(name: str, part: object) -> bool:
    match name:
        case "pool":
            return False
        case "unknown" | "unseen":
            return bool(part)
        case "leverage":
            return part is not None
        case _:
            return True


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return trimmed(value)
    if isinstance(value, Lot):
        return _lot(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, msgspec.Struct):
        named = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _plain(each) for name, each in named if _is_told(name, each)}
    return value


def _lot(lot: Lot) -> list[str | int]:
    return [lot.id, lot.acquired_at, trimmed(lot.quantity), trimmed(lot.cost)]
