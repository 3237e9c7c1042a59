"""What `PortfolioService` answers: the contract's names, amounts in base currency.

`None` is a figure that is not known; it is never a zero in disguise.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.portfolio.periods import Window


class EquitySummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the portfolio is worth now.

    `equity_base` leaves out what `unvalued` names; `stale` names what rests on an old mark.
    `drift_flag` is whether a venue is known to disagree beyond the tolerance; of the accounts in
    `unreconciled` nobody knows, since no statement of theirs is there. `excluded_value` is the
    worth of what the view leaves out, which realised PnL and drift cover all the same.
    """

    timestamp: datetime
    equity_base: Decimal
    cash_base: Decimal
    realized_pnl_base_total: Decimal
    unrealized_pnl_base_total: Decimal
    drift_flag: bool
    is_complete: bool
    unvalued: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    unreconciled: tuple[str, ...] = ()
    excluded_value: Decimal = ZERO


class PnLPart(msgspec.Struct, frozen=True):
    """What was made under one heading. `unrealized` is of what is open now; `None` in the past, and
    where it is not known, as of an asset without a price.
    """

    realized: Decimal = ZERO
    fees: Decimal = ZERO
    trades: int = 0
    unrealized: Decimal | None = None


class PnLSummary(msgspec.Struct, frozen=True, kw_only=True):
    """PnL of a period by heading, under one cost rule.

    `parts` add up to the totals; both are of what the view shows. The rest is of everything:
    `income`, `expenses`, and `net_flows`, the capital that came in less what went out, at its worth
    then, from `equity_start_at` on where that is known. `pnl_base` is how much all equity grew
    beyond it; it needs a snapshot of the start, `equity_start`, and is `None` without, or where
    something has no price now (`unvalued`), or a flow had none when it came, be it before the
    period (`unpriced_flows`); of the day it is `daily_pnl`.
    `transferred_unrealized_base` is what went along with capital without being realised, since that
    goes at cost: less than its cost, or more (below zero). Of all time, realised + unrealised +
    income − expenses + that = `pnl_base`, unless something in the view is `unfounded`: of that the
    cost is not known, nor then its unrealised PnL, though its worth is in equity.
    """

    window: Window
    by: str
    method: str
    includes_manual: bool
    parts: dict[str, PnLPart]
    realized_pnl_base_total: Decimal
    unrealized_pnl_base_total: Decimal | None
    fees_base: Decimal
    income_base: Decimal
    expenses_base: Decimal
    net_flows_base: Decimal | None
    pnl_base: Decimal | None = None
    equity_start: Decimal | None = None
    equity_start_at: datetime | None = None
    transferred_unrealized_base: Decimal | None = None
    unpriced_flows: tuple[str, ...] = ()
    unvalued: tuple[str, ...] = ()
    unfounded: tuple[str, ...] = ()


class FeeReport(msgspec.Struct, frozen=True):
    """All fees in base currency. Those of trades, `trading_base`, also as percent of what trades
    made before fees (`None`: nothing); the others are expenses and lie outside realised PnL.
    `unpriced` names the assets in which something was charged that is in none of the figures; one
    of which no charge has a known worth is `None`.
    """

    by_asset: dict[str, Decimal | None]
    by_pair: dict[str, Decimal]
    total_base: Decimal
    trading_base: Decimal
    gross_pnl_base: Decimal
    pct_of_gross_pnl: Decimal | None
    unpriced: tuple[str, ...] = ()


class AccountSync(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync of one account did. With a `failure`, what had landed before it has landed."""

    account: str
    new_entries: int = 0
    new_trades: int = 0
    new_flows: int = 0
    updated_pairs: tuple[str, ...] = ()
    restated: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    prices: int = 0
    drift_detected: bool | None = None
    external_activity_pct: Decimal | None = None
    failure: str | None = None


class SyncSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync of all accounts did. `drift_detected` is whether any is known to drift.

    `certificates` say in a sentence each how books and venues stand, where every row was looked at;
    `notices`, what a venue or its key had to say beside that.
    """

    accounts: tuple[AccountSync, ...]
    new_trades_count: int
    new_cash_flows_count: int
    updated_pairs: tuple[str, ...]
    drift_detected: bool
    certificates: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Tell whether every account was reached."""
        return not any(each.failure for each in self.accounts)


def summed(accounts: tuple[AccountSync, ...]) -> SyncSummary:
    """Put the accounts of one sync together."""
    return SyncSummary(
        accounts=accounts,
        new_trades_count=sum(each.new_trades for each in accounts),
        new_cash_flows_count=sum(each.new_flows for each in accounts),
        updated_pairs=tuple(sorted({pair for each in accounts for pair in each.updated_pairs})),
        drift_detected=any(each.drift_detected for each in accounts),
    )
