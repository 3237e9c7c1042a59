"""The running balance: each row's balance is the one before it plus amount less fee.

That chain proves that no row is missing and gives the order of rows that share a second, which
their times do not. It runs per asset code; where rows also name a wallet it may run per wallet
instead, and the rows themselves show which: `verify` follows both and keeps the one they bear out.

The first row of a chain may start from any balance, since an export may start in the middle. Rows
that come in stretches are followed by `carry_on`, from the balances that the stretch before left.

Errors: none. What does not follow is returned as a `Break`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from typing import NamedTuple

import msgspec

from bursar.exact import ZERO, money
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.ranks import ranks
from bursar.venue.kraken.rows import LedgerRow

Key = tuple[str, str]


class Step(NamedTuple):
    """What one row makes of a balance."""

    before: Decimal
    after: Decimal


class Break(msgspec.Struct, frozen=True):
    """The row at `place` in the given rows does not follow: its balance should be `expected`."""

    place: int
    expected: Decimal


class Chain(msgspec.Struct, frozen=True):
    """What following a chain showed.

    `ranks` holds for each row its place among the rows of its instant. `breaks` is in
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
    steps = [
        Step(row.balance - row.amount + row.fee, row.balance)
        for row in rows
        if row.balance is not None
    ]
    if len(steps) < len(rows):
        return Chain(tuple(ranks(rows, range(len(rows)))))
    found = _verify(rows, steps, range(len(rows)))
    if not found.breaks:
        return found
    by_time = sorted(range(len(rows)), key=lambda place: rows[place].executed_at)
    again = _verify(rows, steps, by_time)
    return found if again.breaks else again


class Carried(msgspec.Struct, frozen=True):
    """What a stretch of rows showed: `ranks`, `breaks`, and the balance it left of each code."""

    ranks: tuple[int, ...]
    breaks: tuple[Break, ...]
    balances: dict[str, Decimal]


@money
def carry_on(rows: Sequence[LedgerRow], balances: Mapping[str, Decimal]) -> Carried:
    """Follow rows, oldest first and no instant cut, from the balances that earlier rows left.

    What comes of it is the same wherever a history is cut into stretches. A code that no earlier
    row had starts from nothing where its first instant allows that.
    """
    steps = [
        Step(row.balance - row.amount + row.fee, row.balance)
        for row in rows
        if row.balance is not None
    ]
    assert len(steps) == len(rows), "rows of the API tell their balance"
    chains: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        chains.setdefault(coin(row.code).code, []).append(place)
    left = dict(balances)
    path: list[int] = []
    breaks: list[Break] = []
    for code, chain in chains.items():
        first = _first_instant(rows, chain)
        linked = _linked(rows, steps, chain, opening=left.get(code, _start(steps, first)))
        balance = left.get(code, steps[linked[0]].before)
        for place in linked:
            if steps[place].before != balance:
                breaks.append(Break(place, balance + rows[place].amount - rows[place].fee))
            balance = steps[place].after
        left[code] = balance
        path += linked
    breaks.sort(key=lambda each: each.place)
    return Carried(tuple(ranks(rows, path)), tuple(breaks), left)


def _first_instant(rows: Sequence[LedgerRow], chain: list[int]) -> list[int]:
    at = rows[chain[0]].executed_at
    return [place for place in chain if rows[place].executed_at == at]


def _start(steps: Sequence[Step], group: list[int]) -> Decimal:
    """Say what a code starts from: nothing, if the rows of its first instant can."""
    if arranged(steps, group, ZERO) is not None:
        return ZERO
    return _opening(steps, [group])


def _verify(rows: Sequence[LedgerRow], steps: Sequence[Step], order: Sequence[int]) -> Chain:
    by_code = _follow(rows, steps, order, key=code)
    if not by_code.breaks:
        return by_code
    by_wallet = _follow(rows, steps, order, key=code_and_wallet)
    if by_wallet.breaks:
        return by_code
    # A lost row breaks the chain by code, and a fresh start of another wallet's would hide it. So
    # the wallets must explain the breaks better than balances carried across wallets speak for the
    # code.
    explained = sum(each.place not in by_wallet.openings for each in by_code.breaks)
    return by_wallet if explained >= by_code.crossings else by_code


def code(row: LedgerRow) -> Key:
    """Return the chain by code."""
    return coin(row.code).code, ""


def code_and_wallet(row: LedgerRow) -> Key:
    """Return the chain by code and wallet."""
    return coin(row.code).code, row.wallet


def _follow(
    rows: Sequence[LedgerRow],
    steps: Sequence[Step],
    order: Sequence[int],
    *,
    key: Callable[[LedgerRow], Key],
) -> Chain:
    chains: dict[Key, list[int]] = {}
    for place in order:
        chains.setdefault(key(rows[place]), []).append(place)
    path: list[int] = []
    breaks: list[Break] = []
    crossings = 0
    for chain in chains.values():
        linked = _linked(rows, steps, chain)
        path += linked
        for earlier, place in pairwise(linked):
            left = steps[earlier].after
            if steps[place].before != left:
                breaks.append(Break(place, left + rows[place].amount - rows[place].fee))
            elif left and rows[place].wallet != rows[earlier].wallet:
                crossings += 1
    breaks.sort(key=lambda each: (rows[each.place].executed_at, each.place))
    openings = frozenset(chain[0] for chain in chains.values())
    return Chain(tuple(ranks(rows, path)), tuple(breaks), openings, crossings)


def _linked(
    rows: Sequence[LedgerRow],
    steps: Sequence[Step],
    chain: list[int],
    *,
    opening: Decimal | None = None,
) -> list[int]:
    """Order one chain so that its rows follow, moving a row only within its instant."""
    groups = [list(group) for _, group in groupby(chain, key=lambda place: rows[place].executed_at)]
    balance = _opening(steps, groups) if opening is None else opening
    path: list[int] = []
    for group in groups:
        if len(group) > 1 and not holds(steps, group, balance):
            by_id = sorted(group, key=lambda place: rows[place].txid)
            path += arranged(steps, by_id, balance) or _trails(steps, by_id, balance)
        else:
            path += group
        balance = steps[path[-1]].after
    return path


def _opening(steps: Sequence[Step], groups: Sequence[list[int]]) -> Decimal:
    """Say what was there before the first row of a chain.

    Of the rows of one instant it is the balance that more steps leave than reach. Where there is
    none, they go round in a circle from wherever the next instant starts.
    """
    common: set[Decimal] = set()
    for group in groups:
        begin = start(steps, group)
        if begin is not None:
            return begin
        met = set(_net(steps, group))
        common = common & met or met
    return min(common)


def start(steps: Sequence[Step], group: Sequence[int]) -> Decimal | None:
    """Return the balance that the rows of one instant leave more often than they reach it.

    `None` where they go round in a circle; a single row starts where it starts.
    """
    if len(group) == 1:
        return steps[group[0]].before
    net = _net(steps, group)
    return next((balance for balance, surplus in net.items() if surplus > 0), None)


def _net(steps: Sequence[Step], group: Iterable[int]) -> dict[Decimal, int]:
    net: dict[Decimal, int] = {}
    for place in group:
        net[steps[place].before] = net.get(steps[place].before, 0) + 1
        net[steps[place].after] = net.get(steps[place].after, 0) - 1
    return net


def holds(steps: Sequence[Step], group: Iterable[int], balance: Decimal) -> bool:
    """Tell whether rows follow from a balance in the order given."""
    for place in group:
        if steps[place].before != balance:
            return False
        balance = steps[place].after
    return True


def arranged(steps: Sequence[Step], group: list[int], balance: Decimal) -> list[int] | None:
    """Find an order in which rows of one instant follow from a balance, or `None`.

    Each row is a step from one balance to another, so the order is an Eulerian path, found
    Hierholzer's way; where several would do, the given order decides.
    """
    leaving: dict[Decimal, list[int]] = {}
    for place in reversed(group):
        leaving.setdefault(steps[place].before, []).append(place)
    trail: list[tuple[Decimal, int | None]] = [(balance, None)]
    path: list[int] = []
    while trail:
        at, by = trail[-1]
        if leaving.get(at):
            step = leaving[at].pop()
            trail.append((steps[step].after, step))
        else:
            trail.pop()
            if by is not None:
                path.append(by)
    path.reverse()
    return path if len(path) == len(group) and holds(steps, path, balance) else None


def _trails(steps: Sequence[Step], group: list[int], balance: Decimal) -> list[int]:
    """Order rows of one instant of which one is lost, so that the break is behind the gap.

    Each trail goes on as far as it can; the next begins where none of the others lead.
    """
    leaving: dict[Decimal, list[int]] = {}
    surplus: dict[Decimal, int] = {}
    for place in reversed(group):
        before, after = steps[place]
        leaving.setdefault(before, []).append(place)
        surplus[before] = surplus.get(before, 0) + 1
        surplus[after] = surplus.get(after, 0) - 1
    starts = [each for each, more in surplus.items() if more > 0]
    path: list[int] = []
    for start in [balance, *starts, *leaving]:
        at = start
        while leaving.get(at):
            path.append(leaving[at].pop())
            at = steps[path[-1]].after
    return path if len(path) == len(group) else group
