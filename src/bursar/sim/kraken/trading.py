"""Deeds of trading: orders by hand and by strategies, filled in one go or in many at one instant.

A fill is two ledger rows, three where the fee is taken in fee credits, and one where a leg rounds
to nothing. The trades endpoint estimates the fee in the quote even where the ledger takes it in the
base or in fee credits; the row says what was taken.
"""

from typing import Final, NamedTuple

from bursar.sim.chance import hits
from bursar.sim.kraken.life import Life, atoms, halved_even
from bursar.sim.kraken.listing import Pair, named, ten
from bursar.sim.kraken.market import DAY, SECOND
from bursar.sim.kraken.rows import Flow, Order, Trade

MANUAL: Final = "manual"
STRATEGIES: Final = ("trend_v1", "grid_v2", "meanrev", MANUAL)
USERREFS: Final = {"trend_v1": 1001, "meanrev": 77}
"""Which strategies mark their orders with a number; `grid_v2` and `meanrev` use `cl_ord_id`."""

_MARKETS: Final = (
    *("XXBTZUSD", "XETHZUSD", "XXBTZEUR", "XETHZEUR", "SOLUSD", "XETHXXBT", "ZEURZUSD") * 3,
    *("DOTUSD", "ADAUSD", "ALGOUSD", "XTZUSD", "XTZEUR", "XDGUSD", "XDGEUR", "DOGEUR", "ZETAUSD"),
    *(
        "ZEUSUSD",
        "ZRXUSD",
        "ZRXXBT",
        "ATOMXBT",
        "SNXXBT",
        "ICXXBT",
        "TRXXBT",
        "SNXETH",
        "ETH2.SETH",
    ),
    *("LUNA2USD", "POLUSD", "MATICUSD", "CHZEUR", "AI16ZEUR", "USDTUSD", "USDCUSD", "XLTCZUSD"),
    *("EURTUSD", "XXRPZUSD", "XXLMZUSD", "REZUSD", "KINTUSD"),
)
_TEN_THOUSAND: Final = 10_000
_KFEE: Final = "KFEE"
_PERCENT: Final = 3  # which of the open orders takes a profit of so many per cent
_IN_BASE, _IN_KFEE = 0.1, 0.93
_LEAST: Final = 200  # atoms of the quote: anything less is a crumb
_FILLS: Final = (1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6)


class Terms(NamedTuple):
    """How an order is filled: at which price, with which fee, and in what the fee is taken."""

    pair: Pair
    is_buy: bool
    price: int
    fee_rate: int
    fee_in: str
    is_maker: bool


def trade(life: Life, fills: int = 0) -> bool:
    """Give an order that is filled, whole or in part; tell whether there was anything to spend."""
    chance = life.chance
    pair = named()[chance.choice(_MARKETS)]
    is_buy = hits(chance, 0.55)
    spent = pair.quote.code if is_buy else pair.base.code
    terms = _terms(life, pair, is_buy=is_buy)
    count = fills or chance.choice(_FILLS)
    volume = _volume(life, terms, life.some(spent, 2, 60)) // count
    if not _is_worth_it(terms, volume):
        return False
    order = life.name("O")
    done = []
    for number in range(count):
        if number and not fills and hits(chance, 0.3):
            life.wait(life.second(2))
        part = max(volume * chance.randint(600, 1000) // 1000, 1)
        done.append(fill(life, terms, order, part))
    _file(life, terms, order, done)
    return True


def storm(life: Life) -> bool:
    """Fill one order in so many pieces at one instant that no page holds them."""
    return trade(life, fills=life.chance.randint(30, 90))


def crumb(life: Life) -> bool:
    """Buy so little that the money leg rounds to nothing: the ledger has one row."""
    terms = _terms(life, named()["XTZUSD"], is_buy=True)._replace(fee_in="")
    volume = ten(terms.pair.lot_decimals + terms.pair.price_decimals - 5) // (3 * terms.price)
    if volume <= 0:
        return False
    order = life.name("O")
    _file(life, terms, order, [fill(life, terms, order, volume)])
    return True


def unfilled(life: Life) -> bool:
    """Give an order that ends without a fill."""
    terms = _terms(life, named()[life.chance.choice(_MARKETS)], is_buy=hits(life.chance, 0.5))
    volume = ten(terms.pair.lot_decimals)
    status = life.chance.choice(("canceled", "expired"))
    life.orders.append(
        _marked(life, life.name("O"), terms)._replace(
            volume=volume, closed=life.now, status=status, opened=life.now - life.second(3600)
        )
    )
    return True


def leave_open(life: Life) -> None:
    """Give orders that stay open, as far as there are coins for them.

    One is filled in part, and one has a price in per cent.
    """
    for number, key in enumerate(("XXBTZUSD", "XETHZUSD", "SOLUSD", "XXBTZEUR", "DOTUSD")):
        pair = named()[key]
        is_buy = number % 2 == 0
        terms = _terms(life, pair, is_buy=is_buy)._replace(fee_in="quote", is_maker=True)
        spent = pair.quote.code if is_buy else pair.base.code
        volume = _volume(life, terms, life.some(spent, 20, 80))
        if not _is_worth_it(terms, volume):
            continue
        order = life.name("O")
        done = [fill(life, terms, order, volume // 4 or 1)] if number == 1 else []
        opened = life.now - life.second(3600)
        life.orders.append(
            _marked(life, order, terms)._replace(
                volume=volume,
                opened=opened,
                closed=None,
                ordertype="take-profit" if number == _PERCENT else "limit",
                status="open",
                trades=tuple(each.id for each in done),
            )
        )
        life.wait(SECOND)


def fill(life: Life, terms: Terms, order: str, volume: int) -> Trade:
    """Write the rows of one execution and the trade that lists them."""
    pair, refid = terms.pair, life.name("T")
    volume = max(volume // _step(pair) * _step(pair), _step(pair))
    exact = terms.price * volume
    decimals = pair.price_decimals + pair.lot_decimals
    cost = halved_even(exact, ten(decimals - pair.cost_decimals))
    fee = halved_even(cost * terms.fee_rate, _TEN_THOUSAND)
    money = atoms(pair.quote, exact, decimals)
    base = atoms(pair.base, volume, pair.lot_decimals)
    code, paid = _fee(life, terms, cost, money)
    signed = (-money, base) if terms.is_buy else (money, -base)
    rows = []
    for side, amount in ((pair.quote, signed[0]), (pair.base, signed[1])):
        own = paid if side.code == code else 0
        if amount or own:
            rows.append(life.post(Flow.TRADE, "trade/tradespot", refid, side.code, amount, own))
    if code == _KFEE:
        rows.append(life.post(Flow.TRADE, "trade/tradespot", refid, _KFEE, 0, paid))
    done = Trade(
        id=refid,
        number=1_000_000 + len(life.trades),
        order=order,
        pair=pair.key,
        time=life.now,
        is_buy=terms.is_buy,
        ordertype="limit" if terms.is_maker else "market",
        price=terms.price,
        cost=cost,
        fee=fee,
        volume=volume,
        is_maker=terms.is_maker,
        rows=tuple(row.id for row in rows),
        fee_code=code,
        paid=paid,
    )
    life.trades.append(done)
    return done


def _terms(life: Life, pair: Pair, *, is_buy: bool) -> Terms:
    chance = life.chance
    is_maker = hits(chance, 0.5)
    way = chance.random()
    fee_in = "base" if way < _IN_BASE and is_buy else "kfee" if way > _IN_KFEE else "quote"
    rate = chance.choice((16, 25)) if is_maker else chance.choice((26, 40))
    return Terms(pair, is_buy, life.price(pair), rate, fee_in, is_maker)


def _fee(life: Life, terms: Terms, cost: int, money: int) -> tuple[str, int]:
    """Return in which code a fill's fee is taken, and how much of it."""
    pair = terms.pair
    if not terms.fee_in:
        return "", 0
    fee = halved_even(money * terms.fee_rate, _TEN_THOUSAND)
    if terms.fee_in == "base":
        per_coin = ten(pair.price_decimals + pair.base.decimals - pair.cost_decimals)
        return pair.base.code, cost * terms.fee_rate * per_coin // (terms.price * _TEN_THOUSAND)
    if terms.fee_in == "kfee":
        worth = life.market.worth(pair.quote, life.now)
        cents = fee * worth * 100 // ten(pair.quote.decimals + 12)
        points = cents * 100  # a fee credit is worth a cent, and has two decimals
        if 0 < points <= life.held(_KFEE):
            return _KFEE, points
    return pair.quote.code, fee


def _volume(life: Life, terms: Terms, spend: int) -> int:
    """Return the volume that a spend reaches for, with room for the fee; roundly now and then."""
    pair = terms.pair
    if terms.is_buy:
        scale = ten(pair.price_decimals + pair.lot_decimals)
        volume = spend * 98 * scale // (100 * terms.price * ten(pair.quote.decimals))
    else:
        volume = spend * 98 * ten(pair.lot_decimals) // (100 * ten(pair.base.decimals))
    coarse = ten(pair.lot_decimals - 3)
    if volume > 20 * coarse and hits(life.chance, 0.5):
        volume = volume // coarse * coarse
    return volume


def _is_worth_it(terms: Terms, volume: int) -> bool:
    pair = terms.pair
    decimals = pair.price_decimals + pair.lot_decimals
    money = atoms(pair.quote, terms.price * volume, decimals)
    return volume >= _step(pair) and money > _LEAST


def _step(pair: Pair) -> int:
    """Return the least volume that the base's own decimals can hold."""
    return ten(max(pair.lot_decimals - pair.base.decimals, 0))


def _file(life: Life, terms: Terms, order: str, done: list[Trade]) -> None:
    """Close an order after its fills; some were asked for more and cancelled."""
    chance = life.chance
    filled = sum(each.volume for each in done)
    is_cut = hits(chance, 0.1)
    opened = done[0].time - (life.second(DAY // SECOND // 24) if terms.is_maker else 0)
    life.orders.append(
        _marked(life, order, terms)._replace(
            volume=filled * 3 // 2 if is_cut else filled,
            opened=opened,
            closed=life.now + (life.second(60) // 100_000 * 100_000 if is_cut else 0),
            status="canceled" if is_cut else "closed",
            trades=tuple(each.id for each in done),
            is_viqc=not terms.is_maker and hits(chance, 0.05),
        )
    )


def _marked(life: Life, order: str, terms: Terms) -> Order:
    """Return an order as its strategy marks it."""
    strategy = life.chance.choice(STRATEGIES)
    client = {
        "grid_v2": f"grid_v2-{len(life.orders):08x}",
        "meanrev": _uuid(life) if hits(life.chance, 0.5) else f"KRKKD:mr-{len(life.orders):x}",
    }
    return Order(
        id=order,
        pair=terms.pair.key,
        is_buy=terms.is_buy,
        ordertype="limit" if terms.is_maker else "market",
        price=terms.price,
        volume=0,
        opened=life.now,
        closed=life.now,
        status="closed",
        trades=(),
        strategy=strategy,
        userref=USERREFS.get(strategy),
        cl_ord_id=client.get(strategy),
    )


def _uuid(life: Life) -> str:
    said = f"{life.chance.getrandbits(128):032x}"
    return f"{said[:8]}-{said[8:12]}-4{said[13:16]}-a{said[17:20]}-{said[20:]}"
