"""A file that is written whole or not at all.

What is written goes into a file beside its place, readable by its owner alone. When all of it is
on the disk it takes its name; if anything fails before that, nothing is left. It never takes the
place of a book: no other file is missed so much.

Errors: `BadChoice` where there is no such folder, or where a file of that name is there and may not
be replaced; `OSError` from the disk.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from bursar.errors import BadChoice

BESIDE: Final = ("-wal", "-shm", "-journal")
"""How the names of the files end that SQLite keeps beside its own."""
_SQLITE: Final = b"SQLite format 3\0"


@contextmanager
def whole(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Yield a file to write to; it stands at `path` once the block has ended well."""
    if not path.parent.is_dir():
        raise BadChoice(f"there is no folder {path.parent} to write {path.name} in", file=str(path))
    if not replace:
        require_absent(path)
    _require_no_book(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:  # told of the file that was asked for, not of the one beside it
        raise OSError(error.errno, error.strerror, str(path)) from None
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        settle(made, path, replace=replace)
    except BaseException as error:
        made.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in {None, name}:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def settle(made: Path, path: Path, *, replace: bool = False) -> None:
    """Give a finished file its name, on the disk and for good."""
    _sync(made)
    if replace:
        made.replace(path)
    else:
        _link(made, path)
    _sync(path.parent)


def require_absent(path: Path) -> None:
    """Refuse a place that is taken."""
    if path.exists() or path.is_symlink():
        raise BadChoice(f"{path.name} is there already; nothing was written", file=str(path))


def _require_no_book(path: Path) -> None:
    """Refuse to take the place of a book, of a part of one, and of what is no file."""
    if path.exists() and not path.is_file():
        raise BadChoice(f"{path.name} is there and is no file; nothing was written", file=str(path))
    ends = (end for end in BESIDE if path.name.endswith(end))
    book = path.with_name(path.name.removesuffix(next(ends, "")))
    if book.is_file():
        with book.open("rb") as file:
            if file.read(len(_SQLITE)) == _SQLITE:
                raise BadChoice(
                    f"{path.name} is a book, or a part of one; nothing was written", file=str(path)
                )


def _link(made: Path, path: Path) -> None:
    """Rename without taking the place of another file, even of one that appears just now."""
    try:
        path.hardlink_to(made)
    except FileExistsError:
        require_absent(path)
        raise
    except OSError:  # a file system without hard links
        require_absent(path)
        made.replace(path)
    else:
        made.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
