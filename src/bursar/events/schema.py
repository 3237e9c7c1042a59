"""The schemas of all events, made from their records: JSON Schema, and AsyncAPI 3 around it.

The files under docs/events/ are what these functions return; `python -m tools.events` writes them,
and a test compares.

Errors: none.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from bursar.events.catalog import KINDS, Kind
from bursar.events.envelope import DATA_MAX
from bursar.events.incoming import POSITIVE

Json = dict[str, object]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
VERSION: Final = "1.0.0"
_HEARD: Final = "{prefix}:{topic}"
_TOLD: Final = "{prefix}:out:{portfolio}"
_ENVELOPE: Final[Mapping[str, tuple[str, str]]] = {
    "id": ("string", "the event's own id; the same source and id again is the same event"),
    "source": ("string", "which program tells it"),
    "time": ("string", "when, RFC 3339 in UTC"),
    "portfolio": ("string", "of which portfolio; absent: of whichever listens"),
    "correlation_id": ("string", "the business at hand"),
    "causation_id": ("string", "the event or commit that led to this one"),
    "version": ("integer", "of the schema of `data`"),
}


def json_schema() -> Json:
    """Return the JSON Schema of every event in its envelope."""
    return {
        "$schema": DRAFT,
        "title": "Events that bursar hears and tells",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in KINDS],
        "$defs": {**_records("#/$defs/"), **_envelopes("#/$defs/")},
    }


def async_api() -> Json:
    """Return the AsyncAPI document: two channels, and what goes over each."""
    home = "#/components/schemas/"
    messages = {
        _plain(name): {
            "name": name,
            "title": name,
            "contentType": "application/json",
            "payload": {"$ref": f"{home}{name}"},
        }
        for name in KINDS
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "bursar",
            "version": VERSION,
            "description": "What a portfolio hears and what it tells. In Redis each field of the"
            " envelope is a field of the stream's entry, and `data` is JSON text.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "heard": _channel(_HEARD, [each for each in KINDS.values() if each.is_incoming]),
            "told": _channel(_TOLD, [each for each in KINDS.values() if not each.is_incoming]),
        },
        "operations": {
            "hear": {"action": "receive", "channel": {"$ref": "#/channels/heard"}},
            "tell": {"action": "send", "channel": {"$ref": "#/channels/told"}},
        },
        "components": {
            "messages": messages,
            "schemas": {**_records(home), **_envelopes(home)},
        },
    }


def text(document: Json) -> str:
    """Return a document as its file holds it."""
    told = msgspec.json.encode(document, order="sorted")
    return msgspec.json.format(told, indent=2).decode() + "\n"


def _channel(address: str, kinds: Iterable[Kind]) -> Json:
    names = [word.strip("{}") for word in address.split(":") if word.startswith("{")]
    return {
        "address": address,
        "parameters": {name: {} for name in names},
        "messages": {
            _plain(each.name): {"$ref": f"#/components/messages/{_plain(each.name)}"}
            for each in kinds
        },
    }


def _envelopes(home: str) -> Json:
    return {name: _envelope(kind, home) for name, kind in KINDS.items()}


def _envelope(kind: Kind, home: str) -> Json:
    told: Json = {
        name: {"type": type_, "description": said} for name, (type_, said) in _ENVELOPE.items()
    }
    record = {"$ref": f"{home}{kind.record.__name__}"}
    needed = ["type", "data"] if kind.is_incoming else ["type", "data", "id", "source", "time"]
    return {
        "type": "object",
        "required": needed,
        "properties": {
            **told,
            "type": {"const": kind.name},
            "version": {"type": "integer", "minimum": 1, "maximum": kind.version},
            "data": record,
        },
        "$comment": f"data: at most {DATA_MAX} characters",
    }


def _records(home: str) -> Json:
    """Return the schema of every record; numbers may come as text, and go out as numbers."""
    found: Json = {}
    for is_incoming in (True, False):
        records = [each.record for each in KINDS.values() if each.is_incoming is is_incoming]
        _, parts = msgspec.json.schema_components(records, ref_template=f"{home}{{name}}")
        found |= {
            name: _numbered(part, is_incoming=is_incoming) for name, part in sorted(parts.items())
        }
    return found


def _numbered(part: object, *, is_incoming: bool, field: str = "") -> object:
    """Say of decimals what they look like on the wire."""
    if isinstance(part, list):
        return [_numbered(each, is_incoming=is_incoming, field=field) for each in part]
    if not isinstance(part, dict):
        return " ".join(part.split()) if isinstance(part, str) else part
    if part.get("format") == "decimal":
        bound = {"exclusiveMinimum": 0} if is_incoming and field in POSITIVE else {}
        kinds: object = ["number", "string"] if is_incoming else "number"
        return {"type": kinds, **bound}
    return {
        name: _numbered(each, is_incoming=is_incoming, field=field if name == "anyOf" else name)
        for name, each in part.items()
    }


def _plain(name: str) -> str:
    """Return a name without dots, as AsyncAPI wants its keys."""
    return name.replace(".", "_")
