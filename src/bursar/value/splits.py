"""Prices from before a split: what they come to for the units there are now.

Every `denominator` old units became `numerator` new ones, so a price of an old unit is worth
price × denominator ÷ numerator of a new one, rounded once, half-even, to 18 decimals. Accounts that
hold an asset each tell of its split; a market has only one. So the splits that come after a price
are taken account by account, those of `*` with each, and must come to the same ratio, but for what
the units of an account were rounded by; the largest says it best. Where they do not, what the price
would be now is not known, and it is left out. So is a price that lies between what several accounts
tell of within a month, which may be one split, and one told of a day as a whole on which a split
came later: nobody knows which units they are of.

Invariants
- A price at or after every split of its assets is the very same object.
- What was restated says so (`Mark.stated`), and is restated from that: twice is once.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ONE, ZERO, money, ratio18
from bursar.ledger import instant
from bursar.ledger.entries import Split
from bursar.ledger.names import canonical
from bursar.value.marks import Mark

_EVERY: Final = "*"
_NEAR: Final = 31 * instant.DAY
_ROUNDED: Final = Decimal("1e-9")
"""By how much units are rounded where a venue states them before and after a split."""
_NONE: Final[tuple[Split, ...]] = ()
_Growth = tuple[Decimal, Decimal]
"""How many units became how many: (before, after)."""


class Splits:
    """Splits, looked for by asset."""

    def __init__(self, splits: Iterable[Split]) -> None:
        self._told: dict[str, list[Split]] = {}
        for split in splits:
            self._told.setdefault(canonical(split.asset), []).append(split)

    def tell_of(self, asset: str) -> bool:
        """Tell whether an asset was ever split."""
        return canonical(asset) in self._told

    @money
    def restated(self, marks: Iterable[Mark]) -> list[Mark]:
        """Return marks as prices of the units behind these splits, without those not known.

        O(marks), and for each of what was split O(splits of that).
        """
        told, found = self._told.get, []
        for mark in marks:
            asset, quote = told(canonical(mark.asset), _NONE), told(canonical(mark.quote), _NONE)
            now = mark
            if asset or quote or mark.stated is not None:
                restated = _restated(mark, asset, quote)
                if restated is None:
                    continue
                now = restated
            found.append(now)
        return found


def restated(marks: Iterable[Mark], splits: Iterable[Split]) -> list[Mark]:
    """Return marks as prices of the units behind these splits, without those not known."""
    return Splits(splits).restated(marks)


def _restated(mark: Mark, asset: Sequence[Split], quote: Sequence[Split]) -> Mark | None:
    price = mark.price if mark.stated is None else mark.stated
    since = [split for split in (*asset, *quote) if split.executed_at > mark.at]
    if not since:
        if mark.stated is None:
            return mark
        return msgspec.structs.replace(mark, price=price, stated=None, split_at=None)
    grown, worth = _growth(asset, mark.at), _growth(quote, mark.at)
    if grown is None or worth is None or any(_is_of_that_day(mark.at, each) for each in since):
        return None
    now = ratio18(price, grown[0] * worth[1], grown[1] * worth[0])
    if price and now == ZERO:
        return None
    last = max(split.executed_at for split in since)
    return msgspec.structs.replace(mark, price=now, stated=price, split_at=last)


def _growth(splits: Sequence[Split], at: int) -> _Growth | None:
    """Return what one unit of `at` became, if all accounts that tell of it agree."""
    since = [split for split in splits if split.executed_at > at]
    if not since:
        return ONE, ONE
    earliest = min(split.executed_at for split in since) - _NEAR
    accounts = {split.account for split in splits if split.executed_at > earliest}
    found = [_product(since, account) for account in sorted(accounts - {_EVERY} or {_EVERY})]
    best = max(found, key=sum)
    return best if all(_is_same(best, each) for each in found) else None


def _product(splits: Sequence[Split], account: str) -> _Growth:
    before, after = ONE, ONE
    for split in splits:
        if split.account in {account, _EVERY}:
            before, after = before * split.denominator, after * split.numerator
    return before, after


def _is_same(one: _Growth, other: _Growth) -> bool:
    """Tell whether two ratios are one, of units that were each rounded."""
    difference = abs(one[0] * other[1] - other[0] * one[1])
    return difference <= _ROUNDED * (sum(one) + sum(other))


def _is_of_that_day(at: int, split: Split) -> bool:
    return at == instant.day_start(split.executed_at)
