"""What the fake venue knows at a moment: the account as far as it has happened, and the market.

What may be seen is what happened up to `seen`: the clock, or `until` where a test holds it back.
Balances come from what happened, histories from what the ledger tells; they differ only where a
difference was planted.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from bursar.ports import Clock
from bursar.sim.kraken.account import Account
from bursar.sim.kraken.history import History, Window
from bursar.sim.kraken.keys import Key
from bursar.sim.kraken.life import atoms
from bursar.sim.kraken.listing import coins, pairs, ten
from bursar.sim.kraken.rows import Order, Row, Trade

_FOREVER: Final = 2**63 - 1


class Filled(NamedTuple):
    """How far an order has been filled: in volume, cost and fee, by which trades."""

    volume: int
    cost: int
    fee: int
    trades: tuple[Trade, ...]


class House:
    """The venue's own view of one account. `forgets_before` (ns) is where its history begins."""

    def __init__(self, account: Account, clock: Clock, until: int | None = None) -> None:
        self.account = account
        self.clock = clock
        self.until = until
        self.forgets_before = 0
        self.market = account.market
        self.ledger: History[Row] = History(account.ledger, lambda row: row.time)
        self.trades: History[Trade] = History(account.history, lambda each: each.time)
        self.merged: History[Trade] = History(_merged(account.history), lambda each: each.time)
        closed = sorted(
            (order for order in account.orders if order.closed is not None), key=_closed_at
        )
        self.closed: History[Order] = History(closed, _closed_at)
        opened = sorted(account.orders, key=lambda order: order.opened)
        self.opened: History[Order] = History(opened, lambda order: order.opened)
        self._chains = _chains(account.rows)
        self._trade = {each.id: each for each in account.trades}
        self._ended = {each.position: each.time for each in account.trades if each.position}

    @property
    def now(self) -> int:
        """The venue's clock."""
        return self.clock.now()

    @property
    def seen(self) -> int:
        """Up to when things have happened."""
        return self.now if self.until is None else self.until

    def window(self, key: Key) -> Window:
        """Return what a key may see."""
        after = max(self.forgets_before, key.query_from) - 1
        return Window(after, min(self.seen, key.query_to or _FOREVER))

    def arrive(self, count: int) -> None:
        """Let what happens at the next `count` instants have happened."""
        rows, reached = self.account.rows, self.seen
        for _ in range(count):
            place = bisect_right(rows, reached, key=lambda row: row.time)
            if place < len(rows):
                reached = rows[place].time
        self.until = reached

    def balances(self) -> dict[str, int]:
        """Return what is there of every code that ever was."""
        found = {}
        for code, (times, balances) in self._chains.items():
            place = bisect_right(times, self.seen)
            if place:
                found[code] = balances[place - 1] + self.account.extra.get(code, 0)
        for code, amount in self.account.extra.items():
            found.setdefault(code, amount)
        return found

    def holds(self) -> dict[str, int]:
        """Return what open orders have set aside."""
        found: dict[str, int] = {}
        for order in self.open_orders():
            pair = pairs()[order.pair]
            left = order.volume - self.filled(order).volume
            side = pair.quote if order.is_buy else pair.base
            amount = (
                atoms(side, left * order.price, pair.lot_decimals + pair.price_decimals)
                if order.is_buy
                else atoms(side, left, pair.lot_decimals)
            )
            found[side.code] = found.get(side.code, 0) + amount
        held = self.balances()
        return {code: min(amount, held.get(code, 0)) for code, amount in found.items()}

    def open_orders(self) -> list[Order]:
        """Return the orders that are open, newest first."""
        visible = self.opened.visible(Window(-1, self.seen))
        return [order for order in visible if order.closed is None or order.closed > self.seen][
            ::-1
        ]

    def filled(self, order: Order) -> Filled:
        """Tell how far an order has been filled."""
        every = (self._trade[name] for name in order.trades)
        done = tuple(each for each in every if each.time <= self.seen)
        return Filled(
            sum(each.volume for each in done),
            sum(each.cost for each in done),
            sum(each.fee for each in done),
            done,
        )

    def open_positions(self) -> list[Trade]:
        """Return the trades whose positions are open now."""
        past = (each for each in self.account.trades if each.opens and each.time <= self.seen)
        return [each for each in past if self.position_status(each) == "open"]

    def position_status(self, opened: Trade) -> str:
        """Tell whether the position that a trade opened is open now."""
        return "open" if self._ended.get(opened.id, _FOREVER) > self.seen else "closed"

    def worth(self, amounts: Mapping[str, int], code: str) -> int:
        """Return what amounts are worth in a code, to four decimals, where they have a price."""
        now = self.now
        by = self.market.worth(coins()[code], now)
        total = 0
        for each, amount in amounts.items():
            coin = coins()[each]
            total += amount * self.market.worth(coin, now) * 10**4 // ten(coin.decimals)
        return total // by if by else 0


def _closed_at(order: Order) -> int:
    return order.closed or 0


def _chains(rows: Iterable[Row]) -> dict[str, tuple[list[int], list[int]]]:
    found: dict[str, tuple[list[int], list[int]]] = {}
    for row in rows:
        times, balances = found.setdefault(row.code, ([], []))
        times.append(row.time)
        balances.append(row.balance)
    return found


def _merged(trades: Iterable[Trade]) -> list[Trade]:
    """Join the taker fills of one order at one instant into the first of them."""
    found: list[Trade] = []
    for each in trades:
        last = found[-1] if found else None
        if (
            last is not None
            and not each.is_maker
            and (last.order, last.time) == (each.order, each.time)
        ):
            found[-1] = last._replace(
                cost=last.cost + each.cost,
                fee=last.fee + each.fee,
                volume=last.volume + each.volume,
                rows=(*last.rows, *each.rows),
                paid=last.paid + each.paid,
            )
        else:
            found.append(each)
    return found
