"""The past: four months of a made-up account, written as facts into a real book.

Every day: what was traded, deposited, earned; how it closed. Every few days capital is divided
anew by `portfolio.allocating`, so a strategy that stops earning is seen to lose its allocation.

Errors: what the desk raises, which would be our own mistake.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from bursar.capital.deciding import Own, Rules
from bursar.desk import Desk
from bursar.ledger import golden, instant
from bursar.ledger.entries import AnyEntry
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.portfolio import Portfolio, allocating
from bursar.portfolio.service import PortfolioService
from bursar.ports import Progress, Reading
from bursar.sim.show.market import COINS, QUOTE, Market
from bursar.sim.show.players import NAMES, Order, Players
from bursar.sim.show.venue import Venue
from bursar.store import open_store
from bursar.value.marks import Mark

DAYS: Final = 126
ACCOUNT: Final = f"{FactSource.EVENTS.value}:demo"
DIVIDED_EVERY: Final = 6
RULES: Final = Rules(strategies={name: Own() for name in NAMES})
_MINUTE: Final = 60 * instant.SECOND
_HOUR: Final = 60 * _MINUTE
_HOURS: Final = 24
_GRID_LIVES: Final = 96
_DEPOSITS: Final = (35, 90)
_WITHDRAWAL: Final = 62
_BUYS, _SALE = (12, 48, 101), 70
_WEEK: Final = 7
_STAKED: Final = Decimal("0.0125")
_SOMETIME: Final = "2026-01-01T00:00:00Z"


class Shape(msgspec.Struct, frozen=True):
    """Which world it is, how much money it begins with, and how many days of it are past."""

    seed: int = 7
    size: Decimal = Decimal(250_000)
    days: int = DAYS


class Calendar:
    """A clock that stands where it is put."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        """Return where it stands."""
        return self.at

    def wait(self, milliseconds: int) -> None:
        """Let that much time pass, at once."""
        self.at += milliseconds * 1_000_000


class Scene(msgspec.Struct):
    """What the present goes on with."""

    market: Market
    players: Players
    venue: Venue
    shape: Shape


def prepare(place: Path, shape: Shape, *, now: int) -> Scene:
    """Write the past up to `now` into a new book, and return what goes on from there."""
    first = now // instant.DAY * instant.DAY - shape.days * instant.DAY
    clock = Calendar(first)
    market, players = Market(shape.seed), Players(shape.seed, dies_on=_GRID_LIVES)
    venue = Venue(ACCOUNT)
    terms = Terms(base=QUOTE, accounts=(Account(ACCOUNT, FactSource.EVENTS),))
    store = open_store(str(place), "demo", terms=terms)
    portfolio = Portfolio(Desk(store, clock, wait=clock.wait), _unread)
    with portfolio:
        service = PortfolioService(portfolio)
        for day in range(shape.days):
            start = first + day * instant.DAY
            market.move(1)
            lines = [*_flows(day, shape.size, market), *_trades(day, players, market)]
            clock.at = start + 20 * _HOUR
            portfolio.record(*venue.take(_read(lines, start)), *venue.told())
            _see(portfolio, market)
            if day % DIVIDED_EVERY == 1:
                divide(portfolio, players, market)
            clock.at = start + instant.DAY - instant.SECOND
            _see(portfolio, market)
            service.create_snapshot()
        _today(service, clock, market, now)
    return Scene(market, players, venue, shape)


def divide(portfolio: Portfolio, players: Players, market: Market) -> None:
    """Divide capital among the strategies, and let each know what it has."""
    asked = allocating.Asked(regime=market.regime)
    proposal = allocating.propose(portfolio, RULES, asked=asked)
    allocating.apply(portfolio, proposal)
    standing = {each.strategy: each.equity for each in proposal.strategies}
    for move in proposal.plan.moves if proposal.plan.is_due else ():
        for name, amount in ((move.from_strategy, -move.amount), (move.to_strategy, move.amount)):
            standing[name] = standing.get(name, Decimal(0)) + amount
    players.capital = {name: max(standing.get(name, Decimal(0)), Decimal(0)) for name in NAMES}


def quoted(market: Market, at: int, *, but: str = "") -> list[Mark]:
    """Return what the market says of every coin, save one."""
    return [
        Mark(coin.name, QUOTE, market.price(coin.name), "demo", at)
        for coin in COINS
        if coin.name != but
    ]


def _today(service: PortfolioService, clock: Calendar, market: Market, now: int) -> None:
    """Let the hours of this day pass; of one coin nobody has said anything for a while."""
    portfolio, start = service.portfolio, now // instant.DAY * instant.DAY
    for part in range(_HOURS):
        clock.at = start + (now - start) * (part + 1) // (_HOURS + 1)
        market.move(1 / (2 * _HOURS))
        _see(portfolio, market)
        service.create_snapshot()
    clock.at = now
    portfolio.keep_marks(quoted(market, now, but="LINK"), "demo")
    old = Mark("LINK", QUOTE, market.price("LINK"), "demo", now - 20 * _MINUTE)
    portfolio.keep_marks([old], "demo-slow")


def _see(portfolio: Portfolio, market: Market) -> None:
    portfolio.see(quoted(market, portfolio.desk.clock.now()))


def _read(lines: list[str], start: int) -> Iterator[AnyEntry]:
    told = []
    for line in sorted(lines):
        hour, rest = line.split(" ", 1)
        told.append(f"{instant.show(start + int(hour) * _HOUR)} {rest}")
    return iter(list(golden.read(told)))


def _flows(day: int, size: Decimal, market: Market) -> Iterator[str]:
    """Return what moved beside trades: capital, staking, and what the person does by hand."""
    mark, eth = f"#{ACCOUNT}:d{day}", market.price("ETH")
    if day == 0:
        yield f"08 deposit {size} USD {mark}capital"
        yield _by_hand("09 buy", "BNB", float(size) / 20, market, f"{mark}bnb")
        yield _by_hand("09 buy", "ETH", float(size) / 20, market, f"{mark}eth")
    if day in _DEPOSITS:
        yield f"11 deposit {size / 10:.2f} USD {mark}in"
    if day == _WITHDRAWAL:
        yield f"11 withdrawal {size / 20:.2f} USD {mark}out"
    if day % _WEEK == _WEEK - 1:
        yield f"06 reward {_STAKED} ETH {mark}stake value={eth * _STAKED}"
    if day in _BUYS:
        yield _by_hand("13 buy", "LINK", float(size) / 50, market, f"{mark}hand")
    if day == _SALE:
        yield _by_hand("13 sell", "LINK", float(size) / 80, market, f"{mark}hand")


def _by_hand(deed: str, coin: str, worth: float, market: Market, mark: str) -> str:
    quantity, price = market.units(coin, worth), market.price(coin)
    return f"{deed} {quantity} {coin} @ {price} {QUOTE} fee 4 {QUOTE} {mark}"


def _trades(day: int, players: Players, market: Market) -> Iterator[str]:
    for number, order in enumerate(players.day(market)):
        yield _line(order, f"#{ACCOUNT}:d{day}t{number}", market)


def _line(order: Order, mark: str, market: Market) -> str:
    rate = ""
    if order.fee_asset != QUOTE:
        rate = f" rate={order.fee_asset}|{QUOTE}|{market.price(order.fee_asset)}|demo|{_SOMETIME}"
    return (
        f"{order.hour:02} {order.side} {order.quantity} {order.coin} @ {order.price} {QUOTE}"
        f" fee {order.fee} {order.fee_asset} {mark} strategy={order.strategy}"
        f" regime={market.regime}{rate}"
    )


def _unread(
    path: Path,
    account: str | None,
    progress: Progress | None,
) -> Reading:
    raise NotImplementedError(f"no file is read here, {path} neither")
