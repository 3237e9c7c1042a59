"""A venue's claim: what lies in one account at one moment.

A claim exists only where the venue answered whole. A call that failed leaves no statement, and
that is unknown, never an empty account.
"""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO


class Holding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lies of one asset in one pocket. `reserved` is the part of `total` in open orders.

    `code` is the venue's own name for the asset in that pocket.
    """

    asset: str
    code: str
    total: Decimal
    pocket: str | None = None
    reserved: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        """What may be used now."""
        return self.total - self.reserved


class Leveraged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is open of one leveraged position: `quantity` of `base`, below zero where it is short.

    `pair` is the name by which its fills go. `entered` is what it was entered for in all, in
    `quote`, without sign, and `since` when its oldest part was opened; `None` is not said.
    """

    pair: str
    base: str
    quote: str
    quantity: Decimal
    entered: Decimal | None = None
    since: int | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a venue says lies in an account at `as_of`, UTC nanoseconds.

    `leveraged` are the positions that it spoke of at `leveraged_at`, those that are closed by
    then with nothing in them; of any other it says nothing. `None` is that it was not asked, or
    could not say.
    """

    account: str
    as_of: int
    holdings: tuple[Holding, ...]
    leveraged: tuple[Leveraged, ...] = ()
    leveraged_at: int | None = None
