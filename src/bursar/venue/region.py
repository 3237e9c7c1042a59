"""Regions: what an account may do where its owner lives.

The table is closed. It decides what is booked, not what is owed: an entry of a kind that the region
does not allow is refused by name, since it means that the account or the region is another.

Errors: `BadChoice` for a region that the table lacks, `RegionDenied` for a row it does not allow.
"""

from types import MappingProxyType
from typing import Final

import msgspec

from bursar.errors import BadChoice, RegionDenied


class RegionProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered in a region, and the currency its markets are quoted in by default."""

    code: str
    supports_margin: bool
    supports_futures: bool
    supports_staking: bool
    default_quote: str

    def allow_margin(self, row: str) -> None:
        """Let a leveraged entry in, or refuse it by the id of its row."""
        if not self.supports_margin:
            raise RegionDenied(
                f"{row} is a margin entry, and {self.code} has no margin trading; is the region"
                " right?",
                row=row,
                region=self.code,
            )

    def allow_futures(self, row: str) -> None:
        """Let a move to or from a futures wallet in, or refuse it by the id of its row."""
        if not self.supports_futures:
            raise RegionDenied(
                f"{row} moves coins between spot and futures, and {self.code} has no futures; is"
                " the region right?",
                row=row,
                region=self.code,
            )


GLOBAL: Final = RegionProfile(
    code="GLOBAL",
    supports_margin=True,
    supports_futures=True,
    supports_staking=True,
    default_quote="USD",
)
US: Final = RegionProfile(
    code="US",
    supports_margin=False,
    supports_futures=False,
    supports_staking=True,
    default_quote="USD",
)
US_CA: Final = RegionProfile(
    code="US_CA",
    supports_margin=False,
    supports_futures=False,
    supports_staking=False,
    default_quote="USD",
)
EU: Final = RegionProfile(
    code="EU",
    supports_margin=True,
    supports_futures=True,
    supports_staking=True,
    default_quote="EUR",
)

PROFILES: Final = MappingProxyType({each.code: each for each in (GLOBAL, US, US_CA, EU)})


def profile(code: str) -> RegionProfile:
    """Return the profile of a region code."""
    found = PROFILES.get(code)
    if found is None:
        known = ", ".join(PROFILES)
        raise BadChoice(f"{code!r} is no region; there are {known}", value=code)
    return found
