"""What is told of transactions: one line each, in the contract's words, with its fields beside it.

The line is the record's message; the fields (transaction, correlation id, version, exact figures)
are attributes of the record, so whoever formats records as JSON has them. Commits are `info`,
discards `warning`. The logger is `bursar.transactions`.
"""

import logging
from decimal import Decimal
from typing import Final

import structlog

from bursar.desk.transactions.rules import TransactionReview
from bursar.exact import show, trimmed

_LOGGER: Final = logging.getLogger("bursar.transactions")
LOG: Final[structlog.BoundLogger] = structlog.wrap_logger(
    _LOGGER,
    processors=[structlog.stdlib.render_to_log_kwargs],
)


def commit_line(review: TransactionReview) -> str:
    """Write the line of a commit."""
    cash, positions, total = map(_dollars, (review.cash, review.positions, review.total))
    compared = f"(Δ={_dollars(review.delta)}, ε={_dollars(review.epsilon)})"
    return f"PORTFOLIO_COMMIT: cash={cash}, positions={positions}, total={total} {compared}"


def discard_line(reason: str, review: TransactionReview | None) -> str:
    """Write the line of a discard; what is not known is said to be."""
    delta, epsilon = (None, None) if review is None else (review.delta, review.epsilon)
    return f"PORTFOLIO_DISCARD: reason={reason} Δ={_dollars(delta)}, ε={_dollars(epsilon)}"


def is_heard() -> bool:
    """Tell whether anybody hears of commits."""
    return _LOGGER.isEnabledFor(logging.INFO)


def tell_commit(review: TransactionReview, **fields: object) -> None:
    """Tell of a commit."""
    if is_heard():  # the line costs more than the judgement
        LOG.info(commit_line(review), **_fields(review), **fields)


def tell_discard(reason: str, review: TransactionReview | None, **fields: object) -> None:
    """Tell of a discard."""
    if not _LOGGER.isEnabledFor(logging.WARNING):
        return
    LOG.warning(discard_line(reason, review), reason=reason, **_fields(review), **fields)


def _fields(review: TransactionReview | None) -> dict[str, object]:
    if review is None:
        return {}
    figures = ("cash", "positions", "total", "previous_equity", "delta", "epsilon")
    known = {name: getattr(review, name) for name in figures}
    told = {name: trimmed(value) for name, value in known.items() if value is not None}
    return {"transaction": review.id, "detail": review.detail, **told}


def _dollars(value: Decimal | None) -> str:
    return "unknown" if value is None else f"${show(value, places=2, grouped=False)}"
