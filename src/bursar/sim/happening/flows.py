"""Flows: what comes and goes otherwise than by trade, is taken back, or moves between venues.

Errors: none.
"""

from decimal import Decimal

import msgspec

from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Fee,
    FlowKind,
    Link,
    Reversal,
    Source,
    Transfer,
)
from bursar.sim.chance import hits
from bursar.sim.happening import telling
from bursar.sim.happening.ground import CASH, HAND, ONE, ZERO, Ground, Place, cut, worth

_INCOME = (FlowKind.REWARD, FlowKind.AIRDROP, FlowKind.INTEREST)


def deposit(ground: Ground, place: Place) -> None:
    """Let capital come."""
    asset = ground.chance.choice(("USD", "USD", "EUR", "BNB", "XBT", "ETH"))
    _flow(ground, place, FlowKind.DEPOSIT, (asset, ground.units()))


def reward(ground: Ground, place: Place) -> None:
    """Let income come; what comes in ADA is priced by a price told for itself."""
    asset = ground.chance.choice(("ADA", "ADA", "ETH", "USD"))
    _flow(ground, place, ground.chance.choice(_INCOME), (asset, ground.units()))


def withdraw(ground: Ground, place: Place) -> None:
    """Let capital go."""
    asset = ground.chance.choice(("USD", "EUR", "XBT", "ETH"))
    units = ground.spare(place, asset)
    if units > 0:
        _flow(ground, place, FlowKind.WITHDRAWAL, (asset, -units))


def expense(ground: Ground, place: Place) -> None:
    """Let the venue charge for itself."""
    _flow(ground, place, FlowKind.FEE, ("USD", Decimal("-1.23")))


def take_back(ground: Ground, place: Place) -> None:
    """Let a withdrawal come back: by the venue under the same reference, or by hand."""
    asset = ground.chance.choice(("USD", "XBT", "ETH"))
    units = ground.spare(place, asset)
    if units <= 0:
        return
    out = _made(ground, place, FlowKind.WITHDRAWAL, (asset, -units))
    group = f"{out.id}/ref" if place.has_rows else None
    ground.move(place.account, asset, -units)
    ground.tell(place.account, _told(ground, place, out, group))
    ground.pass_time()
    ground.move(place.account, asset, units)
    back = Reversal(
        id=ground.name("u", place.account),
        executed_at=ground.at,
        account=place.account,
        target=out.id,
    )
    ground.truth[out.id] = msgspec.structs.replace(out, reversed_by=back.id)
    ground.truth[back.id] = back
    row = msgspec.structs.replace(out, id=back.id, executed_at=ground.at, amount=units)
    by_hand = msgspec.structs.replace(back, account=HAND)
    ground.tell(place.account, _told(ground, place, row, group) if place.has_rows else by_hand)


def phantom(ground: Ground, place: Place) -> None:
    """Let a withdrawal be told that never was, and its void."""
    if place.has_rows:
        return
    flow = _made(ground, place, FlowKind.WITHDRAWAL, ("XBT", -ground.units()))
    void = Reversal(
        id=ground.name("v", place.account),
        executed_at=ground.at,
        account=HAND,
        target=flow.id,
        void=True,
    )
    ground.tell(place.account, telling.bare(flow), void)


def send(ground: Ground, place: Place) -> None:
    """Let coins go from one venue to another, less what the network takes."""
    others = [each for each in ground.places if each is not place]
    asset = ground.chance.choice(("USD", "XBT", "ETH", "BNB"))
    sent = ground.spare(place, asset)
    if not others or sent <= 0:
        return
    lost = cut(sent / 100, 8) if hits(ground.chance, 0.5) else ZERO
    target = ground.chance.choice(others)
    out = _made(ground, place, FlowKind.WITHDRAWAL, (asset, -sent))
    ground.move(place.account, asset, -sent)
    gone = _told(ground, place, out)
    ground.pass_time()
    back = _made(ground, target, FlowKind.DEPOSIT, (asset, sent - lost))
    ground.move(target.account, asset, sent - lost)
    _join(ground, out, back)
    ground.tell(place.account, gone)
    ground.tell(target.account, _told(ground, target, msgspec.structs.replace(back, rates=())))


def _join(ground: Ground, out: CashFlow, back: CashFlow) -> None:
    """Let two flows be one transfer; what did not arrive is its fee."""
    link = Link(
        id=ground.name("l", out.account),
        executed_at=ground.at,
        account=HAND,
        withdrawal=out.id,
        deposit=back.id,
    )
    lost, rate = -out.amount - back.amount, out.rates[0].value if out.rates else ONE
    ground.truth[link.id] = Transfer(
        id=link.id,
        executed_at=out.executed_at,
        account=out.account,
        asset=out.asset,
        quantity=back.amount,
        to_account=back.account,
        fees=(Fee(out.asset, lost, worth(lost, rate)),) if lost else (),
    )
    ground.tell(out.account, link)


def _flow(ground: Ground, place: Place, kind: FlowKind, what: tuple[str, Decimal]) -> None:
    flow = _made(ground, place, kind, what)
    ground.move(place.account, *what)
    ground.truth[flow.id] = flow
    ground.tell(place.account, _told(ground, place, flow))


def _made(ground: Ground, place: Place, kind: FlowKind, what: tuple[str, Decimal]) -> CashFlow:
    asset, amount = what
    rate = ground.price() if asset == "ADA" else ground.rate(asset)
    return CashFlow(
        id=ground.name("c", place.account),
        executed_at=ground.at,
        account=place.account,
        source=Source.LEDGER if place.has_rows else Source.EVENT,
        kind=kind,
        asset=asset,
        amount=amount,
        value=amount if asset in CASH else worth(amount, rate),
        rates=() if asset == "ADA" else ground.stated({asset: rate}),
    )


def _told(ground: Ground, place: Place, flow: CashFlow, group: str | None = None) -> AnyEntry:
    if place.has_rows:
        return telling.flow_as_row(flow, ground.balances(place), group)
    return telling.bare(flow)
