"""The envelope: who says what, when, of which portfolio, and because of what.

An envelope travels as flat text fields, so that a stream's own tools can write and read one:

    type trade.opened  source execution  data {"trade_id": "7", …}

`type` and `data` are needed. What else is absent is filled in by whoever carries it: `id` is the
place in the stream, `time` when it was put there. `data` is one JSON object, kept as text, so every
digit of a number arrives. Unknown fields are passed over.

Errors: `Malformed`, naming the field.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bursar.errors import Malformed
from bursar.ledger import instant

VERSION: Final = 1
DATA_MAX: Final = 1_000_000
"""How long the data of one event may be, in characters."""

_TEXT_MAX: Final = 200


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event. The same `source` and `id` again is the same event, delivered again.

    `correlation_id` names the business at hand, `causation_id` the event or commit that led to this
    one; an empty `portfolio` is whichever listens; `version` is that of the data's schema; `data`
    is a JSON object.
    """

    id: str
    type: str
    source: str
    time: int
    portfolio: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    version: int = VERSION
    data: str = "{}"


_TEXTS: Final = ("id", "type", "source", "portfolio", "correlation_id", "causation_id")


def to_fields(event: Envelope) -> dict[str, str]:
    """Write an envelope as flat fields; empty ones are left out."""
    told = {name: getattr(event, name) for name in _TEXTS if getattr(event, name)}
    return {
        **told,
        "time": instant.show(event.time),
        "version": str(event.version),
        "data": event.data,
    }


def from_fields(fields: Mapping[str, str], *, place: str, at: int) -> Envelope:
    """Read an envelope that lay at a place of a stream, and was put there at that instant.

    Raises:
        Malformed: a field is missing, or is not what it should be.
    """
    texts = {name: _text(fields, name) for name in _TEXTS}
    if not texts["type"]:
        raise Malformed("an event without a type", field="type")
    data = fields.get("data", "")
    if not data.lstrip().startswith("{") or len(data) > DATA_MAX:
        raise Malformed(
            f"data: expected one JSON object of at most {DATA_MAX} characters", field="data"
        )
    return Envelope(
        id=texts["id"] or place,
        type=texts["type"],
        source=texts["source"] or "unknown",
        time=instant.parse(fields["time"]) if fields.get("time") else at,
        portfolio=texts["portfolio"],
        correlation_id=texts["correlation_id"],
        causation_id=texts["causation_id"],
        version=_version(fields.get("version", str(VERSION))),
        data=data,
    )


def _text(fields: Mapping[str, str], name: str) -> str:
    text = fields.get(name, "")
    if len(text) > _TEXT_MAX or not text.isprintable():
        raise Malformed(f"{name}: expected at most {_TEXT_MAX} printable characters", field=name)
    return text


def _version(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) == int(text)):
        raise Malformed(f"version: {text[:20]!r} is no number of a schema", field="version")
    return int(text)
