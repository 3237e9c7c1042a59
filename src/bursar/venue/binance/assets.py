"""Binance's names for coins and wallets: from what stands in a row to the asset and the pocket.

A coin has one name here, Binance's own (`BTC`, `DOGE`). `LDUSDT` is USDT that lies in Simple Earn,
but `LDO` is a coin: a code counts as such a receipt only where the tables name what follows `LD`
and do not name the code itself. An unknown code is an asset of its own.

A wallet has had several names over the years; each is one pocket here, and a wallet that no table
names is a pocket under its own name. The spot wallet is the main pocket, `None`.
"""

from functools import lru_cache
from typing import Final

import msgspec

from bursar.venue.binance.symbols import assets

FUTURES: Final = "usd-m futures"
COIN_FUTURES: Final = "coin-m futures"
EARN: Final = "earn"
FUNDING: Final = "funding"
_RECEIPT: Final = "LD"
_WALLETS: Final = {
    "spot": None,
    "earn": EARN,
    "savings": EARN,
    "flexible savings": EARN,
    "locked savings": EARN,
    "funding": FUNDING,
    "p2p": FUNDING,
    "pool": "pool",
    "usdt-futures": FUTURES,
    "usd-mfutures": FUTURES,
    "usd-m futures": FUTURES,
    "usd-margined futures": FUTURES,
    "coin-futures": COIN_FUTURES,
    "coin-mfutures": COIN_FUTURES,
    "coin-m futures": COIN_FUTURES,
    "coin-margined futures": COIN_FUTURES,
    "cross margin": "cross margin",
    "crossmargin": "cross margin",
    "margin": "cross margin",
    "isolated margin": "isolated margin",
    "isolatedmargin": "isolated margin",
}
_DERIVATIVES: Final = frozenset({FUTURES, COIN_FUTURES})


class Coin(msgspec.Struct, frozen=True):
    """What a code stands for, and in which pocket such coins always lie."""

    asset: str
    code: str
    pocket: str | None = None


@lru_cache(maxsize=4096)
def coin(code: str) -> Coin:
    """Read a code as it stands in a row: `BTC`, `LDUSDT`, `LDO`."""
    stem = code.removeprefix(_RECEIPT)
    if stem != code and stem in assets() and code not in assets():
        return Coin(stem, code, EARN)
    return Coin(code, code)


@lru_cache(maxsize=256)
def pocket(wallet: str) -> str | None:
    """Name the pocket of a wallet, `None` for the spot wallet."""
    name = " ".join(wallet.casefold().split())
    return _WALLETS.get(name, name)


def is_futures(where: str | None) -> bool:
    """Tell whether a pocket is a futures wallet, where fees and profits are of positions."""
    return where in _DERIVATIVES
