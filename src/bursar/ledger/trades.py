"""Trades: what was opened and closed again, as a fold of the facts in canonical order.

Where a sender gave a trade an id (events of the family `trade`), its opening and closings under
that id are one trade. Elsewhere a trade is a round trip: from the fill that leaves a flat position
to the one that makes it flat again, of one account in one coin, or in one pair with leverage. A
fill that goes through zero closes one trade and opens the next. A fee in the coin itself comes off
what is bought, and goes along with what is sold; a split or a rename is no end, the trade goes on.
A sale of coins that no fill brought closes nothing, unless the account may sell short.

Prices are averages in quote per unit; `realized_pnl` (fees taken off) and `fees` are in base
currency and come from the book, so trades and PnL say the same. What the book was not sure of in
any of its fills is among the `flags`: `unpriced` says that a part was counted as worth nothing.

Errors: none.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, divide, money, product18, ratio18
from bursar.ledger.book import POOL
from bursar.ledger.entries import Fill, MarginFill, Rename, Side, Split
from bursar.ledger.facts import Fact

TRADE: Final = ":trade:"
_PLACES: Final = 18
_Key = tuple[str, str, str]


class Trade(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One trade. `quantity` is all that was opened, `open_quantity` what still is (0: closed).

    `entry_notional` and `exit_notional` are totals in quote; times are UTC nanoseconds.
    """

    trade_id: str
    account: str
    symbol: str
    side: str
    quantity: Decimal
    open_quantity: Decimal
    entry_notional: Decimal
    opened_at: int
    exit_notional: Decimal = ZERO
    closed_at: int | None = None
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
    @money
    def entry_price(self) -> Decimal:
        """The average price at which it was opened."""
        return divide(self.entry_notional, self.quantity, places=_PLACES)[0]

    @property
    @money
    def exit_price(self) -> Decimal | None:
        """The average price of what was closed so far."""
        closed = self.quantity - self.open_quantity
        return divide(self.exit_notional, closed, places=_PLACES)[0] if closed else None


class Made(msgspec.Struct, frozen=True):
    """What the book says that one fact realised (fees taken off), its fees, and its flags."""

    realized: Decimal = ZERO
    fees: Decimal = ZERO
    flags: tuple[str, ...] = ()


_NOTHING: Final = Made()


class Trades:
    """The fold: which trades are open, and which have changed since `changed` was taken."""

    def __init__(self, shorts: Iterable[str] = (), known: Iterable[Trade] = ()) -> None:
        self._shorts = frozenset(shorts)
        self._open: dict[_Key, Trade] = {_key_of(trade): trade for trade in known}
        self._changed: dict[str, Trade] = {}

    @money
    def add(self, fact: Fact, made: Made = _NOTHING) -> None:
        """Fold one fact; they come in canonical order."""
        if isinstance(fact, Split | Rename):
            self._go_on(fact)
        if not isinstance(fact, Fill | MarginFill) or fact.side is None or not fact.quantity:
            return
        moved = _moved(fact, fact.quantity)
        if moved <= 0:
            return
        key = _key(fact)
        known = self._open.get(key)
        long = fact.side is Side.BUY
        if known is not None and (known.side == "LONG") is not long:
            closing = min(known.open_quantity, moved)
            self._keep(key, _closed(known, fact, closing, made))
            opening, made = moved - closing, Made(flags=made.flags)
        else:
            opening = moved
        if opening and self._may_open(fact, key):
            self._keep(key, _opened(self._open.get(key), fact, opening, made))

    def _go_on(self, fact: Split | Rename) -> None:
        """Let what is open of a coin go on in its new units, or under its new name."""
        for key, trade in list(self._open.items()):
            is_meant = key[1] == fact.asset and fact.account in {POOL, key[0]}
            if trade.is_margin or not is_meant:
                continue
            if isinstance(fact, Split):
                self._keep(key, _rescaled(trade, fact))
            elif (key[0], fact.to_asset, "") not in self._open and _is_all(fact, trade):
                del self._open[key]
                quote = trade.symbol.partition("/")[2]
                symbol = f"{fact.to_asset}/{quote}" if quote else fact.to_asset
                renamed = msgspec.structs.replace(trade, symbol=symbol)
                self._keep(_key_of(renamed), renamed)

    def changed(self) -> list[Trade]:
        """Return the trades that changed since this was last asked, by id."""
        changed, self._changed = self._changed, {}
        return [changed[name] for name in sorted(changed)]

    def _may_open(self, fact: Fill | MarginFill, key: _Key) -> bool:
        if key[2]:  # a sender's own trade is opened by its opening alone
            return fact.id.endswith(":opened")
        is_spot = isinstance(fact, Fill)
        return not is_spot or fact.side is Side.BUY or fact.account in self._shorts

    def _keep(self, key: _Key, trade: Trade) -> None:
        self._changed[trade.trade_id] = trade
        if trade.is_open:
            self._open[key] = trade
        else:
            del self._open[key]


def _key(fact: Fill | MarginFill) -> _Key:
    """Return which position of an account a fill belongs to."""
    mark = f"{fact.account}{TRADE}"
    if isinstance(fact, MarginFill):
        own = fact.id[len(mark) :].partition(":")[0] if fact.id.startswith(mark) else ""
        return fact.account, fact.pair or f"{fact.base}/{fact.quote}", own
    return fact.account, fact.base, ""


def _key_of(trade: Trade) -> _Key:
    """Return where an open trade stands; of coins, the symbol's first half."""
    mark = f"{trade.account}{TRADE}"
    if trade.trade_id.startswith(mark):
        return trade.account, trade.symbol, trade.trade_id[len(mark) :]
    own = trade.symbol if trade.is_margin else trade.symbol.partition("/")[0]
    return trade.account, own, ""


def _is_all(fact: Rename, trade: Trade) -> bool:
    return fact.quantity is None or fact.quantity >= trade.open_quantity


def _rescaled(trade: Trade, fact: Split) -> Trade:
    """Return a trade in the units after a split; one of which nothing is left has ended."""
    quantity, left = (
        ratio18(units, fact.numerator, fact.denominator)
        for units in (trade.quantity, trade.open_quantity)
    )
    ended = None if left else fact.executed_at
    return msgspec.structs.replace(trade, quantity=quantity, open_quantity=left, closed_at=ended)


def _moved(fact: Fill | MarginFill, quantity: Decimal) -> Decimal:
    """Return by how much a position changes: a fee in the coin itself comes off, or goes along."""
    if isinstance(fact, MarginFill):
        return quantity
    fees = sum((fee.amount for fee in fact.fees if fee.asset == fact.base), ZERO)
    return quantity - fees if fact.side is Side.BUY else quantity + fees


def _worth(fact: Fill | MarginFill, quantity: Decimal) -> Decimal:
    """Return what a part of a fill was exchanged for, in quote."""
    if isinstance(fact, Fill) and fact.amount is not None:
        return divide(fact.amount * quantity, fact.quantity, places=_PLACES)[0]
    return product18(quantity, fact.price or ZERO)


def _opened(known: Trade | None, fact: Fill | MarginFill, quantity: Decimal, made: Made) -> Trade:
    if known is not None:
        return msgspec.structs.replace(
            _with(known, fact, made),
            quantity=known.quantity + quantity,
            open_quantity=known.open_quantity + quantity,
            entry_notional=known.entry_notional + _worth(fact, quantity),
        )
    account, _, own = _key(fact)
    return Trade(
        trade_id=f"{account}{TRADE}{own}" if own else fact.id,
        account=account,
        symbol=fact.pair or f"{fact.base}/{fact.quote}",
        side="LONG" if fact.side is Side.BUY else "SHORT",
        quantity=quantity,
        open_quantity=quantity,
        entry_notional=_worth(fact, quantity),
        opened_at=fact.executed_at,
        realized_pnl=made.realized,
        fees=made.fees,
        is_margin=isinstance(fact, MarginFill),
        leverage=fact.leverage if isinstance(fact, MarginFill) else None,
        strategy=fact.strategy,
        regime=fact.regime,
        fills=(fact.id,),
        flags=made.flags,
    )


def _closed(known: Trade, fact: Fill | MarginFill, quantity: Decimal, made: Made) -> Trade:
    left = known.open_quantity - quantity
    return msgspec.structs.replace(
        _with(known, fact, made),
        open_quantity=left,
        exit_notional=known.exit_notional + _worth(fact, quantity),
        closed_at=None if left else fact.executed_at,
    )


def _with(known: Trade, fact: Fill | MarginFill, made: Made) -> Trade:
    return msgspec.structs.replace(
        known,
        realized_pnl=known.realized_pnl + made.realized,
        fees=known.fees + made.fees,
        fills=(*known.fills, fact.id),
        flags=tuple(dict.fromkeys((*known.flags, *made.flags))),
    )
