"""How fast fills become durable, one by one and in groups, beside the bare statements.

    ./run bench commits                  500 fills on SQLite, and on Postgres where there is one
    ./run bench commits --fills 2000 --repeats 5

Each fill is submitted to a desk: judged, folded, audited, and committed with its journal row, the
cells that it changes, its record and its message. `store` is that commit alone, planned before.
`bare` sends the very statements that the store has sent, bytes and all, through the database's
driver and nothing else. Every commit waits for the disk. In groups, a hundred commits become
durable together; the bare statements likewise.

The three take turns, a hundred fills each, so that a busy machine slows them alike: read the
ratios. Seconds are the clock's, since waiting for the disk is what is measured.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
from _fills import history
from sqlalchemy import event

from bench._places import databases
from bursar.desk import Desk
from bursar.ledger.entries import Fill
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.ports import Commit
from bursar.store import dialect, open_store
from bursar.store.message import Message

_TERMS = Terms(accounts=(Account("kraken:main", FactSource.EVENTS),))
_TURN = 100
_WAYS = ("desk", "store", "bare")
_Sent = list[tuple[str, Any, bool]]


class Ticks:
    """A clock that needs no system."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        """Return the next instant."""
        self.at += 1
        return self.at


class Rehearsed:
    """A desk's commits, and the statements that its store has sent for each."""

    def __init__(self, address: str, fills: list[Fill]) -> None:
        self.commits: list[Commit] = []
        self.sent: list[_Sent] = []
        store = open_store(address, terms=_TERMS)
        commit = store.commit
        caught: _Sent = []

        def keep(planned: Commit) -> Any:
            caught.clear()
            head = commit(planned)
            self.commits.append(planned)
            beside = ("BEGIN", "SELECT", "COMMIT")
            said = [each for each in caught if not each[0].lstrip().startswith(beside)]
            self.sent.append(said)
            return head

        @event.listens_for(store._engine, "before_cursor_execute")
        def catch(_c: Any, _k: Any, statement: str, values: Any, _x: Any, many: bool) -> None:  # noqa: FBT001
            caught.append((statement, values, many))

        driver, add = dialect._driver, Message.add  # the ways past SQLAlchemy
        dialect._driver = lambda connection: _Heard(driver(connection), caught)  # type: ignore[assignment, return-value]

        def heard(message: Message, text: str, values: Any) -> None:
            caught.append((text, values, False))
            add(message, text, values)

        Message.add = heard  # type: ignore[method-assign]
        store.commit = keep  # type: ignore[method-assign]
        desk = Desk(store, Ticks())
        for fill in fills:
            desk.submit([fill])
        store.close()
        dialect._driver, Message.add = driver, add  # type: ignore[method-assign]


class _Heard:
    """A driver's connection or cursor, and what it is told."""

    def __init__(self, connection: Any, caught: _Sent) -> None:
        self.connection = connection
        self.caught = caught

    def execute(self, statement: str, values: Any = ()) -> Any:
        """Note it and pass it on."""
        self.caught.append((statement, values, False))
        return self.connection.execute(statement, values)

    def executemany(self, statement: str, rows: Any) -> Any:
        """Note them and pass them on; one row alone is no many."""
        told = list(rows)
        many = len(told) > 1
        self.caught.append((statement, told if many else told[0], many))
        return self.connection.executemany(statement, told)


def main() -> None:
    """Measure each database, print a table, and write it as JSON where asked to."""
    asked = _arguments()
    fills = list(islice(history("USD"), asked.fills))
    print(f"{'database':10}{'group':>6}  {'way':6}{'commits/s':>11}{'x bare':>8}")
    rows = []
    for name, places in databases():
        with places as fresh:
            for group in (1, _TURN):
                rows += _measured(name, group, fresh, fills, asked.repeats)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def _measured(
    name: str, group: int, fresh: Callable[[], str], fills: list[Fill], repeats: int
) -> list[dict[str, object]]:
    rehearsed = Rehearsed(fresh(), fills)
    passes = [_pass(fresh, rehearsed, fills, group) for _ in range(repeats)]
    rows = []
    for way in _WAYS:
        seconds = median(each[way] for each in passes)
        ratio = median(each[way] / each["bare"] for each in passes)
        print(f"{name:10}{group:>6}  {way:6}{len(fills) / seconds:>11,.0f}{ratio:>8.2f}")
        rows.append({"database": name, "group": group, "way": way, "x_bare": round(ratio, 2)})
    return rows


def _pass(
    fresh: Callable[[], str], rehearsed: Rehearsed, fills: list[Fill], group: int
) -> dict[str, float]:
    submitting, committing = fresh(), fresh()
    desk = Desk(open_store(submitting, terms=_TERMS), Ticks())
    store = open_store(committing, terms=_TERMS)
    place = fresh()
    open_store(place, terms=_TERMS).close()
    took = dict.fromkeys(_WAYS, 0.0)
    with _driver(place) as driver:
        turns = {
            "desk": (desk.store.grouped, lambda n: desk.submit([fills[n]])),
            "store": (store.grouped, lambda n: store.commit(rehearsed.commits[n])),
            "bare": (driver.grouped, lambda n: driver.send(rehearsed.sent[n])),
        }
        for first in range(0, len(fills), _TURN):
            for way, (grouped, one) in turns.items():
                began = perf_counter()
                with grouped() if group > 1 else nullcontext():
                    for number in range(first, min(first + _TURN, len(fills))):
                        one(number)
                took[way] += perf_counter() - began
    desk.store.close()
    store.close()
    return took


class Driver:
    """The database's own driver: a transaction a call, or one around many."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.cursor = connection.cursor()
        self.is_grouped = False

    def send(self, statements: _Sent) -> None:
        """Send the statements of one commit."""
        if not self.is_grouped:
            self.cursor.execute("BEGIN")
        for statement, values, many in statements:
            (self.cursor.executemany if many else self.cursor.execute)(statement, values)
        if not self.is_grouped:
            self.cursor.execute("COMMIT")

    @contextmanager
    def grouped(self) -> Iterator[None]:
        """Put one transaction around the calls inside."""
        self.cursor.execute("BEGIN")
        self.is_grouped = True
        yield
        self.is_grouped = False
        self.cursor.execute("COMMIT")


@contextmanager
def _driver(address: str) -> Iterator[Driver]:
    if address.startswith("postgresql"):
        with psycopg.connect(address, autocommit=True) as connection:
            yield Driver(connection)
        return
    import sqlite3  # noqa: PLC0415 (the other database's driver)

    connection = sqlite3.connect(address, isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")
    yield Driver(connection)
    connection.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fills", type=int, default=500, help="how many fills")
    parser.add_argument("--repeats", type=int, default=3, help="passes; the median counts")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
