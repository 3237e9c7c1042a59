"""Trades: what was opened and closed again, from flat to flat, as `coins` follows it.

A trade is a position: from what leaves a flat one (of one account in one coin, or in one pair with
leverage) to what makes it flat again. A fill that goes through zero closes one trade and opens the
next. Where a sender gave a trade an id (events of the family `trade`), its opening and closings
under that id are one trade. What closes a position that nobody opened is a trade of its own.

A coin that pays for another is sold, and that one bought. Coins that come or leave otherwise take
with them what their entries paid: carried to another account or to part of a name, they open a
trade there, or join it. Under a new name, or after a split, a trade goes on. Where flows alone
brought coins there is no trade before something is sold, or bought to them.

So the results of all trades are those of the round trips: what closed, and the fees of what is
open. What the book was not sure of in any of the fills is among the `flags`: `unpriced` says that a
part was counted as worth nothing.

Errors: none.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from bursar.exact import ZERO, divide, money, product18, ratio18
from bursar.ledger.book import POOL
from bursar.ledger.entries import Fill, MarginFill
from bursar.ledger.facts import Fact
from bursar.ledger.records import RealizedPnLRecord
from bursar.measure.coins import (
    Came,
    Closed,
    Event,
    Opened,
    Part,
    Place,
    Rescaled,
    Went,
    own_trade,
)
from bursar.measure.stake import Stake, joint

LONG, SHORT = "LONG", "SHORT"
_PLACES: Final = 18
_FLOW, _UNDONE = "flow", "undone"
_ON: Final = frozenset({"carried", "renamed"})


class Trade(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One trade. `quantity` is all that came in, `open_quantity` what is still there (0: closed).

    Of that, trades brought `entry_quantity` for `entry_notional`, and took `exit_quantity` for
    `exit_notional`: totals in `quote`, `None` where a part was exchanged for anything else.
    `realized_pnl` (fees taken off) and `fees` are in base currency. Times are UTC nanoseconds;
    `opened_at` is `None` where no trade opened it.
    """

    trade_id: str
    account: str
    symbol: str
    side: str
    quantity: Decimal = ZERO
    open_quantity: Decimal = ZERO
    entry_quantity: Decimal = ZERO
    entry_notional: Decimal | None = ZERO
    opened_at: int | None = None
    exit_quantity: Decimal = ZERO
    exit_notional: Decimal | None = ZERO
    closed_at: int | None = None
    quote: str | None = None
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    is_margin: bool = False
    leverage: Decimal | None = None
    strategy: str | None = None
    regime: str | None = None
    fills: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Tell whether some of it is still there."""
        return self.closed_at is None

    @property
    def since(self) -> int:
        """When it was opened, to order by; 0 where nobody knows."""
        return self.opened_at or 0

    @property
    def entry_price(self) -> Decimal | None:
        """The average price of what was bought, or of what was sold short."""
        return _average(self.entry_notional, self.entry_quantity)

    @property
    def exit_price(self) -> Decimal | None:
        """The average price of what was closed so far."""
        return _average(self.exit_notional, self.exit_quantity)


class KeptTrades(msgspec.Struct, frozen=True):
    """What was open, what flows had taken out, and what had left a place last."""

    open: list[tuple[Place, Trade]]
    gone: list[tuple[tuple[str, Place], tuple[Trade, Trade]]]
    left: Trade | None


class Trades:
    """Follows what becomes of coins: which trades are open, and which have changed since `changed`
    was taken. O(1) for each event; the fills of a trade are put together when it is asked for.
    """

    def __init__(self) -> None:
        self._open: dict[Place, Trade] = {}
        self._changed: dict[str, Trade] = {}
        self._gone: dict[tuple[str, Place], tuple[Trade, Trade]] = {}
        self._left: Trade | None = None
        self._fills: dict[Place, list[str]] = {}

    @money
    def follow(self, events: Iterable[Event], facts: Mapping[str, Fact]) -> None:
        """Take in what became of coins by `facts`."""
        for each in events:
            match each:
                case Opened(part, entry):
                    self._traded(part, facts[part.record.trade_id], abs(entry.quantity), entry)
                case Closed(part, quantity, _):
                    self._traded(part, facts[part.record.trade_id], quantity, None)
                case Came(place, stake, shift):
                    self._join(place, stake, shift)
                case Went(place, stake, shift):
                    self._leave(place, stake, shift, facts[shift.trade_id].executed_at)
                case Rescaled(place, shift):
                    self._rescale(place, shift)
                case _:
                    self._rename(each.place, each.there)

    def changed(self) -> list[Trade]:
        """Return the trades that changed since this was last asked, by id."""
        for place in list(self._fills):
            self._keep(place, self._whole(place, self._open[place]))
        changed, self._changed = self._changed, {}
        return [changed[name] for name in sorted(changed)]

    def kept(self) -> KeptTrades:
        """Return what going `back` to here takes. O(positions + flows that took coins out)."""
        trades = [
            (place, _filled(each, self._fills.get(place, ()))) for place, each in self._open.items()
        ]
        return KeptTrades(trades, list(self._gone.items()), self._left)

    def back(self, kept: KeptTrades) -> None:
        """Be as it was then. All is told again whose like may have come and gone since: what is
        open, and what ended with a flow that may have been put back.
        """
        self._open, self._gone, self._left = dict(kept.open), dict(kept.gone), kept.left
        self._fills = {}
        ended = [each for _, each in self._gone.values() if not each.is_open]
        told = [*self._open.values(), *ended]
        self._changed = {each.trade_id: each for each in told if each.trade_id}

    # -------------------------------------------------------------- by trades

    def _traded(self, part: Part, fact: Fact, quantity: Decimal, entry: Stake | None) -> None:
        made, fees = (part.pnl, part.fees) if entry is None else (entry.made, entry.fees)
        if not (quantity or made or fees or getattr(fact, "quantity", None)):
            return
        goes_on = isinstance(fact, MarginFill) or abs(part.delta) > quantity
        deal = _Deal(part.record, part.asset, fact, part.flags, made, fees, goes_on)
        self._fills.setdefault(part.place, []).append(fact.id)
        if entry is None:
            side = _side(-part.delta) if part.delta else ""  # nobody says what was closed
            self._exit(part.place, deal, quantity, side)
        else:
            self._enter(part.place, deal, quantity, _side(entry.quantity))

    def _enter(self, place: Place, deal: "_Deal", quantity: Decimal, side: str) -> None:
        known = self._open.get(place)
        trade = _blank(place, side) if known is None else _turned(known, side)
        if quantity and not trade.trade_id:
            trade = _begun(trade, deal, opened_at=deal.fact.executed_at)
        trade = _with(trade, deal)
        self._keep(
            place,
            replace(
                trade,
                quantity=trade.quantity + quantity,
                open_quantity=trade.open_quantity + quantity,
                entry_quantity=trade.entry_quantity + quantity,
                entry_notional=_plus(trade.entry_notional, _worth(trade, deal, quantity)),
            ),
        )

    def _exit(self, place: Place, deal: "_Deal", quantity: Decimal, side: str) -> None:
        known = self._open.get(place)
        trade = _blank(place, side) if known is None else known
        if not trade.trade_id:
            trade = _begun(_turned(trade, side), deal, opened_at=None)
        trade = _with(trade, deal)
        left = max(trade.open_quantity - quantity, ZERO)
        unseen = max(quantity - trade.open_quantity, ZERO)
        self._keep(
            place,
            replace(
                trade,
                quantity=trade.quantity + unseen,
                open_quantity=left,
                exit_quantity=trade.exit_quantity + quantity,
                exit_notional=_plus(trade.exit_notional, _worth(trade, deal, quantity)),
                closed_at=None if left else deal.fact.executed_at,
            ),
        )

    # -------------------------------------------------------------- otherwise

    def _leave(self, place: Place, stake: Stake, shift: RealizedPnLRecord, at: int) -> None:
        known, size = self._open.get(place), abs(stake.quantity)
        back = shift.order_id if shift.side == _FLOW else None
        if known is not None and (back is not None or _is_source(place, shift)):
            known = self._whole(place, known)
        left = None if known is None else _part_of(known, size)
        if _is_source(place, shift):
            self._left = left
        if known is None or left is None:
            return
        is_over = known.trade_id and not known.open_quantity  # a split has left nothing
        if not (size or stake.made or is_over):
            return
        there = max(known.open_quantity - size, ZERO)
        trade = replace(
            known,
            open_quantity=there,
            realized_pnl=known.realized_pnl - stake.made,
            fees=known.fees - stake.fees,
            closed_at=None if there else at,
        )
        self._keep(place, trade)
        if back is not None:
            self._gone[(back, place)] = left, trade

    def _join(self, place: Place, stake: Stake, shift: RealizedPnLRecord) -> None:
        size, side = abs(stake.quantity), _side(stake.quantity)
        if not size and not stake.made:
            return
        known = self._open.get(place)
        trade = _blank(place, side) if known is None else _turned(known, side)
        more, part = size, None
        if shift.side == _UNDONE:
            part, ended = self._gone.pop((shift.trade_id, place), (None, None))
            if ended is not None and _is_back(known, ended):
                trade, more, part = known or ended, ZERO, None
        elif shift.side in _ON and not _is_source(place, shift):
            part = self._left
        if part is not None and part.trade_id:
            trade = _joined(trade, part, place, shift)
        self._keep(
            place,
            replace(
                trade,
                quantity=trade.quantity + more,
                open_quantity=trade.open_quantity + size,
                realized_pnl=trade.realized_pnl + stake.made,
                fees=trade.fees + stake.fees,
                flags=joint(trade.flags, stake.flags),
                closed_at=None,
            ),
        )

    def _rescale(self, place: Place, shift: RealizedPnLRecord) -> None:
        """Count a trade in the units after a split."""
        known = self._open.get(place)
        if known is not None:
            counts = {
                name: ratio18(getattr(known, name), shift.base_delta, shift.quote_delta)
                for name in ("quantity", "open_quantity", "entry_quantity", "exit_quantity")
            }
            self._keep(place, replace(known, **counts))

    def _rename(self, place: Place, there: Place) -> None:
        trade, waiting = self._open.pop(place, None), self._open.pop(there, None)
        if trade is None:
            return
        trade = self._whole(place, trade)
        if waiting is not None:  # fees of nothing, so far
            made, fees = trade.realized_pnl + waiting.realized_pnl, trade.fees + waiting.fees
            fills = *self._whole(there, waiting).fills, *trade.fills
            trade = replace(trade, realized_pnl=made, fees=fees, fills=fills)
        symbol = _renamed(trade.symbol, there[1])
        self._keep(there, replace(trade, symbol=symbol))

    def _keep(self, place: Place, trade: Trade) -> None:
        """Keep what is open, and what is to be told: a trade without an id is none yet."""
        if not trade.is_open:
            trade = self._whole(place, trade)
        if trade.trade_id:
            self._changed[trade.trade_id] = trade
        if trade.is_open:
            self._open[place] = trade
        else:
            self._open.pop(place, None)

    def _whole(self, place: Place, trade: Trade) -> Trade:
        """Return a trade with its latest fills."""
        return _filled(trade, self._fills.pop(place, ()))


class _Deal(msgspec.Struct, frozen=True):
    """What a fact did to one position: what it made and was charged for that."""

    record: RealizedPnLRecord
    asset: str
    fact: Fact
    flags: tuple[str, ...]
    made: Decimal
    fees: Decimal
    goes_on: bool
    """Whether what is over of a closing may open another trade."""

    @property
    def pair(self) -> Fill | MarginFill | None:
        """The fill, if it is one of the position's own pair."""
        match self.fact:
            case MarginFill() as fill:
                return fill
            case Fill() as fill if fill.base == self.asset:
                return fill
            case _:
                return None


def _filled(trade: Trade, fills: Sequence[str]) -> Trade:
    """Return a trade with more fills."""
    return replace(trade, fills=(*trade.fills, *fills)) if fills else trade


def _is_back(known: Trade | None, ended: Trade) -> bool:
    """Tell whether what comes back finds the trade that it left, open or ended by that."""
    return not ended.is_open if known is None else known.trade_id == ended.trade_id


def _is_source(place: Place, shift: RealizedPnLRecord) -> bool:
    """Tell whether coins are carried from a place."""
    is_there = place[1] == shift.pair and shift.account in {POOL, place[0]}
    return is_there and shift.side in _ON


def _side(quantity: Decimal) -> str:
    return LONG if quantity >= 0 else SHORT


def _blank(place: Place, side: str) -> Trade:
    """Return a position that is no trade yet."""
    return Trade(trade_id="", account=place[0], symbol=place[1], side=side)


def _turned(trade: Trade, side: str) -> Trade:
    """Return a position of which there is nothing yet as one of that side."""
    return trade if trade.open_quantity else replace(trade, side=side)


def _begun(trade: Trade, deal: _Deal, *, opened_at: int | None) -> Trade:
    """Let a position be a trade."""
    fact, fill = deal.fact, deal.pair
    own = own_trade(deal.record)
    name = fact.id if fill is not None else f"{fact.id}/{deal.asset}"
    if opened_at is None and deal.goes_on:
        own, name = "", name if own else f"{name}/closed"
    return replace(
        trade,
        trade_id=own or name,
        opened_at=opened_at,
        is_margin=isinstance(fact, MarginFill),
        leverage=getattr(fact, "leverage", None),
        strategy=getattr(fact, "strategy", None),
        regime=getattr(fact, "regime", None),
    )


def _with(trade: Trade, deal: _Deal) -> Trade:
    """Return a trade with one more fill; the first in a pair of its own says what its quote is."""
    fill, symbol, quote = deal.pair, trade.symbol, trade.quote
    if quote is None and fill is not None:
        symbol, quote = deal.record.pair, fill.quote
    return replace(
        trade,
        symbol=symbol,
        quote=quote,
        realized_pnl=trade.realized_pnl + deal.made,
        fees=trade.fees + deal.fees,
        flags=joint(trade.flags, deal.flags),
    )


def _worth(trade: Trade, deal: _Deal, quantity: Decimal) -> Decimal | None:
    """Return what a part of a fill was exchanged for, in the trade's quote."""
    fill = deal.pair
    if not quantity:
        return ZERO
    if fill is None or fill.quote != trade.quote:
        return None
    if isinstance(fill, MarginFill):
        return None if fill.price is None else product18(quantity, fill.price)
    if not fill.amount and fill.value is None:  # what nobody knows the book counts as nothing
        return None
    return divide((fill.amount or ZERO) * quantity, fill.quantity, places=_PLACES)[0]


def _part_of(trade: Trade, size: Decimal) -> Trade:
    """Return what of a trade's entries goes along with some of what is open."""
    taken = min(size, trade.open_quantity)
    share, notional = ZERO, ZERO if trade.entry_notional is not None else None
    if trade.quantity:
        share = ratio18(trade.entry_quantity, taken, trade.quantity)
        if trade.entry_notional is not None:
            notional = ratio18(trade.entry_notional, taken, trade.quantity)
    return replace(trade, entry_quantity=share, entry_notional=notional)


def _joined(trade: Trade, part: Trade, place: Place, shift: RealizedPnLRecord) -> Trade:
    """Return a position with the entries of coins that were another trade's."""
    if not trade.trade_id:
        is_same = place[1] == shift.pair
        return replace(
            trade,
            trade_id=f"{shift.trade_id}/{place[0]}/{place[1]}",
            symbol=part.symbol if is_same else _renamed(part.symbol, place[1]),
            quote=part.quote,
            entry_quantity=part.entry_quantity,
            entry_notional=part.entry_notional,
            opened_at=part.opened_at,
            strategy=part.strategy,
            regime=part.regime,
            fills=part.fills,
        )
    is_one = trade.quote == part.quote or not part.entry_quantity
    notional = part.entry_notional if is_one else None
    return replace(
        trade,
        entry_quantity=trade.entry_quantity + part.entry_quantity,
        entry_notional=_plus(trade.entry_notional, notional),
    )


def _renamed(symbol: str, asset: str) -> str:
    quote = symbol.partition("/")[2]
    return f"{asset}/{quote}" if quote else asset


def _plus(total: Decimal | None, more: Decimal | None) -> Decimal | None:
    return None if total is None or more is None else total + more


@money
def _average(notional: Decimal | None, quantity: Decimal) -> Decimal | None:
    if notional is None or not quantity:
        return None
    return divide(notional, quantity, places=_PLACES)[0]
