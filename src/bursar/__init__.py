"""bursar: knows, to the last digit, what a trader owns, what it cost and what it is worth.

    import bursar

    p = bursar.open("book.db")
    p.import_files("ledgers.csv", "trades.csv")
    equity = p.equity()
    print(equity, equity.why())

Names load when they are first asked for, so importing bursar is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bursar.app import open, portfolios
    from bursar.desk.transactions import (
        PortfolioBatch,
        PortfolioTransaction,
        StagedCash,
        StagedLotBook,
        StagedPosition,
        StagedRealizedPnl,
    )
    from bursar.errors import BrokenInvariant, BursarError, PortfolioError
    from bursar.ledger.terms import Account, FactSource, Method, Scope, Terms
    from bursar.ledger.why import Why
    from bursar.plan import (
        Constraints,
        HoldingsSnapshot,
        Instrument,
        RebalancePlan,
        RebalancePlanDTO,
        RoundingMode,
        SizingPolicy,
        StrategyAllocation,
        StrategyAllocationDTO,
        aggregate_allocations,
        invest,
        make_plan,
    )
    from bursar.portfolio import Equity, ImportReport, Portfolio
    from bursar.portfolio.rebalancing import PortfolioServiceV2, RebalanceService
    from bursar.portfolio.service import PortfolioService
    from bursar.portfolio.transacting import (
        TradingSession,
        portfolio_batch,
        portfolio_transaction,
        recover,
    )
    from bursar.value.marks import Mark, Marks
    from bursar.value.worth import Options

__version__ = "0.1.0"
__all__ = [
    "Account",
    "BrokenInvariant",
    "BursarError",
    "Constraints",
    "Equity",
    "FactSource",
    "HoldingsSnapshot",
    "ImportReport",
    "Instrument",
    "Mark",
    "Marks",
    "Method",
    "Options",
    "Portfolio",
    "PortfolioBatch",
    "PortfolioError",
    "PortfolioService",
    "PortfolioServiceV2",
    "PortfolioTransaction",
    "RebalancePlan",
    "RebalancePlanDTO",
    "RebalanceService",
    "RoundingMode",
    "Scope",
    "SizingPolicy",
    "StagedCash",
    "StagedLotBook",
    "StagedPosition",
    "StagedRealizedPnl",
    "StrategyAllocation",
    "StrategyAllocationDTO",
    "Terms",
    "TradingSession",
    "Why",
    "aggregate_allocations",
    "invest",
    "make_plan",
    "open",
    "portfolio_batch",
    "portfolio_transaction",
    "portfolios",
    "recover",
]

_HOMES: Final = {
    "bursar.app": ("open", "portfolios"),
    "bursar.desk.transactions": (
        "PortfolioBatch",
        "PortfolioTransaction",
        "StagedCash",
        "StagedLotBook",
        "StagedPosition",
        "StagedRealizedPnl",
    ),
    "bursar.errors": ("BrokenInvariant", "BursarError", "PortfolioError"),
    "bursar.ledger.terms": ("Account", "FactSource", "Method", "Scope", "Terms"),
    "bursar.ledger.why": ("Why",),
    "bursar.plan": (
        "Constraints",
        "HoldingsSnapshot",
        "Instrument",
        "RebalancePlan",
        "RebalancePlanDTO",
        "RoundingMode",
        "SizingPolicy",
        "StrategyAllocation",
        "StrategyAllocationDTO",
        "aggregate_allocations",
        "invest",
        "make_plan",
    ),
    "bursar.portfolio": ("Equity", "ImportReport", "Portfolio"),
    "bursar.portfolio.rebalancing": ("PortfolioServiceV2", "RebalanceService"),
    "bursar.portfolio.service": ("PortfolioService",),
    "bursar.portfolio.transacting": (
        "TradingSession",
        "portfolio_batch",
        "portfolio_transaction",
        "recover",
    ),
    "bursar.value.marks": ("Mark", "Marks"),
    "bursar.value.worth": ("Options",),
}
_HOME: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name from its home."""
    if name not in _HOME:
        raise AttributeError(f"module 'bursar' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
