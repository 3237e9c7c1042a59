"""Corrections by hand on the terminal: shown first, written only on a yes.

A terminal is asked; `--yes` answers beforehand; without either, nothing is written and the exit
code is 5, so a script does not take a look for a deed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bursar.cli.screen import Cell, Screen
    from bursar.cli.session import Session
    from bursar.desk import Staged
    from bursar.portfolio import Portfolio
    from bursar.portfolio.hand import Correction, Preview

UNWRITTEN: Final = 5
_FACTS_MAX: Final = 12
_TOTALS: Final = {
    "contributed": "contributed",
    "realized": "realised",
    "income": "income",
    "expenses": "expenses",
    "cost": "cost of holdings",
}


class Look(msgspec.Struct, frozen=True):
    """A correction as it was staged, and what it would do."""

    correction: Correction
    staged: Staged
    seen: Preview

    @property
    def is_known(self) -> bool:
        """Whether it says nothing new."""
        return self.seen.is_empty


def correct(session: Session, made: Callable[[Portfolio], Correction], *, is_yes: bool) -> int:
    """Make a correction, show what it would do, and write it if that is wanted.

    It is made anew where another writer was first.
    """
    session.require_present()
    with session.open() as portfolio:
        look, is_written = _done(session, portfolio, made, is_yes=is_yes)
        version = portfolio.desk.head.version
    if session.wants_json:
        session.tell(told(look.correction, look.seen, is_written=is_written, version=version))
        return 0 if is_yes or look.is_known else UNWRITTEN
    if look.is_known:
        _tell_known(session.screen, look.correction)
        return 0
    if not is_written:
        session.screen.print("Nothing was written.")
        return UNWRITTEN
    if not session.is_quiet:
        session.screen.print(
            f"Written, version {version}. `bursar reverse {look.correction.id}` takes it back."
        )
    return 0


def _done(
    session: Session,
    portfolio: Portfolio,
    made: Callable[[Portfolio], Correction],
    *,
    is_yes: bool,
) -> tuple[Look, bool]:
    """Show it, ask if nobody said yes yet, and write it; return it, and whether it was written."""
    from bursar.errors import StaleVersion

    look = _look(portfolio, made)
    is_silent = session.wants_json or (is_yes and session.is_quiet)
    while not look.is_known:
        if not is_silent:
            show(session.screen, look.correction, look.seen, portfolio.terms.base)
        if is_yes:
            done = _written(portfolio, made, look)
            if done is not look and not (is_silent or done.is_known):
                session.screen.remark("Another writer was first. This is what it has done:")
                show(session.screen, done.correction, done.seen, portfolio.terms.base)
            return done, not done.is_known
        if session.wants_json or not asked(session.screen):
            return look, False
        try:
            portfolio.writer.commit(look.staged)
        except StaleVersion:
            portfolio.writer.catch_up()
            session.screen.remark("Another writer was first. This is what it would do now:")
            look = _look(portfolio, made)
        else:
            return look, True
    return look, False


def _look(portfolio: Portfolio, made: Callable[[Portfolio], Correction]) -> Look:
    from bursar.portfolio import hand

    correction = made(portfolio)
    staged = hand.stage(portfolio.corrector, correction)
    return Look(correction, staged, hand.preview(portfolio.corrector, staged))


def _written(portfolio: Portfolio, made: Callable[[Portfolio], Correction], look: Look) -> Look:
    """Write a correction, or what it is by now if another writer was first; return that."""
    from bursar.desk import again

    def work() -> Look:
        is_current = look.staged.version == portfolio.writer.head.version
        now = look if is_current else _look(portfolio, made)
        portfolio.writer.commit(now.staged)
        return now

    return again(portfolio.writer, work)


def told(
    correction: Correction, seen: Preview, *, is_written: bool, version: int
) -> dict[str, object]:
    """Return a preview, or what was written, as JSON has it."""
    return {
        "id": correction.id,
        "written": is_written,
        "known": correction.is_known,
        "version": version,
        "statements": seen.statements,
        "remarks": correction.remarks,
        "facts": seen.facts,
        "holdings": seen.holdings,
        "before": seen.before,
        "after": seen.after,
        "restated": seen.review.restated,
        "flags": seen.review.flags,
    }


def show(screen: Screen, correction: Correction, seen: Preview, base: str) -> None:
    """Show what a correction would do."""
    screen.title("To be recorded")
    for line in seen.statements:
        screen.raw(f"  {line}")
    _show_facts(screen, seen)
    _show_holdings(screen, seen, base)
    _show_totals(screen, seen, base)
    lines = list(_lines(correction, seen))
    if lines:
        screen.print("", *lines)
    screen.print("")


def _tell_known(screen: Screen, correction: Correction) -> None:
    screen.print(
        f"The same was recorded before: {correction.id}. Nothing was written.",
        *(f"! {each}" for each in correction.remarks),
    )


def asked(screen: Screen) -> bool:
    """Ask whoever sits at the terminal; nobody there is no."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        screen.remark("Nobody to ask here; --yes writes it.")
        return False
    try:
        answer = input("Write this? [y/N] ")
    except EOFError:  # the terminal went away, or Ctrl-D: that is no yes
        return False
    return answer.strip().casefold() in {"y", "yes"}


def _show_facts(screen: Screen, seen: Preview) -> None:
    others = [each for each in seen.facts if not _is_stated(each.id, seen)]
    if not others:
        return
    screen.print("")
    screen.title("What else changes")
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for each in others[:_FACTS_MAX]:
        screen.raw(f"{signs[each.change]} {each.line}")
    if len(others) > _FACTS_MAX:
        screen.print(f"  and {len(others) - _FACTS_MAX:,} more")


def _is_stated(name: str, seen: Preview) -> bool:
    """Tell whether a fact is what a statement says itself."""
    return any(f"  #{name}  " in line for line in seen.statements)


def _show_holdings(screen: Screen, seen: Preview, base: str) -> None:
    from bursar.cli.screen import figure, name, units

    if not seen.holdings:
        return
    figures = screen.figures
    rows: list[tuple[Cell, ...]] = [
        (
            each.account,
            each.asset,
            figures.quantity(each.quantity),
            figures.quantity(each.quantity_after),
            figures.money(each.cost),
            figures.money(each.cost_after),
        )
        for each in seen.holdings
    ]
    screen.print("")
    screen.table(
        (
            *(name("account"), name("asset"), units("held"), units("then")),
            *(figure(f"cost, {base}"), figure("then")),
        ),
        rows,
    )


def _show_totals(screen: Screen, seen: Preview, base: str) -> None:
    from bursar.cli.screen import figure, name

    figures = screen.figures
    changed: list[tuple[Cell, ...]] = [
        (said, figures.money(old), figures.money(new), figures.gain(new - old))
        for field, said in _TOTALS.items()
        if (old := getattr(seen.before, field)) != (new := getattr(seen.after, field))
    ]
    if changed:
        screen.print("")
        screen.table((name(base), figure("now"), figure("then"), figure("change")), changed)


def _lines(correction: Correction, seen: Preview) -> Iterator[str]:
    from bursar.cli.coverage import MEANINGS

    yield from (f"! restated  {each}" for each in seen.review.restated)
    yield from (f"! {each}" for each in correction.remarks)
    for flag, count in sorted(seen.review.flags.items()):
        meaning = f": {MEANINGS[flag]}" if flag in MEANINGS else ""
        yield f"! {flag.replace('_', ' ')}  {count:,} fact{'' if count == 1 else 's'}{meaning}"
