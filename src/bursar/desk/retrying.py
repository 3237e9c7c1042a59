"""Trying again because another writer was first.

The first try keeps nobody off. Before the next it waits for a moment that the clock's last digits
decide, so that writers do not meet again. The second has the store's lock, under which it takes up
what others have done and cannot be too late once more.

Errors: those of the work.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from bursar.desk.desk import Desk
from bursar.errors import StaleVersion

PAUSE_MS: Final = 2
PAUSE_MS_MAX: Final = 250

_T = TypeVar("_T")


def again(desk: Desk, work: Callable[[], _T]) -> _T:
    """Run work that stages and commits; run it anew if another writer was first.

    It must plan anew each time.
    """
    try:
        return work()
    except StaleVersion:
        pause(desk, 1)
    with desk.alone():
        return work()


def pause(desk: Desk, attempt: int) -> None:
    """Wait for up to twice as long as before: how long, the clock's last digits say."""
    if desk.wait is not None:
        longest = min(PAUSE_MS << attempt, PAUSE_MS_MAX)
        desk.wait(1 + desk.clock.now() // 1_000 % longest)
