"""A stake: what is open of one coin, and what its entries left with it, all of which goes along by
quantity.

Invariant: the parts that leave and the one that stays add up to what was there, money to the last
digit.

Errors: none.
"""

from decimal import Decimal
from itertools import chain

import msgspec

from bursar.exact import ZERO, Rounding, quantise, ratio18


class Stake(msgspec.Struct):
    """Signed quantity; what its entries realised so far (`made`: less than nothing, for fees) and
    were charged; the average time of entry, of so many of the coins (`dated`); the flags of the
    entries. To be changed inside the money context.
    """

    quantity: Decimal = ZERO
    made: Decimal = ZERO
    fees: Decimal = ZERO
    dated: Decimal = ZERO
    opened_at: int | None = None
    flags: tuple[str, ...] = ()

    def add(self, part: "Stake") -> None:
        """Let a part join, of the same sign."""
        self.flags = joint(self.flags, part.flags)
        self.made += part.made
        self.fees += part.fees
        self.quantity += part.quantity
        at, known = part.opened_at, self.opened_at
        if at is None:
            return
        self.dated += part.dated
        if known is None or self.dated == part.dated:
            self.opened_at = at
        else:
            later = ratio18(Decimal(at - known), part.dated, self.dated)
            self.opened_at = known + int(quantise(later, Decimal(1), Rounding.HALF_EVEN))

    def take(self, quantity: Decimal) -> "Stake":
        """Take a quantity (≥ 0) out with its part of everything; all that is there if it is less.

        A leveraged position tells no quantity: its first closing takes all.
        """
        there = abs(self.quantity)
        if quantity >= there:
            part = msgspec.structs.replace(self)
            self.quantity = self.made = self.fees = self.dated = ZERO
            self.opened_at, self.flags = None, ()
            return part
        part = Stake(
            quantity if self.quantity > 0 else -quantity,
            ratio18(self.made, quantity, there),
            ratio18(self.fees, quantity, there),
            ratio18(self.dated, quantity, there),
            self.opened_at,
            self.flags,
        )
        self.quantity -= part.quantity
        self.made -= part.made
        self.fees -= part.fees
        self.dated -= part.dated
        return part

    def split(self, numerator: Decimal, denominator: Decimal) -> None:
        """Count the same in other units."""
        self.quantity = ratio18(self.quantity, numerator, denominator)
        self.dated = ratio18(self.dated, numerator, denominator)


def joint(*flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return every flag once, in order."""
    return tuple(dict.fromkeys(chain(*flags))) if any(flags) else ()
