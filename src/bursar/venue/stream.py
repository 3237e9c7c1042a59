"""How live prices come: whether they stream, are asked for, or have stopped."""

from enum import Enum

import msgspec


class StreamHealth(Enum):
    """How prices come."""

    STARTING = "starting"
    LIVE = "live"
    POLLING = "polling"
    STALE = "stale"


class StreamState(msgspec.Struct, frozen=True):
    """How prices come, since when, and why not live."""

    health: StreamHealth
    since: int
    reason: str | None = None
