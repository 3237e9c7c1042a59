"""Markup: a table as HTML, for whoever looks at a value in a notebook.

Invariants
- Every text is escaped: a note of an export is no markup here.
- What is not known is said, and is never a zero or an empty cell.

Errors: none.
"""

from collections.abc import Collection, Iterable, Sequence
from html import escape

UNKNOWN = "unknown"
_RIGHT = ' style="text-align:right"'


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    *,
    numbers: Collection[int] = (),
    caption: str = "",
) -> str:
    """Write a table; the columns `numbers` stand to the right."""

    def line(cells: Sequence[str | None], tag: str) -> str:
        return "".join(
            f"<{tag}{_RIGHT if at in numbers else ''}>"
            f"{escape(UNKNOWN if cell is None else cell)}</{tag}>"
            for at, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table>"
    )


def remarks(lines: Sequence[str]) -> str:
    """Write sentences below each other; nothing for none."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
