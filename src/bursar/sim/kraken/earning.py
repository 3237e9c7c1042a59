"""Deeds of earning: staking in its old and its new form, rewards, airdrops, dividends, credits.

The old way a move to staking is two rows with two references, seconds apart, from `DOT` to `DOT.S`;
the new way is two rows of one reference. A migration bears the reference `Unknown`, and so may a
reward that has nothing to do with it. A commission stands in the fee column of the reward.
"""

from typing import Final

from bursar.sim.kraken.life import Life
from bursar.sim.kraken.listing import coins, ten
from bursar.sim.kraken.market import SECOND
from bursar.sim.kraken.rows import Flow

_STAKED: Final = {
    "DOT": "DOT.S",
    "SOL": "SOL03.S",
    "ADA": "ADA.S",
    "XTZ": "XTZ.S",
}
_EARNED: Final = {"DOT": "DOT.B", "SOL": "SOL.B"}
_AUTO: Final = {"XXBT": "XBT.F", "XETH": "ETH.F", "SOL": "SOL.F"}
_OPT_IN: Final = {"XXBT": "XBT.M", "ZUSD": "USD.M"}
_UNKNOWN: Final = "Unknown"


def stake(life: Life) -> bool:
    """Move coins to staking the old way."""
    code = life.chance.choice(tuple(_STAKED))
    return _apart(life, code, _STAKED[code], ("spottostaking", "stakingfromspot"))


def unstake(life: Life) -> bool:
    """Move coins from staking the old way."""
    code = life.chance.choice(tuple(_STAKED))
    return _apart(life, _STAKED[code], code, ("stakingtospot", "spotfromstaking"))


def staking_reward(life: Life) -> bool:
    """Be paid on a staked code."""
    code = _held_one(life, (*_STAKED.values(), "ETH2.S"))
    if not code:
        return False
    life.post(Flow.REWARD, "staking", life.name("S"), code, _reward(life, code))
    return True


def sweep(life: Life) -> bool:
    """Have earlier rewards gathered: a negative staking row and a positive one, and no income."""
    amount = life.some("ETH2.S", 300, 900)
    if amount <= 0:
        return False
    refid = life.name("S")
    life.post(Flow.INTERNAL, "staking", refid, "ETH2.S", -amount)
    life.post(Flow.INTERNAL, "staking", refid, "ETH2", amount)
    return True


def allocate(life: Life) -> bool:
    """Move coins to an earn pocket, by hand or by the venue itself."""
    ways = [
        (_EARNED, "earn/allocation"),
        (_AUTO, "earn/autoallocation"),
        (_OPT_IN, "earn/allocation"),
    ]
    pockets, kind = life.chance.choice(ways)
    code = life.chance.choice(tuple(pockets))
    return _together(life, kind, code, pockets[code])


def deallocate(life: Life) -> bool:
    """Move coins back from an earn pocket."""
    pockets = life.chance.choice((_EARNED, _AUTO, _OPT_IN))
    code = life.chance.choice(tuple(pockets))
    return _together(life, "earn/deallocation", pockets[code], code)


def earn_reward(life: Life) -> bool:
    """Be paid on an earn pocket; the venue's commission is the fee."""
    pockets = (*_EARNED.values(), *_AUTO.values(), *_OPT_IN.values())
    code = _held_one(life, pockets)
    if not code:
        return False
    amount = _reward(life, code)
    fee = amount * life.chance.choice((0, 15, 30)) // 100
    life.post(Flow.REWARD, "earn/reward", life.name("E"), code, amount, fee)
    return True


def migrate(life: Life) -> bool:
    """Have a staked code folded into the plain one, with a reward under the same `Unknown`."""
    amount = life.held("DOT.S")
    if not amount:
        return False
    life.post(Flow.INTERNAL, "earn/migration", _UNKNOWN, "DOT.S", -amount)
    life.post(Flow.INTERNAL, "earn/migration", _UNKNOWN, "DOT", amount)
    life.wait(life.second(3600))
    life.post(Flow.REWARD, "earn/reward", _UNKNOWN, "DOT", _reward(life, "DOT"))
    return True


def airdrop(life: Life) -> bool:
    """Be given coins: one kind has a market, the other none."""
    code = life.chance.choice(("SGB", "FLR"))
    kind = life.chance.choice(("transfer", "transfer/airdrop", "earn/airdrop"))
    life.post(Flow.AIRDROP, kind, life.name("R"), code, life.buys(code, 20))
    return True


def dividend(life: Life) -> bool:
    """Be paid a dividend."""
    life.post(Flow.DIVIDEND, "dividend", life.name("D"), "ZUSD", life.chance.randint(10, 90_000))
    return True


def bonus(life: Life) -> bool:
    """Be paid for nothing in particular."""
    kind = life.chance.choice(("reward/welcomebonus", "invite bonus"))
    life.post(Flow.REWARD, kind, life.name("R"), "XXBT", life.buys("XXBT", 10))
    return True


def credit(life: Life) -> bool:
    """Be given a fee back."""
    life.post(Flow.CREDIT, "credit", life.name("C"), "ZUSD", life.chance.randint(1, 9_000))
    return True


def _apart(life: Life, code: str, into: str, kinds: tuple[str, str]) -> bool:
    """Move coins with two references; the second row comes half a minute later."""
    amount = life.some(code, 100, 900)
    if amount <= 0:
        return False
    life.post(Flow.INTERNAL, f"transfer/{kinds[0]}", life.name("B"), code, -amount)

    def arrives(then: Life) -> None:
        then.post(Flow.INTERNAL, f"transfer/{kinds[1]}", then.name("R"), into, amount)

    life.later(life.chance.randint(1, 50) * SECOND, arrives)
    return True


def _together(life: Life, kind: str, code: str, into: str) -> bool:
    amount = life.some(code, 50, 500)
    if amount <= 0:
        return False
    refid = life.name("E")
    life.post(Flow.INTERNAL, kind, refid, code, -amount)
    life.post(Flow.INTERNAL, kind, refid, into, amount)
    return True


def _held_one(life: Life, codes: tuple[str, ...]) -> str:
    held = [code for code in codes if life.held(code)]
    return life.chance.choice(held) if held else ""


def _reward(life: Life, code: str) -> int:
    """Return a little of what is held, at least an atom, with no roundness to it."""
    at_least = ten(max(coins()[code].decimals - 6, 0))
    return life.held(code) * life.chance.randint(5, 90) // 100_000 + at_least
