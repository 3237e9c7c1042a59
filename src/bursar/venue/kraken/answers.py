"""Kraken's envelope: `{"error": [...], "result": ...}`, and what each of its errors means.

Errors come with HTTP 200. A text that starts with `W` is a warning: the result beside it counts. An
answer without a result is garbled, never an empty account. Of several errors the first counts.

Errors: `VenueDown`, `VenueBusy`, `VenueDenied`, `VenueGarbled`, `UnknownAsset`, and `VenueError`
for a question that Kraken refuses; `said` in their context is Kraken's own text.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from bursar.errors import (
    BursarError,
    UnknownAsset,
    VenueBusy,
    VenueDenied,
    VenueDown,
    VenueError,
    VenueGarbled,
)
from bursar.ledger import instant
from bursar.venue.http import Answer, read_json, refuse

NAME: Final = "Kraken"
INVALID_NONCE: Final = "EAPI:Invalid nonce"
UNKNOWN_METHOD: Final = "EGeneral:Unknown method"
_THROTTLED: Final = "EService:Throttled"
_UNTIL: Final = re.compile(r"EService:Throttled: *([0-9]{1,11})", re.ASCII)
_LOCKOUT_MS: Final = 15 * 60_000
_SHOWN_MAX: Final = 200

RIGHTS: Final = {
    "Balance": "Query funds",
    "BalanceEx": "Query funds",
    "TradeBalance": "Query funds",
    "OpenOrders": "Query open orders & trades",
    "ClosedOrders": "Query closed orders & trades",
    "TradesHistory": "Query closed orders & trades",
    "QueryTrades": "Query closed orders & trades",
    "Ledgers": "Query ledger entries",
    "QueryLedgers": "Query ledger entries",
    "GetWebSocketsToken": "Access WebSockets API",
}
"""The right of a key that each endpoint asks for, by the name it has where keys are made."""

# The first that a text starts with counts.
_MEANINGS: Final[tuple[tuple[str, type[BursarError], str], ...]] = (
    ("EAPI:Invalid key", VenueDenied, "it does not know the API key; was it deleted?"),
    ("EAPI:Invalid signature", VenueDenied, "the API secret does not belong to the key"),
    (INVALID_NONCE, VenueDenied, "it has seen a higher nonce for this key"),
    ("EAPI:Rate limit exceeded", VenueBusy, "too many requests; the account's counter is full"),
    ("EAPI:Feature disabled", VenueDenied, "the account may not use this"),
    (_THROTTLED, VenueBusy, "too many requests"),
    ("EService:Busy", VenueBusy, "it is overloaded"),
    ("EService:", VenueDown, "it is not in service"),
    ("EGeneral:Internal error", VenueDown, "it failed inside"),
    ("EGeneral:Temporary lockout", VenueBusy, "locked out for 15 minutes after wrong requests"),
    ("EGeneral:Too many requests", VenueBusy, "too many requests"),
    ("EGeneral:Permission denied", VenueDenied, "the key lacks a right"),
    ("EAccount:Invalid permissions", VenueDenied, "the account may not use this"),
    ("EQuery:Unknown asset", UnknownAsset, "it does not know the asset or pair"),
    ("EQuery:Invalid asset", UnknownAsset, "it does not know the asset or pair"),
    ("EOrder:Rate limit exceeded", VenueBusy, "too many requests"),
    ("EOrder:", VenueError, "it refuses the order"),
)


class Envelope(msgspec.Struct, frozen=True):
    """A result, and what Kraken warned of beside it."""

    result: object
    warnings: tuple[str, ...]


def opened(endpoint: str, answer: Answer, now: int) -> Envelope:
    """Open the envelope of an answer that came at `now`.

    Raises:
        VenueError: or one of its kinds, or `UnknownAsset`: see the module.
    """
    refuse(NAME, answer)
    body = read_json(NAME, answer.body)
    if not isinstance(body, dict) or not isinstance(body.get("error"), list):
        raise VenueGarbled(f"{NAME}'s answer to {endpoint} has no list of errors")
    said = [text for text in body["error"] if isinstance(text, str)]
    if len(said) < len(body["error"]):
        raise VenueGarbled(f"{NAME}'s answer to {endpoint} has an error that is no text")
    errors = [text for text in said if not text.startswith("W")]
    if errors:
        raise meaning(endpoint, errors[0], now)
    if body.get("result") is None:
        raise VenueGarbled(f"{NAME}'s answer to {endpoint} has no result")
    return Envelope(body["result"], _shown(said))


def meaning(endpoint: str, said: str, now: int) -> BursarError:
    """Return the error that a text of Kraken's means."""
    (said,) = _shown([said])
    known = (each for each in _MEANINGS if said.startswith(each[0]))
    start, kind, reason = next(known, ("", VenueError, "it refuses the question"))
    if start == "EGeneral:Permission denied":
        reason = f"the key lacks the right {RIGHTS.get(endpoint, 'that this needs')!r}"
    context: dict[str, object] = {"said": said, "endpoint": endpoint}
    if said.startswith(_THROTTLED):
        context |= _throttled(said, now)
        reason = f"{reason}; not before {context.get('until', 'a while')}"
    if said.startswith("EGeneral:Temporary lockout"):
        context["wait_ms"] = _LOCKOUT_MS
    return kind(f"{NAME} says {said!r} to {endpoint}: {reason}", **context)


def _throttled(said: str, now: int) -> dict[str, object]:
    """Read the time of `EService:Throttled: 1795210219`."""
    match = _UNTIL.fullmatch(said)
    if match is None:
        return {}
    until = int(match.group(1)) * instant.SECOND
    return {"wait_ms": -(-max(until - now, 0) // instant.MS), "until": instant.show(until)}


def _shown(texts: Sequence[str]) -> tuple[str, ...]:
    """Return texts of Kraken's as they may be shown: printable, and not endless."""
    return tuple(
        "".join(letter for letter in text[:_SHOWN_MAX] if letter.isprintable()) for text in texts
    )
