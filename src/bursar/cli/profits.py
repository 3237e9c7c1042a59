"""`bursar profits`: what was made, what of it works on, and what goes to the reserve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bursar.cli.answers import dated
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.cli.screen import Screen
    from bursar.portfolio.profits import Profits

ONLY_SHOWN = 5


def profits(*, apply: bool = False, session: Annotated[Session, HIDDEN]) -> int:
    """Say what becomes of profit: taken, put back to work, kept. Shows; `--apply` writes it.

    Exit code 5 says that it was only shown.

    Args:
        apply: Move what is kept to the reserve, and remember what was divided.

    """
    from bursar.portfolio import profits as taking

    session.require_present()
    with session.open() as portfolio:
        seen = taking.look(portfolio, session.settings.capital, prices=session.marks(portfolio))
        if apply:
            taking.apply(portfolio, seen)
    if session.wants_json:
        session.tell({"is_applied": apply, "profits": dated(seen)})
    else:
        _show(session.screen, seen, is_applied=apply)
        followed = {each.period for each in seen.targets}
        for target in session.settings.capital.targets:
            if target.period not in followed:
                session.screen.print(
                    f"Target of the {target.period.value}: unknown, since no equity was kept as"
                    " it began."
                )
    return 0 if apply else ONLY_SHOWN


def _show(screen: Screen, seen: Profits, *, is_applied: bool) -> None:
    from bursar.cli.screen import figure, name
    from bursar.exact import ZERO

    figures = screen.figures
    screen.title("Profits", f"equity {figures.money(seen.equity)}")
    screen.table(
        (
            *(name("strategy"), figure("fresh"), figure("works on"), figure("kept")),
            *(figure("to reserve now"), name("why", rank=1)),
        ),
        [
            (
                strategy,
                figures.money(division.reinvest + division.keep),
                figures.money(division.reinvest),
                figures.money(division.keep),
                figures.money(seen.kept_back.get(strategy, ZERO)),
                division.reason,
            )
            for strategy, division in sorted(seen.divisions.items())
        ],
    )
    screen.print("")
    if seen.capture is not None:
        screen.print(f"Take profit: {seen.capture.intent.value}; it was {seen.capture.peak:f}.")
    if seen.reinvest:
        screen.print(f"A new step of gain: {figures.money(seen.reinvest)} may be reinvested now.")
    for each in seen.targets:
        progress = "unknown" if each.progress is None else f"{100 * each.progress:.1f} %"
        screen.print(f"Target of the {each.period.value}: {progress}.")
    if not is_applied:
        screen.print("Nothing was written; `bursar profits --apply` writes it.")
