"""Patterns: what an account's own rows say is usual, to tell what is missing by its amount.

A pattern speaks only of the account's own history: the rates and amounts at which it was charged
before, the rewards it got, the prices at which it traded. What was never seen fits nothing.

Errors: none.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from bursar.exact import ONE, ZERO, quotient18, trimmed
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.entries import Fill, Movement, MovementKind
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.reconcile.compare import worth_of
from bursar.value.marks import Marks

FEE_SHARE_MAX: Final = Decimal("0.05")
NEAR: Final = Decimal("1.2")
_APART: Final = ((instant.DAY, NEAR), (7 * instant.DAY, Decimal("1.5")))
_APART_MAX: Final = Decimal(2)
_SHARP: Final = 20
FEES_MIN: Final = 3
_REWARDS_MIN: Final = 3
_AROUND: Final = 5
_REWARD_SIZE: Final = 2
_TEN: Final = Decimal(10)
_SHIFTED_MIN: Final = 3
_SWAPPED_MIN: Final = 4
FLIPPED: Final = "the sign the wrong way round"
_TRADES: Final = frozenset({MovementKind.TRADE, MovementKind.LEG})


class Worths:
    """What a unit of each asset was worth in base currency, by the account's own trades."""

    def __init__(self, facts: Iterable[Fact], book: Book, marks: Marks) -> None:
        self._book = book
        self._marks = marks
        self._told: dict[str, list[tuple[int, Decimal, str]]] = {}
        for fact in facts:
            if isinstance(fact, Fill) and fact.value and fact.value > 0:
                self._see(fact, fact.base, fact.quantity, fact.value)
                self._see(fact, fact.quote, fact.amount or ZERO, fact.value)
        for told in self._told.values():
            told.sort()

    def near(self, asset: str, at: int, *, but: frozenset[str] = frozenset()) -> "Unit | None":
        """Return the worth of a unit that was told nearest to an instant, by other facts."""
        if asset in self._book.cash:
            return Unit(ONE, 0)
        told = self._told.get(asset, [])
        place = bisect_left(told, (at,))
        near = told[max(place - _AROUND, 0) : place + _AROUND]
        around = [each for each in near if each[2] not in but]
        best = min(around, key=lambda each: (abs(each[0] - at), each[2]), default=None)
        if best is not None:
            return Unit(best[1], abs(best[0] - at))
        unit = worth_of(asset, ONE, self._book, self._marks)
        times = [mark.at for mark in self._marks if self._marks.name(mark.asset) == asset]
        return Unit(unit, abs(max(times, default=0) - at)) if unit else None

    def _see(self, fill: Fill, asset: str, quantity: Decimal, value: Decimal) -> None:
        if quantity and asset not in self._book.cash:
            unit = quotient18(value, quantity)
            told = self._told.setdefault(canonical(asset), [])
            told += [(fill.executed_at, unit, fill.id)] if unit else []


class Unit(msgspec.Struct, frozen=True):
    """The worth of a unit, and how far off in time it was told."""

    worth: Decimal
    off: int


def ratio(one: Decimal, other: Decimal) -> Decimal:
    """Return the larger of two amounts above zero over the smaller."""
    return quotient18(max(one, other), min(one, other))


def fits(
    one: tuple[Decimal, Unit], other: tuple[Decimal, Unit], *, doubt: int = 0
) -> Decimal | None:
    """Return how far the worths of two quantities are apart (1 is equal), if near enough.

    Prices of the same day may be a fifth apart, those of the same week half, older ones may have
    doubled. `doubt` is how far in time from where the prices were asked for the quantities may have
    moved.
    """
    left, right = (abs(quantity) * unit.worth for quantity, unit in (one, other))
    if not left or not right:
        return None
    off = max(one[1].off, other[1].off) + doubt
    limit = next((limit for age, limit in _APART if off <= age), _APART_MAX)
    apart = ratio(left, right)
    return apart if apart <= limit else None


def fee_like(row: Movement, fee: Decimal, rows: Sequence[Movement], quantum: Decimal) -> str | None:
    """Return which of the rows of its kind a fee on this row is like: at its rate, or the same.

    A trade is charged a share of its amount; anything else may be charged the same amount each
    time. A fee of a few of the smallest steps shows no share that a larger one could be told by.
    """
    amount = abs(row.amount)
    if fee <= quantum or not amount or fee >= amount:
        return None
    for other in rows:
        if other.fee == fee and row.kind not in _TRADES:
            return other.id
        cross = abs(fee * abs(other.amount) - other.fee * amount)
        is_share = fee <= FEE_SHARE_MAX * amount or row.kind is MovementKind.REWARD
        is_sharp = other.fee >= min(fee, _SHARP * quantum)
        if is_share and is_sharp and cross <= quantum * (amount + abs(other.amount)):
            return other.id
    return None


def fee_told(row: Movement, fee: Decimal, trade: Fill, quantum: Decimal) -> bool:
    """Tell whether a fee on a row of a trade is the share that the trade history says of it.

    Which of the two assets is charged, the history may tell otherwise than the ledger.
    """
    for told in trade.fees:
        whole = trade.quantity if told.asset == trade.base else trade.amount or ZERO
        off = abs(fee * whole - told.amount * abs(row.amount))
        if fee > 0 and off <= quantum * whole + quantum_of([told.amount]) * abs(row.amount):
            return True
    return False


def fee_among(row: Movement, fee: Decimal, rows: Sequence[Movement]) -> str | None:
    """Return a row of its kind and label at a higher rate, if one such is at a lower, and the
    rate that the row itself states is beyond all of theirs.

    Rates change with the tier of an account, but by steps; one told apart from all others is not
    the venue's.
    """
    others = [each for each in rows if each.label == row.label and each.amount]
    if len(others) < FEES_MIN or not row.amount or not ZERO < fee < abs(row.amount):
        return None
    rates = sorted((quotient18(each.fee, abs(each.amount)), each.id) for each in others)
    stated, true = (quotient18(each, abs(row.amount)) for each in (row.fee, fee))
    is_odd = not rates[0][0] <= stated <= rates[-1][0]
    return next((name for rate, name in rates if rates[0][0] <= true <= rate and is_odd), None)


def slip(told: Decimal, true: Decimal) -> str | None:
    """Say by which slip of the pen one amount became another, if by a known one.

    Round amounts slip into each other by chance, so a few digits are asked for.
    """
    if told and told == -true:
        return FLIPPED
    if told * true <= 0 or told == true:
        return None
    one, other = _digits(told), _digits(true)
    if one == other and len(one) >= _SHIFTED_MIN:
        return "the decimal point in another place"
    is_near = len(one) == len(other) >= _SWAPPED_MIN and ratio(abs(told), abs(true)) < _TEN
    return "the same digits in another order" if is_near and sorted(one) == sorted(other) else None


def reward_like(
    amount: Decimal, window: tuple[int, int], rewards: Sequence[Movement]
) -> Movement | None:
    """Return the reward next to a window in which one of usual size is due and none is there.

    `rewards` are those of one code, by time. One is due where the time between the rewards on both
    sides of the window is half as long again as it usually is.
    """
    if len(rewards) < _REWARDS_MIN or amount <= 0:
        return None
    since, until = window
    earlier = [row for row in rewards if row.executed_at <= since]
    later = [row for row in rewards if row.executed_at >= until]
    near = earlier[-1:] + later[:1]
    sizes = [row.amount - row.fee for row in near]
    if not near or any(not _alike(amount, size) for size in sizes):
        return None
    steps = sorted(b.executed_at - a.executed_at for a, b in pairwise(rewards))
    usual = steps[len(steps) // 2]
    start = earlier[-1].executed_at if earlier else since
    end = later[0].executed_at if later else until
    is_due = 2 * (end - start) >= 3 * usual if earlier and later else end - start >= usual
    return near[0] if is_due else None


def quantum_of(numbers: Iterable[Decimal]) -> Decimal:
    """Return the smallest step in which numbers are written; 1 where there are none."""
    exponents = [each.as_tuple().exponent for each in numbers]
    finest = min((each for each in exponents if isinstance(each, int)), default=0)
    return ONE.scaleb(min(finest, 0))


def _alike(one: Decimal, other: Decimal) -> bool:
    return other > 0 and one <= _REWARD_SIZE * other and other <= _REWARD_SIZE * one


def _digits(number: Decimal) -> str:
    return trimmed(abs(number)).replace(".", "").strip("0")
