"""Round trips: what each closing trade made, from the trade records of a book and their shifts.

A round trip closes when something that was bought is sold again, a leveraged position is closed, or
a short is covered: one trip for each closing order and coin, whatever the number of its fills. Its
PnL is what the closing realised, less its part of the fees of the trades that opened it, so that a
trip that only won back less than it paid to get in is a loss. It belongs to the strategy, regime
and pair of the trade that closed.

One rule says what becomes of the fees, the time and the flags of an entry, and of what paying for
it made: they go along, by quantity, wherever the coins go.

- Sold, also for another coin: into the trip. The coin that is bought begins its own.
- Carried to another account or under another name: there, where the trip goes on. A split changes
  how many there are, and nothing else.
- Paid as a fee, or money of another country that pays: into what it was paid for.
- Withdrawn, given away, spent: out, which is neither won nor lost. What a flow took out and a
  reversal brings back comes back with all it had.

Invariants
- Σ PnL of trips − fees of what is still open + `flowed` = realised PnL of the records, to the last
  digit. `Trips` says the three parts.
- As many coins are open as the book holds (`TripBook.held`), but for what only the fold knows: a
  leveraged settlement that no venue stated, whose a debt of pooled lots is, how much there was of
  money that a rename made a coin, and what came first in one microsecond.

Records tell of the same trade under one id and several kinds (a peg's difference, what rounding
left): those go with it. The entry time of a position is the average of its entries, by quantity;
what came by a flow has none, and trips of nothing else have no holding time.

What the book was not sure of in the closing trade, or in what brought the coins that were there
then, is among the trip's `flags`: `unpriced` says that a part was counted as worth nothing.

Errors: none.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.book import POOL
from bursar.ledger.entries import MANUAL
from bursar.ledger.records import RealizedPnLRecord, is_shift
from bursar.measure.closed import ClosedTrips
from bursar.measure.stake import Stake, joint
from bursar.measure.trip import Trip, Trips

_FLOW: Final = "flow"
_MARGIN: Final = "margin"
_TRADE: Final = "trade"
_OF_PAIRS: Final = frozenset({_TRADE, _MARGIN})
_BESIDES: Final = frozenset({"peg", "rounding"})
_PAID: Final = "paid"
_NOTHING: Final[frozenset[str]] = frozenset()
_Place = tuple[str, str, str]
"""An account, an asset, and the pair of a leveraged position in it, which is apart from coins."""


class _Part(msgspec.Struct, frozen=True):
    """One coin's part of a trade. `delta` is by how much it changed what is held: a fee in the
    asset itself is off. `cost` is that of the lots which left.
    """

    record: RealizedPnLRecord
    asset: str
    delta: Decimal
    flags: tuple[str, ...]
    pnl: Decimal = ZERO
    cost: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def place(self) -> _Place:
        """Where the position is."""
        pair = self.record.pair if self.record.kind == _MARGIN else ""
        return self.record.account, self.asset, pair

    @property
    def is_closing(self) -> bool:
        """Whether something was realised beside the fee."""
        return bool(self.pnl + self.fees) or bool(self.cost)

    def plus(self, delta: Decimal, pnl: Decimal, cost: Decimal, fees: Decimal = ZERO) -> "_Part":
        """Return the part and more of it."""
        sums = self.delta + delta, self.flags, self.pnl + pnl, self.cost + cost, self.fees + fees
        return _Part(self.record, self.asset, *sums)


class TripBook:
    """Follows trade records and shifts in order of time and closes trips. O(1) for each of them;
    a split or a rename costs O(positions).

    `assets` tells the asset of each pair, `cash` what is money and so has no trips, `shorts` the
    accounts that may sell what they do not have.
    """

    def __init__(
        self,
        assets: Mapping[str, str],
        *,
        cash: frozenset[str] = _NOTHING,
        shorts: frozenset[str] = _NOTHING,
    ) -> None:
        self.flowed = ZERO
        self.assets = assets
        self.closed = ClosedTrips()
        self._cash = cash
        self._shorts = shorts
        self._open: dict[_Place, Stake] = {}
        self._trips: dict[tuple[str, str, str, str], Trip] = {}
        self._gone: dict[tuple[str, str, str], Stake] = {}

    @money
    def follow(self, records: Iterable[RealizedPnLRecord]) -> None:
        """Take in records `in_order`. The records of one trade belong into one call."""
        for _, told in groupby(records, key=lambda each: (each.time, each.trade_id)):
            traded: list[RealizedPnLRecord] = []
            shifts: list[RealizedPnLRecord] = []
            for each in told:
                if is_shift(each):
                    shifts.append(each)
                elif each.kind.startswith(_FLOW):
                    self.flowed += each.pnl_base
                else:
                    traded.append(each)
            if traded:
                self._trade(traded, shifts)
            else:
                for shift in shifts:
                    self._shift(shift)

    @property
    @money
    def trips(self) -> Trips:
        """What closed so far."""
        open_fees = -sum((each.made for each in self._open.values()), ZERO)
        return Trips(tuple(self.closed), open_fees, self.flowed)

    @property
    def held(self) -> dict[tuple[str, str], Decimal]:
        """How many coins are open, signed, by account and asset; of what is open."""
        return {place[:2]: x.quantity for place, x in self._open.items() if not place[2]}

    def _trade(
        self, told: Sequence[RealizedPnLRecord], shifts: Sequence[RealizedPnLRecord]
    ) -> None:
        """Take in a trade coin by coin. The fees, and what no other coin made, are one coin's: that
        of the pair, or where there is no pair of what was given away.
        """
        first = next((each for each in told if each.kind not in _BESIDES), told[0])
        paid = [self._move(each) for each in shifts if each.side == _PAID]
        parts = self._parts(first, [each for each in shifts if each.side != _PAID], told)
        bearer = next(iter(parts))
        if not shifts and first.kind == _TRADE and first.fee_asset not in {"", bearer}:
            paid += self._fee(first)
        pnl = sum((*(x.pnl_base for x in told), *(x.made for x in paid)), ZERO)
        pnl -= sum((each.pnl for each in parts.values()), ZERO)
        cost = sum((each.cost_base for each in told), ZERO)
        cost -= sum((each.cost for each in parts.values()), ZERO)
        fees = sum((*(x.fee_base or ZERO for x in told), *(x.fees for x in paid)), ZERO)
        parts[bearer] = parts[bearer].plus(ZERO, pnl, cost, fees)
        for part in parts.values():
            self._take(part)

    def _fee(self, record: RealizedPnLRecord) -> list[Stake]:
        """Let go of the coins that the fee was paid in, if it was in coins."""
        asset, amount = record.fee_asset, record.fee_amount
        if asset in self._cash or not amount:
            return []
        return [self._moved((record.account, asset, ""), -amount, record.flags)]

    def _parts(
        self,
        first: RealizedPnLRecord,
        traded: Sequence[RealizedPnLRecord],
        told: Iterable[RealizedPnLRecord],
    ) -> dict[str, _Part]:
        """Return each coin's part, the one that bears the rest first."""
        parts: dict[str, _Part] = {}
        flags = joint(*(each.flags for each in told))
        if first.kind in _OF_PAIRS or not traded:
            own = self.assets.get(first.pair, first.pair)
            charged = first.fee_amount if first.fee_asset == own else ZERO
            delta = first.base_delta - charged if first.base_delta else ZERO
            parts[own] = _Part(first, own, delta, flags)
        for each in sorted(traded, key=lambda shift: shift.base_delta):
            known = parts.get(each.pair, _Part(first, each.pair, ZERO, flags))
            parts[each.pair] = known.plus(each.base_delta, each.pnl_base, each.cost_base)
        return parts

    def _take(self, part: _Part) -> None:
        stake = self._at(part.place)
        closed = self._closed(stake, part)
        if closed is None:
            stake.add(_entry(part, abs(part.delta), part.pnl, part.fees))
            return
        self._close(part, stake.take(closed))
        beyond = abs(part.delta) - closed
        if beyond and part.record.account in self._shorts:
            stake.add(_entry(part, beyond))

    def _closed(self, stake: Stake, part: _Part) -> Decimal | None:
        """Return the quantity that a trade closes; `None` for one that opens."""
        delta = part.delta
        if not delta:
            return ZERO if part.is_closing else None
        if part.record.account not in self._shorts:
            return -delta if delta < 0 else None
        return _overlap(stake, delta) if stake.quantity * delta < 0 else None

    def _close(self, part: _Part, entries: Stake) -> None:
        """Close a trip; `entries` is what leaves, with its part of the fees."""
        record, opened_at = part.record, entries.opened_at
        name = record.order_id or record.trade_id
        key = record.account, part.asset, record.pair, name  # venues count orders by pair
        known, flags = self._trips.get(key), joint(entries.flags, part.flags)
        if known is not None:
            opened_at, flags = known.opened_at, joint(known.flags, flags)
        made = self._trips[key] = Trip(
            id=name,
            account=record.account,
            asset=part.asset,
            pair=record.pair,
            strategy=record.strategy_tag or MANUAL,
            regime=record.regime or "",
            opened_at=opened_at,
            closed_at=instant.from_datetime(record.time),
            cost=part.cost + (ZERO if known is None else known.cost),
            pnl=part.pnl + entries.made + (ZERO if known is None else known.pnl),
            fees=part.fees + entries.fees + (ZERO if known is None else known.fees),
            fills=1 if known is None else known.fills + 1,
            flags=flags,
        )
        self.closed.swap(known, made)

    def _shift(self, shift: RealizedPnLRecord) -> None:
        """Take in what no trade did. What leaves with it is neither won nor lost."""
        match shift.side:
            case "flow":
                self.flowed += self._move(shift).made
            case "undone":
                self._undo(shift)
            case "carried":
                part = self._out(_place(shift), shift.base_delta)
                part.quantity = shift.base_delta  # what was not there comes as of no known time
                self._in((shift.order_id or "", shift.regime or "", ""), part)
            case "renamed":
                for place in self._places(shift):
                    self._rename(place, shift.regime)
            case _:
                for place in self._places(shift):
                    self._open[place].split(shift.base_delta, shift.quote_delta)
                    self._sweep(place)

    def _move(self, shift: RealizedPnLRecord) -> Stake:
        """Let coins come, or go; return what goes."""
        place = _place(shift)
        part = self._moved(place, shift.base_delta, shift.flags)
        if shift.order_id is not None and shift.base_delta < 0:
            self._gone[(shift.order_id, *place[:2])] = part
        return part

    def _moved(self, place: _Place, delta: Decimal, flags: tuple[str, ...]) -> Stake:
        if delta <= 0:
            return self._out(place, -delta)
        self._in(place, Stake(delta, flags=flags))
        return Stake()

    def _undo(self, shift: RealizedPnLRecord) -> None:
        """Bring back what a flow took out; or let go of what it brought, which bore no fees."""
        place, delta = _place(shift), shift.base_delta
        stake = self._at(place)
        if delta > 0:
            part = self._gone.pop((shift.trade_id, *place[:2]), Stake(delta))
            if place[0] in self._shorts:
                self._in(place, Stake(delta - part.quantity))  # what went short
            self.flowed -= part.made
            self._in(place, part)
        elif stake.quantity > -delta:
            stake.quantity += delta
            stake.dated = min(stake.dated, stake.quantity)
        else:
            self.flowed += self._out(place, -delta).made

    def _rename(self, place: _Place, name: str | None) -> None:
        part = self._open.pop(place)
        if name is None:
            self.flowed += part.made
        else:
            self._in((place[0], name, ""), part)

    def _in(self, place: _Place, part: Stake) -> None:
        """Let a part join what is open, after it has made up for what is short."""
        stake = self._at(place)
        if stake.quantity * part.quantity < 0:
            both = _overlap(stake, part.quantity)
            self.flowed += stake.take(both).made + part.take(both).made
        stake.add(part)

    def _out(self, place: _Place, quantity: Decimal) -> Stake:
        """Take coins out, and return what was there of them; the rest goes short if it may."""
        stake = self._at(place)
        if place[0] not in self._shorts:
            return stake.take(quantity)
        part = stake.take(_overlap(stake, -quantity)) if stake.quantity > 0 else Stake()
        stake.add(Stake(part.quantity - quantity))
        return part

    def _sweep(self, place: _Place) -> None:
        """Let the fees go of which a split has left no coins."""
        if not self._open[place].quantity:
            self.flowed += self._open.pop(place).made

    def _places(self, shift: RealizedPnLRecord) -> list[_Place]:
        """Return where the coins of a split or a rename are open."""
        account, asset, _ = _place(shift)
        accounts = {each for each, *_ in self._open} if account == POOL else {account}
        return [place for each in sorted(accounts) if (place := (each, asset, "")) in self._open]

    def _at(self, place: _Place) -> Stake:
        return self._open.setdefault(place, Stake())


@money
def round_trips(
    records: Iterable[RealizedPnLRecord],
    assets: Mapping[str, str],
    *,
    cash: frozenset[str] = _NOTHING,
    shorts: frozenset[str] = _NOTHING,
) -> Trips:
    """Return the round trips of records and shifts, which stand oldest first. O(records)."""
    book = TripBook(assets, cash=cash, shorts=shorts)
    book.follow(in_order(records))
    return book.trips


def in_order(records: Iterable[RealizedPnLRecord]) -> list[RealizedPnLRecord]:
    """Return records, which stand oldest first, with those of one instant as trips take them.

    Records do not say in which order a venue did what it did at once. As in the fold, what brings
    comes before what takes then: a sale that came before its purchase would leave that open.
    """
    found: list[RealizedPnLRecord] = []
    for _, at_once in groupby(records, key=lambda each: each.time):
        told: dict[str, list[RealizedPnLRecord]] = {}
        for each in at_once:
            told.setdefault(each.trade_id, []).append(each)
        for name in sorted(told, key=lambda name: (_turn(told[name]), name)):
            found += told[name]
    return found


def _turn(told: Sequence[RealizedPnLRecord]) -> int:
    """Return what `ledger.order.turn` says of the fact that these are the records of."""
    traded = next((each for each in told if each.kind in _OF_PAIRS), None)
    if traded is not None:
        return 1 if traded.side == "buy" and traded.kind != _MARGIN else 2
    flow = next((each.base_delta for each in told if is_shift(each) and each.side == _FLOW), ZERO)
    return 2 if not flow else 0 if flow > 0 else 3


def _entry(part: _Part, quantity: Decimal, made: Decimal = ZERO, fees: Decimal = ZERO) -> Stake:
    signed = quantity if part.delta >= 0 else -quantity
    at = instant.from_datetime(part.record.time)
    return Stake(signed, made, fees, quantity, at, part.flags)


def _overlap(stake: Stake, delta: Decimal) -> Decimal:
    """Return how much of what is open a change of the opposite sign takes away."""
    return min(abs(stake.quantity), abs(delta))


def _place(shift: RealizedPnLRecord) -> _Place:
    return shift.account, shift.pair, ""
