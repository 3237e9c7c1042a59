"""How fast a sync is apart from the venue.

    ./run bench syncing                     2,000 and 20,000 ledger rows
    ./run bench syncing --full              also 200,000

The venue is the fake one, in this process and in virtual time, so no wait costs anything; what it
takes to answer is measured and taken off. `own` is what is left: HTTP without a socket, JSON, the
checks of pages and balances, the book, and SQLite. `prices` are past prices that were asked for,
one request each.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

from bursar.ledger.terms import Terms
from bursar.sim.kraken import invent
from bursar.store import open_store
from tests.venue.following import Following


def main() -> None:
    """Measure each size and print a table."""
    asked = _arguments()
    sizes = asked.sizes or [2_000, 20_000, *([200_000] if asked.full else [])]
    print(f"{'rows':>9}{'requests':>10}{'prices':>8}{'own s':>9}{'rows/s':>9}{'again ms':>10}")
    for size in sizes:
        _first(size)


def _first(size: int) -> None:
    account = invent(7, size)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "book.db", terms=Terms(base="USD"))
        following = Following(account, Path(folder), store=store)
        spent = _timed(following)
        begun = process_time()
        following.run(following.service.sync())
        own = process_time() - begun - spent[0]
        prices = sum(each.endpoint == "Trades" for each in following.fake.asked)
        requests = len(following.fake.asked)
        spent[0], begun = 0.0, process_time()
        following.run(following.service.sync())
        again = process_time() - begun - spent[0]
        following.service.close()
        following.close()
    print(
        f"{len(account.rows):>9,}{requests:>10,}{prices:>8,}{own:>9.2f}"
        f"{len(account.rows) / own:>9,.0f}{again * 1000:>10.1f}"
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
