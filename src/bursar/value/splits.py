"""Prices from before a split: what they come to for the units there are now.

Every `denominator` old units became `numerator` new ones, so a price of an old unit is worth
price × denominator ÷ numerator of a new one, rounded once, half-even, to 18 decimals. Accounts that
hold an asset each tell of its split; a market has only one. So the splits that come after a price
are taken account by account, those of `*` with each, and must come to the same number. Where they
do not, what the price would be now is not known, and it is left out. So is a price told of a day as
a whole on which a split came later: nobody knows which units it is of.

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
_Growth = tuple[Decimal, Decimal]
"""How many units became how many: (before, after)."""


@money
def restated(marks: Iterable[Mark], splits: Iterable[Split]) -> list[Mark]:
    """Return marks as prices of the units behind these splits, without those not known.

    O(marks × splits of their assets).
    """
    told: dict[str, list[Split]] = {}
    for split in splits:
        told.setdefault(canonical(split.asset), []).append(split)
    found = (
        _restated(mark, _since(told, mark.asset, mark.at), _since(told, mark.quote, mark.at))
        for mark in marks
    )
    return [mark for mark in found if mark is not None]


def _restated(mark: Mark, asset: Sequence[Split], quote: Sequence[Split]) -> Mark | None:
    price = mark.price if mark.stated is None else mark.stated
    if not (asset or quote):
        told = msgspec.structs.replace(mark, price=price, stated=None, split_at=None)
        return mark if mark.stated is None else told
    grown, worth = _growth(asset), _growth(quote)
    if grown is None or worth is None or any(_is_of_that_day(mark.at, s) for s in (*asset, *quote)):
        return None
    now = ratio18(price, grown[0] * worth[1], grown[1] * worth[0])
    if price and now == ZERO:
        return None
    last = max(split.executed_at for split in (*asset, *quote))
    return msgspec.structs.replace(mark, price=now, stated=price, split_at=last)


def _since(told: dict[str, list[Split]], asset: str, at: int) -> list[Split]:
    return [split for split in told.get(canonical(asset), ()) if split.executed_at > at]


def _growth(splits: Sequence[Split]) -> _Growth | None:
    """Return what one unit became, if all accounts that tell of it agree."""
    accounts = {split.account for split in splits} - {_EVERY} or {_EVERY}
    found = [_product(splits, account) for account in sorted(accounts)]
    before, after = found[0]
    agreed = all(before * each[1] == after * each[0] for each in found)
    return found[0] if agreed else None


def _product(splits: Sequence[Split], account: str) -> _Growth:
    before, after = ONE, ONE
    for split in splits:
        if split.account in {account, _EVERY}:
            before, after = before * split.denominator, after * split.numerator
    return before, after


def _is_of_that_day(at: int, split: Split) -> bool:
    return at == instant.day_start(split.executed_at)
