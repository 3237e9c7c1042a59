"""Binance's keys: the key goes with each question as a header, the secret signs what is asked.

A signature is the HMAC-SHA256 of the query as it is sent, percent-encoding included. Neither is
shown.

Errors: as `hidden`.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from bursar.venue.hidden import Hidden


class Keys:
    """An API key and its secret, of the kind that Binance calls HMAC."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = Hidden(key, "Binance"), Hidden(secret, "Binance")

    def headers(self) -> dict[str, str]:
        """Return the header that says who asks."""
        return {"X-MBX-APIKEY": self._key.said}

    def params(self) -> dict[str, str]:
        """Return the field that says who asks, where there are no headers."""
        return {"apiKey": self._key.said}

    def signature(self, query: str) -> str:
        """Return the signature of a query."""
        return sign(self._secret.said, query)

    def signed(self, query: str) -> str:
        """Return a query with its signature behind it."""
        return f"{query}&signature={self.signature(query)}"


def encoded(asked: Mapping[str, str | int]) -> str:
    """Write a query as it is signed and sent; names of markets may not be ASCII."""
    return urlencode(asked, quote_via=quote)


def sign(secret: str, query: str) -> str:
    """Return the signature of a query."""
    return hmac.digest(secret.encode(), query.encode(), "sha256").hex()
