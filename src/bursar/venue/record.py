"""A venue's answer as a record: the fields that are needed, digit for digit; the rest is passed
over.

Amounts are texts or JSON numbers, both exact. New fields come at any time and old ones go, so
little is required.

Errors: `VenueGarbled`, naming the answer and the field, never what stands in it.
"""

from typing import TypeVar

from bursar import exact
from bursar.errors import Malformed, NotExact, OutOfBounds, VenueGarbled
from bursar.ledger import told

_T = TypeVar("_T")


def read(venue: str, name: str, kind: type[_T], said: object) -> _T:
    """Read a venue's answer, or a part of one, as a record."""
    try:
        return told.record(said, kind, text_number=exact.parse_venue)
    except Malformed as error:
        raise VenueGarbled(f"{venue}'s {name}: {error.message}", answer=name) from None
    except (NotExact, OutOfBounds) as error:
        expected = "expected a number of at most 20 and 18 digits"
        place = error.context["field"]
        raise VenueGarbled(f"{venue}'s {name}: {place}: {expected}", answer=name) from None
