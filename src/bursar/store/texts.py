"""Records as canonical text, and back: terms and snapshots, whose fields no database looks into."""

from hashlib import sha256
from typing import Final

import msgspec

from bursar.ledger.terms import Terms
from bursar.ports import StoredCheckpoint
from bursar.value.snapshot import PortfolioSnapshot

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_TERMS: Final = msgspec.json.Decoder(Terms)
_SNAPSHOT: Final = msgspec.json.Decoder(PortfolioSnapshot)
_FLAGS: Final = msgspec.json.Decoder(tuple[str, ...])


class Named(msgspec.Struct, frozen=True):
    """What a journal row's columns say of its body."""

    id: str
    executed_at: int
    group: str | None = None


_NAMED: Final = msgspec.json.Decoder(Named)


def terms(value: Terms) -> str:
    """Write terms as text."""
    return _ENCODER.encode(value).decode()


def to_terms(body: str) -> Terms:
    """Read terms back."""
    return _TERMS.decode(body)


def snapshot(value: PortfolioSnapshot) -> str:
    """Write a snapshot as text, every digit kept."""
    return _ENCODER.encode(value).decode()


def to_snapshot(body: str) -> PortfolioSnapshot:
    """Read a snapshot back."""
    return _SNAPSHOT.decode(body)


def flags(value: tuple[str, ...]) -> str:
    """Write flags as text."""
    return _ENCODER.encode(value).decode()


def to_flags(body: str) -> tuple[str, ...]:
    """Read flags back."""
    return _FLAGS.decode(body)


def named(body: str) -> Named:
    """Return the fact's id, time and group from a row's body, without reading the rest of it."""
    return _NAMED.decode(body)


def digest(kept: StoredCheckpoint) -> str:
    """Return the hash by which a stored checkpoint is found unchanged."""
    return sha256(f"{kept.time}\n{kept.seq}\n{kept.hash}\n{kept.body}".encode()).hexdigest()
