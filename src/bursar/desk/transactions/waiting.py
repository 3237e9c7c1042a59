"""Waiting for the store without keeping an event loop waiting.

Each desk has one thread for what waits: the store's reads and writes of its transactions in
`async with`, one after another. The desk and its timeline stay with the loop's thread.

Errors: those of the work.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from bursar.desk.desk import Desk

_T = TypeVar("_T")
_WRITERS: Final[WeakKeyDictionary[Desk, ThreadPoolExecutor]] = WeakKeyDictionary()


async def aside(
    desk: Desk, work: Callable[[], _T], *, then: Callable[[Future[_T]], None] | None = None
) -> _T:
    """Do work in the desk's own thread; `then` looks, in this one, at what has become of it.

    Work that has begun is not broken off: who is cancelled meanwhile is so when it is done.
    """
    writer = _WRITERS.get(desk)
    if writer is None:
        writer = _WRITERS[desk] = ThreadPoolExecutor(1, thread_name_prefix="bursar-writer")
    future = asyncio.get_running_loop().run_in_executor(writer, work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as error:
            cancelled = error
    if then is not None:
        then(future)
    if cancelled is not None:
        raise cancelled
    return future.result()
