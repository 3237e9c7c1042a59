"""A word that is none of those that a place knows: which there are is said."""

from collections.abc import Mapping
from enum import Enum
from typing import Literal

import msgspec
import pytest

from bursar.ledger import expected


class Way(Enum):
    UP = "up"
    DOWN = "down"


class Part(msgspec.Struct):
    way: Way | None = None
    size: Literal["big", "small"] = "big"
    count: int = 0


class Whole(msgspec.Struct):
    part: Part = msgspec.field(default_factory=Part)
    parts: tuple[Part, ...] = ()
    named: Mapping[str, Part] = {}
    pair: tuple[Part, Part] | None = None


@pytest.mark.parametrize(
    "told, said",
    [
        ({"part": {"way": "left"}}, "'left' is none of up, down - at `$.part.way`"),
        ({"parts": [{"size": "no"}]}, "'no' is none of big, small - at `$.parts[0].size`"),
        ({"named": {"a.b": {"way": ""}}}, "'' is none of up, down - at `$.named[...].way`"),
        ({"part": {"count": "x"}}, "Expected `int`, got `str` - at `$.part.count`"),
    ],
)
def test_words_that_there_are_are_said(told, said):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(told, Whole)
    assert expected.told(caught.value, Whole) == said


def test_of_a_pair_of_records_it_is_said_once():
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"pair": [{}, {"way": "x"}]}, Whole)
    assert expected.told(caught.value, Whole) == "'x' is none of up, down - at `$.pair[1].way`"


def test_a_word_alone_needs_no_place():
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert("x", Way)
    assert expected.told(caught.value, Way) == "'x' is none of up, down"
