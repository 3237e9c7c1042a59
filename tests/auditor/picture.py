"""A book as plain values that can be compared, and as one hash.

Every number is written without trailing zeros, so that equal values look alike; the arrangement of
lots inside a rule is left out, the lots themselves are in.
"""

import hashlib
from decimal import Decimal
from enum import Enum

import msgspec

from bursar.exact import money, trimmed
from bursar.ledger.book import STATE


def digest(book):
    """One hash for everything a book holds."""
    return hashlib.sha256(repr(picture(book)).encode()).hexdigest()


@money
def picture(book):
    """Everything a book holds, as sorted tuples of text and numbers."""
    found = {name: _plain(dict(getattr(book, name))) for name in STATE if name != "holdings"}
    found["holdings"] = {
        "/".join(key): _plain(
            {
                "quantity": holding.quantity,
                "cost": holding.cost,
                "owed": holding.owed,
                "lots": None if book.is_wac else book.rule.lots(holding.pool),
            }
        )
        for key, holding in sorted(book.holdings.items())
    }
    return found


def _plain(value):
    if isinstance(value, Decimal):
        return trimmed(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        return {name: _plain(getattr(value, name)) for name in names if name != "pool"}
    if isinstance(value, dict):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
