"""Divides capital among strategies: a weight each, the rest in reserve, and why.

A strategy's wish is an equal part × what its method makes of its results (`methods`) × regime fit ×
memory × pressure × the share its state allows. Wishes become weights within bounds, the strongest
bound first:

    blocked    a strategy that is blocked, terminated or disabled has 0, at once
    frozen     what a person froze keeps its weight
    cap        no more than the cap (its own, if it has one) × the share of its state
    change     no further from the weight its UTC day began with than change × max(that, 1/n)
    floor      no less than the floor (its own minimum), as far as all floors find room

The bounds hold for the final weights (`simplex`), so nothing undoes them afterwards. Only the floor
ever lifts a weight. Σ weights + reserve = 1, exactly: nobody has to take what none may take. The
first decision starts from equal weights; later, a strategy that is new, or was blocked, starts from
0 and comes back at the pace of `change`.

`decide` is a function of its arguments alone, so a stored decision can be made again, byte for
byte. Errors: `BadChoice` for a strategy named twice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.capital.candidates import HALF, AllocatorSettings, Candidate, Method
from bursar.capital.methods import factors
from bursar.capital.simplex import Bounds, project
from bursar.errors import BadChoice
from bursar.exact import FRACTION_DIGITS, ONE, ZERO, divide, money, round18
from bursar.ledger import instant

NOWHERE: Final = Bounds(ZERO, ZERO)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Bound(Enum):
    """What held a weight where it is."""

    NONE = "none"
    BLOCKED = "blocked"
    FROZEN = "frozen"
    CAP = "cap"
    CHANGE = "change"
    FLOOR = "floor"


class Weights(msgspec.Struct, frozen=True):
    """Weights by strategy: now, and as the UTC day (by number) of the last decision began."""

    day: int | None = None
    opening: Mapping[str, Decimal] = {}
    now: Mapping[str, Decimal] = {}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy in a decision: every factor of its wish, its bounds, and which of them bound."""

    strategy: str
    previous: Decimal
    opening: Decimal
    method: Decimal
    regime: Decimal
    memory: Decimal
    pressure: Decimal
    share: Decimal
    wish: Decimal
    least: Decimal
    most: Decimal
    weight: Decimal
    bound: Bound
    reason: str


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """A decision: a line a strategy, by name, and what stays in reserve. `id` hashes the inputs."""

    id: str
    at: int
    regime: str
    lines: tuple[Line, ...]
    reserve: Decimal
    weights: Weights


class CapitalAllocator(msgspec.Struct, frozen=True):
    """The rules of dividing. O(n log n) in the number of strategies."""

    settings: AllocatorSettings = AllocatorSettings()

    @money
    def decide(
        self, candidates: Sequence[Candidate], weights: Weights, *, regime: str, at: int
    ) -> Allocation:
        """Return every candidate's weight, the reserve, and the weights to decide from next."""
        named = sorted(candidates, key=lambda candidate: candidate.name)
        names = [candidate.name for candidate in named]
        if len(set(names)) < len(names):
            raise BadChoice("a strategy stands among the candidates twice")
        drafts = self._drafts(named, _opening(names, weights, at), weights.now)
        total = ONE - self.settings.reserve
        bounds = _with_floors(drafts, total)
        wishes = [draft.wish for draft in drafts]
        if self.settings.method is Method.KELLY:
            total = min(total, _bet(wishes, bounds))
        found = project(wishes, bounds, total)
        lines = tuple(map(_line, drafts, bounds, found))
        opening = {line.strategy: line.opening for line in lines}
        now = {line.strategy: line.weight for line in lines}
        inputs = _ENCODER.encode((self.settings, named, weights, regime, at))
        return Allocation(
            id=hashlib.sha256(inputs).hexdigest()[:32],
            at=at,
            regime=regime,
            lines=lines,
            reserve=ONE - sum(found, ZERO),
            weights=Weights(at // instant.DAY, opening, now),
        )

    def _drafts(
        self, named: Sequence[Candidate], opening: Mapping[str, Decimal], now: Mapping[str, Decimal]
    ) -> list["_Draft"]:
        part = _equal(len(named))
        scale = ONE if self.settings.method is Method.KELLY else part
        return [
            self._draft(
                candidate,
                factor=factor,
                opening=opening[candidate.name],
                previous=now.get(candidate.name, opening[candidate.name]),
                parts=(scale, part),
            )
            for candidate, factor in zip(named, factors(self.settings, named), strict=True)
        ]

    def _draft(
        self,
        candidate: Candidate,
        *,
        factor: Decimal,
        opening: Decimal,
        previous: Decimal,
        parts: tuple[Decimal, Decimal],
    ) -> "_Draft":
        fit = HALF + candidate.fit
        others = fit * candidate.memory * candidate.pressure * candidate.share
        if not others:
            return _Draft(candidate, factor, ZERO, previous, ZERO, NOWHERE, Bound.BLOCKED)
        wish = round18(parts[0] * factor * others)
        if candidate.is_frozen:
            kept = Bounds(previous, previous)
            return _Draft(candidate, factor, opening, previous, wish, kept, Bound.FROZEN)
        step = round18(self.settings.change * max(opening, parts[1]))
        own = self.settings.cap if candidate.most is None else candidate.most
        cap, most = round18(own * candidate.share), opening + step
        upper = Bound.CAP if cap <= most else Bound.CHANGE
        most = min(cap, most)
        least = min(max(opening - step, ZERO), previous, most)
        floor = self.settings.floor if candidate.least is None else candidate.least
        bounds = Bounds(least, most)
        return _Draft(candidate, factor, opening, previous, wish, bounds, upper, min(floor, most))


class _Draft(msgspec.Struct, frozen=True):
    """A line before its weight is known; `upper` is what bounds it from above, or altogether."""

    candidate: Candidate
    factor: Decimal
    opening: Decimal
    previous: Decimal
    wish: Decimal
    bounds: Bounds
    upper: Bound
    floor: Decimal = ZERO


def _equal(count: int) -> Decimal:
    return divide(ONE, Decimal(count or 1), places=FRACTION_DIGITS)[0]


def _opening(names: Sequence[str], weights: Weights, at: int) -> dict[str, Decimal]:
    """Return the weights the day began with: equal ones before the first decision."""
    if weights.day is None:
        return dict.fromkeys(names, _equal(len(names)))
    known = weights.opening if weights.day == at // instant.DAY else weights.now
    return {name: known.get(name, ZERO) for name in names}


def _with_floors(drafts: Sequence[_Draft], total: Decimal) -> list[Bounds]:
    """Lift the lower bounds to the floors, all in the same proportion if there is no room."""
    lifts = [max(draft.floor - draft.bounds.least, ZERO) for draft in drafts]
    wanted = sum(lifts, ZERO)
    room = max(total - sum((draft.bounds.least for draft in drafts), ZERO), ZERO)
    if wanted > room:
        lifts = [divide(lift * room, wanted, places=FRACTION_DIGITS)[0] for lift in lifts]
    return [
        Bounds(draft.bounds.least + lift, draft.bounds.most)
        for draft, lift in zip(drafts, lifts, strict=True)
    ]


def _bet(wishes: Sequence[Decimal], bounds: Sequence[Bounds]) -> Decimal:
    """Return what bets come to, each as far as its bounds allow: one's surplus is nobody else's."""
    pairs = zip(wishes, bounds, strict=True)
    return sum((min(max(wish, bound.least), bound.most) for wish, bound in pairs), ZERO)


def _line(draft: _Draft, bounds: Bounds, weight: Decimal) -> Line:
    candidate = draft.candidate
    bound = _bound(draft, bounds, weight)
    return Line(
        strategy=candidate.name,
        previous=draft.previous,
        opening=draft.opening,
        method=draft.factor,
        regime=HALF + candidate.fit,
        memory=candidate.memory,
        pressure=candidate.pressure,
        share=candidate.share,
        wish=draft.wish,
        least=bounds.least,
        most=bounds.most,
        weight=weight,
        bound=bound,
        reason=_reason(candidate, bound),
    )


def _bound(draft: _Draft, bounds: Bounds, weight: Decimal) -> Bound:
    if draft.upper in {Bound.BLOCKED, Bound.FROZEN} or weight == bounds.most:
        return draft.upper
    if weight == bounds.least > draft.bounds.least:
        return Bound.FLOOR
    return Bound.CHANGE if weight == bounds.least > ZERO else Bound.NONE


def _reason(candidate: Candidate, bound: Bound) -> str:
    if bound is not Bound.BLOCKED:
        return _REASONS[bound]
    if candidate.memory:
        return "terminated" if not candidate.share else "no capital under its pressure"
    return "rests after a fall" if candidate.is_resting else "lost too often in this regime"


_REASONS: Final = {
    Bound.NONE: "its share of the wishes",
    Bound.FROZEN: "frozen by hand",
    Bound.CAP: "held at its cap",
    Bound.CHANGE: "held by the change allowed in a day",
    Bound.FLOOR: "held at its floor",
}
