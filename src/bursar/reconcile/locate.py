"""Where the venue's own rows stop adding up: the running balances, followed code by code.

Each row's balance is the one before it plus its amount less its fee, per asset code. Where a row
does not follow from the one before it, something between the two is not here, or the row itself is
not what the venue wrote; what is missing is the gap between the two balances. Where the chain holds
to its end, a difference lies after the last row.

Rules
- Times order rows by their second; inside a second they stand so that they follow, if they can.
- A row without which the chain closes does not belong there: it is `stray`, and what is missing is
  its own effect, taken back. A row that follows from the one before it is stray only if another row
  says the same; else what is not here is a row that undid it.
- A chain runs per code, or per code and pocket where that leaves fewer gaps.
- A row that states no balance is passed over and its effect carried on.

Errors: none.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.actions import NEAR_MAX
from bursar.ledger.entries import MAIN, Movement
from bursar.ledger.names import canonical


class Gap(msgspec.Struct, frozen=True):
    """What is missing between two rows of a chain; `stray` is a row that does not belong there."""

    before: Movement
    after: Movement
    amount: Decimal
    stray: Movement | None = None


class Trail(msgspec.Struct, frozen=True):
    """The rows of one chain in their order, and the gaps in it.

    `first` is the balance before its first row, `last` the one after its last. `pocket` is `None`
    where its rows lie in several.
    """

    asset: str
    code: str
    pocket: str | None
    rows: tuple[Movement, ...]
    first: Decimal
    last: Decimal
    gaps: tuple[Gap, ...] = ()


@money
def follow(rows: Iterable[Movement]) -> list[Trail]:
    """Follow the balances of an account's rows, chain by chain. O(n log n).

    Codes of which no row states a balance have no chain.
    """
    codes: dict[tuple[str, str], list[Movement]] = {}
    for row in rows:
        codes.setdefault((canonical(row.asset), row.code or row.asset), []).append(row)
    trails: list[Trail] = []
    for key in sorted(codes):
        if any(row.balance is not None for row in codes[key]):
            trails += _best(codes[key])
    return trails


@money
def effect(row: Movement) -> Decimal:
    """Return what a row changed: amount less fee."""
    return row.amount - row.fee


def balance(row: Movement) -> Decimal:
    """Return the balance that a row states."""
    assert row.balance is not None, "asked only of rows that state one"
    return row.balance


def before(row: Movement) -> Decimal:
    """Return the balance that was there before a row, by its own words."""
    return balance(row) - effect(row)


def twins(row: Movement, other: Movement | None) -> bool:
    """Tell whether two rows of one code, seconds apart, say the same."""
    return (
        other is not None
        and row.id != other.id
        and abs(row.executed_at - other.executed_at) <= NEAR_MAX
        and (row.kind, row.asset, row.amount, row.fee)
        == (other.kind, other.asset, other.amount, other.fee)
    )


def _best(rows: Sequence[Movement]) -> list[Trail]:
    by_code = [_trail(rows)]
    pockets: dict[str, list[Movement]] = {}
    for row in rows:
        pockets.setdefault(row.pocket or MAIN, []).append(row)
    if len(pockets) == 1 or not by_code[0].gaps:
        return by_code
    # A chain that starts anew in another pocket hides what is missing before it, so it must earn
    # its place.
    own = [pockets[name] for name in sorted(pockets)]
    if not all(any(row.balance is not None for row in each) for each in own):
        return by_code
    by_pocket = [_trail(each) for each in own]
    fresh = sum(bool(trail.first) for trail in by_pocket) - bool(by_code[0].first)
    gaps = sum(len(trail.gaps) for trail in by_pocket)
    return by_pocket if gaps + fresh < len(by_code[0].gaps) else by_code


def _trail(rows: Sequence[Movement]) -> Trail:
    path = _linked(rows)
    stated = [place for place, row in enumerate(path) if row.balance is not None]
    first = before(path[stated[0]])
    first -= sum((effect(row) for row in path[: stated[0]]), ZERO)
    last = balance(path[stated[-1]])
    last += sum((effect(row) for row in path[stated[-1] + 1 :]), ZERO)
    pockets = {row.pocket or MAIN for row in path}
    return Trail(
        asset=canonical(path[0].asset),
        code=path[0].code or path[0].asset,
        pocket=min(pockets) if len(pockets) == 1 else None,
        rows=tuple(path),
        first=first,
        last=last,
        gaps=tuple(_gaps(path)),
    )


def _gaps(path: Sequence[Movement]) -> list[Gap]:
    """Return the gaps of a chain in order; the two beside a stray row are one."""
    gaps: list[Gap] = []
    earlier: Movement | None = None
    left, passed = ZERO, ZERO
    for row in path:
        if row.balance is None:
            passed += effect(row)
            continue
        if earlier is not None:
            missing = before(row) - left - passed
            if missing:
                gaps.append(Gap(earlier, row, missing))
        earlier, left, passed = row, balance(row), ZERO
    return _without_strays(gaps, path)


def _without_strays(gaps: Sequence[Gap], path: Sequence[Movement]) -> list[Gap]:
    """Join the gaps on both sides of a row without which the chain closes."""
    stated = [row for row in path if row.balance is not None]
    place = {row.id: number for number, row in enumerate(stated)}
    found: list[Gap] = []
    taken: set[str] = set()
    for gap in gaps:
        if gap.before.id in taken:
            continue
        stray = next(
            (row for row in (gap.after, gap.before) if _is_stray(row, stated, place[row.id])), None
        )
        if stray is None:
            found.append(gap)
            continue
        number = place[stray.id]
        taken.add(stray.id)
        later = stated[number + 1] if number + 1 < len(stated) else stray
        found.append(Gap(stated[number - 1], later, -effect(stray), stray))
    return found


def _is_stray(row: Movement, stated: Sequence[Movement], number: int) -> bool:
    if not number:
        return False
    earlier = stated[number - 1]
    if number == len(stated) - 1:
        return balance(earlier) == balance(row) and twins(row, earlier)
    later = stated[number + 1]
    if balance(earlier) != before(later):
        return False
    fits = balance(earlier) == before(row) or balance(row) == before(later)
    return not fits or twins(row, earlier) or twins(row, later)


def _linked(rows: Sequence[Movement]) -> list[Movement]:
    """Order a chain so that its rows follow, moving a row only within its second."""
    ordered = sorted(rows, key=lambda row: (row.executed_at, row.sequence, row.id))
    path: list[Movement] = []
    groups = [list(group) for _, group in groupby(ordered, key=_second)]
    left = _opening(groups)
    for group in groups:
        if len(group) > 1 and all(row.balance is not None for row in group):
            group = group if _holds(group, left) else _arranged(group, left)  # noqa: PLW2901
        path += group
        left = _left(group, left)
    return path


def _left(rows: Iterable[Movement], left: Decimal | None) -> Decimal | None:
    """Return the balance that rows leave, `None` while none is known."""
    for row in rows:
        if row.balance is not None:
            left = row.balance
        elif left is not None:
            left += effect(row)
    return left


def _opening(groups: Sequence[Sequence[Movement]]) -> Decimal | None:
    """Say what was there before the first row of a chain, where its first second tells.

    Of several rows of one second it is the balance that more rows leave than reach.
    """
    first = [row for row in groups[0] if row.balance is not None]
    net: dict[Decimal, int] = {}
    for row in first:
        net[before(row)] = net.get(before(row), 0) + 1
        net[balance(row)] = net.get(balance(row), 0) - 1
    return next((at for at, surplus in net.items() if surplus > 0), None)


def _holds(rows: Iterable[Movement], left: Decimal | None) -> bool:
    for row in rows:
        if left is not None and before(row) != left:
            return False
        left = balance(row)
    return True


def _arranged(group: Sequence[Movement], left: Decimal | None) -> list[Movement]:
    """Order the rows of one second so that each follows, or so that as many as may be do."""
    start = before(group[0]) if left is None else left
    whole = _walked(group, start)
    return whole if len(whole) == len(group) and _holds(whole, start) else _pieced(group, start)


def _walked(group: Sequence[Movement], start: Decimal) -> list[Movement]:
    """Find an order in which all rows follow from a balance, Hierholzer's way."""
    leaving: dict[Decimal, list[Movement]] = {}
    for row in reversed(group):
        leaving.setdefault(before(row), []).append(row)
    walk: list[tuple[Decimal, Movement | None]] = [(start, None)]
    path: list[Movement] = []
    while walk:
        at, by = walk[-1]
        if leaving.get(at):
            row = leaving[at].pop()
            walk.append((balance(row), row))
        else:
            walk.pop()
            path += [] if by is None else [by]
    return path[::-1]


def _pieced(group: Sequence[Movement], start: Decimal) -> list[Movement]:
    """Follow the rows as far as they go, again and again from where no row leads to."""
    waiting, path, at = list(group), [], start
    while waiting:
        leads = _finder(waiting)
        row = leads(at) or _head(waiting)
        waiting.remove(row)
        path.append(row)
        at = balance(row)
    return path


def _finder(rows: Sequence[Movement]) -> Callable[[Decimal], Movement | None]:
    return lambda at: next((row for row in rows if before(row) == at), None)


def _head(rows: Sequence[Movement]) -> Movement:
    reached = {balance(row) for row in rows}
    return next((row for row in rows if before(row) not in reached), rows[0])


def _second(row: Movement) -> int:
    return row.executed_at // instant.SECOND
