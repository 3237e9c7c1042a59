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


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """All that a venue says lies in an account at `as_of`, UTC nanoseconds."""

    account: str
    as_of: int
    holdings: tuple[Holding, ...]
