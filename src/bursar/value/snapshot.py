"""The portfolio at one instant, as the contract's record."""

from datetime import datetime
from decimal import Decimal

import msgspec


class AssetValuation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One asset's worth. `value_base` is `None` where no price is known (`unvalued`)."""

    asset: str
    amount: Decimal
    value_base: Decimal | None
    source_pair: str | None = None


class PortfolioSnapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Equity, cash, valuations and PnL at `timestamp` (UTC), all in base currency.

    `equity_base` covers what is priced; `unvalued` names what is not.
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
