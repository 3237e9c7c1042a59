"""Kraken's signature: HMAC-SHA512 over the path and SHA-256(nonce + body), under the secret.

The secret is given in base64. Neither is shown.

Errors: as `hidden`, and `BadChoice` for a secret that is not base64.
"""

import base64
import binascii
import hashlib
import hmac

from bursar.errors import BadChoice
from bursar.venue.hidden import Hidden


class Keys:
    """An API key and its secret."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = Hidden(key, "Kraken"), Hidden(secret, "Kraken")
        _decoded(self._secret)

    @property
    def name(self) -> str:
        """A name for the key from which it cannot be told."""
        return hashlib.sha256(self._key.said.encode()).hexdigest()[:16]

    def headers(self, path: str, nonce: int, body: bytes) -> dict[str, str]:
        """Return the headers that sign a request; `body` is what is sent, byte for byte."""
        return {
            "API-Key": self._key.said,
            "API-Sign": sign(_decoded(self._secret), path, nonce, body),
            "Content-Type": "application/x-www-form-urlencoded",
        }


def sign(secret: bytes, path: str, nonce: int, body: bytes) -> str:
    """Return the signature of a request."""
    inner = hashlib.sha256(str(nonce).encode() + body).digest()
    return base64.b64encode(hmac.digest(secret, path.encode() + inner, "sha512")).decode()


def _decoded(secret: Hidden) -> bytes:
    try:
        decoded = base64.b64decode(secret.said, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise BadChoice("the API secret is not the base64 text that Kraken gives")
    return decoded
