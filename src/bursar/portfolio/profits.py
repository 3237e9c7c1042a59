"""What becomes of profit: taken, put back to work, kept. Proposed from the book, posted as facts.

A session runs from 00:00 UTC, or from the first look of the day that was applied; its baseline is
the equity it found. It begins anew where the last look turns out to have missed a split: then its
peak, its steps and perhaps its baseline were of other units than their prices. `ProfitCapture` and
`IntraSessionCompounding` watch it. `SmartReinvestor` divides what each strategy has made beyond
what was divided before: the part to keep moves from the strategy's sleeve to the reserve
(`manual`), as a transfer that is a fact, as soon as the sleeve has the money free, and is not
divided again; the rest stays and works. `ProfitTargetTracker` says how far day, week and month are.

`look` writes nothing. `apply` writes transfers, the state to go on from, and the exit decision as
an event, in one transaction; so each unit of profit is divided once, whatever is restarted.

Errors: `Doubtful` where equity or capital is not known; `StaleVersion` when another writer came
between look and apply.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from bursar.capital.profit_capture import (
    Capture,
    Compounded,
    IntraSessionCompounding,
    ProfitCapture,
    Session,
)
from bursar.capital.profit_target_tracker import (
    PeriodSoFar,
    ProfitTargetTracker,
    TargetPeriod,
    TargetProgress,
)
from bursar.capital.settings import CapitalSettings
from bursar.capital.smart_reinvestor import Division, Reinvested, SmartReinvestor
from bursar.capital.trades import tally
from bursar.errors import Doubtful, StaleVersion
from bursar.events.outgoing import OrderExitDecision
from bursar.exact import ONE, ZERO, divide, money
from bursar.ledger import audit, instant
from bursar.ledger.currencies import places
from bursar.ledger.entries import MANUAL, Split
from bursar.portfolio import allocating, earnings, units
from bursar.portfolio.events import saying
from bursar.portfolio.log import LOG
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.portfolio.set_aside import Kept, keeping, kept
from bursar.portfolio.units import Seen
from bursar.value.snapshot import capital


class Profits(msgspec.Struct, frozen=True, kw_only=True):
    """A look at profit, not accepted yet. `kept_back` is what would go to the reserve.

    `found` was kept when it was looked; `before` is the same, with a session of this very day.
    """

    version: int
    at: int
    equity: Decimal
    capture: Capture | None
    reinvest: Decimal
    divisions: Mapping[str, Division]
    kept_back: Mapping[str, Decimal]
    targets: tuple[TargetProgress, ...]
    found: Kept
    before: Kept
    after: Kept


class _Now(msgspec.Struct, frozen=True):
    at: int
    equity: Decimal
    capital: Decimal
    realized: Decimal
    seen: Seen


@money
def look(
    portfolio: Portfolio, settings: CapitalSettings | None = None, *, prices: Prices = None
) -> Profits:
    """Look at what was made, and say what is to become of it. Nothing is written."""
    settings = settings or CapitalSettings()
    now = _now(portfolio, prices)
    found = kept(portfolio)
    before = _begun(found, now, portfolio.desk.timeline.splits.values())
    flows = now.capital - before.capital
    session, capture = ProfitCapture(settings.capture).look(before.session, now.equity, flows=flows)
    compounded, reinvest = IntraSessionCompounding(settings.compounding).look(
        before.compounded, now.equity, now.realized - before.realized, flows=flows
    )
    divided, divisions, kept_back = _divided(portfolio, settings, before, prices)
    return Profits(
        version=portfolio.desk.head.version,
        at=now.at,
        equity=now.equity,
        capture=capture,
        reinvest=reinvest,
        divisions=divisions,
        kept_back=kept_back,
        targets=tuple(_targets(portfolio, settings, now.at, prices)),
        found=found,
        before=before,
        after=msgspec.structs.replace(
            before,
            session=session,
            compounded=compounded,
            divided=divided,
            moved=_plus(before.moved, kept_back),
            seen=now.seen,
        ),
    )


def apply(portfolio: Portfolio, profits: Profits) -> None:
    """Write what a look came to: transfers, state, and the exit decision, all or nothing.

    Raises:
        StaleVersion: the portfolio was changed since, or profit divided; look again.
    """
    desk = portfolio.writer
    desk.catch_up()
    _require_current(portfolio, profits)
    posted = allocating.transfers(
        portfolio,
        [(name, MANUAL, amount) for name, amount in sorted(profits.kept_back.items())],
        name=f"profits:{profits.at}",
        at=profits.at,
    )
    allocating.post(portfolio, posted, lambda: _memos(portfolio, profits))
    if profits.capture is not None:
        told = _exit(profits, profits.capture)
        LOG.info("PORTFOLIO_CAPTURE", intent=told.intent, reason=told.reason)


def _memos(portfolio: Portfolio, profits: Profits) -> dict[str, str | None]:
    """Return what is written beside the transfers, if it still holds."""
    _require_current(portfolio, profits)
    memos = keeping(profits.after)
    if profits.capture is not None:
        told = _exit(profits, profits.capture)
        store = portfolio.desk.store
        memos |= saying.memo_of(store, "order.exit_decision", told, at=profits.at)
    return memos


def _require_current(portfolio: Portfolio, profits: Profits) -> None:
    allocating.require_version(portfolio, profits.version, "look again")
    if kept(portfolio) != profits.found:
        raise StaleVersion("another look was applied since this one; look again")


def _now(portfolio: Portfolio, prices: Prices) -> _Now:
    """Look at all that is owned, as capital is of all that came, whatever the view shows."""
    valuation, book = portfolio.valuation(prices), portfolio.book()
    if valuation.lacking:
        assets = ", ".join(valuation.lacking)
        raise Doubtful(f"profit is not known: there is no price of {assets}")
    given = capital(book)
    if given is None:
        raise Doubtful("profit is not known: capital came or went that nobody has priced")
    held = (asset for (_, asset), holding in book.holdings.items() if holding.quantity)
    seen = units.seen(valuation.at, held, portfolio.desk.timeline.splits.values())
    return _Now(valuation.at, valuation.owned, given, audit.totals(book).made, seen)


def _begun(found: Kept, now: _Now, splits: Iterable[Split]) -> Kept:
    """Return what is kept, with a new session where the day is another, or what the last one saw
    missed a split. What a day has captured it captures once.
    """
    today = now.at // instant.DAY
    is_same_day = found.day == today
    if is_same_day and not (found.seen is not None and found.seen.has_missed(splits)):
        return found
    is_captured = is_same_day and found.session.is_captured
    began = Session(now.equity, is_captured=is_captured), Compounded(now.equity)
    return Kept(today, *began, now.capital, now.realized, found.divided, found.moved)


@money
def _divided(
    portfolio: Portfolio, settings: CapitalSettings, before: Kept, prices: Prices
) -> tuple[dict[str, Reinvested], dict[str, Division], dict[str, Decimal]]:
    reinvestor = SmartReinvestor(initial=settings.initial, settings=settings.reinvest)
    divided, divisions, kept_back = dict(before.divided), {}, {}
    standing = allocating.strategies(portfolio, prices)
    whole = sum((each.equity for each in standing), ZERO)
    for each in standing:
        if each.strategy == MANUAL:
            continue
        results = tally(trip.pnl for trip in each.trips)
        state, division = reinvestor.divide(
            divided.get(each.strategy, Reinvested()),
            each.made,
            equity=whole,
            drawdown=each.returns.drawdown,
            profit_factor=results.profit_factor,
        )
        divided[each.strategy], divisions[each.strategy] = state, division
        due = state.kept - before.moved.get(each.strategy, ZERO)
        there = min(due, max(each.cash, ZERO))
        amount = divide(there, ONE, places=places(portfolio.terms.base))[0]
        if amount > 0:
            kept_back[each.strategy] = amount
    return divided, divisions, kept_back


@money
def _plus(some: Mapping[str, Decimal], more: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: some.get(name, ZERO) + more.get(name, ZERO) for name in sorted({*some, *more})}


def _targets(
    portfolio: Portfolio, settings: CapitalSettings, at: int, prices: Prices
) -> list[TargetProgress]:
    """Follow the periods whose beginning is known from a kept moment."""
    found = {}
    for target in settings.targets:
        asked = earnings.Asked(period=target.period.value)
        made = earnings.summary(portfolio, asked, prices)
        if made.equity_start is None or made.pnl_base is None or made.window.start is None:
            continue
        starts_at = instant.from_datetime(made.window.start)
        found[target.period] = PeriodSoFar(
            starts_at=starts_at,
            ends_at=_end(target.period, starts_at),
            at=at,
            opening_equity=made.equity_start,
            profit=made.pnl_base,
        )
    return ProfitTargetTracker(settings.targets).look(found)


def _end(period: TargetPeriod, starts_at: int) -> int:
    if period is TargetPeriod.MONTH:
        first = instant.to_datetime(starts_at)
        after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        return instant.from_datetime(after)
    return starts_at + (instant.DAY if period is TargetPeriod.DAY else instant.WEEK)


@money
def _exit(profits: Profits, capture: Capture) -> OrderExitDecision:
    baseline = profits.equity - capture.profit  # what came in or went out since is in all three
    return OrderExitDecision(
        decision_id=f"capture {profits.at}",
        intent=capture.intent.value,
        reason=f"profit {capture.profit:f} fell from {capture.peak:f}; target {capture.target:f}",
        baseline_equity=baseline,
        current_equity=profits.equity,
        peak_equity=baseline + capture.peak,
        timestamp=instant.show(profits.at),
    )
