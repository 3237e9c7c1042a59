"""Bearer tokens: who may ask, and who may write.

A token is 256 random bits, shown once and kept as its SHA-256: from what is stored no token can be
made. (A slow hash would guard guessable passwords; these cannot be guessed.) Tokens lie beside the
journal, so they go where the book goes, and a backup holds no usable one.

Invariants
- `write` may all that `read` may.
- A revoked token is gone from the store, and from a running service within a second or two.
- No token and no hash is in a log, an error or a `repr`.

Errors: `BadChoice` for a name or scope that is none, `NotFound` for a token that is not there.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Final

import msgspec

from bursar.errors import BadChoice, TokenNotFound
from bursar.ledger import instant
from bursar.ports import Clock, PortfolioStore

PREFIX: Final = "bursar_"
_MEMO: Final = "token "
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class Scope(Enum):
    """What a token lets its bearer do."""

    READ = "read"
    WRITE = "write"


class Token(msgspec.Struct, frozen=True):
    """A token as it may be shown: never the token itself."""

    name: str
    scope: Scope
    created_at: datetime


class _Kept(msgspec.Struct, frozen=True):
    scope: Scope
    created_at: datetime
    hash: str


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Kept)


class Ring:
    """The tokens of a portfolio by the digest of each, for one look-up a request."""

    def __init__(self, known: Mapping[bytes, Token]) -> None:
        self._known = known

    def __repr__(self) -> str:
        return f"Ring({len(self._known)} tokens)"

    def __len__(self) -> int:
        return len(self._known)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ring) and self._known == other._known

    __hash__ = None  # type: ignore[assignment]  # it is compared, never a key

    def has(self, name: str) -> bool:
        """Tell whether there is a token of that name."""
        return any(token.name == name for token in self._known.values())

    def bearer(self, header: bytes) -> Token | None:
        """Return the token of an `Authorization` header, if it is one of ours.

        Only digests are compared, so how long it takes tells nothing of a token.
        """
        kind, _, told = header.partition(b" ")
        return self.find(told.strip()) if kind.lower() == b"bearer" else None

    def find(self, told: bytes) -> Token | None:
        """Return the token of these bytes, if it is one of ours."""
        return self._known.get(sha256(told).digest())


def new(store: PortfolioStore, clock: Clock, name: str, scope: str) -> str:
    """Make a token, keep its hash, and return it: this is the only time it is seen.

    Raises:
        BadChoice: the name is taken or is none, or there is no such scope.
    """
    if _NAME.fullmatch(name) is None:
        raise BadChoice(f"{name!r} is no name of a token: letters, digits, - _ .", name=name)
    if scope not in {each.value for each in Scope}:
        raise BadChoice(f"{scope!r} is no scope; read or write", scope=scope)
    if store.memo(_MEMO + name) is not None:
        raise BadChoice(f"there is a token {name} already; revoke it first", name=name)
    made = PREFIX + secrets.token_urlsafe(32)
    kept = _Kept(
        scope=Scope(scope),
        created_at=instant.to_datetime(clock.now()),
        hash=sha256(made.encode()).hexdigest(),
    )
    store.save_memos({_MEMO + name: _ENCODER.encode(kept).decode()})
    return made


def listed(store: PortfolioStore) -> list[Token]:
    """Return the tokens of a portfolio, by name."""
    return [token for _, token in _kept(store)]


def revoke(store: PortfolioStore, name: str) -> None:
    """Take a token away.

    Raises:
        TokenNotFound: there is none of that name.
    """
    if store.memo(_MEMO + name) is None:
        raise TokenNotFound(f"there is no token {name!r}", name=name)
    store.save_memos({_MEMO + name: None})


def ring(store: PortfolioStore) -> Ring:
    """Read the tokens of a portfolio."""
    return Ring(dict(_kept(store)))


def _kept(store: PortfolioStore) -> list[tuple[bytes, Token]]:
    found = []
    for memo, text in store.memos(_MEMO).items():
        kept = _DECODER.decode(text)
        token = Token(memo.removeprefix(_MEMO), kept.scope, kept.created_at)
        found.append((bytes.fromhex(kept.hash), token))
    return found
