"""Dividing capital among strategies: looks at how they did, proposes, and posts what is accepted.

A proposal is worked out from the journal, the marks and what was kept of the last decision; it
writes nothing. `apply` writes it in one transaction: the transfers between sleeves as facts, the
decision with everything it was made from, and the state to go on from. So a restart at any point
goes on as if it had not been, and `decision` read back makes the same weights again.

Capital to divide is the equity of all strategies and the base currency that no strategy has
(`manual`, the reserve). Coins traded by hand are not divided.

Figures that feed weights are refused while a venue's statement is out of tolerance, and where a
strategy holds what has no price; with `is_doubt_allowed` they are used, and the decision is marked.

Errors: `Doubtful` as said; `BadChoice` where there is no strategy; `StaleVersion` when another
writer came between proposal and apply.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.capital.deciding import (
    AllocationState,
    Cause,
    Decision,
    Figures,
    Rules,
    decide,
    made_again,
)
from bursar.capital.rebalancer import MovePlan, PortfolioRebalancer, RebalancerSettings, Sleeve
from bursar.capital.strategy_memory import DAY
from bursar.capital.trades import ClosedTrade, tally
from bursar.desk.desk import Beside
from bursar.errors import BadChoice, Doubtful, StaleVersion
from bursar.exact import ZERO, money
from bursar.ledger.entries import MANUAL, SleeveTransfer
from bursar.ledger.sleeves import DayClose, StrategyBooks
from bursar.measure.kelly import from_trades
from bursar.measure.ratios import Conventions
from bursar.measure.shadow import Shadow, ShadowDay
from bursar.measure.shadow import shadow as compare
from bursar.measure.sleeves import SleeveReturns, sleeve_returns
from bursar.measure.trades import statistics
from bursar.measure.trips import Trip
from bursar.portfolio import kept as kept_trips
from bursar.portfolio.log import LOG
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.value.equity import Valuation, value_book

NORMAL: Final = "NORMAL"
WINDOWED: Final = Conventions(least=10)
"""A window of thirty days has no thirty returns where a strategy held nothing for some of them."""
_KEPT: Final = "capital state"
_DECISION: Final = "capital decision "
_REGIME: Final = "capital regime"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision is asked with: when capital moves, whom a person revives.

    `doubt` says what is wrong with the books, such as a venue that does not agree.
    """

    moving: RebalancerSettings = RebalancerSettings()
    regime: str | None = None
    revived: tuple[str, ...] = ()
    doubt: str | None = None
    is_doubt_allowed: bool = False


class Kept(msgspec.Struct, frozen=True):
    """What is kept between decisions: trades that closed up to `since`, or are in `seen`, are done.

    `since` (ns) never goes back, so a window that is made longer brings nothing up again.
    """

    state: AllocationState = AllocationState()
    seen: tuple[str, ...] = ()
    moved_at: int | None = None
    since: int = 0


class StrategyNow(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's sleeves at the marks: what was given to it, what it made, what it is worth."""

    strategy: str
    contributed: Decimal
    made: Decimal
    unrealized: Decimal
    equity: Decimal
    cash: Decimal
    returns: SleeveReturns
    trips: tuple[Trip, ...]
    valuation: Valuation


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that nobody has accepted yet, and the transfers that would make it true."""

    version: int
    decision: Decision
    plan: MovePlan
    strategies: tuple[StrategyNow, ...]
    kept: Kept


_STATES: Final = msgspec.json.Decoder(Kept)
_DECISIONS: Final = msgspec.json.Decoder(Decision)


def books(portfolio: Portfolio) -> StrategyBooks:
    """Return every strategy's sleeves. O(facts since they were asked for last)."""
    return portfolio.sleeved.books(portfolio)


@money
def strategies(portfolio: Portfolio, prices: Prices = None) -> list[StrategyNow]:
    """Return every strategy as it stands, by name; what nobody did is under `manual`."""
    sleeves, marks = books(portfolio), portfolio.marks(prices)
    now = portfolio.desk.clock.now()
    trips: dict[str, list[Trip]] = {}
    for trip in kept_trips.trips(portfolio).trips:
        trips.setdefault(trip.strategy, []).append(trip)
    closes: dict[str, list[DayClose]] = {}
    for close in sleeves.closes:
        closes.setdefault(close.strategy, []).append(close)
    found = []
    for strategy in sleeves.strategies():
        book = sleeves.of(strategy)
        valuation = value_book(book, marks, now=now, options=portfolio.options)
        found.append(
            StrategyNow(
                strategy=strategy,
                contributed=sleeves.contributed(strategy),
                made=sleeves.made(strategy),
                unrealized=valuation.unrealized,
                equity=valuation.equity,
                cash=valuation.cash_base,
                returns=sleeve_returns(
                    closes.get(strategy, []), today=now // DAY, unrealized=valuation.unrealized
                ),
                trips=tuple(trips.get(strategy, ())),
                valuation=valuation,
            )
        )
    return found


def regime(portfolio: Portfolio) -> str:
    """Return the market's regime, as it was told last."""
    return portfolio.desk.store.memo(_REGIME) or NORMAL


def tell_regime(portfolio: Portfolio, name: str) -> None:
    """Keep the market's regime until another is told."""
    if not name.strip():
        raise BadChoice("a regime has a name, such as BULL")
    portfolio.desk.store.save_memos({_REGIME: name})


def propose(
    portfolio: Portfolio,
    rules: Rules | None = None,
    *,
    asked: Asked = Asked(),  # noqa: B008  # frozen
    prices: Prices = None,
) -> Proposal:
    """Work out a decision and the transfers it calls for. Nothing is written.

    Raises:
        Doubtful: the figures cannot be trusted, and that is not allowed.
        BadChoice: there is no strategy to divide among.
    """
    rules = rules or Rules()
    standing = strategies(portfolio, prices)
    doubt = asked.doubt or _unpriced(standing)
    if doubt is not None and not asked.is_doubt_allowed:
        raise Doubtful(f"no capital is divided while figures are in doubt: {doubt}")
    last, now = kept(portfolio), portfolio.desk.clock.now()
    known = [each for each in standing if each.strategy != MANUAL]
    named = {each.strategy: each for each in known}
    names = sorted({*named, *rules.strategies} - {MANUAL})
    if not names:
        raise BadChoice("there is no strategy yet: trades name one, or the settings do")
    current = asked.regime or regime(portfolio)
    since = _since(portfolio, rules, last)
    recent = _recent(portfolio, since)
    cause = Cause(
        at=now,
        regime=current,
        figures={name: _figures(named.get(name), rules, now, current) for name in names},
        trades=_unseen(recent, last),
        revived=asked.revived,
        marked=doubt,
    )
    decision = decide(last.state, cause, rules)
    weights = {line.strategy: line.weight for line in decision.allocation.lines}
    plan = PortfolioRebalancer(asked.moving).plan(
        weights, _sleeves(standing), at=now, last_at=last.moved_at
    )
    seen = tuple(sorted(trip.id for trip in recent))
    moved_at = now if plan.is_due else last.moved_at
    return Proposal(
        version=portfolio.desk.head.version,
        decision=decision,
        plan=plan,
        strategies=tuple(standing),
        kept=Kept(decision.after, seen, moved_at, since),
    )


def apply(portfolio: Portfolio, proposal: Proposal) -> None:
    """Write a decision, the state after it, and the transfers if they are due: all, or nothing.

    Raises:
        StaleVersion: the portfolio was changed since, or decided about; propose again.
    """
    desk, decision = portfolio.writer, proposal.decision
    at = decision.cause.at
    desk.catch_up()
    _require_current(portfolio, proposal)
    memos = keeping(proposal.kept) | {
        f"{_DECISION}{at:020}": _ENCODER.encode(decision).decode(),
    }
    moves = proposal.plan.moves if proposal.plan.is_due else ()
    posted = transfers(
        portfolio,
        [(move.from_strategy, move.to_strategy, move.amount) for move in moves],
        name=f"allocation:{decision.allocation.id}",
        at=at,
    )
    post(portfolio, posted, memos, lambda: _require_current(portfolio, proposal))
    weights = {line.strategy: str(line.weight) for line in decision.allocation.lines}
    LOG.info("PORTFOLIO_ALLOCATION", id=decision.allocation.id, weights=weights)


def post(
    portfolio: Portfolio,
    moves: Sequence[SleeveTransfer],
    memos: Mapping[str, str | None],
    require: Callable[[], None],
) -> None:
    """Write moves of capital and what is kept with them, if `require` still lets it.

    Others may write until the store is ours, and memos alone make no new version; so it is asked
    once the store is.
    """
    desk = portfolio.writer
    with desk.alone() if moves else desk.store.grouped():
        require()
        if moves:
            desk.commit(desk.stage(moves), Beside(memos=memos))
        else:
            desk.store.save_memos(memos)


def require_version(portfolio: Portfolio, seen: int, again: str) -> None:
    """Refuse what was worked out at another version of the portfolio."""
    now = portfolio.desk.store.head().version
    if now != seen:
        raise StaleVersion(
            f"worked out at version {seen}, the portfolio is at {now}; {again}",
            expected=seen,
            actual=now,
        )


def decisions(portfolio: Portfolio) -> list[Decision]:
    """Return every decision that was applied, oldest first."""
    return [_DECISIONS.decode(text) for text in portfolio.desk.store.memos(_DECISION).values()]


def decision(portfolio: Portfolio) -> Decision | None:
    """Return the last decision that was applied, made again to see that it is what was stored.

    Raises:
        Doubtful: it is not what its inputs give.
    """
    stored = portfolio.desk.store.memos(_DECISION)
    if not stored:
        return None
    text = stored[max(stored)]
    found = _DECISIONS.decode(text)
    if _ENCODER.encode(made_again(found)).decode() != text:
        raise Doubtful("the last decision is not what its inputs give: another version made it")
    return found


def shadow(portfolio: Portfolio, prices: Prices = None) -> Shadow:
    """Compare what the decided weights made with what equal ones would have made."""
    made = decisions(portfolio)
    returns = {
        each.strategy: dict(zip(each.returns.days, each.returns.returns, strict=True))
        for each in strategies(portfolio, prices)
    }
    history, standing = [], iter(made)
    upcoming, current = next(standing, None), None
    today = portfolio.desk.clock.now() // DAY
    first = today if upcoming is None else upcoming.cause.at // DAY + 1
    for day in range(first, today + 1):
        while upcoming is not None and upcoming.cause.at < day * DAY:
            current, upcoming = upcoming, next(standing, None)
        if current is not None:
            weights = {line.strategy: line.weight for line in current.allocation.lines}
            that_day = {name: returns[name].get(day, 0.0) for name in weights if name in returns}
            history.append(ShadowDay(day, weights, that_day))
    return compare(history)


def kept(portfolio: Portfolio) -> Kept:
    """Return what is kept between decisions."""
    text = portfolio.desk.store.memo(_KEPT)
    return Kept() if text is None else _STATES.decode(text)


def keeping(state: Kept) -> dict[str, str | None]:
    """Return the memo that keeps it, to be written with what it goes along with."""
    return {_KEPT: _ENCODER.encode(state).decode()}


def fresh_trades(portfolio: Portfolio, rules: Rules) -> tuple[ClosedTrade, ...]:
    """Return the trades of the rolling window that no decision has looked at yet."""
    last = kept(portfolio)
    return _unseen(_recent(portfolio, _since(portfolio, rules, last)), last)


def _unseen(recent: Sequence[Trip], last: Kept) -> tuple[ClosedTrade, ...]:
    seen = set(last.seen)
    return tuple(_closed(trip) for trip in recent if trip.id not in seen)


def _since(portfolio: Portfolio, rules: Rules, last: Kept) -> int:
    """Return where the window begins; one that was shorter once never reaches back."""
    return max(portfolio.desk.clock.now() - rules.allocator.window_days * DAY, last.since)


def _recent(portfolio: Portfolio, since: int) -> list[Trip]:
    every = kept_trips.trips(portfolio).trips
    return [trip for trip in every if trip.closed_at > since and trip.strategy != MANUAL]


def _require_current(portfolio: Portfolio, proposal: Proposal) -> None:
    require_version(portfolio, proposal.version, "propose again")
    if kept(portfolio).state != proposal.decision.before:
        raise StaleVersion(
            "an entry was registered, or another decision applied, since this was proposed;"
            " propose again"
        )


def _unpriced(standing: Sequence[StrategyNow]) -> str | None:
    for each in standing:
        if each.strategy != MANUAL and each.valuation.unvalued:
            assets = ", ".join(missing.asset for missing in each.valuation.unvalued)
            return f"{each.strategy} holds what has no price: {assets}"
    return None


def _figures(found: StrategyNow | None, rules: Rules, now: int, current: str) -> Figures:
    if found is None:
        return Figures()
    since = now - rules.allocator.window_days * DAY
    lately = now - rules.allocator.recent_days * DAY
    window = [trip for trip in found.trips if trip.closed_at > since]
    returns = found.returns.since(since // DAY)
    return Figures(
        results=tally(trip.pnl for trip in window),
        recent=tally(trip.pnl for trip in window if trip.closed_at > lately),
        in_regime=tally(trip.pnl for trip in window if (trip.regime or NORMAL) == current),
        drawdown=found.returns.drawdown,
        sharpe=returns.sharpe(WINDOWED).value,
        volatility=returns.volatility(WINDOWED).value,
        kelly=from_trades(statistics(window)).full.value,
    )


def _closed(trip: Trip) -> ClosedTrade:
    return ClosedTrade(
        id=trip.id,
        strategy=trip.strategy,
        at=trip.closed_at,
        pnl=trip.pnl,
        regime=trip.regime or NORMAL,
    )


def _sleeves(standing: Sequence[StrategyNow]) -> Mapping[str, Sleeve]:
    """What each strategy holds and could give; of `manual` only base currency counts."""
    return {
        each.strategy: Sleeve(each.cash, each.cash)
        if each.strategy == MANUAL
        else Sleeve(each.equity, max(each.cash, ZERO))
        for each in standing
    }


@money
def transfers(
    portfolio: Portfolio, moves: Iterable[tuple[str, str, Decimal]], *, name: str, at: int
) -> list[SleeveTransfer]:
    """Return moves of capital (from, to, amount) as facts, in the accounts where the money lies."""
    sleeves, base = books(portfolio), portfolio.terms.base
    purses = {
        strategy: {
            account: holding.quantity
            for (account, asset), holding in sorted(sleeves.of(strategy).holdings.items())
            if asset == base and holding.quantity > 0
        }
        for strategy in sleeves.strategies()
    }
    found: list[SleeveTransfer] = []
    for source, target, amount in moves:
        left, purse = amount, purses[source]
        for account, there in purse.items():
            part = min(left, there)
            if part > 0:
                found.append(
                    SleeveTransfer(
                        id=f"{account}:{name}:{len(found) + 1}",
                        executed_at=at,
                        account=account,
                        note=name,
                        from_strategy=source,
                        to_strategy=target,
                        amount=part,
                    )
                )
                purse[account] -= part
                left -= part
    return found
