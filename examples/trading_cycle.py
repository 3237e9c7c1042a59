"""A trading system's cycles over one portfolio, each a transaction that holds or leaves no trace.

    python examples/trading_cycle.py             # in memory
    python examples/trading_cycle.py book.db     # kept; run it again and it goes on where it was

A cycle stages what its orders did, in any order and through any swings, and commits at the marks of
its end. The equity that comes of it is what the next cycle is compared with.
"""

import logging
import sys
from decimal import Decimal

import bursar

MARKS = (
    {"BTC/USDT": "50000", "ETH/USDT": "3000"},
    {"BTC/USDT": "50400", "ETH/USDT": "2990"},
    {"BTC/USDT": "50100", "ETH/USDT": "3010"},
)


def begin(session: bursar.TradingSession) -> None:
    """Put the first money in: a declared deposit, with an ε that lets it through."""
    with session.cycle(validation_epsilon="100000") as tx:
        tx.stage_cash_delta("100000", declared=True)
        tx.commit({})


def rebalance(session: bursar.TradingSession, marks: dict[str, str]) -> bool:
    """Sell everything and buy anew: a large swing, and a final state that differs little."""
    with session.cycle(against="remarked", validation_epsilon="50") as tx:
        for position in session.portfolio.positions():
            symbol = position.pair.replace("USD", "USDT")
            tx.stage_position_delta(symbol, -position.base_size, entry_price=marks[symbol])
            tx.stage_cash_delta(position.base_size * Decimal(marks[symbol]))
        for symbol, quantity in (("BTC/USDT", Decimal("0.8")), ("ETH/USDT", Decimal(10))):
            tx.stage_position_delta(symbol, quantity, entry_price=marks[symbol], strategy="even")
            tx.stage_cash_delta(-quantity * Decimal(marks[symbol]), fees="4.5")
        return tx.commit(marks)


def blunder(session: bursar.TradingSession, marks: dict[str, str]) -> bool:
    """Forget the coins of a purchase: nothing explains where the cash went, so it is discarded."""
    with session.cycle(against="remarked") as tx:
        tx.stage_cash_delta("-5000")
        return tx.commit(marks)


def main(place: str) -> None:
    """Run three cycles and a blunder, and show what stands."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    with bursar.open(place) as portfolio:
        session = bursar.TradingSession(portfolio)
        if session.previous_equity is None:
            begin(session)
        for marks in MARKS:
            rebalance(session, marks)
        blunder(session, MARKS[-1])
        print(f"equity {session.previous_equity}")
        print(portfolio.verify().is_sound)


if __name__ == "__main__":
    main(*sys.argv[1:] or (":memory:",))
