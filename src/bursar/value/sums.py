"""A sum that lets go of what it was given.

It is exact, and it is written as if what is in it had been added up anew: with as many decimals as
the finest number that is still there. So a sum that was kept cannot be told from a fresh one.

Errors: none.
"""

from decimal import Decimal

from bursar.exact import ONE, ZERO, money


class Sum:
    """The sum of the numbers in it. `swap` is O(1), inside the money context."""

    __slots__ = ("_counts", "_total")

    def __init__(self) -> None:
        self._total = ZERO
        self._counts: dict[int, int] = {0: 1}

    def swap(self, old: Decimal | None, new: Decimal | None) -> None:
        """Let go of one number and take in another; `None` is none."""
        if old is not None and new is not None and old.same_quantum(new):
            self._total += new - old  # as many decimals come as go
            return
        if old is not None:
            self._total -= old
            self._count(old, -1)
        if new is not None:
            self._total += new
            self._count(new, 1)

    @property
    @money
    def value(self) -> Decimal:
        """The sum; of nothing it is 0."""
        return self._total.quantize(ONE.scaleb(min(self._counts)))

    def _count(self, number: Decimal, by: int) -> None:
        places = number.as_tuple().exponent
        assert isinstance(places, int), "only finite numbers are added up"
        left = self._counts.get(places, 0) + by
        if left:
            self._counts[places] = left
        else:
            del self._counts[places]
