"""The views that are published: the contract's four, of one and the same valuation.

They are rendered here and worked out below, in `portfolio.measures` and `portfolio.views`.

Errors: those of the store.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bursar.errors import StoreError
from bursar.portfolio.beside import Beside, beside
from bursar.portfolio.measures import Views, views_of
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.views import PositionView
from bursar.serve.shelf import Coverage, Listed, View
from bursar.serve.spelling import encode, spelled
from bursar.value import coverage as value
from bursar.value.figures import Figures

NAMES: Final = ("snapshot", "pnl", "exposure", "drawdown")
LOOKS_MAX: Final = 3
"""How often there is a look in all where other processes go on writing meanwhile."""
_T = TypeVar("_T")


class Seen(msgspec.Struct, frozen=True):
    """The views of one instant, and what they do not know."""

    views: Mapping[str, msgspec.Struct]
    coverage: Coverage
    found: Views
    figures: Figures


def look(portfolio: Portfolio) -> Seen:
    """Return the views of this moment, after a look at what was kept. O(positions)."""
    glance(portfolio)
    return seen(portfolio)


def glance(portfolio: Portfolio) -> None:
    """Take up what this process or another has kept: marks, snapshots."""
    portfolio.live().refresh()
    portfolio.followed.look(portfolio, portfolio.desk.clock.now())


def seen(portfolio: Portfolio) -> Seen:
    """Return the views of this moment, as of the last glance; the store is not asked.

    O(positions) to put them together, and O(what is other than the last time).
    """
    live = portfolio.live()
    live.follow()
    found, running = live.figures(), live.running
    views = views_of(portfolio, found, live.shown())
    coverage = _coverage(found, running.coverage(found.at))
    return Seen({name: getattr(views, name) for name in NAMES}, coverage, views, found)


def at_one(portfolio: Portfolio, look: Callable[[], _T]) -> _T:
    """Look so that book and store are of one version, and return what is seen.

    The book is of the last time somebody looked, and the store's records are of now. Where another
    process wrote in between, half of what is seen would be from before and half from after that.
    """
    store, seen_ = portfolio.desk.store, look()
    with suppress(StoreError):  # what was seen is as good as it was
        for _ in range(LOOKS_MAX - 1):
            if store.head() == portfolio.desk.head:
                break
            portfolio.writer.catch_up()
            seen_ = look()
    return seen_


class Speller:
    """Spells views; a row of a table is spelled anew only where it shows something else."""

    def __init__(self) -> None:
        self._rows: Beside[PositionView, tuple[str, msgspec.Raw]] = {}
        self._values: Beside[Decimal | None, object] = {}

    def spelled(self, views: Views) -> dict[str, View]:
        """Return views as they are encoded. O(positions), and a spelling for each that is new."""
        exposures, replace = views.exposure, msgspec.structs.replace
        by_symbol = exposures.exposure_by_symbol
        self._rows = beside(views.snapshot.positions, self._rows, _row)
        self._values = beside(by_symbol.values(), self._values, spelled)
        told = {symbol: self._values[id(value)][1] for symbol, value in by_symbol.items()}
        positions = Listed(row for _, row in self._rows.values())
        return {
            "snapshot": {**_fields(replace(views.snapshot, positions=())), "positions": positions},
            "pnl": _fields(views.pnl),
            "exposure": {
                **_fields(replace(exposures, exposure_by_symbol={})),
                "exposure_by_symbol": told,
            },
            "drawdown": _fields(views.drawdown),
        }


def _row(position: PositionView) -> tuple[str, msgspec.Raw]:
    return f"{position.symbol} {position.side}", msgspec.Raw(encode(position))


def _fields(view: msgspec.Struct) -> View:
    made = spelled(view)
    assert isinstance(made, dict), "a view is a record"
    return made


def _coverage(found: Figures, known: value.Coverage) -> Coverage:
    return Coverage(
        is_complete=known.is_complete,
        unvalued=known.unvalued_assets,
        stale=known.stale_assets,
        excluded_value=found.excluded_value,
        remarks=tuple(known.lines()),
    )
