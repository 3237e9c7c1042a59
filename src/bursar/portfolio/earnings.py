"""PnL of a period: what was realised in it, by heading, and how much equity grew beyond its flows.

What was realised is the book at the period's end less the book at its start, so every part of it
is exact under any cost rule. Unrealised PnL is only known of now. How much was made in a period is
equity at its end less equity at its start less the capital that came to what had come by then; the
start has to be a snapshot that was kept, unless nothing was there yet. It is what `daily_pnl` says.

Errors: `BadChoice` for a period, heading or rule that there is none of.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.audit import SIDES, Side
from bursar.ledger.book import Book
from bursar.ledger.entries import MANUAL, CashFlow, Reversal, StagedChange
from bursar.ledger.fold.staged import unexplained
from bursar.ledger.past import book_until, facts_between
from bursar.ledger.state import NO_PAIR, Cell, CellKey
from bursar.ledger.terms import Method
from bursar.ledger.timeline import Timeline
from bursar.portfolio import snapshots
from bursar.portfolio.followed import beginning
from bursar.portfolio.periods import Range, window
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.portfolio.summaries import PnLPart, PnLSummary
from bursar.value.holdings import told_names
from bursar.value.pnl import PnL, traded_pair
from bursar.value.snapshot import CAME, capital

HEADINGS: Final = ("pair", "asset", "strategy")
KEPT_FOR: Final = instant.DAY
"""A period begins with a snapshot of at most so long before its start."""


class Asked(msgspec.Struct, frozen=True):
    """Which summary is asked for. One of a `strategy` has what that one realised, and no more."""

    period: str | Range = "all"
    by: str = "pair"
    rule: Method | None = None
    with_manual: bool = True
    strategy: str | None = None


class _Ends(msgspec.Struct, frozen=True):
    """The books at both ends of a period, in nanoseconds from `start` until before `end`."""

    start: int
    end: int
    before: Book
    after: Book


@money
def summary(portfolio: Portfolio, asked: Asked, prices: Prices = None) -> PnLSummary:
    """Return the PnL of a period by heading."""
    if asked.by not in HEADINGS:
        raise BadChoice(f"{asked.by!r} is no heading; one of {', '.join(HEADINGS)}", value=asked.by)
    now = portfolio.desk.clock.now()
    span = window(asked.period, now)
    start = 0 if span.start is None else instant.from_datetime(span.start)
    timeline = _timeline(portfolio, asked, start)
    # Equity counts what is dated ahead of now, so what has no end holds it too.
    latest = max(now, _last(timeline)) + 1
    end = latest if span.end is None else instant.from_datetime(span.end)
    ends = _ends(portfolio, timeline, asked, start, end)
    parts = _parts(portfolio, ends, asked)
    made = PnLSummary(
        window=span,
        by=asked.by,
        method=(asked.rule or portfolio.terms.method).value,
        includes_manual=asked.with_manual,
        parts=parts,
        realized_pnl_base_total=sum((part.realized for part in parts.values()), ZERO),
        unrealized_pnl_base_total=None,
        fees_base=sum((part.fees for part in parts.values()), ZERO),
        income_base=_flowed(ends, Side.INCOME, asked.strategy),
        expenses_base=_flowed(ends, Side.EXPENSE, asked.strategy),
        net_flows_base=None,
    )
    if asked.strategy is not None:  # capital and open lots are the account's
        return made
    if span.end is not None:
        net, unpriced = _net(timeline, start, end)
        made = msgspec.structs.replace(made, net_flows_base=net, unpriced_flows=unpriced)
    else:
        made = _with_present(portfolio, timeline, made, _Present(asked, start, end, prices))
        net = _net(timeline, start, end)[0] if start else made.net_flows_base
    carried = None if net is None else _flowed(ends, Side.CAPITAL, None) - net
    return msgspec.structs.replace(made, transferred_unrealized_base=carried)


class _Present(msgspec.Struct, frozen=True):
    asked: Asked
    start: int
    end: int
    prices: Prices


def _with_present(
    portfolio: Portfolio, timeline: Timeline, made: PnLSummary, present: _Present
) -> PnLSummary:
    """Add what only the present knows: unrealised PnL, and what the whole period made."""
    rule = present.asked.rule or portfolio.terms.method
    (now,) = portfolio.pnl(present.asked.by, methods=(rule.value,), prices=present.prices)
    valuation = portfolio.valuation(present.prices)
    begun = _begun(portfolio, present.start)
    then = begun if present.start else _nothing(0)
    net, unpriced = _since(portfolio, timeline, present, then)
    made_base = None
    if then is not None and then.is_whole and then.capital_base is not None:
        is_known = net is not None and not valuation.lacking
        made_base = valuation.owned - then.equity_base - (net or ZERO) if is_known else None
    return msgspec.structs.replace(
        made,
        parts=_opened(made.parts, now.pnl),
        unrealized_pnl_base_total=now.pnl.total.unrealized,
        net_flows_base=net,
        unpriced_flows=unpriced,
        pnl_base=made_base,
        equity_start=None if begun is None else begun.equity_base,
        equity_start_at=None if begun is None else begun.timestamp,
        unvalued=valuation.lacking,
        unfounded=now.pnl.unfounded,
    )


def _opened(parts: dict[str, PnLPart], now: PnL) -> dict[str, PnLPart]:
    open_ = {key for key, line in now.lines.items() if line.unrealized}
    return {
        key: msgspec.structs.replace(parts.get(key, PnLPart()), unrealized=now.unrealized(key))
        for key in sorted({*parts, *open_, *now.unknown})
    }


def _timeline(portfolio: Portfolio, asked: Asked, start: int) -> Timeline:
    """Return a timeline that reaches as far back as the question does."""
    here = portfolio.desk.timeline
    is_own = asked.rule in (None, portfolio.terms.method)
    if is_own and start > KEPT_FOR and not here.is_behind(start - KEPT_FOR):
        return here
    return portfolio.timeline


def _ends(portfolio: Portfolio, timeline: Timeline, asked: Asked, start: int, end: int) -> _Ends:
    rule = asked.rule or portfolio.terms.method
    terms = msgspec.structs.replace(portfolio.terms, method=rule)
    before = book_until(timeline, start - 1, rule) if start else Book(terms)
    is_now = end > portfolio.desk.clock.now() and end > _last(timeline)
    after = portfolio.book(rule) if is_now else book_until(timeline, end - 1, rule)
    return _Ends(start, end, before, after)


def _last(timeline: Timeline) -> int:
    return timeline.order[-1][0] if timeline.order else 0


def _begun(portfolio: Portfolio, start: int) -> snapshots.Standing | None:
    """Return what stood at the start of a period: as it was kept, or nothing before the first."""
    desk = portfolio.desk
    doubts = snapshots.doubts(desk.store, desk.timeline.splits.values())
    found = snapshots.standing_at(desk.store, start, doubts) if start else None
    if found is not None and start - instant.from_datetime(found.timestamp) <= KEPT_FOR:
        return found
    return _nothing(start) if start and beginning(portfolio, start) is not None else None


def _nothing(at: int) -> snapshots.Standing:
    return snapshots.Standing(instant.to_datetime(at), ZERO, is_whole=True, capital_base=ZERO)


def _parts(portfolio: Portfolio, ends: _Ends, asked: Asked) -> dict[str, PnLPart]:
    """Return what was realised in the period on what the view shows, by heading."""
    parts: dict[str, PnLPart] = {}
    options, base, marks = portfolio.options, portfolio.terms.base, portfolio.marks()
    names = told_names(portfolio.book(), marks) if asked.by == "asset" else {}
    for key, cell in ends.after.cells.items():
        old = ends.before.cells.get(key, Cell())
        if cell == old or (key[3] == MANUAL and not asked.with_manual):
            continue
        if asked.strategy not in (None, key[3]):
            continue
        if not options.shows(key[1], base, marks=marks):
            continue
        heading = _heading(key, asked.by, names)
        known = parts.get(heading, PnLPart())
        parts[heading] = PnLPart(
            known.realized + cell.realized - old.realized,
            known.fees + cell.fees - old.fees,
            known.trades + cell.trades - old.trades,
        )
    return {key: parts[key] for key in sorted(parts)}


def _heading(key: CellKey, by: str, names: Mapping[str, str]) -> str:
    _, asset, pair, strategy, _ = key
    if by == "strategy":
        return strategy
    return names.get(asset, asset) if by == "asset" else traded_pair(pair or NO_PAIR)


def _flowed(ends: _Ends, side: Side, strategy: str | None) -> Decimal:
    """Return what the flows of one side booked in the period, for one strategy or for all."""

    def booked(book: Book) -> Decimal:
        return sum(
            (
                flow.booked
                for key, flow in book.flows.items()
                if SIDES[key[1]] is side and strategy in (None, key[3])
            ),
            ZERO,
        )

    return booked(ends.after) - booked(ends.before)


def _since(
    portfolio: Portfolio, timeline: Timeline, present: _Present, then: snapshots.Standing | None
) -> tuple[Decimal | None, tuple[str, ...]]:
    """Return the capital that came less what went until now, and the flows without a worth.

    Where it was kept how much had come by the start, it is what came to that: so a flow of before
    that was heard of only since counts where it entered equity, and is no profit. Where that was
    not known, it is what is dated since; any flow without a worth may be why.
    """
    if then is None:
        return _net(timeline, present.start, present.end)
    now = capital(portfolio.book())
    unpriced = () if now is not None else _net(portfolio.timeline, 0, present.end)[1]
    if then.capital_base is not None:
        return None if now is None else now - then.capital_base, unpriced
    since = instant.from_datetime(then.timestamp) + 1
    return _net(timeline, since, present.end)[0], unpriced


def _net(timeline: Timeline, start: int, end: int) -> tuple[Decimal | None, tuple[str, ...]]:
    """Return the capital that came less what went, at its worth then, and the flows without one."""
    worths = list(_capital(timeline, start, end))
    unpriced = tuple(name for name, worth in worths if worth is None)
    return (None if unpriced else sum((w for _, w in worths if w is not None), ZERO)), unpriced


def _capital(timeline: Timeline, start: int, end: int) -> Iterator[tuple[str, Decimal | None]]:
    """Yield the capital that flows of a period brought, at its worth; one taken back counts the
    other way, and of a transaction what its positions do not explain.
    """
    for fact in facts_between(timeline, start, end):
        if isinstance(fact, CashFlow) and fact.kind in CAME:
            yield fact.id, fact.value
        elif isinstance(fact, Reversal):
            flow = timeline.facts.get(fact.target)
            if isinstance(flow, CashFlow) and flow.kind in CAME:
                yield fact.id, None if flow.value is None else -flow.value
        elif isinstance(fact, StagedChange):
            yield fact.id, unexplained(fact)
