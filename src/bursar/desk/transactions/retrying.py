"""Running a piece of work as a transaction, again if another writer was first.

The first try keeps nobody off. Each further one waits for a moment that the clock's last digits
decide, so that writers do not meet again, then takes the store's lock, takes up what others have
done, and runs the work anew: it cannot be too late once more, so every writer finishes. Who was too
late begins under the lock the next time as well, until nobody else has written in between.

Errors: those of a transaction; `StaleVersion` and `StoreBusy` when all tries are used up.
"""

from collections.abc import Callable

from bursar.desk import metrics
from bursar.desk.desk import Desk
from bursar.desk.retrying import pause
from bursar.desk.transactions.prices import Prices
from bursar.desk.transactions.rules import Rules
from bursar.desk.transactions.transaction import Later, PortfolioTransaction
from bursar.errors import BadChoice, StaleVersion, StoreBusy

Work = Callable[[PortfolioTransaction], None]


def transact(
    desk: Desk, rules: Rules, work: Work, mark_prices: Prices, *, retry_stale: int = 3
) -> PortfolioTransaction:
    """Stage what `work` stages and commit it; return the transaction with its verdict.

    Raises:
        BadChoice: it is to be tried again less than no times.
    """
    if retry_stale < 0:
        raise BadChoice(f"retry_stale: {retry_stale} is below zero", field="retry_stale")
    for attempt in range(retry_stale + 1):
        try:
            if attempt:
                pause(desk, attempt)
            if attempt or desk.is_crowded:
                return _alone(desk, rules, work, mark_prices)
            return _once(desk, rules, work, mark_prices)
        except (StaleVersion, StoreBusy):
            desk.is_crowded = True
            desk.uncounted = desk.uncounted.plus(metrics.Counts(retries=1))
            if attempt == retry_stale:
                raise
    raise AssertionError("the last try returns or raises")


def _alone(desk: Desk, rules: Rules, work: Work, mark_prices: Prices) -> PortfolioTransaction:
    """Do it under the lock, and see whether others have been there since the last time."""
    later: Later = []
    before = desk.head.version
    with desk.alone():
        desk.is_crowded = desk.head.version != before
        made = _once(desk, rules, work, mark_prices, later)
    for tell in later:
        tell()
    return made


def _once(
    desk: Desk, rules: Rules, work: Work, mark_prices: Prices, later: Later | None = None
) -> PortfolioTransaction:
    with PortfolioTransaction(desk, rules, later=later) as transaction:
        work(transaction)
        transaction.commit(mark_prices)
    return transaction
