"""How long dividing capital takes, by the number of strategies.

    ./run bench allocation

Rules alone: each strategy has thirty days of trades, two a day; the figures are counted from them,
the trades of the last day are remembered, and capital is divided. In a book: each has five round
trips, a proposal is made from nothing that is kept, and again after one more trade. What is to be
read is the time a strategy: it should not grow with their number.
"""

import random
from collections.abc import Iterator
from decimal import Decimal
from time import process_time

from bursar.capital.deciding import AllocationState, Cause, Figures, Rules, decide
from bursar.capital.trades import ClosedTrade, tally
from bursar.desk import Desk
from bursar.ledger import golden
from bursar.portfolio import Portfolio, allocating
from bursar.store import MemoryStore

_DAY = 86_400 * 10**9
_NOW = 20_484 * _DAY  # 2026-01-31
_TURNS = 5


class _Clock:
    """It stands."""

    def now(self) -> int:
        return _NOW


def main() -> None:
    """Measure and print."""
    print(f"{'':>10}  {'rules alone':>21}  {'in a book':>10}  {'after a trade':>13}")
    print(f"{'strategies':>10}  {'ms':>8}  {'us a strategy':>11}  {'us each':>10}  {'us each':>13}")
    for count in (10, 100, 1000):
        trades = _trades(count)
        spent = min(_once(trades) for _ in range(_TURNS))
        first, again = (seconds / count * 1e6 for seconds in _proposed(count))
        each = spent / count * 1e6
        print(f"{count:>10}  {spent * 1e3:>8.1f}  {each:>11.1f}  {first:>10.1f}  {again:>13.1f}")


def _once(trades: dict[str, list[ClosedTrade]]) -> float:
    began = process_time()
    figures = {
        name: Figures(
            results=tally(trade.pnl for trade in own),
            recent=tally(trade.pnl for trade in own[-14:]),
            in_regime=tally(trade.pnl for trade in own if trade.regime == "BULL"),
            sharpe=Decimal(1),
        )
        for name, own in trades.items()
    }
    last = tuple(trade for own in trades.values() for trade in own[-2:])
    cause = Cause(at=130 * _DAY, regime="BULL", figures=figures, trades=last)
    state = decide(AllocationState(), cause, Rules()).after
    assert state.weights.now
    return process_time() - began


def _proposed(count: int) -> tuple[float, float]:
    """Propose in a book that was just opened, apply, trade once, and propose again."""
    store = MemoryStore()
    Desk(store, _Clock()).submit(golden.read(_lines(count)))
    book = Portfolio(Desk(store, _Clock()), _unread)
    began = process_time()
    proposal = allocating.propose(book)
    first = process_time() - began
    allocating.apply(book, proposal)
    book.record(*golden.read(_trip("s0000", "last", 30)))
    began = process_time()
    assert len(allocating.propose(book).decision.cause.trades) == 1
    return first, process_time() - began


def _lines(count: int) -> Iterator[str]:
    yield f"2026-01-01T00:00:00Z deposit {count * 1000} USD #k:main:0"
    for number in range(count):
        for trip in range(5):
            yield from _trip(f"s{number:04}", f"{number}-{trip}", 2 + 5 * trip)


def _trip(strategy: str, name: str, day: int) -> Iterator[str]:
    for hour, deed in ((10, "buy 1 XBT @ 100"), (11, "sell 1 XBT @ 101")):
        time = f"2026-01-{day:02}T{hour}:00:00Z"
        yield f"{time} {deed} USD #k:main:{name}-{hour} strategy={strategy}"


def _trades(count: int) -> dict[str, list[ClosedTrade]]:
    rng = random.Random(1)  # noqa: S311  # made-up trades
    return {
        f"s{number:04}": [
            ClosedTrade(
                id=f"{number}-{trade}",
                strategy=f"s{number:04}",
                at=(100 + trade // 2) * _DAY,
                pnl=Decimal(rng.randint(-90, 100)),
                regime=rng.choice(("BULL", "BEAR")),
            )
            for trade in range(60)
        ]
        for number in range(count)
    }


def _unread(*_: object) -> None:
    raise AssertionError("no file is read here")


if __name__ == "__main__":
    main()
