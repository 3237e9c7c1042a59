"""The lines of a backup file: one record a line, sealed by the last.

The reader passes lines on as it comes to them and finds out at the end whether the file is whole:
take over what it said only when it has ended.

Errors: `BackupDamaged`, with the number of the line.
"""

import gzip
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec

from bursar.errors import BackupDamaged
from bursar.ledger.journal import Outcome
from bursar.store.backup.manifest import Kept

FORMAT: Final = 2
READABLE: Final = frozenset({1, FORMAT})  # the first has no memos
_LINE_MAX: Final = 1 << 28
_LEVEL: Final = 6
_GZIP: Final = zlib.MAX_WBITS | 16
_L = TypeVar("_L")


class Header(msgspec.Struct, frozen=True, tag="bursar backup", tag_field="is"):
    """The first line."""

    format: int
    made_by: str
    taken_at: int


class Opened(msgspec.Struct, frozen=True, tag="portfolio", tag_field="is"):
    """A portfolio begins; `terms` is the text that the store keeps."""

    name: str
    terms: str
    version: int
    seq: int
    hash: str
    created_at: int


class Row(msgspec.Struct, frozen=True, tag="row", tag_field="is"):
    """A row of the journal; the hash before it is that of the row before it."""

    seq: int
    key: str
    outcome: Outcome
    recorded_at: int
    body: str
    hash: str


class Shot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="is"):
    """A snapshot; `body` is the text that the store keeps."""

    body: str


class Message(msgspec.Struct, frozen=True, tag="message", tag_field="is"):
    """A message of the outbox."""

    number: int
    version: int
    id: str
    topic: str
    body: str
    created_at: int


class Memo(msgspec.Struct, frozen=True, tag="memo", tag_field="is"):
    """A memo, with its name."""

    name: str
    text: str


class End(msgspec.Struct, frozen=True, tag="end", tag_field="is"):
    """The last line: what the lines before it come to."""

    portfolios: tuple[Kept, ...]
    lines: int
    sha256: str


Line = Header | Opened | Row | Shot | Message | Memo | End
_DECODER: Final = msgspec.json.Decoder(Line, strict=True)
_ENCODER: Final = msgspec.json.Encoder()


class Scribe:
    """Writes the lines of one backup into a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # Its head has no name and no time: equal books then make equal bytes.
        self._pack = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._seal = sha256()
        self._lines = 0

    def write(self, line: Line) -> None:
        """Write one line."""
        text = _ENCODER.encode(line) + b"\n"
        self._seal.update(text)
        self._lines += 1
        self._file.write(self._pack.compress(text))

    def end(self, portfolios: tuple[Kept, ...]) -> None:
        """Write the last line and finish the file's compression."""
        self.write(End(portfolios, self._lines, self._seal.hexdigest()))
        self._file.write(self._pack.flush())


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a backup, the end last.

    Raises:
        BackupDamaged: cut short, changed, or no backup at all.
    """
    seal, number, end = sha256(), 0, None
    try:
        with gzip.open(path, "rb") as file:
            while text := file.readline(_LINE_MAX):
                if end is not None:
                    raise _damaged(path, number, "there is more after its end")
                line = _DECODER.decode(text)
                if isinstance(line, End):
                    end = line
                    _require_seal(path, end, number, seal.hexdigest())
                elif isinstance(line, Header) is bool(number):
                    raise _damaged(path, number, "its first line is no header")
                seal.update(text)
                number += 1
                yield line
    except (EOFError, gzip.BadGzipFile, zlib.error, msgspec.MsgspecError, UnicodeError) as error:
        raise _damaged(path, number, str(error)) from error
    if end is None:
        raise _damaged(path, number, "its end is missing")


class Reel:
    """The lines of a backup, taken kind by kind."""

    def __init__(self, path: Path) -> None:
        self._lines = read_lines(path)
        self._next: Line | None = next(self._lines)
        self._path, self._number = path, 1

    def take(self, kind: type[_L]) -> Iterator[_L]:
        """Yield the lines of one kind that come next."""
        while isinstance(self._next, kind):
            line = self._next
            self._next = next(self._lines, None)
            self._number += 1
            yield line

    def one(self, kind: type[_L]) -> _L:
        """Return the next line, which must be of that kind."""
        for line in self.take(kind):
            return line
        found = type(self._next).__name__.lower()
        raise _damaged(self._path, self._number, f"a line of kind {found} where none can be")


def _require_seal(path: Path, end: End, lines: int, seal: str) -> None:
    if (end.lines, end.sha256) != (lines, seal):
        raise _damaged(path, lines, "its lines are not those that it was sealed with")


def _damaged(path: Path, number: int, why: str) -> BackupDamaged:
    return BackupDamaged(
        f"{path.name} is no whole backup: after line {number}: {why}",
        file=str(path),
        line=number,
    )
