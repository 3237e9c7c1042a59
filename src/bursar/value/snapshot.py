"""The portfolio at one instant, as the contract's record."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.entries import CAPITAL, FlowKind
from bursar.value.equity import Valuation
from bursar.value.pnl import By, pnl

CAME: Final = CAPITAL - {FlowKind.BASIS_ADJUSTMENT}
"""The kinds of flows that are capital which came or went; a change of cost alone moves nothing."""

_CAME: Final = frozenset(kind.value for kind in CAME)


def is_capital(kind: str) -> bool:
    """Tell whether flows of a kind, which is told as text, are capital that came or went."""
    return kind in _CAME


class AssetValuation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One asset's worth. `value_base` is `None` where no price is known (`unvalued`)."""

    asset: str
    amount: Decimal
    value_base: Decimal | None
    source_pair: str | None = None


class PortfolioSnapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Equity, cash, valuations and PnL at `timestamp` (UTC), all in base currency.

    `equity_base` covers what is priced; `unvalued` names what is not. `excluded_value` is the worth
    of what the view leaves out, `excluded_unvalued` what has no value there and was not free.
    `capital_base` is all capital that came less what went, at its worth then, `None` where some of
    it has no known worth; between two snapshots it tells the flow. `came_base` grows by what more
    capital was there at any time since the snapshot before than was then; what it grows by beyond
    the flow went again. `None`: that is not known. `stale` names what rests on an old mark. A pair
    whose unrealised PnL is not known is not in `unrealized_pnl_base_by_pair`.
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
    capital_base: Decimal | None = None
    stale: tuple[str, ...] = ()
    excluded_unvalued: tuple[str, ...] = ()
    came_base: Decimal | None = None


class SnapshotTotals(msgspec.Struct, frozen=True, gc=False):
    """A snapshot's totals, without its lines: what a curve is made of."""

    timestamp: datetime
    equity_base: Decimal
    unvalued: tuple[str, ...] = ()
    excluded_value: Decimal = ZERO
    capital_base: Decimal | None = None
    stale: tuple[str, ...] = ()
    excluded_unvalued: tuple[str, ...] = ()
    came_base: Decimal | None = None


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
        unrealized_pnl_base_by_pair={
            key: line.unrealized for key, line in made.lines.items() if key not in made.unknown
        },
        unvalued=valuation.coverage.unvalued_assets,
        excluded_value=valuation.excluded_value,
        capital_base=capital(book),
        stale=valuation.coverage.stale_assets,
        excluded_unvalued=valuation.excluded_unvalued,
    )


@money
def capital(book: Book) -> Decimal | None:
    """Return the capital that came less what went, at its worth then. O(kinds of flows).

    `None` where nobody knows the worth of a flow of it, in or out. A change of cost alone moves
    nothing, and is left out.
    """
    total = ZERO
    for (_, kind, _, _), flow in book.flows.items():
        if is_capital(kind):
            if flow.unknown:
                return None
            total += flow.value
    return total
