"""How fast a ledger export goes into a book, and how fast a book of that size opens again.

    ./run bench importing                     10,000 and 100,000 rows
    ./run bench importing --full              also 1,000,000
    ./run bench importing --in-order          with ids that grow with time, which no venue gives

Each step runs in a process of its own, so its memory is its own. The yardstick is the least that
anyone could do with the same file: read it as CSV, make its numbers decimals, and insert each row
with its text into one SQLite table in one transaction. Seconds are the processor's; read the ratio.
Those of the first thread are told beside all of them: while it works, the store writes in another,
so on two free processors the larger of both is waited for, and a little more for the lock that
Python's threads share. `open` is what every later command waits for.
"""

import argparse
import csv
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time, thread_time

import _ledger

import bursar

_MIB = 1024


def bare(export: Path, book: Path) -> int:
    """Read, make decimals, insert: no judgement, no fold, no hash."""
    with closing(sqlite3.connect(book)) as database, export.open(newline="") as file:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, amounts TEXT, body TEXT) STRICT")
        lines = csv.reader(file)
        next(lines)
        rows = ((line[0], str(sum(map(Decimal, line[7:]))), ",".join(line)) for line in lines)
        database.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)
        database.commit()
        (count,) = database.execute("SELECT count(*) FROM rows").fetchone()
        return int(count)


def ours(export: Path, book: Path) -> int:
    """Import into a new book."""
    with bursar.open(book, terms=bursar.Terms(base="EUR")) as portfolio:
        return portfolio.import_files(export).receipt.review.recorded


def reopen(_export: Path, book: Path) -> int:
    """Open the book and say what it is worth."""
    with bursar.open(book) as portfolio:
        portfolio.equity()
        return portfolio.desk.head.seq


STEPS = {"bare": bare, "import": ours, "open": reopen}


def main() -> None:
    """Measure each size, print a table, and write it as JSON where asked to."""
    asked = _arguments()
    if asked.step:
        _measure(asked.step, asked.export, asked.book)
        return
    sizes = asked.sizes or [10_000, 100_000, *([1_000_000] if asked.full else [])]
    print(
        f"{'rows':>9}  {'step':8}{'rows':>10}{'cpu s':>9}{'first s':>9}{'wall s':>9}"
        f"{'rows/s':>10}{'MiB':>7}"
    )
    found = [row for size in sizes for row in _size(size, in_order=asked.in_order)]
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


def _size(size: int, *, in_order: bool) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        export, book = Path(folder) / "ledgers.csv", Path(folder) / "book.db"
        _ledger.write(export, size, in_order=in_order)
        rows = []
        for step in STEPS:
            place = Path(folder) / "bare.db" if step == "bare" else book
            call = [sys.executable, __file__, "--step", step, str(export), str(place)]
            told = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
            rate = told["rows"] / told["wall"]
            print(
                f"{size:>9,}  {step:8}{told['rows']:>10,}{told['cpu']:>9.2f}"
                f"{told['first']:>9.2f}{told['wall']:>9.2f}{rate:>10,.0f}{told['mib']:>7,}"
            )
            rows.append({"size": size, "step": step, **told})
        print(f"{'':9}  import : bare = {rows[1]['cpu'] / rows[0]['cpu']:.1f}")
        return rows


def _measure(step: str, export: Path, book: Path) -> None:
    cpu, first, wall = process_time(), thread_time(), perf_counter()
    rows = STEPS[step](export, book)
    told = {
        "rows": rows,
        "cpu": process_time() - cpu,
        "first": thread_time() - first,
        "wall": perf_counter() - wall,
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _MIB
    print(json.dumps({**told, "mib": peak}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of rows")
    parser.add_argument("--full", action="store_true", help="also 1,000,000 rows")
    parser.add_argument("--in-order", action="store_true", help="ids that grow with time")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("export", type=Path, nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("book", type=Path, nargs="?", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
