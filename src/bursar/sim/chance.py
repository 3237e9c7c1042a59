"""Chance: every choice of a world comes from one seed, by way of named streams.

A stream depends on the seed and its own name and on nothing else, so that a new stream, or one more
draw from an old one, leaves all the others as they were.
"""

from random import Random


class Streams:
    """The streams of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def named(self, *names: object) -> Random:
        """Return the stream of that name, from its beginning."""
        return Random("/".join(str(part) for part in (self._seed, *names)))  # noqa: S311


def hits(chance: Random, rate: float) -> bool:
    """Tell whether something that happens at that rate happens now; draws once whatever it is."""
    return chance.random() < rate
