"""Numbers of settings: text is read by the one rule of `exact`.

Errors: those of the library, which `words` turns into ours.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from bursar.errors import BadChoice, InputError
from bursar.exact import parse, parse_whole


def _text(read: Callable[[str], object]) -> BeforeValidator:
    def taken(told: object) -> object:
        try:
            return read(told) if isinstance(told, str) else told
        except InputError as error:
            said = error.message.removeprefix("number: ")
            raise ValueError(said) from BadChoice(said)  # `words` asks it what is wrong

    return BeforeValidator(taken)


Whole = Annotated[int, _text(parse_whole)]
Amount = Annotated[Decimal, _text(parse), Field(ge=0, allow_inf_nan=False)]
