"""Moves and notes: what changes place, name or count without a trade, and what is said afterwards.

Errors: none.
"""

from decimal import Decimal
from typing import Final

import msgspec

from bursar.ledger.entries import (
    Fee,
    Fill,
    MarginFill,
    Movement,
    MovementKind,
    Rename,
    Side,
    SleeveTransfer,
    Source,
    Split,
    Tag,
    Transfer,
)
from bursar.sim.happening.ground import Ground, Place

_SPLITS: Final = (("2", "1"), ("3", "2"), ("1", "10"))
_SPLITS_MAX: Final = 6  # so that no quantity ever needs more than 18 places
_TRANSIT: Final = "in transit"
_SETTLED: Final = ("-12.5", "0", "3.33", "7.00000001")


def split(ground: Ground, place: Place) -> None:
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
    ground.split(fact.asset, up, down)
    ground.truth[fact.id] = fact
    ground.tell(place.account, fact)


def rename(ground: Ground, place: Place) -> None:
    """Let an asset go on under another name, wherever it is."""
    fact = Rename(
        id=ground.name("n", place.account),
        executed_at=ground.at,
        account="*",
        asset="BNB",
        to_asset="BNX",
    )
    for account, asset in list(ground.held):
        if asset == fact.asset:
            ground.move(account, fact.to_asset, ground.held.pop((account, asset)))
    ground.truth[fact.id] = fact
    ground.tell(place.account, fact)


def stake(ground: Ground, place: Place) -> None:
    """Let coins go into another pocket of their account: one fact, or a row for each end."""
    units = ground.spare(place, "ETH")
    if units <= 0:
        return
    move = Transfer(
        id=ground.name("p", place.account),
        executed_at=ground.at,
        account=place.account,
        asset="ETH",
        quantity=units,
        to_account=place.account,
        pocket="main",
        to_pocket="staked",
    )
    if place.has_rows:
        _stake_by_rows(ground, move)
    else:
        ground.truth[move.id] = move
        ground.tell(place.account, move)


def _stake_by_rows(ground: Ground, move: Transfer) -> None:
    ends = (("main", -move.quantity), ("staked", move.quantity))
    for part, (pocket, amount) in enumerate(ends):
        name = f"{move.id}/{pocket}"
        way = (pocket, _TRANSIT) if amount < 0 else (_TRANSIT, pocket)
        ground.truth[name] = msgspec.structs.replace(
            move, id=name, sequence=part, pocket=way[0], to_pocket=way[1]
        )
        row = Movement(
            id=name,
            executed_at=ground.at,
            account=move.account,
            source=Source.LEDGER,
            sequence=part,
            kind=MovementKind.INTERNAL,
            asset="ETH",
            amount=amount,
            pocket=pocket,
        )
        ground.tell(move.account, row)


def entrust(ground: Ground, place: Place) -> None:
    """Let capital go from one strategy to another."""
    fact = SleeveTransfer(
        id=ground.name("e", place.account),
        executed_at=ground.at,
        account=place.account,
        from_strategy="trend",
        to_strategy="grid",
        amount=ground.units(),
    )
    ground.truth[fact.id] = fact
    ground.tell(place.account, fact)


def leverage(ground: Ground, place: Place) -> None:
    """Let a leveraged position change, and what that settles be paid."""
    if place.has_rows:
        return
    settled = Decimal(ground.chance.choice(_SETTLED))
    fact = MarginFill(
        id=ground.name("m", place.account),
        executed_at=ground.at,
        account=place.account,
        source=Source.EVENT,
        base="XBT",
        quote="USD",
        side=ground.chance.choice((Side.BUY, Side.SELL)),
        quantity=ground.units(),
        price=ground.rate("XBT"),
        settled=settled,
        fees=(Fee("USD", Decimal("0.25")),),
        strategy=ground.chance.choice((None, "perp")),
        closes=True if settled else None,
    )
    ground.move(place.account, "USD", settled - Decimal("0.25"))
    paid = (Fee("USD", Decimal("0.25"), Decimal("0.25")),)
    ground.truth[fact.id] = msgspec.structs.replace(fact, fees=paid)
    ground.tell(place.account, fact)


def tag(ground: Ground, place: Place) -> None:
    """Let somebody say later whose trade it was."""
    if not ground.untagged:
        return
    target, account = ground.untagged.pop(ground.chance.randrange(len(ground.untagged)))
    fill = ground.truth[target]
    assert isinstance(fill, Fill)
    ground.truth[target] = msgspec.structs.replace(fill, strategy="tagged")
    note = Tag(
        id=ground.name("h", place.account),
        executed_at=ground.at,
        account=account,
        source=Source.EVENT,
        target=target,
        strategy="tagged",
    )
    ground.tell(account, note)
