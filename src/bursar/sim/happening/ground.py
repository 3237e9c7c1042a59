"""The ground on which things happen: accounts, what they hold, the truth so far, what was told.

Errors: none.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Final

import msgspec

from bursar.ledger.entries import AnyEntry, Price, Rate, venue
from bursar.ledger.facts import Fact
from bursar.ledger.instant import DAY, SECOND
from bursar.sim.chance import hits

START: Final = 1_767_600_000 * SECOND
CASH: Final = frozenset({"USD", "USDT", "USDC"})
COINS: Final = ("XBT", "ETH", "ADA")
HAND: Final = "bursar:hand"
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
_RATES: Final = {"XBT": "40000", "ETH": "2000", "ADA": "0.5", "BNB": "300", "EUR": "1.1"}
_GAPS: Final = (1, 250_000_000, SECOND, 60 * SECOND, 3_600 * SECOND, 40_000 * SECOND)


class Place(msgspec.Struct, frozen=True):
    """An account at a venue, and how the venue tells of it: by ledger rows, or by events."""

    account: str
    has_rows: bool
    states_balances: bool


class Told(msgspec.Struct, frozen=True):
    """One statement and the venue whose feed it is in."""

    venue: str
    entry: AnyEntry


class Ground:
    """One portfolio's past. `truth` is by id, `told` in the order in which things happened."""

    def __init__(self, chance: Random, places: Sequence[Place], *, is_careless: bool) -> None:
        self.chance = chance
        self.places = places
        self.truth: dict[str, Fact] = {}
        self.told: list[Told] = []
        self.held: dict[tuple[str, str], Decimal] = {}
        self.at = START
        self.splits = 0
        self.fills: list[str] = []
        self.untagged: list[tuple[str, str]] = []
        self._is_careless = is_careless
        self._names = 0
        self._priced: tuple[int, Decimal] | None = None

    def pass_time(self) -> None:
        """Let some time pass, a nanosecond at least."""
        self.at += self.chance.choice(_GAPS)

    def name(self, kind: str, account: str) -> str:
        """Make an id as venues do: its place in the alphabet says nothing about its time."""
        self._names += 1
        return f"{account}:{self.chance.choice('abcxyz')}{kind}{self._names}"

    def units(self) -> Decimal:
        """Choose a quantity of 8 places."""
        digits = self.chance.choice((3, 6, 8, 10))
        return Decimal(self.chance.randint(1, 10**digits)).scaleb(-8)

    def rate(self, asset: str) -> Decimal:
        """Choose what a unit is worth now."""
        if asset in CASH:
            return ONE
        return Decimal(_RATES[asset]) * self.chance.randint(50, 150) / 100

    def stated(self, rates: dict[str, Decimal]) -> tuple[Rate, ...]:
        """Return rates as a statement carries them."""
        found = ((asset, value) for asset, value in rates.items() if asset not in CASH)
        return tuple(Rate(asset, "USD", value, "venue", self.at) for asset, value in found)

    def price(self) -> Decimal:
        """Return what ADA is worth by the last price told, which may be a new one."""
        known = self._priced
        if known is None or self.at - known[0] > DAY or hits(self.chance, 0.5):
            known = self._priced = (self.at, self.rate("ADA"))
            price = Price(
                id=self.name("q", "prices:file"),
                executed_at=self.at,
                account="prices:file",
                asset="ADA",
                quote="USD",
                value=known[1],
            )
            self.tell(self.chance.choice(self.places).account, price)
        return known[1]

    def split(self, asset: str, up: Decimal, down: Decimal) -> None:
        """Let `down` units of an asset become `up`; the last price told is of the old ones."""
        for account, held in self.held:
            if held == asset:
                self.held[account, held] *= up / down
        if asset == "ADA":
            self._priced = None

    def has(self, account: str, asset: str) -> Decimal:
        """Return what an account holds."""
        return self.held.get((account, asset), ZERO)

    def spare(self, place: Place, asset: str) -> Decimal:
        """Choose a part of what is there, or all of it."""
        held = self.has(place.account, asset)
        return held if hits(self.chance, 0.2) else min(self.units(), held)

    def may_owe(self, place: Place) -> bool:
        """Tell whether an account may give what it does not have."""
        return self._is_careless and not place.has_rows

    def move(self, account: str, asset: str, change: Decimal) -> None:
        """Let a holding change."""
        self.held[account, asset] = self.has(account, asset) + change

    def balances(self, place: Place) -> dict[str, Decimal] | None:
        """Return what an account holds of each asset, if its venue says so."""
        if not place.states_balances:
            return None
        own = (
            (asset, held)
            for (account, asset), held in self.held.items()
            if account == place.account
        )
        return dict(own)

    def tell(self, account: str, *entries: AnyEntry) -> None:
        """Let the venue of an account make statements."""
        self.told += (Told(venue(account), entry) for entry in entries)


def worth(units: Decimal, rate: Decimal) -> Decimal:
    """Return units × rate, rounded once, half-even, to 18 places."""
    return atoms(Fraction(units) * Fraction(rate))


def atoms(number: Fraction) -> Decimal:
    """Round to 18 places, half-even, whatever the context."""
    count = round(number * 10**18)
    return Decimal((int(count < 0), tuple(int(digit) for digit in str(abs(count))), -18))


def cut(number: Decimal, places: int) -> Decimal:
    """Round as venues do."""
    return number.quantize(ONE.scaleb(-places))
