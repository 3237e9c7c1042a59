"""Figures for a reader: grouped, signed, coloured, rounded for the eye unless every digit is asked.

A gain is green and has a plus, a loss is red and has a minus, so the sign says it without colour.
Zero is dim. What is not known is the word, never a zero.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from rich.text import Text

from bursar.exact import Rounding, quantise, show, trimmed
from bursar.ledger import instant
from bursar.ledger.currencies import places

UNKNOWN: Final = "unknown"
NOTHING: Final = "—"
_CENTS: Final = 2
_PRICED: Final = 6
_UNITS: Final = (
    ("y", 365 * instant.DAY),
    ("d", instant.DAY),
    ("h", instant.HOUR),
    ("min", instant.MINUTE),
    ("s", instant.SECOND),
)


class Figures(msgspec.Struct, frozen=True):
    """How figures are written: for reading, or with every digit.

    `cents` is how many decimals an amount of base currency is read with.
    """

    is_exact: bool = False
    cents: int = _CENTS

    def of(self, base: str) -> "Figures":
        """Return the same for another base currency: what is finer than cents needs its digits."""
        return Figures(self.is_exact, max(_CENTS, places(base)))

    def money(self, value: Decimal | None) -> Text:
        """Write an amount of base currency without a sign for gains."""
        if value is None:
            return unknown()
        return Text(self._digits(value), style="" if value else "dim")

    def gain(self, value: Decimal | None) -> Text:
        """Write an amount that is good above zero and bad below."""
        if value is None:
            return unknown()
        sign = "+" if value > 0 else ""
        style = "green" if value > 0 else "red" if value < 0 else "dim"
        return Text(sign + self._digits(value), style=style)

    def quantity(self, value: Decimal | None) -> Text:
        """Write units, every digit but trailing zeros."""
        if value is None:
            return unknown()
        return Text(grouped(value), style="" if value else "dim")

    def price(self, value: Decimal | None) -> Text:
        """Write a price: what is derived is cut for the eye to what is worth reading."""
        if value is None:
            return Text(NOTHING, style="dim")
        if self.is_exact:
            return Text(grouped(value))
        is_dear = abs(value) >= 1000  # noqa: PLR2004 (a coin or a cent)
        decimals = _CENTS if is_dear else max(_PRICED, self.cents)
        rounded = quantise(value, Decimal(1).scaleb(-decimals), Rounding.HALF_EVEN)
        return Text(grouped(rounded or value))

    def percent(self, value: Decimal | None) -> Text:
        """Write a percentage, one decimal."""
        if value is None:
            return Text(NOTHING, style="dim")
        text = grouped(value) if self.is_exact else show(value, places=1)
        return Text(f"{text} %", style="" if value else "dim")

    def _digits(self, value: Decimal) -> str:
        if self.is_exact:
            return grouped(value)
        text = show(value, places=self.cents)
        return f"-{text}" if value < 0 and not text.startswith("-") else text


def grouped(value: Decimal) -> str:
    """Write every digit but trailing zeros, thousands grouped."""
    return show(Decimal(trimmed(value)))


def count(number: int, noun: str) -> str:
    """Return how many there are of something: 1 moment, 1,200 moments."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def unknown() -> Text:
    """Return the word for what is not known."""
    return Text(UNKNOWN, style="yellow")


def age(nanoseconds: int) -> str:
    """Write how long ago, in the largest unit that fits: `3 d`; `3 d ahead` of what is to come."""
    if nanoseconds < 0:
        return f"{age(-nanoseconds)} ahead"
    for name, unit in _UNITS:
        if nanoseconds >= unit:
            return f"{nanoseconds // unit} {name}"
    return "now"


def minute(at: int | datetime) -> str:
    """Write a time to the minute, UTC."""
    since = at if isinstance(at, int) else instant.from_datetime(at)
    return instant.show(since)[:16].replace("T", " ")


def day(at: int) -> str:
    """Write a time's day, UTC."""
    return instant.day(at)


def word(text: str | None) -> Text:
    """Write a name that may be missing."""
    return Text(text) if text else Text(NOTHING, style="dim")
