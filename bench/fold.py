"""How fast a history of fills folds into a book, beside other people's ledgers.

Every contestant gets the same fills in the same order. The history comes in chunks; each is first
put into a contestant's own records, untimed, and the contestants take it in turn (A B C, B C A, …,
so that none is always first at cold memory). Whatever else the machine does slows all of them
alike. Hence: read the ratios.

The decimal loop is the yardstick: what the arithmetic alone costs. Peers run where they are
installed and at sizes they can do. At the end of every pass the realised PnL of the contestants is
compared.
"""

import argparse
import gc
import json
import platform
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time
from typing import NamedTuple

import _yardstick
from _fills import ACCOUNT, BASE, COIN, EXACT, Contestant, Run, history

from bursar.ledger.book import Book
from bursar.ledger.entries import CashFlow, FlowKind
from bursar.ledger.fold import fold
from bursar.ledger.terms import Method, Terms

_CHUNK = 5_000
_LOOP, _OURS = "decimal loop", "bursar"
_ZERO = Decimal(0)
_PLENTY = Decimal(10) ** 15
_CLOSE = Decimal("1e-7")
_RULES = (Method.WAC, Method.FIFO, Method.LIFO, Method.HIFO)
_COIN_RULES = (Method.WAC, Method.FIFO)


class Row(NamedTuple):
    """One line of the table. Ratios are of time: above 1 is slower than the one named."""

    size: int
    name: str
    rule: str
    per_second: int
    x_loop: float
    x_bursar: float


class Growth(NamedTuple):
    """How many times as long a longer history takes, by the clock and beside the loop."""

    name: str
    rule: str
    size: int
    more: int
    clock: float
    steady: float


def main() -> None:
    """Fold each size, print a table, and write it as JSON where asked to."""
    asked = _arguments()
    sizes = asked.sizes or ([10_000, 100_000, 1_000_000] if asked.full else [10_000, 100_000])
    contestants = _contestants(full=asked.full)
    rows: list[Row] = []
    for size in sizes:
        able = [each for each in contestants if size <= each.limit]
        passes = [_times(able, size) for _ in range(asked.repeats)]
        rows += _rows(able, size, passes)
    growth = _growth(rows)
    _show(rows, growth)
    if asked.json:
        machine = {"python": platform.python_version(), "machine": platform.machine()}
        figures = {
            **machine,
            "rows": [row._asdict() for row in rows],
            "growth": [each._asdict() for each in growth],
        }
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", nargs="+", type=int, help="fills (default: 10000 100000)")
    parser.add_argument("--full", action="store_true", help="also 1000000; peers up to 100000")
    parser.add_argument("--repeats", type=int, default=5, help="passes; medians are shown")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def _contestants(*, full: bool) -> list[Contestant]:
    found = [
        Contestant(_LOOP, "wac", _yardstick.average),
        Contestant(_LOOP, "fifo", _yardstick.queue),
        *(Contestant(_OURS, rule.value, _bursar(rule)) for rule in _RULES),
        *(
            Contestant(_OURS, f"{rule.value}, coin to coin", _bursar(rule), quote=COIN)
            for rule in _COIN_RULES
        ),
    ]
    limit = 100_000 if full else 10_000
    for package, file, rule in (
        ("nautilus_trader", "_nautilus", "wac"),
        ("beancount", "_beancount", "fifo"),
    ):
        if find_spec(package):
            begin = import_module(file).begin
            found.append(Contestant(package, rule, begin, limit, exact=False))
        else:
            sys.stderr.write(f"{package} is not installed: left out\n")
    return found


def _bursar(method: Method) -> Callable[[], Run]:
    def begin() -> Run:
        book = Book(Terms(base=BASE, method=method))
        opening = CashFlow(
            id="opening",
            executed_at=0,
            account=ACCOUNT,
            kind=FlowKind.OPENING,
            asset=COIN,
            amount=_PLENTY,
            value=_PLENTY,
        )
        fold([opening], book)
        return Run(list, lambda fills: fold(fills, book), lambda: _realized(book))

    return begin


def _realized(book: Book) -> Decimal:
    total = _ZERO
    for cell in book.cells.values():
        total = EXACT.add(total, cell.realized)
    return total


def _times(contestants: Sequence[Contestant], size: int) -> list[float]:
    """Let all fold the same history, chunk by chunk in turn: the seconds each took."""
    streams = {each.quote: history(each.quote) for each in contestants}
    runs = [each.begin() for each in contestants]
    seconds = [0.0] * len(runs)
    for start in range(0, size, _CHUNK):
        count = min(_CHUNK, size - start)
        chunks = {quote: list(islice(stream, count)) for quote, stream in streams.items()}
        for turn in range(len(runs)):
            place = (turn + start // _CHUNK) % len(runs)
            records = runs[place].records(chunks[contestants[place].quote])
            seconds[place] += _timed(runs[place].take, records)
    _compare(contestants, [run.realized() for run in runs])
    return seconds


def _timed(take: Callable[[object], object], records: object) -> float:
    """Return the processor's seconds: all contestants are one thread, and none waits for a disk."""
    gc.disable()
    begun = process_time()
    take(records)
    seconds = process_time() - begun
    gc.enable()
    return seconds


def _compare(contestants: Sequence[Contestant], realized: Sequence[Decimal | None]) -> None:
    """Check that one rule made one result: to the last digit, or closely where a peer rounds."""
    told: dict[str, Decimal] = {}
    for each, made in zip(contestants, realized, strict=True):
        if made is not None:
            known = told.setdefault(each.rule, made)
            margin = _ZERO if each.exact else abs(known) * _CLOSE
            assert abs(EXACT.subtract(known, made)) <= margin, (each.name, each.rule, known, made)


def _rows(
    contestants: Sequence[Contestant], size: int, passes: Sequence[Sequence[float]]
) -> list[Row]:
    """Return what is shown of each contestant: medians over the passes, ratios within a pass."""
    places = {(each.name, each.rule): place for place, each in enumerate(contestants)}
    rows = []
    for place, each in enumerate(contestants):
        loop = places.get((_LOOP, each.rule), places[_LOOP, "wac"])
        ours = places.get((_OURS, each.rule), place)
        seconds = median(times[place] for times in passes)
        beside = [median(times[place] / times[base] for times in passes) for base in (loop, ours)]
        rows.append(Row(size, each.name, each.rule, round(size / seconds), *beside))
    return rows


def _growth(rows: Sequence[Row]) -> list[Growth]:
    """Say how many times as long ten times as many fills take: 10 is linear.

    The sizes ran at different times. The loop is linear by its nature, so what it took more or less
    than ten times as long is the machine's doing; `steady` has that taken out.
    """
    known = {(row.name, row.rule, row.size): row for row in rows}
    found = []
    for (name, rule, size), row in known.items():
        more = known.get((name, rule, size * 10))
        if more is not None:
            times, steady = row.per_second / more.per_second, more.x_loop / row.x_loop
            found.append(Growth(name, rule, size, size * 10, 10 * times, 10 * steady))
    return found


def _show(rows: Sequence[Row], growth: Sequence[Growth]) -> None:
    print(f"{'fills':>9}  {'':16} {'rule':20} {'fills/s':>9} {'x loop':>8} {'x bursar':>9}")
    for row in rows:
        print(
            f"{row.size:9,}  {row.name:16} {row.rule:20} {row.per_second:9,}"
            f" {row.x_loop:8.2f} {row.x_bursar:9.2f}"
        )
    print(f"\n{'times as long for ten times as many':58} {'clock':>6} {'steady':>7}")
    for each in growth:
        sizes = f"{each.size:,} to {each.more:,}"
        print(f"{'':11}{each.name:16} {each.rule:20} {sizes:>20} {each.clock:6.2f}", end="")
        print(f" {each.steady:7.2f}")


if __name__ == "__main__":
    main()
