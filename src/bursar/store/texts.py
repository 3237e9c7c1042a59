"""Records as canonical text, and back: terms and snapshots, whose fields no database looks into.

What the journal's chain does not cover and its fold does not give again (terms, snapshots,
messages) is sealed: sixteen digits of a hash of the text and of where it stands go before it. A
text that was changed, or that was moved to another row, is found when it is read.

Errors: `StoreCorrupt` for a broken seal; `SchemaNewer` for terms that only a newer bursar knows.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from bursar.errors import SchemaNewer, StoreCorrupt
from bursar.ledger.terms import Terms
from bursar.ports import StoredCheckpoint
from bursar.value.snapshot import PortfolioSnapshot, SnapshotTotals

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_TERMS: Final = msgspec.json.Decoder(Terms)
_SNAPSHOT: Final = msgspec.json.Decoder(PortfolioSnapshot)
_TOTALS: Final = msgspec.json.Decoder(SnapshotTotals)
_FLAGS: Final = msgspec.json.Decoder(tuple[str, ...])


_SEAL: Final = 16


class Named(msgspec.Struct, frozen=True, gc=False):
    """What a journal row's columns say of its body."""

    id: str
    executed_at: int
    group: str | None = None


_NAMED: Final = msgspec.json.Decoder(Named)
_ALL_NAMED: Final = msgspec.json.Decoder(list[Named])


def terms(value: Terms) -> str:
    """Write terms as text."""
    return _ENCODER.encode(value).decode()


def to_terms(body: str) -> Terms:
    """Read terms back from a text whose seal has held.

    Raises:
        SchemaNewer: they say what this bursar does not know.
    """
    try:
        return _TERMS.decode(body)
    except msgspec.ValidationError as error:
        raise SchemaNewer(
            f"a newer bursar wrote the terms, and this one cannot read them ({error}); upgrade"
        ) from error


def snapshot(value: PortfolioSnapshot) -> str:
    """Write a snapshot as text, every digit kept."""
    return _ENCODER.encode(value).decode()


def to_snapshot(body: str) -> PortfolioSnapshot:
    """Read a snapshot back."""
    return _SNAPSHOT.decode(body)


def to_totals(body: str) -> SnapshotTotals:
    """Read a snapshot's totals back, and nothing else of it."""
    return _TOTALS.decode(body)


def flags(value: tuple[str, ...]) -> str:
    """Write flags as text."""
    return _ENCODER.encode(value).decode()


def to_flags(body: str) -> tuple[str, ...]:
    """Read flags back."""
    return _FLAGS.decode(body)


def named(body: str) -> Named:
    """Return the fact's id, time and group from a row's body, without reading the rest of it."""
    return _NAMED.decode(body)


def all_named(bodies: Iterable[str]) -> list[Named]:
    """Do the same for many bodies at once."""
    return _ALL_NAMED.decode(f"[{','.join(bodies)}]")


def home(said: Named) -> str:
    """Return the group by which a row is found: its own, or the fact alone."""
    return said.group or said.id


def digest(kept: StoredCheckpoint) -> str:
    """Return the hash by which a stored checkpoint is found unchanged."""
    return sha256(f"{kept.time}\n{kept.seq}\n{kept.hash}\n{kept.body}".encode()).hexdigest()


def sealed(body: str, *place: str | int) -> str:
    """Write a text so that a change of it, or of the place it stands at, is found."""
    return f"{_seal(body, place)} {body}"


def unsealed(text: object, *place: str | int) -> str:
    """Return a text whose seal holds.

    Raises:
        StoreCorrupt: it does not, or this is no text at all.
    """
    if not isinstance(text, str):
        raise StoreCorrupt("a text is there no longer")
    seal, _, body = text.partition(" ")
    if seal != _seal(body, place):
        raise StoreCorrupt("its text was changed after it was written")
    return body


def _seal(body: str, place: tuple[str | int, ...]) -> str:
    line = "\n".join((*map(str, place), body))
    return sha256(line.encode()).hexdigest()[:_SEAL]
