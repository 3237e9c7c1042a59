"""What a proposed entry does, in words.

Errors: none.
"""

from bursar.exact import ZERO, trimmed
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Conversion,
    Fill,
    MarginFill,
    Movement,
    Rename,
    Reversal,
    Transfer,
)


def said(entry: AnyEntry) -> str:
    """Return what an entry of a proposal does."""
    match entry:
        case Movement():
            return f"{entry.kind.value} row of {trimmed(entry.amount)} {entry.code}"
        case Reversal():
            return f"take back {entry.target}"
        case CashFlow():
            return f"{entry.kind.value} {trimmed(entry.amount)} {entry.asset}"
        case Transfer():
            way = f"from {entry.pocket} to {entry.to_pocket}"
            return f"move {trimmed(entry.quantity)} {entry.asset} {way}"
        case Rename():
            return f"rename {trimmed(entry.quantity or ZERO)} {entry.asset} to {entry.to_asset}"
        case _:
            return _exchanged(entry)


def _exchanged(entry: AnyEntry) -> str:
    if isinstance(entry, Fill):
        what = f"{trimmed(entry.quantity)} {entry.base}"
        return f"{entry.side.value} {what} for {trimmed(entry.amount or ZERO)} {entry.quote}"
    if isinstance(entry, MarginFill):
        assert entry.side is not None, "a position moves one way"
        what = f"{trimmed(entry.quantity or ZERO)} {entry.base} of {entry.pair} on leverage"
        at = "" if entry.price is None else f" at {trimmed(entry.price)}"
        return f"{entry.side.value} {what}{at}"
    assert isinstance(entry, Conversion), "nothing else is proposed"
    given = ", ".join(f"{trimmed(leg.quantity)} {leg.asset}" for leg in entry.given)
    taken = ", ".join(f"{trimmed(leg.quantity)} {leg.asset}" for leg in entry.taken)
    return f"exchange {given} for {taken}"
