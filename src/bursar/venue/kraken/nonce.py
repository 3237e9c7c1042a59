"""Nonces: numbers that only rise, one for each private request of a key.

The last one lies in a small file of the user, known by a digest of the key. Whoever asks locks the
file, takes the next number and holds the lock until the answer is there, so threads, processes and
restarts never use a number twice, and none overtakes another. A number is the time in nanoseconds,
or the last one plus one where the clock does not get past it.

Errors: `InputError` where the file cannot be used or is damaged, `VenueBusy` where another process
holds the lock for over a minute.
"""

import asyncio
import fcntl
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from bursar.errors import InputError, VenueBusy
from bursar.ports import Clock

_TRIES_MAX: Final = 6_000
_TRIES_A_SECOND: Final = 100
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_TEXT: Final = re.compile(rb"[0-9]{20}\n")


@contextmanager
def _used(name: str) -> Iterator[None]:
    """Say of a disk that refuses which file it was."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{name}: the file of nonces cannot be used: {error.strerror}", file=name
        ) from None


class Nonce:
    """The right to ask, for as long as the lock is held."""

    def __init__(self, descriptor: int, name: str, clock: Clock) -> None:
        self._descriptor = descriptor
        self._name = name
        self._clock = clock

    def take(self) -> int:
        """Return a number above every one that was ever taken, and remember it first."""
        with _used(self._name):
            last = os.pread(self._descriptor, 64, 0)
        if last and not _TEXT.fullmatch(last):
            raise InputError(
                f"{self._name} is damaged; if no program asks with this key, delete it",
                file=self._name,
            )
        fresh = max(self._clock.now(), int(last or b"0") + 1)
        with _used(self._name):
            os.pwrite(self._descriptor, b"%020d\n" % fresh, 0)
        return fresh


class Nonces:
    """The nonces of one key, kept in a directory."""

    def __init__(self, directory: Path, name: str, clock: Clock) -> None:
        self._path = directory / f"kraken-{name}.nonce"
        self._clock = clock

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Nonce]:
        """Wait until no one else asks with the key, and let nobody else ask inside."""
        with self._opened() as descriptor:
            await self._locked(descriptor)
            yield Nonce(descriptor, self._path.name, self._clock)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the file; closing it lets go of the lock."""
        with _used(self._path.name):
            try:
                descriptor = os.open(self._path, _FLAGS, 0o600)
            except FileNotFoundError:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self._path, _FLAGS, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    async def _locked(self, descriptor: int) -> None:
        for _ in range(_TRIES_MAX):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(1 / _TRIES_A_SECOND)
            else:
                return
        raise VenueBusy(
            "another program of this user has been asking with the same key for a minute"
        )
