"""How much memory the service takes, with nothing kept and with a snapshot of every minute.

    ./run bench weighing                  a month of minutes
    ./run bench weighing --full           a year

Each is `bursar serve` in a process of its own on a file, weighed when it has answered: what it
holds (`resident`) and what it has held at most (`peak`), in MiB, and the processor time until then.
Then it is asked for the last 30 days and for all of the past, and weighed again. At last it is
killed and started anew: now it has written down how far the moments were walked.
"""

import argparse
import json
import os
import sys
import tempfile
import urllib.request
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import sleep

from msgspec import structs

sys.path.insert(0, str(Path(__file__).parents[1]))

import bursar
from bench.serving import running, story
from bursar.ledger import instant
from bursar.ledger.golden import read
from bursar.portfolio.service import PortfolioService
from bursar.store import tables, texts
from bursar.store.sql import SqlStore
from bursar.value.marks import Mark
from bursar.value.snapshot import PortfolioSnapshot

_TICKS = os.sysconf("SC_CLK_TCK")
_CHUNK = 10_000


def main() -> None:
    """Weigh, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--positions", type=int, default=10)
    parser.add_argument("--minutes", type=int, nargs="+", help="snapshots, one a minute")
    asked = parser.parse_args()
    print(f"{'minutes kept':>12} {'':24}{'resident':>9}{'peak':>7}{'cpu s':>7}")
    for minutes in asked.minutes or (0, 525_600 if asked.full else 43_200):
        with tempfile.TemporaryDirectory() as folder:
            book = Path(folder) / "book.db"
            _make(book, asked.positions, minutes)
            _weigh(book, minutes)


def _make(book: Path, positions: int, minutes: int) -> None:
    """Make a book with so many positions and snapshots."""
    with bursar.open(book) as portfolio:
        portfolio.record(*read(story(positions)))
        now = portfolio.desk.clock.now()
        marks = [Mark(f"C{n}", "USD", Decimal(n + 11), "bench", now) for n in range(positions)]
        portfolio.keep_marks(marks, "bench")
        if minutes:
            store = portfolio.desk.store
            assert isinstance(store, SqlStore), "the book is a file"
            _keep(store, PortfolioService(portfolio).create_snapshot(), minutes)


def _keep(store: SqlStore, last: PortfolioSnapshot, minutes: int) -> None:
    """Keep a snapshot of every minute before the last, thousands at a time."""
    with store._writing() as place:
        for begun in range(1, minutes, _CHUNK):
            rows = []
            for n in range(begun, min(begun + _CHUNK, minutes)):
                at = last.timestamp - n * timedelta(minutes=1)
                moved = Decimal(n * 7919 % 997) + Decimal(f"0.{n * 104_729 % 10**9:018}")
                equity = last.equity_base + moved
                text = texts.snapshot(structs.replace(last, timestamp=at, equity_base=equity))
                body = texts.sealed(text, store.portfolio, instant.from_datetime(at))
                rows.append({"portfolio": store.portfolio, "time": at, "body": body})
            place.connection.execute(tables.SNAPSHOTS.insert(), rows)


def _weigh(book: Path, minutes: int) -> None:
    env = {**os.environ, "BURSAR_BOOK": str(book)}
    command = (sys.executable, "-m", "bursar.cli", "serve", "--port", "0", "--json")
    asked = (
        ("started", "snapshot"),
        ("30 days asked for", "history?period=30d"),
        ("risk asked for", "risk"),
        ("all asked for", "performance?period=all"),
    )
    for questions in (asked, (("killed, started anew", "snapshot"),)):
        with running(*command, env=env) as served:
            assert served.stdout is not None, "it is asked for"
            url = json.loads("".join(served.stdout.readline() for _ in range(3)))["url"]
            for name, path in questions:
                with urllib.request.urlopen(f"{url}/api/portfolio/{path}") as answer:  # noqa: S310
                    answer.read()
                sleep(0.5)
                print(f"{minutes:>12,} {name:<24}{_told(served.pid)}", flush=True)
            served.kill()


def _told(pid: int) -> str:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    held = {line.split()[0]: line.split()[1] for line in status.splitlines() if "kB" in line}
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / _TICKS
    rss, peak = (int(held[name]) / 1024 for name in ("VmRSS:", "VmHWM:"))
    return f"{rss:>9.1f}{peak:>7.1f}{cpu:>7.1f}"


if __name__ == "__main__":
    main()
