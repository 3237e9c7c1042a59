"""`bursar sim`: play simulated worlds, and replay the one that went wrong."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter, validators

from bursar.cli.counts import Whole
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.cli.screen import Screen
    from bursar.sim import Ending

FAILED = 1
Positive = Annotated[Whole, Parameter(validator=validators.Number(gte=1))]


def sim(
    *,
    seed: Whole = 1,
    worlds: Positive = 1,
    bug: str | None = None,
    judge: str | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Play a day of trouble on made-up venues and judge the books. Exit 1 if anything is wrong.

    Args:
        seed: Which world; the same number plays the same world.
        worlds: How many, from that seed on; of more than one only those that went wrong are told.
        bug: Plant a known bug, to see it found; a wrong name lists them.
        judge: A judge from outside for the last word, as MODULE:FUNCTION.

    """
    asked = (("--bug", bug), ("--judge", judge))
    options = [f" {name} {value}" for name, value in asked if value is not None]
    wrong, shown = 0, []
    for ending in _endings(range(seed, seed + worlds), bug, judge):
        wrong += not ending.is_well
        if worlds > 1 and ending.is_well:
            continue
        if session.wants_json:
            shown.append(msgspec.structs.asdict(ending))
        else:
            show(session.screen, ending, "".join(options))
    if session.wants_json:
        session.tell({"worlds": worlds, "wrong": wrong, "endings": shown})
    elif worlds > 1:
        session.screen.print(f"{worlds:,} worlds, {wrong:,} went wrong.")
    return FAILED if wrong else 0


def show(screen: Screen, ending: Ending, options: str = "") -> None:
    """Show a world line by line, then what became of it."""
    rates = ", ".join(f"{name} {rate:.0%}" for name, rate in sorted(ending.rates.items()))
    screen.raw(f"world {ending.seed}: {rates or 'no faults'}")
    for line in ending.story:
        screen.raw(line)
    told = f"{ending.statements} statements, {ending.commits} commits, story {ending.digest[:12]}"
    if ending.is_well:
        screen.print(f"All is well: {told}.")
    else:
        screen.raw(f"Wrong at step {ending.step}: {ending.verdict}")
        screen.print(told, f"To play it again: bursar sim --seed {ending.seed}{options}")


def _endings(seeds: range, bug: str | None, judge: str | None) -> Iterator[Ending]:
    from bursar.errors import BadChoice
    from bursar.sim import play
    from bursar.sim.mutants import BUGS
    from bursar.sim.practice import RIGHT

    if bug is not None and bug not in BUGS:
        raise BadChoice(f"{bug!r} is no planted bug; one of {', '.join(BUGS)}", value=bug)
    practice = RIGHT if bug is None else BUGS[bug]
    last_word = None if judge is None else _loaded(judge)
    for seed in seeds:
        yield play(seed, practice=practice, last_word=last_word)


def _loaded(judge: str) -> Any:  # noqa: ANN401 (whatever stands under that name)
    from bursar.errors import BadChoice

    module, _, function = judge.partition(":")
    try:
        return getattr(import_module(module), function)
    except (ImportError, ValueError, AttributeError) as error:
        raise BadChoice(f"--judge {judge}: {error}; MODULE:FUNCTION is expected") from None
