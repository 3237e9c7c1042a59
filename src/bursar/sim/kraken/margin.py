"""Deeds on margin, for an account where that is allowed.

A position moves no coins: its opening costs a fee, each four hours of it cost a rollover under the
opening's reference, and its close brings the realised profit or loss. A settled one delivers coins
for money, by a trade the same way at the same price. A position is named after the trade that
opened it; those of one pair that are open at a time go one way. A liquidation books losses in
several assets under one reference.
"""

from typing import Final

from bursar.sim.chance import hits
from bursar.sim.kraken.life import Life, halved_even
from bursar.sim.kraken.listing import Pair, named, ten
from bursar.sim.kraken.market import SECOND
from bursar.sim.kraken.rows import Flow, Order, Trade
from bursar.sim.kraken.trading import MANUAL

_FOUR_HOURS: Final = 4 * 3600 * SECOND
_MARKETS: Final = ("XBTUSD", "ETHUSD", "SOLUSD")


def position(life: Life) -> bool:
    """Open a position that is closed some hours later."""
    pair = named()[life.chance.choice(_MARKETS)]
    volume, notional = _size(life, pair)
    if notional <= 0:
        return False
    is_long, open_now = hits(life.chance, 0.6), life.positions.get(pair.key, 0)
    if open_now:
        is_long = open_now > 0
    opened = _execute(life, pair, volume, is_buy=is_long)
    rolls = life.chance.randint(0, 3)
    for number in range(rolls):
        life.later((number + 1) * _FOUR_HOURS, lambda then: _roll(then, opened.id))
    pnl = notional * life.chance.randint(-60, 80) // 1000

    def closes(then: Life) -> None:
        _execute(then, pair, volume, is_buy=not is_long, closes=opened.id, pnl=pnl)

    life.later((rolls + 1) * _FOUR_HOURS - SECOND, closes)
    return True


def settle(life: Life) -> bool:
    """Open a long position whose coins are then delivered."""
    pair = named()["XBTUSD"]
    volume, notional = _size(life, pair)
    if notional <= 0 or life.positions.get(pair.key, 0) < 0:
        return False
    opened = _execute(life, pair, volume, is_buy=True)

    def delivered(then: Life) -> None:
        if then.held("ZUSD") > notional:
            refid = then.name("T")
            base = volume * ten(pair.base.decimals - pair.lot_decimals)
            given = then.post(Flow.SETTLED, "settled", refid, "ZUSD", -notional)
            taken = then.post(Flow.SETTLED, "settled", refid, pair.base.code, base)
            done = opened._replace(
                id=refid,
                number=_number(then),
                order=then.name("O"),
                time=then.now,
                ordertype="settle-position",
                fee=0,
                rows=(given.id, taken.id),
                paid=0,
                position=opened.id,
            )
            _keep(then, done)

    life.later(_FOUR_HOURS // 2, delivered)
    return True


def liquidate(life: Life) -> bool:
    """Lose a little in several assets at once."""
    refid = life.name("T")
    losses = [(code, life.some(code, 1, 8)) for code in ("ZUSD", "ZEUR", "XXBT")]
    found = [(code, amount) for code, amount in losses if amount > 0]
    for code, amount in found:
        life.post(Flow.MARGIN, "margin", refid, code, -amount)
    return bool(found)


def collateral(life: Life) -> bool:
    """Have a fee taken in EURC, for which EUR is turned into EURC first."""
    amount = life.some("ZEUR", 1, 3)
    if amount <= 0:
        return False
    refid, eurc = life.name("T"), amount * 10**4
    life.post(Flow.COLLATERAL, "collateralconversion", refid, "ZEUR", -amount)
    life.post(Flow.COLLATERAL, "collateralconversion", refid, "EURC", eurc)
    life.post(Flow.MARGIN, "margin", refid, "EURC", 0, eurc)
    return True


def _size(life: Life, pair: Pair) -> tuple[int, int]:
    """Return a volume and what it is worth in the quote."""
    money = life.some("ZUSD", 10, 60)
    scale = ten(pair.price_decimals + pair.lot_decimals - pair.quote.decimals)
    price = life.price(pair)
    volume = money * scale // price
    return volume, volume * price // scale


def _execute(  # noqa: PLR0913 (what an execution is)
    life: Life, pair: Pair, volume: int, *, is_buy: bool, closes: str = "", pnl: int = 0
) -> Trade:
    """Write the row and the trade of one execution on margin."""
    price, refid = life.price(pair), life.name("T")
    decimals = pair.price_decimals + pair.lot_decimals
    cost = halved_even(price * volume, ten(decimals - pair.cost_decimals))
    estimate = cost * 20 // 10_000
    fee = halved_even(estimate, ten(pair.cost_decimals - pair.quote.decimals))
    pnl, fee = max(pnl, -life.held("ZUSD") // 4), min(fee, life.held("ZUSD") // 4)
    row = life.post(Flow.MARGIN, "margin", refid, pair.quote.code, pnl, fee)
    number = _number(life)
    is_free = closes and number % 2 == 0  # of other closings it states one all the same
    is_maker = number % 3 == 0
    done = Trade(
        id=refid,
        number=number,
        order=life.name("O"),
        pair=pair.key,
        time=life.now,
        is_buy=is_buy,
        ordertype="limit" if is_maker else "market",
        price=price,
        cost=cost,
        fee=estimate,
        volume=volume,
        is_maker=is_maker,
        rows=(row.id,),
        fee_code=pair.quote.code,
        paid=fee,
        margin=0 if is_free else cost // 2,
        position=closes,
    )
    _keep(life, done)
    return done


def _number(life: Life) -> int:
    return 1_000_000 + len(life.trades)


def _keep(life: Life, done: Trade) -> None:
    life.trades.append(done)
    is_long, open_now = done.is_buy, life.positions.get(done.pair, 0)
    if done.position:
        is_long = open_now < 0
    life.positions[done.pair] = open_now + (1 if is_long else -1)
    life.orders.append(
        Order(
            id=done.order,
            pair=done.pair,
            is_buy=done.is_buy,
            ordertype=done.ordertype,
            price=done.price,
            volume=done.volume,
            opened=life.now,
            closed=life.now,
            status="closed",
            trades=(done.id,),
            strategy=MANUAL,
        )
    )


def _roll(life: Life, opened: str) -> None:
    fee = min(life.second(2) // 10**8, life.held("ZUSD"))
    life.post(Flow.ROLLOVER, "rollover", opened, "ZUSD", 0, fee)
