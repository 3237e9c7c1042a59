"""How transactions went: counts, distributions, latency; kept beside the journal.

Figures of commits stand in a memo that each commit writes in its own transaction, so they count
exactly what is in the journal. Discards write nothing else; they are added up under the store's
lock. What a store refuses to keep stays with the process and is kept the next time.

A distribution counts how often a figure was at most each bound; what is above all of them counts
under `more`. The latency of a commit is known when it is over, so it is kept with the next one.

Errors: none.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Final

import msgspec

from bursar.ledger import instant

COMMITS: Final = "transactions commits"
DISCARDS: Final = "transactions discards"
MONEY_BOUNDS: Final = tuple(
    Decimal(text) for text in ("0", "0.01", "0.1", "1", "10", "100", "1000", "10000", "100000")
)
MS_BOUNDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000)


class Distribution(msgspec.Struct, frozen=True):
    """How many figures were at most each bound and above the one before; the last are above all."""

    counts: tuple[int, ...] = ()

    def and_one(self, place: int, size: int) -> "Distribution":
        """Return this and one more figure, at its place among so many bounds."""
        counts = list(self.counts or (0,) * (size + 1))
        counts[place] += 1
        return Distribution(tuple(counts))

    def plus(self, other: "Distribution") -> "Distribution":
        """Return both together."""
        if not (self.counts and other.counts):
            return self if self.counts else other
        both = zip(self.counts, other.counts, strict=True)
        return Distribution(tuple([one + more for one, more in both]))


class Counts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has been counted. Δ and ε are in base currency, latencies in milliseconds."""

    commits: int = 0
    discards: Mapping[str, int] = msgspec.field(default_factory=dict)
    failures: Mapping[str, int] = msgspec.field(default_factory=dict)
    retries: int = 0
    repeats: int = 0
    delta: Distribution = Distribution()
    epsilon: Distribution = Distribution()
    latency_ms: Distribution = Distribution()

    def plus(self, other: "Counts") -> "Counts":
        """Return both together."""
        return Counts(
            commits=self.commits + other.commits,
            discards=_added(self.discards, other.discards),
            failures=_added(self.failures, other.failures),
            retries=self.retries + other.retries,
            repeats=self.repeats + other.repeats,
            delta=self.delta.plus(other.delta),
            epsilon=self.epsilon.plus(other.epsilon),
            latency_ms=self.latency_ms.plus(other.latency_ms),
        )


_DECODER: Final = msgspec.json.Decoder(Counts)
NONE: Final = Counts()


def committed(delta: Decimal | None, epsilon: Decimal | None) -> Counts:
    """Count a commit."""
    return Counts(commits=1, delta=_money(delta), epsilon=_money(epsilon))


def committed_all(pairs: Sequence[tuple[Decimal | None, Decimal | None]]) -> Counts:
    """Count commits by their Δ and ε, as if one after another."""
    return Counts(
        commits=len(pairs),
        delta=_all_money([delta for delta, _ in pairs]),
        epsilon=_all_money([allowed for _, allowed in pairs]),
    )


def took_all(nanoseconds: Iterable[int]) -> Counts:
    """Count how long commits have taken."""
    places = [bisect_left(MS_BOUNDS, -(-max(each, 0) // instant.MS)) for each in nanoseconds]
    return Counts(latency_ms=_at(places, len(MS_BOUNDS)))


def discarded(reason: str, delta: Decimal | None, epsilon: Decimal | None) -> Counts:
    """Count a discard."""
    return Counts(discards={reason: 1}, delta=_money(delta), epsilon=_money(epsilon))


def took(nanoseconds: int) -> Counts:
    """Count how long a commit has taken."""
    place = bisect_left(MS_BOUNDS, -(-max(nanoseconds, 0) // instant.MS))
    return Counts(latency_ms=Distribution().and_one(place, len(MS_BOUNDS)))


def added(parts: Iterable[Counts]) -> Counts:
    """Return all of them together."""
    return reduce(Counts.plus, parts, NONE)


def read(text: str | None) -> Counts:
    """Read kept figures; none are zeros."""
    return NONE if text is None else _DECODER.decode(text)


def text(counts: Counts) -> str:
    """Write figures to be kept."""
    return msgspec.json.encode(counts).decode()


def _all_money(values: Iterable[Decimal | None]) -> Distribution:
    places = [bisect_left(MONEY_BOUNDS, value) for value in values if value is not None]
    return _at(places, len(MONEY_BOUNDS))


def _at(places: Sequence[int], size: int) -> Distribution:
    if not places:
        return Distribution()
    counted = Counter(places)
    return Distribution(tuple(counted[place] for place in range(size + 1)))


def _money(value: Decimal | None) -> Distribution:
    if value is None:
        return Distribution()
    return Distribution().and_one(bisect_left(MONEY_BOUNDS, value), len(MONEY_BOUNDS))


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    if not (one and other):
        return one or other
    names = sorted({*one, *other})
    return {name: one.get(name, 0) + other.get(name, 0) for name in names}
