"""Records as canonical text, and back: terms and snapshots, whose fields no database looks into."""

from typing import Final

import msgspec

from bursar.ledger.terms import Terms
from bursar.value.snapshot import PortfolioSnapshot

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_TERMS: Final = msgspec.json.Decoder(Terms)
_SNAPSHOT: Final = msgspec.json.Decoder(PortfolioSnapshot)
_FLAGS: Final = msgspec.json.Decoder(tuple[str, ...])


class _Named(msgspec.Struct, frozen=True):
    id: str
    executed_at: int


_NAMED: Final = msgspec.json.Decoder(_Named)


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


def fact(body: str) -> tuple[str, int]:
    """Return the fact's id and time from a journal row's body, without reading the rest of it."""
    named = _NAMED.decode(body)
    return named.id, named.executed_at
