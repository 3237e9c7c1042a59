"""Transactions: staged deltas, judged as a whole, written as one fact or not at all.

    with portfolio.transaction(previous_equity="100000", validation_epsilon=20) as tx:
        tx.stage_cash_delta("-1000", fees="5")
        tx.stage_position_delta("BTC/USDT", "0.02", entry_price="50000")
        tx.commit({"BTC/USDT": "51000"})

Invariants
- Only the final state is judged; what is not acceptable leaves the book as it was.
- A committed transaction is a journal entry like every other: one database transaction holds it,
  its projection, records and message, and the equity that the next one is compared with.
- Floats end at the door, by their shortest text.

Errors: in `transaction`.
"""

from bursar.desk.transactions.batch import PortfolioBatch
from bursar.desk.transactions.keeping import settle
from bursar.desk.transactions.prices import Prices
from bursar.desk.transactions.recovery import Interrupted, Recovery, recover
from bursar.desk.transactions.retrying import transact
from bursar.desk.transactions.rules import (
    Against,
    Number,
    Options,
    Reason,
    Rules,
    State,
    TransactionReview,
    epsilon,
    rules_of,
)
from bursar.desk.transactions.staging import (
    StagedCash,
    StagedLotBook,
    StagedLotEdit,
    StagedPosition,
    StagedRealizedPnl,
)
from bursar.desk.transactions.transaction import PortfolioTransaction

__all__ = [
    "Against",
    "Interrupted",
    "Number",
    "Options",
    "PortfolioBatch",
    "PortfolioTransaction",
    "Prices",
    "Reason",
    "Recovery",
    "Rules",
    "StagedCash",
    "StagedLotBook",
    "StagedLotEdit",
    "StagedPosition",
    "StagedRealizedPnl",
    "State",
    "TransactionReview",
    "epsilon",
    "recover",
    "rules_of",
    "settle",
    "transact",
]
