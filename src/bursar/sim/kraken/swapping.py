"""Deeds of swapping: the app's instant swaps, dust sweeps, forced conversions, and the unforeseen.

A swap is a `spend` and a `receive` of one reference and stands in no trade history. A forced
conversion is two adjustments under two references, about a second apart. Types that nobody has
heard of come now and then, since the venue invents them without notice.
"""

from typing import Final

from bursar.sim.chance import hits
from bursar.sim.kraken.life import Life, atoms
from bursar.sim.kraken.listing import coins, ten
from bursar.sim.kraken.market import DAY, SECOND
from bursar.sim.kraken.rows import Flow

_SWAPPED: Final = ("XXBT", "XETH", "SOL", "ADA", "USDC", "DOT", "LUNA")
_SWEPT: Final = ("XTZ", "SGB", "ALGO", "XXDG", "ADA", "ATOM", "ZRX")
_FORCED: Final = (("MATIC", "POL"), ("LUNA", "ZUSD"), ("EURT", "ZEUR"))
_STRANGE: Final = ("custodytransfer", "nftrebate", "quantumdrop", "sale/block")


def swap(life: Life) -> bool:
    """Buy with the app's button; the fee is on what is spent, or on both."""
    chance = life.chance
    spent, got = chance.choice(("ZUSD", "ZEUR")), chance.choice(_SWAPPED)
    amount = life.some(spent, 1, 30)
    fee = amount * chance.choice((0, 5, 15)) // 1000
    received = _exchanged(life, spent, amount, got)
    if amount <= 0 or amount + fee > life.held(spent) or received <= 0:
        return False
    fee_there = received // 500 if hits(chance, 0.2) else 0
    _both(life, (spent, amount, fee), (got, received, fee_there))
    return True


def swap_even(life: Life) -> bool:
    """Buy as many of one coin as are spent of another: 100 for 100, and still a swap."""
    amount = life.some("ZUSD", 2, 20) // 10**4 * 10**4
    if amount <= 0:
        return False
    usdc = atoms(coins()["USDC"], amount, coins()["ZUSD"].decimals)
    _both(life, ("ZUSD", amount, 0), ("USDC", usdc, 0))
    return True


def sweep_dust(life: Life) -> bool:
    """Have some small remains turned into money: n spends and one receive."""
    found = [code for code in _SWEPT if 0 < life.held(code) < life.buys(code, 60)][:4]
    if not found:
        return False
    refid = life.name("T")
    got = 0
    for code in found:
        amount = life.held(code)
        got += _exchanged(life, code, amount, "ZUSD")
        life.post(Flow.DUST, "spend/dustsweeping", refid, code, -amount)
    life.post(Flow.DUST, "receive/dustsweeping", refid, "ZUSD", max(got, 1))
    return True


def delist(life: Life) -> bool:
    """Have a coin turned into another by the venue; at most once a day, so that pairs are clear."""
    old, new = life.chance.choice(_FORCED)
    amount, today = life.held(old), life.now // DAY
    if not amount or life.adjusted_on == today or (life.now + 2 * SECOND) // DAY != today:
        return False
    got = amount if (old, new) == ("MATIC", "POL") else _exchanged(life, old, amount, new)
    if got <= 0:
        return False
    kind = life.chance.choice(("adjustment", "transfer/delistingconversion"))
    life.adjusted_on = today
    life.post(Flow.CONVERSION, kind, life.name("A"), old, -amount)
    life.wait(SECOND)
    life.post(Flow.CONVERSION, kind, life.name("A"), new, got)
    return True


def strange(life: Life) -> bool:
    """Meet a type that nobody knows: it moves coins, and that is all there is to say."""
    kind, code = life.chance.choice(_STRANGE), life.chance.choice(("XXBT", "ZUSD", "SOL"))
    amount = life.some(code, 1, 5)
    if amount <= 0:
        return False
    signed = amount if hits(life.chance, 0.5) else -amount
    life.post(Flow.UNKNOWN, kind, life.name("X"), code, signed)
    return True


def removal(life: Life) -> bool:
    """See coins go in a transfer without a word."""
    amount = life.some("FLR", 100, 500)
    if amount <= 0:
        return False
    life.post(Flow.UNKNOWN, "transfer", life.name("R"), "FLR", -amount)
    return True


def _both(life: Life, spent: tuple[str, int, int], got: tuple[str, int, int]) -> None:
    refid = life.name("T")
    life.post(Flow.SWAP, "spend", refid, spent[0], -spent[1], spent[2])
    life.post(Flow.SWAP, "receive", refid, got[0], got[1], got[2])


def _exchanged(life: Life, code: str, amount: int, into: str) -> int:
    """Return what an amount of one coin is worth in another, now, less two per cent."""
    source, target = coins()[code], coins()[into]
    worth, price = life.market.worth(source, life.now), life.market.worth(target, life.now)
    if not worth or not price:
        return 0
    return amount * worth * ten(target.decimals) * 98 // (price * ten(source.decimals) * 100)
