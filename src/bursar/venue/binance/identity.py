"""Identity of rows that have no id: what they say, and which of the equal ones they are.

Two rows of one file that say the same are two facts; the same row in two files is one. So an id is
the content of a row and its number among the rows of equal content: `#1`, `#2`. Of several
overlapping files the one that has the most equal rows decides how many there are.

The API tells trades with ids, but no export does. So what the API tells is known by its content
too, the numbers counted over whole seconds, and both are one fact.

Content is only what no generation of an export says otherwise: time, place, asset and amount; the
name of an operation is not. Rows of equal content but different names are numbered by their names,
whatever their order in the file. A list of the API that is looked at again may tell one late: it is
numbered behind those that were told before, which keep their numbers.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from bursar.ledger import instant

_R = TypeVar("_R")


def numbered(
    rows: Sequence[_R],
    content: Callable[[_R], str],
    order: Callable[[_R], tuple[str, ...]],
    *,
    late: Collection[int] = (),
) -> list[str]:
    """Return an id for each row, unique in the file and equal in every file.

    Of equal rows those at the places that are `late` are the last.
    """
    contents = [content(row) for row in rows]
    ids = [""] * len(rows)
    counted: dict[str, int] = {}

    def rank(place: int) -> tuple[str, bool, tuple[str, ...]]:
        return contents[place], place in late, order(rows[place])

    for place in sorted(range(len(rows)), key=rank):
        said = contents[place]
        counted[said] = counted.get(said, 0) + 1
        ids[place] = f"{said}#{counted[said]}"
    return ids


def ranks(instants: Iterable[int]) -> list[int]:
    """Count each row's place among the rows of its instant, oldest first."""
    found: list[int] = []
    counted: dict[int, int] = {}
    for at in instants:
        found.append(counted.get(at, 0))
        counted[at] = found[-1] + 1
    return found


def stamp(at: int) -> str:
    """Write the second of an instant for an id, since exports know no finer: `20250301T120000Z`."""
    return instant.show(at - at % instant.SECOND).replace("-", "").replace(":", "")
