"""An invented account at Binance: everything that happened in it, from one seed, and what it left.

    account = invent(7, 300)
    truth(account, at)["BTC"]            # a Fraction, added up from what was meant

A row stands in the list of a path, or among the trades of a market. One that is under way says so
until it is `settled`; a withdrawal takes its coins out of the wallet at once. `truth` adds up what
rows moved, and reads none of their texts.

Errors: `BadChoice` for a size below 30.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.sim.binance.market import (
    DAY,
    HOUR,
    MARKETS,
    SECOND,
    STEP,
    UNIT,
    price,
    text,
    times,
)
from bursar.sim.chance import Streams, hits

ROWS_MIN: Final = 30
START: Final = 1_735_776_000 * SECOND
"""When accounts begin, unless it is said: 2025-01-02, midnight."""

MS: Final = SECOND // 1_000
SPOT: Final = "spot"
FUNDING: Final = "funding"
EARN: Final = "earn"
FUTURES: Final = "futures"
TRADES: Final = "/api/v3/myTrades"
DEPOSITS: Final = "/sapi/v1/capital/deposit/hisrec"
WITHDRAWALS: Final = "/sapi/v1/capital/withdraw/history"
CONVERSIONS: Final = "/sapi/v1/convert/tradeFlow"
DUST: Final = "/sapi/v1/asset/dribblet"
DIVIDENDS: Final = "/sapi/v1/asset/assetDividend"
TRANSFERS: Final = "/sapi/v1/asset/transfer"
INCOME: Final = "/fapi/v1/income"
FUTURES_TRADES: Final = "/fapi/v1/userTrades"
FLEXIBLE: Final = "/sapi/v1/simple-earn/flexible/history"
LOCKED: Final = "/sapi/v1/simple-earn/locked/history"
_DOLLAR: Final = "USDT"
_LIVELY: Final = ("BTCUSDT", "BNBUSDT", "ETHUSDT", "SOLUSDT", "MATICUSDT", "SOLBNB")
_ZEROES: Final = "0" * 32
_BUYS: Final = 0.6

Moves = tuple[tuple[str, str, int], ...]
Told = dict[str, object]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row: where it stands, what it says, and what it `moves`: wallet, asset, units.

    Before it is `settled` it says `before` instead, and has only moved what it `takes`.
    """

    path: str
    at: int
    told: Mapping[str, object]
    moves: Moves = ()
    settled: int = 0
    before: Mapping[str, object] = {}
    takes: Moves = ()
    symbol: str = ""

    @property
    def id(self) -> str:
        """What tells it from all others."""
        return f"{self.path}/{self.symbol}/{self.at}/{sorted(map(str, self.told.items()))}"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account. Of its `rows` the `hidden` are not told, and `extra` lies there besides.

    `orders` is what open orders hold of each asset, `rights` what its key may do besides looking.
    What is `stated` is what the venue says of a wallet, whatever rows moved. Without `has_futures`
    its key may not see the futures wallet.
    """

    seed: int
    rows: tuple[Row, ...]
    orders: Mapping[str, int] = {}
    hidden: frozenset[str] = frozenset()
    extra: Mapping[str, int] = {}
    rights: frozenset[str] = frozenset()
    stated: Mapping[str, object] | None = None
    stated_futures: Mapping[str, object] | None = None
    stated_positions: Sequence[object] | None = None
    has_futures: bool = True

    @property
    def end(self) -> int:
        """When everything has happened and is settled."""
        return max(max(row.at, row.settled) for row in self.rows) + DAY


def invent(seed: int, size: int, *, start: int = START) -> Account:
    """Invent an account of so many rows, or a few more, that begins on a day."""
    if size < ROWS_MIN:
        raise BadChoice(f"{size} rows; an account has {ROWS_MIN} or more")
    life = _Life(seed, start)
    life.deposit()
    for deed, _ in _DEEDS:  # each at least once
        life.trade()
        deed(life)
    deeds, weights = [deed for deed, _ in _DEEDS], [weight for _, weight in _DEEDS]
    while len(life.rows) < size:
        (deed,) = life.chance.choices(deeds, weights)
        deed(life)
    return Account(seed=seed, rows=tuple(life.rows), orders={_DOLLAR: 25 * UNIT})


def truth(account: Account, at: int) -> dict[str, Fraction]:
    """Return what the owner has of each asset at an instant, what a difference added included."""
    sums: dict[str, int] = dict(account.extra)
    for row in account.rows:
        if max(row.at, row.settled) <= at:
            for _, asset, amount in row.moves:
                sums[asset] = sums.get(asset, 0) + amount
    return {asset: Fraction(total, UNIT) for asset, total in sums.items() if total}


class _Life:
    """An account while it is being lived. `held` is what lies in the spot wallet."""

    def __init__(self, seed: int, start: int) -> None:
        self.chance = Streams(seed).named("binance")
        self.rows: list[Row] = []
        self.held: dict[str, int] = {}
        self._seed = seed
        self._at = start + 9 * HOUR
        self._number = dict.fromkeys(MARKETS, 9_000)
        self._order = 900_000
        self._income = 9_689_322_390
        self._positions: dict[tuple[str, str], tuple[int, int]] = {}
        self._is_hedged = seed % 2 == 0

    def rest(self) -> None:
        """Let time pass, often within a second."""
        self._at += self.chance.choice((MS, 7 * MS, 400 * MS, 2 * SECOND, HOUR, 7 * HOUR, DAY))

    def trade(self) -> None:
        """Buy or sell, in one piece or in several alike at the same instant."""
        self.rest()
        symbol = self.chance.choice(_LIVELY)
        base, quote, _ = MARKETS[symbol]
        value = price(self._seed, symbol, self._at)
        affordable = self.held.get(quote, 0) * UNIT // (value * 10)
        sellable = self.held.get(base, 0) // 3
        is_buy = hits(self.chance, _BUYS) and affordable > 10 * STEP
        most = affordable if is_buy else sellable
        pieces = self.chance.choice((1, 1, 2, 3))
        quantity = self.chance.randint(0, max(most, 0)) // pieces // STEP * STEP
        if quantity <= 0:
            return
        self._order += 1
        for _ in range(pieces):
            self._execution(symbol, quantity, value, is_buy=is_buy)

    def deposit(self) -> None:
        self.rest()
        units = self.chance.randint(500, 9_000) * UNIT
        self._deposited(_DOLLAR, units, settles=0)

    def slow_deposit(self) -> None:
        self.rest()
        self._deposited("BTC", self.chance.randint(1, 900) * UNIT // 10_000, settles=2 * HOUR)

    def withdrawal(self) -> None:
        self._withdrawn(6, settles=0)

    def slow_withdrawal(self) -> None:
        self._withdrawn(6, settles=3 * HOUR)

    def failed_withdrawal(self) -> None:
        self._withdrawn(5, settles=5 * HOUR)

    def conversion(self) -> None:
        self.rest()
        given = self._some(_DOLLAR)
        taken = given * UNIT // price(self._seed, "ETHUSDT", self._at)
        said = self._convert("SUCCESS", given, taken)
        moves = ((SPOT, _DOLLAR, -given), (SPOT, "ETH", taken))
        self._add(Row(path=CONVERSIONS, at=self._at, told=said, moves=moves))

    def failed_conversion(self) -> None:
        self.rest()
        given = self._some(_DOLLAR)
        self._add(Row(path=CONVERSIONS, at=self._at, told=self._convert("FAIL", given, given)))

    def dust(self) -> None:
        """Sweep two remainders, which may be the same coin twice."""
        self.rest()
        details, moves = [], []
        for asset in ("BTC", "SOL"):
            units = min(self.held.get(asset, 0), self.chance.randint(1, 900))
            brought = units * 3
            if units:
                details.append(self._swept(asset, units, brought))
                moves += [(SPOT, asset, -units), (SPOT, "BNB", brought)]
        at = self._at // MS
        said: Told = {"operateTime": at, "transId": 45_000_000_000 + at % 1_000_000}
        said |= {"totalTransferedAmount": "0", "totalServiceChargeAmount": "0"}
        said |= {"userAssetDribbletDetails": details}
        if details:
            self._add(Row(path=DUST, at=self._at, told=said, moves=tuple(moves)))

    def subscription(self) -> None:
        self.rest()
        units = self._some(_DOLLAR)
        said = self._dated(_DOLLAR, units, "SUCCESS") | {"purchaseId": self._at // MS}
        said |= {"sourceAccount": "SPOT", "amtFromSpot": text(units), "amtFromFunding": "0"}
        self._earned("subscriptionRecord", said, units)

    def redemption(self) -> None:
        self.rest()
        units = self.held.get(EARN, 0) // 3
        said = self._dated(_DOLLAR, units, "PAID") | {"redeemId": self._at // MS}
        self._earned("redemptionRecord", said | {"destAccount": "SPOT"}, -units)

    def reward(self) -> None:
        self.rest()
        units, is_bonus = self.chance.randint(1, 90_000), hits(self.chance, 0.3)
        said: Told = {"asset": _DOLLAR, "rewards": text(units), "projectId": "USDT001"}
        said |= {"type": "BONUS" if is_bonus else "REALTIME", "time": self._at // MS}
        moves = ((SPOT if is_bonus else EARN, _DOLLAR, units),)
        self._add(Row(path=f"{FLEXIBLE}/rewardsRecord", at=self._at, told=said, moves=moves))

    def dividend(self) -> None:
        self.rest()
        units = self.chance.randint(1, 900_000)
        said: Told = {"id": self._at // MS, "amount": text(units), "asset": "BNB"}
        said |= {"divTime": self._at // MS, "enInfo": "HODLer Airdrops Distribution", "tranId": 1}
        self._add(Row(path=DIVIDENDS, at=self._at, told=said, moves=((SPOT, "BNB", units),)))

    def to_funding(self) -> None:
        self._moved("MAIN_FUNDING", SPOT, FUNDING, self._some(_DOLLAR))

    def from_funding(self) -> None:
        self._moved("FUNDING_MAIN", FUNDING, SPOT, self.held.get(FUNDING, 0) // 2)

    def to_futures(self) -> None:
        units = self._some(_DOLLAR)
        self._moved("MAIN_UMFUTURE", SPOT, FUTURES, units)
        if units:
            self._earning("TRANSFER", units, moves=())

    def from_futures(self) -> None:
        units = self.held.get(FUTURES, 0) // 10
        if units > 0:
            self._moved("UMFUTURE_MAIN", FUTURES, SPOT, units)
            self._earning("TRANSFER", -units, moves=())

    def contract(self) -> None:
        """Open a position where there is none, else close half of it, or all."""
        self.rest()
        symbol = self.chance.choice(("BTCUSDT", "ETHUSDT"))
        side = self.chance.choice(("LONG", "SHORT")) if self._is_hedged else "BOTH"
        held, entry = self._positions.get((symbol, side), (0, 0))
        value = price(self._seed, symbol, self._at)
        gain = 0
        if not held:
            signs = {"LONG": 1, "SHORT": -1}
            size = self.chance.randint(1, 20) * STEP * 2
            moved = signs.get(side, self.chance.choice((1, -1))) * size
            self._positions[symbol, side] = moved, value
        else:
            moved = -held if abs(held) <= 2 * STEP else -(held // STEP // 2 * STEP)
            gain = times(-moved, value - entry)
            self._positions[symbol, side] = held + moved, entry
        self._contracted(symbol, side, moved, value, gain)

    def funding(self) -> None:
        self.rest()
        open_ = [symbol for (symbol, _), (held, _) in self._positions.items() if held]
        if open_:
            units = self.chance.randint(-90_000, 90_000) or 1
            self._earning("FUNDING_FEE", units, symbol=self.chance.choice(open_))

    def _contracted(self, symbol: str, side: str, moved: int, value: int, gain: int) -> None:
        self._number[symbol] += self.chance.choice((1, 5))
        number, cost = self._number[symbol], abs(times(moved, value))
        is_maker = number % 5 == 0  # paid for by a rebate
        fee = -(cost // 5_000) if is_maker else cost // 2_500
        told: Told = {
            "buyer": moved > 0,
            "commission": text(fee),
            "commissionAsset": _DOLLAR,
            "id": number,
            "maker": is_maker,
            "orderId": number,
            "price": text(value),
            "qty": text(abs(moved)),
            "quoteQty": text(cost),
            "realizedPnl": text(gain),
            "side": "BUY" if moved > 0 else "SELL",
            "positionSide": side,
            "symbol": symbol,
            "marginAsset": _DOLLAR,
            "time": self._at // MS,
        }
        self._add(Row(path=FUTURES_TRADES, at=self._at, told=told, symbol=symbol))
        self._earning("COMMISSION", -fee, symbol=symbol, trade=str(number))
        if gain:
            self._income -= 1  # both of one trade share an id
            self._earning("REALIZED_PNL", gain, symbol=symbol, trade=str(number))

    def _earning(
        self,
        kind: str,
        units: int,
        *,
        symbol: str = "",
        trade: str = "",
        moves: Moves | None = None,
    ) -> None:
        self._income += 1
        told: Told = {"symbol": symbol, "incomeType": kind, "income": text(units)}
        told |= {"asset": _DOLLAR, "info": trade or kind, "time": self._at // MS}
        told |= {"tranId": self._income, "tradeId": trade}
        own = ((FUTURES, _DOLLAR, units),) if moves is None else moves
        self._add(Row(path=INCOME, at=self._at, told=told, moves=own))

    def _some(self, asset: str) -> int:
        return self.held.get(asset, 0) // self.chance.randint(20, 60) // STEP * STEP

    def _execution(self, symbol: str, quantity: int, value: int, *, is_buy: bool) -> None:
        base, quote, _ = MARKETS[symbol]
        sign, cost = (1 if is_buy else -1), times(quantity, value)
        brought, units = (base, quantity) if is_buy else (quote, cost)
        fee_asset, fee = brought, units // 1_000
        if base != "BNB" != quote and self.held.get("BNB", 0) > UNIT // 100:
            fee_asset, fee = "BNB", self.chance.randint(1, 900)
        is_maker = self._order % 5 == 0  # the whole order, or none of it
        fee = -fee if is_maker else fee
        self._number[symbol] += self.chance.choice((1, 1, 7, 30))
        told = {
            "symbol": symbol,
            "id": self._number[symbol],
            "orderId": self._order,
            "orderListId": -1,
            "price": text(value),
            "qty": text(quantity),
            "quoteQty": text(cost),
            "commission": text(fee),
            "commissionAsset": fee_asset,
            "time": self._at // MS,
            "isBuyer": is_buy,
            "isMaker": is_maker,
            "isBestMatch": True,
        }
        legs = ((SPOT, base, sign * quantity), (SPOT, quote, -sign * cost))
        moves = (*legs, (SPOT, fee_asset, -fee))
        self._add(Row(path=TRADES, at=self._at, told=told, moves=moves, symbol=symbol))

    def _deposited(self, asset: str, units: int, *, settles: int) -> None:
        name = 769_800_519_366_885_376 + len(self.rows)
        said: Told = {"id": str(name), "amount": text(units), "coin": asset, "network": "ETH"}
        said |= {"status": 1, "address": "0x11", "addressTag": "", "txId": f"0x{name:x}"}
        said |= {"insertTime": self._at // MS, "transferType": 0, "walletType": 0}
        row = Row(
            path=DEPOSITS,
            at=self._at,
            told=said,
            moves=((SPOT, asset, units),),
            settled=self._at + settles,
            before={"status": 0},
        )
        self._add(row)

    def _withdrawn(self, status: int, *, settles: int) -> None:
        self.rest()
        units, fee = self._some(_DOLLAR), UNIT
        at = self._at // SECOND * SECOND
        stamp = _written(at)
        said: Told = {"id": f"{len(self.rows):032x}", "amount": text(units), "coin": _DOLLAR}
        said |= {"transactionFee": text(fee), "status": status, "address": "0x12", "txId": _ZEROES}
        said |= {"applyTime": stamp, "network": "ETH", "transferType": 0, "walletType": 0}
        gone = ((SPOT, _DOLLAR, -units - fee),)
        row = Row(
            path=WITHDRAWALS,
            at=at,
            told=said,
            moves=gone if status == 6 else (),  # noqa: PLR2004 (the venue's own)
            settled=at + settles,
            before={"status": 4},
            takes=gone,
        )
        self._add(row)

    def _convert(self, status: str, given: int, taken: int) -> dict[str, object]:
        said: Told = {"quoteId": f"{self._at:032x}", "orderId": self._at, "orderStatus": status}
        said |= {"fromAsset": _DOLLAR, "fromAmount": text(given), "toAsset": "ETH"}
        said |= {"toAmount": text(taken), "ratio": "1", "inverseRatio": "1"}
        return said | {"createTime": self._at // MS}

    def _swept(self, asset: str, units: int, brought: int) -> dict[str, object]:
        said: Told = {"transId": 1, "serviceChargeAmount": "0.00000002", "amount": text(units)}
        return {
            **said,
            "operateTime": self._at // MS,
            "transferedAmount": text(brought),
            "fromAsset": asset,
        }

    def _dated(self, asset: str, units: int, status: str) -> dict[str, object]:
        said: Told = {"amount": text(units), "asset": asset, "time": self._at // MS}
        return {**said, "productId": "USDT001", "type": "NORMAL", "status": status}

    def _earned(self, kind: str, said: Mapping[str, object], units: int) -> None:
        moves = ((SPOT, _DOLLAR, -units), (EARN, _DOLLAR, units))
        if units:
            self._add(Row(path=f"{FLEXIBLE}/{kind}", at=self._at, told=said, moves=moves))

    def _moved(self, way: str, here: str, there: str, units: int) -> None:
        self.rest()
        said: Told = {"asset": _DOLLAR, "amount": text(units), "type": way, "status": "CONFIRMED"}
        said |= {"tranId": self._at // MS, "timestamp": self._at // MS}
        moves = ((here, _DOLLAR, -units), (there, _DOLLAR, units))
        if units:
            self._add(Row(path=TRANSFERS, at=self._at, told=said, moves=moves))

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        for wallet, asset, units in row.moves:
            name = asset if wallet == SPOT else wallet
            self.held[name] = self.held.get(name, 0) + units


_DEEDS: Final[tuple[tuple[Callable[[_Life], None], int], ...]] = (
    (_Life.trade, 60),
    (_Life.deposit, 5),
    (_Life.slow_deposit, 2),
    (_Life.withdrawal, 3),
    (_Life.slow_withdrawal, 2),
    (_Life.failed_withdrawal, 2),
    (_Life.conversion, 4),
    (_Life.failed_conversion, 1),
    (_Life.dust, 2),
    (_Life.subscription, 3),
    (_Life.redemption, 2),
    (_Life.reward, 6),
    (_Life.dividend, 4),
    (_Life.to_funding, 2),
    (_Life.from_funding, 2),
    (_Life.to_futures, 3),
    (_Life.contract, 12),
    (_Life.funding, 4),
    (_Life.from_futures, 1),
)


def _written(at: int) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M:%S}"
