"""A life in the making: the clock, the balances and the names of an account while it is invented.

Every deed posts its rows here, and a row's balance is the balance before, plus amount, less fee.
The clock only goes forward, so rows stand in the order in which they happened; what a deed leaves
for later (the reversal of a failed withdrawal, the second leg of a move) waits in a queue.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from bursar.sim.chance import Streams, hits
from bursar.sim.kraken.listing import Coin, Pair, coins, ten
from bursar.sim.kraken.market import SECOND, Market
from bursar.sim.kraken.rows import Flow, Order, Passage, Row, Trade

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_NAMES: Final = 36**16
_STRIDE: Final = (
    3_141_592_653_589_793_238_462_641  # odd and no multiple of 3: every name comes once
)
_FINE: Final = 100  # ns: seven decimals of a second
_COARSE: Final = 100_000  # four

Later = Callable[["Life"], None]


class Life:
    """One account, up to now."""

    def __init__(self, seed: int, market: Market, start: int) -> None:
        streams = Streams(seed)
        self.chance = streams.named("kraken", "life")
        self.market = market
        self.now = start
        self.balances: dict[str, int] = {}
        self.futures: dict[str, int] = {}
        self.rows: list[Row] = []
        self.trades: list[Trade] = []
        self.orders: list[Order] = []
        self.positions: dict[str, int] = {}  # how many are open of a pair; below zero: short ones
        self.passages: list[Passage] = []
        self.adjusted_on = -1
        self._later: list[tuple[int, int, Later]] = []
        self._offset = streams.named("kraken", "names").randrange(_NAMES)
        self._named = 0
        self._left = 0

    def held(self, code: str) -> int:
        """Return how much of a code there is."""
        return self.balances.get(code, 0)

    def post(  # noqa: PLR0913, PLR0917 (the columns of a row)
        self,
        flow: Flow,
        kind: str,
        refid: str,
        code: str,
        amount: int,
        fee: int = 0,
    ) -> Row:
        """Write a row now. `kind` is the venue's type, with its subtype after a slash."""
        type_, _, subtype = kind.partition("/")
        balance = self.balances.get(code, 0) + amount - fee
        assert balance >= 0, f"{code} would be {balance}"
        self.balances[code] = balance
        row = Row(self.name("L"), refid, self.now, type_, subtype, code, amount, fee, balance, flow)
        self.rows.append(row)
        return row

    def name(self, letter: str) -> str:
        """Return a name that nothing else has, as the venue makes them: `LABCDE-FGHIJ-KLMNOP`."""
        self._named += 1
        number = (self._offset + self._named * _STRIDE) % _NAMES
        digits = []
        for _ in range(15):
            number, digit = divmod(number, 36)
            digits.append(_DIGITS[digit])
        said = "".join(digits)
        return f"{letter}{said[:5]}-{said[5:10]}-{said[10:15]}{_DIGITS[number]}"

    def reference(self) -> str:
        """Return a reference as deposits and withdrawals bear it: mixed case, or the old form."""
        if hits(self.chance, 0.2):
            return self.name("QA"[self._named % 2])
        return "FT" + "".join(self.chance.choices(_LETTERS, k=5)) + "-" + self.name("")

    def wait(self, nanoseconds: int) -> None:
        """Let time pass, to four decimals of a second, now and then to seven."""
        step = _FINE if hits(self.chance, 0.2) else _COARSE
        self.now += -(-nanoseconds // step) * step

    def later(self, nanoseconds: int, deed: Later) -> None:
        """Let something happen by itself, some time from now."""
        due = self.now + -(-nanoseconds // _COARSE) * _COARSE
        self._left += 1
        heappush(self._later, (due, self._left, deed))

    def catch_up(self, until: int) -> None:
        """Do what was left for later and is due before an instant."""
        while self._later and self._later[0][0] < until:
            due, _, deed = heappop(self._later)
            self.now = max(self.now, due)
            deed(self)

    @property
    def waiting(self) -> bool:
        """Whether something is still to happen by itself."""
        return bool(self._later)

    def price(self, pair: Pair) -> int:
        """Return a pair's price now."""
        return self.market.price(pair, self.now)

    def buys(self, code: str, dollars: int) -> int:
        """Return how many atoms of a code some dollars buy now; of an unpriced one, a few coins."""
        coin = coins()[code]
        worth = self.market.worth(coin, self.now)
        if not worth:
            return dollars * ten(coin.decimals) // 50
        return dollars * 10**12 * ten(coin.decimals) // worth

    def some(self, code: str, least: int, most: int) -> int:
        """Return between `least` and `most` per mille of what is held of a code, roundly now and
        then.
        """
        amount = self.held(code) * self.chance.randint(least, most) // 1000
        return rounded(coins()[code], amount) if hits(self.chance, 0.5) else amount

    def second(self, seconds: float) -> int:
        """Return some seconds as nanoseconds, by chance between a half and one and a half of it."""
        return int(seconds * SECOND * (0.5 + self.chance.random()))


def rounded(coin: Coin, amount: int) -> int:
    """Cut an amount to two decimals, where something is left of it."""
    step = ten(max(coin.decimals - 2, 0))
    return amount // step * step or amount


def atoms(coin: Coin, amount: int, decimals: int) -> int:
    """Bring an amount of so many decimals to a coin's own, half to even."""
    if decimals <= coin.decimals:
        return amount * ten(coin.decimals - decimals)
    return halved_even(amount, ten(decimals - coin.decimals))


def halved_even(number: int, by: int) -> int:
    """Divide and round half to even."""
    whole, rest = divmod(number, by)
    if 2 * rest > by or (2 * rest == by and whole % 2):
        return whole + 1
    return whole
