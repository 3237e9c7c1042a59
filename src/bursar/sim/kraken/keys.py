"""The door of the private endpoints: keys, signatures, nonces, permissions and the rate counter.

A request passes in this order: lockout, key, signature, nonce, permission, counter. The signature
is HMAC-SHA512 with the decoded secret over path and SHA-256 of nonce and body, as the venue
documents it. A nonce has to be greater than every one before it; a key with a window also takes
one that is below the greatest by less than the window and was not used. Ten refusals in a row lock
the account out for a quarter of an hour.

The counter belongs to the account. It falls steadily, in whole nanoseconds, and a request that
would bring it over its maximum is refused and does not count (how the venue counts a refused one is
not documented).

Errors: `Refused` with the venue's own words.
"""

import hmac
from base64 import b64decode, b64encode
from enum import Enum
from hashlib import sha256, sha512
from typing import Final

from bursar.ports import Clock
from bursar.sim.kraken.market import SECOND

PERMISSIONS: Final = (
    "query-funds",
    "query-open-trades",
    "query-closed-trades",
    "query-ledger",
    "create-ws-token",
)
"""What a key that only reads may do."""

_BAD_MAX: Final = 10
_LOCKOUT: Final = 900 * SECOND
_NONCE_MAX: Final = 2**64 - 1
_HUNDREDTHS: Final = 100


class Refused(Exception):
    """The venue says no; the text is its own."""


class Tier(Enum):
    """How much may be asked: the counter's most, and by how many hundredths a second it falls."""

    STARTER = (15, 33)
    INTERMEDIATE = (20, 50)
    PRO = (20, 100)


class Counter:
    """The rate counter of an account."""

    def __init__(self, tier: Tier, clock: Clock) -> None:
        self._most, self._fall = tier.value
        self._clock = clock
        self._level = 0
        self._at = clock.now()

    @property
    def level(self) -> tuple[int, int]:
        """Where it stands now, as a fraction: numerator, denominator."""
        return self._now(), _HUNDREDTHS * SECOND

    def charge(self, cost: int) -> None:
        """Count a request.

        Raises:
            Refused: it would be too many.
        """
        level = self._now()
        raised = level + cost * _HUNDREDTHS * SECOND
        self._at = max(self._at, self._clock.now())
        self._level = level
        if raised > self._most * _HUNDREDTHS * SECOND:
            raise Refused("EAPI:Rate limit exceeded")
        self._level = raised

    def _now(self) -> int:
        passed = max(self._clock.now() - self._at, 0)
        return max(self._level - passed * self._fall, 0)


class Key:
    """An API key. `query_from` and `query_to` (ns) bound what it sees; 0 is no bound."""

    def __init__(  # noqa: PLR0913 (what the venue lets one choose)
        self,
        name: str,
        secret: str,
        *,
        permissions: tuple[str, ...] = PERMISSIONS,
        nonce_window: int = 0,
        query_from: int = 0,
        query_to: int = 0,
    ) -> None:
        self.name = name
        self.permissions = permissions
        self.nonce_window = nonce_window
        self.query_from = query_from
        self.query_to = query_to
        self.nonce = 0
        self._secret = secret
        self._used: list[int] = []

    def __repr__(self) -> str:
        return f"Key({self.name!r})"

    def signature(self, path: str, nonce: str, body: bytes) -> str:
        """Return what `API-Sign` has to be."""
        said = path.encode() + sha256(nonce.encode() + body).digest()
        return b64encode(hmac.digest(b64decode(self._secret), said, sha512)).decode()

    def take(self, nonce: str) -> bool:
        """Use up a nonce, and tell whether it was good."""
        if not (nonce.isascii() and nonce.isdigit()) or int(nonce) > _NONCE_MAX:
            return False
        number = int(nonce)
        if number <= self.nonce - self.nonce_window or number in self._used or number == self.nonce:
            return False
        self.nonce = max(self.nonce, number)
        least = self.nonce - self.nonce_window
        self._used = [each for each in (*self._used, number) if each > least]
        return True


class Door:
    """Lets private requests in."""

    def __init__(self, clock: Clock, counter: Counter) -> None:
        self.keys: dict[str, Key] = {}
        self._clock = clock
        self._counter = counter
        self._bad = 0
        self._locked_until = 0

    def enter(self, headers: dict[str, str], path: str, body: bytes, nonce: str) -> Key:
        """Return the key of a request that is signed well and has a new nonce.

        Raises:
            Refused: in the venue's words.
        """
        if self._clock.now() < self._locked_until:
            raise Refused("EGeneral:Temporary lockout")
        key = self.keys.get(headers.get("api-key", ""))
        if key is None:
            raise self._bad_one("EAPI:Invalid key")
        said = headers.get("api-sign", "").encode()
        if not hmac.compare_digest(said, key.signature(path, nonce, body).encode()):
            raise self._bad_one("EAPI:Invalid signature")
        if not key.take(nonce):
            raise self._bad_one("EAPI:Invalid nonce")
        self._bad = 0
        return key

    def allow(self, key: Key, permission: str, cost: int) -> None:
        """Let a known key do something, and count it.

        Raises:
            Refused: in the venue's words.
        """
        if permission and not any(each in key.permissions for each in permission.split("|")):
            raise Refused("EGeneral:Permission denied")
        self._counter.charge(cost)

    def _bad_one(self, words: str) -> Refused:
        self._bad += 1
        if self._bad >= _BAD_MAX:
            self._bad, self._locked_until = 0, self._clock.now() + _LOCKOUT
        return Refused(words)
