"""The views that are published: the contract's four, of one and the same valuation.

They are rendered here and worked out below, in `portfolio.measures` and `portfolio.views`.

Errors: those of the store.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.portfolio.measures import Views, views_at
from bursar.portfolio.portfolio import Portfolio
from bursar.value.equity import Valuation

NAMES: Final = ("snapshot", "pnl", "exposure", "drawdown")


class Coverage(msgspec.Struct, frozen=True):
    """What the figures do not know, by asset and in words."""

    is_complete: bool
    unvalued: tuple[str, ...]
    stale: tuple[str, ...]
    excluded_value: Decimal
    remarks: tuple[str, ...]


class Seen(msgspec.Struct, frozen=True):
    """The views of one instant, and what they do not know."""

    views: Mapping[str, msgspec.Struct]
    coverage: Coverage
    found: Views
    valuation: Valuation


def look(portfolio: Portfolio) -> Seen:
    """Return the views of this moment."""
    live = portfolio.live()
    live.refresh()
    valuation = live.valuation()
    found = views_at(portfolio, valuation)
    views = {name: getattr(found, name) for name in NAMES}
    return Seen(views, _coverage(valuation), found, valuation)


def _coverage(valuation: Valuation) -> Coverage:
    known = valuation.coverage
    return Coverage(
        is_complete=known.is_complete,
        unvalued=tuple(each.asset for each in known.unvalued),
        stale=tuple(sorted({each.asset for each in known.stale})),
        excluded_value=valuation.excluded_value,
        remarks=tuple(known.lines()),
    )
