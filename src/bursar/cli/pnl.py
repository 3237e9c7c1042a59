"""`bursar pnl`: PnL by heading, under one cost rule or several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from bursar.cli.screen import Cell, Screen
    from bursar.portfolio import MethodPnL, Portfolio
    from bursar.portfolio.months import MonthLine, MonthlyPnL
    from bursar.value.pnl import PnL, PnLLine
    from bursar.value.worth import Gap

Heading = Literal["pair", "asset", "strategy", "regime", "account", "month"]


def pnl(
    *,
    by: Heading = "pair",
    method: str | None = None,
    manual: Annotated[bool | None, Parameter(negative="--no-manual")] = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show PnL by pair, asset, strategy, regime, account or month.

    Realised PnL has the fees of its trades taken off; they are shown again beside it.

    Args:
        by: The heading to read it under.
        method: Cost rules to compare, such as wac,fifo,hifo; by default the portfolio's own.
        manual: Whether trades that no strategy made are in it; by default as the setting
            track_manual_trades says.

    """
    with_manual = session.settings.portfolio.track_manual_trades if manual is None else manual
    methods = [] if method is None else [each.strip() for each in method.split(",")]
    with session.open() as portfolio:
        if by == "month":
            _by_month(session, portfolio, methods, with_manual=with_manual)
        else:
            _by_heading(session, portfolio, by, methods, with_manual=with_manual)
    if not with_manual and not session.wants_json:
        session.screen.print(
            "", "· Trades that no strategy made are left out; --manual counts them."
        )
    return 0


def _by_heading(
    session: Session, portfolio: Portfolio, by: str, methods: Sequence[str], *, with_manual: bool
) -> None:
    answers = portfolio.pnl(
        by, methods=methods, prices=session.marks(portfolio), include_manual=with_manual
    )
    base = portfolio.terms.base
    if session.wants_json:
        found = [told(each) for each in answers]
        session.tell({"base": base, "by": by, "includes_manual": with_manual, "methods": found})
    else:
        show(session.screen, answers, base)


def told(answer: MethodPnL) -> dict[str, object]:
    """Return the PnL of one rule as JSON has it; what is not known is null."""
    found = answer.pnl
    return {
        "method": answer.method,
        "lines": {
            key: {**_line(line, found.unrealized(key)), "flags": _flags(found, key)}
            for key, line in found.lines.items()
        },
        "total": _line(found.total, found.total.unrealized),
        "excluded": _line(found.excluded, found.excluded.unrealized),
        "is_complete": not (found.unvalued or found.unfounded or found.gaps),
        "unvalued": [{"asset": each.asset, "reason": str(each)} for each in found.unvalued],
        "unfounded": found.unfounded,
        "gaps": found.gaps,
    }


def _flags(found: PnL, key: str) -> list[str]:
    """Return the flags of a line of an asset or a pair; other lines are of no asset.

    What belongs to no pair, income say, may be of any asset.
    """
    from bursar.cli.coverage import is_of, touches, unpriced
    from bursar.value.coverage import UNPRICED
    from bursar.value.pnl import NONE, By

    names = unpriced(found.gaps)
    if found.by is By.PAIR:
        is_open = bool(names) if key == NONE else touches(key, names)
    else:
        is_open = found.by is By.ASSET and is_of("" if key == NONE else key, names)
    return [UNPRICED] if is_open else []


def _named(found: PnL, key: str) -> str:
    from bursar.cli.coverage import marked

    return marked(key, is_marked=bool(_flags(found, key)))


def _total(gaps: Sequence[Gap]) -> str:
    from bursar.cli.coverage import marked, unpriced

    return marked("total", is_marked=bool(unpriced(gaps)))


def _line(line: PnLLine, unrealized: Decimal | None) -> dict[str, object]:
    return {
        "realized": line.realized,
        "unrealized": unrealized,
        "total": None if unrealized is None else line.total,
        "fees": line.fees,
        "income": line.income,
        "expenses": line.expenses,
        "trades": line.trades,
    }


def show(screen: Screen, answers: Sequence[MethodPnL], base: str) -> None:
    """Show the PnL of one rule in full, or of several side by side."""
    from bursar.cli.coverage import show_gaps

    by = answers[0].pnl.by.value
    screen.title(f"PnL by {by}", f"{base} · {' · '.join(each.method for each in answers)}")
    if len(answers) == 1:
        _show_one(screen, answers[0].pnl)
    else:
        _show_several(screen, answers)
    missing = [str(each) for each in answers[0].pnl.unvalued]
    missing += [f"{each}: no known cost" for each in answers[0].pnl.unfounded]
    if missing:
        screen.print("", *(f"! unknown     {each}: in no unrealised PnL" for each in missing))
    show_gaps(screen, answers[0].pnl.gaps)


def _show_one(screen: Screen, found: PnL) -> None:
    from bursar.cli.screen import figure, name

    columns = (
        name(found.by.value),
        figure("realised"),
        figure("unrealised"),
        figure("total"),
        figure("fees", rank=1),
        figure("income", rank=2),
        figure("expenses", rank=3),
        figure("trades", rank=4),
    )
    rows = [
        (_named(found, key), *_cells(screen, line, found.unrealized(key)))
        for key, line in found.lines.items()
        if _says(found, key)
    ]
    total = (_total(found.gaps), *_cells(screen, found.total, found.total.unrealized))
    screen.table(columns, rows, total=total)


def _says(found: PnL, key: str) -> bool:
    """Tell whether a line says anything: base currency, for one, has no PnL."""
    line = found.lines[key]
    figures = (line.realized, line.fees, line.income, line.expenses, line.trades)
    return found.unrealized(key) is None or any(figures) or bool(line.unrealized)


def _differs(found: PnL, key: str) -> bool:
    """Tell whether a line has PnL of either kind, or may have."""
    line = found.lines.get(key)
    if line is None:
        return False
    return found.unrealized(key) is None or bool(line.realized or line.unrealized)


def _cells(screen: Screen, line: PnLLine, unrealized: Decimal | None) -> list[Cell]:
    figures = screen.figures
    return [
        figures.gain(line.realized),
        figures.gain(unrealized),
        figures.gain(None if unrealized is None else line.total),
        figures.money(line.fees),
        figures.money(line.income),
        figures.money(line.expenses),
        f"{line.trades:,}",
    ]


def _show_several(screen: Screen, answers: Sequence[MethodPnL]) -> None:
    from bursar.cli.screen import figure, name
    from bursar.value.pnl import PnLLine

    columns = [name(answers[0].pnl.by.value)]
    for rank, title in ((0, "realised"), (0, "unrealised"), (1, "total")):
        columns += [figure(f"{title}\n{each.method}", rank=rank) for each in answers]
    keys = dict.fromkeys(key for each in answers for key in each.pnl.lines)
    rows = [
        [
            _named(answers[0].pnl, key),
            *_beside(
                screen,
                [(a.pnl.lines.get(key, PnLLine()), a.pnl.unrealized(key)) for a in answers],
            ),
        ]
        for key in keys
        if any(_differs(a.pnl, key) for a in answers)
    ]
    beside = [(each.pnl.total, each.pnl.total.unrealized) for each in answers]
    total = [_total(answers[0].pnl.gaps), *_beside(screen, beside)]
    screen.table(columns, rows, total=total)


def _beside(screen: Screen, lines: Sequence[tuple[PnLLine, Decimal | None]]) -> list[Cell]:
    figures = screen.figures
    both = [None if unrealized is None else line.total for line, unrealized in lines]
    return [
        *(figures.gain(line.realized) for line, _ in lines),
        *(figures.gain(unrealized) for _, unrealized in lines),
        *(figures.gain(each) for each in both),
    ]


def _by_month(
    session: Session, portfolio: Portfolio, methods: Sequence[str], *, with_manual: bool
) -> None:
    answers = portfolio.pnl_by_month(methods=methods, include_manual=with_manual)
    base = portfolio.terms.base
    if session.wants_json:
        found = [{**_fields(each), "gaps": _gaps(each)} for each in answers]
        session.tell(
            {"base": base, "by": "month", "includes_manual": with_manual, "methods": found}
        )
    else:
        _show_months(session.screen, answers, base)


def _fields(answer: MonthlyPnL) -> dict[str, object]:
    return {name: getattr(answer, name) for name in answer.__struct_fields__}


def _gaps(answer: MonthlyPnL) -> list[Gap]:
    from bursar.value.worth import Gap

    return [Gap(*each) for each in answer.gaps]


def _show_months(screen: Screen, answers: Sequence[MonthlyPnL], base: str) -> None:
    from bursar.cli.coverage import show_gaps
    from bursar.cli.screen import figure, name

    columns = [name("month"), *(figure(f"realised\n{each.method}") for each in answers)]
    columns += [figure("fees"), figure("income"), figure("expenses", rank=2)]
    columns += [figure("contributed", rank=1), figure("trades", rank=3)]
    rows = [
        [lines[0].month, *_month(screen, lines)]
        for lines in zip(*(answer.lines for answer in answers), strict=True)
    ]
    gaps = _gaps(answers[0])
    total: list[Cell] = [_total(gaps), *_month(screen, [each.total for each in answers])]
    screen.title("PnL by month", f"{base} · {' · '.join(e.method for e in answers)}")
    screen.table(columns, rows, total=total)
    show_gaps(screen, gaps)


def _month(screen: Screen, lines: Sequence[MonthLine]) -> list[Cell]:
    """Return one month's figures: realised under each rule, and what no rule changes."""
    figures, line = screen.figures, lines[0]
    return [
        *(figures.gain(each.realized) for each in lines),
        figures.money(line.fees),
        figures.money(line.income),
        figures.money(line.expenses),
        figures.money(line.contributed),
        f"{line.trades:,}",
    ]
