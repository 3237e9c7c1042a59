"""How transactions went, as figures for Prometheus.

What is told is what `bursar tx stats` tells: all processes that write to the portfolio, since its
beginning. A kept distribution has no sum, so its histogram has buckets and a count, no mean.

Errors: none.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from bursar.desk.metrics import MONEY_BOUNDS, MS_BOUNDS, Counts, Distribution
from bursar.serve.meter import Gauge, Histogram

_MS_PER_S: Final = 1_000


def figures(counts: Counts) -> Iterator[Gauge | Histogram]:
    """Yield the figures of all transactions."""
    for name, doc, value in (
        ("bursar_transactions_committed", "Transactions committed", counts.commits),
        ("bursar_transactions_repeated", "Commits told again under their key", counts.repeats),
        ("bursar_transactions_retried", "Tries after another writer was first", counts.retries),
    ):
        yield Gauge(name, doc, {(): float(value)}, is_counter=True)
    for name, doc, by, of in (
        ("bursar_transactions_discarded", "Transactions discarded", "reason", counts.discards),
        ("bursar_transactions_failed", "Transactions ended by an error", "code", counts.failures),
    ):
        told: dict[tuple[str, ...], float] = {(word,): float(n) for word, n in of.items()}
        yield Gauge(name, doc, told, (by,), is_counter=True)
    base = "in base currency"
    yield _histogram("bursar_transaction_delta", f"Δ, {base}", MONEY_BOUNDS, counts.delta)
    yield _histogram("bursar_transaction_epsilon", f"ε, {base}", MONEY_BOUNDS, counts.epsilon)
    seconds = [bound / _MS_PER_S for bound in MS_BOUNDS]
    doc = "Time that commit took"
    yield _histogram("bursar_transaction_seconds", doc, seconds, counts.latency_ms)


def _histogram(
    name: str, doc: str, bounds: Sequence[Decimal | float], of: Distribution
) -> Histogram:
    return Histogram(name, doc, tuple(map(str, bounds)), of.counts or (0,) * (len(bounds) + 1))
