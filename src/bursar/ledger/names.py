"""Names of assets: one coin under several codes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ALIASES: Final[Mapping[str, str]] = MappingProxyType({"BTC": "XBT", "DOGE": "XDG"})


def canonical(asset: str) -> str:
    """Return the one name under which an asset's prices are kept."""
    return ALIASES.get(asset, asset)
