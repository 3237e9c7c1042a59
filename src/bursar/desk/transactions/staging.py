"""What a transaction has staged: cash, positions, lots, a claim of realised PnL.

Deltas are kept as they were told, in order. Numbers have come through the door (`exact.number`);
symbols are read as asset and quote, `BTC/USDT` or `BTC`.

Errors: `BadChoice` for what says nothing, and the number errors.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ZERO, money, plain


class StagedCash(msgspec.Struct, frozen=True, gc=False):
    """A change of cash in base currency, and the fees paid besides (below zero: rebates).

    `declared` is the part of the change that is a deposit or a withdrawal.
    """

    delta: Decimal = ZERO
    fees: Decimal = ZERO
    declared: Decimal = ZERO


class StagedPosition(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A change of quantity. Prices are of one unit, in the symbol's quote."""

    symbol: str
    quantity_delta: Decimal
    entry_price: Decimal | None = None
    current_price: Decimal | None = None
    strategy: str | None = None

    @property
    def price(self) -> Decimal | None:
        """What one unit counts at; `None` asks for the commit's mark."""
        return self.current_price if self.entry_price is None else self.entry_price


class StagedLotEdit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lot to `add`, `remove` or `update`, with the quantity and total cost it is to have.

    `None` leaves what an updated lot has; a lot without a name gets one.
    """

    action: str
    symbol: str
    lot_id: str | None = None
    quantity: Decimal | None = None
    cost: Decimal | None = None


class StagedLotBook(msgspec.Struct, frozen=True):
    """The staged edits of lots, by what they do."""

    additions: tuple[StagedLotEdit, ...] = ()
    removals: tuple[StagedLotEdit, ...] = ()
    updates: tuple[StagedLotEdit, ...] = ()


class StagedRealizedPnl(msgspec.Struct, frozen=True, gc=False):
    """What realised PnL is claimed to change by; `None` where nothing is claimed."""

    delta: Decimal | None = None


_NO_CASH: Final = StagedCash()
_NO_CLAIM: Final = StagedRealizedPnl()


class Draft(msgspec.Struct, frozen=True, gc=False):
    """Deltas that become one entry."""

    cash: StagedCash = _NO_CASH
    positions: tuple[StagedPosition, ...] = ()
    lots: tuple[StagedLotEdit, ...] = ()
    realized: StagedRealizedPnl = _NO_CLAIM

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is staged."""
        return self == Draft()

    @property
    def is_idle(self) -> bool:
        """Tell whether it leaves nothing to record."""
        cash = self.cash
        if cash.delta or cash.fees or self.lots or self.realized.delta is not None:
            return False
        return not any(line.quantity_delta for line in self.positions)

    @property
    def lotbook(self) -> StagedLotBook:
        """The edits of lots, by what they do."""
        of = {action: [each for each in self.lots if each.action == action] for action in ACTIONS}
        return StagedLotBook(*(tuple(of[action]) for action in ACTIONS))


ACTIONS: Final = ("add", "remove", "update")


class Symbol(msgspec.Struct, frozen=True):
    """An asset and what it is priced in; no quote is the base currency."""

    asset: str
    quote: str | None = None


@lru_cache(maxsize=1_024)
def symbol_of(text: str) -> Symbol:
    """Read `BTC/USDT`, `BTC-USDT` or `BTC`.

    Raises:
        BadChoice: it names no asset.
    """
    if not isinstance(text, str):
        raise BadChoice(f"{text!r} is no symbol; write it as BTC/USDT or BTC", symbol=repr(text))
    said = text.strip().upper() if text.islower() else text.strip()
    asset, slash, quote = said.replace("-", "/").partition("/")
    is_told = bool(asset) and asset.isascii() and said.isprintable() and " " not in said
    if not is_told or (slash and not quote) or "/" in quote:
        raise BadChoice(f"{text!r} is no symbol; write it as BTC/USDT or BTC", symbol=text)
    if asset == quote:
        raise BadChoice(f"{text!r} has one asset on both sides", symbol=text)
    return Symbol(asset, quote or None)


@money
def joined(drafts: Iterable[Draft]) -> Draft:
    """Return deltas together, in order, as if one had told them all."""
    delta = fees = declared = ZERO
    positions: tuple[StagedPosition, ...] = ()
    lots: tuple[StagedLotEdit, ...] = ()
    claim: Decimal | None = None
    for each in drafts:
        if each.cash is not _NO_CASH:
            delta += each.cash.delta
            fees += each.cash.fees
            declared += each.cash.declared
        positions += each.positions
        lots += each.lots
        if each.realized.delta is not None:
            claim = (claim or ZERO) + each.realized.delta
    realized = _NO_CLAIM if claim is None else StagedRealizedPnl(claim)
    return Draft(StagedCash(delta, fees, declared), positions, lots, realized)


def appended(drafts: tuple[Draft, ...], more: Iterable[Draft]) -> tuple[Draft, ...]:
    """Return drafts with others after them, joined where no lots are edited.

    Edits of lots speak of what is there when they come, so those drafts stay entries of their own.
    """
    for draft in more:
        if drafts and not (drafts[-1].lots or draft.lots):
            drafts = (*drafts[:-1], joined((drafts[-1], draft)))
        elif not draft.is_empty:
            drafts = (*drafts, draft)
    return drafts


def require_not_negative(value: Decimal | None, field: str) -> None:
    """Refuse a price or cost below zero."""
    if value is not None and value < 0:
        raise BadChoice(f"{field}: {plain(value)} is below zero", field=field)
