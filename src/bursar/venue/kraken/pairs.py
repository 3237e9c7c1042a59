"""Kraken's names for markets, each with its base and quote.

A pair's name cannot be split by rule: `DOGEUR` is DOG against EUR, `XTZEUR` is XTZ against EUR,
`EURTUSD` is EURT against USD. So `pairs.csv` beside this module lists the names, and only a name
with a slash is split, at its slash.

Errors: `UnknownAsset` for a name that the table lacks.
"""

import csv
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from bursar.errors import UnknownAsset
from bursar.venue.kraken.assets import coin


class Pair(msgspec.Struct, frozen=True):
    """Two assets by their canonical names."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


@lru_cache(maxsize=4096)
def pair(name: str) -> Pair:
    """Read a pair's name: `XXBTZEUR`, `XBTEUR`, `XBT/EUR` and `BTC/EUR` are one pair."""
    base, slash, quote = name.partition("/")
    if slash and base and quote and "/" not in quote:
        return Pair(coin(base).asset, coin(quote).asset)
    known = _table().get(name)
    if known is None:
        raise UnknownAsset(f"{name!r} is not a pair that this version knows", value=name)
    return known


@cache
def _table() -> dict[str, Pair]:
    text = (files(__package__) / "pairs.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["name"]: Pair(coin(row["base"]).asset, coin(row["quote"]).asset) for row in rows}
