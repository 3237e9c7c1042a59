"""A text that is sent to a venue and shown to nobody: an API key or its secret.

The form that tools print does not hold it, and it is not pickled; what has one as a part is as
silent.

Errors: `BadChoice` for what cannot be a key; the message does not hold it. `TypeError` for an
attempt to write one down.
"""

from bursar.errors import BadChoice


class Hidden:
    """A key or a secret, as `venue` gave it: `said` is the text, without the spaces around it."""

    __slots__ = ("_said",)

    def __init__(self, said: str, venue: str) -> None:
        self._said = said.strip()
        if not self._said or not self._said.isascii() or not self._said.isprintable():
            raise BadChoice(f"the API key or its secret is not the text that {venue} gives")

    def __repr__(self) -> str:
        return "Hidden()"

    def __reduce__(self) -> str:
        raise TypeError("keys are not written down")

    @property
    def said(self) -> str:
        """The text itself, for the one who sends it."""
        return self._said
