"""Following coins: what is open of each, and what became of it, from the trade records of a book
and their shifts.

One rule says what becomes of the fees, the time and the flags of an entry, and of what paying for
it made: they go along, by quantity, wherever the coins go.

- Sold, also for another coin: with what closes. The coin that is bought begins anew.
- Carried to another account or under another name: there. A split changes how many there are, and
  nothing else.
- Paid as a fee, or money of another country that pays: into what it was paid for.
- Withdrawn, given away, spent: out, which is neither won nor lost (`flowed`). What a flow took out
  and a reversal brings back comes back with all it had.

Invariants
- Σ PnL of what closed, with its entries, − `open_fees` + `flowed` = realised PnL of the records, to
  the last digit.
- As many coins are open as the book holds (`open`), but for what only the fold knows: whose a debt
  of pooled lots is, how much there was of money that a rename made a coin, and what came first in
  one microsecond.

Records tell of the same trade under one id and several kinds (a peg's difference, what rounding
left): those go with it. The entry time of what is open is the average of its entries, by quantity;
what came by a flow has none. What a sender calls one trade is a position of its own.

Errors: none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final

import msgspec
from msgspec.structs import replace

from bursar.exact import ZERO
from bursar.ledger import instant, order
from bursar.ledger.book import POOL
from bursar.ledger.records import BESIDES, RealizedPnLRecord, is_shift
from bursar.ledger.shifts import LENT, REPAID, turn_told
from bursar.ledger.state import NO_PAIR
from bursar.measure.stake import Stake, joint

NOTHING: Final[frozenset[str]] = frozenset()
_FLOW: Final = "flow"
_CONVERSION: Final = "conversion"
_MARGIN: Final = "margin"
_STAGED: Final = "staged"
_TRADE: Final = "trade"
_OF_PAIRS: Final = frozenset({_TRADE, _MARGIN})
_PAID: Final = "paid"
_LEVERAGED: Final = frozenset({LENT, REPAID})
_PAYING: Final = frozenset({_PAID, "taken"})
_OWN: Final = ":trade:"
_OPENED: Final = ":opened"
Place = tuple[str, str, str]
"""An account, an asset, and of a leveraged position in it, which is apart from coins, the pair or
the sender's own id.
"""


class Part(msgspec.Struct, frozen=True):
    """One coin's part of a trade. `delta` is by how much it changed what is held: a fee in the
    asset itself is off. `cost` is that of the lots which left. `opens_nothing` is so of a leveraged
    trade of which the venue says that.
    """

    record: RealizedPnLRecord
    asset: str
    delta: Decimal
    flags: tuple[str, ...]
    pnl: Decimal = ZERO
    cost: Decimal = ZERO
    fees: Decimal = ZERO
    opens_nothing: bool = False

    @property
    def place(self) -> Place:
        """Where the position is."""
        is_lent = self.record.kind == _MARGIN
        name = (own_trade(self.record) or self.record.pair) if is_lent else ""
        return self.record.account, self.asset, name

    @property
    def is_closing(self) -> bool:
        """Whether something was realised beside the fee, or the fee is of no position at all."""
        is_nowhere = self.asset == NO_PAIR and self.record.kind.startswith(_STAGED)
        return bool(self.pnl if is_nowhere else self.pnl + self.fees) or bool(self.cost)

    def plus(self, delta: Decimal, pnl: Decimal, cost: Decimal, fees: Decimal = ZERO) -> "Part":
        """Return the part and more of it."""
        sums = self.delta + delta, self.flags, self.pnl + pnl, self.cost + cost, self.fees + fees
        return Part(self.record, self.asset, *sums, self.opens_nothing)


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A trade brought something, or sold it short: `entry`."""

    part: Part
    entry: Stake


class Closed(msgspec.Struct, frozen=True, gc=False):
    """A trade closed a quantity, which may be more than was there; `left` is what was."""

    part: Part
    quantity: Decimal
    left: Stake


class Came(msgspec.Struct, frozen=True, gc=False):
    """Coins came (or went short) by no trade, but what `shift` says."""

    place: Place
    stake: Stake
    shift: RealizedPnLRecord


class Went(msgspec.Struct, frozen=True, gc=False):
    """Coins left (or what was short did) by no trade, but what `shift` says."""

    place: Place
    stake: Stake
    shift: RealizedPnLRecord


class Rescaled(msgspec.Struct, frozen=True, gc=False):
    """What is open was split."""

    place: Place
    shift: RealizedPnLRecord


class Renamed(msgspec.Struct, frozen=True, gc=False):
    """All that is open goes on at another place, where nothing was."""

    place: Place
    there: Place


Event = Opened | Closed | Came | Went | Rescaled | Renamed


class KeptCoins(msgspec.Struct, frozen=True):
    """What was open, what flows had taken out, and what they had made; nobody changes it."""

    open: list[tuple[Place, Stake]]
    gone: list[tuple[Place, Stake]]
    flowed: Decimal


class Coins:
    """Follows trade records and shifts in order of time. O(1) for each of them; a split or a rename
    costs O(positions). To be used inside the money context.

    `assets` tells the asset of each pair, `cash` what is money and so is not followed, `shorts` the
    accounts that may sell what they do not have.
    """

    def __init__(
        self,
        assets: Mapping[str, str],
        *,
        cash: frozenset[str] = NOTHING,
        shorts: frozenset[str] = NOTHING,
    ) -> None:
        self.flowed = ZERO
        self.assets = assets
        self._cash = cash
        self._shorts = shorts
        self._open: dict[Place, Stake] = {}
        self._gone: dict[Place, Stake] = {}  # by flow, account, asset
        self._told: list[Event] = []

    def follow(self, records: Iterable[RealizedPnLRecord]) -> Iterator[Event]:
        """Take in records `in_order`, and yield what became of what. The records of one trade
        belong into one call.
        """
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
            told_now, self._told = self._told, []
            yield from told_now

    def kept(self) -> KeptCoins:
        """Return what going `back` to here takes. O(positions + flows that took coins out)."""
        stakes = [(place, replace(stake)) for place, stake in self._open.items()]
        return KeptCoins(stakes, list(self._gone.items()), self.flowed)

    def back(self, kept: KeptCoins) -> None:
        """Be as it was then."""
        self.flowed, self._gone = kept.flowed, dict(kept.gone)
        self._open = {place: replace(stake) for place, stake in kept.open}

    @property
    def open_fees(self) -> Decimal:
        """What was paid for what is still open, less what paying made."""
        return -sum((each.made for each in self._open.values()), ZERO)

    @property
    def open(self) -> Mapping[Place, Stake]:
        """What is open, and where."""
        return self._open

    def _trade(
        self, told: Sequence[RealizedPnLRecord], shifts: Sequence[RealizedPnLRecord]
    ) -> None:
        """Take in a trade coin by coin. The fees, and what no other coin made, are one coin's: that
        of the pair, or where there is no pair of what was given away.
        """
        first = next((each for each in told if each.kind not in BESIDES), told[0])
        paid = [
            self._move(each) if each.side == _PAID else self._delivered(each)
            for each in shifts
            if each.side in _PAYING
        ]
        parts = self._parts(first, shifts, told)
        bearer = next(iter(parts))
        if not shifts and first.kind == _TRADE and first.fee_asset not in {"", bearer}:
            paid += self._fee(first)
        pnl = sum((*(x.pnl_base for x in told), *(x.made for x in paid)), ZERO)
        pnl -= sum((each.pnl for each in parts.values()), ZERO)
        cost = first.cost_base - sum((each.cost for each in parts.values()), ZERO)
        fees = sum((*(x.fee_base or ZERO for x in told), *(x.fees for x in paid)), ZERO)
        parts[bearer] = parts[bearer].plus(ZERO, pnl, cost, fees)
        for part in parts.values():
            self._take(part)

    def _fee(self, record: RealizedPnLRecord) -> list[Stake]:
        """Let go of the coins that the fee was paid in, if it was in coins."""
        asset, amount = record.fee_asset, record.fee_amount
        if asset in self._cash or not amount:
            return []
        return [self._moved((record.account, asset, ""), -amount, record)]

    def _delivered(self, shift: RealizedPnLRecord) -> Stake:
        """End a leveraged position that coins come of, or go for: what it paid goes along."""
        pair, delta = shift.regime or "", shift.base_delta
        place = shift.account, self.assets.get(pair, pair), pair
        stake = self._at(place)
        part = stake.take(_overlap(stake, delta)) if stake.quantity * delta > 0 else Stake()
        self._told.append(Went(place, part, shift))
        return part

    def _parts(
        self,
        first: RealizedPnLRecord,
        shifts: Sequence[RealizedPnLRecord],
        told: Iterable[RealizedPnLRecord],
    ) -> dict[str, Part]:
        """Return each coin's part, the one that bears the rest first."""
        parts: dict[str, Part] = {}
        traded = [each for each in shifts if each.side == "traded"]
        flags = joint(*(each.flags for each in told))
        if first.kind in _OF_PAIRS or not traded:
            own = self.assets.get(first.pair, first.pair)
            charged = first.fee_amount if first.fee_asset == own else ZERO
            delta = first.base_delta - charged if first.base_delta else ZERO
            is_repaid = False
            if first.kind == _MARGIN:
                delta = sum((each.base_delta for each in shifts if each.side in _LEVERAGED), ZERO)
                is_repaid = any(each.side == REPAID for each in shifts)
            parts[own] = Part(first, own, delta, flags, opens_nothing=is_repaid)
        for each in sorted(traded, key=lambda shift: shift.base_delta):
            known = parts.get(each.pair, Part(first, each.pair, ZERO, flags))
            parts[each.pair] = known.plus(each.base_delta, each.pnl_base, each.cost_base)
        return parts

    def _take(self, part: Part) -> None:
        stake = self._at(part.place)
        closed = self._closed(stake, part)
        if closed is None:
            self._enter(stake, part, _entry(part, abs(part.delta), part.pnl, part.fees))
            return
        self._told.append(Closed(part, closed, stake.take(closed)))
        beyond = abs(part.delta) - closed
        if beyond and not part.opens_nothing:
            self._enter(stake, part, _entry(part, beyond))

    def _enter(self, stake: Stake, part: Part, entry: Stake) -> None:
        stake.add(entry)
        self._told.append(Opened(part, entry))

    def _closed(self, stake: Stake, part: Part) -> Decimal | None:
        """Return the quantity that a trade closes; `None` for one that opens.

        A leveraged one that settled something where nothing is known to be open closes that, and
        so does one that opened nothing. What lies on its own side it leaves alone.
        """
        delta, is_lent = part.delta, part.record.kind == _MARGIN
        if delta and is_lent and own_trade(part.record):
            return None if part.record.trade_id.endswith(_OPENED) else abs(delta)
        if delta and not is_lent and part.record.account not in self._shorts:
            return -delta if delta < 0 else None
        if part.opens_nothing:
            return ZERO if stake.quantity * delta > 0 else abs(delta)
        if stake.quantity * delta < 0:
            return _overlap(stake, delta)
        return ZERO if part.is_closing and (is_lent or not delta) else None

    def _shift(self, shift: RealizedPnLRecord) -> None:
        """Take in what no trade did. What leaves with it is neither won nor lost."""
        match shift.side:
            case "flow":
                gone = self._move(shift)  # which may add to what flowed, where it covers a short
                self.flowed += gone.made
            case "undone":
                self._undo(shift)
            case "carried":
                part = self._out(_place(shift), shift.base_delta, shift)
                # What was not there comes as of no known time.
                part = replace(part, quantity=shift.base_delta)
                self._in((shift.order_id or "", shift.regime or "", ""), part, shift)
            case "renamed":
                for place in self._places(shift):
                    self._rename(place, shift)
            case _:
                for place in self._places(shift):
                    self._open[place].split(shift.base_delta, shift.quote_delta)
                    self._told.append(Rescaled(place, shift))
                    self._sweep(place, shift)

    def _move(self, shift: RealizedPnLRecord) -> Stake:
        """Let coins come, or go; return what goes."""
        place = _place(shift)
        part = self._moved(place, shift.base_delta, shift)
        if shift.order_id is not None and shift.base_delta < 0:
            self._gone[(shift.order_id, *place[:2])] = part
        return part

    def _moved(self, place: Place, delta: Decimal, told: RealizedPnLRecord) -> Stake:
        if delta <= 0:
            return self._out(place, -delta, told)
        self._in(place, Stake(delta, flags=told.flags), told)
        return Stake()

    def _undo(self, shift: RealizedPnLRecord) -> None:
        """Bring back what a flow took out; or let go of what it brought, which bore no fees."""
        place, delta = _place(shift), shift.base_delta
        stake = self._at(place)
        if delta > 0:
            part = replace(self._gone.pop((shift.trade_id, *place[:2]), Stake(delta)))
            if place[0] in self._shorts:
                self._in(place, Stake(delta - part.quantity), shift)  # what went short
            self.flowed -= part.made
            self._in(place, part, shift)
        elif stake.quantity > -delta:
            stake.quantity += delta
            stake.dated = min(stake.dated, stake.quantity)
            self._told.append(Went(place, Stake(-delta), shift))
        else:
            self.flowed += self._out(place, -delta, shift).made

    def _rename(self, place: Place, shift: RealizedPnLRecord) -> None:
        part, there = self._open.pop(place), (place[0], shift.regime or "", "")
        if shift.regime is not None and not self._at(there).quantity:
            self._told.append(Renamed(place, there))
            self._at(there).add(part)
            return
        self._told.append(Went(place, part, shift))
        if shift.regime is None:
            self.flowed += part.made
        else:
            self._in(there, part, shift)

    def _in(self, place: Place, part: Stake, told: RealizedPnLRecord) -> None:
        """Let a part join what is open, after it has made up for what is short."""
        stake = self._at(place)
        if stake.quantity * part.quantity < 0:
            both = _overlap(stake, part.quantity)
            covered = stake.take(both)
            self._told.append(Went(place, covered, told))
            self.flowed += covered.made + part.take(both).made
        self._come(place, part, told)

    def _out(self, place: Place, quantity: Decimal, told: RealizedPnLRecord) -> Stake:
        """Take coins out, and return what was there of them; the rest goes short if it may."""
        stake = self._at(place)
        if place[0] not in self._shorts:
            part = stake.take(quantity)
            self._told.append(Went(place, part, told))
            return part
        part = stake.take(_overlap(stake, -quantity)) if stake.quantity > 0 else Stake()
        self._told.append(Went(place, part, told))
        self._come(place, Stake(part.quantity - quantity), told)
        return part

    def _come(self, place: Place, part: Stake, told: RealizedPnLRecord) -> None:
        self._at(place).add(part)
        self._told.append(Came(place, part, told))

    def _sweep(self, place: Place, shift: RealizedPnLRecord) -> None:
        """Let the fees go of which a split has left no coins."""
        if not self._open[place].quantity:
            part = self._open.pop(place)
            self.flowed += part.made
            self._told.append(Went(place, part, shift))

    def _places(self, shift: RealizedPnLRecord) -> list[Place]:
        """Return where the coins of a split or a rename are open."""
        account, asset, _ = _place(shift)
        accounts = {each for each, *_ in self._open} if account == POOL else {account}
        return [place for each in sorted(accounts) if (place := (each, asset, "")) in self._open]

    def _at(self, place: Place) -> Stake:
        stake = self._open.get(place)
        if stake is None:
            stake = self._open[place] = Stake()
        return stake


def in_order(records: Iterable[RealizedPnLRecord]) -> list[RealizedPnLRecord]:
    """Return records, which stand oldest first, with those of one instant as trips take them.

    Records do not say in which order a venue did what it did at once, so it is their turn that
    tells, as in the fold; what happened everywhere comes first.
    """
    found: list[RealizedPnLRecord] = []
    for _, at_once in groupby(records, key=lambda each: each.time):
        told: dict[str, list[RealizedPnLRecord]] = {}
        for each in at_once:
            told.setdefault(each.trade_id, []).append(each)
        for name in sorted(told, key=lambda name: (*_turn(told[name]), name)):
            found += told[name]
    return found


def _turn(told: Sequence[RealizedPnLRecord]) -> tuple[bool, int]:
    """Return whether the fact of these records is one account's, and what `ledger.order.turn` says
    of it.
    """
    shift = next(filter(is_shift, told), None)
    if shift is not None and (due := turn_told(shift)) is not None:
        return shift.account != POOL, due
    traded = next((each for each in told if each.kind in _OF_PAIRS), None)
    if traded is not None:
        is_opening = own_trade(traded) and traded.trade_id.endswith(_OPENED)
        is_bought = is_opening or (traded.side == "buy" and traded.kind != _MARGIN)
        return True, order.IS_BOUGHT if is_bought else order.ALL_ELSE
    if any(each.kind == _CONVERSION for each in told):
        return True, order.IS_EXCHANGED
    flow = next((each.base_delta for each in told if is_shift(each) and each.side == _FLOW), ZERO)
    if not flow:
        return True, order.ALL_ELSE
    return True, order.COMES_IN if flow > 0 else order.GOES_OUT


def own_trade(record: RealizedPnLRecord) -> str:
    """Return the sender's own id of a leveraged trade (events of the family `trade`), if any."""
    mark = f"{record.account}{_OWN}"
    name = record.trade_id
    return name[: name.find(":", len(mark))] if name.startswith(mark) else ""


def _entry(part: Part, quantity: Decimal, made: Decimal = ZERO, fees: Decimal = ZERO) -> Stake:
    signed = quantity if part.delta >= 0 else -quantity
    at = instant.from_datetime(part.record.time)
    return Stake(signed, made, fees, quantity, at, part.flags)


def _overlap(stake: Stake, delta: Decimal) -> Decimal:
    """Return how much of what is open a change of the opposite sign takes away."""
    return min(abs(stake.quantity), abs(delta))


def _place(shift: RealizedPnLRecord) -> Place:
    return shift.account, shift.pair, ""
