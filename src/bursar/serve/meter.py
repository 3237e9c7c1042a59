"""Counting what the service does, and telling it to Prometheus.

The hot path adds to plain integers; the exposition is made when somebody scrapes.

Errors: none.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.ledger import instant

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BOUNDS_NS: Final = tuple(round(bound * instant.SECOND) for bound in BOUNDS_S)


class Gauge(msgspec.Struct, frozen=True):
    """A figure of this moment: its name, what it says, and its values by label."""

    name: str
    doc: str
    values: Mapping[tuple[str, ...], float]
    labels: tuple[str, ...] = ()
    is_counter: bool = False


class Histogram(msgspec.Struct, frozen=True):
    """How often a figure was at most each bound and above the one before; the last are above all.

    What is kept elsewhere has no sum, so this has none.
    """

    name: str
    doc: str
    bounds: tuple[str, ...]
    counts: tuple[int, ...]


class Meter:
    """Requests by route, method and status, and how long they took."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS_S) + 1))
        self._sums: defaultdict[str, int] = defaultdict(int)

    def count(self, route: str, method: str, status: int, took_ns: int) -> None:
        """Count a request."""
        self.requests[route, method, status] += 1
        self._buckets[route][bisect_left(_BOUNDS_NS, took_ns)] += 1
        self._sums[route] += took_ns

    def collect(self) -> "Iterator[Metric]":
        """Yield what was counted, as the library has it."""
        from prometheus_client.core import (  # noqa: PLC0415 (loaded at the first scrape)
            CounterMetricFamily,
            HistogramMetricFamily,
        )

        counted = CounterMetricFamily(
            "bursar_http_requests", "Requests answered", labels=["route", "method", "status"]
        )
        for (route, method, status), n in sorted(self.requests.items()):
            counted.add_metric([route, method, str(status)], n)
        yield counted
        took = HistogramMetricFamily(
            "bursar_http_request_seconds", "Time to answer", labels=["route"]
        )
        for route, buckets in sorted(self._buckets.items()):
            told = list(_summed(map(str, BOUNDS_S), buckets))
            took.add_metric([route], told, self._sums[route] / instant.SECOND)
        yield took


class _Collector:
    """What is scraped: the meter, and figures of this moment."""

    def __init__(self, meter: Meter, figures: Iterable[Gauge | Histogram]) -> None:
        self._meter = meter
        self._figures = figures

    def collect(self) -> "Iterator[Metric]":
        """Yield all of it."""
        from prometheus_client.core import (  # noqa: PLC0415 (the same)
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        yield from self._meter.collect()
        for each in self._figures:
            if isinstance(each, Histogram):
                buckets = list(_summed(each.bounds, each.counts))
                yield HistogramMetricFamily(each.name, each.doc, buckets=buckets)
                continue
            kind = CounterMetricFamily if each.is_counter else GaugeMetricFamily
            family = kind(each.name, each.doc, labels=list(each.labels))
            for labels, value in each.values.items():
                family.add_metric(list(labels), value)
            yield family


def exposition(meter: Meter, figures: Iterable[Gauge | Histogram]) -> bytes:
    """Write what Prometheus scrapes, in its text format, with the process's own figures."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 (the same)
    from prometheus_client.process_collector import ProcessCollector  # noqa: PLC0415 (the same)

    registry = CollectorRegistry()
    registry.register(_Collector(meter, tuple(figures)))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _summed(bounds: Iterable[str], counts: Iterable[int]) -> Iterator[tuple[str, float]]:
    """Yield buckets as the exposition has them: each with all below it."""
    total = 0
    for bound, n in zip((*bounds, "+Inf"), counts, strict=True):
        total += n
        yield bound, total
