"""An invented account at Alpaca: everything that happened in it, from one seed, and what it left.

    account = invent(7, 300)
    truth(account, at)["BTC"]            # a Fraction, added up from what was meant

Rows are told when they are `posted`: fees of a day on the next one. A row may be pending until it
is `settled`, and canceled or `corrected` later. `truth` adds up what rows moved, and reads none of
their texts.

Errors: `BadChoice` for a size below 30.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.sim.alpaca.market import (
    COINS,
    DAY,
    HOUR,
    NANO,
    SECOND,
    STOCKS,
    UNIT,
    WHOLE_ONLY,
    price,
    text,
    times,
)
from bursar.sim.chance import Streams, hits

ROWS_MIN: Final = 30
START: Final = 1_735_776_000 * SECOND
"""When accounts begin: 2025-01-02, midnight."""

DOLLAR: Final = "USD"
_FOREVER: Final = 2**63 - 1
_FEE: Final = (25, 10_000)
_OPENS, _CLOSES = 15 * HOUR, 20 * HOUR  # in both of New York's times the market is open
_BUYS: Final = 0.6
_SUMMER: Final = range(3, 11)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One activity: its fields as told, and what it `moves` of each asset, in units.

    `at` is its time, or midnight of its day. Until it is `corrected`, it says that so much money is
    `wrong` with it.
    """

    id: str
    at: int
    posted: int
    told: Mapping[str, str]
    moves: tuple[tuple[str, int], ...]
    settled: int = 0
    canceled: int = _FOREVER
    corrected: int = 0
    wrong: int = 0

    @property
    def is_trade(self) -> bool:
        """Whether it is an execution."""
        return self.told["activity_type"] == "FILL"

    def status(self, now: int) -> str:
        """Return how it stands at an instant."""
        if now < self.settled:
            return "pending"
        if now >= self.canceled:
            return "canceled"
        return "correct" if self.wrong and now >= self.corrected else "executed"

    def said(self, now: int) -> dict[str, str]:
        """Return its fields as they are told at an instant."""
        if self.is_trade:
            return dict(self.told)
        said = {**self.told, "status": self.status(now)}
        if now < self.corrected:
            said["net_amount"] = text(self.moved(now)[0][1])
        return said

    def moved(self, now: int) -> tuple[tuple[str, int], ...]:
        """Return what it has moved by an instant, as far as the venue knows."""
        if now < self.posted or self.status(now) not in {"executed", "correct"}:
            return ()
        if now >= self.corrected:
            return self.moves
        ((asset, units),) = self.moves
        return ((asset, units + self.wrong),)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An open order, limited."""

    id: str
    symbol: str
    is_buy: bool
    quantity: int
    price: int


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account. Of its `rows` the `hidden` are not told, and `extra` lies there besides."""

    seed: int
    rows: tuple[Row, ...]
    orders: tuple[Order, ...] = ()
    hidden: frozenset[str] = frozenset()
    extra: Mapping[str, int] = {}

    @property
    def end(self) -> int:
        """When everything has happened and was told."""
        return max(max(row.posted, row.settled, row.corrected) for row in self.rows) + 5 * DAY


def invent(seed: int, size: int) -> Account:
    """Invent an account of so many rows, or a few more."""
    if size < ROWS_MIN:
        raise BadChoice(f"{size} rows; an account has {ROWS_MIN} or more")
    life = _Life(seed)
    life.cash_in(100_000 * UNIT)
    for deed, _ in _DEEDS:  # each at least once
        life.trade()
        deed(life)
    deeds, weights = [deed for deed, _ in _DEEDS], [weight for _, weight in _DEEDS]
    while len(life.rows) < size:
        life.rest()
        (deed,) = life.chance.choices(deeds, weights)
        deed(life)
    return Account(seed=seed, rows=tuple(life.rows), orders=life.orders())


def truth(account: Account, at: int) -> dict[str, Fraction]:
    """Return what is held of each asset at an instant, what a difference added included."""
    sums: dict[str, int] = dict(account.extra)
    for row in account.rows:
        for asset, amount in row.moved(at):
            sums[asset] = sums.get(asset, 0) + amount
    return {asset: Fraction(total, UNIT) for asset, total in sums.items() if total}


def name_of(said: str) -> str:
    """Write 32 hexadecimal digits as the venue's ids are."""
    return f"{said[:8]}-{said[8:12]}-4{said[13:16]}-8{said[17:20]}-{said[20:]}"


def day_of(at: int) -> str:
    """Write the day of an instant."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d")


class _Piece(msgspec.Struct, frozen=True):
    """A part of an order that is executed now; `done` of the `whole` are, this one included."""

    symbol: str
    order: str
    quantity: int
    price: int
    whole: int
    done: int
    is_buy: bool


class _Life:
    """An account while it is being lived. `held` is what later deeds may count on."""

    def __init__(self, seed: int) -> None:
        self.chance = Streams(seed).named("alpaca")
        self.rows: list[Row] = []
        self.held: dict[str, int] = {}
        self._seed = seed
        self._at = START + _OPENS

    @property
    def today(self) -> int:
        return self._at // DAY * DAY

    def rest(self) -> None:
        """Let time pass, at times none at all."""
        self._at += self.chance.choice((0, 1, 7 * SECOND, HOUR // 2, DAY, 3 * DAY))
        if self._at - self.today > _CLOSES:
            self._at = self.today + DAY + _OPENS

    def trade(self) -> None:
        """Buy or sell, in one piece or in several at the same instant, which is theirs alone."""
        self.rest()
        self._at += 1
        symbol = self.chance.choice([*STOCKS, *COINS])
        base, _, quote = symbol.partition("/")
        quote = quote or DOLLAR
        value = price(self._seed, symbol, self._at)
        affordable = self.held.get(quote, 0) * UNIT // (value * 20)
        sellable = self.held.get(base, 0) // 2
        is_buy = hits(self.chance, _BUYS) and affordable > UNIT // 100
        step = UNIT if symbol in WHOLE_ONLY else NANO
        quantity = self.chance.randint(1, max(affordable if is_buy else sellable, 1))
        quantity = quantity // step * step
        if quantity <= 0:
            return
        order, done = self._name(), 0
        pieces = self.chance.randint(1, 3) if quantity > 10 * step else 1
        for number in range(pieces, 0, -1):
            part = quantity - done if number == 1 else quantity // pieces // step * step
            done += part
            piece = _Piece(symbol, order, part, value, whole=quantity, done=done, is_buy=is_buy)
            self._execution(piece)
        if symbol in COINS:
            self._coin_fee(base if is_buy else quote, quantity, value, is_buy=is_buy)
        elif not is_buy:
            self._dated("FEE", -self.chance.randint(1, 99) * UNIT // 100, late=2 * DAY)

    def cash_in(self, units: int) -> None:
        self._dated("CSD", units)

    def deposit(self) -> None:
        self.cash_in(self.chance.randint(1, 5_000) * UNIT)

    def withdrawal(self) -> None:
        self._dated("CSW", -self._some())

    def slow_withdrawal(self) -> None:
        self._dated("CSW", -self._some(), settles=2 * DAY)

    def failed_withdrawal(self) -> None:
        """Announce a withdrawal, make it, and cancel it days later."""
        self._dated("CSW", -self._some(), cancels=3 * DAY)

    def dividend(self) -> None:
        symbol = self._stock()
        if symbol is not None:
            paid = self.held[symbol] // NANO // 100 * NANO
            about = {"symbol": symbol, "qty": text(self.held[symbol]), "per_share_amount": "0.01"}
            self._dated("DIV", paid, about)
            self._dated(
                "DIVNRA", -(paid // 4 // NANO * NANO), about | {"per_share_amount": "-0.0025"}
            )

    def interest(self) -> None:
        """Pay interest; every other time of a wrong amount, which is put right days later."""
        cents = self.chance.randint(1, 500)
        self._dated("INT", cents * UNIT // 100)
        if cents % 2:
            late = self.rows[-1].posted + 3 * DAY
            wrong = UNIT // 200 if cents % 4 == 1 else -UNIT // 200
            self.rows[-1] = msgspec.structs.replace(self.rows[-1], corrected=late, wrong=wrong)

    def promotion(self) -> None:
        self._dated("JNLC", 5 * UNIT, {"description": "promotion"})

    def journal(self) -> None:
        self._dated("JNLC", -self._some(), {"description": "to another account"})

    def shares_in(self) -> None:
        quantity = self.chance.randint(1, 9) * UNIT
        value = text(price(self._seed, "KO", self._at))
        self._units("JNLS", "KO", quantity, {"price": value})

    def split(self) -> None:
        """Split what is held of a stock in three, before the day's first trade."""
        self._at = self.today + DAY + _OPENS
        symbol = self._stock()
        if symbol is not None:
            old = self.held[symbol]
            self._units("SPLIT", symbol, -old, {"description": "REMOVE"}, posted=10 * HOUR)
            self._units("SPLIT", symbol, 3 * old, {"description": "ADD"}, posted=10 * HOUR)

    def unheard_of(self) -> None:
        self._dated("ZZZ", UNIT // 4, {"description": "nobody knows"})

    def orders(self) -> tuple[Order, ...]:
        """Return what is open in the end: a purchase, and a sale of what is there."""
        found = [self._order("AAPL", 2 * UNIT, is_buy=True)]
        symbol = self._stock()
        if symbol is not None:
            half = self.held[symbol] // 2 // NANO * NANO
            found.append(self._order(symbol, half, is_buy=False))
        return tuple(found)

    def _order(self, symbol: str, quantity: int, *, is_buy: bool) -> Order:
        value = price(self._seed, symbol, self._at)
        return Order(id=self._name(), symbol=symbol, is_buy=is_buy, quantity=quantity, price=value)

    def _some(self) -> int:
        return self.held[DOLLAR] // UNIT // self.chance.randint(20, 60) * UNIT

    def _stock(self) -> str | None:
        held = [symbol for symbol in STOCKS if self.held.get(symbol, 0) > UNIT // 10]
        return self.chance.choice(held) if held else None

    def _name(self) -> str:
        return name_of(f"{self.chance.getrandbits(128):032x}")

    def _execution(self, piece: _Piece) -> None:
        base, _, quote = piece.symbol.partition("/")
        sign, left = (1 if piece.is_buy else -1), piece.whole - piece.done
        cost = times(piece.quantity, piece.price)
        moves = ((base, sign * piece.quantity), (quote or DOLLAR, -sign * cost))
        told = {
            "activity_type": "FILL",
            "transaction_time": _written(self._at),
            "type": "partial_fill" if left else "fill",
            "price": text(piece.price),
            "qty": text(piece.quantity),
            "side": "buy" if piece.is_buy else "sell",
            "symbol": piece.symbol,
            "leaves_qty": text(left),
            "order_id": piece.order,
            "cum_qty": text(piece.done),
            "order_status": "partially_filled" if left else "filled",
        }
        moment = datetime.fromtimestamp(self._at // SECOND, UTC)
        behind = 4 if moment.month in _SUMMER else 5
        local = datetime.fromtimestamp((self._at - behind * HOUR) // SECOND, UTC)
        stamp = f"{local:%Y%m%d%H%M%S}{self._at % SECOND // 1_000_000:03d}"
        self._add(f"{stamp}::{self._name()}", self._at, self._at, told, moves)

    def _coin_fee(self, asset: str, quantity: int, value: int, *, is_buy: bool) -> None:
        """Charge a trade of coins on what it brought, once the day is over."""
        brought = quantity if is_buy else times(quantity, value)
        fee = brought * _FEE[0] // _FEE[1] // NANO * NANO
        if not fee:
            return
        if asset == DOLLAR:
            self._dated("FEE", -fee, late=DAY)
            return
        value = price(self._seed, f"{asset}/USD", self._at)
        about = {"price": text(value), "description": "Coin Pair Transaction Fee (Non USD)"}
        self._units("CFEE", asset, -fee, about, symbol=f"{asset}USD", posted=DAY + 6 * HOUR)

    def _units(  # noqa: PLR0913 (what such a row says)
        self,
        type_: str,
        asset: str,
        units: int,
        about: Mapping[str, str],
        *,
        symbol: str = "",
        posted: int = _OPENS,
    ) -> None:
        told = {"symbol": symbol or asset, "qty": text(units), "net_amount": "0", **about}
        self._day_row(type_, told, ((asset, units),), posted)

    def _dated(  # noqa: PLR0913 (the same)
        self,
        type_: str,
        units: int,
        about: Mapping[str, str] = {},
        *,
        late: int = 0,
        settles: int = 0,
        cancels: int = 0,
    ) -> None:
        """Let money move, told with its day alone."""
        told = {"net_amount": text(units), **about}
        self._day_row(
            type_, told, ((DOLLAR, units),), _OPENS + late, settles=settles, cancels=cancels
        )

    def _day_row(  # noqa: PLR0913 (the same)
        self,
        type_: str,
        told: Mapping[str, str],
        moves: tuple[tuple[str, int], ...],
        posted: int,
        *,
        settles: int = 0,
        cancels: int = 0,
    ) -> None:
        day = self.today
        told = {"activity_type": type_, "date": day_of(day), "description": "", **told}
        name = f"{day_of(day).replace('-', '')}000000000::{self._name()}"
        self._add(name, day, day + posted, told, moves, settles=settles, cancels=cancels)

    def _add(  # noqa: PLR0913 (the same)
        self,
        name: str,
        at: int,
        posted: int,
        told: Mapping[str, str],
        moves: tuple[tuple[str, int], ...],
        *,
        settles: int = 0,
        cancels: int = 0,
    ) -> None:
        settled, canceled = posted + settles, posted + cancels if cancels else _FOREVER
        row = Row(
            id=name,
            at=at,
            posted=posted,
            told={"id": name, **told},
            moves=moves,
            settled=settled,
            canceled=canceled,
        )
        self.rows.append(row)
        if not cancels:
            for asset, units in moves:
                self.held[asset] = self.held.get(asset, 0) + units


_DEEDS: Final[tuple[tuple[Callable[[_Life], None], int], ...]] = (
    (_Life.trade, 60),
    (_Life.deposit, 6),
    (_Life.withdrawal, 3),
    (_Life.slow_withdrawal, 2),
    (_Life.failed_withdrawal, 2),
    (_Life.dividend, 6),
    (_Life.interest, 3),
    (_Life.promotion, 1),
    (_Life.journal, 1),
    (_Life.shares_in, 2),
    (_Life.split, 1),
    (_Life.unheard_of, 1),
)


def _written(at: int) -> str:
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    fraction = f".{at % SECOND:09d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
