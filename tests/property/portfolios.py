"""Random portfolios and wishes for plans; run as a script, it prints the digest of their plans.

python -m tests.property.portfolios 200 7 shuffled
"""

import random
import sys
from decimal import Decimal
from hashlib import sha256

from bursar.plan import (
    Constraints,
    HoldingsSnapshot,
    Instrument,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    make_plan,
    write_plan,
)

DIGITS = (0, 1, 2, 4, 8)


def amount(rng, low, high, digits=None):
    """A number with a random count of decimals."""
    places = rng.choice(DIGITS) if digits is None else digits
    scale = 10**places
    return Decimal(rng.randint(int(low * scale), int(high * scale))) / scale


def weights(rng, symbols):
    """Weights of at most 1 in all, with four decimals."""
    cuts = sorted(rng.randint(0, 10_000) for _ in symbols)
    return {
        symbol: Decimal(after - before) / 10_000
        for symbol, before, after in zip(symbols, [0, *cuts], cuts, strict=False)
    }


def constraints(rng):
    return Constraints(
        reserve=amount(rng, 0, 500, 2) if rng.random() < 0.2 else Decimal(0),
        reserve_weight=Decimal(rng.randint(0, 20)) / 100 if rng.random() < 0.2 else Decimal(0),
        cap=Decimal(rng.randint(5, 100)) / 100 if rng.random() < 0.2 else None,
        band=Decimal(rng.randint(0, 10)) / 100 if rng.random() < 0.3 else None,
        relative_band=Decimal(rng.randint(0, 30)) / 100 if rng.random() < 0.3 else None,
        buys_only=rng.random() < 0.1,
    )


def policy(rng, symbols):
    own = {
        symbol: Instrument(
            step=rng.choice([Decimal(0), Decimal("0.001"), Decimal(1), Decimal(100)]),
            min_quantity=rng.choice([Decimal(0), Decimal("0.01"), Decimal(1)]),
            min_notional=rng.choice([Decimal(0), Decimal(10)]),
        )
        for symbol in symbols
        if rng.random() < 0.3
    }
    mode = rng.choice(list(RoundingMode))
    return SizingPolicy(
        rounding=mode,
        min_trade_amount=Decimal(rng.choice([1, 1, 25])),
        fee_rate=rng.choice([Decimal(0), Decimal(0), Decimal("0.0026")]),
        instruments=own,
        node_limit=2_000,
    )


def case(rng):
    """An allocation, holdings and a policy that allow a plan."""
    symbols = [f"S{place:02}" for place in range(rng.randint(1, 12))]
    wanted = [symbol for symbol in symbols if rng.random() < 0.8]
    held = {s: amount(rng, 0, 60) for s in symbols if rng.random() < 0.7}
    prices = {
        symbol: amount(rng, 1, rng.choice([5, 200, 4_000]), rng.choice([0, 2, 4]))
        for symbol in symbols
    }
    reserved = {s: q / 2 for s, q in held.items() if rng.random() < 0.15}
    holdings = HoldingsSnapshot(
        positions=held,
        prices=prices,
        cash=amount(rng, 0, rng.choice([0, 500, 50_000]), 2),
        reserved=reserved,
    )
    value = amount(rng, 1_000, 60_000, 2) if rng.random() < 0.15 else None
    allocation = StrategyAllocation(weights(rng, wanted), value, "c", constraints(rng))
    return allocation, holdings, policy(rng, symbols)


def shuffled(rng, record, *fields):
    """The same record, its mappings told in another order and with other zeros."""
    told = {}
    for field in record.__struct_fields__:
        value = getattr(record, field)
        if field in fields:
            pairs = list(value.items())
            rng.shuffle(pairs)
            value = {k: v + Decimal("0.000") if isinstance(v, Decimal) else v for k, v in pairs}
        told[field] = value
    return type(record)(**told)


def main(count, seed, is_shuffled):
    digest = sha256()
    for number in range(count):
        allocation, holdings, sizing = case(random.Random(f"{seed} {number}"))
        if is_shuffled:
            rng = random.Random(number)
            allocation = shuffled(rng, allocation, "target_weights")
            holdings = shuffled(rng, holdings, "positions", "prices", "reserved")
            sizing = shuffled(rng, sizing, "instruments")
        digest.update(write_plan(make_plan(allocation, holdings, sizing)))
    print(digest.hexdigest())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "shuffled" in sys.argv)
