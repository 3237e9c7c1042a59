"""Which transaction is the open one of a desk, for whoever runs here.

Each thread and each task knows those that it has begun, or that were open when it was started.
Blocks may end in another order than they began in, or in another task, as generators do; and a task
may outlive the block that it was started in. So what has ended is passed over.

A transaction of a batch is judged in memory and waits for the end of it; one beside the batch could
not be durable before that either, so it is refused.

Errors: `TransactionOver`.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING

from bursar.desk.desk import Desk
from bursar.desk.transactions.rules import State
from bursar.desk.transactions.running import Running
from bursar.errors import TransactionOver

if TYPE_CHECKING:
    from bursar.desk.transactions.transaction import PortfolioTransaction

_BEGUN: ContextVar[tuple["PortfolioTransaction", ...]] = ContextVar("transactions", default=())


def innermost(desk: Desk) -> "PortfolioTransaction | None":
    """Return the transaction of a desk that was begun last and has not ended."""
    for each in reversed(_BEGUN.get()):
        if each.desk is desk and _is_open(each):
            return each
    return None


def require_innermost(one: "PortfolioTransaction") -> None:
    """Refuse to go on with one that is not the open one here.

    Raises:
        TransactionOver: saying what is in its way.
    """
    require_batch(one.desk, one.running)
    inner = innermost(one.desk)
    if inner is one:
        return
    if inner is not None and one in inner.outers:
        raise TransactionOver("another transaction is open inside this one")
    raise TransactionOver("the transaction was begun in another thread or task; use it there")


def require_batch(desk: Desk, running: Running | None) -> None:
    """Refuse a transaction of a batch that has ended, and one beside a batch that is open.

    Raises:
        TransactionOver: saying which.
    """
    if running is None and desk.waiting is not None:
        raise TransactionOver("a batch of this portfolio is open; use its `transaction()`")
    if running is not None and running.is_over:
        raise TransactionOver("the batch of this transaction has ended")


def enter(begun: "PortfolioTransaction") -> None:
    """Let this be the open one."""
    _BEGUN.set((*filter(_is_open, _BEGUN.get()), begun))


def leave(ended: "PortfolioTransaction") -> None:
    """Let the one before it be that again."""
    _BEGUN.set(tuple(each for each in _BEGUN.get() if each is not ended))


def _is_open(each: "PortfolioTransaction") -> bool:
    return each.state in {State.OPEN, State.COMMITTING}
