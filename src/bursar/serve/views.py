"""The views that are published: the contract's four, of one and the same valuation.

They are rendered here and worked out below: `portfolio.contract`.

Errors: those of the store.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bursar.portfolio import contract
from bursar.portfolio.service import PortfolioService

NAMES: Final = ("snapshot", "pnl", "exposure", "drawdown")


class Seen(msgspec.Struct, frozen=True):
    """The views of one instant, what they do not know, and what may be used again."""

    views: Mapping[str, msgspec.Struct]
    coverage: contract.Coverage
    facts: contract.Periods


def look(service: PortfolioService, known: contract.Periods | None = None) -> Seen:
    """Value the book once, and return the views of that."""
    portfolio = service.portfolio
    valuation = portfolio.valuation()
    facts = contract.periods(service, known)
    views: dict[str, msgspec.Struct] = {
        "snapshot": contract.snapshot(portfolio, valuation, facts),
        "pnl": contract.pnl(portfolio, valuation, facts),
        "exposure": contract.exposures(portfolio, valuation, {}),
    }
    return Seen(views, contract.coverage(valuation), facts)
