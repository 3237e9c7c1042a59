"""Shown: a portfolio as a notebook shows it. What is worth what, and everything it does not know.

Errors: those of a valuation.
"""

from collections.abc import Iterable
from decimal import Decimal

from bursar.exact import show, trimmed
from bursar.ledger import markup
from bursar.value.equity import Valuation
from bursar.value.worth import AssetWorth

_HEAD = ("asset", "quantity", "cost", "mark", "value", "unrealized")
_CENTS = 2
_MARKS_MAX = 10


def portfolio(name: str, valuation: Valuation) -> str:
    """Write a valuation as HTML."""
    base = valuation.base
    caption = (
        f"{name}: equity {show(valuation.equity, places=_CENTS)} {base},"
        f" cash {show(valuation.cash, places=_CENTS)},"
        f" unrealized {show(valuation.unrealized, places=_CENTS)}"
    )
    rows = markup.table(_HEAD, _rows(valuation.assets), numbers=range(1, 6), caption=caption)
    return rows + markup.remarks(valuation.coverage.lines(marks_max=_MARKS_MAX))


def _rows(assets: Iterable[AssetWorth]) -> Iterable[tuple[str | None, ...]]:
    for each in assets:
        price = None if each.mark is None else each.mark.price
        yield (
            each.asset,
            trimmed(each.quantity),
            _money(each.known_cost),
            "" if each.is_cash else None if price is None else trimmed(price),
            _money(each.value),
            "" if each.is_cash else _money(each.unrealized),
        )


def _money(value: Decimal | None) -> str | None:
    return None if value is None else show(value, places=_CENTS)
