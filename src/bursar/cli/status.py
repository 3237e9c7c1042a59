"""`bursar status`: what there is, what it cost, what it is worth, and what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.cli.figures import Figures
    from bursar.cli.screen import Cell, Screen
    from bursar.portfolio import Equity, Portfolio
    from bursar.reconcile import Comparison
    from bursar.value.worth import AssetWorth, MarginWorth

_JUSTIFIED: Final[tuple[Literal["left", "right"], ...]] = ("left", "right", "left", "left", "right")


def status(*, by_account: bool = False, session: Annotated[Session, HIDDEN]) -> int:
    """Show equity, PnL and holdings, and name what is not known.

    What has no mark is named and in no total; --price XBT=65000 or --prices FILE gives it one.

    Args:
        by_account: Add what each account holds.

    """
    with session.open() as portfolio:
        equity = portfolio.equity(session.marks(portfolio))
        if session.wants_json:
            found = told(portfolio, equity, name=session.portfolio)
            found["venues"] = [_agreement(each) for each in _compared(session, portfolio)]
            found |= _limited(session, portfolio)
            session.tell({**found, "by_account": apart(equity)} if by_account else found)
        else:
            show(session.screen, portfolio, equity, name=session.portfolio)
            _show_agreement(session, portfolio)
            _show_limits(session, portfolio)
            if by_account:
                _show_apart(session.screen, equity)
    return 0


def _compared(session: Session, portfolio: Portfolio) -> list[Comparison]:
    """Compare each account that a venue has told of with what it told."""
    from bursar.portfolio import agreement

    names = [] if session.is_past else agreement.stated(portfolio)
    if not names:
        return []
    from bursar.app.limits import limits_of

    limits = limits_of(session.settings.portfolio, portfolio.terms.base)
    return [agreement.compared(portfolio, name, limits) for name in names]


def _agreement(found: Comparison) -> dict[str, object]:
    from bursar.ledger import instant

    as_of = None if found.as_of is None else instant.show(found.as_of)
    return {
        "account": found.account,
        "as_of": as_of,
        "verdict": found.verdict,
        "drift": found.drift,
        "worth": found.worth,
    }


def _show_agreement(session: Session, portfolio: Portfolio) -> None:
    from bursar.cli.figures import minute

    lines = [
        f"{each.account}: {each.verdict.value} with the venue"
        f"{'' if each.as_of is None else f' as of {minute(each.as_of)} UTC'}"
        f"{'; `bursar drift` says where' if each.drift else ''}"
        for each in _compared(session, portfolio)
    ]
    if lines:
        session.screen.print("", *lines)


def _limited(session: Session, portfolio: Portfolio) -> dict[str, object]:
    """Hold the portfolio against its limits, where the settings name some."""
    from bursar.measure.limits import Freshness
    from bursar.policy import last_good

    policy = portfolio.measuring.policy
    if session.is_past or policy.freshness is Freshness.NONE:
        return {}
    from msgspec.structs import replace

    from bursar.portfolio.risk import breaches

    if policy.freshness is Freshness.MISSING:  # a service's: what `bursar serve` last read of it
        policy = last_good(portfolio.desk.store, policy.source)
        portfolio.measuring = replace(portfolio.measuring, policy=policy)
    found = breaches(portfolio, session.marks(portfolio))
    return {
        "limits": {
            "source": policy.source,
            "freshness": policy.freshness,
            "breaches": [str(each) for each in found],
        }
    }


def _show_limits(session: Session, portfolio: Portfolio) -> None:
    from bursar.measure.limits import Freshness

    for known in _limited(session, portfolio).values():
        assert isinstance(known, dict)
        state, lines = known["freshness"], known["breaches"]
        said = "" if state is Freshness.FRESH else f" ({state.value}, so no all-clear)"
        session.screen.print("", f"limits of {known['source']}{said}: {len(lines)} to look at")
        session.screen.print(*(f"  {line}" for line in lines))


def apart(equity: Equity) -> list[dict[str, object]]:
    """Return what each account holds; cost is `None` where lots are pooled, or not known."""
    rows = [(row, each) for each in equity.valuation.assets for row in each.holdings]
    return [
        {
            "account": row.account,
            "asset": row.asset,
            "quantity": row.quantity,
            "cost": row.cost,
            "value": row.value,
            "unrealized": row.unrealized,
            "flags": each.flags,
        }
        for row, each in sorted(rows, key=lambda found: (found[0].account, found[0].asset))
        if row.quantity or row.cost
    ]


def _show_apart(screen: Screen, equity: Equity) -> None:
    from bursar.cli.figures import NOTHING
    from bursar.cli.screen import figure, name, units

    figures = screen.figures
    rows = sorted(
        ((row, each.is_cash) for each in equity.valuation.assets for row in each.holdings),
        key=lambda found: (found[0].account, found[0].asset),
    )
    screen.print("")
    screen.table(
        (
            *(name("account"), name("asset"), units("quantity"), figure("cost", rank=1)),
            *(figure("value"), figure("unrealised", rank=2)),
        ),
        [
            (
                *(row.account, row.asset, figures.quantity(row.quantity)),
                *(figures.money(row.cost), figures.money(row.value)),
                NOTHING if is_cash else figures.gain(row.unrealized),
            )
            for row, is_cash in rows
            if row.quantity or row.cost
        ],
    )


def told(portfolio: Portfolio, equity: Equity, *, name: str) -> dict[str, object]:
    """Return the status as JSON has it."""
    from bursar.cli.coverage import told as covered
    from bursar.ledger import instant
    from bursar.value.equity import counted, named

    valuation, totals = equity.valuation, equity.totals
    return {
        "portfolio": name,
        "base": equity.base,
        "method": portfolio.terms.method,
        "version": portfolio.desk.head.version,
        "at": instant.show(valuation.at),
        "equity": equity.value,
        "is_complete": valuation.coverage.is_complete,
        "cash": valuation.cash,
        "cash_base": valuation.cash_base,
        "cost": totals.cost,
        "contributed": totals.contributed,
        "realized": totals.realized,
        "unrealized": valuation.unrealized,
        "unfounded": valuation.unfounded,
        "income": totals.income,
        "expenses": totals.expenses,
        "fees": portfolio.fees().total,
        "holdings": [_holding(each, valuation.at) for each in valuation.assets],
        "margins": [_margin(each) for each in valuation.margins],
        "accounts": valuation.accounts,
        "coverage": covered(valuation.coverage),
        "excluded": {
            "value": valuation.excluded_value,
            "unrealized": valuation.excluded_unrealized,
            "assets": [each.asset for each in valuation.excluded],
            "margins": [each.pair for each in valuation.excluded_margins],
            "unvalued": [named(each) for each in valuation.left_out if counted(each) is None],
        },
    }


def _margin(worth: MarginWorth) -> dict[str, object]:
    names = ("account", "pair", "quantity", "notional", "unrealized")
    return {name: getattr(worth, name) for name in names}


def _holding(worth: AssetWorth, now: int) -> dict[str, object]:
    from bursar.ledger import instant

    mark = worth.mark
    return {
        "asset": worth.asset,
        "quantity": worth.quantity,
        "cost": worth.known_cost,
        "mark": None
        if mark is None
        else {
            "pair": mark.pair,
            "price": mark.price,
            "source": mark.source,
            "at": instant.show(mark.at),
            "age_s": mark.age(now) // instant.SECOND,
        },
        "value": worth.value,
        "unrealized": worth.unrealized,
        "share_pct": worth.share_pct,
        "is_cash": worth.is_cash,
        "owed": worth.owed,
        "flags": worth.flags,
        "unknown": None if worth.missing is None else str(worth.missing),
        "accounts": [
            {"account": row.account, "asset": row.asset, "quantity": row.quantity}
            for row in worth.holdings
        ],
    }


def show(screen: Screen, portfolio: Portfolio, equity: Equity, *, name: str) -> None:
    """Show the status."""
    from bursar.cli.coverage import show as show_coverage
    from bursar.cli.figures import minute
    from bursar.value.equity import counted, named

    valuation = equity.valuation
    screen.title(
        name, f"{equity.base} · {portfolio.terms.method.value} · {minute(valuation.at)} UTC"
    )
    screen.print("")
    screen.list(_totals(screen.figures, portfolio, equity), justify=_JUSTIFIED)
    screen.print("")
    if valuation.assets:
        _show_holdings(screen, equity)
    else:
        screen.print("Nothing is held. `bursar import FILE` brings it in.")
    if valuation.margins:
        screen.print("")
        _show_margins(screen, equity)
    if len(valuation.accounts) > 1:
        screen.print("")
        _show_accounts(screen, equity)
    if hidden := valuation.left_out:
        names = ", ".join(map(named, hidden))
        worth = screen.figures.money(valuation.excluded_value).plain
        unpriced = ", ".join(named(each) for each in hidden if counted(each) is None)
        lacking = f", without {unpriced}" if unpriced else ""
        screen.print("", f"Left out of this view: {names}, worth {worth} {equity.base}{lacking}.")
    show_coverage(screen, valuation.coverage, valuation.at)


def _totals(figures: Figures, portfolio: Portfolio, equity: Equity) -> Iterator[Sequence[Cell]]:
    """Set equity against the sum that it is, to the last digit."""
    from rich.text import Text

    left = _parts(figures, portfolio, equity)
    for index, (said, figure) in enumerate(_sum(figures, equity)):
        name, value = left[index] if index < len(left) else ("", "")
        yield name, value, Text("+" if index else "=", style="dim"), said, figure


def _parts(figures: Figures, portfolio: Portfolio, equity: Equity) -> list[tuple[str, Cell]]:
    from rich.text import Text

    from bursar.cli.answers import printable

    valuation = equity.valuation
    worth = figures.money(equity.value)
    worth.stylize("bold")
    parts: list[tuple[str, Cell]] = [
        ("equity", worth),
        ("cash in it", figures.money(valuation.cash)),
        ("fees paid", figures.money(portfolio.fees().total)),
    ]
    if valuation.unvalued:
        missing = ", ".join(sorted({each.asset for each in valuation.unvalued}))
        parts.append(("without", Text(printable(missing), style="yellow")))
    return parts


def _sum(figures: Figures, equity: Equity) -> list[tuple[str, Cell]]:
    """Return what adds up to equity; `not in it` is what has no value, at cost.

    `of no known cost` is worth something, but nobody knows what was gained by it.
    """
    valuation, totals = equity.valuation, equity.totals
    hidden = valuation.excluded_value + valuation.unvalued_cost
    parts: list[tuple[str, Cell]] = [
        ("contributed", figures.money(totals.contributed)),
        ("realised", figures.gain(totals.realized)),
        ("income", figures.gain(totals.income)),
        ("expenses", figures.gain(-totals.expenses)),
        ("unrealised", figures.gain(valuation.owned_unrealized)),
    ]
    if valuation.unfounded:
        parts.append(("of no known cost", figures.gain(valuation.unfounded)))
    return [*parts, ("not in it", figures.gain(-hidden))] if hidden else parts


def _show_holdings(screen: Screen, equity: Equity) -> None:
    from bursar.cli.coverage import marked
    from bursar.cli.figures import NOTHING, age
    from bursar.cli.screen import figure, name, units
    from bursar.value.coverage import UNPRICED

    valuation, figures = equity.valuation, screen.figures
    columns = (
        *(name("asset"), units("quantity"), figure("cost", rank=2), figure("mark", rank=1)),
        *(figure("value"), figure("unrealised"), figure("share", rank=3)),
        *(name("marked by", rank=5), figure("age", rank=4)),
    )
    rows: list[Sequence[Cell]] = []
    for each in sorted(valuation.assets, key=lambda found: found.asset):
        mark = each.mark
        rows.append(
            (
                marked(each.asset, is_marked=UNPRICED in each.flags),
                figures.quantity(each.quantity),
                figures.money(each.known_cost),
                NOTHING if each.is_cash else figures.price(None if mark is None else mark.price),
                figures.money(each.value),
                NOTHING if each.is_cash else figures.gain(each.unrealized),
                figures.percent(each.share_pct),
                "" if mark is None else _source(mark.source, mark.pair, each.asset, equity.base),
                "" if mark is None else age(mark.age(valuation.at)),
            )
        )
    screen.table(columns, rows)


def _source(source: str, pair: str, asset: str, base: str) -> str:
    source = "--price" if source == "flag" else source
    return source if pair == f"{asset}/{base}" else f"{pair}, {source}"


def _show_margins(screen: Screen, equity: Equity) -> None:
    from bursar.cli.screen import figure, name, units

    figures = screen.figures
    columns = (name("leveraged"), name("account"), units("quantity"), figure("entered at"))
    screen.table(
        (*columns, figure("unrealised")),
        [
            (
                each.pair,
                each.account,
                figures.quantity(each.quantity),
                figures.money(each.notional),
                figures.gain(each.unrealized),
            )
            for each in equity.valuation.margins
        ],
    )


def _show_accounts(screen: Screen, equity: Equity) -> None:
    from bursar.cli.screen import figure, name

    figures = screen.figures
    screen.table(
        (name("account"), figure("equity"), figure("cash"), name("without")),
        [
            (
                each.account,
                figures.money(each.equity),
                figures.money(each.cash),
                ", ".join(each.unvalued),
            )
            for each in equity.valuation.accounts
        ],
    )
