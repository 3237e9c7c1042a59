"""What a backup says of itself, for its end line and for the one who took it."""

import msgspec


class Kept(msgspec.Struct, frozen=True):
    """One portfolio of a backup: where it stands, and the digest of the book it folds to."""

    portfolio: str
    base: str
    version: int
    seq: int
    hash: str
    digest: str
    snapshots: int
    messages: int
    memos: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """A whole backup. `taken_at` is in nanoseconds since 1970; `sha256` is of the file as it is.

    Portfolios that are `refolded` come to other books than when an older bursar took it.
    """

    taken_at: int
    made_by: str
    portfolios: tuple[Kept, ...]
    size: int
    sha256: str
    refolded: tuple[str, ...] = ()
