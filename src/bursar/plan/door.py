"""The door for numbers and times of a plan's inputs: exact, bounded, and one text for one value.

Equal inputs must have equal bytes, whatever the order or the zeros they were written with: mappings
are kept sorted, numbers without trailing zeros, times in UTC.

Errors: `NotExact`, `OutOfBounds` for a number, `Malformed` for a name or a time.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import BadChoice, Malformed
from bursar.exact import INTEGER_DIGITS, ZERO, number, trimmed
from bursar.ledger import instant

_ADJUSTED_MAX: Final = 2 * INTEGER_DIGITS  # what is farther off is no number of this world


def exactly(value: object, field: str) -> Decimal:
    """Take a number, without its trailing zeros; nothing is always the same `ZERO`.

    A record leaves out a field that is its default, and knows that by its identity.
    """
    if isinstance(value, Decimal) and value.is_finite():
        if not value:
            return ZERO
        if abs(value.adjusted()) <= _ADJUSTED_MAX:
            value = trimmed(value)
    return Decimal(trimmed(number(value, field=field))) or ZERO


def at_least_zero(value: object, field: str) -> Decimal:
    """Take a number that is not negative."""
    taken = exactly(value, field)
    if taken < ZERO:
        raise BadChoice(f"{field}: {taken} is below zero", field=field, value=taken)
    return taken


def share_of_one(value: object, field: str) -> Decimal:
    """Take a number from 0 to 1."""
    taken = at_least_zero(value, field)
    if taken > 1:
        raise BadChoice(f"{field}: {taken} is above 1", field=field, value=taken)
    return taken


def by_symbol(values: Mapping[str, Decimal], field: str) -> dict[str, Decimal]:
    """Take numbers by symbol, sorted."""
    named(values, field)
    return {symbol: exactly(values[symbol], f"{field}.{symbol}") for symbol in sorted(values)}


def named(symbols: Iterable[str], field: str) -> tuple[str, ...]:
    """Take names, each once and sorted."""
    taken = tuple(sorted(set(symbols)))
    for name in taken:
        if not name or not name.isprintable() or name != name.strip():
            raise Malformed(f"{field}: {name!r} is no symbol", field=field, value=name)
    return taken


def moment(text: str, field: str) -> str:
    """Take a time in one spelling; an empty one is unknown."""
    return instant.show(instant.parse(text, field=field)) if text else ""


def put(record: msgspec.Struct, **values: object) -> None:
    """Set fields of a frozen record that is being made."""
    for field, value in values.items():
        msgspec.structs.force_setattr(record, field, value)
