"""The history that the contestants fold, and what a contestant is."""

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from random import Random
from typing import Any, NamedTuple

from bursar.ledger.entries import Fee, Fill, Rate, Side

BASE, COIN = "USD", "XBT"
ACCOUNT = "kraken:main"
SYMBOLS = tuple(f"C{number:02}" for number in range(50))
EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)

_START, _SECOND = 1_767_600_000_000_000_000, 1_000_000_000
_CENT, _FEE, _RATE = Decimal("1e-8"), Decimal("0.0016"), Decimal("43210.98")


class Run(NamedTuple):
    """One pass over a history: only `take` is timed.

    `records` puts a chunk of fills into the contestant's own records. `realized` gives what was
    made in all, fees taken off, so that runs can be compared; `None` where it keeps no such sum.
    """

    records: Callable[[list[Fill]], Any]
    take: Callable[[Any], object]
    realized: Callable[[], Decimal | None]


class Contestant(NamedTuple):
    """A way to fold, the rule it folds by, how to begin a pass, and the most fills it can do."""

    name: str
    rule: str
    begin: Callable[[], Run]
    limit: int = 10**9
    quote: str = BASE
    exact: bool = True


def history(quote: str) -> Iterator[Fill]:
    """Endless fills over 50 coins: prices of 2 to 8 decimals, sales of a part, fee in the quote.

    Positions go flat now and then. A short history is the beginning of a long one. Quoted in a
    coin, a fill carries the worth it had then, as a recorded one does.
    """
    rng = Random(20260105)  # noqa: S311 (the same fills in every run)
    digits = [rng.randint(2, 8) for _ in SYMBOLS]
    prices = [rng.randint(10**5, 10**8) for _ in SYMBOLS]
    held = [0] * len(SYMBOLS)
    count = 0
    while True:
        count += 1
        coin = rng.randrange(len(SYMBOLS))
        prices[coin] = max(10**5, prices[coin] + rng.randint(-999, 999))
        units = rng.randint(1, 10**7)
        if held[coin] and rng.random() < 0.5:  # noqa: PLR2004 (as often in as out)
            units = -min(held[coin], units)
        held[coin] += units
        quantity = Decimal(units).scaleb(digits[coin] - 10)
        price = Decimal(prices[coin]).scaleb(-digits[coin])
        yield _fill(count, SYMBOLS[coin], quantity, price, quote)


def _fill(count: int, base: str, quantity: Decimal, price: Decimal, quote: str) -> Fill:
    amount = EXACT.multiply(abs(quantity), price).quantize(_CENT)
    fee = EXACT.multiply(amount, _FEE).quantize(_CENT)
    priced = quote == BASE
    return Fill(
        id=f"kraken:{count}",
        executed_at=_START + count * _SECOND,
        account=ACCOUNT,
        sequence=count,
        base=base,
        quote=quote,
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        amount=amount,
        price=price,
        pair=f"{base}/{quote}",
        fees=(Fee(quote, fee, fee if priced else EXACT.multiply(fee, _RATE)),),
        rates=() if priced else (Rate(quote, BASE, _RATE, "candle", _START),),
        value=amount if priced else EXACT.multiply(amount, _RATE),
    )
