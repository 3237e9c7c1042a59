"""How fast a sync is apart from the venue.

    ./run bench syncing                     2,000 and 20,000 ledger rows
    ./run bench syncing --full              also 200,000

The venue is the fake one, in this process and in virtual time, so no wait costs anything; what it
takes to answer is measured and taken off. `own` is what is left: HTTP without a socket, JSON, the
checks of pages and balances, the book, and SQLite. `rows` are those of the ledger, `rows/s` counts
trades as well, `prices` are requests for past prices. `10 more` is a later sync with ten new
trades: the median of twenty, and the worst of them, in which a row changes what happened before it.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

from bursar.ledger import instant
from bursar.ledger.terms import Terms
from bursar.sim.kraken import invent
from bursar.store import open_store
from tests.venue.following import Following, at_kraken

STEPS, MORE = 20, 10
NO_NEWS = 3
"""Requests of a sync that brings nothing."""


def main() -> None:
    """Measure each size and print a table."""
    asked = _arguments()
    sizes = asked.sizes or [2_000, 20_000, *([200_000] if asked.full else [])]
    print(f"{'rows':>9}{'requests':>10}{'prices':>8}{'own s':>9}{'rows/s':>9}", end="")
    print(f"{'no news ms':>12}{'10 more ms':>12}{'at most':>9}")
    for size in sizes:
        _followed(size)


def _followed(size: int) -> None:
    account = invent(7, size)
    times = [trade.time for trade in sorted(account.trades, key=lambda each: each.time)]
    later = [times[place] for place in range(len(times) - STEPS * MORE, len(times), MORE)]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "book.db", terms=Terms(base="USD"))
        following = at_kraken(account, Path(folder), store=store, start=later[0] - 1)
        spent = _timed(following)

        def synced() -> float:
            spent[0], begun = 0.0, process_time()
            following.sync()
            return process_time() - begun - spent[0]

        own = synced()
        rows = sum(row.time < later[0] for row in account.rows)
        told = rows + sum(trade.time < later[0] for trade in account.trades)
        requests = [each.endpoint for each in following.fake.asked]
        again = statistics.median(synced() for _ in range(STEPS))
        news = []
        for at in later[1:]:
            following.run(asyncio.sleep((at - following.clock.now()) / instant.SECOND))
            asked, spent_now = len(following.fake.asked), synced()
            if len(following.fake.asked) > asked + NO_NEWS:  # waits may have let it come before
                news.append(spent_now)
        following.service.close()
        following.close()
    print(
        f"{rows:>9,}{len(requests):>10,}{requests.count('Trades'):>8,}{own:>9.2f}"
        f"{told / own:>9,.0f}{again * 1000:>12.1f}{statistics.median(news) * 1000:>12.1f}"
        f"{max(news) * 1000:>9.1f}"
    )


def _timed(following: Following) -> list[float]:
    """Count what the fake venue takes to answer."""
    answer, spent = following.fake.answer, [0.0]

    def timed(request: object) -> object:
        begun = process_time()
        answered = answer(request)
        spent[0] += process_time() - begun
        return answered

    following.fake.answer = timed
    return spent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of ledger rows")
    parser.add_argument("--full", action="store_true", help="also 200,000 rows")
    return parser.parse_args()


if __name__ == "__main__":
    main()
