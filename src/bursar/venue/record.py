"""A venue's answer as a record: the fields that are needed, digit for digit; the rest is passed
over.

Amounts are texts or JSON numbers, both exact. New fields come at any time and old ones go, so
little is required.

Errors: `VenueGarbled`, naming the answer and the field, never what stands in it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeVar

import msgspec

from bursar import exact
from bursar.errors import NotExact, OutOfBounds, VenueGarbled

_T = TypeVar("_T")


def read(venue: str, name: str, kind: type[_T], said: object) -> _T:
    """Read a venue's answer, or a part of one, as a record."""
    try:
        found = msgspec.convert(said, kind)
        exact.require_plain(said, found, field=name)
        for number in _numbers(found):
            exact.number(number, strict_numbers=True)
    except msgspec.ValidationError as error:
        raise VenueGarbled(f"{venue}'s {name}: {error}", answer=name) from None
    except (NotExact, OutOfBounds):
        expected = "numbers of at most 20 and 18 digits"
        raise VenueGarbled(f"{venue}'s {name}: expected {expected}", answer=name) from None
    return found


def _numbers(found: object) -> Iterator[Decimal]:
    """Yield every number in a record, however deep."""
    match found:
        case Decimal():
            yield found
        case msgspec.Struct():
            for name in found.__struct_fields__:
                yield from _numbers(getattr(found, name))
        case list():
            for each in found:
                yield from _numbers(each)
        case dict():
            for each in found.values():
                yield from _numbers(each)
        case _:
            pass
