"""What truly happened in one portfolio, made up from a stream of chance, and how it is told.

Errors: none.
"""

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from random import Random
from typing import Final

import msgspec

from bursar.ledger.entries import Fill, Source, Split, Tag
from bursar.ledger.facts import Fact
from bursar.sim.happening import flows, trades
from bursar.sim.happening.ground import Ground, Place

_SPLITS: Final = (("2", "1"), ("3", "2"), ("1", "10"))
_SPLITS_MAX: Final = 6  # so that no quantity ever needs more than 18 places
_DIGITS: Final = 80


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


def _split(ground: Ground, place: Place) -> None:
    """Let every unit of an asset, wherever it is, become more or fewer."""
    if ground.splits == _SPLITS_MAX:
        return
    ground.splits += 1
    up, down = (Decimal(each) for each in ground.chance.choice(_SPLITS))
    fact = Split(
        id=ground.name("s", place.account),
        executed_at=ground.at,
        account="*",
        asset=ground.chance.choice(("ETH", "ADA")),
        numerator=up,
        denominator=down,
    )
    for account, asset in ground.held:
        if asset == fact.asset:
            ground.held[account, asset] *= up / down
    ground.truth[fact.id] = fact
    ground.tell(place.account, fact)


def _tag(ground: Ground, place: Place) -> None:
    """Let somebody say later whose trade it was."""
    if not ground.untagged:
        return
    target, account = ground.untagged.pop(ground.chance.randrange(len(ground.untagged)))
    fill = ground.truth[target]
    assert isinstance(fill, Fill)
    ground.truth[target] = msgspec.structs.replace(fill, strategy="tagged")
    tag = Tag(
        id=ground.name("h", place.account),
        executed_at=ground.at,
        account=account,
        source=Source.EVENT,
        target=target,
        strategy="tagged",
    )
    ground.tell(account, tag)


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
    _split: 1,
    _tag: 1,
}
