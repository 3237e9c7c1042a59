"""What the staging calls say, read into drafts: numbers come in here, by their shortest text.

Errors: `BadChoice` for what says nothing, and the number errors.
"""

from collections.abc import Collection
from decimal import Decimal

from bursar.desk.transactions.rules import Number, require_label
from bursar.desk.transactions.staging import (
    Draft,
    StagedCash,
    StagedLotEdit,
    StagedPosition,
    StagedRealizedPnl,
    require_not_negative,
    symbol_of,
)
from bursar.errors import BadChoice
from bursar.exact import ZERO, number, product18


class Reader:
    """Reads what one transaction is told."""

    def __init__(self, cash: Collection[str], base: str, *, strict_numbers: bool) -> None:
        self._cash = cash
        self._base = base
        self._is_strict = strict_numbers

    def cash(self, delta: Number, fees: Number, *, declared: bool) -> Draft:
        """Read a change of cash; fees below zero are rebates."""
        change, paid = self._number(delta, "delta"), self._number(fees, "fees")
        return Draft(cash=StagedCash(change, paid, change if declared else ZERO))

    def position(
        self,
        symbol: str,
        delta: Number,
        prices: tuple[Number | None, Number | None],
        strategy: str | None,
    ) -> Draft:
        """Read a change of a position; the prices are at entry and now."""
        require_label(strategy, "strategy")
        asset = symbol_of(symbol).asset
        if asset == self._base:
            raise BadChoice(f"{asset} is cash; stage it with stage_cash_delta", symbol=symbol)
        line = StagedPosition(
            symbol,
            self._number(delta, "quantity_delta"),
            self._price(prices[0], "entry_price"),
            self._price(prices[1], "current_price"),
            strategy,
        )
        return Draft(positions=(line,))

    def lot_add(
        self, symbol: str, lot: str | None, quantity: Number, **worth: Number | None
    ) -> Draft:
        """Read a lot at a total `cost`, or at a `price` per unit."""
        units, cost, price = self._number(quantity, "quantity"), worth["cost"], worth["price"]
        if units <= 0 or (cost is None) is (price is None):
            raise BadChoice("a lot has a quantity above zero, and a cost or a price", symbol=symbol)
        total = self._price(cost, "cost")
        if total is None:
            total = product18(units, self._price(price, "price") or ZERO)
        return self.lot(StagedLotEdit("add", symbol, lot, units, total))

    def lot_update(
        self, symbol: str, lot: str, quantity: Number | None, cost: Number | None
    ) -> Draft:
        """Read what a lot is to hold, and to have cost."""
        units = self._price(quantity, "quantity")
        if units is not None and not units:
            raise BadChoice("a lot of nothing; stage_lot_remove takes it away", symbol=symbol)
        return self.lot(StagedLotEdit("update", symbol, lot, units, self._price(cost, "cost")))

    def lot(self, edit: StagedLotEdit) -> Draft:
        """Take an edit of lots."""
        require_label(edit.lot_id, "lot_id")
        asset = symbol_of(edit.symbol).asset
        if asset in self._cash:
            raise BadChoice(f"{asset} is cash, which has no lots", symbol=edit.symbol)
        return Draft(lots=(edit,))

    def claim(self, delta: Number) -> Draft:
        """Read a claim of realised PnL."""
        return Draft(realized=StagedRealizedPnl(self._number(delta, "delta")))

    def _number(self, value: Number, field: str) -> Decimal:
        return number(value, field=field, strict_numbers=self._is_strict)

    def _price(self, value: Number | None, field: str) -> Decimal | None:
        read = None if value is None else self._number(value, field)
        require_not_negative(read, field)
        return read
