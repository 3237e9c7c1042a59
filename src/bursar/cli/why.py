"""`bursar why`: a figure opened to the formula, the marks and the entries behind it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Annotated

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.segment import Segment
    from rich.text import Text

    from bursar.cli.screen import Screen
    from bursar.ledger.why import Amount, Why


def why(
    figure: str,
    asset: str | None = None,
    *,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Explain a figure to the last digit, for example `bursar why realized XBT`.

    Args:
        figure: equity, value, cost, realized, unrealized, fees, contributed, income, expenses,
            identity, daily_pnl, made, drawdown, win_rate or profit_factor.
        asset: The asset it is asked of; value, cost and unrealized need one.

    """
    figure = figure.replace("realised", "realized")  # as the screen spells it
    asset = session.asset(asset)
    with session.open() as portfolio:
        found = portfolio.why(figure, asset, session.marks(portfolio))
    if session.wants_json:
        session.tell({"figure": figure, "asset": asset, **told(found)})
    else:
        show(session.screen, found)
    return 0


def told(found: Why) -> dict[str, object]:
    """Return the tree as JSON has it: a part is a figure with a formula, or a named amount."""
    return {
        "value": found.value,
        "formula": found.formula,
        "parts": [_part(each) for each in found.parts],
    }


def _part(part: Why | Amount) -> dict[str, object]:
    from bursar.ledger.why import Why

    if isinstance(part, Why):
        return told(part)
    return {"value": part.value, "name": part.name, "source": part.source}


def show(screen: Screen, found: Why) -> None:
    """Show the tree, every digit of it."""
    from rich.text import Text

    root = Text(_digits(found), style="bold")
    root.append(f"  {found.formula}", style="not bold")
    console = screen.console
    screen.flow(chain(_branch(console, _clean(root), ("", "")), _branches(console, found, "")))


def _branches(console: Console, found: Why, before: str) -> Iterator[Iterable[Segment]]:
    """Yield the lines of a figure's parts, with those of theirs, behind the lines that lead there.

    Rich's own tree is laid out as a whole, and a figure may have a part for every trade.
    """
    from rich.text import Text

    from bursar.ledger.why import Why

    values = _in_line([_digits(part) for part in found.parts])
    last = len(values) - 1
    for place, (value, part) in enumerate(zip(values, found.parts, strict=True)):
        is_known = part.value is not None
        label = Text(value, style=_style(value) if is_known else "yellow")
        label.append(f"  {part.formula if isinstance(part, Why) else part.name}", style="default")
        if not isinstance(part, Why) and part.source:
            label.append(f"  {part.source}", style="dim")
        turn, on = ("└── ", "    ") if place == last else ("├── ", "│   ")
        yield from _branch(console, _clean(label), (before + turn, before + on))
        if isinstance(part, Why):
            yield from _branches(console, part, before + on)


def _branch(console: Console, label: Text, guides: tuple[str, str]) -> Iterator[Iterable[Segment]]:
    """Yield the lines of one label, behind the guides of its first and of its further lines."""
    from rich.segment import Segment

    dim = console.get_style("dim")
    room = max(console.width - len(guides[0]), 1)
    fits = label.cell_len <= room and "\n" not in label.plain
    for number, line in enumerate([label] if fits else label.wrap(console, room)):
        yield Segment(guides[number > 0], dim), *line.render(console, end=""), Segment.line()


def _clean(label: Text) -> Text:
    """Keep what a file says from steering the terminal."""
    from rich.text import Text

    from bursar.cli.answers import printable

    if label.plain.isprintable():
        return label
    return Text(printable(label.plain))


def _digits(part: Why | Amount) -> str:
    from bursar.cli.figures import UNKNOWN, grouped

    return UNKNOWN if part.value is None else grouped(part.value)


def _style(value: str) -> str:
    return "red" if value.lstrip().startswith("-") else "green" if value.strip(" 0.") else "dim"


def _in_line(values: Sequence[str]) -> list[str]:
    """Pad figures so that their points stand in one line."""
    heads = [len(value.partition(".")[0]) for value in values]
    tails = [len(value) - head for value, head in zip(values, heads, strict=True)]
    before, after = max(heads, default=0), max(tails, default=0)
    return [
        " " * (before - head) + value + " " * (after - tail)
        for value, head, tail in zip(values, heads, tails, strict=True)
    ]
