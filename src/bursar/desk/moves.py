"""Positions that a commit opens and closes: from nothing to something, and back.

A position is what one account holds of a coin (all accounts together, where lots are pooled), or a
leveraged position in a pair. One that turns from long to short closes and opens. Several fills of
one commit that open and close again are no move: what counts is before and after.

O(keys touched), and facts where leveraged positions were among them; where the past was refolded,
O(keys). What was made in a pair then counts for its coin and for its leveraged position, together.

Errors: none.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bursar.exact import ZERO, divide, money, plain
from bursar.ledger.book import POOL, Book, own_changes
from bursar.ledger.course import Plan
from bursar.ledger.entries import MarginFill
from bursar.ledger.state import Cell, Holding, Margin

_PLACES: Final = 18
_NO_CELL: Final = Cell()
_K = TypeVar("_K")
_V = TypeVar("_V")


class Move(msgspec.Struct, frozen=True):
    """A position that was opened or closed. `entry_price` is the average cost of a unit: in base
    currency, or of a leveraged one in quote; `realized` is what the commit made on it.
    """

    is_opened: bool
    account: str
    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    realized: Decimal
    is_margin: bool = False


class _State(msgspec.Struct, frozen=True):
    quantity: Decimal
    cost: Decimal


_FLAT: Final = _State(ZERO, ZERO)


@money
def between(before: Book, plan: Plan) -> tuple[Move, ...]:
    """Return what a plan opens and closes, by account and symbol; a close before an opening."""
    after, is_fork = plan.book, plan.course.is_append
    turned = [each for each in _changed(before, after, is_fork=is_fork) if each.has_turned]
    if not turned:
        return ()
    made = _realized(before, after, is_fork=is_fork)
    if is_fork and own_changes(after.margins):
        _part_leverage(made, plan)
    return tuple(
        move
        for each in sorted(turned, key=lambda each: (each.account, each.symbol))
        for move in _moves(each, made.get((each.account, each.heading), ZERO))
    )


def plainly(move: Move) -> dict[str, object]:
    """Return a move as its message tells it."""
    return {
        "is_opened": move.is_opened,
        "account": move.account,
        "symbol": move.symbol,
        "quantity": plain(move.quantity),
        "entry_price": None if move.entry_price is None else plain(move.entry_price),
        "realized": plain(move.realized),
        "is_margin": move.is_margin,
    }


def _moves(change: "_Change", realized: Decimal) -> Iterator[Move]:
    """Yield the close and the opening of a position that turned; the close has the PnL."""
    old, new = change.old, change.new
    if old.quantity:
        yield _move(change, old, realized, is_opened=False)
    if new.quantity:
        yield _move(change, new, ZERO if old.quantity else realized, is_opened=True)


def _move(change: "_Change", state: _State, realized: Decimal, *, is_opened: bool) -> Move:
    price = divide(abs(state.cost), abs(state.quantity), places=_PLACES)[0]
    own = change.account, change.symbol, state.quantity
    return Move(is_opened, *own, price or None, realized, change.heading == change.symbol)


class _Change(msgspec.Struct, frozen=True):
    """One position before and after; `heading` is the coin or pair that its PnL stands under."""

    account: str
    symbol: str
    heading: str
    old: _State
    new: _State

    @property
    def has_turned(self) -> bool:
        """Tell whether it came, went, or turned round."""
        return _sign(self.old.quantity) != _sign(self.new.quantity)


def _changed(before: Book, after: Book, *, is_fork: bool) -> Iterator[_Change]:
    base = after.terms.base
    for account, coin in _keys(before.holdings, after.holdings, is_fork=is_fork):
        if coin not in after.cash:
            old, new = before.holdings.get((account, coin)), after.holdings.get((account, coin))
            yield _Change(account, f"{coin}/{base}", coin, _held(old), _held(new))
    for account, pair in _keys(before.margins, after.margins, is_fork=is_fork):
        lent, now = before.margins.get((account, pair)), after.margins.get((account, pair))
        yield _Change(account, pair, pair, _leveraged(lent), _leveraged(now))


def _keys(before: Mapping[_K, _V], after: Mapping[_K, _V], *, is_fork: bool) -> list[_K]:
    return list(own_changes(after)) if is_fork else list({**before, **after})


def _held(holding: Holding | None) -> _State:
    return _FLAT if holding is None else _State(holding.quantity, holding.cost)


def _leveraged(margin: Margin | None) -> _State:
    return _FLAT if margin is None else _State(margin.quantity, margin.notional)


def _sign(quantity: Decimal) -> int:
    return (quantity > 0) - (quantity < 0)


def _realized(before: Book, after: Book, *, is_fork: bool) -> dict[tuple[str, str], Decimal]:
    """Return what was made between two books, by account and coin and by account and pair."""
    made: dict[tuple[str, str], Decimal] = {}
    for key in _keys(before.cells, after.cells, is_fork=is_fork):
        old, new = before.cells.get(key, _NO_CELL), after.cells.get(key, _NO_CELL)
        account = POOL if after.is_pooled else key[0]
        for place in ((account, key[1]), (key[0], key[2])):
            made[place] = made.get(place, ZERO) + new.realized - old.realized
    return made


def _part_leverage(made: dict[tuple[str, str], Decimal], plan: Plan) -> None:
    """Part what leverage made from what coins of the same name or pair did, which share cells."""
    lent = dict.fromkeys(own_changes(plan.book.margins), ZERO)
    for fact, lines in plan.lines:
        if type(fact) is MarginFill:  # in a large import few are
            own = sum((line.realized for line in lines if line.asset == fact.base), ZERO)
            pair = fact.account, fact.pair or f"{fact.base}/{fact.quote}"
            coin = POOL if plan.book.is_pooled else fact.account, fact.base
            lent[pair] = lent.get(pair, ZERO) + own
            made[coin] = made.get(coin, ZERO) - own
    made |= lent
