"""Deeds of funding: money and coins that come and go, and moves to the owner's futures wallet.

A failed withdrawal is a row that goes and, a day or so later, one of the same reference that comes
back with the fee negative. Some passages never become a row at all.
"""

from typing import Final

from bursar.sim.chance import hits
from bursar.sim.kraken.life import Life
from bursar.sim.kraken.listing import coins, ten
from bursar.sim.kraken.market import SECOND
from bursar.sim.kraken.rows import IN, OUT, Flow, Passage

_FUNDED: Final = ("ZUSD", "ZUSD", "ZUSD", "ZEUR", "ZEUR", "XXBT", "XETH", "USDT", "SOL", "KFEE")
_TAKEN: Final = ("ZUSD", "ZUSD", "ZEUR", "XXBT", "XETH", "USDT")
_HOURS: Final = 3600 * SECOND


def begin(life: Life) -> bool:
    """Put the first money in, so that there is something to do."""
    for code, dollars in (("ZUSD", 60_000), ("ZEUR", 30_000), ("XXBT", 20_000), ("KFEE", 8_000)):
        _put(life, code, dollars)
        life.wait(life.second(900))
    return True


def deposit(life: Life) -> bool:
    """Put something in."""
    return _put(life, life.chance.choice(_FUNDED), life.chance.randint(200, 9_000))


def withdrawal(life: Life) -> bool:
    """Take something out; the fee is on top."""
    code, refid = life.chance.choice(_TAKEN), life.reference()
    amount, fee = _withdrawable(life, code)
    if amount <= 0:
        return False
    life.post(Flow.WITHDRAWAL, "withdrawal", refid, code, -amount, fee)
    life.passages.append(Passage(OUT, refid, code, amount, fee, life.now, "Success"))
    return True


def failed_withdrawal(life: Life) -> bool:
    """Take something out that comes back, fee and all, within two days."""
    code, refid = life.chance.choice(_TAKEN), life.reference()
    amount, fee = _withdrawable(life, code)
    if amount <= 0:
        return False
    life.post(Flow.WITHDRAWAL, "withdrawal", refid, code, -amount, fee)
    life.passages.append(Passage(OUT, refid, code, amount, fee, life.now, "Failure", "canceled"))

    def comes_back(then: Life) -> None:
        then.post(Flow.WITHDRAWAL, "withdrawal", refid, code, amount, -fee)

    life.later(life.chance.randint(_HOURS, 48 * _HOURS), comes_back)
    return True


def never_arrived(life: Life) -> bool:
    """Announce a deposit or a withdrawal of which nothing comes: no row, nothing moved."""
    is_deposit = hits(life.chance, 0.5)
    prop = life.chance.choice(("", "onhold", "return"))
    amount = life.buys("XXBT", 500)
    life.passages.append(
        Passage(is_deposit, life.reference(), "XXBT", amount, 0, life.now, "Failure", prop)
    )
    return True


def futures(life: Life) -> bool:
    """Move money to the owner's futures wallet, or back from it."""
    code = life.chance.choice(("ZUSD", "XXBT"))
    away = life.futures.get(code, 0)
    if away and hits(life.chance, 0.5):
        life.post(Flow.FUTURES, "transfer/spotfromfutures", life.name("F"), code, away)
        life.futures[code] = 0
        return True
    amount = life.some(code, 10, 60)
    if amount <= 0:
        return False
    life.post(Flow.FUTURES, "transfer/spottofutures", life.name("F"), code, -amount)
    life.futures[code] = away + amount
    return True


def _put(life: Life, code: str, dollars: int) -> bool:
    amount = dollars * 50 if code == "KFEE" else life.buys(code, dollars)
    has_fee = code == "ZEUR" and hits(life.chance, 0.3)
    fee = 10**4 if has_fee else 0
    refid = life.reference()
    life.post(Flow.DEPOSIT, "deposit", refid, code, amount, fee)
    if code != "KFEE":
        status = life.chance.choice(("Success", "Settled"))
        life.passages.append(Passage(IN, refid, code, amount, fee, life.now, status))
    return True


def _withdrawable(life: Life, code: str) -> tuple[int, int]:
    """Return an amount to take out and its fee: a thousandth, no less than an atom."""
    amount = life.some(code, 5, 50)
    fee = 35 * ten(coins()[code].decimals - 2) // 10 if code in {"ZUSD", "ZEUR"} else 0
    fee = fee or max(amount // 1000, 1)
    return (amount, fee) if amount > 0 and amount + fee <= life.held(code) else (0, 0)
