"""How fast a watched portfolio follows ticks, and how fast questions are answered from memory.

    ./run bench live                        20 and 200 assets
    ./run bench live --full                 also 2,000

`tick` is one price of one asset through `Portfolio.live`, with the figures it answers; `by path`
one of a coin over which a tenth of them are priced. At the end the live valuation is compared
with the whole one, in its very text. Questions are asked after nothing has happened,
after the second has gone, one tick, one commit, or new marks of everything; `whole` is the whole
valuation, which is what each tick would cost if nothing were kept.
"""

import argparse
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec

from bursar.ledger import golden, instant
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService
from bursar.value.equity import Valuation
from bursar.value.marks import Mark
from tests.unit.portfolio.places import Clock, opened

TICKS = 10_000
ASKED = 200


def main() -> None:
    """Measure each size and print two tables."""
    asked = _arguments()
    sizes = asked.sizes or [20, 200, *([2_000] if asked.full else [])]
    print(
        f"{'assets':>8}{'tick us':>9}{'ticks/s':>9}{'by path us':>12}{'whole us':>10}{'x tick':>8}"
    )
    for size in sizes:
        _ticks(size)
    print(f"\n{'question us, 200 assets':26}", end="")
    happenings = {
        "again": None,
        "second": _second,
        "tick": _tick,
        "commit": _commit,
        "all marks": _all_marks,
    }
    print("".join(f"{name:>11}" for name in happenings))
    for name in ("get_equity", "get_positions", "get_asset_exposure"):
        print(f"{name:26}", end="")
        for happens in happenings.values():
            portfolio = _portfolio(200)
            ask = getattr(PortfolioService(portfolio), name)
            print(f"{_median(ask, portfolio, happens):>11,.1f}", end="")
        print()


def _portfolio(size: int) -> Portfolio:
    """A book in which every tenth asset came without a trade, and is priced over HUB alone."""
    lines = ["2026-04-30T10:00:00Z deposit 1000000 EUR #k:0"]
    for n in range(size):
        did = f"deposit 2 A{n:04}" if _is_over_hub(n) else f"buy 2 A{n:04} @ 10 EUR"
        lines.append(f"2026-05-{1 + n % 28:02}T10:00:00Z {did} #k:{n}")
    lines.append("2026-05-29T10:00:00Z buy 1 HUB @ 10 EUR #k:hub")
    portfolio = opened(*lines, clock=Clock())
    now = portfolio.desk.clock.now()
    marks = [Mark("HUB", "EUR", Decimal(11), "bench", now)]
    for n in range(size):
        quote = "HUB" if _is_over_hub(n) else "EUR"
        marks.append(Mark(f"A{n:04}", quote, Decimal("1.01"), "bench", now))
    portfolio.keep_marks(marks, "bench")
    return portfolio


def _is_over_hub(n: int) -> bool:
    return n % 10 == 0


def _ticks(size: int) -> None:
    portfolio = _portfolio(size)
    live, at = portfolio.live(), portfolio.desk.clock.now()
    names = [f"A{n:04}/EUR" for n in range(size) if not _is_over_hub(n)]
    prices = [Decimal(f"1.{n:04}") for n in range(10_000)]
    begun = process_time()
    for n in range(TICKS):
        live.mark(names[n % len(names)], prices[n % len(prices)], at + 1 + n)
    each = (process_time() - begun) / TICKS * 1e6
    begun, count = process_time(), 200
    for n in range(count):
        live.mark("HUB/EUR", prices[n], at + TICKS + n)
    hub = (process_time() - begun) / count * 1e6
    whole = _median(portfolio.valuation, portfolio, None, times=20)
    if _told(live.valuation()) != _told(portfolio.valuation()):
        raise AssertionError("the live valuation is not the whole one")
    print(
        f"{size:>8,}{each:>9.1f}{1e6 / each:>9,.0f}{hub:>12,.0f}{whole:>10,.0f}{whole / each:>8.0f}"
    )


def _told(valuation: Valuation) -> str:
    return repr(msgspec.structs.replace(valuation, marks=None))


def _second(portfolio: Portfolio, _turn: int) -> None:
    portfolio.desk.clock.at += instant.SECOND


def _tick(portfolio: Portfolio, turn: int) -> None:
    now = portfolio.desk.clock.now()
    portfolio.live().mark(f"A{turn % 200:04}", Decimal(f"1.{turn}"), now + turn)


def _commit(portfolio: Portfolio, turn: int) -> None:
    line = (
        f"2026-05-30T10:{turn // 60:02}:{turn % 60:02}Z buy 1 A{turn % 200:04} @ 12 EUR #n:{turn}"
    )
    portfolio.record(*golden.read([line]))


def _all_marks(portfolio: Portfolio, turn: int) -> None:
    at = portfolio.desk.clock.now() + turn
    price = Decimal(f"1.{turn}")
    told = [Mark(f"A{n:04}", "EUR", price, "bench", at) for n in range(200)]
    portfolio.keep_marks(told, "bench")


def _median(
    ask: Callable[[], object],
    portfolio: Portfolio,
    happens: Callable[[Portfolio, int], None] | None,
    times: int = ASKED,
) -> float:
    """Return the microseconds of processor time an answer takes after something has happened."""
    ask()
    spent = []
    for turn in range(times):
        if happens is not None:
            happens(portfolio, turn)
        begun = process_time()
        ask()
        spent.append(process_time() - begun)
    return sorted(spent)[times // 2] * 1e6


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of assets")
    parser.add_argument("--full", action="store_true", help="also 2,000 assets")
    return parser.parse_args()


if __name__ == "__main__":
    main()
