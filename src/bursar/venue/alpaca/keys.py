"""Alpaca's keys: a name and a secret that go with each request as they are, over TLS alone.

Neither is shown.

Errors: as `hidden`.
"""

from bursar.venue.hidden import Hidden


class Keys:
    """An API key and its secret, of a paper account or of a live one."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = Hidden(key, "Alpaca"), Hidden(secret, "Alpaca")

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks."""
        return {"APCA-API-KEY-ID": self._key.said, "APCA-API-SECRET-KEY": self._secret.said}
