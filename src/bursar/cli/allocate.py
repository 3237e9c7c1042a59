"""`bursar allocate` and `bursar strategies`: who gets how much of the capital, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from bursar.cli.answers import dated
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from decimal import Decimal

    from bursar.capital.allocator import Line
    from bursar.capital.deciding import Decision
    from bursar.cli.screen import Screen
    from bursar.measure.measured import Measured
    from bursar.portfolio.allocating import Asked, Proposal, StrategyNow

ONLY_SHOWN = 5


def allocate(
    *,
    apply: bool = False,
    regime: str | None = None,
    revive: tuple[str, ...] = (),
    session: Annotated[Session, HIDDEN],
) -> int:
    """Divide capital among strategies by how they did. Shows; `--apply` writes it.

    Exit code 5 says that it was only shown.

    Args:
        apply: Write the decision, and the transfers between sleeves if they are due.
        regime: The market's regime from now on, such as BULL.
        revive: Set a terminated strategy to work again. Repeatable.

    """
    from bursar.portfolio import allocating

    session.require_present()
    with session.open() as portfolio:
        proposal = allocating.propose(
            portfolio,
            session.settings.capital.rules,
            asked=_asked(session, portfolio.terms.base, regime, revive),
            prices=session.marks(portfolio),
        )
        if apply:
            allocating.apply(portfolio, proposal)
    if session.wants_json:
        session.tell(_told(proposal, is_applied=apply))
    else:
        _show(session.screen, proposal, is_applied=apply)
    return 0 if apply else ONLY_SHOWN


def why(strategy: str, *, session: Annotated[Session, HIDDEN]) -> int:
    """Say why a strategy has the weight that the last decision gave it.

    Args:
        strategy: Its name, as trades tell it.

    """
    from bursar.errors import FigureNotFound
    from bursar.portfolio import allocating

    with session.open() as portfolio:
        decision = allocating.decision(portfolio)
    if decision is None:
        raise FigureNotFound("nothing was decided; `bursar allocate --apply` makes the first")
    lines = {each.strategy: each for each in decision.allocation.lines}
    if strategy not in lines:
        known = ", ".join(sorted(lines)) or "none"
        raise FigureNotFound(f"the last decision gave {strategy} no weight; there is {known}")
    if session.wants_json:
        figures = decision.cause.figures[strategy]
        session.tell({"id": decision.allocation.id, "line": lines[strategy], "figures": figures})
    else:
        _explain(session.screen, decision, lines[strategy])
    return 0


def begin(*, session: Annotated[Session, HIDDEN]) -> int:
    """Put the initial capital (`capital: initial:`, INITIAL_CAPITAL) into an empty portfolio, once.

    Where a venue is followed it says what is held, and nothing is put in.
    """
    from bursar.app.events import believed_of
    from bursar.errors import BadChoice
    from bursar.portfolio import beginning

    session.require_present()
    settings = session.settings
    if settings.venues:
        followed = ", ".join(each.account for each in settings.venues)
        raise BadChoice(f"{followed} says what is held: no capital is put in beside it")
    amount = settings.capital.initial
    with session.open() as portfolio:
        account = believed_of(settings.portfolio).account
        receipt = beginning.begin(portfolio, amount, account=account)
        equity = portfolio.equity(session.marks(portfolio))
    if session.wants_json:
        session.tell({"is_begun": receipt is not None, "equity": equity.value})
    elif receipt is None:
        session.screen.print("Nothing was put in: something is recorded already.")
    else:
        session.screen.print(f"Put {amount:f} in; equity is {equity}.")
    return 0


def shadow(*, session: Annotated[Session, HIDDEN]) -> int:
    """Compare what the decided weights made with what equal ones would have made."""
    from bursar.portfolio import allocating

    with session.open() as portfolio:
        found = allocating.shadow(portfolio, session.marks(portfolio))
    if session.wants_json:
        session.tell(found)
        return 0
    screen = session.screen
    screen.title(found.verdict, f"{found.days} days")
    if not found.days:
        screen.print(
            "", "`bursar allocate --apply` makes a decision; its first day begins with it."
        )
        return 0
    screen.list(
        [
            ("decided weights", _measured(found.adaptive_pct)),
            ("equal weights", _measured(found.equal_pct)),
            ("difference a day", _measured(found.mean_pct)),
            ("95 of 100", f"{_measured(found.low_pct)} to {_measured(found.high_pct)}"),
        ]
    )
    return 0


def strategies(*, session: Annotated[Session, HIDDEN]) -> int:
    """Show every strategy's own book: capital, what it made, its state. `manual` is the rest."""
    from bursar.portfolio import allocating

    with session.open() as portfolio:
        decision = allocating.decision(portfolio)
        found = allocating.strategies(portfolio, session.marks(portfolio), _weights(decision))
    if session.wants_json:
        session.tell({"strategies": [_standing(each, decision) for each in found]})
    elif found:
        _table(session.screen, found, decision)
    else:
        session.screen.print("No strategy yet: nothing was recorded.")
    return 0


def app(group: Group) -> App:
    """Return `allocate` with its commands; alone it shows."""
    made = App(
        name="allocate",
        help=allocate.__doc__,
        group=group,
        sort_key=8,
        group_commands="Commands",
        default_parameter=Parameter(negative="", show_default=False),
    )
    made.default(allocate)
    made.command(why, name="why")
    made.command(shadow, name="shadow")
    made.command(begin, name="begin")
    return made


def _asked(session: Session, base: str, regime: str | None, revive: tuple[str, ...]) -> Asked:
    from bursar.app.limits import limits_of
    from bursar.portfolio.allocating import Asked

    capital = session.settings.capital
    return Asked(
        moving=capital.moving,
        regime=regime,
        revived=revive,
        limits=limits_of(session.settings.portfolio, base),
        is_doubt_allowed=capital.on_doubt == "mark",
    )


def _show(screen: Screen, proposal: Proposal, *, is_applied: bool) -> None:
    from bursar.cli.screen import figure, name

    allocation = proposal.decision.allocation
    screen.title("Allocation", f"{allocation.regime}, {allocation.id[:12]}")
    screen.table(
        (
            *(name("strategy"), figure("weight"), figure("was", rank=1), figure("wish", rank=3)),
            *(figure("method", rank=2), figure("regime", rank=2), figure("memory", rank=2)),
            *(figure("pressure", rank=2), figure("share", rank=2), name("why", rank=1)),
        ),
        [
            (
                *(line.strategy, _pct(line.weight), _pct(line.previous), _pct(line.wish)),
                *(_times(line.method), _times(line.regime), _times(line.memory)),
                *(_times(line.pressure), _times(line.share), line.reason),
            )
            for line in allocation.lines
        ],
        total=("reserve", _pct(allocation.reserve), *[""] * 8),
    )
    if proposal.decision.cause.marked:
        screen.print("", f"In doubt: {proposal.decision.cause.marked}.")
    _moves(screen, proposal, is_applied=is_applied)


def _moves(screen: Screen, proposal: Proposal, *, is_applied: bool) -> None:
    from bursar.cli.screen import figure, name

    plan, figures = proposal.plan, screen.figures
    screen.print("")
    if not plan.is_due:
        screen.print(f"No capital is moved: {plan.reason}.")
    else:
        screen.title("Moved" if is_applied else "To move", plan.reason)
        screen.table(
            (name("from"), name("to"), figure("amount")),
            [
                (each.from_strategy, each.to_strategy, figures.money(each.amount))
                for each in plan.moves
            ],
        )
    for name_, amount in sorted(plan.bound.items()):
        screen.print(f"{name_} keeps {figures.money(amount)} that its positions bind.")
    if proposal.set_aside:
        aside = figures.money(proposal.set_aside).plain
        screen.print(f"{aside} of profit is set aside in the reserve and is not divided.")
    if not is_applied:
        screen.print("", "Nothing was written; `bursar allocate --apply` writes it.")


def _explain(screen: Screen, decision: Decision, line: Line) -> None:
    from bursar.capital.candidates import Method
    from bursar.capital.deciding import FORMAT

    won = decision.cause.figures[line.strategy].results
    profit, loss = (screen.figures.money(each).plain for each in (won.profit, won.loss))
    is_bet = decision.rules.allocator.method is Method.KELLY
    screen.title(f"{line.strategy}: {_pct(line.weight)}", line.reason)
    screen.print("")
    screen.list(
        [
            ("results", f"{won.trades} trades, won {profit}, lost {loss} in the window"),
            ("method", _times(line.method)),
            ("regime", f"{_times(line.regime)}  in {decision.allocation.regime}"),
            ("memory", _times(line.memory)),
            ("pressure", _times(line.pressure)),
            ("state", _times(line.share)),
            ("wish", f"{_pct(line.wish)} = {'' if is_bet else 'an equal part × '}all of these"),
            (
                "bounds",
                f"{_pct(line.least)} to {_pct(line.most)}; the day began at {_pct(line.opening)}",
            ),
            ("weight", f"{_pct(line.weight)}, before it {_pct(line.previous)}"),
            ("decision", decision.allocation.id),
        ]
    )
    if decision.format != FORMAT:
        screen.print("", "It stands as it was made; the rules of now would not make it again.")


def _table(screen: Screen, found: list[StrategyNow], decision: Decision | None) -> None:
    from bursar.cli.screen import figure, name

    figures = screen.figures
    weights = _weights(decision)
    screen.table(
        (
            *(name("strategy"), name("state", rank=1), figure("weight", rank=1)),
            *(figure("equity"), figure("capital", rank=1), figure("made"), figure("unrealised")),
            *(figure("trades", rank=2), figure("drawdown", rank=2)),
        ),
        [
            (
                *(each.strategy, *_shown(weights.get(each.strategy))),
                *(figures.money(each.equity), figures.money(each.contributed)),
                *(figures.gain(each.made), figures.gain(each.unrealized)),
                *(str(len(each.trips)), _pct(each.returns.drawdown)),
            )
            for each in found
        ],
    )


def _shown(standing: tuple[str, Decimal] | None) -> tuple[str, str]:
    return ("", "") if standing is None else (standing[0], _pct(standing[1]))


def _weights(decision: Decision | None) -> dict[str, tuple[str, Decimal]]:
    if decision is None:
        return {}
    minds = decision.after.minds
    return {
        line.strategy: (minds[line.strategy].standing.state.value, line.weight)
        for line in decision.allocation.lines
    }


def _told(proposal: Proposal, *, is_applied: bool) -> dict[str, object]:
    decision = proposal.decision
    return {
        "is_applied": is_applied,
        "allocation": dated(decision.allocation),
        "marked": decision.cause.marked,
        "plan": proposal.plan,
        "states": {
            line.strategy: decision.after.minds[line.strategy].standing.state
            for line in decision.allocation.lines
        },
        "set_aside": proposal.set_aside,
    }


def _standing(each: StrategyNow, decision: Decision | None) -> dict[str, object]:
    state, weight = _weights(decision).get(each.strategy, (None, None))
    return {
        "strategy": each.strategy,
        "state": state,
        "weight": weight,
        "equity": each.equity,
        "contributed": each.contributed,
        "made": each.made,
        "unrealized": each.unrealized,
        "cash": each.cash,
        "trades": len(each.trips),
        "drawdown": each.returns.drawdown,
    }


def _measured(figure: Measured) -> str:
    from bursar.exact import show

    if figure.value is None:
        return str(figure.reason)
    return f"{show(figure.value, places=3)} %"


def _pct(value: Decimal) -> str:
    from bursar.exact import show

    return f"{show(value * 100, places=2)} %"


def _times(value: Decimal) -> str:
    from bursar.exact import show

    return f"×{show(value, places=3)}"
