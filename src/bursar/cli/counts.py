"""Whole numbers and spans of time on a command line, from plain digits alone.

The library that reads arguments takes `1_0` for ten, `0x5` for five and 2.6 for three: too kind
where the number says which break is accepted.

Errors: `ValueError`, which the library tells with the option's name.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Final

from cyclopts import Parameter, Token

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_REAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


def whole(_: object, tokens: Sequence[Token]) -> int:
    """Read a whole number."""
    return int(_plain(tokens, _WHOLE, "a whole number such as 10"))


def _real(_: object, tokens: Sequence[Token]) -> float:
    return float(_plain(tokens, _REAL, "a number such as 2.5"))


def _plain(tokens: Sequence[Token], form: re.Pattern[str], wanted: str) -> str:
    said = tokens[0].value
    if form.fullmatch(said) is None:
        raise ValueError(f"{said!r} is not {wanted}")
    return said


def _which(_: object, tokens: Sequence[Token]) -> int | str:
    said = tokens[0].value
    if ":" in said:
        return said
    return int(_plain(tokens, _WHOLE, "a whole number such as 1, nor an id, as `drift` shows both"))


Whole = Annotated[int, Parameter(converter=whole)]
Real = Annotated[float, Parameter(converter=_real)]
Which = Annotated[int | str, Parameter(converter=_which)]
