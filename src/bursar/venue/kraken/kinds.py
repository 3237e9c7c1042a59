"""What a row of Kraken's ledger is a part of, by its type and subtype.

New types appear without notice. One that the tables lack is `UNCLASSIFIED`: its coins count and it
is shown. So is a row whose type alone does not tell, where the export leaves the subtype out.
"""

from decimal import Decimal
from typing import Final

from bursar.ledger.entries import MovementKind

_TYPES: Final = {
    "trade": MovementKind.TRADE,
    "spend": MovementKind.TRADE,
    "receive": MovementKind.TRADE,
    "settled": MovementKind.TRADE,
    "conversion": MovementKind.CONVERSION,
    "collateralconversion": MovementKind.CONVERSION,
    "adjustment": MovementKind.ADJUSTMENT,
    "deposit": MovementKind.DEPOSIT,
    "withdrawal": MovementKind.WITHDRAWAL,
    "reward": MovementKind.REWARD,
    "invite bonus": MovementKind.REWARD,
    "credit": MovementKind.REBATE,
    "dividend": MovementKind.DIVIDEND,
    "margin": MovementKind.MARGIN,
    "rollover": MovementKind.FINANCING,
    "hybridearnwithdrawal": MovementKind.INTERNAL,
    "hybridearndeposit": MovementKind.INTERNAL,
}
_SUBTYPES: Final = {
    ("spend", "dustsweeping"): MovementKind.CONVERSION,
    ("receive", "dustsweeping"): MovementKind.CONVERSION,
    ("transfer", "airdrop"): MovementKind.AIRDROP,
    ("transfer", "delistingconversion"): MovementKind.ADJUSTMENT,
    ("transfer", "spottostaking"): MovementKind.INTERNAL,
    ("transfer", "stakingfromspot"): MovementKind.INTERNAL,
    ("transfer", "stakingtospot"): MovementKind.INTERNAL,
    ("transfer", "spotfromstaking"): MovementKind.INTERNAL,
    ("transfer", "spottofutures"): MovementKind.INTERNAL,
    ("transfer", "spotfromfutures"): MovementKind.INTERNAL,
    ("earn", "airdrop"): MovementKind.AIRDROP,
    ("earn", "delistingconversion"): MovementKind.ADJUSTMENT,
    ("earn", "reward"): MovementKind.REWARD,
    ("earn", "allocation"): MovementKind.INTERNAL,
    ("earn", "deallocation"): MovementKind.INTERNAL,
    ("earn", "autoallocate"): MovementKind.INTERNAL,
    ("earn", "autoallocation"): MovementKind.INTERNAL,
    ("earn", "migration"): MovementKind.INTERNAL,
}


def kind(type_: str, subtype: str | None, amount: Decimal) -> MovementKind:
    """Name the kind of a row. A forced conversion is an `ADJUSTMENT` until its partner is found."""
    known = _SUBTYPES.get((type_, subtype or ""))
    if known is not None:
        return known
    if type_ == "transfer":
        # Coins that come without a word are an airdrop or a fork; that they go is unexplained.
        return MovementKind.AIRDROP if subtype == "" and amount > 0 else MovementKind.UNCLASSIFIED
    if type_ == "staking":
        # Negative rows are the moves that sweep earlier rewards together.
        return MovementKind.INTERNAL if amount < 0 else MovementKind.REWARD
    return _TYPES.get(type_, MovementKind.UNCLASSIFIED)
