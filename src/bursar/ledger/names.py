"""Names of assets: one coin under several codes, and which of two is the quote."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ALIASES: Final[Mapping[str, str]] = MappingProxyType({"BTC": "XBT", "DOGE": "XDG"})
_QUOTES: Final = ("USD", "EUR", "GBP", "USDT", "USDC", "JPY", "CHF", "CAD", "AUD", "XBT", "ETH")
_RANKING: Final = {asset: place for place, asset in enumerate(_QUOTES)}


def canonical(asset: str) -> str:
    """Return the one name under which an asset's prices are kept."""
    return ALIASES.get(asset, asset)


def oriented(taken: str, given: str, cash: frozenset[str]) -> tuple[str, str]:
    """Choose (base, quote) where no pair is stated: money is the quote, else the usual quote is."""

    def rank(asset: str) -> tuple[bool, int]:
        return asset not in cash, _RANKING.get(asset, len(_RANKING))

    return (given, taken) if rank(taken) < rank(given) else (taken, given)
