"""The present: what goes on while the page is open, told to bursar as bots and venues tell it.

Ticks and fills are events on the service's own bus, and the person's trades are entered by hand.
Every few seconds the venue hands out the rows of its ledger and states what lies there. Once it
executes a trade that nobody tells, and loses the rows: the drift is seen, found between the rows
whose balances give it away, and accepted after a while, if no person has done so.

Runs in the keeper's thread, as a task of the service. Errors: those of the verbs, which would be
our own mistake; a bus that is away is waited for by those who listen.
"""

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from bursar.events.envelope import Envelope
from bursar.exact import ZERO, product18
from bursar.ledger import golden, instant
from bursar.ledger.entries import CashFlow, Fee, Fill, FlowKind, Side
from bursar.portfolio import agreement
from bursar.portfolio.events.intake import noted
from bursar.ports import Bus
from bursar.serve.keeper import Opened
from bursar.sim.show.market import COINS, QUOTE
from bursar.sim.show.past import ACCOUNT, Scene, divide
from bursar.sim.show.players import Order

TOPIC: Final = "in"
FILLED: Final = "order.filled"
STEP_S: Final = 0.5
DAY_STEPS: Final = 2_400
"""How many steps a day of the market takes at speed 1: twenty minutes."""

_SLOW: Final = "LINK"
_CARRY_EVERY, _GRID_EVERY, _TREND_EVERY = 7, 11, 20
_HAND_EVERY, _REWARD_EVERY, _DIVIDE_EVERY, _CLOSE_EVERY = 26, 44, 300, 20
_STATED_EVERY, _LOST_AT, _ACCEPT_AT = 12, 30, 110
_SELL_AFTER: Final = 5
_PART: Final = 0.1
_PRICED_EVERY: Final = 7
_LOST, _LOST_PART = "ETH", 200
_STAKED: Final = Decimal("0.0021")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")


class Present:
    """One show that goes on. `bus` finds the service's bus once it is there."""

    def __init__(self, scene: Scene, bus: Callable[[], Bus | None], *, speed: float = 1) -> None:
        self.fills = self.ticks = 0
        self._scene = scene
        self._bus = bus
        self._speed = speed
        self._step = 0
        self._is_closed = False
        self._later: dict[int, list[Order]] = {}
        self._filled: list[Envelope] = []

    async def run(self, opened: Opened) -> None:
        """Go on, step by step, for as long as the book is open."""
        while True:
            bus = self._bus()
            if bus is not None:
                self._step += 1
                self._scene.market.move(self._speed / DAY_STEPS)
                told = [*self._told(opened)]
                await bus.publish(TOPIC, told)
                self._filled = [each for each in told if each.type == FILLED] or self._filled
            await asyncio.sleep(STEP_S)
            if bus is not None:
                with opened.service.portfolio.writer.alone():  # a person may write from elsewhere
                    self._besides(opened)

    def _told(self, opened: Opened) -> Iterator[Envelope]:
        """Return what the market and the strategies tell in this step."""
        now = opened.service.portfolio.desk.clock.now()
        for coin in COINS:
            if coin.name != _SLOW:
                self.ticks += 1
                price = self._scene.market.price(coin.name)
                tick = {"symbol": f"{coin.name}/{QUOTE}", "price": price}
                yield self._event("market.tick", f"t{self._step}{coin.name}", now, tick)
        for number, order in enumerate(self._orders()):
            self.fills += 1
            name = f"f{now}-{number}"
            self._scene.venue.move(_booked(order, f"order:{name}:{name}", now))
            yield self._event(FILLED, name, now, _filled(order, name, self._scene))

    def _orders(self) -> Iterator[Order]:
        players, market = self._scene.players, self._scene.market
        yield from self._later.pop(self._step, ())
        for name, every in (("carry", _CARRY_EVERY), ("grid", _GRID_EVERY)):
            if self._step % every == 1:
                made = list(players.quick(name, market, part=_PART))
                yield from made[:1]
                self._later.setdefault(self._step + _SELL_AFTER, []).extend(made[1:])
        if self._step % _TREND_EVERY == 0:
            yield from players.trend(market)

    def _besides(self, opened: Opened) -> None:
        """Do what is not told by events: by hand, by the venue's own statement, by the clock."""
        step, portfolio = self._step, opened.service.portfolio
        now, market = portfolio.desk.clock.now(), self._scene.market
        if step % _HAND_EVERY == 3:  # noqa: PLR2004 (soon after the beginning)
            line = (
                f"{instant.show(now)} buy {market.units(_SLOW, 400)} {_SLOW}"
                f" @ {market.price(_SLOW)} {QUOTE} fee 0.50 {QUOTE} #{ACCOUNT}:hand{now}"
            )
            portfolio.record(*self._scene.venue.take(golden.read([line])))
        if step % _REWARD_EVERY == 9:  # noqa: PLR2004 (the same); its row will tell of it
            self._scene.venue.move(_reward(now, market.price("ETH")))
        if step == _LOST_AT:
            self._scene.venue.lose(_lost(self._scene, now))
        if step % _PRICED_EVERY == 0:  # what fees in coins were worth
            portfolio.price("BNB", instant.show(now), market.price("BNB"))
        if step % _DIVIDE_EVERY == 0:
            divide(portfolio, self._scene.players, market)
        if step % _CLOSE_EVERY == 0:
            opened.service.create_snapshot()
        if step % _STATED_EVERY == 1 and self._is_taken_in(opened):
            self._state(opened, now)

    def _is_taken_in(self, opened: Opened) -> bool:
        """Tell whether all fills are in the book: a statement speaks of them too."""
        store = opened.service.portfolio.desk.store
        return all(store.memo(noted(each)[0]) is not None for each in self._filled)

    def _state(self, opened: Opened, now: int) -> None:
        """Let the venue hand out its rows and state what lies there; compare, as a sync does."""
        limits, portfolio = opened.service.rules.limits, opened.service.portfolio
        rows = self._scene.venue.told()
        if rows:
            portfolio.record(*rows)
        agreement.remember(portfolio, self._scene.venue.statement(now))
        compared = agreement.compared(portfolio, ACCOUNT, limits)
        agreement.sound(portfolio, compared)
        if self._step < _ACCEPT_AT or self._is_closed:
            return
        self._is_closed = True
        found = agreement.reconciled(portfolio, ACCOUNT, limits)
        if compared.drift and found.proposals:  # no person has accepted it before
            agreement.accept(portfolio, found, 1)
            self._state(opened, portfolio.desk.clock.now())

    def _event(self, kind: str, name: str, now: int, data: dict[str, object]) -> Envelope:
        told = _ENCODER.encode(data).decode()
        return Envelope(id=name, type=kind, source="demo", time=now, data=told)


def _filled(order: Order, name: str, scene: Scene) -> dict[str, object]:
    return {
        "order_id": name,
        "fill_id": name,
        "account": ACCOUNT,
        "symbol": f"{order.coin}/{QUOTE}",
        "side": order.side.upper(),
        "quantity": order.quantity,
        "price": order.price,
        "fee": order.fee,
        "fee_asset": order.fee_asset,
        "strategy": order.strategy,
        "regime": scene.market.regime,
    }


def _booked(order: Order, name: str, at: int) -> Fill:
    """Return an order as its venue books it."""
    return Fill(
        id=f"{ACCOUNT}:{name}",
        executed_at=at,
        account=ACCOUNT,
        base=order.coin,
        quote=QUOTE,
        side=Side(order.side),
        quantity=order.quantity,
        amount=product18(order.quantity, order.price),
        fees=(Fee(order.fee_asset, order.fee),),
    )


def _reward(at: int, price: Decimal) -> CashFlow:
    return CashFlow(
        id="",
        executed_at=at,
        account=ACCOUNT,
        kind=FlowKind.REWARD,
        asset="ETH",
        amount=_STAKED,
        value=product18(_STAKED, price),
    )


def _lost(scene: Scene, at: int) -> Fill:
    """Return the trade that nobody tells: of a part of what the account began with."""
    price = scene.market.price(_LOST)
    quantity = scene.market.units(_LOST, float(scene.shape.size) / _LOST_PART)
    return _booked(Order("", "buy", _LOST, quantity, price, ZERO, QUOTE), "lost", at)
