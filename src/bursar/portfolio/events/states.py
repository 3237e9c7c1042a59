"""States: how things stand, told when they have changed, at most once an interval.

Of several states of one kind only the last is told, and that always: what the bus does not take
stays until it does, unless a later one has come. Nothing of this is kept; after a restart or a
flush the state is told again as it then is.

Errors: `BusDown`; what was due stays due.
"""

from decimal import Decimal
from typing import Final

from bursar.events import Envelope
from bursar.events.catalog import write
from bursar.events.outgoing import EquityUpdate, Outgoing, PnlUpdate
from bursar.exact import money
from bursar.ledger import instant
from bursar.portfolio import kept
from bursar.portfolio.events.relay import SOURCE, topic_of
from bursar.portfolio.portfolio import Portfolio
from bursar.ports import Bus, Clock
from bursar.value.figures import Figures
from bursar.value.peaks import fall

PNL_EVERY: Final = 60 * instant.SECOND
"""Of each stretch so long `pnl.update` tells, where no position closes."""


class States:
    """The states of one portfolio on their way to the bus. `flush` belongs on a timer."""

    def __init__(self, portfolio: str, bus: Bus, clock: Clock) -> None:
        self._portfolio = portfolio
        self._bus = bus
        self._clock = clock
        self._due: dict[str, tuple[str, str]] = {}
        self._told: dict[str, str] = {}

    def offer(self, name: str, told: Outgoing, *, cause: str = "") -> None:
        """Take the latest state of a kind; one that was told just so is not told again."""
        self._due[name] = write(told), cause

    async def flush(self) -> int:
        """Tell what has changed since it was last told, and return how many kinds of it."""
        due, now = dict(self._due), self._clock.now()
        fresh = {name: each for name, each in due.items() if self._told.get(name) != each[0]}
        if fresh:
            await self._bus.publish(
                topic_of(self._portfolio),
                [self._event(name, *each, now) for name, each in fresh.items()],
            )
        self._told |= {name: data for name, (data, _) in fresh.items()}
        for name, each in due.items():
            if self._due.get(name) == each:
                del self._due[name]
        return len(fresh)

    def _event(self, name: str, data: str, cause: str, now: int) -> Envelope:
        return Envelope(
            id=f"{self._portfolio} {name} {now}",
            type=name,
            source=SOURCE,
            time=now,
            portfolio=self._portfolio,
            causation_id=cause,
            data=data,
        )


@money
def pnl_update(portfolio: Portfolio, found: Figures, version: int) -> PnlUpdate:
    """Return the PnL of all time, of what the view shows, as an event tells it."""
    known = kept.of_head(portfolio)
    return PnlUpdate(
        realized_pnl=known.realized,
        unrealized_pnl=found.unrealized,
        total_pnl=known.realized + found.unrealized,
        fees=known.fees,
        timestamp=instant.show(found.at),
        version=version,
    )


@money
def equity_update(found: Figures, version: int, peak: Decimal | None) -> EquityUpdate:
    """Return the equity as an event tells it; `peak` is the highest that is known.

    Peak and fall are of all that is owned, whatever the view shows; what has no price is no loss.
    """
    owned = found.owned
    top = peak if peak is None or not found.is_priced else max(peak, owned)
    return EquityUpdate(
        equity=found.equity,
        cash=found.cash_base,
        unrealized_pnl=found.unrealized,
        peak_equity=top,
        drawdown_pct=fall(top, owned) if found.is_priced else None,
        timestamp=instant.show(found.at),
        version=version,
    )
