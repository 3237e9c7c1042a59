"""Kraken's names for coins: from the code in a row to the asset and the pocket it lies in.

A coin has one name here, Kraken's own short one (`XBT`, `XDG`, `EUR`), whichever generation of
exports or API wrote the row. Names come from the tables below and never from cutting letters:
`XTZ`, `ZRX` and `ZEUS` begin like prefixed codes and are not.

A suffix says where the coins lie: `DOT.S` is DOT, staked. The digits of `DOT28.S` are bonding days;
the digit of `ETH2.S` belongs to the name. An unknown code or suffix is kept as it is: it is an
asset of its own.
"""

from functools import lru_cache
from typing import Final

import msgspec

KFEE: Final = "KFEE"
"""Fee credits: counted, but not money."""

RENAMED: Final = {"MATIC": "POL"}
"""Coins that their makers gave another name, one for one: nothing was sold, nothing was bought."""

# Codes that differ from the short name. The last line has left the venue but stands in old exports.
_LONG: Final = (
    "XETC XETH XLTC XMLN XREP XXBT XXDG XXLM XXMR XXRP XZEC "
    "ZARS ZAUD ZCAD ZCLP ZCOP ZDKK ZEUR ZGBP ZGEL ZGHS ZJPY "
    "ZLKR ZMXN ZPLN ZSEK ZUGX ZUSD ZVND ZXOF "
    "XDAO XICN XNMC XXVN ZKRW"
)
_SHORT: Final = {code: code[1:] for code in _LONG.split()} | {"BTC": "XBT", "DOGE": "XDG"}

_POCKETS: Final = {
    "S": "staked",
    "M": "rewards",
    "B": "bonded",
    "F": "auto-earn",
    "P": "parachain",
    "T": "tokenised",
    "HOLD": "hold",
}
_BONDING_DAYS: Final = frozenset({"03", "04", "07", "14", "21", "28"})

# A wallet and a suffix that mean the same place have the same name, so generations of exports
# agree.
_WALLETS: Final = {
    "": None,
    "spot / main": None,
    "earn / bonded": "bonded",
    "earn / flexible": "auto-earn",
    "earn / liquid": "liquid",
    "earn / locked": "locked",
}


class Coin(msgspec.Struct, frozen=True):
    """What a code stands for. `code` is the code again, with the asset by its short name."""

    asset: str
    code: str
    pocket: str | None = None


@lru_cache(maxsize=4096)
def coin(code: str) -> Coin:
    """Read a code as it stands in a row: `XXBT`, `BTC`, `DOT28.S`, `TSLAx`."""
    stem, dot, suffix = code.rpartition(".")
    if not dot or not stem or suffix not in _POCKETS:
        name = _SHORT.get(code, code)
        return Coin(name, name)
    pocket = _POCKETS[suffix]
    days = stem[-2:] if suffix == "S" and stem[-2:] in _BONDING_DAYS else ""
    bare = stem.removesuffix(days) or stem
    asset = _SHORT.get(bare, bare)
    return Coin(asset, f"{asset}{days}.{suffix}", f"{pocket}:{days}" if days else pocket)


def pocket(of: Coin, wallet: str) -> str | None:
    """Say where the coins of a row lie: a suffix settles it, else the wallet column does.

    `None` is the main pocket, and also what an export without the column says.
    """
    if of.pocket is not None:
        return of.pocket
    return _WALLETS.get(wallet, wallet)
