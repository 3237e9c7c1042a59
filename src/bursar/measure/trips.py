"""Round trips: what each closing trade made, from the trade records of a book.

A round trip closes when something that was bought is sold again, a leveraged position is closed, or
a short is covered: one trip for each closing order, whatever the number of its fills. Its PnL is
what the closing realised, less its part of the fees of the trades that opened it, so that a trip
that only won back less than it paid to get in is a loss. It belongs to the strategy, regime and
pair of the trade that closed.

Invariant: Σ PnL of trips − fees of what is still open + what flows realised = realised PnL of the
records, to the last digit. `Trips` says the three parts.

Records tell of the same trade under one id and several kinds (a peg's difference, what rounding
left): those go with it. The entry time of a position is the average of its entries, by quantity;
what came by a flow has none, and its trips have no holding time.

What the book was not sure of in the closing trade, or in one that opened what was there then, is
among the trip's `flags`: `unpriced` says that a fee or a leg was counted as worth nothing.

Errors: none.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain, groupby
from typing import Final

import msgspec

from bursar.exact import ZERO, Rounding, money, quantise, ratio18
from bursar.ledger import instant
from bursar.ledger.entries import MANUAL
from bursar.ledger.records import RealizedPnLRecord
from bursar.measure.closed import ClosedTrips
from bursar.measure.trip import Trip, Trips

_FLOW: Final = "flow"
_BESIDES: Final = frozenset({"peg", "rounding"})
_NOBODY: Final[frozenset[str]] = frozenset()


class _Open(msgspec.Struct):
    """What is open of one asset in one account: signed quantity, fees so far, average entry, and
    the flags of its entries.
    """

    quantity: Decimal = ZERO
    fees: Decimal = ZERO
    opened_at: int | None = None
    flags: tuple[str, ...] = ()


class _Trade(msgspec.Struct, frozen=True):
    """The records of one trade together. `delta` is by how much it changed what is held: a fee in
    the asset itself is off.
    """

    record: RealizedPnLRecord
    asset: str
    delta: Decimal
    pnl: Decimal
    fees: Decimal
    flags: tuple[str, ...]

    @property
    def is_closing(self) -> bool:
        """Whether something was realised beside the fee."""
        return bool(self.pnl + self.fees) or bool(self.record.cost_base)


class TripBook:
    """Follows trade records in order of time and closes trips. O(1) for each record.

    `assets` tells the asset of each pair, `shorts` the accounts that may sell what they do not
    have.
    """

    def __init__(self, assets: Mapping[str, str], *, shorts: frozenset[str] = _NOBODY) -> None:
        self.flowed = ZERO
        self.assets = assets
        self.closed = ClosedTrips()
        self._shorts = shorts
        self._open: dict[tuple[str, str], _Open] = {}
        self._trips: dict[tuple[str, str, str], Trip] = {}

    @money
    def follow(self, records: Iterable[RealizedPnLRecord]) -> None:
        """Take in records, oldest first. The records of one trade belong into one call."""
        for _, told in groupby(records, key=lambda each: (each.time, each.trade_id)):
            same = list(told)
            self.flowed += sum((each.pnl_base for each in same if each.kind == _FLOW), ZERO)
            traded = [each for each in same if each.kind != _FLOW]
            if traded:
                self._take(self._joined(traded))

    @property
    @money
    def trips(self) -> Trips:
        """What closed so far."""
        open_fees = sum((each.fees for each in self._open.values()), ZERO)
        return Trips(tuple(self.closed), open_fees, self.flowed)

    def _joined(self, same: Sequence[RealizedPnLRecord]) -> _Trade:
        first = next((each for each in same if each.kind not in _BESIDES), same[0])
        asset = self.assets.get(first.pair, first.pair)
        charged = first.fee_amount if first.fee_asset == asset else ZERO
        return _Trade(
            first,
            asset,
            first.base_delta - charged if first.base_delta else ZERO,
            sum((each.pnl_base for each in same), ZERO),
            sum((each.fee_base or ZERO for each in same), ZERO),
            _joint(*(each.flags for each in same)),
        )

    def _take(self, trade: _Trade) -> None:
        record = trade.record
        open_ = self._open.setdefault((record.account, trade.asset), _Open())
        closed = self._closed(open_, trade)
        if closed is None:
            open_.fees -= trade.pnl
            _enter(open_, trade)
            return
        entries = _Open(opened_at=open_.opened_at, flags=open_.flags)
        entries.fees = _leave(open_, closed)
        self._close(trade, entries)
        beyond = abs(trade.delta) - closed
        if beyond and record.account in self._shorts:
            _enter(open_, trade, beyond)

    def _closed(self, open_: _Open, trade: _Trade) -> Decimal | None:
        """Return the quantity that a trade closes; `None` for one that opens."""
        delta = trade.delta
        if not delta:
            return ZERO if trade.is_closing else None
        if trade.record.account not in self._shorts:
            return -delta if delta < 0 else None
        is_opposite = bool(open_.quantity) and (open_.quantity > 0) != (delta > 0)
        return min(abs(delta), abs(open_.quantity)) if is_opposite else None

    def _close(self, trade: _Trade, entries: _Open) -> None:
        """Close a trip; `entries` has the part of the fees that goes along."""
        record, opened_at = trade.record, entries.opened_at
        key = record.account, trade.asset, record.order_id or record.trade_id
        known, flags = self._trips.get(key), _joint(entries.flags, trade.flags)
        if known is not None:
            opened_at, flags = known.opened_at, _joint(known.flags, flags)
        made = self._trips[key] = Trip(
            id=key[2],
            account=record.account,
            asset=trade.asset,
            pair=record.pair,
            strategy=record.strategy_tag or MANUAL,
            regime=record.regime or "",
            opened_at=opened_at,
            closed_at=instant.from_datetime(record.time),
            cost=record.cost_base + (ZERO if known is None else known.cost),
            pnl=trade.pnl - entries.fees + (ZERO if known is None else known.pnl),
            fees=trade.fees + entries.fees + (ZERO if known is None else known.fees),
            fills=1 if known is None else known.fills + 1,
            flags=flags,
        )
        self.closed.swap(known, made)


@money
def round_trips(
    records: Iterable[RealizedPnLRecord],
    assets: Mapping[str, str],
    *,
    shorts: frozenset[str] = _NOBODY,
) -> Trips:
    """Return the round trips of trade records, which stand oldest first. O(records)."""
    book = TripBook(assets, shorts=shorts)
    book.follow(records)
    return book.trips


def _joint(*flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return every flag once, in order."""
    return tuple(dict.fromkeys(chain(*flags))) if any(flags) else ()


def _enter(open_: _Open, trade: _Trade, quantity: Decimal | None = None) -> None:
    """Add an entry: its quantity, its flags, and its time to the average."""
    open_.flags = _joint(open_.flags, trade.flags)
    came = abs(trade.delta) if quantity is None else quantity
    at, there = instant.from_datetime(trade.record.time), abs(open_.quantity)
    if open_.opened_at is None or not there:
        open_.opened_at = at
    else:
        later = ratio18(Decimal(at - open_.opened_at), came, there + came)
        open_.opened_at += int(quantise(later, Decimal(1), Rounding.HALF_EVEN))
    open_.quantity += came if trade.delta >= 0 else -came


def _leave(open_: _Open, closed: Decimal) -> Decimal:
    """Take a quantity out, and return its part of the fees; all of it takes all of them.

    A leveraged position tells no quantity: its first closing takes the fees.
    """
    there = abs(open_.quantity)
    if closed >= there:
        part, open_.fees = open_.fees, ZERO
        open_.quantity, open_.opened_at, open_.flags = ZERO, None, ()
        return part
    part = ratio18(open_.fees, closed, there)
    open_.fees -= part
    open_.quantity += -closed if open_.quantity > 0 else closed
    return part
