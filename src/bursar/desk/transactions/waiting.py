"""Waiting for the store without keeping an event loop waiting.

Each desk has one thread for what waits: the store's reads and writes of its transactions in
`async with`, one after another. The desk and its timeline stay with the loop's thread.

Errors: those of the work.
"""

import asyncio
import os
from asyncio import Future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from bursar.desk.desk import Desk

_T = TypeVar("_T")
_WRITERS: Final[WeakKeyDictionary[Desk, tuple[int, ThreadPoolExecutor]]] = WeakKeyDictionary()


async def aside(
    desk: Desk, work: Callable[[], _T], *, then: Callable[[Future[_T]], None] | None = None
) -> _T:
    """Do work in the desk's own thread; `then` looks, in this one, at what has become of it.

    Work that has begun is not broken off: who is cancelled meanwhile is so when it is done.
    """
    future = asyncio.get_running_loop().run_in_executor(_writer(desk), work)
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


def _writer(desk: Desk) -> ThreadPoolExecutor:
    """Return the desk's thread. One of the process that this was forked from does nothing here."""
    here = os.getpid()
    process, writer = _WRITERS.get(desk, (0, None))
    if writer is None or process != here:
        writer = ThreadPoolExecutor(1, thread_name_prefix="bursar-writer")
        _WRITERS[desk] = here, writer
    return writer
