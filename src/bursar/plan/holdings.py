"""What is there: positions, prices and cash of one instant.

Every position that is not zero, and every symbol that is targeted, needs a price above zero: a
plan over an unpriced holding would be a guess. What stands in open orders is `reserved`, in units,
and is not sold; under the name of the base currency it is money, and is not spent. Where `free`
tells by account, that may be more than the cash: orders hold one purse's money, another one owes.

Errors: `MissingMark` for a position without a price, `BadChoice` for what cannot be, those of
`door` for what is no number.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import msgspec

from bursar.errors import BadChoice, MissingMark
from bursar.exact import ZERO
from bursar.plan.door import at_least_zero, by_symbol, exactly, moment, named, put


class HoldingsSnapshot(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Units by symbol, the price of one unit in `base`, and cash in `base`.

    `as_of` is when that was so (RFC 3339, empty where nobody says), `source` where it is from,
    `gaps` what is not known about it, in words. `free` says by account what may be sold there, in
    units, and spent, under the name of the base currency; empty where nobody says. No line follows
    from it, only where a plan would be executed.

    >>> HoldingsSnapshot(positions={"SPY": 10}, prices={"SPY": 500}, cash=1000).cash
    Decimal('1000')
    """

    positions: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    cash: Decimal
    reserved: Mapping[str, Decimal] = {}
    base: str = "USD"
    as_of: str = ""
    source: str = ""
    gaps: Sequence[str] = ()
    free: Mapping[str, Mapping[str, Decimal]] = {}

    def __post_init__(self) -> None:
        """Take the numbers exactly, and refuse what cannot be."""
        positions = by_symbol(self.positions, "positions")
        prices = by_symbol(self.prices, "prices")
        reserved = by_symbol(self.reserved, "reserved")
        held = {symbol: quantity for symbol, quantity in positions.items() if quantity}
        put(
            self,
            positions=held,
            prices=prices,
            cash=exactly(self.cash, "cash"),
            reserved={symbol: quantity for symbol, quantity in reserved.items() if quantity},
            as_of=moment(self.as_of, "as_of"),
            gaps=tuple(self.gaps),
            free={
                account: by_symbol(self.free[account], f"free.{account}")
                for account in named(self.free, "free")
            },
        )
        for account, there in self.free.items():
            for symbol, quantity in there.items():
                at_least_zero(quantity, f"free.{account}.{symbol}")
        _judge(prices, self.reserved, held | {self.base: self._reservable()})
        require_prices(prices, held)

    def _reservable(self) -> Decimal:
        """Return how much money may be reserved: the cash, or what is, of several purses."""
        reserved = self.reserved.get(self.base, ZERO)
        return max(self.cash, reserved) if self.free else self.cash

    @property
    def spendable(self) -> Decimal:
        """What of the cash may be spent: all that no open order holds."""
        return self.cash - self.reserved.get(self.base, ZERO)

    def holdings(self, wanted: Collection[str]) -> "HoldingsSnapshot":
        """Return itself: what is there, if it has prices of what is wanted.

        Raises:
            MissingMark: it has none of something.
        """
        require_prices(self.prices, wanted)
        return self


def require_prices(prices: Mapping[str, Decimal], wanted: Collection[str]) -> None:
    """Refuse what has no price."""
    missing = sorted(symbol for symbol in wanted if symbol not in prices)
    if missing:
        raise MissingMark(
            f"no price of {', '.join(missing)}: a plan would be a guess", symbols=missing
        )


def _judge(
    prices: Mapping[str, Decimal], reserved: Mapping[str, Decimal], held: Mapping[str, Decimal]
) -> None:
    for symbol, price in prices.items():
        if price <= ZERO:
            raise BadChoice(f"prices.{symbol}: {price} is not above zero", symbol=symbol)
    for symbol, quantity in reserved.items():
        there = max(held.get(symbol, ZERO), ZERO)
        if not ZERO <= quantity <= there:
            raise BadChoice(
                f"reserved.{symbol}: {quantity} of {there} that are held", symbol=symbol
            )
