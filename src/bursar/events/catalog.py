"""Every type of event: its name, direction, version, record, and an example.

`read` takes an event's data into its record, `write` makes the data of one. Schemas of all types
are made from the records, so that they cannot differ: JSON Schema, and AsyncAPI 3 around it.

Errors: `Malformed` for a type or version that nobody knows, or for data that is not its record;
the numbers' own errors.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, get_args

import msgspec

from bursar.errors import Malformed
from bursar.events import incoming, outgoing
from bursar.events.envelope import Envelope
from bursar.events.incoming import Incoming
from bursar.events.outgoing import Outgoing
from bursar.exact import parse_venue, plain
from bursar.ledger.told import record, values

Record = type[Incoming] | type[Outgoing]


class Kind(msgspec.Struct, frozen=True):
    """A type of event. `version` is the newest of its data's schema that is known here."""

    name: str
    record: Record
    version: int = 1

    @property
    def is_incoming(self) -> bool:
        """Tell whether others tell it and we listen."""
        return self.record in get_args(Incoming)


_KINDS: Final = (
    Kind("trade.opened", incoming.TradeOpened),
    Kind("trade.closed", incoming.TradeClosed),
    Kind("order.filled", incoming.OrderFilled),
    Kind("order.executed", incoming.OrderExecuted),
    Kind("ess.tripped", incoming.EssTripped),
    Kind("market.tick", incoming.MarketTick),
    Kind("market.regime", incoming.MarketRegime),
    Kind("portfolio.snapshot_updated", outgoing.SnapshotUpdated),
    Kind("portfolio.pnl_updated", outgoing.PnlUpdated),
    Kind("portfolio.drawdown_updated", outgoing.DrawdownUpdated),
    Kind("portfolio.exposure_updated", outgoing.ExposureUpdated),
    Kind("portfolio.committed", outgoing.Committed),
    Kind("portfolio.restated", outgoing.Restated),
    Kind("portfolio.drift", outgoing.DriftState),
    Kind("portfolio.external_activity", outgoing.ExternalActivity),
    Kind("portfolio.limit", outgoing.LimitState),
    Kind("portfolio.alert", outgoing.Alert),
    Kind("position.opened", outgoing.PositionMoved),
    Kind("position.closed", outgoing.PositionMoved),
    Kind("pnl.update", outgoing.PnlUpdate),
    Kind("equity.update", outgoing.EquityUpdate),
    Kind("order.decision", outgoing.OrderDecision),
    Kind("order.exit_decision", outgoing.OrderExitDecision),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in _KINDS})

_HEARD: Final[Mapping[str, type[Incoming]]] = {
    kind.name: heard for kind in _KINDS for heard in get_args(Incoming) if heard == kind.record
}
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_EXPONENT: Final = re.compile(rb"[0-9]E[+-]?[0-9]")


def read(event: Envelope) -> Incoming | None:
    """Return what an incoming event tells; `None` for a type that is none of ours to hear.

    Raises:
        Malformed: its data is not what the type's record asks for, or of a newer schema.
        NotExact, OutOfBounds: a number is out of bounds.
    """
    kind, heard = KINDS.get(event.type), _HEARD.get(event.type)
    if kind is None or heard is None:
        return None
    if event.version > kind.version:
        raise Malformed(
            f"{event.type}: of schema version {event.version}; {kind.version} is the newest known",
            field="version",
        )
    try:
        data = values(event.data)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{event.type}: the data is no JSON: {error}", field="data") from None
    told: Incoming = record(data, heard, lambda _: (event.type, None), text_number=parse_venue)
    return incoming.check(told)


def write(told: Outgoing) -> str:
    """Return the data of an outgoing event: numbers with every digit, never with an exponent."""
    text = _ENCODER.encode(told)
    if _EXPONENT.search(text):  # a tiny number, a zero of many places, or a name that looks so
        parts = msgspec.to_builtins(told, builtin_types=(Decimal,), order="deterministic")
        text = msgspec.json.encode(_plainly(parts))
    return text.decode()


def _plainly(told: object) -> object:
    match told:
        case Decimal():
            return msgspec.Raw(plain(told).encode())
        case dict():
            return {name: _plainly(each) for name, each in told.items()}
        case list() | tuple():
            return [_plainly(each) for each in told]
        case _:
            return told
