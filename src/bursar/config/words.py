"""What is wrong with a setting, in plain words, and which key was meant by an unknown one."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from pydantic import AfterValidator
from pydantic_core import ErrorDetails

from bursar.errors import BadChoice

Place = tuple[int | str, ...]

_EXPECTED: Final = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_inexact": "a day such as 2023-05-01",
    "date_from_datetime_parsing": "a day such as 2023-05-01",
    "date_parsing": "a day such as 2023-05-01",
    "decimal_type": "a number",
    "dict_type": "keys with values under it",
    "enum": "{expected}",
    "finite_number": "a number",
    "greater_than_equal": "{ge} or more",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "less_than_equal": "{le} or less",
    "literal_error": "{expected}",
    "model_type": "keys with values under it",
    "path_type": "the name of a file",
    "string_type": "text",
    "tuple_type": "a list",
}


def form(pattern: str, said: str) -> AfterValidator:
    """Return what takes only text that fits a pattern as a whole, and says what is expected."""
    fits = re.compile(pattern, re.ASCII).fullmatch

    def taken(text: str) -> str:
        if fits(text) is None:
            raise ValueError(said)
        return text

    return AfterValidator(taken)


def place_of(error: ErrorDetails) -> Place:
    """Return where a setting is wrong, as deep as is known."""
    behind = _behind(error)
    if behind is None:
        return error["loc"]
    field = str(behind.context.get("field") or "")
    return (*error["loc"], *(each for each in field.split(".") if each))


def said_of(error: ErrorDetails, place: Place, known: Iterable[Place]) -> str:
    """Say what was expected at a place, or that no such key is known and which was meant."""
    if error["type"] == "extra_forbidden":
        near = nearest(tuple(each for each in place if isinstance(each, str)), known)
        return f"there is no such key{f'; did you mean {near}?' if near else ''}"
    if error["type"] in _EXPECTED:
        told = _EXPECTED[error["type"]].format(**error.get("ctx", {}))
        return f"expected {told.replace(chr(39), '')}"
    behind = _behind(error)
    if behind is not None:
        said = behind.message.removeprefix(f"{behind.context.get('field')}: ")
        return said[:1].lower() + said[1:]
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"expected {said[:1].lower()}{said[1:]}"


def _behind(error: ErrorDetails) -> BadChoice | None:
    """Return what a reader of ours had to say: that of a number, or of `capital:`."""
    cause = getattr(error.get("ctx", {}).get("error"), "__cause__", None)
    return cause if isinstance(cause, BadChoice) else None


def nearest(place: Place, known: Iterable[Place]) -> str | None:
    """Return the known key that was most likely meant: one beside it, or that name elsewhere."""
    *above, name = place
    keys = [tuple(each) for each in known]
    beside = [str(each[-1]) for each in keys if list(each[:-1]) == above]
    found = get_close_matches(str(name), beside, 1)
    elsewhere = [".".join(map(str, each)) for each in keys if each[-1] == name]
    return found[0] if found else elsewhere[0] if len(elsewhere) == 1 else None
