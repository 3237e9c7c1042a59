"""How fast does a history fold into a book, beside other people's ledgers?

Every contestant gets the same fills in the same order. The history is cut into chunks; a chunk is
put into each contestant's own records first, untimed, and then each takes it in turn (A B C, A B C,
…), so that whatever else the machine does slows all of them alike. Hence: read the ratios.

The yardstick is what the arithmetic alone costs: a loop over the same records that keeps the same
sums with the same exact decimals in plain dicts, and nothing a ledger is for. Peers run only where
they are installed, and at sizes they can do. Sums are compared at the end of every run.
"""

import argparse
import gc
import importlib.util
import json
import sys
from collections import deque
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import NamedTuple

from bursar.ledger.book import Book
from bursar.ledger.entries import Fee, Fill, Rate, Side
from bursar.ledger.fold import fold
from bursar.ledger.terms import Method, Terms

SYMBOLS = 50
CHUNK = 5_000
ACCOUNT = "kraken:main"
START, SECOND = 1_767_600_000_000_000_000, 1_000_000_000
ZERO, ATOM, CENT = Decimal(0), Decimal("1e-18"), Decimal("1e-8")
EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)
RATE = Decimal("43210.98")


class Contestant(NamedTuple):
    """One way to fold: `begin` gives (its records of a chunk, take them, realised PnL so far)."""

    name: str
    group: str
    begin: Callable[[], "Run"]
    limit: int = sys.maxsize
    full_limit: int = sys.maxsize
    exact: bool = True


class Run(NamedTuple):
    """One pass over a history. Only `take` is timed; `realized` is `None` if nothing compares."""

    records: Callable[[list[Fill]], object]
    take: Callable[[object], object]
    realized: Callable[[], Decimal | float | None]


# ------------------------------------------------------------------------------------- the history


def history(quote: str) -> Iterator[Fill]:
    """Endless fills over 50 coins: prices of 2–8 decimals, sales of a part, fee in the quote.

    About one sale in seven closes its position. The same for every size: a short history begins a
    long one. Quoted in a coin, a fill carries the rate it was booked at, as a recorded one does.
    """
    rng = Random(20260105)
    places = [rng.randint(2, 8) for _ in range(SYMBOLS)]
    prices = [rng.randint(10**5, 10**8) for _ in range(SYMBOLS)]
    held = [0] * SYMBOLS
    count = 0
    while True:
        count += 1
        coin = rng.randrange(SYMBOLS)
        digits = places[coin]
        prices[coin] = max(10**5, prices[coin] + rng.randint(-999, 999))
        buys = not held[coin] or rng.random() < 0.5
        units = rng.randint(1, 10**10) if buys else -min(held[coin], rng.randint(1, 10**10))
        held[coin] += units
        price = Decimal(prices[coin]).scaleb(-digits)
        yield _fill(count, coin, Decimal(units).scaleb(digits - 10), price, quote)


def _fill(count: int, coin: int, units: Decimal, price: Decimal, quote: str) -> Fill:
    amount = EXACT.multiply(abs(units), price).quantize(CENT)
    fee = EXACT.multiply(amount, Decimal("0.0016")).quantize(CENT)
    coins = quote != "USD"
    return Fill(
        id=f"kraken:{count}",
        executed_at=START + count * SECOND,
        account=ACCOUNT,
        sequence=count,
        base=f"C{coin:02}",
        quote=quote,
        side=Side.BUY if units > 0 else Side.SELL,
        quantity=abs(units),
        amount=amount,
        price=price,
        pair=f"C{coin:02}/{quote}",
        fees=(Fee(quote, fee, EXACT.multiply(fee, RATE) if coins else fee),),
        rates=(Rate(quote, "USD", RATE, "candle", START),) if coins else (),
        value=EXACT.multiply(amount, RATE) if coins else amount,
    )
