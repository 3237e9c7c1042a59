"""Alpaca's keys: a name and a secret that go with each request as they are, over TLS alone.

Neither is shown: the form that tools print of `Keys` holds neither.

Errors: `BadChoice` for what cannot be a key; the message does not hold it.
"""

from bursar.errors import BadChoice


class Keys:
    """An API key and its secret, of a paper account or of a live one."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key.strip(), secret.strip()
        for said in (self._key, self._secret):
            if not said or not said.isascii() or not said.isprintable():
                raise BadChoice("the API key or its secret is not the text that Alpaca gives")

    def __repr__(self) -> str:
        return "Keys(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not written down")

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks."""
        return {"APCA-API-KEY-ID": self._key, "APCA-API-SECRET-KEY": self._secret}
