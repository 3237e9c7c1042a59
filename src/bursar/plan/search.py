"""The exact search behind `rounding="optimal"`: which whole units leave the least Σ|residual|.

Every symbol has choices of how many units to trade. The best one for itself is taken first; if all
of these together cost more than there is, some must give way. A choice that gives way *saves* money
and *costs* deviation. Wanted is the least cost whose savings reach the excess: a covering knapsack.

All numbers are whole: amounts of money are scaled to a common last digit, so nothing is rounded.

- The relaxation, which may take fractions of a step between choices, gives a price λ for money, and
  with it a bound that holds for everything (Lagrange): no choice can cost less.
- The relaxation without its last, broken step, mended at the one symbol where that costs least, is
  a first answer. Above the bound, it leaves a slack: choices that waste more are out.
- Dynamic programming over the symbols keeps, of partial answers, those that no other beats in both
  savings and cost, and that the symbols to come could still complete for less than the best answer
  so far: what these cost at least is their own relaxation. Symbols whose choices differ most come
  first; those to come then only tune.
- Wider and wider walks each better the answer before them. Where a walk would come to more than
  `limit` partial answers it goes on as narrow as the first, with those that promise most: what it
  finds then need not be the optimum, and the bound says how far from it it can be.

Deterministic: a tie goes to what was met first in the symbols' own order, and the limit counts
partial answers, never time.

Errors: none. If even everything together saves too little, the most saving choices are taken.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Final

import msgspec

Choice = tuple[int, int]
"""What a choice saves and what it costs, beside the first one, which saves and costs nothing."""

_NARROW: Final = 30_000
"""How many steps a narrow walk takes at most for one symbol."""
_Path = tuple["_Path", int, int] | None
_State = tuple[int, int, int, int, _Path]
"""What a partial answer costs at least when complete, and what it wastes, saves and costs so far;
and its choices, latest first."""


class Answer(msgspec.Struct, frozen=True):
    """Which choice of each symbol, what they cost in all, and the bound none can go below.

    `price` is what saving one more costs in the relaxation; the bound follows from it.
    """

    picks: tuple[int, ...]
    cost: int
    least: Fraction
    nodes: int
    is_exact: bool
    price: Fraction = Fraction(0)


class _Relaxed(msgspec.Struct, frozen=True):
    """The relaxation: the excess, the price of money, the bound, and all its whole steps."""

    excess: int
    price: Fraction
    least: Fraction
    picks: tuple[int, ...]


class _Later(msgspec.Struct, frozen=True):
    """The symbols to come, relaxed: the corners of what they save and cost together."""

    saved: list[int]
    cost: list[int]

    def least(self, wanted: int) -> int | None:
        """Return what saving so much costs at least, rounded up; `None` where they cannot."""
        place = bisect_left(self.saved, wanted)
        if not place:
            return self.cost[0]
        if place == len(self.saved):
            return None
        x, y = self.saved[place - 1], self.cost[place - 1]
        return y - (y - self.cost[place]) * (wanted - x) // (self.saved[place] - x)


class _Aim(msgspec.Struct, frozen=True):
    """What a walk is after: savings that reach the excess, for less than the best cost so far.

    `slack` is what an answer may waste.
    """

    excess: int
    slack: int
    best: int


class _Stage(msgspec.Struct, frozen=True):
    """A symbol in the walk: its place, its choices worth a look, and the symbols after it."""

    place: int
    choices: list[tuple[int, int, int, int]]
    later: _Later
    is_last: bool

    def worth(self, wanted: int) -> Sequence[tuple[int, int, int, int]]:
        """Return the choices for an answer that still wants savings: at the end, one is enough."""
        if not self.is_last:
            return self.choices
        place = bisect_left(self.choices, wanted, key=itemgetter(1))
        return self.choices[place : place + 1]


def search(tables: Sequence[Sequence[Choice]], excess: int, *, limit: int) -> Answer:
    """Choose from each table so that the savings reach `excess` (> 0) at the least cost.

    A table begins with (0, 0); savings and costs rise along it. With a limit of 0 the first answer
    stands.
    """
    relaxed = _relax(tables, excess)
    if relaxed is None:
        picks = tuple(len(table) - 1 for table in tables)
        return Answer(picks, _cost(tables, picks), Fraction(_cost(tables, picks)), 0, is_exact=True)
    first = _mended(tables, relaxed)
    if first.is_exact or not limit:
        return first
    narrow = _walk(tables, relaxed, first, is_narrow=True, limit=limit)
    if narrow.is_exact:
        return narrow
    return _walk(tables, relaxed, narrow, is_narrow=False, limit=limit)


def is_beaten(table: Sequence[Choice], choice: Choice, answer: Answer) -> bool:
    """Tell whether no better answer can have a choice, for what it wastes."""
    least = min(cost - answer.price * saved for saved, cost in table)
    return answer.least + choice[1] - answer.price * choice[0] - least >= answer.cost


def _cost(tables: Sequence[Sequence[Choice]], picks: Sequence[int]) -> int:
    return sum(table[pick][1] for table, pick in zip(tables, picks, strict=True))


def _relax(tables: Sequence[Sequence[Choice]], excess: int) -> _Relaxed | None:
    """Take the cheapest savings first, whole stretches of them; `None` if all are too little."""
    stretches: list[tuple[Fraction, int, int, int]] = []
    for place, table in enumerate(tables):
        for before, after in pairwise(_corners(table)):
            saved = table[after][0] - table[before][0]
            slope = Fraction(table[after][1] - table[before][1], saved)
            stretches.append((slope, place, after, saved))
    stretches.sort()
    picks = [0] * len(tables)
    wanted, least = excess, Fraction(0)
    for slope, place, after, saved in stretches:
        least += slope * min(saved, wanted)
        if saved >= wanted:
            return _Relaxed(excess, slope, least, tuple(picks))
        picks[place] = after
        wanted -= saved
    return None


def _corners(table: Sequence[Choice]) -> list[int]:
    """Return the choices at the corners of the table's lower convex hull."""
    corners = [0]
    for place in range(1, len(table)):
        while len(corners) > 1 and _is_above(table, corners[-2], corners[-1], place):
            corners.pop()
        corners.append(place)
    return corners


def _is_above(table: Sequence[Choice], before: int, middle: int, after: int) -> bool:
    (x0, y0), (x1, y1), (x2, y2) = table[before], table[middle], table[after]
    return (y1 - y0) * (x2 - x0) >= (y2 - y0) * (x1 - x0)


def _mended(tables: Sequence[Sequence[Choice]], relaxed: _Relaxed) -> Answer:
    """Let one symbol save what the relaxation's whole steps lack, where that costs least."""
    picks = list(relaxed.picks)
    saved = sum(table[pick][0] for table, pick in zip(tables, picks, strict=True))
    cost, offers = _cost(tables, picks), list[tuple[int, int, int]]()
    for place, table in enumerate(tables):
        had, paid = table[picks[place]]
        pick = bisect_left(table, (relaxed.excess - saved + had,))
        if pick < len(table):
            offers.append((cost + table[pick][1] - paid, place, pick))
    best, place, pick = min(offers)
    picks[place] = pick
    is_exact = best == relaxed.least
    return Answer(tuple(picks), best, relaxed.least, 0, is_exact, relaxed.price)


def _walk(
    tables: Sequence[Sequence[Choice]],
    relaxed: _Relaxed,
    best: Answer,
    *,
    is_narrow: bool,
    limit: int,
) -> Answer:
    """Go through the symbols with all partial answers, or with those that promise most.

    Waste is what an answer costs beyond the bound, in units of 1 ÷ the price's denominator.
    """
    b = relaxed.price.denominator
    slack = b * best.cost - int(relaxed.least * b)
    if not slack:
        return msgspec.structs.replace(best, is_exact=True)
    aim = _Aim(relaxed.excess, slack, best.cost)
    states: list[_State] = [(0, 0, 0, 0, None)]
    nodes, is_whole = best.nodes, True
    for stage in _stages(tables, relaxed.price, slack):
        grown = None if is_narrow else _grown(states, stage, aim, room=limit - nodes)
        if grown is None:
            is_narrow, width = True, max(1, min(_NARROW, limit) // len(stage.choices))
            is_whole = is_whole and len(states) <= width
            grown = _grown(sorted(states, key=itemgetter(0))[:width], stage, aim) or []
        nodes += len(grown)
        states = _unbeaten(grown, relaxed.excess)
    if not states:
        return msgspec.structs.replace(best, nodes=nodes, is_exact=is_whole)
    _, _, _, cost, path = states[-1]
    picks = _picks(path, len(tables))
    return Answer(picks, cost, relaxed.least, nodes, is_exact=is_whole, price=relaxed.price)


def _grown(
    states: Sequence[_State], stage: _Stage, aim: _Aim, *, room: int | None = None
) -> list[_State] | None:
    """Return the partial answers with one more choice that may still come to less than the best.

    `None`: there are more than there is room for.
    """
    grown: list[_State] = []
    least, excess, slack, best = stage.later.least, aim.excess, aim.slack, aim.best
    for _, wasted, had, spent, path in states:
        for more, saves, costs, pick in stage.worth(excess - had):
            waste = wasted + more
            if waste >= slack:
                break
            saved, cost = had + saves, spent + costs
            rest = least(excess - saved)
            if rest is not None and cost + rest < best:
                grown.append((cost + rest, waste, saved, cost, (path, stage.place, pick)))
        if room is not None and len(grown) > room:
            return None
    return grown


def _stages(tables: Sequence[Sequence[Choice]], price: Fraction, slack: int) -> list[_Stage]:
    """Return the symbols in the order of the walk, each with the choices that are not out."""
    a, b = price.numerator, price.denominator
    kept: list[tuple[int, list[tuple[int, int, int, int]]]] = []
    for place, table in enumerate(tables):
        least = min(b * cost - a * saved for saved, cost in table)
        choices = [
            (b * cost - a * saved - least, saved, cost, pick)
            for pick, (saved, cost) in enumerate(table)
        ]
        kept.append((place, sorted(each for each in choices if each[0] < slack)))
    kept.sort(key=lambda each: (len(each[1]), each[0]))
    stages: list[_Stage] = []
    steps: list[tuple[Fraction, int, int]] = []
    saved = cost = 0
    for place, choices in reversed(kept):
        later = _later(saved, cost, steps)
        ordered = sorted(choices, key=itemgetter(1))
        is_last = not stages
        stages.append(_Stage(place, ordered if is_last else choices, later, is_last))
        table = [(saves, costs) for _, saves, costs, _ in ordered]
        saved, cost = saved + table[0][0], cost + table[0][1]
        for before, after in pairwise(_corners(table)):
            (x, y), (more, costs) = table[before], table[after]
            insort(steps, (Fraction(costs - y, more - x), more - x, costs - y))
    stages.reverse()
    return stages


def _later(saved: int, cost: int, steps: Sequence[tuple[Fraction, int, int]]) -> _Later:
    """Put steps together, the cheapest first, from what is saved and paid in any case."""
    return _Later(
        list(accumulate((step[1] for step in steps), initial=saved)),
        list(accumulate((step[2] for step in steps), initial=cost)),
    )


def _unbeaten(states: list[_State], excess: int) -> list[_State]:
    """Keep what no other state beats in both savings (up to the excess) and cost."""
    states.sort(key=lambda state: (-min(state[2], excess), state[3]))
    kept: list[_State] = []
    for state in states:
        if not kept or state[3] < kept[-1][3]:
            kept.append(state)
    return kept


def _picks(path: _Path, symbols: int) -> tuple[int, ...]:
    picks = [0] * symbols
    while path is not None:
        path, place, pick = path
        picks[place] = pick
    return tuple(picks)
