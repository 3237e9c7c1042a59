"""`bursar drift`: where books and venue part, what that is, and what would close it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from bursar.cli.correcting import correct
from bursar.cli.counts import Which
from bursar.cli.session import HIDDEN, Session
from bursar.errors import BadChoice, StaleVersion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.cli.screen import Screen
    from bursar.portfolio import Portfolio
    from bursar.portfolio.hand import Correction
    from bursar.reconcile import Break, Line, Proposal, Reconciliation

APART = 1


def drift(
    *, account: str | None = None, whole: bool = False, session: Annotated[Session, HIDDEN]
) -> int:
    """Account for every difference from the venues' last statements. No venue is asked.

    `bursar drift accept N` enters what closes break N; by its id it is the one you saw, whatever
    has come since. Exit code 1 says that something differs.

    Args:
        account: Only this account.
        whole: The venue's rows reach back to the first day, so what is assumed is a break as well.

    """
    session.require_present()
    with session.open() as portfolio:
        seen = found(session, portfolio, account, is_whole=whole)
        if session.wants_json:
            session.tell({"accounts": [told(each) for each in seen]})
        else:
            show(session.screen, seen)
    return 0 if all(each.is_clean for each in seen) else APART


def accept(
    which: Which,
    *,
    account: str | None = None,
    whole: bool = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Enter what closes a break. `bursar reverse ID` takes it back.

    Args:
        which: The break: its number as `bursar drift` counts them now, or the id that it shows.
        account: Only breaks of this account are counted.
        whole: Breaks are counted as `bursar drift --whole` does.
        yes: Write it without asking.

    """
    looked: list[Proposal] = []

    def made(portfolio: Portfolio) -> Correction:
        from bursar.portfolio import agreement
        from bursar.portfolio.hand import Correction

        looked.append(agreement.chosen(found(session, portfolio, account, is_whole=whole), which))
        if looked[-1] != looked[0]:  # others were first, and what is meant is no longer there
            raise StaleVersion(f"the books have changed, and break {which} is another; look again")
        entries = looked[0].entries
        return Correction(entries[0].id, entries)

    return correct(session, made, is_yes=yes)


def app(group: Group) -> App:
    """Return `drift` with its commands; alone it shows."""
    made = App(
        name="drift",
        help=drift.__doc__,
        group=group,
        sort_key=9,
        group_commands="Commands",
        default_parameter=Parameter(negative="", show_default=False),
    )
    made.default(drift)
    made.command(accept, name="accept")
    return made


def told(found: Reconciliation) -> dict[str, object]:
    """Return a reconciliation as JSON has it."""
    comparison, closing = found.comparison, {each.break_id: each for each in found.proposals}
    return {
        "account": comparison.account,
        "as_of": _when(found),
        "verdict": comparison.verdict,
        "drift": found.drift,
        "is_clean": found.is_clean,
        "worth": comparison.worth,
        "lines": comparison.lines,
        "positions": comparison.positions,
        "breaks": [_told(each, closing.get(each.id)) for each in found.breaks],
        "assumed": found.assumed,
        "underway": [str(each) for each in found.underway],
        "rows": found.rows,
    }


def show(screen: Screen, found: Sequence[Reconciliation]) -> None:
    """Show each account: what differs, why, and what would close it."""
    number = 0
    for each in found:
        _heading(screen, each)
        _lines(screen, each)
        closing = {proposal.break_id: proposal for proposal in each.proposals}
        for one in each.breaks:
            number += one.id in closing
            _break(screen, one, number, closing.get(one.id))
        _besides(screen, each)
        screen.print("")
    if number:
        screen.print("`bursar drift accept N` enters what closes a break.")


def found(
    session: Session,
    portfolio: Portfolio,
    account: str | None = None,
    *,
    is_whole: bool = False,
) -> list[Reconciliation]:
    """Account for every difference from the last statements, of one account or of all."""
    from bursar.app.limits import limits_of
    from bursar.portfolio import agreement

    names = agreement.stated(portfolio)
    if not names:
        raise BadChoice(f"no venue has told yet what it holds: {_how(session)}")
    if account is not None and account not in names:
        there = ", ".join(names)
        raise BadChoice(f"there is no statement of {account}; there are of {there}", value=account)
    limits = limits_of(session.settings.portfolio, portfolio.terms.base)
    with session.bar.running():
        return [
            agreement.reconciled(portfolio, name, limits, is_whole=is_whole)
            for name in names
            if account in (None, name)
        ]


def _how(session: Session) -> str:
    """Say how a venue comes to tell, and what holds files against each other without one."""
    if session.is_told and session.settings.venues:
        return "`bursar sync` asks"
    return (
        "`bursar init` writes a config.yaml in which to name your account, and `bursar sync` asks"
        " it. Of files alone, the running balances were checked row by row as they were imported"
    )


def _when(found: Reconciliation) -> str | None:
    from bursar.ledger import instant

    as_of = found.comparison.as_of
    return None if as_of is None else instant.show(as_of)


def _heading(screen: Screen, found: Reconciliation) -> None:
    verdict = found.comparison.verdict.value
    screen.title(found.comparison.account, f"{verdict}, as of {_when(found) or 'never'}")
    screen.print("")


def _lines(screen: Screen, found: Reconciliation) -> None:
    differing = found.comparison.differing
    if not differing:
        count = len(found.comparison.assets)
        screen.print(f"All {count} assets are the same on both sides, to the last digit.")
    else:
        _assets(screen, differing)
    _positions(screen, found)


def _positions(screen: Screen, found: Reconciliation) -> None:
    from bursar.cli.figures import NOTHING
    from bursar.cli.screen import figure, name, units

    apart, figures = found.comparison.apart, screen.figures
    if not apart:
        count = sum(line.stated != 0 for line in found.comparison.positions)
        if count:
            screen.print(f"Leveraged positions are the same as well; open are {count}.")
        return
    screen.table(
        (
            *(name("leveraged"), units("booked", rank=1), units("stated", rank=1)),
            *(units("difference"), figure("worth")),
        ),
        [
            (
                *(line.pair, figures.quantity(line.booked), figures.quantity(line.stated)),
                figures.quantity(line.difference),
                NOTHING if line.worth is None else figures.gain(line.worth),
            )
            for line in apart
        ],
    )


def _assets(screen: Screen, differing: Sequence[Line]) -> None:
    from bursar.cli.figures import NOTHING
    from bursar.cli.screen import figure, name, units

    figures = screen.figures
    screen.table(
        (
            *(name("asset"), name("pocket", rank=2), units("booked", rank=1)),
            *(units("stated", rank=1), units("difference"), figure("worth")),
        ),
        [
            (
                *(line.asset, line.pocket or "", figures.quantity(line.booked)),
                *(figures.quantity(line.stated), figures.quantity(line.difference)),
                NOTHING if line.worth is None else figures.gain(line.worth),
            )
            for line in differing
        ],
    )


def _break(screen: Screen, each: Break, number: int, proposal: Proposal | None) -> None:
    screen.print("")
    mark = "–" if proposal is None else str(number)
    screen.title(f"{mark}  {each.kind.value}", f"{each.place}; {each.place.window()}")
    screen.print(f"   {each.reason}")
    if proposal is not None:
        screen.print(f"   closed by: {proposal.says}", f"   id: {each.id}")


def _told(each: Break, proposal: Proposal | None) -> dict[str, object]:
    entries = () if proposal is None else proposal.entries
    return {
        "id": each.id,
        "kind": each.kind,
        "shifts": each.shifts,
        "where": str(each.place),
        "when": each.place.window(),
        "reason": each.reason,
        "evidence": each.evidence,
        "proposal": None if proposal is None else proposal.says,
        "entries": [entry.id for entry in entries],
    }


def _besides(screen: Screen, found: Reconciliation) -> None:
    said = [f"under way: {each}" for each in found.underway]
    said += [
        f"assumed: {screen.figures.quantity(each.quantity)} {each.asset} before the first row"
        for each in found.assumed
    ]
    if said:
        screen.print("", *said)
