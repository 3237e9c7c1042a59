"""Numbers of settings, read from plain text alone.

A library takes `1_000` for a thousand, and digits of any script, which nobody means who writes so.

Errors: those of the library, which `words` turns into ours.
"""

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticKnownError

_PLAIN: Final = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,38})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_DIGITS: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def _decimal(told: object) -> object:
    if isinstance(told, str) and _PLAIN.fullmatch(told.strip()) is None:
        raise PydanticKnownError("decimal_parsing")
    return told


def _integer(told: object) -> object:
    if isinstance(told, str) and _DIGITS.fullmatch(told.strip()) is None:
        raise PydanticKnownError("int_parsing")
    return told


Whole = Annotated[int, BeforeValidator(_integer)]
Amount = Annotated[
    Decimal, BeforeValidator(_decimal), Field(ge=0, max_digits=38, allow_inf_nan=False)
]
