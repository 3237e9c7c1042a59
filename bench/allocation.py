"""How long dividing capital takes, by the number of strategies.

    ./run bench allocation

Each strategy has thirty days of trades, two a day; the figures are counted from them, the trades of
the last day are remembered, and capital is divided. What is to be read is the time a strategy: it
should not grow with their number.
"""

import random
from decimal import Decimal
from time import process_time

from bursar.capital.deciding import AllocationState, Cause, Figures, Rules, decide
from bursar.capital.trades import ClosedTrade, tally

_DAY = 86_400 * 10**9
_TURNS = 5


def main() -> None:
    """Measure and print."""
    print(f"{'strategies':>10}  {'ms':>8}  {'us a strategy':>13}")
    for count in (10, 100, 1000):
        trades = _trades(count)
        spent = min(_once(trades) for _ in range(_TURNS))
        print(f"{count:>10}  {spent * 1e3:>8.1f}  {spent / count * 1e6:>13.1f}")


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


if __name__ == "__main__":
    main()
