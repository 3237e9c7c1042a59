"""Whole numbers and spans of time on a command line, from plain digits alone.

The library that reads arguments takes `1_0` for ten, `0x5` for five and 2.6 for three: too kind
where the number says which break is accepted. So they are read as every number is, by `exact`.

Errors: `ValueError`, which the library tells with the option's name.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from cyclopts import Parameter, Token

from bursar.errors import InputError
from bursar.exact import parse, parse_whole

_T = TypeVar("_T")


def whole(_: object, tokens: Sequence[Token]) -> int:
    """Read a whole number."""
    return _read(parse_whole, tokens)


def _real(_: object, tokens: Sequence[Token]) -> float:
    return float(_read(parse, tokens))


def _read(read: Callable[[str], _T], tokens: Sequence[Token], *, nor: str = "") -> _T:
    try:
        return read(tokens[0].value)
    except InputError as error:
        raise ValueError(f"{error.message.removeprefix('number: ')}{nor}") from None


def _which(_: object, tokens: Sequence[Token]) -> int | str:
    said = tokens[0].value
    if ":" in said:
        return said
    return _read(parse_whole, tokens, nor=", nor an id, as `drift` shows both")


Whole = Annotated[int, Parameter(converter=whole)]
Real = Annotated[float, Parameter(converter=_real)]
Which = Annotated[int | str, Parameter(converter=_which)]
