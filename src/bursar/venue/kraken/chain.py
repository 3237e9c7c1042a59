"""The running balance: each row's balance is the one before it plus amount less fee.

That chain proves that no row is missing and gives the order of rows that share a second, which
their times do not. It runs per asset code; where rows also name a wallet it may run per wallet
instead, and the rows themselves show which: `verify` follows both and keeps the one they bear out.

The first row of a chain may start from any balance, since an export may start in the middle.

Errors: none. What does not follow is returned as a `Break`.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby, pairwise

import msgspec

from bursar.exact import money
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.rows import LedgerRow

Key = tuple[str, str]


class Break(msgspec.Struct, frozen=True):
    """The row at `place` in the given rows does not follow: its balance should be `expected`."""

    place: int
    expected: Decimal


class Chain(msgspec.Struct, frozen=True):
    """What following a chain showed.

    `ranks` holds for each row its place among the rows of its chain and instant. `breaks` is in
    order. `openings` are the rows that start a chain; `crossings` counts rows that follow, from a
    balance that is not zero, a row of another wallet.
    """

    ranks: tuple[int, ...]
    breaks: tuple[Break, ...] = ()
    openings: frozenset[int] = frozenset()
    crossings: int = 0


@money
def verify(rows: Sequence[LedgerRow]) -> Chain:
    """Follow the balances of rows that stand oldest first. O(rows), sorting aside.

    Rows out of order in time are tried as they stand, then by time.
    """
    if any(row.balance is None for row in rows):
        return Chain(_ranks(rows, range(len(rows))))
    found = _verify(rows, range(len(rows)))
    if not found.breaks:
        return found
    by_time = sorted(range(len(rows)), key=lambda place: rows[place].executed_at)
    again = _verify(rows, by_time)
    return found if again.breaks else again


def _verify(rows: Sequence[LedgerRow], order: Sequence[int]) -> Chain:
    by_code = _follow(rows, order, _code)
    if not by_code.breaks:
        return by_code
    by_wallet = _follow(rows, order, _code_and_wallet)
    if by_wallet.breaks:
        return by_code
    # A lost row breaks the chain by code, and a fresh start of another wallet's would hide it. So
    # the wallets must explain the breaks better than balances carried across wallets speak for the
    # code.
    explained = sum(each.place not in by_wallet.openings for each in by_code.breaks)
    return by_wallet if explained >= by_code.crossings else by_code


def _code(row: LedgerRow) -> Key:
    return coin(row.code).code, ""


def _code_and_wallet(row: LedgerRow) -> Key:
    return coin(row.code).code, row.wallet


def _follow(
    rows: Sequence[LedgerRow], order: Sequence[int], key: Callable[[LedgerRow], Key]
) -> Chain:
    chains: dict[Key, list[int]] = {}
    for place in order:
        chains.setdefault(key(rows[place]), []).append(place)
    path: list[int] = []
    breaks: list[Break] = []
    crossings = 0
    for chain in chains.values():
        linked = _linked(rows, chain)
        crossings += _crossings(rows, linked)
        breaks += _breaks(rows, linked)
        path += linked
    breaks.sort(key=lambda each: (rows[each.place].executed_at, each.place))
    openings = frozenset(chain[0] for chain in chains.values())
    return Chain(_ranks(rows, path), tuple(breaks), openings, crossings)


def _linked(rows: Sequence[LedgerRow], chain: list[int]) -> list[int]:
    """Order one chain so that its rows follow, moving a row only within its instant."""
    path: list[int] = []
    for _, instant in groupby(chain, key=lambda place: rows[place].executed_at):
        group = list(instant)
        before = rows[path[-1]].balance if path else None
        if len(group) > 1 and not _holds(rows, group, before):
            group = _arranged(rows, group, before) or group
        path += group
    return path


def _holds(rows: Sequence[LedgerRow], group: Iterable[int], before: Decimal | None) -> bool:
    for place in group:
        if before is not None and _before(rows[place]) != before:
            return False
        before = rows[place].balance
    return True


def _arranged(
    rows: Sequence[LedgerRow], group: list[int], before: Decimal | None
) -> list[int] | None:
    """Find the order of rows of one instant, or `None`.

    Each row is a step from one balance to another, so the order is an Eulerian path (Hierholzer's
    way). Without a balance to start from, it starts where more steps leave than arrive.
    """
    steps: dict[Decimal | None, list[int]] = {}
    for place in sorted(group, key=lambda place: rows[place].txid, reverse=True):
        steps.setdefault(_before(rows[place]), []).append(place)
    if before is None:
        before = _start(rows, steps)
    trail: list[tuple[Decimal | None, int]] = [(before, -1)]
    path: list[int] = []
    while trail:
        at, by = trail[-1]
        if steps.get(at):
            step = steps[at].pop()
            trail.append((rows[step].balance, step))
        else:
            path.append(by)
            trail.pop()
    path.reverse()
    found = path[1:]
    return found if len(found) == len(group) and _holds(rows, found, before) else None


def _start(rows: Sequence[LedgerRow], steps: dict[Decimal | None, list[int]]) -> Decimal | None:
    arriving: dict[Decimal | None, int] = {}
    for places in steps.values():
        for place in places:
            after = rows[place].balance
            arriving[after] = arriving.get(after, 0) + 1
    for balance, places in steps.items():
        if len(places) > arriving.get(balance, 0):
            return balance
    return next(iter(steps))


def _breaks(rows: Sequence[LedgerRow], path: list[int]) -> list[Break]:
    found = []
    for earlier, place in pairwise(path):
        row, before = rows[place], rows[earlier].balance
        if before is not None and _before(row) != before:
            found.append(Break(place, before + row.amount - row.fee))
    return found


def _crossings(rows: Sequence[LedgerRow], path: list[int]) -> int:
    return sum(
        rows[earlier].wallet != rows[place].wallet
        and bool(rows[earlier].balance)
        and _before(rows[place]) == rows[earlier].balance
        for earlier, place in pairwise(path)
    )


def _before(row: LedgerRow) -> Decimal | None:
    return None if row.balance is None else row.balance - row.amount + row.fee


def _ranks(rows: Sequence[LedgerRow], path: Iterable[int]) -> tuple[int, ...]:
    """Count each row's place among the rows of its code and instant, along the path."""
    ranks = [0] * len(rows)
    counted: dict[tuple[str, int], int] = {}
    for place in path:
        row = rows[place]
        spot = (coin(row.code).code, row.executed_at)
        ranks[place] = counted.get(spot, 0)
        counted[spot] = ranks[place] + 1
    return tuple(ranks)
