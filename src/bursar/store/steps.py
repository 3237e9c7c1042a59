"""The steps of a commit, by name, so that a test can break off at each one.

A store calls its `steps` with a name when that step is done. `before_commit` is the last one that
can still be undone; `after_commit` comes when all is written and nobody has been told. In a group
of commits, all of them can be undone until the group is over.
"""

from collections.abc import Callable
from typing import Final

Steps = Callable[[str], None]

STEPS: Final = (
    "begin",
    "version",
    "journal",
    "cells",
    "trades",
    "flows",
    "outbox",
    "before_commit",
    "after_commit",
)


def unwatched(_name: str) -> None:
    """Take no notice: the ordinary case."""
