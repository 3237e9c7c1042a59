"""An invented account: everything that ever happened in it, from one seed, and what that comes to.

    account = invent(7, 5_000)
    account.rows, account.trades, account.orders
    truth(account).balances["XXBT"]

The same seed and size are the same bytes, whatever the process. Every kind of deed happens at least
once where the size leaves room. `truth` adds up in fractions what was meant, and shares nothing
with the running balances, so a test may hold either against the other.

Errors: `BadChoice` for a size outside 100 to 200,000 rows.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.sim.chance import hits
from bursar.sim.kraken import earning, funding, margin, swapping, trading
from bursar.sim.kraken.life import Life
from bursar.sim.kraken.listing import coins, ten
from bursar.sim.kraken.market import DAY, SECOND, Market
from bursar.sim.kraken.rows import Flow, Order, Passage, Row, Trade

ROWS_MIN: Final = 100
ROWS_MAX: Final = 200_000
START: Final = 1_672_617_600 * SECOND
"""When accounts begin: 2023-01-02, midnight."""

Deed = Callable[[Life], bool]
_DEEDS: Final[tuple[tuple[Deed, int], ...]] = (
    (trading.trade, 700),
    (trading.unfilled, 40),
    (trading.crumb, 6),
    (funding.deposit, 50),
    (funding.withdrawal, 16),
    (funding.failed_withdrawal, 6),
    (funding.never_arrived, 3),
    (funding.futures, 6),
    (earning.stake, 14),
    (earning.unstake, 9),
    (earning.staking_reward, 20),
    (earning.sweep, 3),
    (earning.allocate, 14),
    (earning.deallocate, 10),
    (earning.earn_reward, 30),
    (earning.migrate, 3),
    (earning.airdrop, 6),
    (earning.dividend, 6),
    (earning.bonus, 2),
    (earning.credit, 3),
    (swapping.swap, 30),
    (swapping.swap_even, 5),
    (swapping.sweep_dust, 5),
    (swapping.delist, 4),
    (swapping.strange, 5),
    (swapping.removal, 2),
)
_ON_MARGIN: Final[tuple[tuple[Deed, int], ...]] = (
    (margin.position, 40),
    (margin.settle, 5),
    (margin.liquidate, 3),
    (margin.collateral, 5),
)
_STORM: Final = (trading.storm, 2)
_STORM_LEAST: Final = 1_000  # rows from which on a storm does not fill the account alone
_YEARS: Final = 3
_AT_ONCE, _SAME_SECOND = 0.05, 0.25  # how much of all comes so soon after what was before


class Account(msgspec.Struct, frozen=True):
    """One account. `rows` are what happened; `shown` is what its ledger tells
    in its place.

    The same holds of `trades` and `shown_trades`. `extra` is what balances tell beside the rows.
    """

    seed: int
    rows: Sequence[Row]
    trades: Sequence[Trade]
    orders: Sequence[Order]
    passages: Sequence[Passage]
    shown: Sequence[Row] | None = None
    shown_trades: Sequence[Trade] | None = None
    extra: dict[str, int] = {}
    shift: int = 0

    @property
    def ledger(self) -> Sequence[Row]:
        """What the ledger tells."""
        return self.rows if self.shown is None else self.shown

    @property
    def history(self) -> Sequence[Trade]:
        """What the trade history tells."""
        return self.trades if self.shown_trades is None else self.shown_trades

    @property
    def market(self) -> Market:
        """The market in which it traded."""
        return Market(self.seed, self.shift)

    @property
    def end(self) -> int:
        """The next whole second after everything."""
        times = [self.rows[-1].time, *(order.opened for order in self.orders[-9:])]
        return max(times) // SECOND * SECOND + SECOND


class Truth(msgspec.Struct, frozen=True):
    """What an account comes to: final balance by code, sums by flow and code, trades by id.

    Numbers are whole coins. `flows` and `fees` are sums of amounts and of fees; `fills` holds what
    was bought (signed), what was paid for it (signed), and the fee taken, by pair and trade.
    """

    balances: dict[str, Fraction]
    flows: dict[tuple[Flow, str], Fraction]
    fees: dict[tuple[Flow, str], Fraction]
    trades: tuple[str, ...]
    strategies: dict[str, str]


def invent(seed: int, size: int, *, on_margin: bool = False, start: int = START) -> Account:
    """Invent an account of at least `size` ledger rows (a few more, so that nothing is cut off).

    Raises:
        BadChoice: a size outside 100 to 200,000.
    """
    if not ROWS_MIN <= size <= ROWS_MAX:
        raise BadChoice(f"an account has {ROWS_MIN} to {ROWS_MAX:,} rows, not {size:,}")
    life = Life(seed, Market(seed), start)
    deeds = _DEEDS + (_ON_MARGIN if on_margin else ())
    if size >= _STORM_LEAST:
        deeds += (_STORM,)
    funding.begin(life)
    pace = _YEARS * 365 * DAY // size * 2
    _live(life, deeds, size, partial(_pause, life, pace))
    trading.leave_open(life)
    return Account(
        seed=seed,
        rows=life.rows,
        trades=life.trades,
        orders=life.orders,
        passages=life.passages,
    )


def moved(account: Account, before: int) -> Account:
    """Return the same account, moved by whole days to end at most a day before an instant."""
    shift = (before - account.end) // DAY * DAY
    return msgspec.structs.replace(
        account,
        rows=[row._replace(time=row.time + shift) for row in account.rows],
        trades=[each._replace(time=each.time + shift) for each in account.trades],
        orders=[
            each._replace(
                opened=each.opened + shift,
                closed=None if each.closed is None else each.closed + shift,
            )
            for each in account.orders
        ],
        passages=[each._replace(time=each.time + shift) for each in account.passages],
        shift=account.shift + shift,
    )


def truth(account: Account, until: int | None = None) -> Truth:
    """Add up what happened in an account up to an instant, or all of it."""
    beyond = (
        len(account.rows)
        if until is None
        else bisect_right(account.rows, until, key=lambda row: row.time)
    )
    balances: dict[str, Fraction] = {}
    flows: dict[tuple[Flow, str], Fraction] = {}
    fees: dict[tuple[Flow, str], Fraction] = {}
    sums: dict[tuple[Flow, str], list[int]] = {}
    for row in account.rows[:beyond]:
        both = sums.setdefault((row.flow, row.code), [0, 0])
        both[0] += row.amount
        both[1] += row.fee
    for (flow, code), (amount, fee) in sums.items():
        unit = ten(coins()[code].decimals)
        flows[flow, code], fees[flow, code] = Fraction(amount, unit), Fraction(fee, unit)
        balances[code] = balances.get(code, Fraction(0)) + Fraction(amount - fee, unit)
    known = [each.id for each in account.trades if until is None or each.time <= until]
    strategies = {trade: order.strategy for order in account.orders for trade in order.trades}
    return Truth(balances, flows, fees, tuple(known), strategies)


def _live(
    life: Life, deeds: Sequence[tuple[Deed, int]], size: int, pause: Callable[[], None]
) -> None:
    """Do every deed once, the rare ones in the end, then go on by chance until it is enough."""
    waiting = [deed for deed, _ in deeds]
    life.chance.shuffle(waiting)
    often = [weight for _, weight in deeds]
    chosen = [deed for deed, _ in deeds]
    while len(life.rows) < size or life.waiting:
        pause()
        if len(life.rows) >= size:
            continue
        if waiting and hits(life.chance, 0.5):
            deed = waiting.pop()
            if not deed(life):
                waiting.insert(0, deed)
        else:
            life.chance.choices(chosen, weights=often)[0](life)


def _pause(life: Life, pace: int) -> None:
    """Let time pass between two deeds; some come in the same second, some at the same instant."""
    way = life.chance.random()
    before = life.now
    if way > _SAME_SECOND:
        life.wait(int(pace * life.chance.random()))
    elif way > _AT_ONCE:
        life.wait(life.chance.randrange(SECOND // 2))
    life.now, until = before, life.now
    life.catch_up(until)
    life.now = max(life.now, until)
