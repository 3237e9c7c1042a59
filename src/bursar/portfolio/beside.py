"""Beside: what is made of things, each kept beside the very thing it was made of.

What is valued, shown and spelled are records that never change, made anew only where something is
other than before (`value.running`). So whether a row still stands needs no word of what happened:
it does if the thing it was made of is the same object. What is made of each thing must rest on
that thing alone.

Errors: those of the maker.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

_A = TypeVar("_A")
_B = TypeVar("_B")

Beside = Mapping[int, tuple[_A, _B]]
"""Things and what was made of them, in order, by identity; the things stay, so that it does."""


def beside(things: Iterable[_A], known: Beside[_A, _B], make: Callable[[_A], _B]) -> Beside[_A, _B]:
    """Return each thing and what is made of it. O(things), and `make` for those not known."""
    return {
        id(each): known[id(each)] if id(each) in known else (each, make(each)) for each in things
    }
