"""Several parts that are one event: an entry too many, a trade, a move, an amount in a wrong asset.

Each rule takes the parts it can explain and hands back the others. A rule that could pair a part in
two ways pairs it in none.

Errors: none.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec

from bursar.exact import ZERO, trimmed
from bursar.ledger import instant
from bursar.ledger.entries import MAIN, Movement, MovementKind
from bursar.ledger.names import canonical
from bursar.reconcile.breaks import Break, Kind, Part, Where
from bursar.reconcile.evidence import Evidence
from bursar.reconcile.locate import balance, before, effect, twins
from bursar.reconcile.patterns import FLIPPED, NEAR, fits, slip

Found = tuple[list[Break], list[Part]]
_BOTH: Final = 2
_APART_MAX: Final = instant.DAY


def beside(parts: Sequence[Part], known: Evidence) -> Found:
    """Take entries that no row backs, and rows that were taken back by hand."""
    named: dict[str, list[Part]] = {}
    for part in parts:
        if part.place.where is Where.FACT:
            named.setdefault(part.facts[0], []).append(part)
    breaks = []
    for name, own in named.items():
        if name not in known.facts:
            reason = "a row of the venue that was taken back by hand; the venue still counts it"
            breaks.append(known.broken(Kind.UNKNOWN, own, reason))
            continue
        twin = _told_twice(name, known)
        reason = (
            "no row of the venue backs this entry" if twin is None else f"told twice: as {twin}"
        )
        evidence = () if twin is None else (twin,)
        is_bare = not any(row in known.rows for row in known.facts[name].rows)
        target = name if is_bare else None
        breaks += _as_one(known, own, (reason, evidence, target))
    return breaks, [part for part in parts if part.place.where is not Where.FACT]


def _told_twice(name: str, known: Evidence) -> str | None:
    """Return another entry of the same day that moved the same."""
    fact = known.facts[name]
    shape = _shape(fact)
    for other in known.ours.facts:
        near = abs(other.executed_at - fact.executed_at) <= known.limits.patience
        if other.id != name and near and shape is not None and _shape(other) == shape:
            return other.id
    return None


def _shape(fact: object) -> tuple[object, ...] | None:
    fields = ("base", "quote", "side", "quantity", "amount", "asset")
    told = tuple(getattr(fact, field, None) for field in fields)
    return (type(fact), *told) if told[0] is not None or told[-1] is not None else None


def wrong_asset(parts: Sequence[Part], known: Evidence) -> Found:
    """Take rows that stand under another asset than the one whose balances they state."""
    steps = _steps(known.ours.rows if len(parts) > 1 else ())
    breaks: list[Break] = []
    left = list(parts)
    for part in parts:
        if part.place.where is Where.NOWHERE or part.stray is not None:
            continue
        low = ZERO if part.before is None else part.before.balance
        for row in [] if low is None else steps.get((low, low + part.amount), []):
            astray = [each for each in left if _is_elsewhere(each, part) and _is_at(each, row)]
            if _are_its_doing(astray, row) and part in left:
                left = [each for each in left if each is not part and each not in astray]
                ends = (part.asset, row.asset)
                if canonical(row.asset) == part.asset:
                    ends = (f"{part.asset} in {part.pocket}", f"{row.pocket or MAIN}")
                reason = f"{row.id} states the balances of {ends[0]}, not those of {ends[1]}"
                told = [part, *(each for each in astray if not each.is_covered)]
                owner = known.owners.get(row.id)
                evidence = (row.id, row.id if owner is None else owner.id)
                breaks.append(known.broken(Kind.WRONG_ASSET, told, reason, evidence=evidence))
    return breaks, left


def _steps(rows: Sequence[Movement]) -> dict[tuple[Decimal, Decimal], list[Movement]]:
    """Return the rows by the balances that they lead from and to."""
    steps: dict[tuple[Decimal, Decimal], list[Movement]] = {}
    for row in rows:
        if row.balance is not None and effect(row):
            steps.setdefault((before(row), balance(row)), []).append(row)
    return steps


def _is_elsewhere(one: Part, other: Part) -> bool:
    return (one.asset, one.pocket) != (other.asset, other.pocket)


def _are_its_doing(astray: Sequence[Part], row: Movement) -> bool:
    """Tell whether a chain would follow, here, without a row."""
    amount = sum((part.amount for part in astray), ZERO)
    return any(not part.is_covered for part in astray) and amount == -effect(row)


def _is_at(part: Part, row: Movement) -> bool:
    return row in (part.stray, part.before, part.after)


def strays(parts: Sequence[Part], known: Evidence) -> Found:
    """Take rows without which the chain closes, those of one entry together."""
    owned: dict[str, list[Part]] = {}
    for part in parts:
        if part.stray is not None:
            fact = known.owners.get(part.stray.id)
            owned.setdefault(part.stray.id if fact is None else fact.id, []).append(part)
    breaks = []
    for name, own in owned.items():
        rows = [part.stray for part in own if part.stray is not None]
        fact = known.facts.get(name)
        is_all = fact is not None and {row.id for row in rows} >= {
            row for row in fact.rows if row in known.rows
        }
        copy = next((each.id for row in rows for each in _copies(row, known)), None)
        reason = "without this row the venue's balances follow"
        reason += "" if copy is None else f"; it says the same as {copy}"
        told = [row.id for row in rows] + ([] if copy is None else [copy])
        breaks += _as_one(known, own, (reason, tuple(told), name if is_all else None))
    return breaks, [part for part in parts if part.stray is None]


def _as_one(
    known: Evidence, parts: Sequence[Part], said: tuple[str, tuple[str, ...], str | None]
) -> list[Break]:
    """Make one break of what one entry can close: by taking it back, or by an exchange."""
    reason, evidence, target = said
    ways = {part.amount > 0 for part in parts}
    whole = [list(parts)] if target is not None or len(ways) > 1 else [[part] for part in parts]
    return [
        known.broken(Kind.EXTRA, own, reason, evidence=evidence, target=target) for own in whole
    ]


def _copies(row: Movement, known: Evidence) -> list[Movement]:
    return [other for other in known.by_asset[canonical(row.asset)] if twins(row, other)]


def again(parts: Sequence[Part], known: Evidence) -> Found:
    """Take deposits and withdrawals that stand in the book twice, where no balances show the place.

    Of two lists of a venue one may tell when coins were seen, the other when they were credited. Of
    more than two that may be meant none is.
    """
    breaks: list[Break] = []
    left: list[Part] = []
    for part in parts:
        alike = [row for row in known.by_asset.get(part.asset, ()) if _is_too_much(row, part)]
        apart = alike[-1].executed_at - alike[0].executed_at if len(alike) == _BOTH else 0
        if not 0 < apart <= _APART_MAX:
            left.append(part)
            continue
        first, second = alike
        reason = f"{second.id} says the same as {first.id}, which the venue has once"
        owner = known.owners.get(second.id)
        target = second.id if owner is None else owner.id
        told = (first.id, second.id)
        breaks.append(known.broken(Kind.EXTRA, [part], reason, evidence=told, target=target))
    return breaks, left


def _is_too_much(row: Movement, part: Part) -> bool:
    is_flow = row.kind in {MovementKind.DEPOSIT, MovementKind.WITHDRAWAL}
    return is_flow and part.place.where is Where.NOWHERE and effect(row) == -part.amount


def halves(parts: Sequence[Part], known: Evidence) -> Found:
    """Take the missing halves of moves between pockets of which the other half is among the rows.

    Coins that are in the balance of a pocket have come; the row that says so has not.
    """
    rows = list(known.half_moves)
    breaks: list[Break] = []
    left: list[Part] = []
    for part in parts:
        row = next((each for each in rows if _is_half(part, each, known)), None)
        if row is None:
            left.append(part)
            continue
        rows.remove(row)
        way = "left a pocket" if effect(row) < 0 else "came into a pocket"
        reason = f"{row.id} says that they {way}; the row of the other half is not here"
        made = known.broken(Kind.IN_FLIGHT, [part], reason, evidence=(row.id,))
        breaks.append(msgspec.structs.replace(made, is_half=True))
    return breaks, left


def _is_half(part: Part, row: Movement, known: Evidence) -> bool:
    if canonical(row.asset) != part.asset or effect(row) != -part.amount:
        return False
    place, near = part.place, known.limits.patience
    return (place.since is None or place.since - near <= row.executed_at) and (
        place.until is None or row.executed_at <= place.until + near
    )


def moves(parts: Sequence[Part], known: Evidence) -> Found:
    """Take what left one pocket of an asset and came into another."""

    def is_move(one: Part, other: Part) -> bool:
        apart = one.pocket != other.pocket or _lane(one) != _lane(other)
        is_one = one.asset == other.asset and one.amount == -other.amount and apart
        return is_one and not (one.is_covered and other.is_covered)

    breaks, left = [], list(parts)
    for pair in _pairs(left, is_move):
        left = [part for part in left if part not in pair]
        came = max(pair, key=lambda part: part.amount)
        reason = f"{trimmed(came.amount)} {came.asset} lie in another pocket than the book says"
        breaks.append(known.broken(Kind.POCKET_MOVE, pair, reason))
    return breaks, left


def _lane(part: Part) -> str | None:
    row = part.before or part.after
    return None if row is None else row.code


def flipped(parts: Sequence[Part], known: Evidence) -> Found:
    """Take the rows of one entry whose amounts have slipped in the same way."""
    owned: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        row = part.after
        slipped = None if row is None else slip(row.amount, row.amount + part.amount)
        if row is not None and slipped is not None:
            fact = known.owners.get(row.id)
            owned.setdefault((row.id if fact is None else fact.id, slipped), []).append(part)
    breaks, left = [], list(parts)
    for (name, slipped), own in owned.items():
        rows = [part.after for part in own if part.after is not None]
        if slipped == FLIPPED and not (len(rows) > 1 or _is_contrary(rows[0])):
            continue
        own = [part for part in own if not part.is_covered]  # noqa: PLW2901
        if not own:
            continue
        told = [row.id for row in rows]
        reason = f"{' and '.join(told)}: {slipped}"
        breaks.append(known.broken(Kind.WRONG_AMOUNT, own, reason, evidence=(*told, name)))
        left = [part for part in left if part not in own]
    return breaks, left


def _is_contrary(row: Movement) -> bool:
    """Tell whether a row goes the way that its kind does not."""
    comes = row.kind in {MovementKind.DEPOSIT, MovementKind.REWARD}
    return row.amount < 0 if comes else row.amount > 0 and row.kind is MovementKind.WITHDRAWAL


def fills(parts: Sequence[Part], known: Evidence) -> Found:
    """Take what went of one asset and came of another in one time, at a price near the market."""

    def is_fill(one: Part, other: Part) -> bool:
        both = one.asset != other.asset and (one.amount > 0) is not (other.amount > 0)
        return both and _apart(one, other, known) is not None

    breaks, left = [], list(parts)
    for one, other in _pairs(parts, is_fill):
        left = [part for part in left if part is not one and part is not other]
        came, went = (one, other) if one.amount > 0 else (other, one)
        apart = _apart(one, other, known)
        assert apart is not None, "pairs fit"
        price = "near the market's" if apart <= NEAR else "that may have been the market's then"
        reason = (
            f"{trimmed(came.amount)} {came.asset} came and {trimmed(-went.amount)} {went.asset}"
            f" went at one time, at a price {price}"
        )
        breaks.append(known.broken(Kind.MISSING_FILL, (came, went), reason))
    return breaks, left


def _apart(one: Part, other: Part, known: Evidence) -> Decimal | None:
    """Return how far the worths of two parts are apart, at prices of the one or the other end.

    From one of the ends the time of both is at most half as far as from end to end.
    """
    since = max(part.place.since or 0 for part in (one, other))
    until = min(part.place.until or known.as_of for part in (one, other))
    doubt = (until - since) // 2
    found: list[Decimal] = []
    for at in (since, until):
        units = [known.worths.near(part.asset, at) for part in (one, other)]
        if units[0] is not None and units[1] is not None:
            apart = fits((one.amount, units[0]), (other.amount, units[1]), doubt=doubt)
            found += [] if apart is None else [apart]
    return min(found, default=None)


def _pairs(parts: Sequence[Part], is_pair: Callable[[Part, Part], bool]) -> list[tuple[Part, Part]]:
    """Return the pairs in which each part has but one partner; ends in common come first."""
    fitting = [(one, other) for one, other in _overlapping(parts) if is_pair(one, other)]
    found: list[tuple[Part, Part]] = []
    for pairs in ([pair for pair in fitting if _is_tight(*pair)], fitting):
        taken = [part for pair in found for part in pair]
        free = [pair for pair in pairs if pair[0] not in taken and pair[1] not in taken]
        found += [pair for pair in free if all(_partners(part, free) == 1 for part in pair)]
    return found


def _overlapping(parts: Sequence[Part]) -> Iterator[tuple[Part, Part]]:
    """Yield the pairs of parts that have a time in common."""
    ordered = sorted(parts, key=lambda part: part.place.since or 0)
    for number, one in enumerate(ordered):
        until = one.place.until
        for other in islice(ordered, number + 1, None):
            if until is not None and (other.place.since or 0) > until:
                break
            yield one, other


def _partners(part: Part, pairs: Sequence[tuple[Part, Part]]) -> int:
    return sum(part is one or part is other for one, other in pairs)


def _is_tight(one: Part, other: Part) -> bool:
    """Tell whether two places begin or end at one row's instant."""
    a, b = one.place, other.place
    return (a.since is not None and a.since == b.since) or (
        a.until is not None and a.until == b.until and a.where in {Where.ROWS, Where.START}
    )
