"""Health: how each part of the service stands, honestly.

`ok`; `degraded`: the last good data is served, and it is said what is wrong with it; `down`: there
is nothing to rely on. The whole is as its worst part. Reasons are for whoever may look; everybody
else hears the words alone.

Errors: none.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Final, assert_never

import msgspec

from bursar.ledger import instant
from bursar.measure.limits import Freshness, Policy
from bursar.serve.following import Synced
from bursar.serve.publishing import State

OLD_AFTER: Final = 60 * instant.SECOND
_DOWN: Final = {"store_corrupt", "schema_newer", "store_down"}


class Word(Enum):
    """How something stands."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Component(msgspec.Struct, frozen=True):
    """One part: how it stands, why if not well, and since when."""

    status: Word
    reason: str | None = None
    since: datetime | None = None


class Health(msgspec.Struct, frozen=True):
    """The service and its parts."""

    status: Word
    version: str | None
    portfolio_version: int | None
    components: dict[str, Component]
    timestamp: datetime


_FINE: Final = Component(Word.OK)
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_ALERTS: Final = "alerts"
_VENUES: Final = "venues"
_ORDER: Final = (Word.OK, Word.DEGRADED, Word.DOWN)


def components(
    state: State,
    *,
    is_alive: bool,
    now: int,
    ended: Mapping[str, str] = _NOTHING,
    failed: str | None = None,
) -> dict[str, Component]:
    """Return how keeper, store, book, prices and what is published stand."""
    return {
        "keeper": _keeper(ended, failed, is_alive=is_alive),
        "store": _store(state),
        "book": _FINE if state.halted is None else Component(Word.DOWN, state.halted),
        "prices": _prices(state),
        "publication": _publication(state, now),
    }


def bus(trouble: str | None) -> Component:
    """Return how the bus stands."""
    return _FINE if trouble is None else Component(Word.DEGRADED, trouble)


def venues(synced: Mapping[str, Synced]) -> dict[str, Component]:
    """Return how each followed account stands, by its name."""
    return {account: _venue(each) for account, each in synced.items()}


def watching(policy: Policy, shut: Mapping[str, str]) -> dict[str, Component]:
    """Return how the policy stands, where there is one, and the ways that no alert leaves by."""
    found = {f"{_ALERTS}:{way}": Component(Word.DEGRADED, why) for way, why in shut.items()}
    match policy.freshness:
        case Freshness.NONE:
            return found
        case Freshness.FRESH:
            stands = _FINE
        case Freshness.STALE | Freshness.MISSING:
            at = None if policy.read_at is None else instant.to_datetime(policy.read_at)
            said = f"{policy.freshness.value} limits: {policy.trouble}"
            stands = Component(Word.DEGRADED, said, at)
        case _:
            assert_never(policy.freshness)
    return {"policy": stands, **found}


def _venue(synced: Synced) -> Component:
    at = instant.to_datetime(synced.at)
    if synced.failure is not None:
        return Component(Word.DEGRADED, f"the last sync failed: {synced.failure}", at)
    if synced.has_drift:
        return Component(Word.DEGRADED, "books and venue do not agree", at)
    return Component(Word.OK, None, at)


def whole(parts: dict[str, Component], *, version: str, portfolio_version: int, now: int) -> Health:
    """Return the health of all: that of the worst part."""
    worst = max((each.status for each in parts.values()), key=_ORDER.index, default=Word.OK)
    return Health(worst, version, portfolio_version, parts, instant.to_datetime(now))


def for_strangers(health: Health) -> Health:
    """Return the same for whoever may not look: words alone, of parts that every service has.

    What a user named (accounts, ways of alerts) is one part by its kind, as its worst one stands.
    """
    plain = dict[str, Component]()
    for name, each in health.components.items():
        kind = _kind(name)
        known = plain.get(kind, _FINE).status
        plain[kind] = Component(max(known, each.status, key=_ORDER.index))
    return msgspec.structs.replace(health, components=plain, version=None, portfolio_version=None)


def _kind(part: str) -> str:
    """Return what a part is called before strangers: `venues` for `kraken:main`."""
    before, colon, _ = part.partition(":")
    if not colon:
        return part
    return before if before == _ALERTS else _VENUES


def _keeper(ended: Mapping[str, str], failed: str | None, *, is_alive: bool) -> Component:
    if not is_alive:
        why = "" if failed is None else f": {failed}"
        return Component(Word.DOWN, f"the thread that owns the book has ended{why}")
    said = "; ".join(f"{task} has ended: {why}" for task, why in ended.items())
    return Component(Word.DEGRADED, said) if said else _FINE


def _store(state: State) -> Component:
    trouble = state.trouble
    if trouble is None or not trouble.code.startswith(("store", "schema", "outcome")):
        trouble = state.unwritten
    if trouble is None:
        return _FINE
    word = Word.DOWN if trouble.code in _DOWN else Word.DEGRADED
    return Component(word, f"{trouble.code}: {trouble.message}", instant.to_datetime(trouble.since))


def _prices(state: State) -> Component:
    known = state.coverage
    if known is None:
        return Component(Word.DOWN, "nothing was valued yet")
    said = [f"no price: {', '.join(known.unvalued)}"] if known.unvalued else []
    said += [f"old price: {', '.join(known.stale)}"] if known.stale else []
    return Component(Word.DEGRADED, "; ".join(said)) if said else _FINE


def _publication(state: State, now: int) -> Component:
    if not state.published_at:
        return Component(Word.DOWN, "nothing is published yet")
    at = instant.to_datetime(state.published_at)
    if state.trouble is not None:
        return Component(Word.DEGRADED, f"of {instant.show(state.published_at)}", at)
    if now - state.published_at > OLD_AFTER:
        return Component(Word.DEGRADED, "nothing new was published for a minute", at)
    return _FINE
