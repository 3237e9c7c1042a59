"""Transactions by the contract's names, and the trading cycle around them.

`portfolio_transaction` takes a store, whoever manages the portfolio in it, and a session, which is
the portfolio's name. All three must be of one portfolio: staging for one and writing to another is
refused. Everything else is in `desk.transactions`.

Errors: `BadChoice` for parts that do not belong together; those of transactions.
"""

from decimal import Decimal
from typing import Unpack

from bursar.desk.transactions import (
    Options,
    PortfolioBatch,
    PortfolioTransaction,
    Recovery,
)
from bursar.errors import BadChoice
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.previous import Previous
from bursar.portfolio.service import PortfolioService
from bursar.ports import PortfolioStore

Manager = Portfolio | PortfolioService


def portfolio_transaction(
    *,
    state_store: PortfolioStore,
    portfolio_manager: Manager,
    previous_equity: Previous,
    session_id: str,
    **options: Unpack[Options],
) -> PortfolioTransaction:
    """Begin a transaction of a session, as `with` or `async with`.

    >>> import bursar
    >>> p = bursar.open(":memory:")
    >>> with bursar.portfolio_transaction(
    ...     state_store=p.desk.store, portfolio_manager=p, previous_equity=0, session_id="main"
    ... ) as tx:
    ...     tx.stage_cash_delta("0.50")
    ...     tx.commit({})
    True
    """
    portfolio = _of(portfolio_manager, state_store, session_id)
    return portfolio.transaction(previous_equity, **options)


def portfolio_batch(
    *,
    state_store: PortfolioStore,
    portfolio_manager: Manager,
    previous_equity: Previous,
    session_id: str,
    **options: Unpack[Options],
) -> PortfolioBatch:
    """Begin a batch of a session: many small transactions, one durable commit.

    >>> import bursar
    >>> p = bursar.open(":memory:")
    >>> with bursar.portfolio_batch(
    ...     state_store=p.desk.store, portfolio_manager=p, previous_equity=0, session_id="main"
    ... ) as batch:
    ...     for _ in range(3):
    ...         with batch.transaction() as tx:
    ...             tx.stage_cash_delta("0.50")
    ...             assert tx.commit({})
    >>> p.equity().value
    Decimal('1.50')
    """
    portfolio = _of(portfolio_manager, state_store, session_id)
    return portfolio.batch(previous_equity, **options)


def recover(
    session_id: str, *keys: str, state_store: PortfolioStore, portfolio_manager: Manager
) -> Recovery:
    """Say where a session stands after a crash; `keys` are idempotency keys to look for.

    >>> import bursar
    >>> p = bursar.open(":memory:")
    >>> bursar.recover("main", state_store=p.desk.store, portfolio_manager=p).version
    0
    """
    return _of(portfolio_manager, state_store, session_id).recover(*keys)


class TradingSession:
    """A trading system's cycles over one portfolio: each is compared with what the last came to.

    >>> import bursar
    >>> session = bursar.TradingSession(bursar.open(":memory:"), previous_equity="0")
    >>> with session.cycle(validation_epsilon="1000") as tx:
    ...     tx.stage_cash_delta("1000", declared=True)
    ...     tx.commit({})
    True
    >>> session.previous_equity
    Decimal('1000')
    """

    def __init__(
        self,
        manager: Manager,
        *,
        previous_equity: Previous = None,
        **options: Unpack[Options],
    ) -> None:
        self.portfolio = _portfolio(manager)
        self.recovered = self.portfolio.recover()
        self._first = previous_equity
        self._options = options

    @property
    def session_id(self) -> str:
        """The portfolio's name."""
        return self.portfolio.desk.store.portfolio

    @property
    def previous_equity(self) -> Decimal | None:
        """What the last committed cycle came to, in whatever process; `None` before the first."""
        known = self.portfolio.desk.store.get_latest_cash_equity(self.session_id)
        return None if known is None else known["total_equity"]

    def cycle(self, **options: Unpack[Options]) -> PortfolioTransaction:
        """Begin a cycle. A crash in its commit is found by the next session."""
        previous = self.previous_equity
        every: Options = {"announced": True, **self._options, **options}
        return self.portfolio.transaction(self._first if previous is None else previous, **every)


def _portfolio(manager: Manager) -> Portfolio:
    return manager.portfolio if isinstance(manager, PortfolioService) else manager


def _of(manager: Manager, store: PortfolioStore, session: str) -> Portfolio:
    portfolio = _portfolio(manager)
    own = portfolio.desk.store
    if store is not own:
        raise BadChoice("the store is not the portfolio manager's own", session=session)
    if session != own.portfolio:
        raise BadChoice(
            f"session {session!r} is another portfolio than {own.portfolio!r}; open that one",
            session=session,
        )
    return portfolio
