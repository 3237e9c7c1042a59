"""What comes before the kept moments: the curve rebuilt from the facts of then, joined to them.

Kept are moments from the first snapshot on, and what was kept stands as it was said. Where
something happened before the day of that snapshot (a history that was imported first, or later),
the curve of that time is the rebuilt one (`rebuilt`), as all is known now; from the first kept
moment on it is the kept one, as it was known then. So what is told of before only after that moment
leaves the curve there and comes back when it was told: as capital, and what it had made as made, so
what is made in all is counted once. How much capital it was is said (`heard_later`).

Snapshots of a book that knew of nothing yet, while something had happened by then, are no news of
that time: the kept curve begins behind them.

Errors: those of the store.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import money
from bursar.ledger import instant
from bursar.measure.curve import Moment
from bursar.measure.joined import Prelude, prelude
from bursar.portfolio.rebuilt import Rebuilding, Rebuilt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.portfolio.portfolio import Portfolio


class First(msgspec.Struct, frozen=True):
    """The first kept moment (`at`), the first that knew of something, and the first of those with a
    unit price, and that price.
    """

    at: int
    known: Moment | None
    joint: Moment | None
    nav: Decimal | None


class Before(msgspec.Struct, frozen=True):
    """The rebuilt part of a curve. `first_kept_at` is the first kept moment; `None`: none is there.

    `heard_later` is the capital of before, as it is known now, less what that moment knew of it;
    `None` where either is not known.
    """

    prelude: Prelude
    first_kept_at: int | None
    heard_later: Decimal | None


class Joining:
    """The part of one portfolio's curve from before what was kept, as of the last question."""

    def __init__(self) -> None:
        self.rebuilding = Rebuilding()
        self._made: tuple[Rebuilt, First, Before] | None = None

    @money
    def before(
        self, portfolio: Portfolio, first: First | None, now: Moment, start: int | None = None
    ) -> Before | None:
        """Return what comes before kept moments that begin so, for the curve from `start` on;
        `None` where they begin it. O(days); where something of before is another, as `rebuilt`.
        """
        if first is None or (first.known is None and self._has_before(portfolio, first, now)):
            told = self.rebuilding.before(portfolio, instant.day_start(now.at))
            early = _told(told.moments, now)
            return Before(prelude(early, now.at, now), None, None) if early else None
        if first.known is None or (
            start is not None and first.joint is not None and first.joint.at < start
        ):
            return None
        told = self.rebuilding.before(portfolio, first.known.at)
        if not _is_before(told, first):
            return None
        if first.joint is None:
            return _joined(told, first, first.known, now)
        if self._made is None or self._made[0] is not told or self._made[1] != first:
            self._made = told, first, _joined(told, first, first.known, first.joint)
        return self._made[2]

    def _has_before(self, portfolio: Portfolio, first: First, now: Moment) -> bool:
        told = self.rebuilding.before(portfolio, instant.day_start(now.at))
        return _is_before(told, first)


def _is_before(told: Rebuilt, first: First) -> bool:
    """Tell whether something had happened before the day of the first kept moment."""
    return bool(told.moments) and told.moments[0].at + 1 < instant.day_start(first.at)


def _joined(told: Rebuilt, first: First, known: Moment, joint: Moment) -> Before:
    made = prelude(_told(told.moments, known), known.at, joint, first.nav)
    heard = None
    if told.capital is not None and known.capital is not None:
        heard = told.capital - known.capital
    return Before(made, known.at, heard)


def _told(moments: Sequence[Moment], after: Moment) -> Sequence[Moment]:
    """Return the moments before another. That nothing was there at first is one of them where the
    next one is known: a return from there to long after would be of no time that anybody means.
    """
    early = [each for each in moments if each.at < after.at]
    after = early[1] if early[1:] else after
    return early if after.is_complete and after.capital is not None else early[1:]
