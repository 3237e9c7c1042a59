"""Binance's keys: the key goes with each question as a header, the secret signs what is asked.

A signature is the HMAC-SHA256 of the query as it is sent, percent-encoding included. Neither is
shown: the form that tools print of `Keys` holds neither.

Errors: `BadChoice` for what cannot be a key; the message does not hold it.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from bursar.errors import BadChoice


class Keys:
    """An API key and its secret, of the kind that Binance calls HMAC."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key.strip(), secret.strip()
        for said in (self._key, self._secret):
            if not said or not said.isascii() or not said.isprintable():
                raise BadChoice("the API key or its secret is not the text that Binance gives")

    def __repr__(self) -> str:
        return "Keys(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not written down")

    def headers(self) -> dict[str, str]:
        """Return the header that says who asks."""
        return {"X-MBX-APIKEY": self._key}

    def params(self) -> dict[str, str]:
        """Return the field that says who asks, where there are no headers."""
        return {"apiKey": self._key}

    def signature(self, query: str) -> str:
        """Return the signature of a query."""
        return sign(self._secret, query)

    def signed(self, query: str) -> str:
        """Return a query with its signature behind it."""
        return f"{query}&signature={self.signature(query)}"


def encoded(asked: Mapping[str, str | int]) -> str:
    """Write a query as it is signed and sent; names of markets may not be ASCII."""
    return urlencode(asked, quote_via=quote)


def sign(secret: str, query: str) -> str:
    """Return the signature of a query."""
    return hmac.digest(secret.encode(), query.encode(), "sha256").hex()
