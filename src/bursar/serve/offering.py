"""Offering: how things stand, from the very views that are published, to whom it concerns.

A state is offered when it says more than the time: `portfolio.snapshot_updated`, `pnl_updated`,
`exposure_updated`, `drawdown_updated`, `equity.update`. `pnl.update` is offered once in each minute
of the clock, and whenever a position was closed or anything was realised.

Errors: none of its own.
"""

from decimal import Decimal
from typing import Any

import msgspec

from bursar.events.outgoing import (
    DrawdownUpdated,
    EquityUpdate,
    ExposureUpdated,
    PnlUpdated,
    PositionState,
    SnapshotUpdated,
)
from bursar.portfolio import kept
from bursar.portfolio.beside import Beside, beside
from bursar.portfolio.events.states import PNL_EVERY, States, equity_update, pnl_update
from bursar.portfolio.measures import Views
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.views import PositionView
from bursar.serve.spelling import moment
from bursar.serve.views import Seen

State = SnapshotUpdated | PnlUpdated | ExposureUpdated | DrawdownUpdated


class Offers:
    """What one portfolio's states were offered last; `states` tells them."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._offered: dict[str, State | EquityUpdate] = {}
        self._made: tuple[int, Decimal, int] | None = None
        self._positions: Beside[PositionView, PositionState] = {}

    def take(self, portfolio: Portfolio, seen: Seen) -> None:
        """Take how things stand, and offer what is news of it."""
        version, views, found = portfolio.desk.head.version, seen.found, seen.figures
        self._positions = beside(views.snapshot.positions, self._positions, _position)
        positions = tuple(told for _, told in self._positions.values())
        for name, told in _states(views, positions, version).items():
            if self._is_news(name, told):
                self._states.offer(f"portfolio.{name}", told)
        whole = equity_update(found, version, views.drawdown.peak_equity)
        if self._is_news("equity", whole):
            self._states.offer("equity.update", whole)
        closed = kept.of_head(portfolio).statistics.count
        made = found.at // PNL_EVERY, views.pnl.realized_pnl_total, closed
        if made != self._made:
            self._made = made
            self._states.offer("pnl.update", pnl_update(portfolio, found, version))

    def _is_news(self, name: str, told: State | EquityUpdate) -> bool:
        """Tell whether a state says more than the time."""
        timeless = msgspec.structs.replace(told, timestamp="")
        is_news = self._offered.get(name) != timeless
        self._offered[name] = timeless
        return is_news


def _position(view: PositionView) -> PositionState:
    return PositionState(**_fields(view))


def _states(views: Views, positions: tuple[PositionState, ...], version: int) -> dict[str, State]:
    """Return the states of some views, each of a record of its own with the same names."""
    known = {
        name: value
        for name, value in views.exposure.exposure_by_symbol.items()
        if value is not None
    }
    found: dict[str, State] = {
        "snapshot_updated": SnapshotUpdated(
            **{**_timed(views.snapshot, version), "positions": positions}
        ),
        "pnl_updated": PnlUpdated(**_timed(views.pnl, version)),
        "exposure_updated": ExposureUpdated(
            **{**_timed(views.exposure, version), "exposure_by_symbol": known}
        ),
    }
    if views.drawdown.current_equity is not None:  # else nothing can be told of it
        found["drawdown_updated"] = DrawdownUpdated(**_timed(views.drawdown, version))
    return found


def _fields(view: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}


def _timed(view: msgspec.Struct, version: int) -> dict[str, Any]:
    fields = _fields(view)
    return {**fields, "timestamp": moment(fields["timestamp"]), "version": version}
