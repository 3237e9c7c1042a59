"""How long a plan takes, beside the bare decimal arithmetic of the same sums.

    ./run bench plans
    ./run bench plans --symbols 100 1000 10000

`bare` values every holding, adds up, and works out target, gap, whole amount, units, fee, weight
and residual for each symbol, in the same context and into plain tuples: no reasons, no policy, no
order, no id. `plan` is `make_plan` over the same holdings, which are made before the clock starts.
Processor time, warm, contestants in turns, medians. Wanted: linear, at most 4 µs a symbol beyond
the bare sums, 1,000 symbols in less than 8 ms.
"""

import argparse
import gc
import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import process_time

from bursar.exact import ONE, money, ratio18, truncate, whole
from bursar.plan import HoldingsSnapshot, SizingPolicy, StrategyAllocation, make_plan

_CENT, _NINTH = Decimal("0.01"), Decimal("1e-9")
_RATE = Decimal("0.001")
_ENOUGH = 1_000  # symbols are planned between two looks at the clock, at least
Row = tuple[str, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    asked = _arguments()
    rows = [_measured(count, asked.turns) for count in asked.symbols]
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def _measured(count: int, turns: int) -> dict[str, float]:
    allocation, holdings = _portfolio(count)
    policy = SizingPolicy(fee_rate=_RATE)
    ours, bare = [], []
    times = max(1, _ENOUGH // count)
    for _ in range(max(5, turns * _ENOUGH // max(count, _ENOUGH))):
        ours.append(_timed(lambda: make_plan(allocation, holdings, policy), times))
        bare.append(_timed(lambda: _bare(allocation, holdings), times))
    plan, sums = median(ours), median(bare)
    beside = (plan - sums) / count * 1e6
    print(
        f"{count:6} symbols   plan {plan * 1e3:8.2f} ms   bare {sums * 1e3:8.2f} ms"
        f"   {plan / count * 1e6:6.2f} µs a symbol, {beside:5.2f} beside the sums"
    )
    return {"symbols": count, "plan_ms": plan * 1e3, "bare_ms": sums * 1e3, "beside_us": beside}


def _timed(work: Callable[[], object], times: int) -> float:
    gc.collect()
    work()  # the collector has emptied the caches, of both
    began = process_time()
    for _ in range(times):
        work()
    return (process_time() - began) / times


def _portfolio(count: int) -> tuple[StrategyAllocation, HoldingsSnapshot]:
    rng = random.Random(1)  # noqa: S311 (a bench is the same every time)
    names = [f"S{place:05}" for place in range(count)]
    weight = truncate(Decimal("0.99") / count, Decimal("1e-9"))
    weights = {name: weight for name in names if rng.random() < 0.9}  # noqa: PLR2004 (a share)
    held = {name: Decimal(rng.randint(1, 10_000)) / 100 for name in names}
    prices = {name: Decimal(rng.randint(100, 50_000)) / 100 for name in names}
    return (
        StrategyAllocation(weights),
        HoldingsSnapshot(positions=held, prices=prices, cash=Decimal(100_000)),
    )


@money
def _bare(allocation: StrategyAllocation, holdings: HoldingsSnapshot) -> list[Row]:
    held, prices, weights = holdings.positions, holdings.prices, allocation.target_weights
    values = {name: held[name] * prices[name] for name in held}
    total = sum(values.values(), holdings.cash)
    nothing = Decimal(0)
    rows: list[Row] = []
    for name, value in values.items():
        price = prices[name]
        target = weights.get(name, nothing) * total
        gap = target - value
        amount = truncate(gap, _CENT)
        units = whole(amount, price * _NINTH) * _NINTH
        fee = abs(amount) * _RATE
        weight = ratio18(value, ONE, total)
        rows.append((name, value, target, weight, amount, units, fee, gap - amount))
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--symbols", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--turns", type=int, default=40, help="how often 1,000 symbols are planned")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
