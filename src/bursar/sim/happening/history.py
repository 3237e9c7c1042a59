"""A past made up from a stream of chance: which kinds of things happen, and how often.

Errors: none.
"""

from collections.abc import Callable, Sequence
from decimal import Context, localcontext
from random import Random
from typing import Final

from bursar.ledger.facts import Fact
from bursar.sim.happening import flows, moves, trades
from bursar.sim.happening.ground import Ground, Place

_DIGITS: Final = 80
_WEIGHTS: Final[dict[Callable[[Ground, Place], None], int]] = {
    trades.buy: 8,
    trades.sell: 5,
    trades.convert: 1,
    flows.deposit: 3,
    flows.reward: 2,
    flows.withdraw: 1,
    flows.expense: 1,
    flows.take_back: 1,
    flows.phantom: 1,
    flows.send: 2,
    moves.split: 1,
    moves.rename: 1,
    moves.stake: 1,
    moves.entrust: 1,
    moves.leverage: 1,
    moves.tag: 1,
}


def history(chance: Random, places: Sequence[Place], length: int, *, is_careless: bool) -> Ground:
    """Let things happen until at least `length` statements tell of them."""
    ground = Ground(chance, places, is_careless=is_careless)
    with localcontext(Context(prec=_DIGITS)):
        while len(ground.told) < length:
            ground.pass_time()
            (happen,) = chance.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))
            happen(ground, chance.choice(places))
    return ground


def order(fact: Fact) -> tuple[int, str, int, str]:
    """Return a fact's place in canonical order, as the specification has it."""
    return fact.executed_at, fact.account.partition(":")[0], fact.sequence, fact.id
