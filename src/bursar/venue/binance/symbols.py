"""Binance's names for markets, and the amounts that its exports glue to the names of coins.

`BTCUSDT` cannot be split by a rule, so `pairs.csv` beside this module lists names with their base
and quote. A market that has left the venue may be missing there: its name is split at a currency
that markets are quoted in, if that can be done in one way only, or in one way only with a base that
the tables know.

`12.500000001INCH` is 12.50000000 of 1INCH or 12.500000001 of INCH. In a row of trades the pair
decides: base and quote must both be units of it and nothing may be left over.

Errors: `UnknownAsset` for a name that cannot be split.
"""

import csv
import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from bursar.errors import UnknownAsset

# What markets are or were quoted in.
_QUOTED: Final = """
AEUR ARS AUD BIDR BKRW BNB BRL BTC BUSD BVND COP CZK DAI DOGE DOT ETH EUR EURI FDUSD GBP IDRT JPY
KZT MXN NGN PAX PLN RON RUB SOL TRX TRY TUSD UAH USD1 USDC USDP USDS USDT UST VAI XRP XUSD ZAR
"""
QUOTES: Final = frozenset(_QUOTED.split())
_NAME_MAX: Final = 64
_NUMBER: Final = r"[0-9][0-9,]*(?:\.[0-9]*)?"
_AMOUNT: Final = re.compile(_NUMBER, re.ASCII)
_GLUED: Final = re.compile(rf"({_NUMBER})([^0-9.,\s+-]\S*)", re.ASCII)


class Pair(msgspec.Struct, frozen=True):
    """Two assets by Binance's names."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


@lru_cache(maxsize=4096)
def pair(name: str) -> Pair:
    """Split the name of a market: `BTCUSDT`, `BTC/USDT`."""
    base, slash, quote = name.partition("/")
    if slash and base and quote and "/" not in quote:
        return Pair(base, quote)
    known = _table().get(name)
    if known is not None:
        return known
    found = [Pair(name[: -len(end)], end) for end in sorted(QUOTES) if name.endswith(end)]
    found = [each for each in found if each.base.isalnum()]
    if len(found) > 1:
        found = [each for each in found if each.base in assets()]
    if len(found) != 1:
        raise UnknownAsset(f"{name!r} is not a pair that this version can split", value=name)
    return found[0]


@cache
def assets() -> frozenset[str]:
    """Return the coins that the tables know."""
    return QUOTES | {each.base for each in _table().values()}


def unglued(name: str, base_text: str, quote_text: str) -> tuple[Pair, str, str] | None:
    """Part two glued amounts by the pair they belong to: (pair, base number, quote number)."""
    letters = name.replace("/", "")
    for cut in range(1, min(len(letters), _NAME_MAX)):
        of = Pair(letters[:cut], letters[cut:])
        base, quote = number_of(base_text, of.base), number_of(quote_text, of.quote)
        if base is not None and quote is not None and name in {letters, str(of)}:
            return of, base, quote
    return None


def number_of(text: str, unit: str) -> str | None:
    """Return the number that is glued to this unit, or `None`."""
    number = text.removesuffix(unit).rstrip()
    if number == text or _AMOUNT.fullmatch(number) is None:
        return None
    return number


def glued(text: str, likely: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """Part a number, which may be below zero, from the unit it is glued to, the likely units first;
    `None` if it has none.
    """
    bare = text.removeprefix("-")
    sign = text[: len(text) - len(bare)]
    for unit in likely:
        number = number_of(bare, unit)
        if number is not None:
            return sign + number, unit
    match = _GLUED.fullmatch(bare)
    return None if match is None else (sign + match.group(1), match.group(2))


@cache
def _table() -> dict[str, Pair]:
    text = (files(__package__) / "pairs.csv").read_text(encoding="utf-8")
    return {
        row["name"]: Pair(row["base"], row["quote"]) for row in csv.DictReader(text.split("\n"))
    }
