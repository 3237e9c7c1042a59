"""The marks that a commit is judged by, as the caller gives them.

Errors: `BadChoice` for what is no mapping of symbols; the number errors, and those of marks.
"""

from collections.abc import Mapping

from bursar.desk.desk import Desk
from bursar.desk.transactions.rules import Rules
from bursar.errors import BadChoice
from bursar.value.marks import FEE_CREDITS, Marks, fee_credit, given
from bursar.value.splits import restated

Prices = Marks | Mapping[str, object]


def marks_of(
    prices: Mapping[str, object], base: str, now: int, *, strict_numbers: bool = False
) -> Marks:
    """Take a commit's prices: `{"BTC/USDT": 51000}`. Without a quote they are in base currency."""
    slashed = {_pair(name): price for name, price in prices.items()}
    marks = given(slashed, base, at=now, strict_numbers=strict_numbers)
    return marks.plus(fee_credit(each, base, at=now) for each in FEE_CREDITS)


def _pair(name: object) -> str:
    """Read a symbol as staging does: `btc-usdt` is BTC/USDT."""
    if not isinstance(name, str):
        raise BadChoice(f"mark_prices: {name!r} is no symbol", field="mark_prices")
    said = name.strip().replace("-", "/")
    return said.upper() if said.islower() else said


class PriceReader:
    """Reads the prices of one commit after another; those that are told again only once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: tuple[object, ...] = ()
        self._marks = Marks()

    def read(self, prices: Prices, rules: Rules) -> Marks:
        """Return the marks that prices are, as prices of the units that are held now."""
        if isinstance(prices, Marks):
            splits = self._desk.timeline.splits.values()
            return Marks(restated(prices, splits), aliases=prices.aliases) if splits else prices
        if not isinstance(prices, Mapping):
            raise BadChoice("mark_prices: give prices by symbol", field="mark_prices")
        # 1 and 1.0 are equal and not the same: a float may be refused.
        values = tuple(prices.values())
        told = (rules.strict_numbers, tuple(prices), values, tuple(map(type, values)))
        if told != self._told:
            strict, now = rules.strict_numbers, self._desk.clock.now()
            base = self._desk.timeline.terms.base
            self._marks = marks_of(prices, base, now, strict_numbers=strict)
            self._told = told
        return self._marks
