"""Seconds that belong together, because one group's statements lie on both ends of them.

A checkpoint may not come between: what is told of such a group later would reach behind it. A span
never shrinks.

Errors: none of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry

Span = tuple[int, int]  # the first and the last second


class Spans:
    """The spans of the groups that have been told, and those that are expected to come."""

    def __init__(self) -> None:
        self.expected: tuple[Span, ...] = ()
        self._known: dict[str, Span] = {}

    def __iter__(self) -> Iterator[Span]:
        """Yield all spans."""
        yield from self._known.values()
        yield from self.expected

    def tell(self, groups: Mapping[str, Sequence[AnyEntry]]) -> None:
        """Learn what groups consist of now."""
        for name, statements in groups.items():
            if len(statements) > 1 and not (_is_at_once(statements) and name not in self._known):
                self.widen(name, statements)

    def widen(self, name: str, statements: Iterable[AnyEntry]) -> None:
        """Take more of a group's statements into its span."""
        seconds = [each.executed_at // instant.SECOND for each in statements]
        seconds += self._known.get(name, ())
        if min(seconds) < max(seconds):
            self._known[name] = (min(seconds), max(seconds))

    def trim(self, second: int) -> None:
        """Forget what does not reach beyond a second."""
        self._known = {name: span for name, span in self._known.items() if span[1] > second}
        self.expected = tuple(span for span in self.expected if span[1] > second)

    def copy(self) -> "Spans":
        """Return an independent copy."""
        twin = Spans()
        twin.expected, twin._known = self.expected, self._known.copy()
        return twin


def _is_at_once(statements: Sequence[AnyEntry]) -> bool:
    """Tell whether all of these are of one instant, as the rows of a trade are."""
    first = statements[0].executed_at
    for each in statements:  # noqa: SIM110 (asked of every group; `all` takes twice as long)
        if each.executed_at != first:
            return False
    return True
