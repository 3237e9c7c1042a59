"""Heatmaps: realised PnL laid out on two axes, for the eye.

Each record stands in one cell, so every heatmap adds up to all realised PnL. Times are UTC; a week
begins on Monday. A cell in which nothing was realised is not there: no trade is not a zero.

Errors: `BadChoice` for a kind that there is none of.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ZERO, money
from bursar.ledger.records import RealizedPnLRecord
from bursar.ledger.state import NO_PAIR

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


class Kind(Enum):
    """What stands on the axes."""

    MONTH = "month"
    HOUR = "hour"
    SYMBOL = "symbol"
    DAY = "day"


class Cell(msgspec.Struct, frozen=True, gc=False):
    """What was realised in one cell, and by how many records."""

    row: str
    column: str
    pnl: Decimal
    records: int


class Heatmap(msgspec.Struct, frozen=True):
    """Cells by row and column; `total` is their sum. The axes are in their own order."""

    kind: Kind
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    total: Decimal


def kind(name: str) -> Kind:
    """Return the kind of that name."""
    try:
        return Kind(name)
    except ValueError:
        wanted = ", ".join(each.value for each in Kind)
        raise BadChoice(f"no heatmap is called {name!r}; one of {wanted}", value=name) from None


@money
def heatmap(
    records: Iterable[RealizedPnLRecord], chosen: Kind, *, assets: Mapping[str, str] = _NAMES
) -> Heatmap:
    """Lay out trade records: year × month, weekday × hour, symbol × month, or month × day.

    `assets` tells the asset of each pair; a pair that it does not name stands for itself.
    """
    sums: dict[tuple[str, str], Decimal] = {}
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        place = _PLACES[chosen](record, assets)
        sums[place] = sums.get(place, ZERO) + record.pnl_base
        counts[place] = counts.get(place, 0) + 1
    rows, columns = ({place[axis] for place in sums} for axis in (0, 1))
    order = WEEKDAYS if chosen is Kind.HOUR else tuple(sorted(rows))
    return Heatmap(
        chosen,
        tuple(name for name in order if name in rows),
        tuple(sorted(columns)),
        tuple(Cell(*place, sums[place], counts[place]) for place in sorted(sums)),
        sum(sums.values(), ZERO),
    )


def _symbol(record: RealizedPnLRecord, assets: Mapping[str, str]) -> str:
    return assets.get(record.pair, record.pair) or NO_PAIR


_Place = Callable[[RealizedPnLRecord, Mapping[str, str]], tuple[str, str]]
_PLACES: Final[Mapping[Kind, _Place]] = {
    Kind.MONTH: lambda record, _: (f"{record.time:%Y}", f"{record.time:%m}"),
    Kind.HOUR: lambda record, _: (WEEKDAYS[record.time.weekday()], f"{record.time:%H}"),
    Kind.SYMBOL: lambda record, assets: (_symbol(record, assets), f"{record.time:%Y-%m}"),
    Kind.DAY: lambda record, _: (f"{record.time:%Y-%m}", f"{record.time:%d}"),
}
