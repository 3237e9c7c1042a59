"""The portfolio at one instant, as the contract's record."""

from datetime import datetime
from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.value.equity import Valuation
from bursar.value.pnl import By, pnl


class AssetValuation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One asset's worth. `value_base` is `None` where no price is known (`unvalued`)."""

    asset: str
    amount: Decimal
    value_base: Decimal | None
    source_pair: str | None = None


class PortfolioSnapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Equity, cash, valuations and PnL at `timestamp` (UTC), all in base currency.

    `equity_base` covers what is priced; `unvalued` names what is not. `excluded_value` is the worth
    of what the view leaves out.
    """

    timestamp: datetime
    equity_base: Decimal
    cash_base: Decimal
    asset_valuations: tuple[AssetValuation, ...]
    realized_pnl_base_total: Decimal
    unrealized_pnl_base_total: Decimal
    realized_pnl_base_by_pair: dict[str, Decimal]
    unrealized_pnl_base_by_pair: dict[str, Decimal]
    unvalued: tuple[str, ...] = ()
    excluded_value: Decimal = ZERO


def snapshot(book: Book, valuation: Valuation) -> PortfolioSnapshot:
    """Return the snapshot of a book at a valuation of it."""
    made = pnl(book, valuation, by=By.PAIR)
    return PortfolioSnapshot(
        timestamp=instant.to_datetime(valuation.at),
        equity_base=valuation.equity,
        cash_base=valuation.cash_base,
        asset_valuations=tuple(
            AssetValuation(
                each.asset, each.quantity, each.value, each.path.pair if each.path else None
            )
            for each in valuation.assets
        ),
        realized_pnl_base_total=made.total.realized,
        unrealized_pnl_base_total=made.total.unrealized,
        realized_pnl_base_by_pair={key: line.realized for key, line in made.lines.items()},
        unrealized_pnl_base_by_pair={key: line.unrealized for key, line in made.lines.items()},
        unvalued=tuple(each.asset for each in valuation.unvalued),
        excluded_value=valuation.excluded_value,
    )
