"""A JSON document as it was told: every number by its own text, and no name twice.

Errors: `Malformed` for what is no such document, the numbers' own errors.
"""

import json
from typing import TypeVar

from bursar.errors import Malformed
from bursar.ledger.told import record, values

_T = TypeVar("_T")


def document(body: bytes, kind: type[_T], name: str) -> _T:
    """Read a JSON document of a kind.

    Raises:
        Malformed, NotExact, OutOfBounds: naming the document and the place in it.
    """
    try:
        told = values(body)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Malformed(f"{name}: no JSON document at {place}: {error.msg}", file=name) from None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{name}: {error}", file=name) from None
    return record(told, kind, lambda _: (name, None))
