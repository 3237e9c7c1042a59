"""Names of assets: one coin under several codes, and which of two is the quote."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

ALIASES: Final[Mapping[str, str]] = MappingProxyType({"BTC": "XBT", "DOGE": "XDG", "LUNC": "LUNA"})
_QUOTES: Final = ("USD", "EUR", "GBP", "USDT", "USDC", "JPY", "CHF", "CAD", "AUD", "XBT", "ETH")
_RANKING: Final = {asset: place for place, asset in enumerate(_QUOTES)}


def canonical(asset: str) -> str:
    """Return the one name under which an asset's prices are kept."""
    return ALIASES.get(asset, asset)


@lru_cache(maxsize=4096)
def names_of(asset: str) -> frozenset[str]:
    """Return every name of an asset."""
    one = canonical(asset)
    return frozenset({one, *(name for name, known in ALIASES.items() if known == one)})


def known_as(asset: str, account: str, places: Iterable[tuple[str, str]]) -> str:
    """Return the name that an account, or else the book, has for an asset: BTC may be XBT.

    `places` are (account, asset) of what is held.
    """
    known = [place for place in places if canonical(place[1]) == canonical(asset)]
    own = {name for place, name in known if place == account}
    names = own or {name for _, name in known} or {asset}
    return asset if asset in names else min(names)


@lru_cache(maxsize=4096)
def oriented(taken: str, given: str, cash: frozenset[str]) -> tuple[str, str]:
    """Choose (base, quote) where no pair is stated: money is the quote, else the usual quote is."""

    def rank(asset: str) -> tuple[bool, int]:
        return asset not in cash, _RANKING.get(asset, len(_RANKING))

    return (given, taken) if rank(taken) < rank(given) else (taken, given)
