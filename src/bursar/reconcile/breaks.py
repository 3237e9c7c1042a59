"""Breaks: what a comparison finds amiss, one by one, as records.

A `Part` is one place where an asset stops adding up, before anything is said of why. A `Break`
takes one part, or several that are one event, and says what it is, as far as the evidence goes.

Sign rule: an amount is what the venue has and the book has not (stated − booked).
"""

from decimal import Decimal
from enum import Enum

import msgspec

from bursar.ledger import instant
from bursar.ledger.entries import Movement


class Kind(Enum):
    """What a break is. `unknown` where the evidence does not tell."""

    MISSING_FILL = "missing fill"
    MISSING_FLOW = "missing flow"
    FEE = "fee"
    REWARD = "reward"
    IN_FLIGHT = "transfer in flight"
    POCKET_MOVE = "pocket move"
    EXTRA = "extra entry"
    WRONG_AMOUNT = "wrong amount"
    WRONG_ASSET = "wrong asset"
    RENAME = "rename"
    POSITION = "leveraged position"
    DUST = "dust"
    ROUNDING = "rounding"
    UNKNOWN = "unknown"


class Where(Enum):
    """How far a break could be located."""

    START = "before the first row"
    ROWS = "between two rows"
    END = "after the last row"
    FACT = "at an entry that no row backs"
    POSITION = "not located: no row tells of positions"
    NOWHERE = "not located: no running balances"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Between which rows something is missing, and in which time: after `since`, by `until`."""

    where: Where
    before: str | None = None
    after: str | None = None
    since: int | None = None
    until: int | None = None

    def __str__(self) -> str:
        match self.where:
            case Where.START:
                return f"before {self.after}" if self.after else "before all rows"
            case Where.ROWS:
                return f"between {self.before} and {self.after}"
            case Where.END:
                return f"after {self.before}" if self.before else "no row of it at all"
            case Where.FACT:
                return f"at {self.after}"
            case _:
                return str(self.where.value)

    def window(self) -> str:
        """Return the time in words, as far as it is known."""
        since = "" if self.since is None else f"after {instant.show(self.since)}"
        until = "" if self.until is None else f"by {instant.show(self.until)}"
        return ", ".join(filter(None, (since, until))) or "at an unknown time"


class Part(msgspec.Struct, frozen=True):
    """One place where an asset stops adding up, and by how much.

    `before` and `after` are the venue's rows on both sides; `stray` is one that does not belong
    there; `facts` are entries that no row backs. What `is_covered` is in the book already, as an
    assumption; where that is in order it is a mere hint. `quantum` is the smallest step in which
    the amounts of the asset are stated.
    """

    asset: str
    amount: Decimal
    place: Place
    quantum: Decimal
    pocket: str | None = None
    before: Movement | None = None
    after: Movement | None = None
    stray: Movement | None = None
    facts: tuple[str, ...] = ()
    is_covered: bool = False
    is_hint: bool = False


class Shift(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much more of an asset the venue has than the book, and its worth in base currency."""

    asset: str
    amount: Decimal
    pocket: str | None = None
    worth: Decimal | None = None


class Break(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that does not agree: what it is and why that is said, where, and by how much.

    `id` follows from account, place and amounts. `evidence` are ids of rows and entries. `target`
    is the entry that ought not to be there. One that `is_covered` makes no difference, since the
    book assumes as much; one that `is_half` is a move between pockets of which one row is here. A
    rename has no `shifts`: no quantity differs, only what the coins cost.
    `started` is the first row of a chain that did not start from nothing, where that is the break.
    """

    id: str
    kind: Kind
    shifts: tuple[Shift, ...]
    place: Place
    reason: str
    evidence: tuple[str, ...] = ()
    target: str | None = None
    is_covered: bool = False
    is_half: bool = False
    started: Movement | None = None
