"""Rooms: one portfolio each, with its terms, truth, feeds and store, and the clerks in it.

Errors: none.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

import msgspec

from bursar.desk import Desk
from bursar.ledger.entries import CashFlow, FlowKind
from bursar.ledger.facts import Fact
from bursar.ledger.terms import Account, FactSource, Method, Scope, Terms
from bursar.sim import orders
from bursar.sim.chance import Streams, hits
from bursar.sim.clerk import Clerk, JumpingClock, Life
from bursar.sim.faults import Weather
from bursar.sim.happening import HAND, START, Ground, Place, history, order, worth
from bursar.sim.practice import Practice
from bursar.sim.shelf import Line, Shelf
from bursar.sim.story import Story
from bursar.sim.venue import Feed

if TYPE_CHECKING:
    from bursar.ports import PortfolioStore

RIVAL: Final = "bursar:rival"
_RIVALS_MAX: Final = 4
_CLERKS: Final = (1, 1, 2, 2, 3)
_CARELESS: Final = 0.3


class Air(msgspec.Struct, frozen=True):
    """What all rooms of a world share."""

    seconds: Callable[[], float]
    streams: Streams
    weather: Weather
    story: Story
    practice: Practice
    span: float
    venues: Sequence[str]


class Room(msgspec.Struct):
    """One portfolio in a world."""

    name: str
    terms: Terms
    ground: Ground
    shelf: Shelf
    clerks: list[Clerk]
    orders: list[orders.Order]
    rivalled: list[CashFlow]

    def truth(self, standing: Sequence[CashFlow]) -> list[Fact]:
        """Return what truly happened in canonical order, with the orders that stand."""
        by_hand = (_valued(flow) for flow in (*self.rivalled, *standing))
        return sorted((*self.ground.truth.values(), *by_hand), key=order)


def furnish(name: str, size: int, air: Air, shelve: Callable[[str, Terms], Shelf]) -> Room:
    """Make a room in which about `size` statements will be told."""
    chance = air.streams.named("workload", name)
    places = [
        Place(f"{venue}:{name}", hits(chance, 0.5), hits(chance, 0.5)) for venue in air.venues
    ]
    scope = chance.choice((Scope.ACCOUNT, Scope.ACCOUNT, Scope.POOLED))
    careless = hits(chance, _CARELESS)
    ground = history(chance, places, size, is_careless=careless)
    terms = _terms(places, chance.choice(list(Method)), scope)
    room = Room(name, terms, ground, shelve(name, terms), [], [], [])
    feeds = [_feed(room, venue, air) for venue in air.venues]
    rival = _rival(room, air)
    for number in range(1, chance.choice(_CLERKS) + 1):
        clerk = _clerk(room, f"{name}-d{number}", feeds, air, rival)
        room.clerks.append(clerk)
        room.orders += clerk.orders
    return room


def _terms(places: Sequence[Place], method: Method, scope: Scope) -> Terms:
    told = [Account(each.account, FactSource.EVENTS) for each in places if not each.has_rows]
    own = (Account(HAND, FactSource.MANUAL), Account(RIVAL, FactSource.EVENTS))
    return Terms(method=method, scope=scope, accounts=(*told, *own))


def _feed(room: Room, venue: str, air: Air) -> Feed:
    entries = [told.entry for told in room.ground.told if told.venue == venue]
    chance = air.streams.named("network", "feed", room.name, venue)
    return Feed(venue, entries, air.weather, chance)


def _clerk(
    room: Room, name: str, feeds: Sequence[Feed], air: Air, rival: Callable[[], None]
) -> Clerk:
    """Make a clerk; the first in a room reads every feed, the others some."""
    chance = air.streams.named("network", name)
    life = Life(
        weather=air.weather,
        story=air.story,
        practice=air.practice,
        chance=chance,
        clock=JumpingClock(air.seconds, air.weather, air.streams.named("clock", name)),
        span=air.span,
    )
    line = Line(room.shelf, air.weather, air.streams.named("faults", name))
    line.rival = rival
    reads = [feed for feed in feeds if not room.clerks or hits(chance, 0.6)]
    asked = orders.orders(name, air.streams.named("workload", "orders", name), air.span)
    return Clerk(name, line, reads, asked, life)


def _rival(room: Room, air: Air) -> Callable[[], None]:
    """Return somebody who commits between two looks of another, and never fails."""
    luck = air.streams.named("rival", room.name)
    calm = Weather(luck)
    calm.heal()
    line = cast("PortfolioStore", Line(room.shelf, calm, luck))
    desks: list[Desk] = []

    def overtake() -> None:
        number = len(room.rivalled) + 1
        if number > _RIVALS_MAX or room.shelf.is_full:
            return
        if not desks:
            desks.append(Desk(line, JumpingClock(air.seconds, calm, luck)))
        desks[0].reload()
        flow = CashFlow(
            id=f"{RIVAL}:{number}",
            executed_at=START + number,
            account=RIVAL,
            kind=FlowKind.DEPOSIT,
            asset="USD",
            amount=Decimal(number),
        )
        room.rivalled.append(flow)
        desks[0].submit([flow])

    return overtake


def _valued(flow: CashFlow) -> CashFlow:
    """Give a flow that came by hand its worth."""
    rate = flow.rates[0].value if flow.rates else Decimal(1)
    return msgspec.structs.replace(flow, value=worth(flow.amount, rate))
