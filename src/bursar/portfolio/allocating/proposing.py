"""A look at all strategies becomes a proposal, and a proposal that is accepted is written.

Capital to divide is the equity of all strategies and the money that no strategy has (`manual`, the
reserve): base currency and its pegs. Coins traded by hand are not divided, nor is profit that was
set aside in the reserve, as far as it is still there.

Figures that feed weights are refused while a venue's statement is out of tolerance, and where a
strategy holds what has no price; with `is_doubt_allowed` they are used, and the decision is marked.

A regime that is told with the question is told with the decision: both are written, or neither.

Errors: `Doubtful` as said; `BadChoice` where there is no strategy, or none to revive;
`StaleVersion` when another writer came between proposal and apply.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.capital.deciding import Cause, Decision, Figures, Rules, decide
from bursar.capital.rebalancer import MovePlan, PortfolioRebalancer, RebalancerSettings, Sleeve
from bursar.capital.regimes import Spells, Telling, named, told
from bursar.capital.trades import tally
from bursar.errors import BadChoice, Doubtful, StaleVersion
from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.entries import MANUAL
from bursar.measure.kelly import from_trades
from bursar.measure.ratios import Conventions
from bursar.measure.trades import statistics
from bursar.portfolio import agreement, regimes
from bursar.portfolio.allocating import decided
from bursar.portfolio.allocating.decided import Kept, kept
from bursar.portfolio.allocating.moving import Memos, post, require_version, transfers
from bursar.portfolio.allocating.standing import StrategyNow, strategies
from bursar.portfolio.allocating.window import lately, name_of, regime_of
from bursar.portfolio.log import LOG
from bursar.portfolio.portfolio import Portfolio, Prices
from bursar.portfolio.set_aside import set_aside
from bursar.reconcile import Limits, usual

WINDOWED: Final = Conventions(least=10)
"""A window of thirty days has no thirty returns where a strategy held nothing for some of them."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision is asked with: when capital moves, whom a person revives.

    `regime` is told with the decision. Beyond `limits` (by default the usual ones of the base
    currency) a venue does not agree, and figures are in doubt; `doubt` says what else is wrong with
    the books.
    """

    moving: RebalancerSettings = RebalancerSettings()
    regime: str | None = None
    revived: tuple[str, ...] = ()
    limits: Limits | None = None
    doubt: str | None = None
    is_doubt_allowed: bool = False


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that nobody has accepted yet, and the transfers that would make it true.

    `telling` is the regime that was told with the question, `set_aside` the profit in the reserve
    that is not divided.
    """

    version: int
    decision: Decision
    plan: MovePlan
    strategies: tuple[StrategyNow, ...]
    kept: Kept
    telling: Telling | None = None
    set_aside: Decimal = ZERO


class _Now(msgspec.Struct, frozen=True):
    """When the look is, in which regime, and which regimes stood before."""

    at: int
    regime: str
    spells: Spells


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
        BadChoice: there is no strategy to divide among, or none of a name to revive.
    """
    rules = rules or Rules()
    standing = strategies(portfolio, prices)
    marked = _marked(portfolio, asked, standing)
    telling = _telling(portfolio, asked)
    now, last, window = _now(portfolio, telling), kept(portfolio), lately(portfolio, rules)
    cause = Cause(
        at=now.at,
        regime=now.regime,
        figures=_figures_of(standing, rules, now),
        trades=window.fresh,
        revived=asked.revived,
        marked=marked,
    )
    decision = decide(last.state, cause, rules)
    _require_known(asked.revived, decision)
    aside = ZERO if asked.moving.divides_profit else _aside(portfolio, standing)
    plan = PortfolioRebalancer(asked.moving).plan(
        {line.strategy: line.weight for line in decision.allocation.lines},
        _sleeves(standing, aside),
        at=now.at,
        last_at=last.moved_at,
        base=portfolio.terms.base,
    )
    seen = tuple(sorted(map(name_of, window.trips)))
    moved_at = now.at if plan.is_due else last.moved_at
    return Proposal(
        version=portfolio.desk.head.version,
        decision=decision,
        plan=plan,
        strategies=tuple(standing),
        kept=Kept(decision.after, seen, moved_at, window.since),
        telling=telling,
        set_aside=aside,
    )


def apply(portfolio: Portfolio, proposal: Proposal) -> None:
    """Write a decision, the state after it, and the transfers if they are due: all, or nothing.

    Raises:
        StaleVersion: the portfolio or the regime was changed since, or decided about; propose
            again.
    """
    desk, allocation = portfolio.writer, proposal.decision.allocation
    desk.catch_up()
    _require_current(portfolio, proposal)
    moves = proposal.plan.moves if proposal.plan.is_due else ()
    posted = transfers(
        portfolio,
        [(move.from_strategy, move.to_strategy, move.amount) for move in moves],
        name=f"allocation:{allocation.id}",
        at=allocation.at,
    )
    post(portfolio, posted, lambda: _memos(portfolio, proposal))
    weights = {line.strategy: str(line.weight) for line in allocation.lines}
    LOG.info("PORTFOLIO_ALLOCATION", id=allocation.id, weights=weights)


def _memos(portfolio: Portfolio, proposal: Proposal) -> Memos:
    """Return what is written beside the transfers, if it still holds."""
    _require_current(portfolio, proposal)
    memos = decided.storing(portfolio, proposal.decision, proposal.kept)
    if proposal.telling is not None:
        memos |= regimes.keeping(portfolio.desk.store.memo(regimes.MEMO), proposal.telling)
    return memos


def _require_current(portfolio: Portfolio, proposal: Proposal) -> None:
    require_version(portfolio, proposal.version, "propose again")
    if kept(portfolio).state != proposal.decision.before:
        raise StaleVersion(
            "an entry was registered, or another decision applied, since this was proposed;"
            " propose again"
        )
    now, seen = regimes.regime(portfolio), proposal.decision.cause.regime
    if proposal.telling is None and now != seen:
        raise StaleVersion(f"decided in {seen}, the regime is {now} by now; propose again")


def _require_known(revived: Sequence[str], decision: Decision) -> None:
    """Refuse to revive what nothing is decided about: passed over, a wrong name would look done."""
    known = [line.strategy for line in decision.allocation.lines]
    for name in revived:
        if name not in known:
            there = ", ".join(known) or "none"
            raise BadChoice(f"no strategy {name!r} to revive; there is {there}", value=name)


def _marked(portfolio: Portfolio, asked: Asked, standing: Sequence[StrategyNow]) -> str | None:
    """Return what is doubtful about the figures, where that is allowed."""
    doubt = asked.doubt or _drifting(portfolio, asked.limits) or _unpriced(standing)
    if doubt is not None and not asked.is_doubt_allowed:
        raise Doubtful(f"no capital is divided while figures are in doubt: {doubt}")
    return doubt


def _drifting(portfolio: Portfolio, limits: Limits | None) -> str | None:
    limits = limits or usual(portfolio.terms.base)
    for account in agreement.stated(portfolio):
        if agreement.compared(portfolio, account, limits).drift:
            return f"{account} does not agree with its venue; `bursar drift` says where"
    return None


def _unpriced(standing: Sequence[StrategyNow]) -> str | None:
    for each in standing:
        if each.strategy != MANUAL and each.valuation.lacking:
            assets = ", ".join(each.valuation.lacking)
            return f"{each.strategy} holds what has no price: {assets}"
    return None


def _telling(portfolio: Portfolio, asked: Asked) -> Telling | None:
    if asked.regime is None:
        return None
    return Telling(name=asked.regime, at=portfolio.desk.clock.now(), by=regimes.PERSON)


def _now(portfolio: Portfolio, telling: Telling | None) -> _Now:
    at, spells = portfolio.desk.clock.now(), regimes.spells(portfolio.desk.store)
    if telling is not None:
        spells = told(spells, telling)
    return _Now(at, named(spells, at), spells)


def _figures_of(standing: Sequence[StrategyNow], rules: Rules, now: _Now) -> dict[str, Figures]:
    """Return how every strategy did that trades or settings name."""
    known = {each.strategy: each for each in standing if each.strategy != MANUAL}
    names = sorted({*known, *rules.strategies} - {MANUAL})
    if not names:
        raise BadChoice("there is no strategy yet: trades name one, or the settings do")
    return {name: _figures(known.get(name), rules, now) for name in names}


def _figures(found: StrategyNow | None, rules: Rules, now: _Now) -> Figures:
    if found is None:
        return Figures()
    since = now.at - rules.allocator.window_days * instant.DAY
    lately_ = now.at - rules.allocator.recent_days * instant.DAY
    window = [trip for trip in found.trips if trip.closed_at > since]
    here = [trip for trip in window if regime_of(trip, now.spells) == now.regime]
    returns = found.returns.since(since // instant.DAY)
    return Figures(
        results=tally(trip.pnl for trip in window),
        recent=tally(trip.pnl for trip in window if trip.closed_at > lately_),
        in_regime=tally(trip.pnl for trip in here),
        drawdown=found.returns.drawdown,
        sharpe=returns.sharpe(WINDOWED).value,
        volatility=returns.volatility(WINDOWED).value,
        kelly=from_trades(statistics(window)).full.value,
    )


@money
def _aside(portfolio: Portfolio, standing: Sequence[StrategyNow]) -> Decimal:
    """Return what of the reserve is profit that was set aside: no more than there is."""
    reserve = sum((each.cash for each in standing if each.strategy == MANUAL), ZERO)
    return min(set_aside(portfolio), max(reserve, ZERO))


@money
def _sleeves(standing: Sequence[StrategyNow], aside: Decimal) -> Mapping[str, Sleeve]:
    """What each strategy holds and could give; of `manual` only money that was not set aside."""
    return {
        each.strategy: Sleeve(each.cash - aside, each.cash - aside)
        if each.strategy == MANUAL
        else Sleeve(each.equity, max(each.cash, ZERO))
        for each in standing
    }
