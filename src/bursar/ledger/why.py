"""Why: a figure with the formula that made it and the figures and amounts that went into it.

Each pure package returns a `Why` beside its figures. The parts are further figures, which can be
asked in turn, or named amounts: a quantity, a mark with its source, an entry with its id. A tree of
them is evidence, not a computation: what was rounded was rounded when the figure was made.

Invariant: the formula says how the parts make the value; a sum's parts add up to it, to the last
digit.

Errors: none. An amount that is not known is `None`, never zero.
"""

from decimal import Decimal

import msgspec

from bursar.exact import trimmed


class Amount(msgspec.Struct, frozen=True, omit_defaults=True, tag="amount"):
    """A named amount that a figure rests on, and where it is from. `None` is unknown."""

    name: str
    value: Decimal | None
    source: str = ""


class Why(msgspec.Struct, frozen=True, omit_defaults=True, tag="why"):
    """A figure, the formula behind it in words, and its parts."""

    value: Decimal
    formula: str
    parts: "tuple[Why | Amount, ...]" = ()


def render(why: Why | Amount, *, depth: int = 0) -> list[str]:
    """Return the tree as lines of text: parts indented below their figure, every digit kept."""
    indent = "  " * depth
    if isinstance(why, Amount):
        value = "unknown" if why.value is None else trimmed(why.value)
        source = f"  ({why.source})" if why.source else ""
        return [f"{indent}{value}  {why.name}{source}"]
    lines = [f"{indent}{trimmed(why.value)}  {why.formula}"]
    for part in why.parts:
        lines += render(part, depth=depth + 1)
    return lines
