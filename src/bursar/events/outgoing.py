"""What a portfolio tells: one record per type of event.

Amounts are in base currency and written as JSON numbers with every digit, percentages are percent,
drawdowns positive. `null` is a figure that nobody knows now; it is never a zero. `version` counts
the commits of the portfolio, so of two states the one with the larger version is the later.

Names and units of the first four are the contract's; each has more fields beside.

Errors: none.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

Numbers = Mapping[str, Decimal]


class PositionState(msgspec.Struct, frozen=True, kw_only=True):
    """One position: `size` in units, prices in quote per unit, the rest in base currency."""

    symbol: str
    side: str
    size: Decimal
    entry_price: Decimal | None
    current_price: Decimal | None
    unrealized_pnl: Decimal | None
    unrealized_pnl_pct: Decimal | None
    exposure: Decimal | None
    leverage: Decimal | None


class SnapshotUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the whole portfolio."""

    total_equity: Decimal
    cash_balance: Decimal
    total_exposure: Decimal
    num_positions: int
    positions: tuple[PositionState, ...]
    unrealized_pnl: Decimal
    realized_pnl_today: Decimal | None
    daily_pnl: Decimal | None
    daily_drawdown_pct: Decimal | None
    timestamp: str
    version: int


class PnlUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, settled and not, and how trades went."""

    realized_pnl_total: Decimal
    realized_pnl_today: Decimal | None
    realized_pnl_week: Decimal | None
    realized_pnl_month: Decimal | None
    unrealized_pnl: Decimal
    total_pnl: Decimal
    best_trade_pnl: Decimal | None
    worst_trade_pnl: Decimal | None
    win_rate: Decimal | None
    profit_factor: Decimal | None
    timestamp: str
    version: int


class ExposureUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """How much moves with the market. Total is gross; by symbol and sector it is signed."""

    total_exposure: Decimal
    long_exposure: Decimal
    short_exposure: Decimal
    net_exposure: Decimal
    exposure_by_symbol: Numbers
    exposure_by_sector: Numbers
    exposure_pct_of_equity: Decimal | None
    timestamp: str
    version: int


class DrawdownUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """How far equity has fallen from its highest."""

    daily_drawdown_pct: Decimal | None
    weekly_drawdown_pct: Decimal | None
    max_drawdown_pct: Decimal | None
    peak_equity: Decimal | None
    current_equity: Decimal
    days_since_peak: int | None
    recovery_progress_pct: Decimal | None
    timestamp: str
    version: int


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """A commit: the journal rows `first_seq` to `last_seq` are new, and `hash` is the last one's.

    Whoever misses a version reads the journal from the `seq` he has.
    """

    version: int
    first_seq: int
    last_seq: int
    hash: str


class Restatement(msgspec.Struct, frozen=True, kw_only=True):
    """A realised figure that was published, what it is now, and the facts that changed it."""

    account: str
    asset: str
    pair: str
    strategy: str
    regime: str
    old: Decimal
    new: Decimal
    cause: tuple[str, ...]


class Restated(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that changed figures of the past."""

    version: int
    first_seq: int
    last_seq: int
    hash: str
    restated: tuple[Restatement, ...]


class PositionMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A position that was opened, or closed, by a commit.

    `quantity` is what is open now, or what was open before it closed; `entry_price` its average
    cost per unit, in base currency for coins and in quote for leverage; `realized_pnl` is what this
    commit realised on it, fees taken off.
    """

    account: str
    symbol: str
    side: str
    quantity: Decimal
    entry_price: Decimal | None
    realized_pnl: Decimal
    version: int
    is_margin: bool


class PnlUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PnL of all time: every minute, and whenever a position closes."""

    realized_pnl: Decimal
    unrealized_pnl: Decimal
    total_pnl: Decimal
    fees: Decimal
    timestamp: str
    version: int


class EquityUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Equity has changed. `peak_equity` and `drawdown_pct` are of all that is known."""

    equity: Decimal
    cash: Decimal
    unrealized_pnl: Decimal
    peak_equity: Decimal | None
    drawdown_pct: Decimal | None
    timestamp: str
    version: int


class OrderDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy has decided to enter: what it saw, and what its memory makes of that."""

    decision_id: str
    strategy: str
    symbol: str
    side: str
    regime: str | None
    context: str
    is_blocked: bool
    penalty: Decimal
    timestamp: str


class OrderExitDecision(msgspec.Struct, frozen=True, kw_only=True):
    """An intent to take profits; somebody else places the orders.

    `intent` is `close_all`, `close_winners`, `pause` or `reset_baseline`.
    """

    decision_id: str
    intent: str
    reason: str
    baseline_equity: Decimal
    current_equity: Decimal
    peak_equity: Decimal
    timestamp: str


class DriftState(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue says an account holds, against the book. `assets` are the differences, in units.

    `signal` is `flagged`, `notify` (it is still there one reconciliation later) or `cleared`.
    """

    account: str
    signal: str
    assets: Numbers
    timestamp: str


class ExternalActivity(msgspec.Struct, frozen=True, kw_only=True):
    """Trades or transfers that no strategy made, as percent of equity."""

    account: str
    percent: Decimal
    worth: Decimal
    timestamp: str


class LimitState(msgspec.Struct, frozen=True, kw_only=True):
    """A limit is passed, or nobody knows whether it is, or it is kept again.

    `signal` is `breached`, `unknown` (`value` is `null`, `reason` says why) or `cleared`. `subject`
    is the symbol or sector it is of. A stale policy is the last one that could be read.
    """

    limit: str
    subject: str
    signal: str
    value: Decimal | None
    bound: Decimal | None
    reason: str
    source: str
    is_stale: bool
    timestamp: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody should look: `kind` is `drift`, `drawdown`, `daily_loss` or `stale_sync`.

    `subject` is the account or the limit. Webhooks and e-mail tell the same.
    """

    kind: str
    subject: str
    message: str
    value: Decimal | None
    bound: Decimal | None
    timestamp: str


Outgoing = (
    SnapshotUpdated
    | PnlUpdated
    | ExposureUpdated
    | DrawdownUpdated
    | Committed
    | Restated
    | PositionMoved
    | PnlUpdate
    | EquityUpdate
    | OrderDecision
    | OrderExitDecision
    | DriftState
    | ExternalActivity
    | LimitState
    | Alert
)
