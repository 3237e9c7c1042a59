"""Beginning: the initial capital of a portfolio of which no venue says what it holds.

It is one deposit into an empty journal, and a fact like any other: it can be seen, explained and
reversed. Where anything was ever recorded nothing is put in, so it is never there twice.

Errors: the numbers' own; what the desk raises.
"""

from decimal import Decimal
from typing import Final

from bursar.desk import Receipt
from bursar.ledger.entries import CashFlow, FlowKind
from bursar.portfolio.portfolio import Portfolio

NAME: Final = "INITIAL_CAPITAL"
ASSET: Final = "USDT"


def begin(
    portfolio: Portfolio, amount: Decimal, *, account: str, asset: str | None = None
) -> Receipt | None:
    """Put the initial capital into an empty portfolio; `None` where nothing was put in.

    Without an asset it is USDT where that counts as money, else the base currency.
    """
    desk = portfolio.writer
    chosen = asset or (ASSET if ASSET in portfolio.terms.cash else portfolio.terms.base)
    with desk.alone():
        if desk.head.seq or not amount:
            return None
        entry = CashFlow(
            id=f"{account}:initial",
            executed_at=desk.clock.now(),
            account=account,
            kind=FlowKind.DEPOSIT,
            asset=chosen,
            amount=amount,
            note=NAME,
        )
        return portfolio.record(entry)
