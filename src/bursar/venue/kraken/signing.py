"""Kraken's signature: HMAC-SHA512 over the path and SHA-256(nonce + body), under the secret.

The secret is given in base64 and never shown again: neither the text nor the form that tools print
of `Keys` holds it.

Errors: `BadChoice` for a key or secret that cannot be one; the message holds neither.
"""

import base64
import binascii
import hashlib
import hmac

from bursar.errors import BadChoice


class Keys:
    """An API key and its secret."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        try:
            decoded = base64.b64decode(secret.strip(), validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if not decoded:
            raise BadChoice("the API secret is not the base64 text that Kraken gives")
        self._key = key.strip()
        if not self._key.isascii() or not self._key.isprintable() or not self._key:
            raise BadChoice("the API key is not the text that Kraken gives")
        self._secret = decoded

    def __repr__(self) -> str:
        return "Keys(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not written down")

    @property
    def name(self) -> str:
        """A name for the key from which it cannot be told."""
        return hashlib.sha256(self._key.encode()).hexdigest()[:16]

    def headers(self, path: str, nonce: int, body: bytes) -> dict[str, str]:
        """Return the headers that sign a request; `body` is what is sent, byte for byte."""
        return {
            "API-Key": self._key,
            "API-Sign": sign(self._secret, path, nonce, body),
            "Content-Type": "application/x-www-form-urlencoded",
        }


def sign(secret: bytes, path: str, nonce: int, body: bytes) -> str:
    """Return the signature of a request."""
    inner = hashlib.sha256(str(nonce).encode() + body).digest()
    return base64.b64encode(hmac.digest(secret, path.encode() + inner, "sha512")).decode()
