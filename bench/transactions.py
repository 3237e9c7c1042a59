"""How fast transactions become durable, beside the bare insert of the same bytes.

    ./run bench transactions                     SQLite, and Postgres where there is one
    ./run bench transactions --count 2000 --writers 1 4 16

`single`: one transaction a commit, and the same journal, message and memo bytes sent by the
database's own driver, one commit each, in turns. `batch`: a thousand transactions a commit.
`writers`: several connections to one Postgres portfolio, each adding its share, retried where
another was first. Every commit waits for the disk. Ratios are what to read.
"""

import argparse
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep, time_ns

import psycopg

from bench._places import databases
from bursar.desk import Desk
from bursar.desk.transactions import PortfolioBatch, PortfolioTransaction, rules_of, transact
from bursar.store import open_store

_TURN = 50
_BATCH = 1_000
_MARKS = {"BTC/USD": "50000"}


class _Now:
    """The machine's clock."""

    def now(self) -> int:
        """Return the time."""
        return time_ns()


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    logging.getLogger("bursar.transactions").disabled = True
    asked = _arguments()
    rows: list[dict[str, object]] = []
    for name, places in databases():
        with places as fresh:
            rows.append(_single(name, fresh, asked.count))
            rows.append(_batched(name, fresh, asked.count))
            if name == "Postgres":
                rows += [_writers(fresh, writers, asked.count) for writers in asked.writers]
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def _single(name: str, fresh: Callable[[], str], count: int) -> dict[str, object]:
    desk = Desk(open_store(fresh()), _Now())
    ours, bare = [], []
    with _bare(fresh()) as insert:
        for first in range(0, count, _TURN):
            size = min(_TURN, count - first)
            began = perf_counter()
            for _ in range(size):
                _one(desk)
            ours.append((perf_counter() - began) / size)
            body = _bytes(desk)
            began = perf_counter()
            for number in range(size):
                insert(first + number, body)
            bare.append((perf_counter() - began) / size)
    desk.store.close()
    one, other = median(ours), median(bare)
    print(
        f"{name:9} single   {one * 1e3:8.2f} ms   bare {other * 1e3:8.2f} ms   x{one / other:.2f}"
    )
    return {"database": name, "what": "single", "ms": one * 1e3, "bare_ms": other * 1e3}


def _one(desk: Desk) -> None:
    rules = rules_of(None, {"validation_epsilon": "10"})
    with PortfolioTransaction(desk, rules) as tx:
        tx.stage_cash_delta("-5", fees="0.01")
        tx.stage_position_delta("BTC/USD", "0.0001", entry_price="50000")
        assert tx.commit(_MARKS)


def _bytes(desk: Desk) -> str:
    """Return what one commit has to keep, as one text."""
    row = list(desk.store.records(desk.head.seq - 1))[-1]
    memos = "".join(desk.store.memos("transactions ").values())
    return row.body + row.hash + desk.store.outbox(desk.head.version - 1)[-1].message.body + memos


def _batched(name: str, fresh: Callable[[], str], count: int) -> dict[str, object]:
    desk = Desk(open_store(fresh()), _Now())
    done, began = 0, perf_counter()
    while done < count:
        with PortfolioBatch(desk, rules_of(None, {"validation_epsilon": "10"})) as batch:
            for _ in range(_BATCH):
                with batch.transaction() as tx:
                    tx.stage_cash_delta("-5", fees="0.01")
                    tx.stage_position_delta("BTC/USD", "0.0001", entry_price="50000")
                    assert tx.commit(_MARKS)
        done += _BATCH
    speed = done / (perf_counter() - began)
    desk.store.close()
    print(f"{name:9} batch    {speed:8,.0f} transactions/s")
    return {"database": name, "what": "batch", "per_s": speed}


def _writers(fresh: Callable[[], str], writers: int, count: int) -> dict[str, object]:
    place = fresh()
    open_store(place).close()
    share = max(1, count // 4 // writers)
    desks = [
        Desk(open_store(place), _Now(), wait=lambda ms: sleep(ms / 1000)) for _ in range(writers)
    ]

    def write(desk: Desk) -> None:
        for _ in range(share):
            rules = rules_of(None, {"validation_epsilon": "10"})
            transact(desk, rules, lambda tx: tx.stage_cash_delta(1), {}, retry_stale=1_000)

    began = perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, desks))
    speed = share * writers / (perf_counter() - began)
    for desk in desks:
        desk.store.close()
    print(f"Postgres  {writers:2} writers {speed:7,.0f} transactions/s")
    return {"database": "Postgres", "what": f"{writers} writers", "per_s": speed}


@contextmanager
def _bare(address: str) -> Iterator[Callable[[int, str], None]]:
    table = "CREATE TABLE bare (n BIGINT PRIMARY KEY, body TEXT)"
    if address.startswith("postgresql"):
        with psycopg.connect(address) as connection:
            connection.execute(table)
            connection.commit()

            def send(number: int, body: str) -> None:
                connection.execute("INSERT INTO bare VALUES (%s, %s)", (number, body))
                connection.commit()

            yield send
        return
    driver = sqlite3.connect(address, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", table):
        driver.execute(statement)
    yield lambda number, body: _kept(driver, number, body)
    driver.close()


def _kept(driver: sqlite3.Connection, number: int, body: str) -> None:
    driver.execute("INSERT INTO bare VALUES (?, ?)", (number, body))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000, help="how many transactions")
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
