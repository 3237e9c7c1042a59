"""What an activity is a part of, by its type.

Alpaca's lists of types differ from page to page, and new ones appear. One that the table lacks is
`UNCLASSIFIED`: what it moved counts, and it is shown.
"""

from enum import Enum
from typing import Final

from bursar.ledger.entries import MovementKind

FILL: Final = "FILL"
WORTHLESS: Final = "WRM"


class Moves(Enum):
    """What a row of a type moves: its net amount, its quantity of the symbol, or both.

    `CASH`: the amount; the quantity only says for how many shares. `PAID`: as `CASH`, but where no
    amount a share is told and the amount is zero, the quantity was paid. `EITHER`: the amount, or
    where that is zero the quantity. `UNITS`: the quantity. `BOTH`: each that is not zero, unless
    they cannot be two sides of one exchange. `TRADE`: one against the other, as an execution does.
    """

    CASH = "cash"
    PAID = "paid"
    EITHER = "either"
    UNITS = "units"
    BOTH = "both"
    TRADE = "trade"


class Kind(Enum):
    """How a row is booked, where that is not one kind of movement for all of its type."""

    CAPITAL = "capital"
    JOURNAL = "journal"


Booked = MovementKind | Kind

TYPES: Final[dict[str, tuple[Booked, Moves]]] = {
    # Money and securities of the owner's own, in and out.
    "CSD": (Kind.CAPITAL, Moves.EITHER),
    "CSW": (Kind.CAPITAL, Moves.EITHER),
    "TRANS": (Kind.CAPITAL, Moves.EITHER),
    "ACATC": (Kind.CAPITAL, Moves.CASH),
    "ACATS": (Kind.CAPITAL, Moves.UNITS),
    "FOPT": (Kind.CAPITAL, Moves.UNITS),
    "OCT": (Kind.CAPITAL, Moves.EITHER),
    "JNL": (Kind.JOURNAL, Moves.EITHER),
    "JNLC": (Kind.JOURNAL, Moves.CASH),
    "JNLS": (Kind.JOURNAL, Moves.UNITS),
    # Income, and what was withheld from it.
    "CGD": (MovementKind.DIVIDEND, Moves.CASH),
    "DIV": (MovementKind.DIVIDEND, Moves.PAID),
    "DIVCGL": (MovementKind.DIVIDEND, Moves.CASH),
    "DIVCGS": (MovementKind.DIVIDEND, Moves.CASH),
    "DIVFT": (MovementKind.DIVIDEND, Moves.CASH),
    "DIVNRA": (MovementKind.DIVIDEND, Moves.CASH),
    "DIVROC": (MovementKind.DIVIDEND, Moves.CASH),
    "DIVTW": (MovementKind.DIVIDEND, Moves.CASH),
    "DIVTXEX": (MovementKind.DIVIDEND, Moves.CASH),
    "DIVWH": (MovementKind.DIVIDEND, Moves.CASH),
    "WH": (MovementKind.DIVIDEND, Moves.CASH),
    "INT": (MovementKind.INTEREST, Moves.CASH),
    "INTNRA": (MovementKind.INTEREST, Moves.CASH),
    "INTTW": (MovementKind.INTEREST, Moves.CASH),
    "PTR": (MovementKind.REBATE, Moves.CASH),
    # Charges.
    "FEE": (MovementKind.FEE, Moves.EITHER),
    "CFEE": (MovementKind.FEE, Moves.EITHER),
    "DIVFEE": (MovementKind.FEE, Moves.CASH),
    "PTC": (MovementKind.FEE, Moves.CASH),
    # Shares that came for nothing; what they came of keeps its cost.
    "SPIN": (MovementKind.DIVIDEND, Moves.EITHER),
    "SSO": (MovementKind.DIVIDEND, Moves.EITHER),
    # Corporate actions.
    "SPLIT": (MovementKind.SPLIT, Moves.UNITS),
    "SSP": (MovementKind.SPLIT, Moves.UNITS),
    "NC": (MovementKind.RENAME, Moves.UNITS),
    "SC": (MovementKind.RENAME, Moves.UNITS),
    "CIL": (MovementKind.CONVERSION, Moves.BOTH),
    "MA": (MovementKind.CONVERSION, Moves.BOTH),
    "REO": (MovementKind.CONVERSION, Moves.BOTH),
    "REORG": (MovementKind.CONVERSION, Moves.BOTH),
    "USPLIT": (MovementKind.CONVERSION, Moves.UNITS),
    # Options and bonds that ended, and what changed hands for it.
    "FIMAT": (MovementKind.UNCLASSIFIED, Moves.TRADE),
    "OPASN": (MovementKind.UNCLASSIFIED, Moves.TRADE),
    "OPEXC": (MovementKind.UNCLASSIFIED, Moves.TRADE),
    "OPEXP": (MovementKind.UNCLASSIFIED, Moves.TRADE),
    "OPXRC": (MovementKind.UNCLASSIFIED, Moves.TRADE),
    "OPTRD": (MovementKind.UNCLASSIFIED, Moves.TRADE),
}


# Where the sub-type says more: a dividend in money or in shares, whatever else its row tells; a
# unit that becomes other securities; and shares worth nothing.
SUB_TYPES: Final[dict[tuple[str, str], tuple[Booked, Moves]]] = {
    ("DIV", "CDIV"): (MovementKind.DIVIDEND, Moves.CASH),
    ("DIV", "ROC"): (MovementKind.DIVIDEND, Moves.CASH),
    ("DIV", "SPD"): (MovementKind.DIVIDEND, Moves.CASH),
    ("DIV", "SDIV"): (MovementKind.DIVIDEND, Moves.UNITS),
    ("SPLIT", "USPLIT"): (MovementKind.CONVERSION, Moves.UNITS),
    ("REORG", WORTHLESS): (MovementKind.UNCLASSIFIED, Moves.TRADE),
}


def kind(type_: str, sub_type: str = "") -> tuple[Booked, Moves]:
    """Name what a row of a type is booked as, and what of it moves."""
    known = SUB_TYPES.get((type_, sub_type))
    return known or TYPES.get(type_, (MovementKind.UNCLASSIFIED, Moves.BOTH))


def may_move_units(type_: str, sub_type: str = "") -> bool:
    """Tell whether a row of a type may move what its quantity counts, and tell no amount."""
    return kind(type_, sub_type)[1] not in {Moves.CASH, Moves.PAID}
