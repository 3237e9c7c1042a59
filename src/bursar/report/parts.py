"""Parts of a report that are records of their own, each put together from one answer.

Errors: those of the store.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from bursar.ledger import instant
from bursar.measure.curve import Growth, Point
from bursar.measure.measured import unknown
from bursar.portfolio import agreement
from bursar.portfolio.past import PastDesk
from bursar.portfolio.periods import Window
from bursar.portfolio.portfolio import Portfolio
from bursar.reconcile.certificate import seal, sentence
from bursar.report.records import Certified, HoldingLine, PeriodReturn, Worth
from bursar.value.equity import Valuation
from bursar.value.worth import AssetWorth

_LATE: Final = unknown("what stood when it began was not kept")


def worth(valuation: Valuation) -> Worth:
    """Return what is held, in all."""
    return Worth(
        at=valuation.at,
        equity=valuation.equity,
        cash=valuation.cash,
        unrealized=valuation.unrealized,
        excluded_value=valuation.excluded_value,
        unvalued=valuation.coverage.unvalued_assets,
        stale=valuation.coverage.stale_assets,
    )


def holding(each: AssetWorth) -> HoldingLine:
    """Return the line of an asset that is held."""
    mark = each.mark
    return HoldingLine(
        asset=each.asset,
        quantity=each.quantity,
        cost=each.known_cost,
        mark=None if mark is None else mark.price,
        mark_pair=None if mark is None else mark.pair,
        mark_source=None if mark is None else mark.source,
        marked_at=None if mark is None else mark.at,
        value=each.value,
        unrealized=each.unrealized,
        share_pct=each.share_pct,
        flags=each.flags,
    )


def returns(points: Iterable[Point], span: Window) -> Iterator[PeriodReturn]:
    """Yield the return of each month and year that the points reach into, from what stood before.

    Where the last point before is of more than a day ago, what was made in between is of no one
    month, and the return is not known. O(points).
    """
    grown: dict[tuple[int, int], Growth] = {}
    reached: set[tuple[int, int]] = set()
    late: set[tuple[int, int]] = set()
    before: tuple[Point, ...] = ()
    for point in points:
        at = instant.to_datetime(point.at)
        for name, month in (((at.year, at.month), at.month), ((at.year, 0), 1)):
            if name not in grown:
                grown[name] = Growth()
                grown[name].see(before)
                if before and _start(at.year, month) - before[0].at > instant.DAY:
                    late.add(name)
            grown[name].see((point,))
        if point.nav is not None:
            before = (point,)
        if span.has(at):
            reached.add((at.year, at.month))
    for year in sorted({year for year, _ in reached}):
        for month in sorted(month for of, month in reached if of == year):
            pct = _LATE if (year, month) in late else grown[year, month].pct
            yield PeriodReturn(str(year), f"{month:02}", pct)
        yield PeriodReturn(str(year), "", _LATE if (year, 0) in late else grown[year, 0].pct)


def _start(year: int, month: int) -> int:
    return instant.from_datetime(datetime(year, month, 1, tzinfo=UTC))


def certified(portfolio: Portfolio) -> Iterator[Certified]:
    """Yield what is kept of every account: its last certificate, or that there is none."""
    lacking = "no certificate of a reconciliation is kept"
    if isinstance(portfolio.desk, PastDesk):
        lacking = "certificates are kept of the present alone"
    for account in portfolio.accounts():
        found = agreement.last_certificate(portfolio, account)
        if found is None:
            yield Certified(account, f"{account}: {lacking}", None, None)
        else:
            yield Certified(account, sentence(found), seal(found), found)
