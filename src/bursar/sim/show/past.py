"""The past: four months of a made-up account, written as facts into a real book.

Every day: what was traded, deposited, earned; how it closed. Every other week capital is divided
anew by `portfolio.allocating`, so a strategy that stops earning is seen to lose its allocation.

Errors: what the desk raises, which would be our own mistake.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from bursar.app import SystemClock, portfolio_of
from bursar.capital.deciding import Own, Rules
from bursar.ledger import golden, instant
from bursar.ledger.entries import AnyEntry
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.portfolio import Portfolio, allocating
from bursar.portfolio.service import PortfolioService
from bursar.sim.show.market import COINS, QUOTE, Market
from bursar.sim.show.players import NAMES, Order, Players
from bursar.store import open_store
from bursar.value.marks import Mark

DAYS: Final = 126
ACCOUNT: Final = f"{FactSource.EVENTS.value}:demo"
DIVIDED_EVERY: Final = 5
RULES: Final = Rules(strategies={name: Own() for name in NAMES})
_MINUTE: Final = 60 * instant.SECOND
_HOUR: Final = 60 * _MINUTE
_HOURS: Final = 24
_GRID_LIVES: Final = 96


class Shape(msgspec.Struct, frozen=True):
    """Which world it is, and how much money it begins with."""

    seed: int = 7
    size: Decimal = Decimal(250_000)


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


def prepare(place: Path, shape: Shape, *, now: int) -> Scene:
    """Write the past up to `now` into a new book, and return what goes on from there."""
    first = now // instant.DAY * instant.DAY - DAYS * instant.DAY
    clock = Calendar(first)
    market, players = Market(shape.seed), Players(shape.seed, dies_on=_GRID_LIVES)
    terms = Terms(base=QUOTE, accounts=(Account(ACCOUNT, FactSource.EVENTS),))
    portfolio = portfolio_of(open_store(str(place), "demo", terms=terms), clock)
    with portfolio:
        service = PortfolioService(portfolio)
        for day in range(DAYS):
            start = first + day * instant.DAY
            market.move(1)
            lines = [*_flows(day, shape.size, market), *_trades(day, players, market)]
            clock.at = start + 20 * _HOUR
            portfolio.record(*_read(lines, start))
            _see(portfolio, market)
            if day % DIVIDED_EVERY == 1:
                divide(portfolio, players, market)
            clock.at = start + instant.DAY - instant.SECOND
            _see(portfolio, market)
            service.create_snapshot()
        _today(service, clock, market, now)
    return Scene(market, players)


def divide(portfolio: Portfolio, players: Players, market: Market) -> None:
    """Divide capital among the strategies, and let each know what it has."""
    allocating.tell_regime(portfolio, market.regime)
    allocating.apply(portfolio, allocating.propose(portfolio, RULES))
    standing = {each.strategy: each.equity for each in allocating.strategies(portfolio)}
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
    """Return what moved beside trades: capital, staking, an airdrop, the person's own trades."""
    mark, eth = f"#{ACCOUNT}:d{day}", market.price("ETH")
    if day == 0:
        yield f"08 deposit {size} USD {mark}capital"
        yield f"09 buy {market.units('BNB', float(size) / 20)} BNB @ {market.price('BNB')} USD {mark}bnb"
        yield f"09 buy {market.units('ETH', float(size) / 20)} ETH @ {eth} USD {mark}eth"
    if day in {35, 90}:
        yield f"11 deposit {size / 10:.2f} USD {mark}in"
    if day == 62:  # noqa: PLR2004 (a day of the story)
        yield f"11 withdrawal {size / 20:.2f} USD {mark}out"
    if day % 7 == 3:  # noqa: PLR2004 (weekly)
        yield f"06 reward 0.0125 ETH {mark}stake value={eth * Decimal('0.0125')}"
    if day in {12, 48, 101}:
        link = market.price("LINK")
        yield f"13 buy {market.units('LINK', float(size) / 50)} LINK @ {link} USD fee 4 USD {mark}hand"
    if day in {70}:
        link = market.price("LINK")
        yield f"13 sell {market.units('LINK', float(size) / 80)} LINK @ {link} USD fee 4 USD {mark}hand"


def _trades(day: int, players: Players, market: Market) -> Iterator[str]:
    for number, order in enumerate(players.day(market)):
        yield _line(order, f"#{ACCOUNT}:d{day}t{number}", market)


def _line(order: Order, mark: str, market: Market) -> str:
    rate = ""
    if order.fee_asset != QUOTE:
        rate = f" rate={order.fee_asset}|{QUOTE}|{market.price(order.fee_asset)}|demo|2026-01-01T00:00:00Z"
    return (
        f"{order.hour:02} {order.side} {order.quantity} {order.coin} @ {order.price} {QUOTE}"
        f" fee {order.fee} {order.fee_asset} {mark} strategy={order.strategy}"
        f" regime={market.regime}{rate}"
    )
